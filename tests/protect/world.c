#include "world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

void world_init(world *w, uint64_t rows, const uint32_t *card, uint32_t column_count, su_random *random)
{
    memset(w, 0, sizeof *w);
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p" };
    assert_true(column_count <= 16);
    w->matrix.row_count = rows;
    w->matrix.column_count = column_count;
    w->matrix.columns = w->columns;
    for (uint32_t c = 0; c < column_count; c++) {
        w->codes[c] = su_alloc_array(rows + WORLD_SPARE, sizeof *w->codes[c]);
        w->columns[c] = (su_matrix_column) { .name = names[c], .card = card[c], .codes = w->codes[c] };
    }
    for (uint64_t r = 0; r < rows; r++) {
        uint64_t group = su_random_below(random, 4);
        for (uint32_t c = 0; c < column_count; c++) {
            uint64_t favourite = (group * (c + 3)) % card[c];
            uint64_t draw = su_random_below(random, 6);
            w->codes[c][r] = (uint16_t)(draw < 2 ? 0 : draw < 4 ? favourite : su_random_below(random, card[c]));
        }
    }
}

void world_append(world *w, const uint16_t *record)
{
    for (uint32_t c = 0; c < w->matrix.column_count; c++) {
        w->codes[c][w->matrix.row_count] = record[c];
    }
    w->matrix.row_count++;
}

void world_free(world *w)
{
    for (uint32_t c = 0; c < w->matrix.column_count; c++) {
        free(w->codes[c]);
    }
}

su_release *world_plan_of(const world *w, const su_release_options *o)
{
    su_context ctx;
    su_release *r = NULL;
    su_context_init(&ctx);
    if (su_release_plan(&ctx, NULL, w->columns, w->matrix.column_count, o, &r)) fail_msg("%s", ctx.message);
    return r;
}

su_release *world_release(const world *w, const su_release_options *o, uint64_t seed, unsigned threads)
{
    su_context ctx;
    su_random random;
    su_release *r = world_plan_of(w, o);
    su_context_init(&ctx);
    ctx.threads = threads;
    su_random_seeded(&random, seed);
    if (su_release_run(&ctx, r, &w->matrix, &random, NULL, NULL)) fail_msg("%s", ctx.message);
    return r;
}

uint64_t world_count(const world *w, const su_attribute *at, uint32_t n)
{
    uint64_t rows = 0;
    for (uint64_t i = 0; i < w->matrix.row_count; i++) {
        bool all = true;
        for (uint32_t k = 0; k < n; k++) all = all && w->codes[at[k].column][i] == at[k].value;
        rows += all;
    }
    return rows;
}

static bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

void world_same_release(const su_release *a, const su_release *b)
{
    assert_true(a->aggregate_count == b->aggregate_count && a->record_count == b->record_count && a->table_count == b->table_count);
    assert_true(a->total_estimate == b->total_estimate);
    if (a->table_count) assert_memory_equal(a->tables, b->tables, a->table_count * sizeof *a->tables);
    for (size_t i = 0; i < a->aggregate_count; i++) {
        const su_aggregate *x = &a->aggregates[i], *y = &b->aggregates[i];
        assert_true(x->length == y->length && x->count == y->count && same_number(x->ci_low, y->ci_low) &&
                    same_number(x->ci_high, y->ci_high));
        assert_memory_equal(x->at, y->at, x->length * sizeof x->at[0]);
    }
    for (uint32_t c = 0; c < a->column_count; c++) assert_memory_equal(a->records[c], b->records[c], a->record_count * sizeof **a->records);
}

void world_near(double got, double want)
{
    bool good = isnan(want) ? isnan(got) : fabs(got - want) <= 1e-9 * (1 + fabs(want));
    if (!good) fail_msg("%.12g, not %.12g", got, want);
}

su_release *world_plan(const world *w, double epsilon, uint32_t length, uint64_t max_table_cells)
{
    return world_plan_of(w,
                         &(su_release_options) { .epsilon = epsilon, .length = length, .max_table_cells = max_table_cells, .seconds = 1 });
}
