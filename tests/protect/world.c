#include "world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

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

su_release *world_plan(su_context *ctx, const world *w, double epsilon, uint32_t length, uint64_t max_table_cells)
{
    su_release_options options = { .epsilon = epsilon, .length = length, .max_table_cells = max_table_cells, .seconds = 1 };
    su_release *r = NULL;
    if (su_release_plan(ctx, NULL, w->columns, w->matrix.column_count, &options, &r)) {
        fail_msg("%s", ctx->message);
    }
    return r;
}
