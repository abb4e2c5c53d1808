#include "flow/recipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

static const char *const laws[] = { "fixed", "normal", "lognormal", "beta" };

const char *su_law_name(su_law law) { return laws[law]; }

enum {
    ID,
    LABEL,
    VALUE,
    SE,
    DISTRIBUTION,
    CASES,
    OF,
    DISPERSION,
    BASIS,
    SOURCE,
    ADJUSTMENT,
    CORRELATES_WITH,
    CORRELATION,
    ALTERNATIVE,
    ALTERNATIVE_SOURCE,
    FORMULA,
    COLUMNS
};
static const char *const column_names[COLUMNS] = {
    "id",         "label",           "value",       "se",          "distribution",       "cases",  "of", "dispersion", "basis", "source",
    "adjustment", "correlates_with", "correlation", "alternative", "alternative_source", "formula"
};

typedef struct reader {
    su_context *ctx;
    const su_raw_table *t;
    su_recipe *r;
    int column[COLUMNS];
} reader;

static su_str cell(const reader *in, uint64_t row, int what)
{
    int c = in->column[what];
    return c < 0 ? (su_str) { "", 0 } : su_str_trim(su_dict_get(in->t->columns[c].values, in->t->columns[c].ids[row]));
}

static const char *text(reader *in, uint64_t row, int what)
{
    su_str s = cell(in, row, what);
    return su_arena_strndup(&in->r->arena, s.p, s.n);
}

static su_status number(reader *in, uint64_t row, int what, double otherwise, double *out)
{
    su_str s = cell(in, row, what);
    *out = otherwise;
    if (s.n == 0 || su_parse_f64(s, out)) return SU_OK;
    return su_fail(in->ctx, SU_INPUT, "%s, line %u, column '%s': '%.*s' is not a number (no blanks or thousands separators)", in->t->source,
                   in->t->row_line[row], column_names[what], (int)s.n, s.p);
}

static int find_row(const void *arg, su_str name)
{
    const su_recipe *r = arg;
    for (uint32_t k = 0; k < r->count; k++)
        if (su_str_equal(su_str_of(r->rows[k].id), name)) return (int)k;
    return -1;
}

static su_status columns(reader *in)
{
    for (int k = 0; k < COLUMNS; k++) in->column[k] = su_raw_table_column(in->t, su_str_of(column_names[k]));
    if (in->column[ID] < 0)
        return su_fail(in->ctx, SU_INPUT, "%s has no column 'id'; a recipe has id, value, se, source, formula ...", in->t->source);
    if (in->column[FORMULA] < 0) return su_fail(in->ctx, SU_INPUT, "%s has no column 'formula': nothing would be estimated", in->t->source);
    if (in->t->row_count > SU_RECIPE_MOST) return su_fail(in->ctx, SU_REFUSED, "%s: at most %d rows", in->t->source, SU_RECIPE_MOST);
    return SU_OK;
}

static su_status read_law(reader *in, uint64_t row, su_recipe_row *x)
{
    su_str name = cell(in, row, DISTRIBUTION);
    x->law = x->se > 0 ? SU_LAW_NORMAL : SU_LAW_FIXED;
    for (size_t k = 0; name.n && k < sizeof laws / sizeof *laws; k++)
        if (su_str_equal(name, su_str_of(laws[k]))) {
            x->law = (su_law)k;
            name.n = 0;
        }
    const char *where = in->t->source;
    unsigned line = in->t->row_line[row];
    if (name.n)
        return su_fail(in->ctx, SU_INPUT, "%s, line %u, column 'distribution': '%.*s' is not known; normal, lognormal, beta or fixed",
                       where, line, (int)name.n, name.p);
    if (x->law != SU_LAW_FIXED && !(x->se > 0))
        return su_fail(in->ctx, SU_INPUT, "%s, line %u: a %s input needs a standard error above zero", where, line, laws[x->law]);
    if (x->law == SU_LAW_LOGNORMAL) {
        if (!(x->value > 0)) return su_fail(in->ctx, SU_INPUT, "%s, line %u: a lognormal input must be above zero", where, line);
        x->log_sd = sqrt(log1p(x->se * x->se / (x->value * x->value)));
        x->log_median = log(x->value) - x->log_sd * x->log_sd / 2;
    }
    if (x->law == SU_LAW_BETA && !(x->value > 0 && x->value < 1 && x->se * x->se < x->value * (1 - x->value)))
        return su_fail(in->ctx, SU_INPUT, "%s, line %u: a beta input is a share between 0 and 1 with a standard error below %.4g", where,
                       line, sqrt(fmax(x->value * (1 - x->value), 0)));
    return SU_OK;
}

/* Odds cases / of, lognormal, with log variance dispersion (1 / cases + 1 / of): docs/methods/estimate.md. */
static su_status read_odds(reader *in, uint64_t row, su_recipe_row *x)
{
    double cases, of, dispersion;
    su_status st = number(in, row, CASES, NAN, &cases);
    if (!st) st = number(in, row, OF, NAN, &of);
    if (!st) st = number(in, row, DISPERSION, 1, &dispersion);
    if (st) return st;
    if (!(cases > 0) || !(of > 0) || !(dispersion >= 1))
        return su_fail(in->ctx, SU_INPUT, "%s, line %u: odds need cases and of above zero, and a dispersion of 1 or more", in->t->source,
                       in->t->row_line[row]);
    x->law = SU_LAW_LOGNORMAL;
    x->value = cases / of;
    x->log_median = log(x->value);
    x->log_sd = sqrt(dispersion * (1 / cases + 1 / of));
    x->se = x->value * x->log_sd;
    x->case_file = true;
    return SU_OK;
}

static bool names_case_file(reader *in, const char *basis)
{
    su_str folded = su_text_fold(&in->r->arena, su_str_of(basis));
    for (size_t k = 0; k + 4 <= folded.n; k++)
        if (memcmp(folded.p + k, "case", 4) == 0) return true;
    return false;
}

static su_status read_row(reader *in, uint64_t row)
{
    su_recipe *r = in->r;
    su_recipe_row *x = &r->rows[row];
    const char *where = in->t->source;
    *x = (su_recipe_row) { .id = text(in, row, ID),
                           .label = text(in, row, LABEL),
                           .basis = text(in, row, BASIS),
                           .source = text(in, row, SOURCE),
                           .adjustment = text(in, row, ADJUSTMENT),
                           .alternative_source = text(in, row, ALTERNATIVE_SOURCE),
                           .formula_text = text(in, row, FORMULA),
                           .line = in->t->row_line[row],
                           .partner = -1 };
    if (!x->id[0]) return su_fail(in->ctx, SU_INPUT, "%s, line %u: the row has no id", where, x->line);
    if (find_row(r, su_str_of(x->id)) >= 0)
        return su_fail(in->ctx, SU_INPUT, "%s, line %u: the id '%s' is there twice", where, x->line, x->id);
    r->count++;
    x->case_file = names_case_file(in, x->basis);
    su_status st = number(in, row, VALUE, NAN, &x->value);
    if (!st) st = number(in, row, SE, 0, &x->se);
    if (!st) st = number(in, row, ALTERNATIVE, NAN, &x->alternative);
    if (!st) st = number(in, row, CORRELATION, 0, &x->correlation);
    if (st) return st;
    if (x->formula_text[0]) {
        if (!isnan(x->value))
            return su_fail(in->ctx, SU_INPUT, "%s, line %u: '%s' has a value and a formula; keep one", where, x->line, x->id);
        return SU_OK;
    }
    if (x->se < 0) return su_fail(in->ctx, SU_INPUT, "%s, line %u: the standard error is %g; it cannot be negative", where, x->line, x->se);
    if (cell(in, row, CASES).n) {
        if (!isnan(x->value)) return su_fail(in->ctx, SU_INPUT, "%s, line %u: '%s' has a value and cases; keep one", where, x->line, x->id);
        return read_odds(in, row, x);
    }
    if (isnan(x->value))
        return su_fail(in->ctx, SU_INPUT, "%s, line %u: '%s' has neither a value nor cases nor a formula", where, x->line, x->id);
    return read_law(in, row, x);
}

static su_status read_formula(reader *in, uint32_t k)
{
    su_recipe_row *x = &in->r->rows[k];
    size_t at;
    const char *why;
    if (!x->formula_text[0]) return SU_OK;
    x->formula = su_arena_alloc(&in->r->arena, sizeof *x->formula);
    if (su_expression_parse(su_str_of(x->formula_text), find_row, in->r, x->formula, &at, &why)) return SU_OK;
    return su_fail(in->ctx, SU_INPUT, "%s, line %u, column 'formula': %s\n  %s\n  %*s^", in->t->source, x->line, why, x->formula_text,
                   (int)at, "");
}

/* Depth first; state 1 = on the way, 2 = done. */
static su_status place(reader *in, uint32_t k, uint8_t *state)
{
    su_recipe *r = in->r;
    su_recipe_row *x = &r->rows[k];
    if (!x->formula || state[k] == 2) return SU_OK;
    if (state[k] == 1)
        return su_fail(in->ctx, SU_INPUT, "%s, line %u: the formula of '%s' leads back to itself", in->t->source, x->line, x->id);
    state[k] = 1;
    for (uint32_t s = 0; s < x->formula->count; s++) {
        if (x->formula->steps[s].kind != SU_STEP_NAME) continue;
        su_status st = place(in, x->formula->steps[s].name, state);
        if (st) return st;
        x->case_file = x->case_file || r->rows[x->formula->steps[s].name].case_file;
    }
    state[k] = 2;
    r->order[r->results++] = k;
    return SU_OK;
}

static su_status correlations(reader *in)
{
    su_recipe *r = in->r;
    bool any = false;
    for (uint32_t k = 0; k < r->count; k++) {
        su_recipe_row *x = &r->rows[k];
        su_str other = cell(in, k, CORRELATES_WITH);
        if (other.n == 0) continue;
        x->partner = find_row(r, other);
        if (x->partner < 0 || x->partner == (int)k || x->formula || r->rows[x->partner].formula)
            return su_fail(in->ctx, SU_INPUT, "%s, line %u, column 'correlates_with': '%.*s' is not another input", in->t->source, x->line,
                           (int)other.n, other.p);
        if (!(x->correlation >= -1 && x->correlation <= 1))
            return su_fail(in->ctx, SU_INPUT, "%s, line %u, column 'correlation': %g is not between -1 and 1", in->t->source, x->line,
                           x->correlation);
        any = true;
    }
    if (!any) return SU_OK;
    size_t n = r->count;
    r->factor = su_arena_array(&r->arena, n * n, sizeof *r->factor);
    for (size_t k = 0; k < n; k++) r->factor[k * n + k] = 1;
    for (size_t k = 0; k < n; k++)
        if (r->rows[k].partner >= 0) {
            size_t p = (size_t)r->rows[k].partner;
            r->factor[k * n + p] = r->factor[p * n + k] = r->rows[k].correlation;
        }
    bool *kept = su_arena_array(&r->arena, n, sizeof *kept);
    double *whole = su_arena_array(&r->arena, n * n, sizeof *whole);
    memcpy(whole, r->factor, n * n * sizeof *whole);
    (void)su_cholesky(r->factor, n, 1e-9, kept);
    /* a dropped pivot is fine when the factor still gives the correlations back (a correlation of 1) */
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k <= j; k++) sum += r->factor[i * n + k] * r->factor[j * n + k];
            if (kept[i] && fabs(sum - whole[i * n + j]) > 1e-6)
                return su_fail(in->ctx, SU_REFUSED, "%s: the correlations contradict each other (look at '%s' and '%s')", in->t->source,
                               r->rows[i].id, r->rows[j].id);
            if (!kept[i])
                return su_fail(in->ctx, SU_REFUSED,
                               "%s: the correlations of '%s' contradict the others, or one is 1 or -1 (use one id twice instead)",
                               in->t->source, r->rows[i].id);
        }
    return SU_OK;
}

su_status su_recipe_read(su_context *ctx, const su_raw_table *t, su_recipe **out)
{
    *out = NULL;
    su_recipe *r = su_alloc(sizeof *r);
    su_arena_init(&r->arena);
    reader in = { .ctx = ctx, .t = t, .r = r };
    uint8_t state[SU_RECIPE_MOST] = { 0 };
    su_status st = columns(&in);
    for (uint64_t row = 0; !st && row < t->row_count; row++) st = read_row(&in, row);
    for (uint32_t k = 0; !st && k < r->count; k++) st = read_formula(&in, k);
    for (uint32_t k = 0; !st && k < r->count; k++) st = place(&in, k, state);
    if (!st) st = correlations(&in);
    if (!st && !r->results) st = su_fail(ctx, SU_INPUT, "%s: no row has a formula; nothing would be estimated", t->source);
    if (st)
        su_recipe_free(r);
    else
        *out = r;
    return st;
}

void su_recipe_free(su_recipe *r)
{
    if (!r) return;
    su_arena_free(&r->arena);
    free(r);
}

double su_recipe_draw(const su_recipe_row *row, double z)
{
    switch (row->law) {
    case SU_LAW_NORMAL:
        return row->value + row->se * z;
    case SU_LAW_LOGNORMAL:
        return exp(row->log_median + row->log_sd * z);
    case SU_LAW_BETA: {
        double n = row->value * (1 - row->value) / (row->se * row->se) - 1;
        return su_beta_quantile(su_normal_cdf(z), n * row->value, n * (1 - row->value));
    }
    default:
        return row->value;
    }
}

void su_recipe_values(const su_recipe *r, double *value, double *slope)
{
    for (uint32_t k = 0; k < r->results; k++) {
        uint32_t at = r->order[k];
        double derivative;
        value[at] = su_expression_value(r->rows[at].formula, value, slope, &derivative);
        if (slope) slope[at] = derivative;
    }
}
