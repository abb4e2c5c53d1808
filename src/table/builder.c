#include "builder.h"

#include <stdlib.h>

void builder_columns(table_builder *b, uint32_t count)
{
    if (count <= b->column_count) return;
    b->columns = su_grow(b->columns, &b->column_capacity, count, sizeof *b->columns);
    for (uint32_t c = b->column_count; c < count; c++) {
        memset(&b->columns[c], 0, sizeof b->columns[c]);
        b->columns[c].values = su_dict_new();
        b->columns[c].empty_id = NO_ID;
        b->columns[c].width = b->narrow ? 1 : 4;
    }
    b->column_count = count;
}

void builder_reserve(table_builder *b, uint64_t rows)
{
    b->row_line = su_grow(b->row_line, &b->row_capacity, rows, sizeof *b->row_line);
    for (uint32_t c = 0; c < b->column_count; c++)
        b->columns[c].ids = su_grow(b->columns[c].ids, &b->columns[c].capacity, rows, b->columns[c].width);
}

void builder_widen(column_builder *c, uint32_t id)
{
    uint8_t width = id > UINT16_MAX ? 4 : 2;
    column_builder wide = { .ids = su_alloc_array(c->capacity, width), .width = width };
    for (uint64_t r = 0; r < c->rows; r++)
        builder_put(&wide, r, c->width == 1 ? ((const uint8_t *)c->ids)[r] : ((const uint16_t *)c->ids)[r]);
    if (c->ids != NULL) su_wipe(c->ids, c->rows * c->width);
    free(c->ids);
    c->ids = wide.ids;
    c->width = width;
}

void builder_row(table_builder *b, uint32_t line)
{
    b->row_line = su_grow(b->row_line, &b->row_capacity, b->row_count + 1, sizeof *b->row_line);
    b->row_line[b->row_count++] = line;
}

void builder_pad(column_builder *c, uint64_t rows)
{
    if (c->rows >= rows) return;
    uint32_t empty = builder_encode(c, "", 0);
    c->ids = su_grow(c->ids, &c->capacity, rows, c->width);
    for (; c->rows < rows; c->rows++) builder_put(c, c->rows, empty);
}

void builder_free(table_builder *b)
{
    for (uint32_t c = 0; c < b->column_count; c++) {
        su_dict_free(b->columns[c].values);
        if (b->columns[c].ids != NULL) su_wipe(b->columns[c].ids, b->columns[c].rows * b->columns[c].width);
        free(b->columns[c].ids);
    }
    free(b->columns);
    free(b->row_line);
    memset(b, 0, sizeof *b);
}

su_raw_table *builder_finish(table_builder *b, char **names, const char *source)
{
    su_raw_table *t = su_alloc(sizeof *t);
    t->source = su_strdup(source);
    t->column_count = b->column_count;
    t->columns = su_alloc_array(b->column_count, sizeof *t->columns);
    for (uint32_t c = 0; c < b->column_count; c++) {
        column_builder *from = &b->columns[c];
        builder_pad(from, b->row_count);
        if (from->ids == NULL) from->ids = su_alloc(from->width);
        t->columns[c] = (su_raw_column) { .name = names[c], .values = from->values };
        if (from->width == 1)
            t->columns[c].ids8 = from->ids;
        else if (from->width == 2)
            t->columns[c].ids16 = from->ids;
        else
            t->columns[c].ids = from->ids;
    }
    t->row_count = b->row_count;
    t->row_line = b->row_line == NULL ? su_alloc(sizeof *t->row_line) : b->row_line;
    t->encoding = "UTF-8";
    free(b->columns);
    memset(b, 0, sizeof *b);
    return t;
}
