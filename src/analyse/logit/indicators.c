#include <math.h>
#include <string.h>

#include <suha/logit.h>

static su_status free_name(su_context *ctx, const su_frame *f, const char *name)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (strcmp(f->variables[i].name, name) == 0)
            return su_fail(ctx, SU_INPUT,
                           "The file has a column '%s' already, which is the name of an indicator that is computed. Rename the column.",
                           name);
    return SU_OK;
}

/* The frame's array of variables may move, so places are kept and turned into pointers at the end. */
static su_status add(su_context *ctx, su_frame *f, const char *name, const double *values, uint32_t *place)
{
    su_status st = free_name(ctx, f, name);
    if (st != SU_OK) return st;
    su_frame_add_number(f, name, values);
    *place = f->count - 1;
    return SU_OK;
}

static void positive(const su_frame *f, const su_indicator_question *q, size_t n, double *own, double *family)
{
    for (uint64_t r = 0; r < f->rows; r++) {
        unsigned all = 0;
        for (size_t i = 0; i < n; i++)
            if (q[i].counts) all |= q[i].answers[r];
        bool valid = all & SU_ANSWER_VALID;
        own[r] = !valid ? NAN : (all & SU_ANSWER_OWN) != 0;
        family[r] = !valid ? NAN : !(all & SU_ANSWER_OWN) && (all & SU_ANSWER_FAMILY);
    }
}

static void any_own(const su_frame *f, const su_indicator_question *q, size_t n, const char *group, double *out)
{
    for (uint64_t r = 0; r < f->rows; r++) {
        unsigned all = 0;
        for (size_t i = 0; i < n; i++)
            if (q[i].group && strcmp(q[i].group, group) == 0) all |= q[i].answers[r];
        out[r] = !(all & SU_ANSWER_VALID) ? NAN : (all & SU_ANSWER_OWN) != 0;
    }
}

su_status su_indicators_add(su_context *ctx, su_frame *f, const su_indicator_question *q, size_t n, const su_variable ***added,
                            size_t *count)
{
    uint32_t *places = su_arena_array(&f->arena, 2 * n + 2, sizeof *places);
    double *own = su_arena_array(&f->arena, f->rows + 1, sizeof *own), *family = su_arena_array(&f->arena, f->rows + 1, sizeof *family);
    size_t made = 2;
    *count = 0;
    bool any = false;
    for (size_t i = 0; i < n; i++) any |= q[i].counts;
    if (!any) return su_fail(ctx, SU_INPUT, "None of the questions asked here makes a positive response.");
    positive(f, q, n, own, family);
    su_status st = add(ctx, f, "own_experience", own, &places[0]);
    if (st == SU_OK) st = add(ctx, f, "family_only", family, &places[1]);
    for (size_t i = 0; i < n && st == SU_OK; i++) {
        double *values = su_arena_array(&f->arena, f->rows + 1, sizeof *values);
        for (uint64_t r = 0; r < f->rows; r++)
            values[r] = !(q[i].answers[r] & SU_ANSWER_VALID) ? NAN : (q[i].answers[r] & SU_ANSWER_OWN) != 0;
        st = add(ctx, f, su_arena_printf(&f->arena, "own_%s", q[i].name), values, &places[made++]);
    }
    for (size_t i = 0; i < n && st == SU_OK; i++) {
        bool first = q[i].group != NULL;
        for (size_t k = 0; k < i && first; k++) first = !q[k].group || strcmp(q[k].group, q[i].group) != 0;
        if (!first) continue;
        double *values = su_arena_array(&f->arena, f->rows + 1, sizeof *values);
        any_own(f, q, n, q[i].group, values);
        st = add(ctx, f, su_arena_printf(&f->arena, "own_%s", q[i].group), values, &places[made++]);
    }
    const su_variable **list = su_arena_array(&f->arena, made, sizeof *list);
    for (size_t i = 0; i < made && st == SU_OK; i++) list[i] = &f->variables[places[i]];
    *added = list;
    *count = made;
    return st;
}
