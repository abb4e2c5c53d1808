/* Measures the models in memory, one thread: CPU seconds as one JSON object for bench/stats_logit.py. */
#include <math.h>

#include "su_test.h"
#include "logit/random.h"
#include "logit/variance.h"

enum { ROWS = 1000000, NUMBERS = 8, FACTORS = 4, CLUSTERS = 1000, RANDOM_ROWS = 50000, GROUPS = 200 };
static const uint32_t LEVELS[FACTORS] = { 2, 5, 5, 3 }; /* with the intercept and eight numbers: 20 columns */

static double unit(su_random *r) { return (double)(su_random_u64(r) >> 11) / 9007199254740992.0; }

static su_frame *data(uint64_t rows, unsigned numbers, unsigned factors, uint32_t groups)
{
    su_random r;
    su_random_seeded(&r, 1);
    su_frame *f = su_frame_new(rows);
    double *eta = su_alloc_array(rows, sizeof *eta), *y = su_arena_array(&f->arena, rows, sizeof *y);
    for (uint64_t i = 0; i < rows; i++) eta[i] = -1;
    for (unsigned k = 0; k < numbers; k++) {
        double *x = su_arena_array(&f->arena, rows, sizeof *x);
        for (uint64_t i = 0; i < rows; i++) eta[i] += 0.2 * (x[i] = 2 * unit(&r) - 1);
        su_frame_add_number(f, su_arena_printf(&f->arena, "x%u", k), x);
    }
    static const char *const names[] = { "a", "b", "c", "d", "e" };
    for (unsigned k = 0; k < factors; k++) {
        uint32_t *x = su_arena_array(&f->arena, rows, sizeof *x);
        for (uint64_t i = 0; i < rows; i++) eta[i] += 0.1 * (x[i] = (uint32_t)su_random_below(&r, LEVELS[k]) + 1);
        su_frame_add_factor(f, su_arena_printf(&f->arena, "f%u", k), x, names, LEVELS[k]);
    }
    uint32_t *g = su_arena_array(&f->arena, rows, sizeof *g);
    const char **group_names = su_arena_array(&f->arena, groups, sizeof *group_names);
    double *effect = su_alloc_array(groups, sizeof *effect);
    for (uint32_t k = 0; k < groups; k++) {
        group_names[k] = su_arena_printf(&f->arena, "g%u", k);
        effect[k] = unit(&r) + unit(&r) + unit(&r) - 1.5;
    }
    for (uint64_t i = 0; i < rows; i++) {
        g[i] = (uint32_t)su_random_below(&r, groups) + 1;
        y[i] = unit(&r) < 1 / (1 + exp(-eta[i] - effect[g[i] - 1]));
    }
    su_frame_add_factor(f, "group", g, group_names, groups);
    su_frame_add_number(f, "y", y);
    free(eta);
    free(effect);
    return f;
}

static su_predictors *predictors(su_context *ctx, su_arena *arena, su_frame *f, const char *formula)
{
    su_formula *parsed = NULL;
    su_predictors *x = NULL;
    su_predictors_options o = { 0 };
    if (su_formula_parse(ctx, arena, su_str_of(formula), NULL, 0, &parsed) != SU_OK ||
        su_predictors_build(ctx, f, parsed, &o, &x) != SU_OK) {
        fprintf(stderr, "%s\n", ctx->message);
        exit(1);
    }
    return x;
}

static void variance(su_context *ctx, const su_variance_input *in, su_logit_variance kind, const char *name)
{
    su_covariance c = su_covariance_new(in->x->columns);
    double start = su_clock_cpu();
    if (su_covariance_of(ctx, in, kind, &c) != SU_OK) exit(1);
    printf(", \"%s\": %.4f", name, su_clock_cpu() - start);
    su_covariance_free(&c);
}

static void plain(su_context *ctx, su_arena *arena)
{
    su_frame *f = data(ROWS, NUMBERS, FACTORS, CLUSTERS);
    double start = su_clock_cpu();
    su_predictors *x = predictors(ctx, arena, f, "y ~ x0+x1+x2+x3+x4+x5+x6+x7+f0+f1+f2+f3");
    su_units u;
    su_units_init(&u, x, SU_FAMILY_LOGIT, NULL);
    su_fit *fit;
    if (su_fit_new(ctx, &u, &fit) != SU_OK) exit(1);
    printf("{\"fit\": %.4f, \"columns\": %u, \"iterations\": %u", su_clock_cpu() - start, x->columns, fit->iterations);
    su_variance_input in = { .fit = fit, .x = x, .family = SU_FAMILY_LOGIT, .units = &u };
    variance(ctx, &in, SU_VARIANCE_HC0, "hc0");
    if (su_frame_find(ctx, f, SU_STR("group"), &in.cluster[0]) != SU_OK) exit(1);
    variance(ctx, &in, SU_VARIANCE_HC1, "cluster");
    su_fit_free(fit);
    su_units_free(&u);
    su_predictors_free(x);
    su_frame_free(f);
}

static void random_intercept(su_context *ctx, su_arena *arena, unsigned nodes)
{
    su_frame *f = data(RANDOM_ROWS, 7, 0, GROUPS);
    const su_variable *group;
    su_random_fit *r;
    su_fit *start_fit;
    su_units u;
    double start = su_clock_cpu();
    su_predictors *x = predictors(ctx, arena, f, "y ~ x0+x1+x2+x3+x4+x5+x6");
    su_units_init(&u, x, SU_FAMILY_LOGIT, NULL);
    if (su_fit_new(ctx, &u, &start_fit) != SU_OK || su_frame_find(ctx, f, SU_STR("group"), &group) != SU_OK ||
        su_random_fit_new(ctx, x, start_fit, group, nodes, &r) != SU_OK)
        exit(1);
    printf(", \"random_%u\": %.4f", nodes, su_clock_cpu() - start);
    su_random_fit_free(r);
    su_fit_free(start_fit);
    su_units_free(&u);
    su_predictors_free(x);
    su_frame_free(f);
}

int main(void)
{
    su_context ctx;
    su_arena arena;
    su_context_init(&ctx);
    ctx.threads = 1;
    su_arena_init(&arena);
    plain(&ctx, &arena);
    random_intercept(&ctx, &arena, 1);
    random_intercept(&ctx, &arena, 15);
    printf("}\n");
    su_arena_free(&arena);
    return 0;
}
