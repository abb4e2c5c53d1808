/* Layer 5 of the tests of privacy (docs/methods/audit.md): two small worlds that differ in one person, the shipped mechanism run on each a million
 * times, and everything that was seen turned into a lower bound of epsilon. It must stay below the epsilon stated. What the tables say is
 * also compared with the exact law of the noise, worked out here by convolution, and the best event of that law must be found: a loose
 * audit would pass anything.
 *
 * Every other mechanism with a bound is then judged by what it publishes alone, with as many runs as fit in its time.
 *
 * usage: audit_worlds [RUNS] [WHOLE] [MECHANISM]     runs of the measurement and of the whole release, per world and setting. MECHANISM:
 * only this one, without the verdicts on the audit itself, which need a million runs. Seed: SUHA_TEST_SEED */
#include "attack.h"

#include <suha/protect.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE 20u
#define COLUMNS 3u
#define BLOCKS 256u
#define ALPHA 1e-6  /* chance that one setting fails by bad luck */
#define SECONDS 8.0 /* for a setting of another mechanism */

/* What is looked at. The first two see the noisy tables, the rest what is published. */
#define STATISTICS(X)                                                                                                                      \
    X(RATIO, "likelihood ratio of the noisy tables")                                                                                       \
    X(CELL, "one noisy cell of the person")                                                                                                \
    X(TOTAL, "published number of records")                                                                                                \
    X(SINGLE, "published count of one of her values")                                                                                      \
    X(COMBINATION, "published count of two of her values (0: not reported)")                                                               \
    X(PRESENT, "synthetic records equal to her")                                                                                           \
    X(ALL, "published counts of all she has")                                                                                              \
    X(RECORDS, "synthetic records")                                                                                                        \
    X(AGGREGATES, "combinations reported")
#define ENUM(id, about) id,
#define ABOUT(id, about) about,
enum { STATISTICS(ENUM) STATISTIC_COUNT };
static const char *const abouts[] = { STATISTICS(ABOUT) };

typedef struct world {
    uint16_t codes[COLUMNS][PEOPLE + 1];
    su_matrix_column columns[COLUMNS];
    su_code_matrix matrix[2]; /* without her, with her */
} world;

/* Lonely: others have one value or none, nobody but the last person has two. Crowded: most have all three, as she does. */
static void world_init(world *w, bool crowded)
{
    static const char *const names[COLUMNS] = { "a", "b", "c" };
    for (uint32_t c = 0; c < COLUMNS; c++) {
        for (uint32_t i = 0; i < PEOPLE; i++) w->codes[c][i] = crowded ? i % 10 != c : i % 7 != c && (i + c) % 3 == 0;
        w->codes[c][PEOPLE] = 1;
        w->columns[c] = (su_matrix_column) { .name = names[c], .card = 2, .codes = w->codes[c] };
    }
    for (unsigned side = 0; side < 2; side++)
        w->matrix[side] = (su_code_matrix) { .row_count = PEOPLE + side, .column_count = COLUMNS, .columns = w->columns };
}

typedef struct audit {
    const world *w;
    const su_release *plan;
    const su_measurement *exact; /* without her */
    su_random source;
    uint64_t runs;       /* per world */
    bool whole;          /* the release, not only the tables */
    attack_counts *seen; /* [worker][statistic] */
} audit;

static void stop(const su_context *ctx)
{
    fprintf(stderr, "audit_worlds: %s\n", ctx->message);
    exit(2);
}

/* The last cell of every table is hers. All tables have one shape, so one variance, and the ratio is the sum of those cells. */
static void see_tables(const audit *a, const su_measurement *m, unsigned side, attack_counts *seen)
{
    int64_t sum = 0;
    for (size_t t = 0; t < m->table_count; t++) {
        size_t last = a->plan->tables[t].cells - 1;
        sum += m->cells[t][last] - a->exact->cells[t][last];
    }
    attack_see(&seen[RATIO], side, sum);
    attack_see(&seen[CELL], side, m->cells[0][3] - a->exact->cells[0][3]);
}

static void see_release(const su_release *r, unsigned side, attack_counts *seen)
{
    int64_t single = 0, combination = 0, present = 0, all = 0;
    for (size_t i = 0; i < r->aggregate_count; i++) {
        const su_aggregate *g = &r->aggregates[i];
        all += (int64_t)g->count; /* code 1 is the only one, and she has it everywhere */
        if (g->at[0].column == 0 && g->length == 1) single = (int64_t)g->count;
        if (g->at[0].column == 0 && g->length == 2 && g->at[1].column == 1) combination = (int64_t)g->count;
    }
    for (uint64_t i = 0; i < r->record_count; i++) present += r->records[0][i] && r->records[1][i] && r->records[2][i];
    attack_see(&seen[TOTAL], side, (int64_t)floor(r->total_estimate * 4));
    attack_see(&seen[SINGLE], side, single);
    attack_see(&seen[COMBINATION], side, combination);
    attack_see(&seen[PRESENT], side, present);
    attack_see(&seen[ALL], side, all);
    attack_see(&seen[RECORDS], side, (int64_t)r->record_count);
    attack_see(&seen[AGGREGATES], side, (int64_t)r->aggregate_count);
}

static void run_once(const audit *a, su_context *ctx, su_random *random, unsigned side, attack_counts *seen)
{
    su_release r = *a->plan; /* what the plan fixed is shared; what a run makes hangs on an arena of its own */
    su_arena_init(&r.arena);
    if (a->whole) {
        if (su_release_run(ctx, &r, &a->w->matrix[side], random, NULL, NULL)) stop(ctx);
        see_release(&r, side, seen);
    } else {
        su_measurement *m = NULL;
        if (su_release_measure(ctx, &r, &a->w->matrix[side], random, &m)) stop(ctx);
        see_tables(a, m, side, seen);
        su_measurement_free(m);
    }
    su_arena_free(&r.arena);
}

static void run_block(void *arg, size_t block, unsigned worker)
{
    const audit *a = arg;
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = 1;
    su_random random;
    su_random_split(&a->source, block, &random);
    uint64_t from = a->runs * block / BLOCKS, to = a->runs * (block + 1) / BLOCKS;
    for (uint64_t i = from; i < to; i++)
        for (unsigned side = 0; side < 2; side++) run_once(a, &ctx, &random, side, a->seen + (size_t)worker * STATISTIC_COUNT);
    su_random_wipe(&random);
}

/* Counts of all workers, in the place of the first. */
static attack_counts *run_all(audit *a)
{
    su_context ctx;
    su_context_init(&ctx);
    unsigned workers = su_parallel_workers(&ctx);
    a->seen = su_alloc_array((size_t)workers * STATISTIC_COUNT, sizeof *a->seen);
    su_parallel(&ctx, BLOCKS, run_block, a);
    for (unsigned w = 1; w < workers; w++)
        for (unsigned s = 0; s < STATISTIC_COUNT; s++) attack_add(&a->seen[s], &a->seen[(size_t)w * STATISTIC_COUNT + s]);
    return a->seen;
}

/* ---- the exact law ----------------------------------------------------------------------------------------------- */

/* above[i] = P(sum of `terms` noises >= i - reach). */
static double *law_above(su_variance v, unsigned terms, int64_t reach)
{
    size_t n = (size_t)(2 * reach + 1);
    double *law = su_alloc_array(n + 1, sizeof *law), *next = su_alloc_array(n + 1, sizeof *next);
    int64_t wide = (int64_t)(13 * sqrt((double)v.num / (double)v.den)) + 13;
    law[reach] = 1;
    for (unsigned t = 0; t < terms; t++) {
        memset(next, 0, n * sizeof *next);
        for (int64_t k = -wide; k <= wide; k++) {
            double p = su_discrete_gaussian_pmf(v, k);
            for (int64_t i = 0; i < (int64_t)n; i++)
                if (law[i] > 0 && i + k >= 0 && i + k < (int64_t)n) next[i + k] += p * law[i];
        }
        double *swap = law;
        law = next;
        next = swap;
    }
    free(next);
    for (size_t i = n; i-- > 0;) law[i] += law[i + 1];
    return law;
}

/* The most that any event "ratio at least t" can show at delta. */
static double law_epsilon(const double *above, int64_t reach, int64_t shift, double delta)
{
    double best = 0;
    for (int64_t i = shift; i <= 2 * reach; i++)
        if (above[i - shift] > delta && above[i] > 1e-14) best = fmax(best, log((above[i - shift] - delta) / above[i]));
    return best;
}

/* Every tail count must be one that the law allows; the two worlds are compared with the law apart. Returns how many are not. */
static unsigned against_law(const attack_counts *c, const double *above, int64_t reach, int64_t shift)
{
    unsigned wrong = 0;
    for (unsigned side = 0; side < 2; side++) {
        uint64_t hits = 0, n = c->runs[side];
        for (int64_t t = ATTACK_REACH; t > -ATTACK_REACH; t--) {
            uint64_t here = c->seen[side][t + ATTACK_REACH];
            hits += here;
            int64_t at = t - (side ? shift : 0) + reach;
            if (!here || at < 0 || at > 2 * reach) continue;
            double p = fmin(above[at], 1), alpha = ALPHA / (4 * ATTACK_REACH);
            wrong += attack_binomial_above(hits, n, p) < alpha || attack_binomial_above(n - hits, n, 1 - p) < alpha;
        }
    }
    return wrong;
}

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

typedef struct verdicts {
    unsigned passed, failed;
} verdicts;

static void verdict(verdicts *v, bool good, const char *what)
{
    printf("%s %s\n", good ? "ok    " : "FAILED", what);
    fflush(stdout);
    if (good)
        v->passed++;
    else
        v->failed++;
}

static void judge(verdicts *v, const su_release *r, const attack_counts *seen, unsigned first, unsigned last)
{
    for (unsigned s = first; s <= last; s++) {
        double bound = attack_best(&seen[s], r->options.delta, ALPHA / STATISTIC_COUNT);
        char text[256];
        snprintf(text, sizeof text, "%s epsilon %g delta %g: at least %.4f by the %s (%llu runs a world)",
                 su_mechanism_name(r->options.mechanism), r->options.epsilon, r->options.delta, bound, abouts[s],
                 (unsigned long long)seen[s].runs[0]);
        verdict(v, bound <= r->epsilon_stated, text);
    }
}

static void judge_law(verdicts *v, const su_release *r, const attack_counts *seen, bool quick)
{
    char text[256];
    for (size_t t = 1; t < r->table_count; t++)
        if (memcmp(&r->tables[t].variance, &r->tables[0].variance, sizeof r->tables[0].variance) != 0) {
            verdict(v, false, "tables of one shape have one variance");
            return;
        }
    int64_t reach = ATTACK_REACH, shift = (int64_t)r->table_count;
    double *sum = law_above(r->tables[0].variance, (unsigned)r->table_count, reach), *one = law_above(r->tables[0].variance, 1, reach);
    double most = law_epsilon(sum, reach, shift, r->options.delta);
    double bound = attack_best(&seen[RATIO], r->options.delta, ALPHA / STATISTIC_COUNT);
    unsigned wrong = against_law(&seen[RATIO], sum, reach, shift) + against_law(&seen[CELL], one, reach, 1);
    snprintf(text, sizeof text, "epsilon %g delta %g: tail counts are those of the exact law; %u are not", r->options.epsilon,
             r->options.delta, wrong);
    verdict(v, wrong == 0, text);
    snprintf(text, sizeof text, "epsilon %g delta %g: the law allows at most %.4f of the %.4f stated", r->options.epsilon, r->options.delta,
             most, r->epsilon_stated);
    verdict(v, most <= r->epsilon_stated, text);
    /* Events of chance delta must be seen often enough to be told from it. */
    if (!quick && r->options.delta >= 1e-3) {
        snprintf(text, sizeof text,
                 "epsilon %g delta %g: the audit is tight: %.0f %% of what the law allows, %.0f %% of the epsilon stated",
                 r->options.epsilon, r->options.delta, 100 * bound / most, 100 * bound / r->epsilon_stated);
        verdict(v, bound > (r->options.epsilon < 0.5 ? 0.5 : 0.75) * most, text);
    }
    free(sum);
    free(one);
}

/* The same runs against a quarter of the epsilon stated: an audit that cannot fail here proves nothing above. */
static void judge_control(verdicts *v, const su_release *r, const attack_counts *seen)
{
    double bound = attack_best(&seen[RATIO], r->options.delta, ALPHA / STATISTIC_COUNT);
    char text[256];
    snprintf(text, sizeof text, "control: had epsilon %g been stated for this noise, %.4f would have shown it", r->epsilon_stated / 4,
             bound);
    verdict(v, bound > r->epsilon_stated / 4, text);
}

static void audit_setting(verdicts *v, const world *w, double epsilon, double delta, uint64_t runs, uint64_t whole, bool quick,
                          const su_random *seed)
{
    su_context ctx;
    su_context_init(&ctx);
    su_release *r = NULL;
    su_measurement *exact = NULL;
    su_release_options o = { .epsilon = epsilon, .delta = delta, .length = 2 };
    if (su_release_plan(&ctx, NULL, w->columns, COLUMNS, &o, &r) || su_release_measure_exact(&ctx, r, &w->matrix[0], &exact)) stop(&ctx);
    audit a = { .w = w, .plan = r, .exact = exact, .runs = runs };
    su_random_split(seed, (uint64_t)(epsilon * 1000), &a.source);
    su_random_split(&a.source, (uint64_t)(-log2(delta)), &a.source);
    attack_counts *seen = run_all(&a);
    judge(v, r, seen, RATIO, CELL);
    judge_law(v, r, seen, quick);
    if (!quick && delta >= 1e-3) judge_control(v, r, seen);
    free(seen);
    if (whole) {
        a.runs = whole;
        a.whole = true;
        su_random_split(&a.source, 1, &a.source);
        seen = run_all(&a);
        judge(v, r, seen, TOTAL, AGGREGATES);
        free(seen);
    }
    su_measurement_free(exact);
    su_release_free(r);
}

/* What another mechanism publishes: as many runs as fit in the time. */
static void audit_published(verdicts *v, const world *w, su_mechanism mechanism, double epsilon, double seconds, const su_random *seed)
{
    su_context ctx;
    su_context_init(&ctx);
    su_release *r = NULL;
    su_release_options o = { .epsilon = epsilon, .delta = 1e-3, .length = 2, .mechanism = mechanism };
    if (su_release_plan(&ctx, NULL, w->columns, COLUMNS, &o, &r)) stop(&ctx);
    audit a = { .w = w, .plan = r, .runs = BLOCKS, .whole = true };
    su_random_split(seed, (uint64_t)mechanism, &a.source);
    double start = su_clock_cpu();
    free(run_all(&a));
    double cost = (su_clock_cpu() - start) / su_parallel_workers(&ctx);
    a.runs = (uint64_t)(BLOCKS * seconds / (cost + 1e-6)) + BLOCKS;
    a.runs = a.runs < 1000000 ? a.runs : 1000000;
    su_random_split(&a.source, 1, &a.source);
    attack_counts *seen = run_all(&a);
    judge(v, r, seen, TOTAL, AGGREGATES);
    free(seen);
    su_release_free(r);
}

static void audit_residual(verdicts *v, uint64_t runs, uint64_t whole, bool quick, const su_random *seed)
{
    static const double epsilons[] = { 0.1, 1, 4 };
    world w;
    world_init(&w, false);
    for (size_t i = 0; i < sizeof epsilons / sizeof *epsilons; i++) {
        /* A small epsilon takes more runs to be seen. */
        audit_setting(v, &w, epsilons[i], 1e-3, epsilons[i] < 0.5 ? 4 * runs : runs, whole, quick, seed);
        audit_setting(v, &w, epsilons[i], 1e-9, runs, 0, quick, seed);
    }
}

static void audit_mechanism(verdicts *v, su_mechanism mechanism, bool quick, const su_random *seed)
{
    for (unsigned crowded = 0; crowded < 2; crowded++) {
        world w;
        su_random source;
        world_init(&w, crowded);
        su_random_split(seed, 1000 + crowded, &source);
        printf("# %s, %s\n", su_mechanism_name(mechanism), crowded ? "most people like her" : "nobody like her");
        audit_published(v, &w, mechanism, 1, quick ? SECONDS / 4 : SECONDS, &source);
        audit_published(v, &w, mechanism, 4, quick ? SECONDS / 4 : SECONDS, &source);
    }
}

int main(int argc, char **argv)
{
    uint64_t runs = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000, whole = argc > 2 ? strtoull(argv[2], NULL, 10) : 300000, seed = 0;
    const char *given = getenv("SUHA_TEST_SEED"), *only = argc > 3 ? argv[3] : NULL;
    su_random random;
    su_context ctx;
    su_context_init(&ctx);
    if (su_random_system(&ctx, &random)) stop(&ctx);
    seed = given ? strtoull(given, NULL, 10) : su_random_u64(&random) >> 1;
    printf("# SUHA_TEST_SEED=%llu\n", (unsigned long long)seed);
    su_random_seeded(&random, seed);
    verdicts v = { 0, 0 };
    verdict(&v, attack_self_test(), "the bounds themselves agree with known numbers");
    for (su_mechanism m = 0; m < SU_MECHANISM_COUNT; m++) {
        if (!su_mechanism_bound(m) || (only && strcmp(only, su_mechanism_name(m)) != 0)) continue;
        if (m == SU_MECHANISM_RESIDUAL)
            audit_residual(&v, runs, whole, only != NULL, &random);
        else
            audit_mechanism(&v, m, only != NULL, &random);
    }
    printf("%u passed, %u failed\n", v.passed, v.failed);
    return v.failed ? 1 : 0;
}
