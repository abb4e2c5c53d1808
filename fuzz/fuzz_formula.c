/* libFuzzer target: any text as a formula; what parses is a set of different terms over known atoms, and is built on a small frame. What
 * follows the first line end is a profile of that model: read, or refused with words. */
#include "logit/effects.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 6 };

static su_frame *small_frame(void)
{
    static const double y[ROWS] = { 0, 1, 0, 1, 1, 0 }, x[ROWS] = { 1, 2, 3, 4, 5, 6 };
    static const uint32_t level[ROWS] = { 1, 2, 3, 1, 2, 3 };
    static const char *const names[] = { "p", "q", "r" };
    su_frame *f = su_frame_new(ROWS);
    su_frame_add_number(f, "y", y);
    su_frame_add_number(f, "x", x);
    su_frame_add_factor(f, "a", level, names, 3);
    su_frame_add_factor(f, "b", level, names, 3);
    return f;
}

static void profile(su_context *ctx, const su_predictors *p, su_str text)
{
    su_setting *settings = su_settings_new(p);
    uint32_t set = 0;
    const char *last = NULL;
    su_status status = su_profile_parse(ctx, p, text, settings, &set, &last);
    if (status == SU_OK ? set == 0 : ctx->message[0] == '\0') abort();
    if (status == SU_OK) (void)su_settings_complete(p, settings);
    free(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const variables[] = { "y", "x", "a" };
    su_context ctx;
    su_arena arena;
    su_formula *f = NULL;
    su_predictors *p = NULL;
    su_predictors_options options = { 0 };
    su_context_init(&ctx);
    su_arena_init(&arena);
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    su_str text = { (const char *)data, end ? (size_t)(end - data) : size };
    su_status status = su_formula_parse(&ctx, &arena, text, variables, 3, &f);
    if ((status == SU_OK) != (f != NULL)) abort();
    if (f) {
        uint64_t known = f->atom_count == 64 ? UINT64_MAX : (1ull << f->atom_count) - 1;
        for (uint32_t i = 0; i < f->term_count; i++) {
            if (f->terms[i] & ~known) abort();
            for (uint32_t k = 0; k < i; k++)
                if (f->terms[i] == f->terms[k]) abort();
            if (strlen(su_formula_term_name(&arena, f, f->terms[i])) == 0) abort();
        }
        su_frame *frame = small_frame();
        if (su_predictors_build(&ctx, frame, f, &options, &p) == SU_OK) {
            su_sparse s = su_sparse_new(p);
            for (uint64_t r = 0; r < p->row_count; r++) {
                su_predictors_row(p, p->rows[r], NULL, &s);
                for (uint32_t k = 0; k < s.n; k++)
                    if (s.column[k] >= p->columns || (k && s.column[k] <= s.column[k - 1])) abort();
            }
            su_sparse_free(&s);
            if (end) profile(&ctx, p, (su_str) { (const char *)end + 1, size - text.n - 1 });
        }
        su_predictors_free(p);
        su_frame_free(frame);
    }
    su_arena_free(&arena);
    return 0;
}
