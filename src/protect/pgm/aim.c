/* aim: rounds of choosing the pair that the model misses most and measuring it, with a budget per round that grows when rounds stop
 * teaching (McKenna, Mullins, Sheldon, Miklau, VLDB 2022, arXiv 2201.12677; docs/methods/aim.md). */
#include "pgm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_PER_COLUMN 4 /* the paper has 16; measured, docs/methods/aim.md */
#define MEASURING 0.95      /* of a round's budget; the rest is for choosing */
#define DEFAULT_MIB 1.0
#define ROUND_TOLERANCE 0.1 /* between rounds: a tenth of a standard deviation is enough to choose by */
#define ROUND_EVALUATIONS 100
#define NOISE_MEAN 0.7978845608028654 /* sqrt(2 / pi): mean of |x| for a standard normal x */

typedef struct rounds {
    su_pgm *p;
    su_candidates candidates;
    size_t *among;
    double *before;               /* expected table of the last choice */
    double sigma, epsilon, limit; /* limit: of the model's cells, when all is spent */
    bool last;
} rounds;

/* Small enough, or free because the model holds it already. The size allowed grows with the budget spent. */
static size_t allowed(rounds *a)
{
    const su_pgm *p = a->p;
    size_t n = 0;
    double limit = a->limit * su_spending_used(&p->spending) / p->rho;
    for (size_t i = 0; i < a->candidates.count; i++) {
        su_column_set set = a->candidates.list[i].set;
        bool inside = su_tree_holder(&p->model.tree, set) != UINT32_MAX;
        if (inside || (double)su_elimination_cells_with(&p->model.elimination, set) <= limit) a->among[n++] = i;
    }
    return n;
}

/* When less than two rounds' budget is left, this round takes it all. */
static void set_budget(rounds *a)
{
    double left = su_spending_left(&a->p->spending);
    if (left < 2 * (0.5 / (a->sigma * a->sigma) + a->epsilon * a->epsilon / 8)) {
        a->sigma = sqrt(0.5 / (MEASURING * left)) * (1 + 1e-6);
        a->epsilon = sqrt(8 * (1 - MEASURING) * left) * (1 - 1e-6);
        a->last = true;
    }
}

static su_status one_round(rounds *a)
{
    su_pgm *p = a->p;
    size_t chosen = 0, n = allowed(a);
    set_budget(a);
    su_variance variance = su_variance_above(a->sigma * a->sigma);
    uint64_t units = (uint64_t)(a->epsilon * (double)SU_SELECTION_UNITS);
    double noise = NOISE_MEAN * a->sigma, change = 0;
    su_status st = su_candidates_select(p, &a->candidates, a->among, n, noise, units, &chosen);
    if (st) return st;
    const su_candidate *c = &a->candidates.list[chosen];
    memcpy(a->before, c->expected, c->cells * sizeof *a->before);
    st = su_pgm_measure(p, c->set, variance);
    if (st) return st;
    su_model_fit(&p->model, &(su_fit_options) { .entropy = SU_PGM_ENTROPY, .tolerance = ROUND_TOLERANCE, .most = ROUND_EVALUATIONS },
                 &(su_fit) { 0 });
    su_candidates_expect(p, &a->candidates);
    for (size_t i = 0; i < c->cells; i++) change += fabs(c->expected[i] - a->before[i]);
    if (change <= noise * (double)c->cells) {
        a->sigma /= 2;
        a->epsilon *= 2;
    }
    return SU_OK;
}

static su_status all_rounds(rounds *a)
{
    su_pgm *p = a->p;
    double rho = su_spending_left(&p->spending), rounds_most = ROUNDS_PER_COLUMN * (double)p->model.column_count;
    a->sigma = sqrt(rounds_most / (2 * MEASURING * rho));
    a->epsilon = sqrt(8 * (1 - MEASURING) * rho / rounds_most);
    a->limit = (p->r->options.model_mib > 0 ? p->r->options.model_mib : DEFAULT_MIB) * 1048576 / sizeof(double);
    su_status st = SU_OK;
    while (!st && !a->last) {
        st = one_round(a);
        su_progress(p->ctx, "measuring round by round", su_spending_used(&p->spending) / p->rho);
    }
    return st;
}

su_status su_run_aim(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, const su_measured_hook *hook)
{
    su_pgm p;
    rounds a = { .p = &p };
    su_status st = su_pgm_init(ctx, &p, r, m, random);
    if (st) return st;
    if (r->column_count > 1) {
        st = su_candidates_init(&p, &a.candidates, true, r->options.max_table_cells);
        if (!st) {
            a.among = su_alloc_array(a.candidates.count, sizeof *a.among);
            a.before = su_alloc_array(a.candidates.cells, sizeof *a.before);
            su_model_fit(&p.model, &(su_fit_options) { .entropy = SU_PGM_ENTROPY, .tolerance = ROUND_TOLERANCE, .most = ROUND_EVALUATIONS },
                         &(su_fit) { 0 });
            su_candidates_expect(&p, &a.candidates);
            st = all_rounds(&a);
        }
        su_candidates_free(&a.candidates);
        free(a.among);
        free(a.before);
    }
    if (!st) st = su_measured(hook);
    if (!st) st = su_pgm_finish(&p);
    su_pgm_free(&p);
    return st;
}
