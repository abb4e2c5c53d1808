/* Shares of positive decisions, and the backlog. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <suha/official.h>

#include "flow/margin_words.h"

/* ---- pairs of columns ---- */

typedef struct pair {
    const char *name;
    const su_variable *positive, *negative; /* the counts */
    su_series *yes, *no;
} pair;

/* The folded name without the word; false when it is not there. */
static bool without(su_arena *arena, const char *name, const char *word, su_str *out)
{
    su_str folded = su_text_fold(arena, su_str_of(name));
    const char *found = folded.n ? memmem(folded.p, folded.n, word, strlen(word)) : NULL;
    if (!found) return false;
    size_t before = (size_t)(found - folded.p), after = folded.n - before - strlen(word);
    char *joined = su_arena_strndup(arena, folded.p, folded.n);
    memmove(joined + before, found + strlen(word), after);
    *out = (su_str) { joined, before + after };
    return true;
}

static const char *label_of(su_arena *arena, const char *name)
{
    const char *dash = strstr(name, " - ");
    return dash ? su_arena_strndup(arena, name, (size_t)(dash - name)) : "decisions";
}

static su_status find_pairs(su_context *ctx, su_arena *arena, const su_frame *f, pair **out, size_t *count)
{
    *out = su_arena_array(arena, (size_t)f->count + 1, sizeof **out);
    for (uint32_t i = 0; i < f->count; i++) {
        su_str key, other;
        const su_variable *v = &f->variables[i];
        if (v->kind != SU_VARIABLE_NUMBER || !without(arena, v->name, "positive", &key)) continue;
        for (uint32_t j = 0; j < f->count; j++)
            if (f->variables[j].kind == SU_VARIABLE_NUMBER && without(arena, f->variables[j].name, "negative", &other) &&
                su_str_equal(key, other))
                (*out)[(*count)++] = (pair) { .name = label_of(arena, v->name), .positive = v, .negative = &f->variables[j] };
    }
    if (*count) return SU_OK;
    return su_fail(ctx, SU_INPUT,
                   "no pair of columns differs in the word positive / negative; for a file with one row per outcome name --outcome, "
                   "--positive and --negative");
}

static su_status read_pair(su_context *ctx, const su_frame *f, const su_decisions_input *in, pair *p)
{
    su_series_input one = in->series;
    su_filter *filters = su_alloc_array(one.filter_count + 1, sizeof *filters);
    su_status st = SU_OK;
    for (size_t k = 0; k < one.filter_count; k++) filters[k] = one.filters[k];
    one.filters = filters;
    one.filter_count += in->outcome != NULL;
    for (int sign = 0; !st && sign < 2; sign++) {
        if (in->outcome) {
            filters[one.filter_count - 1] = (su_filter) { in->outcome, sign ? in->negative : in->positive };
            st = su_filter_check(ctx, &filters[one.filter_count - 1]);
        } else {
            one.count = sign ? p->negative : p->positive;
        }
        if (!st) st = su_series_of(ctx, f, &one, sign ? &p->no : &p->yes);
    }
    free(filters);
    return st;
}

/* ---- tables ---- */

static double value_at(const su_series *s, int64_t ordinal)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->ordinal[i] == ordinal) return s->value[i];
    return NAN;
}

static int64_t year_at(const su_series *s, size_t i)
{
    char text[24];
    int64_t year = 0;
    su_period_print(s->kind, s->ordinal[i], text);
    return su_parse_i64((su_str) { text, 4 }, &year) ? year : 0;
}

static su_result_table *rate_table(su_result *out, const char *id, const char *title, const char *first)
{
    su_result_table *t = su_result_table_add(out, id, title);
    su_result_column(t, first, first, SU_COLUMN_TEXT);
    su_result_column(t, "group", "group", SU_COLUMN_TEXT);
    su_result_column(t, "positive", "positive", SU_COLUMN_NUMBER);
    su_result_column(t, "negative", "negative", SU_COLUMN_NUMBER);
    su_result_column(t, "rate", "positive rate", SU_COLUMN_PERCENT);
    su_result_column(t, "change_points", "points on a year before", SU_COLUMN_NUMBER);
    return t;
}

static void rate_row(su_result_table *t, const char *when, const char *who, double yes, double no, double before)
{
    double rate = yes + no > 0 ? yes / (yes + no) : NAN;
    su_result_text(t, when);
    su_result_text(t, who);
    su_result_number(t, yes);
    su_result_number(t, no);
    su_result_number(t, rate);
    su_result_number(t, 100 * (rate - before));
}

/* Sums of pairs[from..to) at a period or over a year; NaN where a series has nothing. */
static void sum_at(const pair *p, size_t from, size_t to, int64_t ordinal, double *yes, double *no)
{
    *yes = *no = NAN;
    for (size_t k = from; k < to; k++) {
        double a = value_at(p[k].yes, ordinal), b = value_at(p[k].no, ordinal);
        if (isnan(a) && isnan(b)) continue;
        *yes = (isnan(*yes) ? 0 : *yes) + (isnan(a) ? 0 : a);
        *no = (isnan(*no) ? 0 : *no) + (isnan(b) ? 0 : b);
    }
}

static void sum_year(const pair *p, size_t from, size_t to, int64_t year, double *yes, double *no)
{
    *yes = *no = 0;
    for (size_t k = from; k < to; k++) {
        for (size_t i = 0; i < p[k].yes->n; i++) *yes += year_at(p[k].yes, i) == year ? p[k].yes->value[i] : 0;
        for (size_t i = 0; i < p[k].no->n; i++) *no += year_at(p[k].no, i) == year ? p[k].no->value[i] : 0;
    }
}

static double rate_of(double yes, double no) { return yes + no > 0 ? yes / (yes + no) : NAN; }

static void period_rows(const pair *p, size_t count, const su_series *base, su_result *out)
{
    su_result_table *t = rate_table(out, "periods", "Positive rate by period", "period");
    for (size_t i = 0; i < base->n; i++)
        for (size_t k = 0; k <= count; k++) {
            if (k == count && count == 1) continue;
            size_t from = k < count ? k : 0, to = k < count ? k + 1 : count;
            double yes, no, before_yes, before_no;
            char text[24];
            sum_at(p, from, to, base->ordinal[i], &yes, &no);
            sum_at(p, from, to, base->ordinal[i] - base->period, &before_yes, &before_no);
            if (isnan(yes)) continue;
            su_period_print(base->kind, base->ordinal[i], text);
            rate_row(t, text, k < count ? p[k].name : "all", yes, no, base->period ? rate_of(before_yes, before_no) : NAN);
        }
}

static void year_rows(const pair *p, size_t count, const su_series *base, su_result *out)
{
    if (base->kind == 'n') return;
    su_result_table *t = rate_table(out, "years", "Positive rate by year", "year");
    for (int64_t y = year_at(base, 0); y <= year_at(base, base->n - 1); y++)
        for (size_t k = 0; k <= count; k++) {
            if (k == count && count == 1) continue;
            size_t from = k < count ? k : 0, to = k < count ? k + 1 : count;
            double yes, no, before_yes, before_no;
            char text[24];
            sum_year(p, from, to, y, &yes, &no);
            sum_year(p, from, to, y - 1, &before_yes, &before_no);
            snprintf(text, sizeof text, "%lld", (long long)y);
            rate_row(t, text, k < count ? p[k].name : "all", yes, no, rate_of(before_yes, before_no));
        }
}

su_status su_official_decisions(su_context *ctx, const su_frame *f, const su_decisions_input *in, su_result *out)
{
    su_arena arena;
    pair long_file = { .name = "decisions" }, *p = &long_file;
    size_t count = in->outcome != NULL;
    su_arena_init(&arena);
    su_status st = in->outcome ? SU_OK : find_pairs(ctx, &arena, f, &p, &count);
    for (size_t k = 0; !st && k < count; k++) st = read_pair(ctx, f, in, &p[k]);
    if (!st) {
        const su_series *base = p[0].yes;
        year_rows(p, count, base, out);
        period_rows(p, count, base, out);
        su_result_fact(out, "n", "Rows", (double)f->rows);
        su_result_fact(out, "groups", "Groups", (double)count);
        su_result_fact(out, "margins", "Rows left out as totals", (double)base->margins);
        su_result_fact_text(out, "method", "Method", "positive / (positive + negative)");
        su_result_warn(out, "W_RULES_CHANGE",
                       "a positive rate also follows the rules of the test, which change (in the UK around the start of 2023)");
        su_result_method(
            out, "The positive rate is positive over positive and negative decisions of the period, whenever the referral was made.");
    }
    for (size_t k = 0; k < count; k++) {
        su_series_free(p[k].yes);
        su_series_free(p[k].no);
    }
    su_arena_free(&arena);
    return st;
}

/* ---- backlog ---- */

su_status su_official_backlog(su_context *ctx, const su_series *received, const su_series *decided, double opening, su_result *out)
{
    if (received->kind != decided->kind) return su_fail(ctx, SU_REFUSED, "the two files count by different periods");
    int64_t first = received->ordinal[0], last = received->ordinal[received->n - 1], missing = 0, periods = 0;
    first = decided->ordinal[0] > first ? decided->ordinal[0] : first;
    last = decided->ordinal[decided->n - 1] < last ? decided->ordinal[decided->n - 1] : last;
    if (first > last) return su_fail(ctx, SU_REFUSED, "the two files have no period in common");
    su_result_table *t = su_result_table_add(out, "periods", "Backlog by period (the periods that both files have)");
    su_result_column(t, "period", "period", SU_COLUMN_TEXT);
    su_result_column(t, "received", "received", SU_COLUMN_NUMBER);
    su_result_column(t, "decided", "decided", SU_COLUMN_NUMBER);
    su_result_column(t, "clearance", "decided / received", SU_COLUMN_PERCENT);
    su_result_column(t, "backlog", "open at the end", SU_COLUMN_NUMBER);
    su_result_column(t, "to_clear", "periods to clear", SU_COLUMN_NUMBER);
    double open = opening;
    for (int64_t k = first; k <= last; k++, periods++) {
        char text[24];
        double in = value_at(received, k), done = value_at(decided, k);
        missing += isnan(in) || isnan(done);
        in = isnan(in) ? 0 : in;
        done = isnan(done) ? 0 : done;
        open += in - done;
        su_period_print(received->kind, k, text);
        su_result_text(t, text);
        su_result_number(t, in);
        su_result_number(t, done);
        su_result_number(t, in > 0 ? done / in : NAN);
        su_result_number(t, open);
        su_result_number(t, done > 0 ? open / done : NAN);
    }
    su_result_fact(out, "n", "Periods", (double)periods);
    su_result_fact(out, "opening", "Open at the start", opening);
    su_result_fact(out, "backlog", "Open at the end", open);
    su_result_fact_text(out, "method", "Method", "received less decided");
    if (opening == 0)
        su_result_warn(out, "W_NO_OPENING",
                       "cases open before the first period are not known (--opening): the backlog is the growth since then");
    if (missing) su_result_warn(out, "W_GAPS", "%lld periods are missing in one of the files and count as zero there", (long long)missing);
    if (open < 0)
        su_result_warn(out, "W_NEGATIVE_BACKLOG",
                       "more was decided than received: decisions on earlier cases, reconsiderations, or --opening is missing");
    su_result_warn(out, "W_BACKLOG_BY_DIFFERENCE",
                   "withdrawn, suspended and reconsidered cases are not in these tables: a register's own count of open cases is better");
    su_result_method(out, "The backlog is the opening number plus cases received less cases decided, period by period.");
    return SU_OK;
}
