/* Random designs of three stages with strata at each, against the recursion of the definition written over sets of rows. */
#include "analyse/rates/survey_world.h"

enum { MOST = 400, STAGES = 3 };

typedef struct sample {
    size_t rows;
    double stratum[STAGES][MOST], unit[STAGES][MOST], size[STAGES][MOST]; /* size: units in the population of the row's stratum */
    double weight[MOST], y[MOST], z[MOST];
} sample;

static double between(su_random *r, uint64_t low, uint64_t high) { return (double)(low + su_random_below(r, high - low + 1)); }

/* Units of one stage below a row prefix: fills rows from `at` on and returns where it stopped. */
static size_t fill(sample *s, su_random *r, int stage, size_t at)
{
    int strata = (int)between(r, 1, 2);
    for (int h = 0; h < strata; h++) {
        int units = (int)between(r, 2, 3);
        double population = units + between(r, 0, 4);
        for (int u = 0; u < units; u++) {
            size_t from = at;
            if (stage + 1 < STAGES)
                at = fill(s, r, stage + 1, at);
            else
                at++;
            for (size_t i = from; i < at; i++) {
                s->stratum[stage][i] = h;
                s->unit[stage][i] = u; /* numbers start again everywhere */
                s->size[stage][i] = population;
            }
        }
    }
    return at;
}

/* V = sum over strata (1 - f) n / (n - 1) sum (z_i - mean)^2, plus f times the same inside every unit. */
static double recursion(const sample *s, int stage, const size_t *rows, size_t count)
{
    double v = 0;
    for (int h = 0; h < 2; h++) {
        double z[3] = { 0 }, n = 0, mean = 0, size = 0;
        bool there[3] = { false };
        for (size_t i = 0; i < count; i++) {
            if (s->stratum[stage][rows[i]] != h) continue;
            int u = (int)s->unit[stage][rows[i]];
            z[u] += s->z[rows[i]];
            there[u] = true;
            size = s->size[stage][rows[i]];
        }
        for (int u = 0; u < 3; u++) {
            n += there[u];
            mean += z[u];
        }
        if (n == 0) continue;
        mean /= n;
        for (int u = 0; u < 3; u++)
            if (there[u]) v += (1 - n / size) * n / (n - 1) * (z[u] - mean) * (z[u] - mean);
        for (int u = 0; u < 3 && stage + 1 < STAGES; u++) {
            size_t inside[MOST], found = 0;
            for (size_t i = 0; i < count; i++)
                if (s->stratum[stage][rows[i]] == h && s->unit[stage][rows[i]] == u) inside[found++] = rows[i];
            if (found) v += n / size * recursion(s, stage + 1, inside, found);
        }
    }
    return v;
}

static void one_design(su_random *r)
{
    static const char *const names[STAGES][3] = { { "h1", "u1", "f1" }, { "h2", "u2", "f2" }, { "h3", "u3", "f3" } };
    static sample s;
    size_t all[MOST];
    double sum = 0, total = 0, expected = 0;
    s.rows = fill(&s, r, 0, 0);
    for (size_t i = 0; i < s.rows; i++) {
        s.weight[i] = between(r, 1, 9);
        s.y[i] = between(r, 0, 1000) / 7;
        all[i] = i;
        sum += s.weight[i];
        total += s.weight[i] * s.y[i];
    }
    world w = { 0 };
    su_context_init(&w.ctx);
    w.frame = su_frame_new(s.rows);
    su_design_options o = { .stages = STAGES, .nest = true, .weight = su_frame_add_number(w.frame, "w", s.weight) };
    for (int t = 0; t < STAGES; t++) {
        o.strata[t] = su_frame_add_number(w.frame, names[t][0], s.stratum[t]);
        o.psu[t] = su_frame_add_number(w.frame, names[t][1], s.unit[t]);
        o.fpc[t] = su_frame_add_number(w.frame, names[t][2], s.size[t]);
    }
    if (su_design_new(&w.ctx, w.frame, &o, &w.design)) fail_msg("%s", w.ctx.message);
    assert_int_equal(su_design_facts_of(w.design).stages, STAGES);
    su_estimand both[2] = { { .statistic = SU_TOTAL, .y = s.y }, { .y = s.y } };
    su_estimate e[2];
    estimate(&w, both, 2, e, NULL);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < s.rows; i++) s.z[i] = s.weight[i] * (k ? (s.y[i] - total / sum) / sum : s.y[i]);
        expected = recursion(&s, 0, all, s.rows);
        su_reference_near(k ? "mean" : "total", e[k].variance, expected, 1e-10);
    }
    world_free(&w);
}

static void test_random_designs(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    for (int i = 0; i < 300; i++) one_design(&r);
}

/* One unit inside a sampled unit: refused with the stage, unless a policy is named; nothing to refuse where the unit was sampled whole. */
static void test_lone_units_of_later_stages(void **state)
{
    (void)state;
    double psu[] = { 1, 1, 2, 3, 3 }, unit[] = { 1, 2, 3, 4, 5 }, first[] = { 10, 10, 10, 10, 10 }, second[] = { 4, 4, 4, 4, 4 },
           y[] = { 1, 2, 3, 4, 5 };
    for (int whole = 0; whole < 2; whole++) {
        world w = { 0 };
        su_estimate e;
        su_estimand mean = { .y = y };
        su_context_init(&w.ctx);
        if (whole) second[2] = 1;
        w.frame = su_frame_new(5);
        su_design_options o = { .stages = 2 };
        o.psu[0] = su_frame_add_number(w.frame, "p", psu);
        o.psu[1] = su_frame_add_number(w.frame, "u", unit);
        o.fpc[0] = su_frame_add_number(w.frame, "f", first);
        o.fpc[1] = su_frame_add_number(w.frame, "g", second);
        assert_int_equal(su_design_new(&w.ctx, w.frame, &o, &w.design), SU_OK);
        su_status st = su_design_estimate(&w.ctx, w.design, &mean, 1, &e, NULL);
        assert_int_equal(st, whole ? SU_OK : SU_REFUSED);
        if (!whole)
            assert_non_null(
                strstr(w.ctx.message,
                       "at stage 2 of sampling, 1 unit of the stage before has only one unit sampled of several (the first around row 3)"));
        su_design_free(w.design);
        o.lone = SU_LONE_CERTAINTY;
        assert_int_equal(su_design_new(&w.ctx, w.frame, &o, &w.design), SU_OK);
        assert_int_equal(su_design_estimate(&w.ctx, w.design, &mean, 1, &e, NULL), SU_OK);
        assert_true(e.variance > 0);
        world_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random_designs), cmocka_unit_test(test_lone_units_of_later_stages) };
    return cmocka_run_group_tests_name("multistage", tests, NULL, NULL);
}
