/* A series of counts: model, changes, tests, decomposition, forecast. */
#include <suha/flow.h>

#include <math.h>
#include <stdlib.h>

#include "numeric/special.h"

enum { MOST_TERMS = 40 };

typedef struct terms {
    size_t count;
    const char *name[MOST_TERMS];
    size_t shift; /* index, 0 = none */
    double *x, *offset;
} terms;

/* One row of the design: period index, season, shift. */
static void fill_row(const su_series *s, const su_trend_options *o, double t, unsigned season, double shift, double *row)
{
    size_t k = 0;
    row[k++] = 1;
    row[k++] = t;
    for (unsigned h = 1; h <= o->harmonics; h++) {
        double angle = 2 * acos(-1) * h * (season + 1) / s->period;
        row[k++] = cos(angle);
        if (2 * h != s->period) row[k++] = sin(angle);
    }
    if (s->shift || o->has_break) row[k++] = shift;
}

static double shift_at(const su_series *s, const su_trend_options *o, size_t i)
{
    return s->shift ? s->shift[i] : o->has_break && s->ordinal[i] >= o->break_at;
}

static double exposure_at(const su_series *s, const su_trend_options *o, size_t i)
{
    su_period p;
    if (s->exposure) return s->exposure[i];
    return o->calendar_exposure && su_period_of(s->kind, s->ordinal[i], &p) && p.days ? p.days : 1;
}

static su_status name_terms(su_context *ctx, const su_series *s, const su_trend_options *o, su_arena *arena, terms *t)
{
    t->name[t->count++] = "(Intercept)";
    t->name[t->count++] = "period";
    if (o->harmonics && !s->period)
        return su_fail(ctx, SU_USAGE, "harmonics need a season: times as months, quarters or weeks, or --season and --period");
    if (2 * o->harmonics > s->period && o->harmonics)
        return su_fail(ctx, SU_USAGE, "%u harmonics are too many for %u seasons a year", o->harmonics, s->period);
    if (o->harmonics > 16) return su_fail(ctx, SU_USAGE, "at most 16 harmonics");
    for (unsigned h = 1; h <= o->harmonics; h++) {
        t->name[t->count++] = su_arena_printf(arena, "cos %u", h);
        if (2 * h != s->period) t->name[t->count++] = su_arena_printf(arena, "sin %u", h);
    }
    if (s->shift || o->has_break) {
        t->shift = t->count;
        t->name[t->count++] = su_arena_printf(arena, "shift %s", o->shift_name ? o->shift_name : "");
    }
    return SU_OK;
}

static su_status design(su_context *ctx, const su_series *s, const su_trend_options *o, su_arena *arena, terms *t)
{
    su_status st = name_terms(ctx, s, o, arena, t);
    if (st) return st;
    t->x = su_arena_array(arena, s->n * t->count, sizeof *t->x);
    t->offset = su_arena_array(arena, s->n, sizeof *t->offset);
    bool before = false, after = false;
    for (size_t i = 0; i < s->n; i++) {
        double shift = shift_at(s, o, i);
        before |= shift == 0;
        after |= shift != 0;
        fill_row(s, o, (double)(s->ordinal[i] - s->ordinal[0]) + 1, s->season[i], shift, t->x + i * t->count);
        t->offset[i] = log(exposure_at(s, o, i));
    }
    if (t->shift && !(before && after))
        return su_fail(ctx, SU_REFUSED, "the level shift lies outside the series: every period is %s it", before ? "before" : "after");
    return SU_OK;
}

/* t, also where the variance is the model's: with the normal quantile a break's interval holds the truth too seldom in short series. */
static double widening(const su_trend_options *o, const su_counts_fit *f)
{
    bool model = f->overdispersed && o->errors == SU_ERRORS_MODEL; /* theta by maximum likelihood is too large in short series */
    return model ? sqrt(fmax(f->dispersion, 1)) : 1;
}

static double reach_of(const su_trend_options *o, const su_counts_fit *f)
{
    return su_t_quantile(0.5 + o->level / 2, (double)f->df) * widening(o, f);
}

static double p_of(const su_trend_options *o, const su_counts_fit *f, double t) { return su_t_two_sided(t / widening(o, f), (double)f->df); }

static void add_columns(su_result_table *t, const char *const (*columns)[2], const su_column_kind *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++) su_result_column(t, columns[i][0], columns[i][1], kinds[i]);
}

static void table_coefficients(const su_trend_options *o, const su_counts_fit *f, const terms *t, su_result *out)
{
    static const char *const heads[][2] = { { "term", "term" }, { "estimate", "log rate" }, { "se", "SE" },    { "t", "t" },
                                            { "p", "p" },       { "ratio", "rate ratio" },  { "low", "from" }, { "high", "to" } };
    static const su_column_kind kinds[] = { SU_COLUMN_TEXT, SU_COLUMN_NUMBER, SU_COLUMN_NUMBER, SU_COLUMN_NUMBER,
                                            SU_COLUMN_P,    SU_COLUMN_NUMBER, SU_COLUMN_NUMBER, SU_COLUMN_NUMBER };
    su_result_table *table = su_result_table_add(out, "coefficients", "Model of the counts");
    add_columns(table, heads, kinds, 8);
    double reach = reach_of(o, f);
    for (size_t j = 0; j < t->count; j++) {
        double b = f->coefficients[j], se = sqrt(f->covariance[j * t->count + j]);
        su_result_text(table, t->name[j]);
        if (!f->kept[j]) {
            for (int k = 0; k < 7; k++) su_result_number(table, NAN);
            su_result_warn(out, "W_ALIASED", "term '%s' follows from the terms before it and was left out", t->name[j]);
            continue;
        }
        double z = b / se, row[7] = { b, se, z, p_of(o, f, z), exp(b), exp(b - reach * se), exp(b + reach * se) };
        for (int k = 0; k < 7; k++) su_result_number(table, row[k]);
    }
}

static void change_row(su_result_table *t, const char *what, double b, double se, double reach, double p)
{
    su_result_text(t, what);
    su_result_number(t, expm1(b));
    su_result_number(t, expm1(b - reach * se));
    su_result_number(t, expm1(b + reach * se));
    su_result_number(t, p);
}

static void table_changes(const su_series *s, const su_trend_options *o, const su_counts_fit *f, const terms *t, su_result *out)
{
    static const char *const heads[][2] = { { "what", "" }, { "change", "change" }, { "low", "from" }, { "high", "to" }, { "p", "p" } };
    static const su_column_kind kinds[] = { SU_COLUMN_TEXT, SU_COLUMN_PERCENT, SU_COLUMN_PERCENT, SU_COLUMN_PERCENT, SU_COLUMN_P };
    su_result_table *table = su_result_table_add(out, "changes", "Relative change");
    add_columns(table, heads, kinds, 5);
    double reach = reach_of(o, f);
    size_t n = t->count;
    double b = f->coefficients[1], se = sqrt(f->covariance[n + 1]), year = s->kind == 'd' ? 365.25 : s->period ? s->period : 1;
    if (f->kept[1]) {
        if (year > 1) change_row(table, "per year", year * b, year * se, reach, p_of(o, f, b / se));
        change_row(table, "per period", b, se, reach, p_of(o, f, b / se));
    }
    if (t->shift && f->kept[t->shift]) {
        b = f->coefficients[t->shift];
        se = sqrt(f->covariance[t->shift * n + t->shift]);
        change_row(table, t->name[t->shift], b, se, reach, p_of(o, f, b / se));
    }
    su_result_plot(out, SU_PLOT_INTERVALS, "Relative change", table, "what", NULL, "change", "low", "high");
}

static void test_row(su_result_table *t, const char *name, su_mann_kendall k)
{
    su_result_text(t, name);
    double row[5] = { k.s, k.variance, k.z, k.p, k.tau };
    for (int i = 0; i < 5; i++) su_result_number(t, row[i]);
}

static void table_tests(const su_series *s, const su_trend_options *o, const double *rate, su_result *out)
{
    static const char *const heads[][2] = { { "test", "test" }, { "s", "S" }, { "variance", "variance of S" },
                                            { "z", "z" },       { "p", "p" }, { "tau", "tau" } };
    static const su_column_kind kinds[] = { SU_COLUMN_TEXT,   SU_COLUMN_NUMBER, SU_COLUMN_NUMBER,
                                            SU_COLUMN_NUMBER, SU_COLUMN_P,      SU_COLUMN_NUMBER };
    su_result_table *table = su_result_table_add(out, "tests", "Is there a trend at all? (no model)");
    add_columns(table, heads, kinds, 6);
    su_mann_kendall k = su_mann_kendall_of(rate, s->n);
    test_row(table, "Mann-Kendall", k);
    if (s->period > 1 && s->n >= 2 * s->period)
        test_row(table, "seasonal Mann-Kendall", su_mann_kendall_seasonal(rate, s->season, s->n, s->period));
    if (s->n > SU_SEN_MOST) {
        su_result_warn(out, "W_SEN_SKIPPED", "Sen's slope is not computed for more than %d periods; sum to weeks or months", SU_SEN_MOST);
        return;
    }
    double *t = su_alloc_array(s->n, sizeof *t);
    for (size_t i = 0; i < s->n; i++) t[i] = (double)s->ordinal[i];
    su_sen sen = su_sen_slope(rate, t, s->n, k.variance, o->level);
    free(t);
    su_result_fact(out, "sen_slope", "Sen's slope per period", sen.slope);
    su_result_fact(out, "sen_low", "  from", sen.low);
    su_result_fact(out, "sen_high", "  to", sen.high);
}

/* Pearson residuals that follow each other make the model's standard errors too small. */
static void check_residuals(const su_series *s, const su_trend_options *o, const su_counts_fit *f, su_result *out)
{
    double before = 0, product = 0, square = 0;
    for (size_t i = 0; i < s->n; i++) {
        double m = f->fitted[i], e = (s->value[i] - m) / sqrt(isinf(f->theta) ? m : m + m * m / f->theta);
        product += e * before;
        square += e * e;
        before = e;
    }
    double r = square > 0 ? product / square : 0;
    su_result_fact(out, "autocorrelation", "Autocorrelation of residuals, lag 1", r);
    if (o->errors != SU_ERRORS_NEWEY_WEST && fabs(r) > 2 / sqrt((double)s->n))
        su_result_warn(out, "W_AUTOCORRELATION",
                       "residuals of neighbouring periods are correlated (%.2f): intervals are too narrow; use --se newey-west", r);
    if (o->family == SU_COUNT_NEGATIVE_BINOMIAL && !f->overdispersed)
        su_result_warn(out, "W_NO_OVERDISPERSION",
                       "the counts vary no more than Poisson counts: the negative binomial is the Poisson model here");
    if (o->family == SU_COUNT_POISSON && o->errors == SU_ERRORS_MODEL && f->dispersion > 1.5)
        su_result_warn(out, "W_OVERDISPERSION",
                       "the counts vary %.1f times as much as Poisson counts: intervals are far too narrow; use --model nb or --se quasi",
                       f->dispersion);
}

/* Of a period to come: the last one of the same season, or what the calendar says. */
static double exposure_ahead(const su_series *s, const su_trend_options *o, const su_period *p, unsigned season)
{
    if (!s->exposure) return o->calendar_exposure && p->days ? p->days : 1;
    for (size_t i = s->n; s->period && i-- > 0;)
        if (s->season[i] == season) return s->exposure[i];
    return s->exposure[s->n - 1];
}

/* P(count <= k): negative binomial of this mean and size, Poisson at infinite size. */
static double count_cdf(double k, double mean, double size)
{
    return isinf(size) ? su_gamma_q(k + 1, mean) : su_beta_i(size / (size + mean), size, k + 1);
}

/* Smallest count with at least p at or below it. */
static double count_quantile(double p, double mean, double variance)
{
    double size = variance > mean * (1 + 1e-9) ? mean * mean / (variance - mean) : INFINITY, low = -1, high = ceil(mean) + 1;
    while (high < 1e15 && count_cdf(high, mean, size) < p) {
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        double middle = floor((low + high) / 2);
        *(count_cdf(middle, mean, size) < p ? &low : &high) = middle;
    }
    return high;
}

static void forecast_model(const su_series *s, const su_trend_options *o, const su_counts_fit *f, su_result_table *table)
{
    double reach = reach_of(o, f), row[MOST_TERMS] = { 0 }, error;
    for (unsigned k = 1; k <= o->ahead; k++) {
        su_period p = { .kind = s->kind };
        char text[24];
        int64_t at = s->ordinal[s->n - 1] + k;
        (void)su_period_of(s->kind, at, &p);
        su_period_print(s->kind, at, text);
        unsigned season = !s->period ? 0 : s->kind == 'n' ? (s->season[s->n - 1] + k) % s->period : p.season % s->period;
        double shift = s->shift ? s->shift[s->n - 1] : o->has_break && at >= o->break_at;
        fill_row(s, o, (double)(at - s->ordinal[0]) + 1, season, shift, row);
        double eta = su_counts_predict(f, row, log(exposure_ahead(s, o, &p, season)), &error), mean = exp(eta);
        /* one new count: its own variance beside the mean's, as one negative binomial; the tails hold what t leaves outside */
        double own = isinf(f->theta) ? fmax(f->dispersion, 1) * mean : mean + mean * mean / f->theta * fmax(f->dispersion, 1);
        double spread = own + mean * mean * expm1(error * error), tail = su_normal_upper(reach);
        su_result_text(table, text);
        double cells[5] = { mean, exp(eta - reach * error), exp(eta + reach * error), count_quantile(tail, mean, spread),
                            count_quantile(1 - tail, mean, spread) };
        for (int j = 0; j < 5; j++) su_result_number(table, cells[j]);
    }
}

static su_status forecast_smooth(su_context *ctx, const su_series *s, const su_trend_options *o, su_result_table *table, su_result *out)
{
    su_holt_winters *h = NULL;
    su_status st = s->absent ? su_fail(ctx, SU_REFUSED,
                                       "Holt-Winters needs every period; %zu have no rows (--absent zero counts them as 0)", s->absent)
                             : su_holt_winters_new(ctx, s->value, s->n, s->period, o->product, &h);
    if (st) return st;
    double spread = sqrt(h->sse / (double)h->predicted), reach = su_normal_quantile(0.5 + o->level / 2);
    for (unsigned k = 1; k <= o->ahead; k++) {
        char text[24];
        double mean = su_holt_winters_ahead(h, k);
        su_period_print(s->kind, s->ordinal[s->n - 1] + k, text);
        su_result_text(table, text);
        su_result_number(table, mean);
        su_result_number(table, NAN);
        su_result_number(table, NAN);
        /* the variance of additive one-step errors grows with alpha^2 per step at least (Chatfield and Yar 1988) */
        double wide = reach * spread * sqrt(1 + (k - 1) * h->alpha * h->alpha);
        su_result_number(table, mean - wide);
        su_result_number(table, mean + wide);
    }
    su_result_fact(out, "alpha", "Holt-Winters alpha (level)", h->alpha);
    su_result_fact(out, "beta", "Holt-Winters beta (slope)", h->beta);
    su_result_fact(out, "gamma", "Holt-Winters gamma (season)", h->gamma);
    su_result_fact(out, "sse", "Sum of squared one-step errors", h->sse);
    su_holt_winters_free(h);
    return SU_OK;
}

static su_status table_forecast(su_context *ctx, const su_series *s, const su_trend_options *o, const su_counts_fit *f, su_result *out)
{
    static const char *const heads[][2] = { { "period", "period" }, { "mean", "expected" },        { "low", "mean from" },
                                            { "high", "mean to" },  { "count_low", "count from" }, { "count_high", "count to" } };
    static const su_column_kind kinds[] = { SU_COLUMN_TEXT,   SU_COLUMN_NUMBER, SU_COLUMN_NUMBER,
                                            SU_COLUMN_NUMBER, SU_COLUMN_NUMBER, SU_COLUMN_NUMBER };
    su_result_table *table = su_result_table_add(out, "forecast", "Forecast, if nothing changes");
    add_columns(table, heads, kinds, 6);
    su_result_warn(out, "W_FORECAST", "a forecast assumes that reporting, coverage and routes stay as they were");
    if (o->holt_winters) return forecast_smooth(ctx, s, o, table, out);
    forecast_model(s, o, f, table);
    return SU_OK;
}

static su_status table_seasons(su_context *ctx, const su_series *s, const su_trend_options *o, double *seasonal, double *trend,
                               su_result *out)
{
    double figure[400];
    if (s->absent)
        return su_fail(ctx, SU_REFUSED, "a decomposition needs every period; %zu have no rows (--absent zero counts them as 0)", s->absent);
    if (s->period > 366) return su_fail(ctx, SU_REFUSED, "at most 366 seasons");
    su_status st = su_stl_periodic(ctx, s->value, s->n, s->period, seasonal, trend);
    double *average = su_alloc_array(s->n, sizeof *average);
    if (!st) st = su_decompose(ctx, s->value, s->n, s->period, o->product, figure, average);
    free(average);
    if (st) return st;
    static const char *const heads[][2] = { { "season", "season" }, { "stl", "STL, counts" }, { "classical", "classical figure" } };
    static const su_column_kind kinds[] = { SU_COLUMN_INTEGER, SU_COLUMN_NUMBER, SU_COLUMN_NUMBER };
    su_result_table *table =
        su_result_table_add(out, "seasons", o->product ? "Seasons (classical: times the trend)" : "Seasons (classical: plus the trend)");
    add_columns(table, heads, kinds, 3);
    for (unsigned k = 0; k < s->period; k++) {
        size_t i = 0;
        while (s->season[i] != k && i + 1 < s->n) i++;
        su_result_integer(table, k + 1);
        su_result_number(table, seasonal[i]);
        su_result_number(table, figure[i % s->period]); /* the figures start at the series' first season */
    }
    return SU_OK;
}

static void table_series(const su_series *s, const su_counts_fit *f, const double *seasonal, const double *trend, su_result *out)
{
    static const char *const heads[][2] = { { "period", "period" },   { "t", "t" },
                                            { "count", "count" },     { "fitted", "fitted" },
                                            { "trend", "STL trend" }, { "seasonal", "STL season" } };
    static const su_column_kind kinds[] = { SU_COLUMN_TEXT,   SU_COLUMN_INTEGER, SU_COLUMN_NUMBER,
                                            SU_COLUMN_NUMBER, SU_COLUMN_NUMBER,  SU_COLUMN_NUMBER };
    su_result_table *table = su_result_table_add(out, "series", "Series");
    add_columns(table, heads, kinds, 6);
    for (size_t i = 0; i < s->n; i++) {
        char text[24];
        su_period_print(s->kind, s->ordinal[i], text);
        su_result_text(table, text);
        su_result_integer(table, s->ordinal[i] - s->ordinal[0] + 1);
        su_result_number(table, s->value[i]);
        su_result_number(table, f->fitted[i]);
        su_result_number(table, trend ? trend[i] : NAN);
        su_result_number(table, seasonal ? seasonal[i] : NAN);
    }
    su_result_plot(out, SU_PLOT_CURVE, "Counts", table, NULL, "t", "count", NULL, NULL);
    su_result_plot(out, SU_PLOT_CURVE, "Fitted", table, NULL, "t", "fitted", NULL, NULL);
}

static void facts(const su_series *s, const su_trend_options *o, const su_counts_fit *f, su_result *out)
{
    char first[24], last[24];
    double total = 0;
    static const char *const errors[] = { "model", "quasi", "HC0", "Newey-West" };
    for (size_t i = 0; i < s->n; i++) total += s->value[i];
    su_period_print(s->kind, s->ordinal[0], first);
    su_period_print(s->kind, s->ordinal[s->n - 1], last);
    su_result_fact(out, "n", "Periods", (double)s->n);
    su_result_fact_text(out, "first", "First period", first);
    su_result_fact_text(out, "last", "Last period", last);
    su_result_fact(out, "rows", "Rows summed", (double)s->rows);
    su_result_fact(out, "total", "Total count", total);
    su_result_fact_text(out, "method", "Model", o->family == SU_COUNT_POISSON ? "Poisson regression" : "negative binomial regression");
    su_result_fact_text(out, "standard_errors", "Standard errors", errors[o->errors]);
    su_result_fact(out, "df", "Degrees of freedom", (double)f->df);
    su_result_fact(out, "dispersion", "Dispersion (Pearson chi square / df)", f->dispersion);
    if (f->overdispersed) {
        su_result_fact(out, "theta", "theta", f->theta);
        su_result_fact(out, "theta_se", "SE of theta", f->theta_error);
    }
    su_result_fact(out, "log_likelihood", "Log likelihood", f->log_likelihood);
    su_result_fact(out, "deviance", "Deviance", f->deviance);
    su_result_fact(out, "aic", "AIC", f->aic);
    if (s->absent)
        su_result_warn(out, "W_GAPS", "%zu periods between the first and the last have no rows; %s", s->absent,
                       "they are left out of the model (--absent zero counts them as 0)");
    if (s->missing) su_result_warn(out, "W_MISSING", "%llu rows without a count were left out", (unsigned long long)s->missing);
    if (s->margins)
        su_result_warn(out, "W_MARGINS", "%llu rows that are totals of other rows were left out", (unsigned long long)s->margins);
}

static void methods(const su_series *s, const su_trend_options *o, const su_counts_fit *f, su_result *out)
{
    su_result_method(out, "Counts of %zu periods were modelled by %s regression with a logarithmic link on a linear trend%s%s%s.", s->n,
                     f->overdispersed ? "negative binomial" : "Poisson", o->harmonics ? ", annual harmonics" : "",
                     s->shift || o->has_break ? ", a level shift" : "",
                     s->exposure || o->calendar_exposure ? ", with the exposure as offset" : "");
    su_result_method(out, "Trend without a model: Mann-Kendall test with ties and Sen's slope.");
    su_result_method(out, "Counts of a monitoring or referral system follow its coverage as well as the people it is there for.");
}

su_status su_trend(su_context *ctx, const su_series *s, const su_trend_options *o, su_result *out)
{
    su_arena arena;
    terms t = { 0 };
    su_counts_fit *f = NULL;
    double *seasonal = NULL, *trend = NULL;
    su_arena_init(&arena);
    su_status st = SU_OK;
    if (s->n < 3) st = su_fail(ctx, SU_REFUSED, "%zu periods are no series; a trend needs at least three", s->n);
    if (!st) st = design(ctx, s, o, &arena, &t);
    if (!st) {
        su_counts_design d = { s->value, t.x, t.offset, t.name, s->n, t.count };
        su_counts_options options = { o->family, o->errors, o->lag };
        st = su_counts_fit_new(ctx, &d, &options, &f);
    }
    if (!st) {
        double *rate = su_arena_array(&arena, s->n, sizeof *rate);
        for (size_t i = 0; i < s->n; i++) rate[i] = s->exposure ? s->value[i] / s->exposure[i] : s->value[i];
        facts(s, o, f, out);
        table_coefficients(o, f, &t, out);
        table_changes(s, o, f, &t, out);
        table_tests(s, o, rate, out);
        check_residuals(s, o, f, out);
        methods(s, o, f, out);
    }
    if (!st && o->decompose) {
        seasonal = su_arena_array(&arena, s->n, sizeof *seasonal);
        trend = su_arena_array(&arena, s->n, sizeof *trend);
        st = table_seasons(ctx, s, o, seasonal, trend, out);
    }
    if (!st && o->ahead) st = table_forecast(ctx, s, o, f, out);
    if (!st && o->print_series) table_series(s, f, seasonal, trend, out);
    su_counts_fit_free(f);
    su_arena_free(&arena);
    return st;
}
