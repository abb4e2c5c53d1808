/* finish: from the measured tables and the fitted model to a release. Post-processing only: nothing here sees the data.
 *
 * Aggregates and intervals do not come from the model, whose errors nobody knows, but from the measured tables by generalised least squares
 * (docs/methods/residual-gls.md), in the model's codes. Records come from the model. */
#include "../dp/gate.h"
#include "../synth/synth.h"
#include "pgm.h"
#include "records.h"
#include "whole.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NORMAL_975 1.959963984540054
/* With more, records are sampled from the model; else they are fitted to its tables of all pairs, which is closer (docs/methods/aim.md). */
#define MOST_PAIR_CELLS ((size_t)1 << 24)
#define INVENTED_VALUES 0.05 /* expected number, per release, of values shown that nobody has */
#define LEAST_GATE 3.0
#define NO_WEIGHT 1000000000000u /* variance of a table that is kept out of the least squares */

/* ---- estimates from the measured tables -------------------------------------------------------------------------- */

/* A release in the model's columns and codes, for the functions that work on releases. Pair tables as measured; one-way tables first, kept
 * out of the least squares where pooling gave code 0 another variance than the rest. */
typedef struct shadow {
    su_release r;
    su_measurement noisy;
    su_lattice lattice;
    su_estimates estimates;
    uint32_t *count;
} shadow;

static void shadow_tables(shadow *s, const su_pgm *p)
{
    su_release *r = &s->r;
    uint32_t d = p->domain.column_count;
    r->table_count = d + p->table_count;
    r->tables = su_arena_array(&r->arena, r->table_count, sizeof *r->tables);
    s->noisy.table_count = r->table_count;
    s->noisy.cells = su_arena_array(&r->arena, r->table_count, sizeof *s->noisy.cells);
    for (uint32_t c = 0; c < d; c++) {
        const su_domain_column *column = &p->domain.columns[c];
        su_variance v = column->pool == UINT32_MAX ? p->r->tables[column->source].variance : (su_variance) { NO_WEIGHT, 1 };
        r->tables[c] = (su_release_table) { .length = 1, .columns = { c }, .cells = column->card, .variance = v };
        s->noisy.cells[c] = su_arena_array(&r->arena, column->card, sizeof **s->noisy.cells);
        for (uint32_t k = 0; k < column->card; k++) s->noisy.cells[c][k] = llround(column->answer[k]);
    }
    for (size_t t = 0; t < p->table_count; t++) {
        su_release_table *to = &r->tables[d + t];
        *to = (su_release_table) { .cells = p->tables[t].cells, .variance = p->tables[t].variance };
        for (su_column_set left = p->tables[t].set; left; left &= left - 1) to->columns[to->length++] = su_set_first(left);
        s->noisy.cells[d + t] = p->tables[t].noisy;
    }
}

/* Weighted mean of two independent estimates. */
static double combine(double a, double variance_a, double b, double variance_b, double *variance)
{
    *variance = 1 / (1 / variance_a + 1 / variance_b);
    return *variance * (a / variance_a + b / variance_b);
}

/* The one-way tables that were kept out: independent of what went in, so each of their cells is averaged with the estimate for it.
 * Estimates of pairs stay as they are: unbiased, with the variance stated. */
static void add_singles(shadow *s, const su_pgm *p)
{
    double total_variance = s->estimates.variance[0], total = s->estimates.cell[0];
    for (uint32_t c = 0; c < p->domain.column_count; c++) {
        const su_domain_column *column = &p->domain.columns[c];
        if (column->pool == UINT32_MAX) continue;
        uint32_t set = s->lattice.first[1] + c;
        double *cell = s->estimates.cell + s->lattice.sets[set].offset, variance = s->estimates.variance[set], sum = 0, spread = 0;
        double noise = su_discrete_gaussian_variance(p->r->tables[column->source].variance);
        for (uint32_t v = 0; v < column->card; v++) {
            sum += column->answer[v];
            spread += column->variance[v];
            if (v != column->pool) cell[v] = combine(cell[v], variance, column->answer[v], noise, &s->estimates.variance[set]);
        }
        total = combine(total, total_variance, sum, spread, &total_variance);
    }
    s->estimates.cell[0] = total;
    s->estimates.variance[0] = total_variance;
}

static void shadow_init(shadow *s, const su_pgm *p)
{
    memset(s, 0, sizeof *s);
    su_arena_init(&s->r.arena);
    s->r.options = p->r->options;
    memcpy(s->r.gate, p->r->gate, sizeof s->r.gate);
    memcpy(s->r.least_count, p->r->least_count, sizeof s->r.least_count);
    s->r.column_count = p->domain.column_count;
    s->r.columns = p->domain.matrix.columns;
    s->r.rules = p->rules;
    shadow_tables(s, p);
    su_lattice_init(&s->lattice, &s->r);
    su_estimates_init(&s->estimates, &s->r, &s->lattice, &s->noisy);
    add_singles(s, p);
    s->count = su_alloc_array(s->lattice.cells, sizeof *s->count);
    su_gate(&s->r, &s->lattice, &s->estimates, s->count, s->r.suppressed_by_gate);
    su_gate_aggregates(&s->r, &s->lattice, &s->estimates, s->count);
}

static void shadow_free(shadow *s)
{
    free(s->count);
    su_estimates_free(&s->estimates);
    su_lattice_free(&s->lattice);
    su_arena_free(&s->r.arena);
}

/* The plan's gate for single values supposes that all values are empty. The noisy counts know better: an empty value's is 0 or less half the
 * time, so with k such counts there are, but for 1 chance in 40, at most (1 + sqrt(1 + 2k))^2 empty values (k >= N/2 - sqrt(N), the binomial
 * of N empty ones). Were there so many, a normal deviate above the gate would let INVENTED_VALUES of them through. */
static double value_gate(const su_pgm *p)
{
    double low = 0, codes = 0, least = LEAST_GATE, most = p->r->gate[1];
    for (uint32_t c = 0; c < p->domain.column_count; c++) {
        const su_domain_column *column = &p->domain.columns[c];
        for (uint32_t v = 1; v < p->r->columns[column->source].card; v++, codes++) low += column->noisy[v] <= 0;
    }
    double empty = fmin(codes, (1 + sqrt(1 + 2 * low)) * (1 + sqrt(1 + 2 * low)));
    while (most - least > 1e-6) {
        double middle = (least + most) / 2;
        if (empty * erfc(middle / sqrt(2)) / 2 > INVENTED_VALUES)
            least = middle;
        else
            most = middle;
    }
    return most;
}

/* ---- aggregates -------------------------------------------------------------------------------------------------- */

static int by_column(const void *a, const void *b)
{
    const su_attribute *x = a, *y = b;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* By length, then columns, then values. */
static int by_place(const void *a, const void *b)
{
    const su_aggregate *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    for (uint32_t i = 0; i < x->length; i++)
        if (x->at[i].column != y->at[i].column) return x->at[i].column < y->at[i].column ? -1 : 1;
    for (uint32_t i = 0; i < x->length; i++)
        if (x->at[i].value != y->at[i].value) return x->at[i].value < y->at[i].value ? -1 : 1;
    return 0;
}

/* In the codes of the release. False for a combination with pooled values, which stand for no attribute. */
static bool translate(const su_pgm *p, const su_aggregate *from, su_aggregate *to)
{
    *to = *from;
    for (uint32_t i = 0; i < from->length; i++) {
        const su_domain_column *column = &p->domain.columns[from->at[i].column];
        if (from->at[i].value == column->pool) return false;
        to->at[i] = (su_attribute) { .column = (uint16_t)column->source, .value = column->to_source[from->at[i].value] };
    }
    qsort(to->at, to->length, sizeof *to->at, by_column);
    return true;
}

static void give_aggregates(const su_pgm *p, const shadow *s)
{
    su_release *r = p->r;
    r->aggregates = su_arena_array(&r->arena, s->r.aggregate_count, sizeof *r->aggregates);
    r->aggregate_count = 0;
    for (size_t i = 0; i < s->r.aggregate_count; i++)
        if (s->r.aggregates[i].length <= r->options.length && translate(p, &s->r.aggregates[i], &r->aggregates[r->aggregate_count]))
            r->aggregate_count++;
    if (r->aggregate_count) qsort(r->aggregates, r->aggregate_count, sizeof *r->aggregates, by_place);
    for (uint32_t l = 1; l <= s->lattice.length && l <= r->options.length; l++) {
        r->suppressed_by_gate[l] = s->r.suppressed_by_gate[l];
        r->suppressed_by_k[l] = s->r.suppressed_by_k[l];
    }
    for (uint32_t c = 0; c < p->domain.column_count; c++) {
        const su_domain_column *column = &p->domain.columns[c];
        r->suppressed_by_gate[1] +=
            r->columns[column->source].card - 1 - (column->card - 1 - (column->pool != UINT32_MAX && column->pool > 0));
    }
    double half = NORMAL_975 * sqrt(s->estimates.variance[0]);
    r->total_estimate = s->estimates.cell[0];
    r->total_ci_low = fmax(0, s->estimates.cell[0] - half);
    r->total_ci_high = fmax(0, s->estimates.cell[0] + half);
    r->record_count = s->count[0];
}

/* The tables measured, in columns of the release. `cells` counts model codes: values that were pooled share one. */
static void list_tables(const su_pgm *p)
{
    su_release *r = p->r;
    su_release_table *all = su_arena_array(&r->arena, r->table_count + p->table_count, sizeof *all);
    memcpy(all, r->tables, r->table_count * sizeof *all);
    for (size_t t = 0; t < p->table_count; t++) {
        const su_pgm_table *from = &p->tables[t];
        su_release_table *to = &all[r->table_count + t];
        *to = (su_release_table) { .cells = from->cells, .variance = from->variance, .impossible = from->impossible };
        to->share = 0.5 * (double)from->variance.den / (double)from->variance.num / p->rho;
        for (uint32_t source = 0; source < r->column_count; source++)
            for (su_column_set left = from->set; left; left &= left - 1)
                if (p->domain.columns[su_set_first(left)].source == source) to->columns[to->length++] = source;
    }
    r->tables = all;
    r->table_count += p->table_count;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* shown[model column][code]: records may hold it. */
static bool **shown_values(const su_pgm *p, const shadow *s)
{
    bool **shown = su_alloc_array(p->domain.column_count, sizeof *shown);
    for (uint32_t c = 0; c < p->domain.column_count; c++) {
        uint32_t card = p->domain.columns[c].card;
        shown[c] = su_alloc_array(card, sizeof **shown);
        for (uint32_t v = 0; v < card; v++)
            shown[c][v] = v == 0 || p->r->options.rare_values || s->count[s->lattice.sets[s->lattice.first[1] + c].offset + v] > 0;
    }
    return shown;
}

typedef struct problem {
    su_synthesis s;
    su_target_table *tables;
    double **pairs, *expected;
    float *estimate;
    uint8_t *forbidden; /* cells that rules make impossible; NULL = no rules */
    int64_t *counts;
    const int64_t **one_way;
} problem;

static void problem_free(problem *q)
{
    free(q->tables);
    free(q->pairs);
    free(q->expected);
    free(q->estimate);
    free(q->forbidden);
    free(q->counts);
    free(q->one_way);
}

static void one_way_targets(problem *q, const su_pgm *p, bool *const *shown)
{
    const su_model *m = &p->model;
    size_t cells = 0;
    for (uint32_t c = 0; c < m->column_count; c++) cells += m->card[c];
    q->counts = su_alloc_array(cells, sizeof *q->counts);
    q->one_way = su_alloc_array(m->column_count, sizeof *q->one_way);
    int64_t *at = q->counts;
    for (uint32_t c = 0; c < m->column_count; at += m->card[c++]) {
        double *want = su_alloc_array(m->card[c], sizeof *want);
        su_model_marginal(m, su_set_of(c), want);
        for (uint32_t v = 1; v < m->card[c]; v++) {
            if (shown[c][v]) continue;
            want[0] += want[v];
            want[v] = 0;
        }
        su_whole_counts(want, m->card[c], p->r->record_count, NULL, at);
        q->one_way[c] = at;
        free(want);
    }
}

static size_t pair_cells(const su_model *m)
{
    size_t cells = 0;
    for (uint32_t b = 1; b < m->column_count; b++)
        for (uint32_t a = 0; a < b; a++) cells += (size_t)m->card[a] * m->card[b];
    return cells;
}

/* What rules make impossible no record may hold, also where no node of the tree had both columns and the model did not know. */
static void forbid_impossible(problem *q, const su_pgm *p, size_t cells)
{
    if (!p->rules) return;
    uint8_t *at = q->forbidden = su_alloc_array(cells, sizeof *at);
    for (size_t t = 0; t < q->s.table_count; at += q->tables[t++].cells) {
        su_rules_mark(p->rules, p->domain.matrix.columns, q->tables[t].columns, 2, at);
        q->tables[t].forbidden = at;
        for (size_t i = 0; i < q->tables[t].cells; i++)
            if (at[i]) q->pairs[t][i] = 0;
    }
}

/* Targets: the model's tables of all pairs. */
static void pair_targets(problem *q, const su_pgm *p)
{
    const su_model *m = &p->model;
    uint32_t d = m->column_count;
    size_t count = (size_t)d * (d - 1) / 2, cells = pair_cells(m), at = 0;
    q->pairs = su_alloc_array(count + 1, sizeof *q->pairs);
    q->tables = su_alloc_array(count + 1, sizeof *q->tables);
    q->expected = su_alloc_array(cells, sizeof *q->expected);
    q->estimate = su_alloc_array(cells, sizeof *q->estimate);
    for (uint32_t b = 1; b < d; b++)
        for (uint32_t a = 0; a < b; a++) {
            size_t index = (size_t)b * (b - 1) / 2 + a;
            q->pairs[index] = q->expected + at;
            q->tables[index] = (su_target_table) {
                .length = 2, .columns = { a, b }, .cells = (uint64_t)m->card[a] * m->card[b], .estimate = q->estimate + at, .weight = 1
            };
            at += (size_t)m->card[a] * m->card[b];
        }
    su_model_pairs(m, q->pairs);
    q->s.tables = q->tables;
    q->s.table_count = count;
    forbid_impossible(q, p, cells);
    for (size_t i = 0; i < cells; i++) q->estimate[i] = (float)(q->expected[i] * ((double)p->r->record_count / m->total));
}

static su_status make_records(su_pgm *p, const shadow *s)
{
    su_release *r = p->r;
    uint32_t d = p->domain.column_count;
    uint16_t *codes[SU_MODEL_COLUMNS];
    su_random stream;
    r->records = su_arena_array(&r->arena, d, sizeof *r->records);
    for (uint32_t c = 0; c < d; c++)
        codes[c] = r->records[p->domain.columns[c].source] = su_arena_array(&r->arena, r->record_count, sizeof *codes[c]);
    if (r->record_count == 0) return SU_OK;
    su_pgm_stream(p, &stream);
    su_status st = SU_OK;
    bool **shown = shown_values(p, s);
    if (pair_cells(&p->model) > MOST_PAIR_CELLS) {
        su_model_records(&p->model, &stream, r->record_count, codes);
    } else {
        problem q = { .s = { .column_count = d, .card = p->model.card, .record_count = r->record_count, .seconds = r->options.seconds } };
        one_way_targets(&q, p, shown);
        pair_targets(&q, p);
        q.s.one_way = q.one_way;
        st = su_synthesise(p->ctx, &q.s, &stream, codes);
        problem_free(&q);
    }
    for (uint32_t c = 0; c < d; c++) {
        if (!st) su_domain_restore(&p->domain, c, r->options.rare_values, shown[c], &stream, r->record_count, codes[c]);
        free(shown[c]);
    }
    free(shown);
    su_random_wipe(&stream);
    return st;
}

su_status su_pgm_finish(su_pgm *p)
{
    shadow s;
    if (su_cancelled(p->ctx)) return su_fail(p->ctx, SU_CANCELLED, "Stopped before synthetic records were made. The budget stays charged.");
    su_progress(p->ctx, "fitting the model", 0);
    su_model_fit(&p->model, &(su_fit_options) { .entropy = SU_PGM_ENTROPY, .tolerance = 0.02, .most = 500 }, &(su_fit) { 0 });
    su_progress(p->ctx, "fitting the model", 1);
    p->r->gate[1] = value_gate(p);
    shadow_init(&s, p);
    give_aggregates(p, &s);
    list_tables(p);
    su_status st = make_records(p, &s);
    shadow_free(&s);
    return st;
}
