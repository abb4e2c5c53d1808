/* Overlap tables whose counts carry noise: the chain against sums over all tables, against the exact average where the noise is nothing,
 * and its intervals on tables made from a known population. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tables.h"
#include "mse/bootstrap.h"
#include "mse/noised.h"
#include "mse/overlap.h"
#include "numeric/philox.h"
#include "numeric/special.h"

static su_overlaps *noised_table(unsigned lists, const int64_t *counts)
{
    su_overlaps *o = su_overlaps_blank(lists);
    for (unsigned i = 0; i < lists; i++) o->names[i] = su_strdup((const char[]) { (char)('A' + i), 0 });
    memcpy(o->counts, counts, o->cells * sizeof *counts);
    su_overlaps_seal(o);
    return o;
}

static double mean_of(const double *x, size_t count, size_t stride)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += x[i * stride];
    return sum / (double)count;
}

/* Two lists: the graphs are "independent" and "joined". log p of four cells under each, written out with Dirichlet-multinomials. */
static double joined_log(const double *y, double delta)
{
    double N = y[0] + y[1] + y[2] + y[3], sum = su_lgamma(N + 1) + su_lgamma(4 * delta) - su_lgamma(N + 4 * delta);
    for (int w = 0; w < 4; w++) sum += su_lgamma(y[w] + delta) - su_lgamma(delta) - su_lgamma(y[w] + 1);
    return sum;
}

static double independent_log(const double *y, double delta)
{
    double N = y[0] + y[1] + y[2] + y[3], sum = su_lgamma(N + 1), on[2] = { y[1] + y[3], y[2] + y[3] };
    for (int w = 0; w < 4; w++) sum -= su_lgamma(y[w] + 1);
    for (int i = 0; i < 2; i++) sum += su_lbeta(on[i] + 2 * delta, N - on[i] + 2 * delta) - su_lbeta(2 * delta, 2 * delta);
    return sum;
}

static void against_sums(const su_mse_noise *noise, const int64_t *z)
{
    enum { MOST = 50, AROUND = 9 };
    const double delta = 0.25;
    double total = 0, mean[5] = { 0 }, square[5] = { 0 }, top = -INFINITY;
    for (int pass = 0; pass < 2; pass++) { /* the largest first */
        for (int a = 0; a <= AROUND * 2; a++) {
            for (int b = 0; b <= AROUND * 2; b++) {
                for (int c = 0; c <= AROUND * 2; c++) {
                    double y[4] = { 0, (double)(z[1] - AROUND + a), (double)(z[2] - AROUND + b), (double)(z[3] - AROUND + c) }, law = 0;
                    if (y[1] < 0 || y[2] < 0 || y[3] < 0) continue;
                    for (int w = 1; w < 4; w++) {
                        double x = (double)z[w] - y[w];
                        law -= noise->law == SU_MSE_NOISE_GAUSSIAN ? x * x / 2 / noise->scale / noise->scale : fabs(x) * noise->scale;
                    }
                    for (int m = 0; m <= MOST; m++) {
                        double N = y[1] + y[2] + y[3] + m;
                        y[0] = m;
                        double prior = law - log(fmax(N, 1)), one = joined_log(y, delta) + prior, two = independent_log(y, delta) + prior;
                        if (!pass) {
                            top = fmax(top, fmax(one, two));
                            continue;
                        }
                        double p = exp(one - top) + exp(two - top), x[5] = { N, y[1], y[2], y[3], m };
                        total += p;
                        for (int k = 0; k < 5; k++) mean[k] += p * x[k], square[k] += p * x[k] * x[k];
                    }
                }
            }
        }
    }
    su_context ctx;
    su_noised got;
    su_noised_options options = {
        .noise = *noise, .delta = delta, .most = MOST, .chains = 4, .grid = 1000, .burn_in = 500, .sweeps = 20000, .seed = 5
    };
    su_overlaps *o = noised_table(2, z);
    su_context_init(&ctx);
    assert_int_equal(su_noised_run(&ctx, o, &options, &got), SU_OK);
    assert_true(got.r_hat < 1.02);
    size_t all = got.chains * got.draws;
    for (int k = 0; k < 5; k++) {
        static const char *const names[] = { "all people", "only A", "only B", "both", "unseen" };
        double want = mean[k] / total, sd = sqrt(square[k] / total - want * want);
        double mine = k == 0 ? mean_of(got.N, all, 1) : mean_of(got.count + (k < 4 ? k : 0), all, 4);
        su_reference_within(names[k], mine, want, 5 * sd / sqrt((double)all / 40)); /* draws are dependent: counted as a fortieth */
    }
    su_noised_free(&got);
    su_overlaps_free(o);
}

static void two_lists_exactly(void **state)
{
    (void)state;
    against_sums(&(su_mse_noise) { SU_MSE_NOISE_GAUSSIAN, 1.5 }, (const int64_t[]) { 0, 9, 7, 4 });
    against_sums(&(su_mse_noise) { SU_MSE_NOISE_GEOMETRIC, 1.1 }, (const int64_t[]) { 0, 11, 6, -1 });
}

/* With next to no noise the chain must give the exact average's answer. */
static void without_noise(void **state)
{
    (void)state;
    su_context ctx;
    su_noised got;
    su_dga want;
    su_overlaps *o = noised_table(5, SPINA_BIFIDA);
    su_noised_options options = {
        .noise = { SU_MSE_NOISE_GAUSSIAN, 0.02 }, .most = 6000, .chains = 4, .grid = 300, .burn_in = 50, .sweeps = 1000, .seed = 6
    };
    su_dga_options exact = { .most = 6000, .step = 1 };
    su_context_init(&ctx);
    assert_int_equal(su_noised_run(&ctx, o, &options, &got), SU_OK);
    assert_int_equal(su_dga_run(&ctx, o, &exact, &want), SU_OK);
    size_t all = got.chains * got.draws;
    for (size_t i = 0; i < all; i++)
        for (size_t w = 1; w < 32; w++) assert_true(got.count[i * 32 + w] == (double)SPINA_BIFIDA[w]);
    su_reference_within("mean", mean_of(got.N, all, 1), want.mean, 5 * want.sd / sqrt((double)all / 2));
    su_bootstrap draws = { .sorted = got.N, .count = all };
    su_bootstrap_sort(&draws);
    su_reference_near("low", su_quantile_8(got.N, all, 0.025), su_dga_quantile(&want, 0.025), 0.01);
    su_reference_near("high", su_quantile_8(got.N, all, 0.975), su_dga_quantile(&want, 0.975), 0.02);
    su_noised_free(&got);
    su_dga_free(&want);
    su_overlaps_free(o);
}

/* 60 tables of 800 people on three independent lists, geometric noise of epsilon 0.3: 95 % intervals should hold 800 in about 57. The exact
 * average on the noised counts, with those below 0 set to 0 as a careless reader would, is what the noise in the likelihood is for. */
static void intervals_hold(void **state)
{
    (void)state;
    enum { TABLES = 60, PEOPLE = 800 };
    static const double rate[3] = { 0.3, 0.2, 0.15 };
    double p[8], a = exp(-0.3);
    int held = 0;
    su_philox r = su_philox_of(77, 0);
    su_context ctx;
    su_context_init(&ctx);
    for (unsigned w = 0; w < 8; w++) {
        p[w] = 1;
        for (unsigned j = 0; j < 3; j++) p[w] *= w >> j & 1 ? rate[j] : 1 - rate[j];
    }
    for (int t = 0; t < TABLES; t++) {
        int64_t counts[8];
        su_noised got;
        su_philox_multinomial(&r, PEOPLE, p, 8, counts);
        counts[0] = 0;
        for (int w = 1; w < 8; w++) /* difference of two geometric numbers of failures */
            counts[w] += su_philox_negative_binomial(&r, 1, 1 - a) - su_philox_negative_binomial(&r, 1, 1 - a);
        su_overlaps *o = noised_table(3, counts);
        su_noised_options options = { .noise = { SU_MSE_NOISE_GEOMETRIC, 0.3 },
                                      .most = 10 * PEOPLE,
                                      .chains = 4,
                                      .burn_in = 200,
                                      .sweeps = 500,
                                      .seed = 100 + (uint64_t)t };
        assert_int_equal(su_noised_run(&ctx, o, &options, &got), SU_OK);
        su_bootstrap draws = { .sorted = got.N, .count = got.chains * got.draws };
        su_bootstrap_sort(&draws);
        held += su_quantile_8(got.N, draws.count, 0.025) <= PEOPLE && PEOPLE <= su_quantile_8(got.N, draws.count, 0.975);
        su_noised_free(&got);
        su_overlaps_free(o);
    }
    print_message("# intervals with noise held the truth in %d of %d tables\n", held, TABLES);
    assert_true(held >= 52);
}

static void refusals(void **state)
{
    (void)state;
    static const int64_t three[8] = { 0, 30, 25, 9, 28, 7, -1, 3 }, nothing[8] = { 0, -3, 2, -1, 0, 1, -1, 0 };
    const struct {
        unsigned lists;
        const int64_t *counts;
        uint32_t methods;
        double scale;
        const char *says;
    } cases[] = { { 3, three, 1u << SU_MSE_MAIN, 4, "minus infinity" },
                  { 2, three, 0, 4, "needs 3 to 6 lists" },
                  { 3, nothing, 0, 4, "nothing but noise" },
                  { 3, three, 0, 0, "scale above 0" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        su_context ctx;
        su_mse_options options = { .methods = cases[i].methods, .noise = { SU_MSE_NOISE_GAUSSIAN, cases[i].scale } };
        su_result *result = su_result_new("mse", "test");
        su_overlaps *o = noised_table(cases[i].lists, cases[i].counts);
        su_context_init(&ctx);
        assert_int_equal(su_mse_panel(&ctx, o, &options, result), SU_REFUSED);
        assert_non_null(strstr(ctx.message, cases[i].says));
        su_overlaps_free(o);
        su_result_free(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(two_lists_exactly), cmocka_unit_test(without_noise),
                                        cmocka_unit_test(intervals_hold), cmocka_unit_test(refusals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
