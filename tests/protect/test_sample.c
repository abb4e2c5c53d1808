/* The samplers against exact fractions, against their probabilities, and against wrong use. Seeds are fixed; every statistical bound is set
 * so that a right sampler fails with probability below one in a million. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/protect.h>

#include <ctype.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEED 20261121
#define FIVE_SIGMA 5.0

static su_buf source_file(const char *path)
{
    su_context ctx;
    su_context_init(&ctx);
    const char *root = getenv("SUHA_SOURCE");
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", root ? root : ".", path);
    su_buf text = { 0 };
    if (su_file_read(&ctx, full, 1 << 24, &text)) {
        fail_msg("%s", ctx.message);
    }
    return text;
}

/* ---- known answers ----------------------------------------------------------------------------------------------- */

static unsigned __int128 parse_wide(const char *s)
{
    unsigned __int128 v = 0;
    for (; *s; s++) {
        assert_true(isdigit((unsigned char)*s));
        v = v * 10 + (unsigned)(*s - '0');
    }
    return v;
}

static void load_stream(su_random *r, const char *hex)
{
    memset(r, 0, sizeof *r);
    assert_int_equal(strlen(hex), 2 * sizeof r->block);
    for (size_t i = 0; i < sizeof r->block; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        r->block[i] = (uint8_t)byte;
    }
}

static int64_t draw(const char *kind, su_random *r, unsigned __int128 a, unsigned __int128 b)
{
    if (strcmp(kind, "gaussian") == 0) {
        return su_sample_discrete_gaussian(r, (su_variance) { (uint64_t)a, (uint64_t)b });
    }
    if (strcmp(kind, "laplace") == 0) {
        return su_sample_discrete_laplace(r, (uint64_t)a, (uint64_t)b);
    }
    if (strcmp(kind, "geometric") == 0) {
        return (int64_t)su_sample_geometric(r, (uint64_t)a);
    }
    assert_string_equal(kind, "bernoulli");
    return su_sample_bernoulli_exp(r, a, b);
}

static void test_vectors(void **state)
{
    (void)state;
    su_buf text = source_file("tests/protect/vectors/sampler_vectors.txt");
    unsigned vectors = 0, draws = 0;
    char *rest = text.p, *line;
    for (; (line = strsep(&rest, "\n")) != NULL && *line; vectors++) {
        const char *kind = strsep(&line, " ");
        unsigned __int128 a = parse_wide(strsep(&line, " ")), b = parse_wide(strsep(&line, " "));
        unsigned count = (unsigned)parse_wide(strsep(&line, " ")), used = (unsigned)parse_wide(strsep(&line, " "));
        su_random r;
        load_stream(&r, strsep(&line, " "));
        for (unsigned i = 0; i < count; i++, draws++) {
            int64_t want = strtoll(strsep(&line, " "), NULL, 10), got = draw(kind, &r, a, b);
            if (want != got) {
                fail_msg("vector %u (%s), draw %u: %lld instead of %lld", vectors + 1, kind, i, (long long)got, (long long)want);
            }
        }
        assert_int_equal(r.at, used);
    }
    assert_true(vectors >= 40 && draws >= 1000);
    su_buf_free(&text);
}

static void test_fill_is_repeated_draws(void **state)
{
    (void)state;
    su_random one, many;
    su_random_seeded(&one, SEED);
    su_random_seeded(&many, SEED);
    su_variance v = { 41 * 4096 + 7, 4096 };
    int64_t filled[500];
    su_sample_discrete_gaussian_fill(&many, v, filled, 500);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(su_sample_discrete_gaussian(&one, v), filled[i]);
    }
}

/* ---- distribution ------------------------------------------------------------------------------------------------ */

/* Quantile of chi-square with `df` degrees of freedom, one in a million above (Wilson, Hilferty 1931). */
static double chi_square_bound(double df)
{
    double a = 2 / (9 * df);
    return df * pow(1 - a + 4.753 * sqrt(a), 3);
}

/* Cells -reach .. reach with the rest pooled at each end; neighbours are pooled inward until 20 are expected. */
static void assert_law(const int64_t *x, size_t n, double (*pmf)(const void *law, int64_t x), const void *law, int64_t reach)
{
    while (reach > 0 && (double)n * pmf(law, reach) < 20) {
        reach--;
    }
    size_t cells = (size_t)(2 * reach + 1);
    double *seen = su_alloc_array(cells, sizeof *seen), tail_seen[2] = { 0, 0 }, inside = 0, chi = 0;
    for (size_t i = 0; i < n; i++) {
        if (x[i] < -reach || x[i] > reach) {
            tail_seen[x[i] > 0]++;
        } else {
            seen[x[i] + reach]++;
        }
    }
    for (int64_t k = -reach; k <= reach; k++) {
        double want = (double)n * pmf(law, k);
        inside += want;
        chi += (seen[k + reach] - want) * (seen[k + reach] - want) / want;
    }
    double tail = ((double)n - inside) / 2, df = (double)cells - 1;
    for (int side = 0; side < 2 && tail >= 5; side++) {
        chi += (tail_seen[side] - tail) * (tail_seen[side] - tail) / tail;
        df++;
    }
    free(seen);
    if (chi > chi_square_bound(df)) {
        fail_msg("chi-square %.1f on %.0f degrees of freedom, bound %.1f (seed %d)", chi, df, chi_square_bound(df), SEED);
    }
}

static double gaussian_pmf(const void *law, int64_t x) { return su_discrete_gaussian_pmf(*(const su_variance *)law, x); }

static double laplace_pmf(const void *law, int64_t x)
{
    double a = exp(-1 / *(const double *)law);
    return (1 - a) / (1 + a) * pow(a, (double)llabs(x));
}

/* Mean, variance, fourth moment and correlation of neighbours against the law, each within five of its own standard errors. */
static void assert_moments(const int64_t *x, size_t n, su_variance v)
{
    double m2 = 0, m4 = 0, m8 = 0, mean = 0, s2 = 0, s4 = 0, lag = 0;
    int64_t reach = (int64_t)(12 * sqrt((double)v.num / (double)v.den)) + 12;
    for (int64_t k = -reach; k <= reach; k++) {
        double p = su_discrete_gaussian_pmf(v, k), k2 = (double)k * (double)k;
        m2 += p * k2;
        m4 += p * k2 * k2;
        m8 += p * k2 * k2 * k2 * k2;
    }
    for (size_t i = 0; i < n; i++) {
        double k = (double)x[i];
        mean += k;
        s2 += k * k;
        s4 += k * k * k * k;
        lag += i ? k * (double)x[i - 1] : 0;
    }
    double count = (double)n;
    assert_true(fabs(mean / count) < FIVE_SIGMA * sqrt(m2 / count));
    assert_true(fabs(s2 / count - m2) < FIVE_SIGMA * sqrt((m4 - m2 * m2) / count));
    assert_true(fabs(s4 / count - m4) < FIVE_SIGMA * sqrt((m8 - m4 * m4) / count));
    assert_true(fabs(lag / count) < FIVE_SIGMA * m2 / sqrt(count));
    assert_true(fabs(m2 / su_discrete_gaussian_variance(v) - 1) < 1e-12);
}

static void test_gaussian_law(void **state)
{
    (void)state;
    static const su_variance laws[] = { { 1, 4 }, { 1, 1 }, { 4, 1 }, { 100, 1 }, { 193 * 512 + 5, 512 } };
    size_t n = 1000000;
    int64_t *x = su_alloc_array(n, sizeof *x);
    su_random r;
    su_random_seeded(&r, SEED);
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        su_sample_discrete_gaussian_fill(&r, laws[i], x, n);
        assert_law(x, n, gaussian_pmf, &laws[i], 200);
        assert_moments(x, n, laws[i]);
    }
    free(x);
}

static void test_laplace_law(void **state)
{
    (void)state;
    static const struct {
        uint64_t num, den;
        double scale, p0;
    } laws[] = {
        { 1, 1, 1, 0.46211715726001 },
        { 2, 1, 2, 0.244918662403709 },
        { 1, 2, 0.5, 0.761594155955765 },
        { 10, 1, 10, 0.04995837495788 },
    };
    size_t n = 300000;
    int64_t *x = su_alloc_array(n, sizeof *x);
    su_random r;
    su_random_seeded(&r, SEED + 1);
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        for (size_t k = 0; k < n; k++) {
            x[k] = su_sample_discrete_laplace(&r, laws[i].num, laws[i].den);
        }
        assert_true(fabs(laplace_pmf(&laws[i].scale, 0) - laws[i].p0) < 1e-12);
        assert_law(x, n, laplace_pmf, &laws[i].scale, 200);
    }
    free(x);
}

static void test_bernoulli_probability(void **state)
{
    (void)state;
    unsigned __int128 wide = (unsigned __int128)1 << 120;
    static const double rates[] = { 0, 0.01, 0.5, 1, 1.5, 4 };
    su_random r;
    su_random_seeded(&r, SEED + 2);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        double want = exp(-rates[i]), n = 200000;
        for (int shape = 0; shape < 2; shape++) {
            unsigned __int128 den = shape ? wide : 100, num = den / 100 * (unsigned)(rates[i] * 100);
            double hits = 0;
            for (int k = 0; k < (int)n; k++) {
                hits += su_sample_bernoulli_exp(&r, num, den);
            }
            assert_true(fabs(hits / n - want) <= FIVE_SIGMA * sqrt(want * (1 - want) / n) + 1e-4 * (shape && rates[i] > 0));
        }
    }
}

/* Bounds where rejection matters: one value, a whole range, just above a power of two, three quarters of the range. */
static void test_uniform_below(void **state)
{
    (void)state;
    static const uint64_t bounds[] = { 1, 2, 3, UINT64_C(1) << 32, (UINT64_C(1) << 63) + 1, UINT64_C(3) << 62, UINT64_MAX };
    su_random r;
    su_random_seeded(&r, SEED + 3);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        uint64_t n = bounds[i];
        double low_third = 0, draws = 30000, p = (double)(n / 3) / (double)n;
        for (int k = 0; k < (int)draws; k++) {
            uint64_t x = su_random_below(&r, n);
            assert_true(x < n);
            low_third += x < n / 3;
        }
        assert_true(fabs(low_third / draws - p) <= FIVE_SIGMA * sqrt(p * (1 - p) / draws));
    }
}

/* ---- wrong use ends the process ---------------------------------------------------------------------------------- */

static void die_denominator(su_random *r) { su_sample_discrete_gaussian(r, (su_variance) { 1, 0 }); }
static void die_large_denominator(su_random *r) { su_sample_discrete_gaussian(r, (su_variance) { 1 << 17, (1 << 16) + 1 }); }
static void die_zero(su_random *r) { su_sample_discrete_gaussian(r, (su_variance) { 0, 1 }); }
static void die_sigma(su_random *r) { su_sample_discrete_gaussian(r, (su_variance) { UINT64_C(1000000000001), 1 }); }
static void die_scale(su_random *r) { su_sample_discrete_laplace(r, 1, 0); }
static void die_geometric(su_random *r) { su_sample_geometric(r, 0); }
static void die_rate(su_random *r) { su_sample_bernoulli_exp(r, 1, 0); }
static void die_wrap(su_random *r)
{
    for (int i = 0; i < 100; i++) {
        su_sample_geometric(r, UINT64_C(1) << 63); /* 2^63 * successes wraps as soon as there are two */
    }
}

static void test_wrong_use_aborts(void **state)
{
    (void)state;
    static void (*const misuse[])(su_random *) = { die_denominator, die_large_denominator, die_zero, die_sigma,
                                                   die_scale,       die_geometric,         die_rate, die_wrap };
    for (size_t i = 0; i < sizeof misuse / sizeof *misuse; i++) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGABRT, SIG_DFL);
            if (!freopen("/dev/null", "w", stderr)) {
                _exit(1);
            }
            su_random r;
            su_random_seeded(&r, SEED);
            misuse[i](&r);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) {
            fail_msg("wrong use number %zu was not refused", i);
        }
    }
}

/* ---- lint: no floating point in the file ------------------------------------------------------------------------- */

static void test_no_floating_point(void **state)
{
    (void)state;
    static const char *const words[] = { "float", "double", "_Float16", "_Float32", "_Float64", "_Float128", "__float128", "log",
                                         "log2",  "log1p",  "exp",      "expm1",    "sqrt",     "pow",       "erf",        "erfc",
                                         "logf",  "expf",   "sqrtf",    "logl",     "expl",     "sqrtl" };
    su_buf text = source_file("src/protect/dp/sample.c");
    assert_null(strstr(text.p, "math.h"));
    for (char *p = text.p; *p;) {
        if (!isalpha((unsigned char)*p) && *p != '_') {
            p++;
            continue;
        }
        size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            if (strlen(words[i]) == n && strncmp(words[i], p, n) == 0) {
                fail_msg("src/protect/dp/sample.c uses the word %s: noise is made of integers only", words[i]);
            }
        }
        p += n;
    }
    su_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),          cmocka_unit_test(test_fill_is_repeated_draws), cmocka_unit_test(test_gaussian_law),
        cmocka_unit_test(test_laplace_law),      cmocka_unit_test(test_bernoulli_probability),  cmocka_unit_test(test_uniform_below),
        cmocka_unit_test(test_wrong_use_aborts), cmocka_unit_test(test_no_floating_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
