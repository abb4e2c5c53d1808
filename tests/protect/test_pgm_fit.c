/* The fit against least squares over all joint distributions (projected gradient, dense), and against the definition of the gap. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"
#include "model.h"

#include <math.h>

#define JOINT_MAX 64

typedef struct world_fit {
    su_model m;
    size_t joint;
    uint32_t card[4];
    size_t at[8][JOINT_MAX]; /* cell of factor f that joint cell i falls in */
} world_fit;

static void world_fit_init(world_fit *w, su_random *random)
{
    uint32_t d = 2 + (uint32_t)su_random_below(random, 3), sets = 0;
    w->joint = 1;
    for (uint32_t c = 0; c < d; c++) {
        w->card[c] = 2 + (uint32_t)su_random_below(random, d == 4 ? 1 : 3);
        w->joint *= w->card[c];
    }
    su_model_init(&w->m, d, w->card);
    w->m.total = 200;
    for (uint32_t s = 1; s < 1u << d && sets < 8; s++) {
        if (__builtin_popcount(s) > 2 || su_random_below(random, 3) == 0) continue;
        size_t cells = (size_t)su_set_cells(s, w->card);
        double y[16], v[16];
        for (size_t k = 0; k < cells; k++) {
            y[k] = 200.0 / (double)cells * (double)su_random_below(random, 4) + (double)su_random_below(random, 60) - 30;
            v[k] = sets % 2 ? 100 : 50 + (double)su_random_below(random, 100);
        }
        su_model_measure(&w->m, s, y, v);
        for (size_t i = 0; i < w->joint; i++) {
            size_t rest = i, value[4], at = 0;
            for (uint32_t c = d; c-- > 0; rest /= w->card[c]) value[c] = rest % w->card[c];
            for (uint32_t c = 0; c < d; c++)
                if (s >> c & 1) at = at * w->card[c] + value[c];
            w->at[sets][i] = at;
        }
        sets++;
    }
    if (sets == 0) {
        su_model_measure(&w->m, 1, (double[]) { 90, 120, -10, 4 }, (double[]) { 100, 100, 100, 100 });
        for (size_t i = 0; i < w->joint; i++) w->at[0][i] = i / (w->joint / w->card[0]);
    }
}

/* 1/2 sum (mu - y)^2 / v over all factors, and its gradient for the joint. */
static double loss_of(const world_fit *w, const double *p, double *gradient)
{
    double loss = 0;
    memset(gradient, 0, w->joint * sizeof *gradient);
    for (size_t f = 0; f < w->m.factor_count; f++) {
        double mu[JOINT_MAX] = { 0 };
        size_t first = w->m.factors[f].offset;
        for (size_t i = 0; i < w->joint; i++) mu[w->at[f][i]] += p[i];
        for (size_t k = 0; k < w->m.factors[f].cells; k++) {
            double off = mu[k] - w->m.answer[first + k];
            loss += 0.5 * off * off / w->m.variance[first + k];
        }
        for (size_t i = 0; i < w->joint; i++)
            gradient[i] += (mu[w->at[f][i]] - w->m.answer[first + w->at[f][i]]) / w->m.variance[first + w->at[f][i]];
    }
    return loss;
}

/* Nearest point with non-negative cells that sum to total. */
static void project(double *p, size_t n, double total)
{
    double low = -1e6, high = 1e6;
    for (int step = 0; step < 100; step++) {
        double middle = (low + high) / 2, sum = 0;
        for (size_t i = 0; i < n; i++) sum += fmax(p[i] - middle, 0);
        if (sum > total)
            low = middle;
        else
            high = middle;
    }
    for (size_t i = 0; i < n; i++) p[i] = fmax(p[i] - high, 0);
}

static double least_loss(const world_fit *w)
{
    double p[JOINT_MAX], old[JOINT_MAX], next[JOINT_MAX], gradient[JOINT_MAX], momentum = 1, loss = 0;
    for (size_t i = 0; i < w->joint; i++) p[i] = old[i] = w->m.total / (double)w->joint;
    double step = 50.0 / ((double)w->m.factor_count * (double)w->joint);
    for (int k = 0; k < 4000; k++) { /* accelerated, restarted every 200 steps */
        if (k % 200 == 0) momentum = 1;
        double more = (1 + sqrt(1 + 4 * momentum * momentum)) / 2, ahead[JOINT_MAX];
        for (size_t i = 0; i < w->joint; i++) ahead[i] = p[i] + (momentum - 1) / more * (p[i] - old[i]);
        loss_of(w, ahead, gradient);
        for (size_t i = 0; i < w->joint; i++) next[i] = ahead[i] - step * gradient[i];
        project(next, w->joint, w->m.total);
        memcpy(old, p, sizeof p);
        memcpy(p, next, sizeof p);
        momentum = more;
    }
    loss = loss_of(w, p, gradient);
    return loss;
}

/* Loss of the model's own tables against the raw answers, as the oracle counts it. */
static double model_loss(const su_model *m)
{
    double loss = 0;
    for (size_t i = 0; i < m->cells; i++) {
        double off = m->total * m->share[i] - m->answer[i];
        loss += 0.5 * off * off / m->variance[i];
    }
    return loss;
}

static void test_least_squares(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    double worst = 0;
    for (int round = 0; round < 40; round++) {
        world_fit w;
        su_fit fit;
        world_fit_init(&w, &random);
        double want = least_loss(&w);
        su_model_fit(&w.m, &(su_fit_options) { .entropy = 1e-3, .tolerance = 1e-4, .most = 5000 }, &fit);
        double got = model_loss(&w.m);
        worst = fmax(worst, (got - want) / (1 + want));
        if (!(got > want - 1e-6 * (1 + want) && got < want + 5e-5 * (1 + want)))
            fail_msg("round %d: loss %.9g, least squares %.9g (gap %.3g, %u evaluations)", round, got, want, fit.gap, fit.evaluations);
        su_model_free(&w.m);
    }
    print_message("# largest relative excess over least squares at kappa 1e-3: %.3g\n", worst);
}

/* With kappa of the size that is used, the potentials meet the optimality conditions of the problem in model.h: mu - y + tau v theta = 0.
 */
static void test_optimality(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 40; round++) {
        world_fit w;
        su_fit fit;
        world_fit_init(&w, &random);
        su_model_fit(&w.m, &(su_fit_options) { .entropy = 0.1, .tolerance = 1e-6, .most = 5000 }, &fit);
        assert_true(fit.converged);
        double least = INFINITY, sum = 0;
        for (size_t i = 0; i < w.m.cells; i++) least = fmin(least, w.m.variance[i]);
        double tau = 0.1 / sqrt(least);
        for (size_t f = 0; f < w.m.factor_count; f++) {
            const su_factor *factor = &w.m.factors[f];
            double excess = -w.m.total, spread = 0;
            for (size_t i = factor->offset; i < factor->offset + factor->cells; i++) excess += w.m.answer[i], spread += w.m.variance[i];
            for (size_t i = factor->offset; i < factor->offset + factor->cells; i++) {
                double y = w.m.answer[i] - w.m.variance[i] * excess / spread;
                double off = w.m.total * w.m.share[i] - y + tau * w.m.variance[i] * w.m.potential[i];
                sum += 0.5 * off * off / w.m.variance[i];
                assert_true(fabs(off) < 1e-4 * sqrt(w.m.variance[i]));
            }
        }
        assert_true(fabs(sum - fit.gap) <= 1e-9 + 1e-6 * sum);
        su_model_free(&w.m);
    }
}

/* Exact answers of a model come back, and a fit that goes on after one more table starts from where it was. */
static void test_exact_and_warm(void **state)
{
    (void)state;
    su_model m;
    su_fit fit, again;
    uint32_t card[3] = { 2, 3, 4 };
    double ab[6] = { 60, 20, 20, 10, 40, 50 }, bc[12] = { 30, 20, 10, 10, 10, 20, 20, 10, 40, 20, 5, 5 }, v[12];
    for (int i = 0; i < 12; i++) v[i] = 1;
    su_model_init(&m, 3, card);
    m.total = 200;
    su_model_measure(&m, 3, ab, v);
    su_model_measure(&m, 6, bc, v);
    su_model_fit(&m, &(su_fit_options) { .entropy = 1e-6, .tolerance = 1e-4, .most = 2000 }, &fit);
    assert_true(fit.converged && fit.loss < 1e-3);
    for (int i = 0; i < 6; i++) assert_true(fabs(200 * m.share[i] - ab[i]) < 0.01);
    su_model_fit(&m, &(su_fit_options) { .entropy = 1e-6, .tolerance = 1e-4, .most = 2000 }, &again);
    assert_int_equal(again.evaluations, 0);
    su_model_free(&m);
}

/* Cells that are known to be empty stay so whatever was measured there, and what noise put there is shared out among the others. */
static void test_barred_cells(void **state)
{
    (void)state;
    su_model m;
    su_fit fit;
    uint32_t card[3] = { 2, 3, 4 };
    double ab[6] = { 60, 20, 6, 3, 40, 50 }, bc[12] = { 30, 20, 10, 10, 10, 20, 20, 10, 40, 20, 5, 5 }, v[12];
    uint8_t impossible[6] = { 0, 0, 1, 1, 0, 0 };
    for (int i = 0; i < 12; i++) v[i] = 1;
    su_model_init(&m, 3, card);
    m.total = 170;
    su_model_bar(&m, 0, 1, impossible);
    su_model_measure(&m, 3, ab, v);
    su_model_measure(&m, 6, bc, (double[]) { 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6 });
    su_model_fit(&m, &(su_fit_options) { .entropy = 1e-6, .tolerance = 1e-5, .most = 5000 }, &fit);
    assert_true(fit.converged);
    for (int i = 0; i < 6; i++)
        if (impossible[i])
            assert_true(m.share[i] == 0);
        else
            assert_true(fabs(170 * m.share[i] - ab[i]) < 0.05);
    su_model_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least_squares),
        cmocka_unit_test(test_optimality),
        cmocka_unit_test(test_exact_and_warm),
        cmocka_unit_test(test_barred_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
