/* The latent class sampler: against an exact posterior, by Geweke's joint distribution test, and on tables where another program's numbers
 * are known. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tables.h"
#include "mse/latent.h"
#include "mse/latent_sampler.h"
#include "numeric/philox.h"
#include "numeric/special.h"

/* One class is the model of independent lists with flat rates and prior 1/N: its posterior is a sum that can be written out. */
static void one_class_exactly(void **state)
{
    (void)state;
    su_context ctx;
    su_overlaps *o = NULL;
    su_latent l;
    double on[3] = { 0 }, weight[4000], total = 0, mean = 0, square = 0;
    su_context_init(&ctx);
    assert_int_equal(su_overlaps_new(&ctx, 3, NULL, (const int64_t[]) { 0, 30, 25, 9, 28, 7, 8, 3 }, &o), SU_OK);
    for (size_t w = 1; w < 8; w++)
        for (int j = 0; j < 3; j++) on[j] += w >> j & 1 ? (double)o->counts[w] : 0;
    for (int m = 0; m < 4000; m++) {
        double N = (double)o->n + m;
        weight[m] = su_lgamma(N) - su_lgamma(m + 1.0);
        for (int j = 0; j < 3; j++) weight[m] += su_lbeta(1 + on[j], 1 + N - on[j]);
    }
    double top = weight[0];
    for (int m = 1; m < 4000; m++) top = fmax(top, weight[m]);
    for (int m = 0; m < 2200; m++) { /* 20 times those seen */
        double p = exp(weight[m] - top), N = (double)o->n + m;
        total += p, mean += p * N, square += p * N * N;
    }
    mean /= total;
    double sd = sqrt(square / total - mean * mean);
    su_latent_options options = { .classes = 1, .chains = 8, .burn_in = 500, .sweeps = 8000, .thin = 4, .seed = 3 };
    su_latent_run(&ctx, o, &options, &l);
    double sum = 0, squares = 0, count = (double)l.chains * (double)l.draws;
    for (size_t i = 0; i < (size_t)count; i++) sum += l.sorted[i], squares += l.sorted[i] * l.sorted[i];
    double got_sd = sqrt(squares / count - sum / count * sum / count);
    assert_true(l.r_hat < 1.02);
    su_reference_within("mean", sum / count, mean, 5 * sd / sqrt(count / 20)); /* draws are dependent: count them as a twentieth */
    su_reference_near("sd", got_sd, sd, 0.08);
    su_latent_free(&l);
    su_overlaps_free(o);
}

static void r_hat(void **state)
{
    (void)state;
    enum { CHAINS = 4, DRAWS = 1000 };
    static double x[CHAINS * DRAWS];
    su_philox r = su_philox_of(5, 0);
    for (int i = 0; i < CHAINS * DRAWS; i++) x[i] = su_philox_normal(&r);
    assert_true(su_split_r_hat(x, CHAINS, DRAWS) < 1.01);
    for (int i = 0; i < DRAWS; i++) x[i] += 2; /* one chain elsewhere */
    assert_true(su_split_r_hat(x, CHAINS, DRAWS) > 1.2);
    for (int i = 0; i < CHAINS * DRAWS; i++) x[i] = i / DRAWS; /* stuck at different places */
    assert_true(isinf(su_split_r_hat(x, CHAINS, DRAWS)));
    for (int i = 0; i < CHAINS * DRAWS; i++) x[i] = 7;
    assert_true(su_split_r_hat(x, CHAINS, DRAWS) == 1);
    for (int c = 0; c < CHAINS; c++) /* every chain drifts: halves differ although whole chains agree */
        for (int i = 0; i < DRAWS; i++) x[c * DRAWS + i] = 3.0 * i / DRAWS + su_philox_normal(&r);
    assert_true(su_split_r_hat(x, CHAINS, DRAWS) > 1.1);
}

/* ---- Geweke 2004 (doi:10.1198/016214504000001132): draws of state and table from the prior and the model, against the sampler run in
 * turns with new tables from the model. Whatever is wrong in one conditional shows as a difference of means. */

enum { LISTS = 3, CLASSES = 3, PEOPLE = 25, STATISTICS = 9, BATCHES = 50 };
static const double MOST = 5;

static void statistics(const su_latent_sampler *s, double *out)
{
    const su_latent_state *t = &s->state;
    const double all[STATISTICS] = { log(t->concentration),
                                     fmax(t->log_last, -200),
                                     t->share[0],
                                     t->share[1],
                                     su_latent_none(s),
                                     t->on[0][0],
                                     t->share[0] * t->on[0][1],
                                     t->on[1][2] * t->on[2][0],
                                     log1p((double)s->unseen) };
    memcpy(out, all, sizeof all);
}

/* A table of PEOPLE people from the state, into the sampler's own. */
static void new_table(su_latent_sampler *s, su_latent_table *t)
{
    double p[1 << LISTS] = { 0 }, total = 0;
    int64_t drawn[1 << LISTS];
    for (unsigned w = 1; w < 1 << LISTS; w++) {
        for (unsigned k = 0; k < CLASSES; k++) {
            double x = s->state.share[k];
            for (unsigned j = 0; j < LISTS; j++) x *= w >> j & 1 ? s->state.on[k][j] : 1 - s->state.on[k][j];
            p[w] += x;
        }
        total += p[w];
    }
    for (unsigned w = 1; w < 1 << LISTS; w++) p[w] /= total;
    su_philox_multinomial(&s->random, PEOPLE, p, 1 << LISTS, drawn);
    t->cells = 0;
    for (unsigned w = 1; w < 1 << LISTS; w++) {
        if (!drawn[w]) continue;
        t->cell[t->cells] = (uint16_t)w;
        t->people[t->cells++] = drawn[w];
    }
}

/* State and unseen from the prior: written out, without the sampler. The bound on the unseen takes states out as it does there. */
static void from_prior(su_latent_sampler *s)
{
    do {
        double left = 1;
        s->state.log_last = 0;
        s->state.concentration = su_philox_gamma(&s->random, s->shape + 1) * pow(su_philox_unit(&s->random), 1 / s->shape) / s->rate;
        for (unsigned k = 0; k < CLASSES; k++) {
            double log_rest = log(su_philox_unit(&s->random)) / s->state.concentration; /* 1 - V, V ~ Beta(1, concentration) */
            s->state.share[k] = k + 1 < CLASSES ? left * -expm1(log_rest) : left;
            if (k + 1 < CLASSES) left *= exp(log_rest), s->state.log_last += log_rest;
            for (unsigned j = 0; j < LISTS; j++) s->state.on[k][j] = su_philox_unit(&s->random);
        }
        s->unseen = su_philox_negative_binomial(&s->random, PEOPLE, 1 - su_latent_none(s));
    } while ((double)s->unseen > MOST * PEOPLE);
}

static void joint_distribution(void **state)
{
    (void)state;
    enum { DRAWS = 60000, SWEEPS = 150000 };
    uint16_t cell[1 << LISTS];
    int64_t people[1 << LISTS];
    su_latent_table table = { .lists = LISTS, .cell = cell, .people = people, .n = PEOPLE };
    su_latent_sampler s = { .table = &table, .classes = CLASSES, .shape = 0.7, .rate = 0.5, .most = MOST, .random = su_philox_of(20, 0) };
    double x[STATISTICS], mean[STATISTICS] = { 0 }, square[STATISTICS] = { 0 }, batch[BATCHES][STATISTICS] = { { 0 } };
    static const char *const names[STATISTICS] = { "concentration", "log_last",      "first share", "second share", "on no list",
                                                   "first rate",    "share by rate", "two rates",   "unseen" };
    for (int i = 0; i < DRAWS; i++) {
        from_prior(&s);
        statistics(&s, x);
        for (int k = 0; k < STATISTICS; k++) mean[k] += x[k] / DRAWS, square[k] += x[k] * x[k] / DRAWS;
    }
    for (int i = 0; i < SWEEPS; i++) { /* begins at a draw from the prior, so there is no burn-in */
        new_table(&s, &table);
        su_latent_draw_state(&s);
        su_latent_draw_unseen(&s);
        statistics(&s, x);
        for (int k = 0; k < STATISTICS; k++) batch[i / (SWEEPS / BATCHES)][k] += x[k] / (SWEEPS / BATCHES);
    }
    for (int k = 0; k < STATISTICS; k++) {
        double chain = 0, spread = 0;
        for (int b = 0; b < BATCHES; b++) chain += batch[b][k] / BATCHES;
        for (int b = 0; b < BATCHES; b++) spread += (batch[b][k] - chain) * (batch[b][k] - chain) / (BATCHES - 1) / BATCHES;
        double error = sqrt(spread + (square[k] - mean[k] * mean[k]) / DRAWS);
        su_reference_within(names[k], chain, mean[k], 4.5 * error);
    }
}

/* The bound is exact where nearly every draw would lie above it. */
static void unseen_at_the_bound(void **state)
{
    (void)state;
    static const double nones[] = { 0.3, 0.83, 0.9, 0.97, 0.9999 };
    for (int64_t n = 1; n <= 12; n += n < 2 ? 1 : 5) {
        for (size_t i = 0; i < sizeof nones / sizeof *nones; i++) {
            enum { DRAWS = 40000 };
            double weight[200], total = 0, mean = 0, square = 0, got = 0;
            int most = (int)(MOST * (double)n);
            su_latent_table table = { .lists = 1, .n = n };
            su_latent_sampler s = { .table = &table, .classes = 1, .most = MOST, .random = su_philox_of(21, i) };
            s.state.share[0] = 1;
            s.state.on[0][0] = 1 - nones[i];
            for (int m = 0; m <= most; m++) {
                weight[m] = exp(su_lgamma((double)n + m) - su_lgamma(m + 1.0) - su_lgamma((double)n) + m * log(nones[i]));
                total += weight[m], mean += m * weight[m], square += (double)m * m * weight[m];
            }
            mean /= total;
            for (int d = 0; d < DRAWS; d++) {
                su_latent_draw_unseen(&s);
                assert_true(s.unseen >= 0 && s.unseen <= most);
                got += (double)s.unseen / DRAWS;
            }
            su_reference_within("mean of the unseen", got, mean, 4.5 * sqrt((square / total - mean * mean) / DRAWS));
        }
    }
}

/* Medians of three seeds of the R package LCMCR 0.4.14 (20,000 sweeps of burn-in, 1,000 draws thinned by 100, K = 10), from the project's
 * reference notes. Kosovo: Ball and others 2002, lists EXH, ABA, HRW, OSCE. Korea: Palembang. One seed of ours. */
static void against_lcmcr(const char *name, su_overlaps *o, uint32_t sweeps, double least, double most)
{
    su_context ctx;
    su_latent l;
    su_latent_options options = { .classes = 10, .chains = 8, .burn_in = sweeps / 2, .sweeps = sweeps, .thin = 10, .seed = 1 };
    su_context_init(&ctx);
    su_latent_run(&ctx, o, &options, &l);
    double median = l.sorted[l.chains * l.draws / 2];
    if (l.r_hat > 1.05) fail_msg("%s: R-hat %.3f", name, l.r_hat);
    if (median < least * 0.97 || median > most * 1.03) fail_msg("%s: median %.0f, wanted %.0f to %.0f", name, median, least, most);
    su_latent_free(&l);
    su_overlaps_free(o);
}

static void known_tables(void **state)
{
    (void)state;
    static const history_count korea[] = { { "001", 41 }, { "010", 5 },  { "100", 5 }, { "110", 54 },
                                           { "101", 6 },  { "111", 12 }, { NULL, 0 } };
    su_overlaps *uk = read_table("UKdat");
    against_lcmcr("Kosovo", table_of(4, KOSOVO), 20000, 10402, 10592);
    against_lcmcr("Korea", table_of(3, korea), 5000, 137, 138);
    if (uk) against_lcmcr("UK, six lists", uk, 20000, 20705, 22656);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one_class_exactly), cmocka_unit_test(r_hat), cmocka_unit_test(joint_distribution),
                                        cmocka_unit_test(unseen_at_the_bound), cmocka_unit_test(known_tables) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
