/* Flow monitoring points: coverage, gaps, totals by point. */
#include <suha/flow.h>

#include <math.h>
#include <stdlib.h>

#include "flow/margin_words.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

enum { MOST_EFFECTS = 400 };
static const double MOST_COUNTED = 1e15;

typedef struct cell {
    double count, active, open; /* open 0: the point has no row for the period */
    uint64_t rows, missing;
    double flow, variance; /* NaN where neither seen nor filled */
    bool filled;
} cell;

typedef struct grid {
    const su_variable *point, *period;
    size_t points, periods;
    cell *cells; /* points by periods */
    double phi, theta;
} grid;

static su_status add_row(su_context *ctx, const su_points_input *in, grid *g, uint64_t row)
{
    uint32_t p = su_frame_level(g->point, row), w = su_frame_level(g->period, row);
    if (!p || !w) return su_fail(ctx, SU_INPUT, "data row %llu has no %s", (unsigned long long)row + 1, p ? "period" : "point");
    cell *c = &g->cells[(p - 1) * g->periods + w - 1];
    double count = su_frame_number(in->count, row), open = in->open ? su_frame_number(in->open, row) : in->open_days;
    double active = in->active ? su_frame_number(in->active, row) : isnan(count) ? 0 : open;
    if (isnan(active)) active = 0;
    if (!(open > 0))
        return su_fail(ctx, SU_INPUT, "data row %llu: the period's length is %g; it must be above zero", (unsigned long long)row + 1, open);
    if (active < 0 || active > open * (1 + 1e-9))
        return su_fail(ctx, SU_INPUT, "data row %llu: active for %g of %g; a point cannot watch longer than the period lasts",
                       (unsigned long long)row + 1, active, open);
    if (count < 0)
        return su_fail(ctx, SU_INPUT, "data row %llu: the count is %g; counts are zero or more", (unsigned long long)row + 1, count);
    if (count > MOST_COUNTED)
        return su_fail(ctx, SU_REFUSED, "data row %llu: the count is %g; there are not that many people", (unsigned long long)row + 1, count);
    if (count > 0 && active == 0)
        return su_fail(ctx, SU_INPUT, "data row %llu: %g people were counted while the point was not active", (unsigned long long)row + 1,
                       count);
    if (c->rows && (c->open != open || c->active != active))
        return su_fail(ctx, SU_INPUT, "data row %llu: the point's other rows of this period name other days of activity",
                       (unsigned long long)row + 1);
    c->rows++;
    c->open = open;
    c->active = active;
    if (isnan(count))
        c->missing++;
    else
        c->count += count;
    return SU_OK;
}

/* How much more neighbouring periods of a point differ than Poisson counts would: successive differences, so that a trend does not count.
 */
static double dispersion(const grid *g)
{
    double squares = 0, expected = 0;
    for (size_t p = 0; p < g->points; p++) {
        const cell *before = NULL;
        for (size_t w = 0; w < g->periods; w++) {
            const cell *c = &g->cells[p * g->periods + w];
            if (isnan(c->flow)) continue;
            if (before) {
                double a = before->active / before->open, b = c->active / c->open, mean = (before->count + c->count) / (a + b);
                squares += (c->flow - before->flow) * (c->flow - before->flow);
                expected += mean * (1 / a + 1 / b);
            }
            before = c;
        }
    }
    return expected > 0 ? fmax(squares / expected, 1) : 1;
}

static void observe(grid *g)
{
    for (size_t i = 0; i < g->points * g->periods; i++) {
        cell *c = &g->cells[i];
        c->flow = c->variance = NAN;
        if (c->rows && c->missing < c->rows && c->active > 0) c->flow = c->count * c->open / c->active;
    }
    g->phi = dispersion(g);
    for (size_t i = 0; i < g->points * g->periods; i++) {
        cell *c = &g->cells[i];
        double coverage = c->active / c->open;
        if (!isnan(c->flow)) c->variance = g->phi * fmax(c->count, 0.5) / (coverage * coverage);
    }
}

/* Which points and periods have people at all: the others have no finite effect. */
static void effects(const grid *g, size_t *point_column, size_t *period_column, size_t *columns)
{
    double *points = su_alloc_array(g->points, sizeof *points), *periods = su_alloc_array(g->periods, sizeof *periods);
    for (size_t p = 0; p < g->points; p++)
        for (size_t w = 0; w < g->periods; w++) {
            double flow = g->cells[p * g->periods + w].flow;
            if (isnan(flow)) continue;
            points[p] += flow;
            periods[w] += flow;
        }
    *columns = 0;
    for (size_t p = 0; p < g->points; p++) point_column[p] = points[p] > 0 ? ++*columns : 0;
    bool first = true;
    for (size_t w = 0; w < g->periods; w++) {
        period_column[w] = periods[w] <= 0 ? 0 : first ? SIZE_MAX : ++*columns; /* SIZE_MAX: the reference period */
        if (periods[w] > 0) first = false;
    }
    free(points);
    free(periods);
}

static bool design_row(const size_t *point_column, const size_t *period_column, size_t p, size_t w, double *row, size_t columns)
{
    for (size_t k = 0; k < columns; k++) row[k] = 0;
    if (!point_column[p] || !period_column[w]) return false;
    row[point_column[p] - 1] = 1;
    if (period_column[w] != SIZE_MAX) row[period_column[w] - 1] = 1;
    return true;
}

/* The filled periods of one point share the model's coefficients: their sum's variance is g' V g and not a sum of variances. */
typedef struct filled {
    double sum, own, *gradient;
    size_t count;
} filled;

static void fill_cell(const su_counts_fit *fit, const double *row, double phi, cell *c, filled *sum)
{
    double error, mean = exp(su_counts_predict(fit, row, 0, &error));
    double own = fmax(phi * mean, isinf(fit->theta) ? mean : mean + mean * mean / fit->theta);
    c->flow = mean;
    c->variance = own + mean * mean * error * error;
    c->filled = true;
    for (size_t k = 0; k < fit->columns; k++) sum->gradient[k] += mean * row[k];
    sum->sum += mean;
    sum->own += own;
    sum->count++;
}

static su_status fit_gaps(su_context *ctx, grid *g, const size_t *point_column, const size_t *period_column, size_t columns, filled *sums,
                          su_counts_fit **out)
{
    size_t cells = g->points * g->periods, rows = 0;
    double *x = su_alloc_array(cells * columns, sizeof *x), *y = su_alloc_array(cells, sizeof *y),
           *offset = su_alloc_array(cells, sizeof *offset);
    double *row = su_alloc_array(columns, sizeof *row);
    for (size_t i = 0; i < cells; i++) {
        const cell *c = &g->cells[i];
        if (isnan(c->flow) || !design_row(point_column, period_column, i / g->periods, i % g->periods, x + rows * columns, columns))
            continue;
        y[rows] = c->count;
        offset[rows++] = log(c->active / c->open);
    }
    su_counts_design d = { y, x, offset, NULL, rows, columns };
    su_counts_options o = { SU_COUNT_NEGATIVE_BINOMIAL, SU_ERRORS_MODEL, 0 };
    su_status st = su_counts_fit_new(ctx, &d, &o, out);
    for (size_t i = 0; !st && i < cells; i++) {
        cell *c = &g->cells[i];
        size_t p = i / g->periods;
        if (!isnan(c->flow)) continue;
        if (design_row(point_column, period_column, p, i % g->periods, row, columns))
            fill_cell(*out, row, g->phi, c, &sums[p]);
        else if (!point_column[p]) { /* never anyone at this point */
            c->flow = c->variance = 0;
            c->filled = true;
            sums[p].count++;
        }
    }
    free(x);
    free(y);
    free(offset);
    free(row);
    return st ? su_fail_prefix(ctx, "filling the periods without observation: ") : SU_OK;
}

static void interval(double flow, double variance, double level, double *low, double *high)
{
    double reach = su_normal_quantile(0.5 + level / 2) * sqrt(variance) / flow;
    *low = flow > 0 ? flow * exp(-reach) : 0;
    *high = flow > 0 ? flow * exp(reach) : NAN;
}

static void point_row(const grid *g, size_t p, const filled *sum, const su_counts_fit *fit, double level, su_result_table *t,
                      su_result *out)
{
    double counted = 0, flow = 0, variance = 0, active = 0, open = 0, low, high;
    int64_t seen = 0, unknown = 0;
    for (size_t w = 0; w < g->periods; w++) {
        const cell *c = &g->cells[p * g->periods + w];
        unknown += isnan(c->flow);
        if (isnan(c->flow) || c->filled) continue;
        counted += c->count;
        flow += c->flow;
        variance += c->variance;
        active += c->active;
        open += c->open;
        seen++;
    }
    if (sum->count && fit) {
        flow += sum->sum;
        variance += sum->own + su_quadratic(fit->covariance, sum->gradient, fit->columns);
    }
    interval(flow, variance, level, &low, &high);
    double share = flow > 0 ? sum->sum / flow : 0;
    su_result_text(t, g->point->levels[p]);
    su_result_integer(t, seen);
    su_result_integer(t, (int64_t)sum->count);
    su_result_number(t, open > 0 ? active / open : NAN);
    double row[6] = { counted, flow, sqrt(variance), low, high, share };
    for (int k = 0; k < 6; k++) su_result_number(t, row[k]);
    if (share > 0.3)
        su_result_warn(out, "W_IMPUTED", "%s: %.0f %% of the flow is the model's, not counted", g->point->levels[p], 100 * share);
    if (unknown)
        su_result_warn(out, "W_GAPS", "%s: %lld periods in which no point was watched are left out of its total", g->point->levels[p],
                       (long long)unknown);
}

static void table_points(const grid *g, const filled *sums, const su_counts_fit *fit, double level, su_result *out)
{
    su_result_table *t = su_result_table_add(out, "points", "Flow by point (points are not added up: a person may pass several)");
    su_result_column(t, "point", "point", SU_COLUMN_TEXT);
    su_result_column(t, "seen", "periods seen", SU_COLUMN_INTEGER);
    su_result_column(t, "filled", "filled", SU_COLUMN_INTEGER);
    su_result_column(t, "coverage", "coverage", SU_COLUMN_PERCENT);
    su_result_column(t, "counted", "counted", SU_COLUMN_NUMBER);
    su_result_column(t, "flow", "flow", SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
    su_result_column(t, "filled_share", "filled share", SU_COLUMN_PERCENT);
    for (size_t p = 0; p < g->points; p++) point_row(g, p, &sums[p], fit, level, t, out);
    su_result_plot(out, SU_PLOT_INTERVALS, "Flow by point", t, "point", NULL, "flow", "low", "high");
}

static void table_weeks(const grid *g, double level, su_result *out)
{
    su_result_table *t = su_result_table_add(out, "weeks", "Flow by point and period");
    su_result_column(t, "point", "point", SU_COLUMN_TEXT);
    su_result_column(t, "period", "period", SU_COLUMN_TEXT);
    su_result_column(t, "counted", "counted", SU_COLUMN_NUMBER);
    su_result_column(t, "coverage", "coverage", SU_COLUMN_PERCENT);
    su_result_column(t, "flow", "flow", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
    su_result_column(t, "how", "", SU_COLUMN_TEXT);
    for (size_t i = 0; i < g->points * g->periods; i++) {
        const cell *c = &g->cells[i];
        double low = NAN, high = NAN;
        if (!isnan(c->flow)) interval(c->flow, c->variance, level, &low, &high);
        su_result_text(t, g->point->levels[i / g->periods]);
        su_result_text(t, g->period->levels[i % g->periods]);
        su_result_number(t, c->filled || isnan(c->flow) ? NAN : c->count);
        su_result_number(t, c->open > 0 ? c->active / c->open : 0);
        su_result_number(t, c->flow);
        su_result_number(t, low);
        su_result_number(t, high);
        su_result_text(t, isnan(c->flow) ? "not known" : c->filled ? "filled" : "counted");
    }
}

static void say(const grid *g, const su_frame *f, size_t gaps, su_result *out)
{
    su_result_fact(out, "n", "Rows", (double)f->rows);
    su_result_fact(out, "points", "Points", (double)g->points);
    su_result_fact(out, "periods", "Periods", (double)g->periods);
    su_result_fact(out, "gaps", "Point-periods not observed", (double)gaps);
    su_result_fact(out, "dispersion", "Dispersion (successive differences)", g->phi);
    if (gaps) su_result_fact(out, "theta", "theta of the gap model", g->theta);
    su_result_fact_text(out, "method", "Method", gaps ? "count / coverage; negative binomial for gaps" : "count / coverage");
    su_result_warn(out, "W_DOUBLE_COUNTING", "flows of several points must not be added up: the same person may be counted at each");
    su_result_method(
        out,
        "Flow is the count divided by the share of the period in which the point was watched, with the variance of a Poisson count "
        "times %.3g, the dispersion of successive differences.",
        g->phi);
    if (gaps)
        su_result_method(out, "%zu point-periods without observation were filled from a negative binomial regression on point and period.",
                         gaps);
}

su_status su_flow_points(su_context *ctx, su_frame *f, const su_points_input *in, su_result *out)
{
    grid g = { 0 };
    su_counts_fit *fit = NULL;
    filled *sums = NULL;
    size_t columns = 0, gaps = 0, *point_column = NULL, *period_column = NULL;
    su_status st = su_need_number(ctx, in->count);
    if (!st) st = su_need_number(ctx, in->active);
    if (!st) st = su_need_number(ctx, in->open);
    if (!st) st = su_frame_as_factor(ctx, f, in->point, &g.point);
    if (!st) st = su_frame_as_factor(ctx, f, in->period, &g.period);
    if (st) return st;
    g.points = g.point->level_count;
    g.periods = g.period->level_count;
    if (g.points + g.periods > MOST_EFFECTS || g.points == 0)
        return su_fail(ctx, SU_REFUSED, "%zu points and %zu periods: at most %d together; split the file by region or year", g.points,
                       g.periods, MOST_EFFECTS);
    g.cells = su_alloc_array(g.points * g.periods, sizeof *g.cells);
    point_column = su_alloc_array(g.points, sizeof *point_column);
    period_column = su_alloc_array(g.periods, sizeof *period_column);
    sums = su_alloc_array(g.points, sizeof *sums);
    for (uint64_t row = 0; !st && row < f->rows; row++) st = add_row(ctx, in, &g, row);
    if (!st) {
        observe(&g);
        for (size_t i = 0; i < g.points * g.periods; i++) gaps += isnan(g.cells[i].flow);
        effects(&g, point_column, period_column, &columns);
        for (size_t p = 0; p < g.points; p++) sums[p].gradient = su_alloc_array(columns ? columns : 1, sizeof(double));
        if (gaps == g.points * g.periods) st = su_fail(ctx, SU_REFUSED, "no point was watched in any period");
    }
    if (!st && gaps && columns) st = fit_gaps(ctx, &g, point_column, period_column, columns, sums, &fit);
    if (!st) {
        g.theta = fit ? fit->theta : NAN;
        say(&g, f, gaps, out);
        table_points(&g, sums, fit, in->level, out);
        if (in->print_weeks) table_weeks(&g, in->level, out);
    }
    for (size_t p = 0; sums && p < g.points; p++) free(sums[p].gradient);
    su_counts_fit_free(fit);
    free(sums);
    free(point_column);
    free(period_column);
    free(g.cells);
    return st;
}
