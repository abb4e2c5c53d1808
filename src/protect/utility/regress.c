#include "regress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NORMAL_975 1.959963984540054

typedef struct job {
    su_arena *arena;
    const su_code_matrix *m[2]; /* true, synthetic */
    const su_schema *schema;    /* may be NULL */
    su_utility_regression *out;
    uint32_t *first;           /* per column: term of code 0, counted as if every code had one */
    int64_t *term;             /* per code: term number, -1 = none */
    uint64_t *yes[2], *all[2]; /* per code: rows with the outcome, rows */
    uint32_t codes;
} job;

/* ---- outcome ------------------------------------------------------------------------------------------------------------------------- */

static bool about_exploitation(const su_group *g)
{
    su_arena fold;
    su_arena_init(&fold);
    const char *texts[2] = { g->name, g->title };
    bool found = false;
    for (int i = 0; i < 2 && !found; i++) {
        su_str t = su_text_fold(&fold, su_str_of(texts[i]));
        found = memmem(t.p, t.n, "exploit", 7) != NULL;
    }
    su_arena_free(&fold);
    return found;
}

static bool default_outcome(const su_code_matrix *m, const su_schema *schema, uint32_t *column)
{
    bool found = false;
    for (uint32_t c = 0; c < m->column_count; c++) {
        if (m->columns[c].card != 2) continue;
        if (!found) *column = c;
        found = true;
        int group = schema ? schema->fields[m->columns[c].field].group : -1;
        if (group < 0 || !about_exploitation(&schema->groups[group])) continue;
        *column = c;
        return true;
    }
    return found;
}

static su_status named_outcome(su_context *ctx, const su_code_matrix *m, const su_schema *schema, const char *text, uint32_t *column,
                               uint16_t *value)
{
    const char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : strlen(text);
    for (uint32_t c = 0; c < m->column_count; c++) {
        const su_matrix_column *at = &m->columns[c];
        if (strlen(at->name) != n || memcmp(at->name, text, n) != 0) continue;
        *column = c;
        *value = 1;
        if (!equals && at->card == 2) return SU_OK;
        if (!equals) return su_fail(ctx, SU_USAGE, "the outcome %s has several values: say which one counts as yes, %s=CODE", text, text);
        for (uint32_t v = 1; v < at->card; v++) {
            const char *code = su_matrix_column_value(schema, at, v);
            if (!code || strcmp(code, equals + 1) != 0) continue;
            *value = (uint16_t)v;
            return SU_OK;
        }
        return su_fail(ctx, SU_USAGE, "the outcome %s: %s is no code of this column", text, equals + 1);
    }
    return su_fail(ctx, SU_USAGE, "the outcome %s is no column of the release", text);
}

/* ---- terms ---- */

static void cross_tabulate(job *j)
{
    const su_matrix_column *columns = j->m[0]->columns;
    j->first = su_arena_array(j->arena, j->m[0]->column_count, sizeof *j->first);
    for (uint32_t c = 0; c < j->m[0]->column_count; c++) {
        j->first[c] = j->codes;
        j->codes += columns[c].card;
    }
    j->term = su_arena_array(j->arena, j->codes, sizeof *j->term);
    for (uint32_t i = 0; i < j->codes; i++) j->term[i] = -1;
    for (int side = 0; side < 2; side++) {
        const su_code_matrix *m = j->m[side];
        const uint16_t *outcome = m->columns[j->out->outcome].codes;
        j->yes[side] = su_arena_array(j->arena, j->codes, sizeof *j->yes[side]);
        j->all[side] = su_arena_array(j->arena, j->codes, sizeof *j->all[side]);
        j->out->rows[side] = m->row_count;
        for (uint64_t r = 0; r < m->row_count; r++) {
            bool yes = outcome[r] == j->out->outcome_value;
            j->out->yes[side] += yes;
            for (uint32_t c = 0; c < m->column_count; c++) {
                uint32_t code = j->first[c] + m->columns[c].codes[r];
                j->all[side][code]++;
                j->yes[side][code] += yes;
            }
        }
    }
}

static bool same_subject(const job *j, uint32_t column)
{
    const su_matrix_column *a = &j->m[0]->columns[column], *b = &j->m[0]->columns[j->out->outcome];
    if (column == j->out->outcome) return true;
    if (!j->schema) return false;
    int group = j->schema->fields[b->field].group;
    return a->field == b->field || (group >= 0 && j->schema->fields[a->field].group == group);
}

/* A term that holds only yes or only no, or all of them, in either data has no finite coefficient, or none at all. */
static bool estimable(const job *j, uint32_t code)
{
    for (int side = 0; side < 2; side++) {
        uint64_t all = j->all[side][code], yes = j->yes[side][code], rows = j->out->rows[side], total = j->out->yes[side];
        if (yes == 0 || yes == all || yes == total || all - yes == rows - total) return false;
    }
    return true;
}

static void name_left_out(job *j, su_buf *b, uint32_t column, uint32_t value, const char *why)
{
    const su_matrix_column *c = &j->m[0]->columns[column];
    const char *code = value && !c->set_value && c->card > 2 ? su_matrix_column_value(j->schema, c, value) : NULL;
    if (b->n) su_buf_text(b, "; ");
    su_buf_printf(b, "%s%s%s (%s)", c->name, code ? "=" : "", code ? code : "", why);
}

/* The most frequent code of a column in the true records is the one the others are compared with. */
static void choose_terms(job *j)
{
    su_buf left_out = { 0 };
    size_t most = 1;
    for (uint32_t c = 0; c < j->m[0]->column_count; c++) most += j->m[0]->columns[c].card;
    j->out->terms = su_arena_array(j->arena, most, sizeof *j->out->terms);
    j->out->terms[j->out->term_count++] = (su_utility_term) { .intercept = true };
    for (uint32_t c = 0; c < j->m[0]->column_count; c++) {
        uint32_t card = j->m[0]->columns[c].card, reference = 0;
        if (same_subject(j, c)) continue;
        if (card > SU_REGRESS_MOST_VALUES + 1) {
            name_left_out(j, &left_out, c, 0, "too many values");
            continue;
        }
        for (uint32_t v = 1; v < card; v++)
            if (j->all[0][j->first[c] + v] > j->all[0][j->first[c] + reference]) reference = v;
        for (uint32_t v = 0; v < card; v++) {
            uint32_t code = j->first[c] + v;
            if (v == reference || j->all[0][code] + j->all[1][code] == 0) continue;
            if (estimable(j, code)) {
                j->term[code] = (int64_t)j->out->term_count;
                j->out->terms[j->out->term_count++] = (su_utility_term) { .column = c, .value = (uint16_t)v };
            } else {
                name_left_out(j, &left_out, c, v, "all yes, all no or absent in one of the two");
            }
        }
    }
    if (left_out.n) j->out->left_out = su_arena_strndup(j->arena, left_out.p, left_out.n);
    su_buf_free(&left_out);
}

/* ---- fits ---- */

static void fit_side(job *j, int side)
{
    const su_code_matrix *m = j->m[side];
    su_utility_regression *out = j->out;
    size_t *start = su_alloc_array(m->row_count + 1, sizeof *start), entries = 0;
    uint32_t *index = su_alloc_array(m->row_count * ((size_t)m->column_count + 1) + 1, sizeof *index);
    double *value = su_alloc_array(m->row_count * ((size_t)m->column_count + 1) + 1, sizeof *value);
    double *outcome = su_alloc_array(m->row_count + 1, sizeof *outcome);
    for (uint64_t r = 0; r < m->row_count; r++) {
        start[r] = entries;
        value[entries] = 1;
        index[entries++] = 0;
        for (uint32_t c = 0; c < m->column_count; c++) {
            int64_t term = j->term[j->first[c] + m->columns[c].codes[r]];
            if (term < 0) continue;
            value[entries] = 1;
            index[entries++] = (uint32_t)term;
        }
        outcome[r] = m->columns[out->outcome].codes[r] == out->outcome_value;
    }
    start[m->row_count] = entries;
    su_design d = { m->row_count, (uint32_t)out->term_count, start, index, value, outcome };
    su_logit fit = { .b = su_arena_array(j->arena, d.terms, sizeof(double)), .se = su_arena_array(j->arena, d.terms, sizeof(double)) };
    su_logit_fit(&d, &fit);
    out->fitted[side] = fit.fitted;
    out->loglik[side] = fit.loglik;
    out->iterations[side] = fit.iterations;
    out->note[side] = fit.why ? su_arena_strndup(j->arena, fit.why, strlen(fit.why)) : NULL;
    for (size_t t = 0; t < out->term_count; t++) {
        out->terms[t].b[side] = fit.b[t];
        out->terms[t].se[side] = fit.se[t];
    }
    free(start);
    free(index);
    free(value);
    free(outcome);
}

static void compare_fits(su_utility_regression *out)
{
    double difference = 0, sign = 0, overlap = 0, n = (double)out->term_count - 1;
    out->mean_difference = out->sign_agreement = out->ci_overlap = NAN;
    if (!out->fitted[0] || !out->fitted[1] || n < 1) return;
    for (size_t t = 1; t < out->term_count; t++) {
        const su_utility_term *x = &out->terms[t];
        double apart = fabs(x->b[1] - x->b[0]);
        difference += apart;
        sign += (x->b[0] > 0) == (x->b[1] > 0);
        overlap += apart <= NORMAL_975 * (x->se[0] + x->se[1]);
    }
    out->mean_difference = difference / n;
    out->sign_agreement = sign / n;
    out->ci_overlap = overlap / n;
}

su_status su_regress(su_context *ctx, su_arena *arena, const su_code_matrix *truth, const su_code_matrix *records, const char *outcome,
                     su_utility_regression *out)
{
    job j = { .arena = arena, .m = { truth, records }, .schema = truth->schema, .out = out };
    *out = (su_utility_regression) {
        .outcome_value = 1, .loglik = { NAN, NAN }, .mean_difference = NAN, .sign_agreement = NAN, .ci_overlap = NAN
    };
    if (outcome) {
        su_status st = named_outcome(ctx, truth, truth->schema, outcome, &out->outcome, &out->outcome_value);
        if (st) return st;
    } else if (!default_outcome(truth, truth->schema, &out->outcome)) {
        return SU_OK;
    }
    out->tried = true;
    cross_tabulate(&j);
    for (int side = 0; side < 2; side++)
        if (out->yes[side] == 0 || out->yes[side] == out->rows[side])
            out->note[side] = su_arena_printf(arena, "the outcome is the same in all %s records", side ? "synthetic" : "true");
    if (out->note[0] || out->note[1]) return SU_OK;
    choose_terms(&j);
    for (int side = 0; side < 2; side++) fit_side(&j, side);
    compare_fits(out);
    return SU_OK;
}
