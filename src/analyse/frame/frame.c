/* frame: variables that may be dictionary encoded, found by name. */
#include <suha/analyse.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 32 };

su_frame *su_frame_new(uint64_t rows)
{
    su_frame *f = su_alloc(sizeof *f);
    su_arena_init(&f->arena);
    f->rows = rows;
    f->variables = su_arena_array(&f->arena, ROOM, sizeof *f->variables);
    return f;
}

void su_frame_free(su_frame *f)
{
    if (!f) return;
    su_arena_free(&f->arena);
    free(f);
}

/* The array doubles inside the arena, and what it leaves stays readable: a pointer handed out before keeps its meaning. */
static su_variable *add(su_frame *f, const char *name, su_variable_kind kind)
{
    if (f->count >= ROOM && (f->count & (f->count - 1)) == 0) {
        su_variable *more = su_arena_array(&f->arena, (size_t)f->count * 2, sizeof *more);
        memcpy(more, f->variables, f->count * sizeof *more);
        f->variables = more;
    }
    su_variable *v = &f->variables[f->count++];
    *v = (su_variable) { .name = su_arena_strndup(&f->arena, name, strlen(name)), .kind = kind };
    return v;
}

su_variable *su_frame_add_number(su_frame *f, const char *name, const double *values)
{
    su_variable *v = add(f, name, SU_VARIABLE_NUMBER);
    v->number = values;
    return v;
}

su_variable *su_frame_add_factor(su_frame *f, const char *name, const uint32_t *levels_by_row, const char *const *names, uint32_t count)
{
    su_variable *v = add(f, name, SU_VARIABLE_FACTOR);
    const char **copies = su_arena_array(&f->arena, count ? count : 1, sizeof *copies);
    for (uint32_t i = 0; i < count; i++) copies[i] = su_arena_strndup(&f->arena, names[i], strlen(names[i]));
    v->level = levels_by_row;
    v->levels = copies;
    v->level_count = count;
    return v;
}

su_status su_frame_find(su_context *ctx, const su_frame *f, su_str name, const su_variable **out)
{
    su_status st = SU_OK;
    su_arena scratch;
    su_arena_init(&scratch);
    *out = NULL;
    for (uint32_t i = 0; i < f->count; i++)
        if (su_str_equal(su_str_of(f->variables[i].name), name)) *out = &f->variables[i];
    su_str folded = su_text_fold(&scratch, name);
    const char *nearest = NULL;
    size_t best = folded.n / 3 + 2, same = 0;
    for (uint32_t i = 0; !*out && i < f->count; i++) {
        su_str other = su_text_fold(&scratch, su_str_of(f->variables[i].name));
        size_t d = su_text_distance(folded, other, best);
        if (d < best) {
            best = d;
            nearest = f->variables[i].name;
        }
        if (su_str_equal(folded, other)) same++;
    }
    if (!*out && same == 1)
        for (uint32_t i = 0; i < f->count; i++)
            if (su_str_equal(folded, su_text_fold(&scratch, su_str_of(f->variables[i].name)))) *out = &f->variables[i];
    if (!*out && same > 1)
        st = su_fail(ctx, SU_INPUT,
                     "'%.*s' could be several columns that differ in upper and lower case only; write the name as the file has it",
                     (int)name.n, name.p);
    else if (!*out && nearest)
        st = su_fail(ctx, SU_INPUT, "there is no column '%.*s'; did you mean '%s'?", (int)name.n, name.p, nearest);
    else if (!*out)
        st = su_fail(ctx, SU_INPUT, "there is no column '%.*s'; the file has %u columns, the first is '%s'", (int)name.n, name.p, f->count,
                     f->count ? f->variables[0].name : "");
    su_arena_free(&scratch);
    return st;
}

/* ---- a number seen as a factor ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const char *number_name(su_arena *a, double x)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        double back = 0;
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (su_parse_f64(su_str_of(text), &back) && back == x) break;
    }
    return su_arena_strndup(a, text, strlen(text));
}

static uint32_t place(const double *sorted, uint32_t n, double x)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

su_status su_frame_as_factor(su_context *ctx, su_frame *f, const su_variable *v, const su_variable **out)
{
    *out = v;
    if (v->kind == SU_VARIABLE_FACTOR) return SU_OK;
    uint64_t entries = f->rows;
    if (v->ids) {
        entries = 0;
        for (uint64_t r = 0; r < f->rows; r++)
            if (v->ids[r] >= entries) entries = (uint64_t)v->ids[r] + 1;
    }
    if (entries >= UINT32_MAX) return su_fail(ctx, SU_INPUT, "column '%s' has too many distinct values for groups", v->name);
    double *sorted = su_alloc_array(entries ? entries : 1, sizeof *sorted);
    uint32_t n = 0, distinct = 0;
    for (uint64_t i = 0; i < entries; i++)
        if (!isnan(v->number[i])) sorted[n++] = v->number[i] + 0.0; /* minus zero is zero */
    qsort(sorted, n, sizeof *sorted, by_value);
    for (uint32_t i = 0; i < n; i++)
        if (!distinct || sorted[i] != sorted[distinct - 1]) sorted[distinct++] = sorted[i];
    su_variable *factor = su_arena_alloc(&f->arena, sizeof *factor);
    uint32_t *level = su_arena_array(&f->arena, entries ? entries : 1, sizeof *level);
    const char **names = su_arena_array(&f->arena, distinct ? distinct : 1, sizeof *names);
    for (uint32_t i = 0; i < distinct; i++) names[i] = number_name(&f->arena, sorted[i]);
    for (uint64_t i = 0; i < entries; i++)
        if (!isnan(v->number[i])) level[i] = place(sorted, distinct, v->number[i]) + 1;
    free(sorted);
    *factor = *v;
    factor->kind = SU_VARIABLE_FACTOR;
    factor->number = NULL;
    factor->level = level;
    factor->levels = names;
    factor->level_count = distinct;
    *out = factor;
    return SU_OK;
}
