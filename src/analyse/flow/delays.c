/* Time to decision with open cases: Kaplan-Meier. */
#include <math.h>
#include <stdlib.h>

#include <suha/official.h>

#include "numeric/special.h"

typedef struct spell {
    double days;
    bool decided;
    uint32_t group;
} spell;

static int by_days(const void *a, const void *b)
{
    const spell *x = a, *y = b;
    if (x->days != y->days) return x->days < y->days ? -1 : 1;
    return y->decided - x->decided; /* a decision comes before an open case of the same day */
}

static su_status date_of(su_context *ctx, const su_variable *v, uint64_t row, int64_t *day, bool *there)
{
    su_period p;
    uint32_t level = v->kind == SU_VARIABLE_FACTOR ? su_frame_level(v, row) : 0;
    *there = level != 0;
    if (!level) return SU_OK;
    if (!su_period_parse(su_str_of(v->levels[level - 1]), &p) || p.kind != 'd')
        return su_fail(ctx, SU_INPUT, "data row %llu, column '%s': '%s' is no date; write 2024-03-31", (unsigned long long)row + 1, v->name,
                       v->levels[level - 1]);
    *day = p.ordinal;
    return SU_OK;
}

typedef struct reading {
    spell *spells;
    uint64_t n, undated, later;
    int64_t until;
} reading;

static su_status last_date(su_context *ctx, const su_frame *f, const su_delays_input *in, int64_t *out)
{
    *out = in->until;
    if (in->until != INT64_MIN) return SU_OK;
    for (uint64_t row = 0; row < f->rows; row++)
        for (int k = 0; k < 2; k++) {
            int64_t day;
            bool there;
            su_status st = date_of(ctx, k ? in->decided : in->received, row, &day, &there);
            if (st) return st;
            if (there && day > *out) *out = day;
        }
    return SU_OK;
}

static su_status read_spells(su_context *ctx, const su_frame *f, const su_delays_input *in, reading *r)
{
    su_status st = last_date(ctx, f, in, &r->until);
    for (uint64_t row = 0; !st && row < f->rows; row++) {
        int64_t from, to;
        bool has_from, has_to;
        st = date_of(ctx, in->received, row, &from, &has_from);
        if (!st) st = date_of(ctx, in->decided, row, &to, &has_to);
        if (st) return st;
        if (!has_from) {
            r->undated++;
            continue;
        }
        if (has_to && to < from)
            return su_fail(ctx, SU_INPUT, "data row %llu: decided before it was received", (unsigned long long)row + 1);
        if (from > r->until) {
            r->later++;
            continue;
        }
        bool decided = has_to && to <= r->until;
        r->spells[r->n++] = (spell) { (double)((decided ? to : r->until) - from), decided, in->by ? su_frame_level(in->by, row) : 1 };
    }
    if (!st && r->n == 0) st = su_fail(ctx, SU_REFUSED, "no case with a date of receipt on or before the end");
    return st;
}

typedef struct curve {
    uint64_t n, decided;
    double median, low, high, target;
} curve;

/* The first day at which the survivor function, or a limit of it, is at or below one half. */
static curve curve_of(const spell *s, uint64_t n, uint32_t group, const su_delays_input *in)
{
    curve c = { .median = NAN, .low = NAN, .high = NAN, .target = 0 };
    double survivor = 1, greenwood = 0, z = su_normal_quantile(0.5 + in->level / 2);
    uint64_t risk = 0;
    for (uint64_t i = 0; i < n; i++) risk += s[i].group == group;
    c.n = risk;
    for (uint64_t i = 0, j; i < n; i = j) {
        uint64_t events = 0, leaving = 0;
        for (j = i; j < n && s[j].days == s[i].days; j++) {
            events += s[j].group == group && s[j].decided;
            leaving += s[j].group == group;
        }
        if (events) {
            survivor *= 1 - (double)events / (double)risk;
            greenwood += (double)events / ((double)risk * (double)(risk - events));
            c.decided += events;
            double ends[2] = { survivor, survivor }; /* log(-log) limits, lower and upper */
            if (survivor > 0 && survivor < 1) {
                double reach = z * sqrt(greenwood) / fabs(log(survivor));
                ends[0] = pow(survivor, exp(reach));
                ends[1] = pow(survivor, exp(-reach));
            }
            if (isnan(c.low) && ends[0] <= 0.5) c.low = s[i].days;
            if (isnan(c.median) && survivor <= 0.5) c.median = s[i].days;
            if (isnan(c.high) && ends[1] <= 0.5) c.high = s[i].days;
        }
        if (in->target > 0 && s[i].days <= in->target) c.target = 1 - survivor;
        risk -= leaving;
    }
    return c;
}

static void delay_row(su_result_table *t, const char *name, const curve *c, const su_delays_input *in)
{
    su_result_text(t, name);
    su_result_integer(t, (int64_t)c->n);
    su_result_integer(t, (int64_t)c->decided);
    su_result_integer(t, (int64_t)(c->n - c->decided));
    su_result_number(t, c->median);
    su_result_number(t, c->low);
    su_result_number(t, c->high);
    if (in->target > 0) su_result_number(t, c->target);
}

su_status su_official_delays(su_context *ctx, const su_frame *f, const su_delays_input *in, su_result *out)
{
    reading r = { .spells = su_alloc_array(f->rows, sizeof *r.spells), .until = INT64_MIN };
    if (in->received->kind != SU_VARIABLE_FACTOR || in->decided->kind != SU_VARIABLE_FACTOR) {
        free(r.spells);
        return su_fail(ctx, SU_INPUT, "column '%s' holds numbers; dates such as 2024-03-31 are needed",
                       in->received->kind != SU_VARIABLE_FACTOR ? in->received->name : in->decided->name);
    }
    su_status st = read_spells(ctx, f, in, &r);
    if (!st) {
        char day[24];
        qsort(r.spells, r.n, sizeof *r.spells, by_days);
        su_result_table *t = su_result_table_add(out, "delays", "Days to decision, open cases counted as not yet");
        su_result_column(t, "group", in->by ? in->by->name : "", SU_COLUMN_TEXT);
        su_result_column(t, "cases", "cases", SU_COLUMN_INTEGER);
        su_result_column(t, "decided", "decided", SU_COLUMN_INTEGER);
        su_result_column(t, "open", "open", SU_COLUMN_INTEGER);
        su_result_column(t, "median", "median days", SU_COLUMN_NUMBER);
        su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
        su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
        if (in->target > 0) su_result_column(t, "within", "within target", SU_COLUMN_PERCENT);
        for (uint32_t g = 1; g <= (in->by ? in->by->level_count : 1); g++) {
            curve c = curve_of(r.spells, r.n, g, in);
            if (c.n) delay_row(t, in->by ? in->by->levels[g - 1] : "all", &c, in);
            if (c.n && isnan(c.median))
                su_result_warn(out, "W_NO_MEDIAN", "%s: fewer than half are decided; there is no median yet",
                               in->by ? in->by->levels[g - 1] : "all");
        }
        su_period_print('d', r.until, day);
        su_result_fact(out, "n", "Cases", (double)r.n);
        su_result_fact_text(out, "until", "Open cases as of", day);
        su_result_fact_text(out, "method", "Method", "Kaplan-Meier, log(-log) limits");
        if (r.undated)
            su_result_warn(out, "W_MISSING", "%llu cases without a date of receipt were left out", (unsigned long long)r.undated);
        if (r.later) su_result_warn(out, "W_LATER", "%llu cases received after the end were left out", (unsigned long long)r.later);
        su_result_method(out,
                         "Median days to decision are by Kaplan and Meier with open cases censored at %s; limits by Brookmeyer and Crowley "
                         "on the log(-log) scale.",
                         day);
    }
    free(r.spells);
    return st;
}
