/* pgm: measuring. Sensitivity and cost are argued where they arise: su_pgm_measure and su_candidates_select. */
#include "pgm.h"
#include "select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- plan -------------------------------------------------------------------------------------------------------- */

#define MOST_MIB 1024
#define CREW_MOST 16 /* a pass has no more parts than that to hand out */
/* Of rho, for single columns; measured, docs/methods/aim.md and mst.md. */
#define MST_SINGLES 0.5
#define AIM_SINGLES 0.4

/* Noise of share s gives a column of n codes a summed error in proportion to n s^(-1/2): the sum over columns is least at s ~ n^(2/3). */
static double single_weight(const su_matrix_column *column) { return cbrt((double)column->card * column->card); }

/* The parameter of a single column's noise; infinite where epsilon leaves it no share. */
static double single_variance(const su_release *r, uint32_t column, double rho, double *share)
{
    double sum = 0, records = r->options.contribution;
    for (uint32_t c = 0; c < r->column_count; c++) sum += single_weight(&r->columns[c]);
    *share = (r->options.mechanism == SU_MECHANISM_MST ? MST_SINGLES : AIM_SINGLES) * single_weight(&r->columns[column]) / sum;
    if (r->column_count == 1) *share = 1; /* nothing else will be measured */
    return (1 + 1e-12) * records * records / (2 * rho * *share);
}

su_status su_pgm_plan(su_context *ctx, su_release *r)
{
    if (r->column_count > SU_MODEL_COLUMNS)
        return su_fail(ctx, SU_REFUSED, "%u columns are too many for the mechanism %s, which takes at most %u. Use residual.",
                       r->column_count, su_mechanism_name(r->options.mechanism), SU_MODEL_COLUMNS);
    if (!(r->options.model_mib >= 0 && r->options.model_mib <= MOST_MIB))
        return su_fail(ctx, SU_USAGE, "the size of the model is %g MiB; give 0 for the default or up to %d.", r->options.model_mib,
                       MOST_MIB);
    double rho = su_zcdp_rho(r->options.epsilon, r->options.delta);
    if (r->options.rho_most > 0) rho = fmin(rho, r->options.rho_most);
    r->table_count = r->column_count;
    r->tables = su_arena_array(&r->arena, r->table_count, sizeof *r->tables);
    for (uint32_t c = 0; c < r->column_count; c++) {
        double share, s2 = single_variance(r, c, rho, &share);
        if (!(s2 <= 1e11))
            return su_fail(ctx, SU_REFUSED, "epsilon %g would need noise with a standard deviation above 300,000. Choose a larger epsilon.",
                           r->options.epsilon);
        r->tables[c] = (su_release_table) {
            .length = 1, .columns = { c }, .cells = r->columns[c].card, .variance = su_variance_above(s2), .share = share
        };
    }
    r->rho = rho;
    r->epsilon_stated = su_zcdp_epsilon(rho, r->options.delta);
    r->accountant = SU_ACCOUNTANT_ZCDP;
    return SU_OK;
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

void su_pgm_stream(su_pgm *p, su_random *out) { su_random_split(&p->source, p->streams++, out); }

static void give_singles(su_pgm *p)
{
    uint32_t card[SU_MODEL_COLUMNS];
    double weight = 0, total = 0;
    for (uint32_t c = 0; c < p->domain.column_count; c++) card[c] = p->domain.columns[c].card;
    su_model_init(&p->model, p->domain.column_count, card);
    for (uint32_t c = 0; c < p->domain.column_count; c++) {
        const su_domain_column *column = &p->domain.columns[c];
        double answer = 0, variance = 0;
        for (uint32_t v = 0; v < column->card; v++) {
            answer += column->answer[v];
            variance += column->variance[v];
        }
        weight += 1 / variance;
        total += answer / variance;
        su_model_measure(&p->model, su_set_of(c), column->answer, column->variance);
    }
    p->model.total = fmax(1, total / weight);
}

/* The rules in the model's columns and codes. */
static void merge_rules(su_pgm *p)
{
    su_rules_merge to[SU_MODEL_COLUMNS];
    for (uint32_t c = 0; c < p->domain.column_count; c++) {
        const su_domain_column *column = &p->domain.columns[c];
        to[column->source] = (su_rules_merge) { .to = c, .card = column->card, .code = column->to_model };
    }
    p->rules = su_rules_merged(&p->r->arena, p->r->rules, to);
    for (size_t k = 0; p->rules && k < p->rules->pair_count; k++)
        su_model_bar(&p->model, p->rules->pairs[k].a, p->rules->pairs[k].b, p->rules->pairs[k].impossible);
}

su_status su_pgm_init(su_context *ctx, su_pgm *p, su_release *r, const su_code_matrix *m, su_random *random)
{
    su_measurement *singles = NULL;
    *p = (su_pgm) { .ctx = ctx, .r = r };
    su_spending_init(&p->spending, r->rho);
    su_spending_group(&p->spending, r->options.contribution);
    p->rho = su_spending_left(&p->spending);
    for (size_t t = 0; t < r->table_count; t++)
        if (!su_spend_table(&p->spending, r->tables[t].variance))
            return su_fail(ctx, SU_INTERNAL, "The one-way tables planned would spend more than the budget. Nothing was measured.");
    su_status st = su_release_measure(ctx, r, m, random, &singles);
    if (st) return st;
    double *variance = su_alloc_array(r->column_count, sizeof *variance);
    for (uint32_t c = 0; c < r->column_count; c++) variance[c] = su_discrete_gaussian_variance(r->tables[c].variance);
    su_domain_init(&p->domain, m, singles->cells, variance, r->options.rare_values);
    free(variance);
    su_measurement_free(singles);
    give_singles(p);
    merge_rules(p);
    su_random_split(random, su_random_u64(random), &p->source);
    p->crew = p->model.crew = su_crew_start(ctx, CREW_MOST);
    return SU_OK;
}

void su_pgm_free(su_pgm *p)
{
    for (size_t t = 0; t < p->table_count; t++) free(p->tables[t].noisy);
    free(p->tables);
    su_model_free(&p->model);
    su_crew_end(p->crew);
    su_domain_free(&p->domain);
    su_random_wipe(&p->source);
}

static uint32_t columns_of(su_column_set set, uint32_t *columns)
{
    uint32_t n = 0;
    for (; set; set &= set - 1) columns[n++] = su_set_first(set);
    return n;
}

/* Every record, in model codes, is in exactly one cell: adding or removing one moves one cell by 1. Noise of parameter s2 costs 1/(2 s2).
 * Cells that rules make impossible are 0, whatever the data.
 */
su_status su_pgm_measure(su_pgm *p, su_column_set set, su_variance variance)
{
    if (su_cancelled(p->ctx)) return su_fail(p->ctx, SU_CANCELLED, "Stopped between measurements. The budget stays charged.");
    if (!su_spend_table(&p->spending, variance))
        return su_fail(p->ctx, SU_INTERNAL, "A table would have spent more than the budget. Nothing was released; please report this.");
    uint32_t columns[SU_MODEL_COLUMNS], n = columns_of(set, columns);
    size_t cells = (size_t)su_set_cells(set, p->model.card);
    su_pgm_table t = { .set = set, .variance = variance, .cells = cells, .noisy = su_alloc_array(cells, sizeof *t.noisy) };
    su_random stream;
    su_pgm_stream(p, &stream);
    su_sample_discrete_gaussian_fill(&stream, variance, t.noisy, cells);
    su_random_wipe(&stream);
    int64_t *counts = su_alloc_array(cells, sizeof *counts);
    su_contingency(&p->domain.matrix, columns, n, counts);
    double *answer = su_alloc_array(cells, sizeof *answer), *spread = su_alloc_array(cells, sizeof *spread);
    uint8_t *impossible = su_alloc(cells);
    t.impossible = su_rules_mark(p->rules, p->domain.matrix.columns, columns, n, impossible);
    for (size_t i = 0; i < cells; i++) {
        t.noisy[i] = impossible[i] ? 0 : t.noisy[i] + counts[i];
        answer[i] = (double)t.noisy[i];
        spread[i] = su_discrete_gaussian_variance(variance);
    }
    su_wipe(counts, cells * sizeof *counts);
    free(counts);
    free(impossible);
    su_model_measure(&p->model, set, answer, spread);
    free(answer);
    free(spread);
    p->tables = su_grow(p->tables, &p->table_capacity, p->table_count + 1, sizeof *p->tables);
    p->tables[p->table_count++] = t;
    return SU_OK;
}

#define MOST_CANDIDATE_CELLS (UINT64_C(1) << 24) /* 16 bytes each; above, the widest pairs are no candidates */

/* ---- candidates -------------------------------------------------------------------------------------------------- */

static su_status count_candidates(su_pgm *p, su_candidates *c)
{
    su_contingency_request *requests = su_alloc_array(c->count, sizeof *requests);
    uint32_t *columns = su_alloc_array(c->count, 2 * sizeof *columns);
    for (size_t i = 0; i < c->count; i++) {
        uint32_t n = columns_of(c->list[i].set, columns + 2 * i);
        requests[i] = (su_contingency_request) { .n = n, .columns = columns + 2 * i, .out = c->list[i].counts };
    }
    su_status st = su_contingency_many(p->ctx, &p->domain.matrix, requests, c->count);
    free(requests);
    free(columns);
    return st;
}

/* Cells of the pairs with at most `most`. */
static uint64_t pair_cells(const su_model *m, uint64_t most)
{
    uint64_t sum = 0;
    for (uint32_t b = 0; b < m->column_count; b++)
        for (uint32_t a = 0; a < b; a++) {
            uint64_t cells = (uint64_t)m->card[a] * m->card[b];
            sum += cells <= most ? cells : 0;
        }
    return sum;
}

su_status su_candidates_init(su_pgm *p, su_candidates *c, bool singles, uint64_t most)
{
    while (pair_cells(&p->model, most) > MOST_CANDIDATE_CELLS) most /= 2;
    uint32_t d = p->model.column_count;
    size_t all = (size_t)d * (d - 1) / 2;
    *c = (su_candidates) { .list = su_alloc_array(all + d, sizeof *c->list), .pairs = su_alloc_array(all + 1, sizeof *c->pairs) };
    for (uint32_t b = 0; b < d; b++)
        for (uint32_t a = 0; a <= b; a++) {
            su_column_set set = su_set_of(a) | su_set_of(b);
            uint64_t cells = su_set_cells(set, p->model.card);
            if (a == b ? !singles : cells > most) continue;
            c->list[c->count++] = (su_candidate) { .set = set, .cells = (size_t)cells, .weight = a == b ? d - 1 : 2 * (uint64_t)d - 2 };
            c->cells += (size_t)cells;
        }
    c->counts = su_alloc_array(c->cells, sizeof *c->counts);
    c->expected = su_alloc_array(c->cells, sizeof *c->expected);
    size_t at = 0;
    for (size_t i = 0; i < c->count; i++, at += c->list[i - 1].cells) {
        c->list[i].counts = c->counts + at;
        c->list[i].expected = c->expected + at;
        uint32_t columns[2];
        if (columns_of(c->list[i].set, columns) == 2)
            c->pairs[(size_t)columns[1] * (columns[1] - 1) / 2 + columns[0]] = c->list[i].expected;
    }
    su_status st = count_candidates(p, c);
    if (st) su_candidates_free(c);
    return st;
}

void su_candidates_expect(su_pgm *p, su_candidates *c)
{
    su_model_pairs(&p->model, c->pairs);
    for (size_t i = 0; i < c->count; i++)
        if (su_set_size(c->list[i].set) == 1) su_model_marginal(&p->model, c->list[i].set, c->list[i].expected);
}

void su_candidates_free(su_candidates *c)
{
    if (c->counts) su_wipe(c->counts, c->cells * sizeof *c->counts);
    free(c->counts);
    free(c->expected);
    free(c->pairs);
    free(c->list);
    memset(c, 0, sizeof *c);
}

typedef struct scoring {
    const su_candidates *c;
    const size_t *among;
    double bias;
    int64_t *scores, **expected; /* expected: per worker, as long as the largest table */
} scoring;

/* weight * (misfit - bias): the expected counts are rounded to whole 256ths, and so is the bias, before the exact counts are looked at. */
static void score(void *arg, size_t index, unsigned worker)
{
    const scoring *s = arg;
    const su_candidate *c = &s->c->list[s->among[index]];
    int64_t *expected = s->expected[worker];
    for (size_t i = 0; i < c->cells; i++) expected[i] = llround(fmin(c->expected[i], 1e12) * SU_SCORE_UNIT);
    int64_t held = llround(s->bias * (double)c->cells * SU_SCORE_UNIT);
    s->scores[index] = (int64_t)c->weight * (su_misfit(c->counts, expected, c->cells) - held);
}

static int64_t *all_scores(su_pgm *p, const su_candidates *c, const size_t *among, size_t count, double bias)
{
    size_t cells = 1;
    unsigned workers = su_crew_size(p->crew);
    for (size_t i = 0; i < count; i++) cells = c->list[among[i]].cells > cells ? c->list[among[i]].cells : cells;
    scoring s = { .c = c, .among = among, .bias = bias, .scores = su_alloc_array(count, sizeof *s.scores) };
    s.expected = su_alloc_array(workers, sizeof *s.expected);
    for (unsigned w = 0; w < workers; w++) s.expected[w] = su_alloc_array(cells, sizeof **s.expected);
    su_crew_do(p->crew, count, score, &s);
    for (unsigned w = 0; w < workers; w++) free(s.expected[w]);
    free(s.expected);
    return s.scores;
}

su_status su_candidates_select(su_pgm *p, const su_candidates *c, const size_t *among, size_t count, double bias, uint64_t units,
                               size_t *chosen)
{
    if (su_cancelled(p->ctx)) return su_fail(p->ctx, SU_CANCELLED, "Stopped between measurements. The budget stays charged.");
    if (!su_spend_selection(&p->spending, units))
        return su_fail(p->ctx, SU_INTERNAL, "A selection would have spent more than the budget. Nothing was released; please report this.");
    int64_t *scores = all_scores(p, c, among, count, bias);
    uint64_t heaviest = 1;
    for (size_t i = 0; i < count; i++) heaviest = c->list[among[i]].weight > heaviest ? c->list[among[i]].weight : heaviest;
    su_random stream;
    su_pgm_stream(p, &stream);
    *chosen = among[su_select(&stream, scores, count, heaviest * SU_SCORE_UNIT, units)];
    su_random_wipe(&stream);
    su_wipe(scores, count * sizeof *scores);
    free(scores);
    return SU_OK;
}
