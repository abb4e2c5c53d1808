/* CPU seconds of design-based estimates on a million rows in 1,000 sampling units and 50 strata. Prints one JSON object; bench/stats.py
 * sets the goals and R beside it. */
#include <suha/rates.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "numeric/philox.h"

enum { ROWS = 1000000, UNITS = 1000, STRATA = 50, GROUPS = 10 };

static double started;

static void lap(const char *name)
{
    double now = su_clock_cpu();
    printf("%s\"%s\": %.4f", started < 0 ? "{" : ", ", name, now - fabs(started));
    started = su_clock_cpu();
}

static void stop(su_status st, const su_context *ctx)
{
    if (!st) return;
    fprintf(stderr, "%s\n", ctx->message);
    exit(1);
}

int main(void)
{
    double *y = su_alloc_array(ROWS, sizeof *y), *x = su_alloc_array(ROWS, sizeof *x), *w = su_alloc_array(ROWS, sizeof *w);
    double *psu = su_alloc_array(ROWS, sizeof *psu), *stratum = su_alloc_array(ROWS, sizeof *stratum);
    uint32_t *group = su_alloc_array(ROWS, sizeof *group), *answer = su_alloc_array(ROWS, sizeof *answer);
    uint32_t *psu_level = su_alloc_array(ROWS, sizeof *psu_level), *stratum_level = su_alloc_array(ROWS, sizeof *stratum_level);
    const char *names[UNITS];
    static char text[UNITS][8];
    su_philox r = su_philox_of(1, 0);
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = 1;
    for (int i = 0; i < UNITS; i++) {
        snprintf(text[i], sizeof text[i], "%d", i + 1);
        names[i] = text[i];
    }
    for (int i = 0; i < ROWS; i++) {
        uint32_t u = (uint32_t)su_philox_below(&r, UNITS);
        psu_level[i] = u + 1;
        stratum_level[i] = u % STRATA + 1;
        group[i] = (uint32_t)su_philox_below(&r, GROUPS) + 1;
        w[i] = 0.5 + su_philox_unit(&r);
        x[i] = su_philox_normal(&r) + 0.001 * u;
        y[i] = su_philox_unit(&r) < 0.1 + 0.0002 * u;
        answer[i] = y[i] != 0 ? 2 : 1;
    }
    su_frame *f = su_frame_new(ROWS);
    su_design_options o = { .stages = 1 };
    o.weight = su_frame_add_number(f, "w", w);
    o.strata[0] = su_frame_add_factor(f, "h", stratum_level, names, STRATA);
    o.psu[0] = su_frame_add_factor(f, "p", psu_level, names, UNITS);
    const su_variable *rows = su_frame_add_factor(f, "y", answer, names, 2), *columns = su_frame_add_factor(f, "g", group, names, 4);
    su_design *d = NULL;
    su_estimate e[GROUPS];
    su_estimand mean = { .y = x }, by = { .y = x, .group = group, .groups = GROUPS }, share = { .level = answer, .value = 2 };
    for (int i = 0; i < ROWS; i++) group[i] = (group[i] - 1) % GROUPS + 1;
    started = -su_clock_cpu();
    stop(su_design_new(&ctx, f, &o, &d), &ctx);
    lap("index");
    stop(su_design_estimate(&ctx, d, &mean, 1, e, NULL), &ctx);
    lap("mean");
    stop(su_design_estimate(&ctx, d, &by, 1, e, NULL), &ctx);
    lap("by_10_groups");
    stop(su_design_estimate(&ctx, d, &share, 1, e, NULL), &ctx);
    su_interval i = su_proportion_interval(SU_CI_KORN_GRAUBARD, e->estimate, e->variance, e->df, (double)e->n, 1, 0.95);
    lap("proportion");
    for (int k = 0; k < ROWS; k++) group[k] = (group[k] - 1) % 4 + 1;
    started = su_clock_cpu();
    su_association a;
    stop(su_design_association(&ctx, d, rows, columns, NULL, &a), &ctx);
    lap("rao_scott_2x4");
    su_quantile q[1];
    double half[] = { 0.5 };
    stop(su_design_quantiles(&ctx, d, x, NULL, 0, SU_QUANTILE_MATH, 0.95, half, 1, q), &ctx);
    lap("median");
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(", \"peak_mb\": %.0f, \"check\": [%.6f, %.6f, %.6f]}\n", (double)usage.ru_maxrss / 1024, i.low, a.f, q->estimate);
    free(a.cells);
    return 0;
}
