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
    }
    b->column_count = count;
}

void builder_row(table_builder *b, uint32_t line)
{
    b->row_line = su_grow(b->row_line, &b->row_capacity, b->row_count + 1, sizeof *b->row_line);
    b->row_line[b->row_count++] = line;
}

void builder_pad(column_builder *c, uint64_t rows)
{
    if (c->rows >= rows) return;
    uint32_t empty = builder_encode(c, "", 0, true);
    c->ids = su_grow(c->ids, &c->capacity, rows, sizeof *c->ids);
    for (uint64_t r = c->rows; r < rows; r++) c->ids[r] = empty;
    c->rows = rows;
}

void builder_free(table_builder *b)
{
    for (uint32_t c = 0; c < b->column_count; c++) {
        su_dict_free(b->columns[c].values);
        if (b->columns[c].ids != NULL) su_wipe(b->columns[c].ids, b->columns[c].rows * sizeof *b->columns[c].ids);
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
        if (from->ids == NULL) from->ids = su_alloc(sizeof *from->ids);
        t->columns[c] = (su_raw_column) { .name = names[c], .values = from->values, .ids = from->ids };
    }
    t->row_count = b->row_count;
    t->row_line = b->row_line == NULL ? su_alloc(sizeof *t->row_line) : b->row_line;
    t->encoding = "UTF-8";
    free(b->columns);
    memset(b, 0, sizeof *b);
    return t;
}
