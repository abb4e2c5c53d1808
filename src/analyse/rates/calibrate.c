/* Weights that meet known totals: post-stratification, raking, calibration, trimming. Deville and Särndal 1992 (doi:10.2307/2290268);
 * Deming and Stephan 1940 (doi:10.1214/aoms/1177731829). */
#include "numeric/matrix.h"
#include "rates/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIVOT 1e-9
enum { MOST_COLUMNS = 3000 };

typedef struct calibrator {
    su_context *ctx;
    su_design *d;
    const su_margin *margins;
    size_t count;
    const su_calibration_options *options;
    double *totals; /* per column */
    double tolerance;
    unsigned rounds;
} calibrator;

/* ---- the matrix ------------------------------------------------------------------------------------------------------------- */

static su_status add_factor(calibrator *c, const su_margin *m, su_calibration_term *term)
{
    su_design *d = c->d;
    uint32_t *level = su_arena_array(&d->arena, (size_t)d->rows, sizeof *level);
    double *held = su_alloc_array(m->variable->level_count + 1, sizeof *held);
    su_status st = SU_OK;
    for (uint64_t r = 0; r < d->rows && !st; r++) {
        level[r] = su_frame_level(m->variable, r);
        held[level[r]] += d->weight[r];
        if (!level[r] && d->weight[r] > 0)
            st = su_fail(c->ctx, SU_INPUT,
                         "row %llu has no value of '%s', which the weights are to be fitted to; give it one, or make \"unknown\" a level",
                         (unsigned long long)r + 1, m->variable->name);
        else if (!level[r])
            level[r] = 1; /* weight 0: it counts for nothing */
    }
    for (uint32_t i = 0; i < m->variable->level_count && !st; i++) {
        const char *name = m->variable->levels[i];
        if (isnan(m->totals[i]))
            st = su_fail(c->ctx, SU_INPUT, "the margin of '%s' has no total for '%s', which is in the sample", m->variable->name, name);
        else if (m->totals[i] < 0 || isinf(m->totals[i]))
            st = su_fail(c->ctx, SU_INPUT, "the margin of '%s' has the total %g for '%s'; it must be a number from 0 up", m->variable->name,
                         m->totals[i], name);
        else if (m->totals[i] > 0 && !(held[i + 1] > 0))
            st = su_fail(c->ctx, SU_INPUT,
                         "'%s' of '%s' has a population of %g and nobody of positive weight in the sample; merge it with another level",
                         name, m->variable->name, m->totals[i]);
        c->totals[term->column + i] = m->totals[i];
    }
    free(held);
    term->level = level;
    return st;
}

static su_status add_number(calibrator *c, const su_margin *m, su_calibration_term *term)
{
    su_design *d = c->d;
    double *value = su_arena_array(&d->arena, (size_t)d->rows, sizeof *value);
    for (uint64_t r = 0; r < d->rows; r++) {
        value[r] = m->variable ? su_frame_number(m->variable, r) : 1;
        if (isnan(value[r]) && d->weight[r] > 0)
            return su_fail(c->ctx, SU_INPUT, "row %llu has no value of '%s', which the weights are to be fitted to",
                           (unsigned long long)r + 1, m->variable->name);
        if (isnan(value[r])) value[r] = 0;
    }
    c->totals[term->column] = m->totals[0];
    term->value = value;
    return SU_OK;
}

static su_status build_terms(calibrator *c)
{
    su_design *d = c->d;
    size_t columns = c->options->intercept ? 1 : 0;
    for (size_t i = 0; i < c->count; i++)
        columns += c->margins[i].variable->kind == SU_VARIABLE_FACTOR ? c->margins[i].variable->level_count : 1;
    if (columns > MOST_COLUMNS)
        return su_fail(c->ctx, SU_REFUSED, "%zu margins' cells are more than %d; merge small ones", columns, MOST_COLUMNS);
    d->terms = su_arena_array(&d->arena, c->count + 1, sizeof *d->terms);
    c->totals = su_arena_array(&d->arena, columns + 1, sizeof *c->totals);
    su_status st = SU_OK;
    if (c->options->intercept) {
        su_margin one = { NULL, &c->options->intercept_total };
        d->columns = 1;
        st = add_number(c, &one, &d->terms[d->term_count++]);
    }
    for (size_t i = 0; i < c->count && !st; i++) {
        su_calibration_term *term = &d->terms[d->term_count++];
        bool factor = c->margins[i].variable->kind == SU_VARIABLE_FACTOR;
        term->column = d->columns;
        d->columns += factor ? c->margins[i].variable->level_count : 1;
        st = factor ? add_factor(c, &c->margins[i], term) : add_number(c, &c->margins[i], term);
    }
    return st;
}

static inline size_t column_of(const su_calibration_term *t, uint64_t r) { return t->column + (t->level ? t->level[r] - 1 : 0); }
static inline double value_of(const su_calibration_term *t, uint64_t r) { return t->level ? 1 : t->value[r]; }

/* out = sum of factor x x', sums = sum of weight x; either may be NULL. */
static void accumulate(const su_design *d, const double *weight, const double *factor, double *out, double *sums)
{
    size_t p = d->columns;
    if (out) memset(out, 0, p * p * sizeof *out);
    if (sums) memset(sums, 0, p * sizeof *sums);
    for (uint64_t r = 0; r < d->rows; r++)
        for (uint32_t i = 0; i < d->term_count; i++) {
            const su_calibration_term *t = &d->terms[i];
            double x = value_of(t, r);
            if (sums) sums[column_of(t, r)] += weight[r] * x;
            for (uint32_t k = 0; out && k < d->term_count; k++)
                out[column_of(t, r) * p + column_of(&d->terms[k], r)] += factor[r] * x * value_of(&d->terms[k], r);
        }
}

static void invert(const double *a, size_t p, double *inverse)
{
    double *work = su_alloc_array(p * p, sizeof *work);
    bool *kept = su_alloc_array(p, sizeof *kept);
    memcpy(work, a, p * p * sizeof *work);
    su_cholesky(work, p, PIVOT, kept);
    su_cholesky_inverse(work, p, kept, inverse);
    free(work);
    free(kept);
}

void su_design_residual_solve(const su_design *d, const double *sums, size_t k, double *coefficients)
{
    su_multiply(d->inverse, sums, d->columns, d->columns, k, coefficients);
}

/* ---- post-stratification and raking ----------------------------------------------------------------------------------------- */

static su_status margins_agree(calibrator *c)
{
    const su_design *d = c->d;
    double first = 0;
    for (uint32_t i = 0; i < d->term_count; i++) {
        double sum = 0;
        uint32_t end = i + 1 < d->term_count ? d->terms[i + 1].column : d->columns;
        if (!d->terms[i].level)
            return su_fail(c->ctx, SU_INPUT, "'%s' is a number; post-stratification and raking need groups, calibration takes numbers",
                           c->margins[i].variable->name);
        for (uint32_t j = d->terms[i].column; j < end; j++) sum += c->totals[j];
        if (i == 0)
            first = sum;
        else if (fabs(sum - first) > 1e-6 * fabs(first))
            return su_fail(c->ctx, SU_INPUT, "the margins disagree: '%s' sums to %.10g, '%s' to %.10g; scale one of them",
                           c->margins[0].variable->name, first, c->margins[i].variable->name, sum);
    }
    return first > 0 ? SU_OK : su_fail(c->ctx, SU_INPUT, "the margin of '%s' sums to zero", c->margins[0].variable->name);
}

static double fit_margin(calibrator *c, const su_calibration_term *t, uint32_t levels)
{
    su_design *d = c->d;
    su_sum *held = su_alloc_array(levels, sizeof *held);
    double *factor = su_alloc_array(levels, sizeof *factor), change = 0;
    for (uint64_t r = 0; r < d->rows; r++) su_sum_add(&held[t->level[r] - 1], d->weight[r]);
    for (uint32_t i = 0; i < levels; i++) {
        double sum = su_sum_of(&held[i]);
        factor[i] = sum > 0 ? c->totals[t->column + i] / sum : 1;
        change = fmax(change, fabs(factor[i] - 1));
    }
    for (uint64_t r = 0; r < d->rows; r++) d->weight[r] *= factor[t->level[r] - 1];
    free(held);
    free(factor);
    return change;
}

static su_status rake(calibrator *c)
{
    su_design *d = c->d;
    unsigned most = c->options->rounds ? c->options->rounds : 200;
    su_status st = margins_agree(c);
    if (!st && c->options->method == SU_CALIBRATE_POSTSTRATIFY && d->term_count != 1)
        return su_fail(c->ctx, SU_INPUT,
                       "post-stratification has one margin; give the cells of all variables together (sex*region), or rake");
    for (c->rounds = 1; !st; c->rounds++) {
        double change = 0;
        for (uint32_t i = 0; i < d->term_count; i++)
            change = fmax(change,
                          fit_margin(c, &d->terms[i], (i + 1 < d->term_count ? d->terms[i + 1].column : d->columns) - d->terms[i].column));
        if (change < c->tolerance || d->term_count == 1) return SU_OK;
        if (su_cancelled(c->ctx)) return su_fail(c->ctx, SU_CANCELLED, "interrupted");
        if (c->rounds >= most)
            st = su_fail(c->ctx, SU_REFUSED,
                         "raking did not settle in %u rounds (a margin still changes by %.2g of itself): some combination that the margins "
                         "need is not in the sample; "
                         "merge levels, or use fewer margins",
                         most, change);
    }
    return st;
}

/* ---- calibration ------------------------------------------------------------------------------------------------------------ */

/* New weight over old weight at u = x' lambda, and its slope. */
static double distance(const su_calibration_options *o, double u, double *slope)
{
    bool bounded = o->high > 0;
    if (o->method == SU_CALIBRATE_LOGIT) {
        double l = o->low, h = o->high, a = (h - l) / ((1 - l) * (h - 1));
        double e = exp(fmin(a * u, 700)), bottom = (h - 1) + (1 - l) * e;
        *slope = (h - l) * (h - l) * e / (bottom * bottom);
        return (l * (h - 1) + h * (1 - l) * e) / bottom;
    }
    double g = o->method == SU_CALIBRATE_RAKING ? exp(fmin(u, 700)) : 1 + u;
    *slope = o->method == SU_CALIBRATE_RAKING ? g : 1;
    if (bounded && (g < o->low || g > o->high)) {
        *slope = 0;
        return g < o->low ? o->low : o->high;
    }
    return g;
}

static void apply(calibrator *c, const double *lambda, double *slopes)
{
    su_design *d = c->d;
    for (uint64_t r = 0; r < d->rows; r++) {
        double u = 0, slope = 0;
        for (uint32_t i = 0; i < d->term_count; i++) u += lambda[column_of(&d->terms[i], r)] * value_of(&d->terms[i], r);
        d->weight[r] = d->before[r] * distance(c->options, u, &slope);
        slopes[r] = d->before[r] * slope;
    }
}

static double misfit(const calibrator *c, const double *sums, size_t *worst)
{
    double most = 0;
    for (size_t j = 0; j < c->d->columns; j++) {
        double miss = fabs(sums[j] - c->totals[j]) / fmax(1, fabs(c->totals[j]));
        if (!(miss <= most)) {
            most = miss;
            *worst = j;
        }
    }
    return most;
}

static su_status not_met(const calibrator *c, size_t worst, double miss)
{
    const char *name = "the number of units";
    for (size_t i = 0; i < c->count; i++)
        if (worst >= c->d->terms[i + (c->options->intercept ? 1 : 0)].column) name = c->margins[i].variable->name;
    return su_fail(c->ctx, SU_REFUSED, "the margins cannot be met%s: '%s' stays %.2g of itself away after %u rounds; %s",
                   c->options->high > 0 ? " within the bounds" : "", name, miss, c->rounds,
                   c->options->high > 0 ? "widen --bounds, or use fewer margins" : "use fewer margins, or merge levels");
}

static su_status newton(calibrator *c)
{
    su_design *d = c->d;
    size_t p = d->columns, worst = 0;
    unsigned most = c->options->rounds ? c->options->rounds : 200;
    double *lambda = su_alloc_array(p, sizeof *lambda), *trial = su_alloc_array(p, sizeof *trial), *step = su_alloc_array(p, sizeof *step);
    double *matrix = su_alloc_array(p * p, sizeof *matrix), *inverse = su_alloc_array(p * p, sizeof *inverse),
           *sums = su_alloc_array(p, sizeof *sums);
    double *slopes = su_alloc_array((size_t)d->rows, sizeof *slopes), *gap = su_alloc_array(p, sizeof *gap);
    su_status st = SU_OK;
    apply(c, lambda, slopes);
    accumulate(d, d->weight, slopes, matrix, sums);
    double miss = misfit(c, sums, &worst);
    for (c->rounds = 0; miss > c->tolerance && c->rounds < most && !su_cancelled(c->ctx); c->rounds++) {
        double size = 1, next = INFINITY;
        for (size_t j = 0; j < p; j++) gap[j] = c->totals[j] - sums[j];
        invert(matrix, p, inverse);
        su_multiply(inverse, gap, p, p, 1, step);
        for (int half = 0; half < 20; half++, size /= 2) {
            for (size_t j = 0; j < p; j++) trial[j] = lambda[j] + size * step[j];
            apply(c, trial, slopes);
            accumulate(d, d->weight, slopes, matrix, sums);
            next = misfit(c, sums, &worst);
            if (next < miss) break;
        }
        if (!(next < miss)) break;
        memcpy(lambda, trial, p * sizeof *lambda);
        miss = next;
    }
    if (miss > fmax(c->tolerance, 1e-8)) st = not_met(c, worst, miss);
    free(lambda);
    free(trial);
    free(step);
    free(matrix);
    free(inverse);
    free(sums);
    free(slopes);
    free(gap);
    return st;
}

static su_status check_bounds(calibrator *c)
{
    const su_calibration_options *o = c->options;
    if (o->method == SU_CALIBRATE_LOGIT && !(o->high > 0))
        return su_fail(c->ctx, SU_INPUT, "calibration by logit needs bounds for new weight / old weight, such as --bounds 0.3,3");
    if (o->high > 0 && !(o->low < 1 && o->high > 1 && o->low >= 0))
        return su_fail(c->ctx, SU_INPUT, "the bounds %g, %g must lie on both sides of 1, the lower one not below 0", o->low, o->high);
    return SU_OK;
}

/* Replicates are calibrated again, each on its own. */
static void keep_margins(su_design *d, const su_margin *margins, size_t count, const su_calibration_options *options)
{
    su_margin *copy = su_arena_array(&d->arena, count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        size_t n = margins[i].variable->kind == SU_VARIABLE_FACTOR ? margins[i].variable->level_count : 1;
        double *totals = su_arena_array(&d->arena, n + 1, sizeof *totals);
        memcpy(totals, margins[i].totals, n * sizeof *totals);
        copy[i] = (su_margin) { margins[i].variable, totals };
    }
    d->margins = copy;
    d->margin_count = count;
    d->calibration = *options;
}

su_status su_design_calibrate(su_context *ctx, su_design *d, const su_margin *margins, size_t count, const su_calibration_options *options,
                              unsigned *rounds)
{
    calibrator c = { ctx, d, margins, count, options, NULL, options->tolerance > 0 ? options->tolerance : 1e-10, 0 };
    bool iterates = options->method == SU_CALIBRATE_POSTSTRATIFY || options->method == SU_CALIBRATE_RAKE;
    if (d->before) return su_fail(ctx, SU_USAGE, "the weights are calibrated already");
    if (!count && !options->intercept) return su_fail(ctx, SU_USAGE, "there is no margin to fit the weights to");
    su_status st = check_bounds(&c);
    if (!st) st = build_terms(&c);
    if (st) return st;
    d->before = su_alloc_array((size_t)d->rows, sizeof *d->before);
    memcpy(d->before, d->weight, (size_t)d->rows * sizeof *d->before);
    st = iterates ? rake(&c) : newton(&c);
    if (rounds) *rounds = c.rounds;
    if (st) return st;
    double *matrix = su_alloc_array((size_t)d->columns * d->columns, sizeof *matrix);
    d->inverse = su_arena_array(&d->arena, (size_t)d->columns * d->columns, sizeof *d->inverse);
    accumulate(d, NULL, d->before, matrix, NULL);
    invert(matrix, d->columns, d->inverse);
    free(matrix);
    d->weights = true;
    keep_margins(d, margins, count, options);
    return SU_OK;
}

/* ---- trimming, crossing ----------------------------------------------------------------------------------------------------- */

su_status su_design_trim(su_context *ctx, su_design *d, double most, uint64_t *trimmed)
{
    su_sum total = { 0 };
    uint64_t positive = 0;
    bool *cut = su_alloc_array((size_t)d->rows, sizeof *cut);
    su_status st = SU_OK;
    *trimmed = 0;
    for (uint64_t r = 0; r < d->rows; r++) {
        su_sum_add(&total, d->weight[r]);
        positive += d->weight[r] > 0;
    }
    double sum = su_sum_of(&total);
    if (!(most >= sum / (double)positive * (1 - 1e-12)))
        st = su_fail(ctx, SU_REFUSED, "weights cannot all be at most %g: their mean is %g", most, sum / (double)positive);
    for (bool again = true; again && !st;) {
        su_sum rest = { 0 };
        again = false;
        for (uint64_t r = 0; r < d->rows; r++)
            if (!cut[r] && d->weight[r] > most) {
                cut[r] = again = true;
                d->weight[r] = most;
                ++*trimmed;
            }
        for (uint64_t r = 0; r < d->rows; r++)
            if (!cut[r]) su_sum_add(&rest, d->weight[r]);
        double free_sum = su_sum_of(&rest), factor = free_sum > 0 ? (sum - most * (double)*trimmed) / free_sum : 1;
        for (uint64_t r = 0; again && r < d->rows; r++)
            if (!cut[r]) d->weight[r] *= factor;
    }
    free(cut);
    return st;
}

su_status su_frame_interaction(su_context *ctx, su_frame *f, const su_variable *const *factors, size_t count, const su_variable **out)
{
    const su_variable *all[8];
    uint64_t cells = 1;
    su_status st = count && count <= 8 ? SU_OK : su_fail(ctx, SU_USAGE, "from 1 to 8 columns can be crossed");
    for (size_t i = 0; i < count && !st; i++) {
        st = su_frame_as_factor(ctx, f, factors[i], &all[i]);
        if (!st && (cells *= all[i]->level_count) > 1000000)
            st = su_fail(ctx, SU_INPUT, "the columns have more than a million combinations");
    }
    if (st || count == 1) {
        *out = st ? NULL : all[0];
        return st;
    }
    uint32_t *cell = su_arena_array(&f->arena, (size_t)f->rows, sizeof *cell), *number = su_alloc_array((size_t)cells + 1, sizeof *number);
    for (uint64_t r = 0; r < f->rows; r++) {
        uint64_t at = 0;
        bool missing = false;
        for (size_t i = 0; i < count; i++) {
            uint32_t level = su_frame_level(all[i], r);
            missing |= !level;
            at = at * all[i]->level_count + (level ? level - 1 : 0);
        }
        cell[r] = missing ? 0 : (uint32_t)at + 1;
        number[cell[r]] = 1;
    }
    su_variable *v = su_arena_alloc(&f->arena, sizeof *v);
    const char **names = su_arena_array(&f->arena, (size_t)cells, sizeof *names);
    su_buf title = { 0 }, name = { 0 };
    uint32_t used = 0;
    number[0] = 0;
    for (uint64_t at = 0; at < cells; at++) {
        if (!number[at + 1]) continue;
        name.n = 0;
        uint64_t divisor = cells;
        for (size_t i = 0; i < count; i++) {
            divisor /= all[i]->level_count;
            su_buf_printf(&name, "%s%s", i ? "*" : "", all[i]->levels[at / divisor % all[i]->level_count]);
        }
        names[used++] = su_arena_strndup(&f->arena, name.p, name.n);
        number[at + 1] = used;
    }
    for (uint64_t r = 0; r < f->rows; r++) cell[r] = number[cell[r]];
    for (size_t i = 0; i < count; i++) su_buf_printf(&title, "%s%s", i ? "*" : "", all[i]->name);
    *v = (su_variable) { .name = su_arena_strndup(&f->arena, title.p, title.n),
                         .kind = SU_VARIABLE_FACTOR,
                         .level = cell,
                         .levels = names,
                         .level_count = used };
    free(number);
    su_buf_free(&title);
    su_buf_free(&name);
    *out = v;
    return SU_OK;
}
