/* Counts by period and year, and shares. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <suha/official.h>

#include "flow/margin_words.h"

static int64_t year_of(char kind, int64_t ordinal)
{
    char text[24];
    int64_t year = 0;
    if (kind == 'y') return ordinal;
    su_period_print(kind, ordinal, text);
    return su_parse_i64((su_str) { text, 4 }, &year) ? year : 0;
}

/* ---- one group's series ---- */

typedef struct group {
    const char *name;
    su_series *s;
} group;

static double value_at(const su_series *s, int64_t ordinal)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->ordinal[i] == ordinal) return s->value[i];
    return NAN;
}

static double change(double now, double before) { return before > 0 ? now / before - 1 : NAN; }

static su_status groups_of(su_context *ctx, const su_frame *f, const su_series_input *in, const su_variable *by, group **out, size_t *count)
{
    su_series_input one = *in;
    su_filter *filters = su_alloc_array(in->filter_count + 1, sizeof *filters);
    uint32_t levels = by ? by->level_count : 0;
    su_status st = SU_OK;
    for (size_t k = 0; k < in->filter_count; k++) filters[k] = in->filters[k];
    one.filters = filters;
    *out = su_alloc_array((size_t)levels + 1, sizeof **out);
    for (uint32_t k = 0; !st && k < levels; k++) {
        if (su_is_margin_word(by->levels[k])) continue;
        filters[in->filter_count] = (su_filter) { by, su_str_of(by->levels[k]) };
        one.filter_count = in->filter_count + 1;
        (*out)[*count].name = by->levels[k];
        st = su_series_of(ctx, f, &one, &(*out)[*count].s);
        if (st == SU_REFUSED && strstr(ctx->message, "no row is left")) {
            st = SU_OK; /* every row of this group is filtered out or a total */
            continue;
        }
        if (!st) ++*count;
    }
    one.filter_count = in->filter_count;
    if (!st) {
        (*out)[*count].name = "all";
        st = su_series_of(ctx, f, &one, &(*out)[*count].s);
        *count += !st;
    }
    free(filters);
    return st;
}

static void period_table(const group *g, size_t count, su_result *out)
{
    const su_series *all = g[count - 1].s;
    su_result_table *t = su_result_table_add(out, "periods", "By period");
    su_result_column(t, "period", "period", SU_COLUMN_TEXT);
    su_result_column(t, "group", "group", SU_COLUMN_TEXT);
    su_result_column(t, "count", "people", SU_COLUMN_NUMBER);
    su_result_column(t, "share", "share", SU_COLUMN_PERCENT);
    su_result_column(t, "change_before", "on the period before", SU_COLUMN_PERCENT);
    su_result_column(t, "change_year", "on a year before", SU_COLUMN_PERCENT);
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < count; k++) {
            char text[24];
            int64_t at = all->ordinal[i];
            double now = value_at(g[k].s, at);
            if (isnan(now)) continue;
            su_period_print(all->kind, at, text);
            su_result_text(t, text);
            su_result_text(t, g[k].name);
            su_result_number(t, now);
            su_result_number(t, all->value[i] > 0 ? now / all->value[i] : NAN);
            su_result_number(t, change(now, value_at(g[k].s, at - 1)));
            su_result_number(t, all->period ? change(now, value_at(g[k].s, at - all->period)) : NAN);
        }
}

/* The sum of a year's periods and how many there are. */
static double year_sum(const su_series *s, int64_t year, unsigned *periods)
{
    double sum = 0;
    *periods = 0;
    for (size_t i = 0; i < s->n; i++)
        if (year_of(s->kind, s->ordinal[i]) == year) {
            sum += s->value[i];
            ++*periods;
        }
    return *periods ? sum : NAN;
}

static void year_table(const group *g, size_t count, su_result *out)
{
    const su_series *all = g[count - 1].s;
    if (all->kind == 'n' || all->kind == 'y') return;
    su_result_table *t = su_result_table_add(out, "years", "By year");
    su_result_column(t, "year", "year", SU_COLUMN_INTEGER);
    su_result_column(t, "group", "group", SU_COLUMN_TEXT);
    su_result_column(t, "count", "people", SU_COLUMN_NUMBER);
    su_result_column(t, "share", "share", SU_COLUMN_PERCENT);
    su_result_column(t, "change", "on the year before", SU_COLUMN_PERCENT);
    su_result_column(t, "periods", "periods", SU_COLUMN_INTEGER);
    for (int64_t y = year_of(all->kind, all->ordinal[0]); y <= year_of(all->kind, all->ordinal[all->n - 1]); y++)
        for (size_t k = 0; k < count; k++) {
            unsigned n, m, before_n;
            double now = year_sum(g[k].s, y, &n), whole = year_sum(all, y, &m), before = year_sum(g[k].s, y - 1, &before_n);
            if (isnan(now)) continue;
            su_result_integer(t, y);
            su_result_text(t, g[k].name);
            su_result_number(t, now);
            su_result_number(t, whole > 0 ? now / whole : NAN);
            su_result_number(t, n == before_n ? change(now, before) : NAN);
            su_result_integer(t, n);
            if (k == count - 1 && m < all->period)
                su_result_warn(out, "W_PART_YEAR", "%lld has %u of %u periods: its total is not a year's", (long long)y, m, all->period);
        }
}

/* ---- published totals ---- */

static bool is_year_total(const su_frame *f, const su_series_input *in, uint64_t row)
{
    uint32_t level = in->within && in->within->kind == SU_VARIABLE_FACTOR ? su_frame_level(in->within, row) : 0;
    if (!level || !su_is_margin_word(in->within->levels[level - 1]) || !su_filter_row(in->filters, in->filter_count, row)) return false;
    for (uint32_t j = 0; j < f->count; j++) {
        const su_variable *v = &f->variables[j];
        bool named = v == in->time || v == in->within;
        for (size_t k = 0; k < in->filter_count; k++) named |= in->filters[k].variable == v;
        uint32_t other = named || v->kind != SU_VARIABLE_FACTOR ? 0 : su_frame_level(v, row);
        if (other && su_is_margin_word(v->levels[other - 1])) return false;
    }
    return true;
}

static void totals_table(const su_frame *f, const su_series_input *in, const su_series *all, su_result *out)
{
    su_result_table *t = NULL;
    if (!in->within || !in->count || in->time->kind != SU_VARIABLE_NUMBER || all->kind == 'n') return;
    for (int64_t y = year_of(all->kind, all->ordinal[0]); y <= year_of(all->kind, all->ordinal[all->n - 1]); y++) {
        double published = NAN;
        unsigned n;
        for (uint64_t row = 0; row < f->rows; row++) {
            double count = su_frame_number(in->count, row);
            if (su_frame_number(in->time, row) != (double)y || isnan(count) || !is_year_total(f, in, row)) continue;
            published = isnan(published) ? count : published + count;
        }
        double parts = year_sum(all, y, &n);
        if (isnan(published) || isnan(parts)) continue;
        if (!t) {
            t = su_result_table_add(out, "published_totals", "Published yearly totals beside the sum of their periods");
            su_result_column(t, "year", "year", SU_COLUMN_INTEGER);
            su_result_column(t, "published", "published", SU_COLUMN_NUMBER);
            su_result_column(t, "sum", "sum", SU_COLUMN_NUMBER);
            su_result_column(t, "difference", "difference", SU_COLUMN_NUMBER);
        }
        su_result_integer(t, y);
        su_result_number(t, published);
        su_result_number(t, parts);
        su_result_number(t, published - parts);
        if (published != parts)
            su_result_warn(out, "W_REVISED",
                           "%lld: the published total is %.10g, its periods sum to %.10g: periods were revised, or one is missing",
                           (long long)y, published, parts);
    }
}

su_status su_official_series(su_context *ctx, const su_frame *f, const su_series_input *in, const su_variable *by, su_result *out)
{
    group *g = NULL;
    size_t count = 0;
    su_status st = groups_of(ctx, f, in, by, &g, &count);
    if (!st) {
        const su_series *all = g[count - 1].s;
        su_result_fact(out, "n", "Rows summed", (double)all->rows);
        su_result_fact(out, "margins", "Rows left out as totals", (double)all->margins);
        su_result_fact_text(out, "method", "Method", "counts");
        year_table(g, count, out);
        period_table(g, count, out);
        totals_table(f, in, all, out);
        su_result_warn(out, "W_DETECTED_ONLY", "referrals count who was found and referred; a change may be one of reporting or of rules");
        su_result_method(out, "Published counts were summed by period%s; rows that are totals of other rows were left out.",
                         by ? " and group" : "");
    }
    for (size_t k = 0; k < count; k++) su_series_free(g[k].s);
    free(g);
    return st;
}

/* ---- shares ---- */

static bool has_margin(const su_frame *f, const su_filter *filters, size_t filter_count, uint64_t row)
{
    for (uint32_t j = 0; j < f->count; j++) {
        const su_variable *v = &f->variables[j];
        bool named = v->kind != SU_VARIABLE_FACTOR;
        for (size_t k = 0; k < filter_count; k++) named |= filters[k].variable == v;
        uint32_t level = named ? 0 : su_frame_level(v, row);
        if (level && su_is_margin_word(v->levels[level - 1])) return true;
    }
    return false;
}

/* "Not specified or unknown" and the like: a category that says there is no answer. */
static bool says_unknown(const char *level)
{
    static const char *const words[] = { "unknown", "not specified", "not recorded", "unspecified", "not stated" };
    su_arena scratch;
    su_arena_init(&scratch);
    su_str folded = su_text_fold(&scratch, su_str_of(level));
    bool found = false;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        found |= folded.n && memmem(folded.p, folded.n, words[k], strlen(words[k])) != NULL;
    su_arena_free(&scratch);
    return found;
}

su_status su_official_shares(su_context *ctx, const su_frame *f, const su_variable *by, const su_variable *count, const su_filter *filters,
                             size_t filter_count, su_result *out)
{
    double *people = su_alloc_array((size_t)by->level_count + 1, sizeof *people), total = 0, known = 0;
    uint64_t margins = 0, rows = 0;
    su_status st = su_need_number(ctx, count);
    for (uint64_t row = 0; !st && row < f->rows; row++) {
        if (!su_filter_row(filters, filter_count, row)) continue;
        if (has_margin(f, filters, filter_count, row)) {
            margins++;
            continue;
        }
        double n = count ? su_frame_number(count, row) : 1;
        if (n < 0) st = su_fail(ctx, SU_INPUT, "data row %llu: the count is %g; counts are zero or more", (unsigned long long)row + 1, n);
        if (isnan(n)) continue;
        people[su_frame_level(by, row)] += n;
        total += n;
        rows++;
    }
    known = total - people[0];
    for (uint32_t k = 1; k <= by->level_count; k++)
        if (says_unknown(by->levels[k - 1])) known -= people[k];
    if (!st && !(total > 0))
        st = su_fail(ctx, SU_REFUSED,
                     "no row is left that is not a total of others; choose the totals of the other columns with --where \"COLUMN=Total\"");
    if (!st) {
        su_result_table *t = su_result_table_add(out, "shares", "Shares");
        su_result_column(t, "value", by->name, SU_COLUMN_TEXT);
        su_result_column(t, "count", "people", SU_COLUMN_NUMBER);
        su_result_column(t, "share", "share of all", SU_COLUMN_PERCENT);
        su_result_column(t, "share_known", "of those known", SU_COLUMN_PERCENT);
        for (uint32_t k = 1; k <= by->level_count + 1; k++) {
            uint32_t level = k <= by->level_count ? k : 0;
            if (people[level] == 0) continue;
            su_result_text(t, level ? by->levels[level - 1] : "(not known)");
            su_result_number(t, people[level]);
            su_result_number(t, people[level] / total);
            su_result_number(t, level && known > 0 && !says_unknown(by->levels[level - 1]) ? people[level] / known : NAN);
        }
        su_result_plot(out, SU_PLOT_BARS, by->name, t, "value", NULL, "count", NULL, NULL);
        su_result_fact(out, "n", "Rows summed", (double)rows);
        su_result_fact(out, "total", "People", total);
        su_result_fact(out, "margins", "Rows left out as totals", (double)margins);
        su_result_fact_text(out, "method", "Method", "counts");
        if (margins) su_result_warn(out, "W_MARGINS", "%llu rows that are totals of other rows were left out", (unsigned long long)margins);
        su_result_method(out, "People were counted by %s; rows that are totals of other rows were left out.", by->name);
    }
    free(people);
    return st;
}
