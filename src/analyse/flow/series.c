/* Rows summed into a series of periods. */
#include <suha/flow.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow/margin_words.h"

enum { MOST_PERIODS = 100000 };

typedef struct cell {
    su_period period;
    uint64_t row;
    double count;
} cell;

static bool folded_in(const char *text, const char *const *words, size_t count)
{
    su_arena scratch;
    su_arena_init(&scratch);
    su_str folded = su_text_fold(&scratch, su_str_of(text));
    bool found = false;
    for (size_t i = 0; i < count; i++) found |= su_str_equal(folded, su_str_of(words[i]));
    su_arena_free(&scratch);
    return found;
}

bool su_is_margin_word(const char *text)
{
    static const char *const words[] = { "total", "totals", "all", "grand total", "subtotal", "sub-total", "all ages", "both sexes" };
    return folded_in(text, words, sizeof words / sizeof *words);
}

su_status su_need_number(su_context *ctx, const su_variable *v)
{
    if (!v || v->kind == SU_VARIABLE_NUMBER) return SU_OK;
    if (!v->level_count) return su_fail(ctx, SU_INPUT, "column '%s' has no value at all; numbers are needed", v->name);
    return su_fail(ctx, SU_INPUT, "column '%s' holds text ('%s' for one); numbers are needed", v->name, v->levels[0]);
}

/* The level of v that says "Total", or 0. */
uint32_t su_margin_level(const su_variable *v)
{
    if (v->kind != SU_VARIABLE_FACTOR) return 0;
    for (uint32_t k = 0; k < v->level_count; k++)
        if (su_is_margin_word(v->levels[k])) return k + 1;
    return 0;
}

bool su_filter_row(const su_filter *filters, size_t count, uint64_t row)
{
    for (size_t i = 0; i < count; i++) {
        const su_variable *v = filters[i].variable;
        double number;
        if (v->kind == SU_VARIABLE_NUMBER) {
            if (!su_parse_f64(filters[i].value, &number) || su_frame_number(v, row) != number) return false;
            continue;
        }
        uint32_t level = su_frame_level(v, row);
        if (!level || !su_str_equal(su_str_of(v->levels[level - 1]), filters[i].value)) return false;
    }
    return true;
}

/* A filter's value is one that the variable has; folded spelling is corrected. */
su_status su_filter_check(su_context *ctx, su_filter *filter)
{
    const su_variable *v = filter->variable;
    double number;
    if (v->kind == SU_VARIABLE_NUMBER)
        return su_parse_f64(filter->value, &number) ? SU_OK
                                                    : su_fail(ctx, SU_REFUSED, "column '%s' holds numbers; '%.*s' is not one", v->name,
                                                              (int)filter->value.n, filter->value.p);
    su_arena scratch;
    su_arena_init(&scratch);
    su_str wanted = su_text_fold(&scratch, filter->value);
    const char *found = NULL, *nearest = NULL;
    size_t best = wanted.n / 3 + 2;
    for (uint32_t k = 0; k < v->level_count; k++) {
        su_str level = su_str_of(v->levels[k]);
        if (su_str_equal(level, filter->value)) found = v->levels[k];
    }
    for (uint32_t k = 0; !found && k < v->level_count; k++) {
        su_str folded = su_text_fold(&scratch, su_str_of(v->levels[k]));
        if (su_str_equal(folded, wanted)) found = v->levels[k];
        size_t distance = su_text_distance(folded, wanted, best);
        if (distance < best) {
            best = distance;
            nearest = v->levels[k];
        }
    }
    su_status st = SU_OK;
    if (found)
        filter->value = su_str_of(found);
    else if (nearest)
        st = su_fail(ctx, SU_REFUSED, "column '%s' has no value '%.*s'; did you mean '%s'?", v->name, (int)filter->value.n, filter->value.p,
                     nearest);
    else
        st = su_fail(ctx, SU_REFUSED, "column '%s' has no value '%.*s'", v->name, (int)filter->value.n, filter->value.p);
    su_arena_free(&scratch);
    return st;
}

static bool filtered(const su_series_input *in, const su_variable *v)
{
    for (size_t i = 0; i < in->filter_count; i++)
        if (in->filters[i].variable == v) return true;
    return false;
}

/* Rows that are totals of other rows would be counted twice. */
static su_status check_margins(su_context *ctx, const su_frame *f, const su_series_input *in)
{
    for (uint32_t i = 0; !in->exclude_margins && i < f->count; i++) {
        const su_variable *v = &f->variables[i];
        uint32_t margin = filtered(in, v) || v == in->time || v == in->within ? 0 : su_margin_level(v);
        if (margin && v->level_count > 1)
            return su_fail(ctx, SU_REFUSED,
                           "column '%s' has rows '%s' that are sums of other rows; adding them up would count people twice. Take one value "
                           "(--where \"%s=%s\") or leave the totals out (--margins exclude)",
                           v->name, v->levels[margin - 1], v->name, v->levels[margin - 1]);
    }
    return SU_OK;
}

static bool is_margin_row(const su_frame *f, const su_series_input *in, uint64_t row)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const su_variable *v = &f->variables[i];
        bool time = v == in->time || v == in->within;
        if (v->kind != SU_VARIABLE_FACTOR || filtered(in, v) || (!time && !in->exclude_margins)) continue;
        uint32_t level = su_frame_level(v, row);
        if (level && su_is_margin_word(v->levels[level - 1])) return true;
    }
    return false;
}

static void value_text(const su_variable *v, uint64_t row, char *out, size_t room)
{
    if (v->kind == SU_VARIABLE_NUMBER) {
        snprintf(out, room, "%.15g", su_frame_number(v, row));
        return;
    }
    uint32_t level = su_frame_level(v, row);
    snprintf(out, room, "%s", level ? v->levels[level - 1] : "");
}

static bool read_time(const su_series_input *in, uint64_t row, su_period *out, char text[96])
{
    char year[48], part[40];
    value_text(in->time, row, year, sizeof year);
    snprintf(text, 96, "%s", year);
    if (in->within) {
        double number;
        value_text(in->within, row, part, sizeof part);
        bool quarter = part[0] == 'Q' || part[0] == 'q' || part[0] == 'W' || part[0] == 'w';
        if (quarter || (su_parse_f64(su_str_of(part), &number) && number >= 1 && number <= 12))
            snprintf(text, 96, "%s-%s", year, part);
        else
            return false;
    }
    return su_period_parse(su_str_of(text), out);
}

/* A number column of 1, 2, 3 ... has no calendar, even where it passes 1500. */
static void settle_kind(cell *cells, size_t n)
{
    bool plain = false;
    for (size_t i = 0; i < n; i++) plain |= cells[i].period.kind == 'n';
    for (size_t i = 0; plain && i < n; i++)
        if (cells[i].period.kind == 'y') cells[i].period.kind = 'n';
}

static su_status read_cells(su_context *ctx, const su_frame *f, const su_series_input *in, su_series *s, cell *cells, size_t *count)
{
    char text[96];
    for (uint64_t row = 0; row < f->rows; row++) {
        if (!su_filter_row(in->filters, in->filter_count, row)) continue;
        if (is_margin_row(f, in, row)) {
            s->margins++;
            continue;
        }
        cell c = { .row = row, .count = in->count ? su_frame_number(in->count, row) : 1 };
        if (!read_time(in, row, &c.period, text))
            return su_fail(ctx, SU_INPUT,
                           "data row %llu: '%s' is no period; write 2024, 2024-Q1, 2024-03, 2024-W07, 2024-03-31 or a whole number",
                           (unsigned long long)row + 1, text);
        if (isnan(c.count)) {
            s->missing++;
            continue;
        }
        if (c.count < 0)
            return su_fail(ctx, SU_INPUT, "data row %llu: the count is %g; counts are zero or more", (unsigned long long)row + 1, c.count);
        cells[(*count)++] = c;
    }
    settle_kind(cells, *count);
    for (size_t i = 1; i < *count; i++)
        if (cells[i].period.kind != cells[0].period.kind)
            return su_fail(ctx, SU_REFUSED, "data rows %llu and %llu have times of different kinds (a month and a quarter, say)",
                           (unsigned long long)cells[0].row + 1, (unsigned long long)cells[i].row + 1);
    if (*count == 0) return su_fail(ctx, SU_REFUSED, "no row is left: look at --where and at the count's column");
    return SU_OK;
}

static int by_period(const void *a, const void *b)
{
    const cell *x = a, *y = b;
    if (x->period.ordinal != y->period.ordinal) return x->period.ordinal < y->period.ordinal ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The value of a per-period variable: the same in all rows of the period. */
static su_status one_value(su_context *ctx, const su_variable *v, const cell *cells, size_t n, const char *what, double *out)
{
    if (!v) return SU_OK;
    *out = su_frame_number(v, cells[0].row);
    for (size_t i = 0; i < n; i++) {
        double x = su_frame_number(v, cells[i].row);
        if (isnan(x)) return su_fail(ctx, SU_INPUT, "data row %llu: %s '%s' is empty", (unsigned long long)cells[i].row + 1, what, v->name);
        if (x != *out)
            return su_fail(ctx, SU_REFUSED,
                           "%s '%s' has two values (%g, %g) in one period (data rows %llu and %llu); keep one place or group with --where",
                           what, v->name, *out, x, (unsigned long long)cells[0].row + 1, (unsigned long long)cells[i].row + 1);
    }
    return SU_OK;
}

static void room(su_series *s, const su_series_input *in, size_t n)
{
    s->ordinal = su_arena_array(&s->arena, n, sizeof *s->ordinal);
    s->value = su_arena_array(&s->arena, n, sizeof *s->value);
    s->season = su_arena_array(&s->arena, n, sizeof *s->season);
    if (in->exposure) s->exposure = su_arena_array(&s->arena, n, sizeof *s->exposure);
    if (in->shift) s->shift = su_arena_array(&s->arena, n, sizeof *s->shift);
}

static su_status add_period(su_context *ctx, su_series *s, const su_series_input *in, const cell *cells, size_t n)
{
    double exposure = 1, shift = 0, season = NAN;
    size_t at = s->n;
    su_status st = one_value(ctx, in->exposure, cells, n, "the exposure", &exposure);
    if (!st) st = one_value(ctx, in->shift, cells, n, "the shift", &shift);
    if (!st) st = one_value(ctx, in->season, cells, n, "the season", &season);
    if (st) return st;
    if (in->season && !(season >= 0 && season <= s->period && season == floor(season)))
        return su_fail(ctx, SU_REFUSED, "data row %llu: season %g is not one of %u", (unsigned long long)cells[0].row + 1, season,
                       s->period);
    if (in->exposure && !(exposure > 0))
        return su_fail(ctx, SU_INPUT, "data row %llu: the exposure '%s' must be above zero, not %g", (unsigned long long)cells[0].row + 1,
                       in->exposure->name, exposure);
    s->ordinal[at] = cells[0].period.ordinal;
    for (size_t i = 0; i < n; i++) s->value[at] += cells[i].count;
    s->season[at] = in->season ? ((unsigned)season + s->period - 1) % s->period : s->period ? cells[0].period.season % s->period : 0;
    if (in->exposure) s->exposure[at] = exposure;
    if (in->shift) s->shift[at] = shift;
    s->n++;
    return SU_OK;
}

static su_status add_zeros(su_context *ctx, su_series *s, const su_series_input *in, int64_t from, int64_t to)
{
    if (in->exposure || in->shift)
        return su_fail(ctx, SU_REFUSED, "periods without rows have no exposure or shift either; add them to the file with a count of 0");
    for (int64_t k = from; k < to; k++) {
        su_period p;
        s->ordinal[s->n] = k;
        if (su_period_of(s->kind, k, &p) && s->period) s->season[s->n] = p.season % s->period;
        s->n++;
    }
    return SU_OK;
}

su_status su_series_of(su_context *ctx, const su_frame *f, const su_series_input *in, su_series **out)
{
    size_t count = 0;
    *out = NULL;
    su_series *s = su_alloc(sizeof *s);
    su_arena_init(&s->arena);
    cell *cells = su_alloc_array(f->rows ? f->rows : 1, sizeof *cells);
    su_status st = check_margins(ctx, f, in);
    const su_variable *numbers[] = { in->count, in->exposure, in->shift, in->season };
    for (size_t k = 0; !st && k < sizeof numbers / sizeof *numbers; k++) st = su_need_number(ctx, numbers[k]);
    if (!st) st = read_cells(ctx, f, in, s, cells, &count);
    if (!st) {
        qsort(cells, count, sizeof *cells, by_period);
        int64_t span = cells[count - 1].period.ordinal - cells[0].period.ordinal + 1;
        s->kind = cells[0].period.kind;
        s->rows = count;
        s->period = in->period ? in->period : in->season ? 12 : su_period_seasons(s->kind);
        if (span > MOST_PERIODS) st = su_fail(ctx, SU_REFUSED, "the times span %lld periods; at most %d", (long long)span, MOST_PERIODS);
        if (!st) room(s, in, (size_t)span);
    }
    for (size_t i = 0, j; !st && i < count; i = j) {
        for (j = i + 1; j < count && cells[j].period.ordinal == cells[i].period.ordinal; j++) continue;
        int64_t gap = s->n ? cells[i].period.ordinal - s->ordinal[s->n - 1] - 1 : 0;
        s->absent += (size_t)gap;
        if (gap && in->absent_zero) st = add_zeros(ctx, s, in, s->ordinal[s->n - 1] + 1, cells[i].period.ordinal);
        if (!st) st = add_period(ctx, s, in, cells + i, j - i);
    }
    free(cells);
    if (st)
        su_series_free(s);
    else
        *out = s;
    return st;
}

void su_series_free(su_series *s)
{
    if (!s) return;
    su_arena_free(&s->arena);
    free(s);
}
