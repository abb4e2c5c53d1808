/* What was missing, why, and what was put in its place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <suha/impute.h>

enum { REASONS = 5, MOST_PATTERNS = 10 };
static const struct {
    su_cell cell;
    const char *id, *title;
} reasons[REASONS] = { { SU_CELL_NOT_RECORDED, "not_recorded", "not recorded" },
                       { SU_CELL_UNKNOWN, "unknown", "unknown" },
                       { SU_CELL_REFUSED, "refused", "refused" },
                       { SU_CELL_NOT_APPLICABLE, "not_applicable", "not applicable" },
                       { SU_CELL_SUPPRESSED, "suppressed", "suppressed" } };

static bool missing_at(const su_variable *v, uint64_t row)
{
    return v->kind == SU_VARIABLE_NUMBER ? isnan(su_frame_number(v, row)) : su_frame_level(v, row) == 0;
}

static void missing_table(const su_imputation *i, su_result *out)
{
    su_result_table *t = su_result_table_add(out, "missing", "Missing values and their reasons");
    su_result_column(t, "variable", "variable", SU_COLUMN_TEXT);
    su_result_column(t, "method", "method", SU_COLUMN_TEXT);
    su_result_column(t, "missing", "missing", SU_COLUMN_INTEGER);
    su_result_column(t, "share", "share", SU_COLUMN_PERCENT);
    for (size_t k = 0; k < REASONS; k++) su_result_column(t, reasons[k].id, reasons[k].title, SU_COLUMN_INTEGER);
    su_result_column(t, "note", "", SU_COLUMN_TEXT);
    for (uint32_t j = 0; j < i->frame->count; j++) {
        const su_imputed *v = &i->variables[j];
        int64_t count[REASONS] = { 0 };
        for (uint64_t row = 0; v->missing && row < i->frame->rows; row++) {
            if (!missing_at(v->variable, row)) continue;
            su_cell cell = v->variable->reason ? v->variable->reason[v->variable->ids ? v->variable->ids[row] : row] : SU_CELL_NOT_RECORDED;
            size_t k = 0;
            while (k + 1 < REASONS && reasons[k].cell != cell) k++;
            count[reasons[k].cell == cell ? k : 0]++;
        }
        su_result_text(t, v->variable->name);
        su_result_text(t, v->method == SU_IMPUTE_EXCLUDE ? "not used" : v->missing ? su_impute_method_name(v->method) : "complete");
        su_result_integer(t, (int64_t)v->missing);
        su_result_number(t, (double)v->missing / (double)i->frame->rows);
        for (size_t k = 0; k < REASONS; k++) su_result_integer(t, count[k]);
        su_result_text(t, v->note ? v->note : "");
        if (v->not_applicable && v->method != SU_IMPUTE_EXCLUDE)
            su_result_warn(out, "W_NOT_APPLICABLE", "%s: %llu values that do not apply stay empty", v->variable->name,
                           (unsigned long long)v->not_applicable);
        if (v->method == SU_IMPUTE_EXCLUDE && v->missing && v->note)
            su_result_warn(out, "W_NOT_IMPUTED", "%s is not used (%s): its missing values stay missing", v->variable->name, v->note);
        if ((double)v->missing > 0.5 * (double)i->frame->rows && v->filled)
            su_result_warn(out, "W_MOSTLY_MISSING", "%s: more than half is missing; what is filled in is mostly the model",
                           v->variable->name);
    }
}

typedef struct pattern {
    uint64_t mask, rows;
} pattern;

static int by_rows(const void *a, const void *b)
{
    const pattern *x = a, *y = b;
    if (x->rows != y->rows) return x->rows > y->rows ? -1 : 1;
    return (x->mask > y->mask) - (x->mask < y->mask);
}

/* Which variables are missing together. The first 64 variables with missing values. */
static void pattern_table(const su_imputation *i, su_result *out)
{
    const su_imputed *used[64];
    uint32_t n = 0;
    size_t count = 0, capacity = 0;
    pattern *all = NULL;
    for (uint32_t j = 0; j < i->frame->count && n < 64; j++)
        if (i->variables[j].missing && i->variables[j].method != SU_IMPUTE_EXCLUDE) used[n++] = &i->variables[j];
    for (uint64_t row = 0; row < i->frame->rows; row++) {
        uint64_t mask = 0;
        for (uint32_t k = 0; k < n; k++) mask |= (uint64_t)missing_at(used[k]->variable, row) << k;
        size_t at = 0;
        while (at < count && all[at].mask != mask) at++;
        if (at == count && count < 4096) {
            all = su_grow(all, &capacity, count + 1, sizeof *all);
            all[count++] = (pattern) { mask, 0 };
        }
        if (at < count) all[at].rows++;
    }
    qsort(all, count, sizeof *all, by_rows);
    su_result_table *t = su_result_table_add(out, "patterns", "Missing together (the ten most frequent)");
    su_result_column(t, "missing", "missing", SU_COLUMN_TEXT);
    su_result_column(t, "rows", "rows", SU_COLUMN_INTEGER);
    su_result_column(t, "share", "share", SU_COLUMN_PERCENT);
    for (size_t p = 0; p < count && p < MOST_PATTERNS; p++) {
        su_buf names = { 0 };
        for (uint32_t k = 0; k < n; k++)
            if (all[p].mask >> k & 1) su_buf_printf(&names, "%s%s", names.n ? ", " : "", used[k]->variable->name);
        su_result_text(t, names.n ? names.p : "nothing");
        su_result_integer(t, (int64_t)all[p].rows);
        su_result_number(t, (double)all[p].rows / (double)i->frame->rows);
        su_buf_free(&names);
    }
    free(all);
}

static void value_row(su_result_table *t, const su_imputed *v, const char *value, double observed, double imputed)
{
    su_result_text(t, v->variable->name);
    su_result_text(t, value);
    su_result_number(t, observed);
    su_result_number(t, imputed);
    su_result_number(t, v->r_hat);
}

static void number_rows(const su_imputation *i, const su_imputed *v, su_result_table *t)
{
    double observed = 0, imputed = 0, present = 0;
    for (uint64_t row = 0; row < i->frame->rows; row++) {
        double x = su_frame_number(v->variable, row);
        if (isnan(x)) continue;
        observed += x;
        present++;
    }
    for (unsigned m = 0; m < i->imputations; m++)
        for (uint64_t k = 0; k < v->filled; k++) imputed += v->number[m][k];
    value_row(t, v, "mean", observed / present, imputed / ((double)v->filled * i->imputations));
}

static void level_rows(const su_imputation *i, const su_imputed *v, su_result_table *t)
{
    uint32_t levels = v->variable->level_count;
    double *observed = su_alloc_array((size_t)levels + 1, sizeof *observed), *imputed = su_alloc_array((size_t)levels + 1, sizeof *imputed);
    double present = (double)(i->frame->rows - v->missing);
    for (uint64_t row = 0; row < i->frame->rows; row++) observed[su_frame_level(v->variable, row)]++;
    for (unsigned m = 0; m < i->imputations; m++)
        for (uint64_t k = 0; k < v->filled; k++) imputed[v->level[m][k]]++;
    for (uint32_t k = 1; k <= levels; k++)
        if (observed[k] > 0)
            value_row(t, v, v->variable->levels[k - 1], observed[k] / present, imputed[k] / ((double)v->filled * i->imputations));
    free(observed);
    free(imputed);
}

static void imputed_table(const su_imputation *i, su_result *out)
{
    su_result_table *t = su_result_table_add(out, "imputed", "Observed beside imputed (shares of categories, means of numbers)");
    su_result_column(t, "variable", "variable", SU_COLUMN_TEXT);
    su_result_column(t, "value", "value", SU_COLUMN_TEXT);
    su_result_column(t, "observed", "observed", SU_COLUMN_NUMBER);
    su_result_column(t, "imputed", "imputed", SU_COLUMN_NUMBER);
    su_result_column(t, "r_hat", "R-hat", SU_COLUMN_NUMBER);
    for (uint32_t j = 0; j < i->frame->count; j++) {
        const su_imputed *v = &i->variables[j];
        if (!v->filled) continue;
        if (v->number)
            number_rows(i, v, t);
        else
            level_rows(i, v, t);
        if (v->r_hat > 1.3)
            su_result_warn(out, "W_NOT_CONVERGED", "%s: the chains have not mixed (R-hat %.2f); use more --rounds", v->variable->name,
                           v->r_hat);
        if (v->delta != 0)
            su_result_warn(out, "W_MNAR", "%s: imputed values are shifted by %g; compare with the analysis without a shift",
                           v->variable->name, v->delta);
    }
}

void su_impute_report(const su_imputation *i, su_result *out)
{
    uint32_t filled = 0;
    for (uint32_t j = 0; j < i->frame->count; j++) filled += i->variables[j].filled > 0;
    su_result_fact(out, "n", "Rows", (double)i->frame->rows);
    su_result_fact(out, "complete", "Complete rows", (double)i->complete);
    su_result_fact(out, "imputations", "Imputations", i->imputations);
    su_result_fact(out, "rounds", "Rounds", i->rounds);
    su_result_fact_text(out, "method", "Method", "chained equations");
    missing_table(i, out);
    pattern_table(i, out);
    imputed_table(i, out);
    su_result_warn(out, "W_MISSING_AT_RANDOM",
                   "imputation assumes that values are missing at random given the variables used; the file cannot show "
                   "whether they are (--delta shows what if not)");
    su_result_method(
        out,
        "Missing values of %u variables were imputed %u times by chained equations with %u rounds; of %llu rows %llu were complete. "
        "Every analysis is to be made in each completion and pooled.",
        filled, i->imputations, i->rounds, (unsigned long long)i->frame->rows, (unsigned long long)i->complete);
}
