/* Raw table: finding a column, and forgetting the whole. */
#include <suha/table.h>

#include <stdlib.h>
#include <string.h>

static void free_text(char *s)
{
    if (s != NULL) su_wipe(s, strlen(s));
    free(s);
}

static void drop(void *ids, uint64_t rows, size_t size)
{
    if (ids != NULL) su_wipe(ids, rows * size);
    free(ids);
}

void su_raw_column_drop(su_raw_column *c, uint64_t rows)
{
    drop(c->ids, rows, sizeof *c->ids);
    drop(c->ids8, rows, sizeof *c->ids8);
    drop(c->ids16, rows, sizeof *c->ids16);
    c->ids = NULL;
    c->ids8 = NULL;
    c->ids16 = NULL;
}

const uint32_t *su_raw_ids(const su_raw_column *c, uint64_t from, uint64_t n, uint32_t *room)
{
    if (c->ids != NULL) return c->ids + from;
    for (uint64_t i = 0; i < n; i++) room[i] = c->ids8 ? c->ids8[from + i] : c->ids16[from + i];
    return room;
}

void su_raw_table_free(su_raw_table *t)
{
    if (t == NULL) return;
    for (uint32_t c = 0; c < t->column_count; c++) {
        su_raw_column *column = &t->columns[c];
        free_text((char *)(uintptr_t)column->name);
        su_dict_free(column->values);
        su_raw_column_drop(column, t->row_count);
    }
    free(t->columns);
    free(t->row_line);
    free_text(t->source);
    free_text(t->sheet);
    free_text(t->others);
    free(t);
}

int su_raw_table_column(const su_raw_table *t, su_str name)
{
    for (uint32_t c = 0; c < t->column_count; c++)
        if (su_str_equal(su_str_of(t->columns[c].name), name)) return (int)c;
    su_arena scratch;
    su_arena_init(&scratch);
    su_str folded = su_text_fold(&scratch, name);
    int found = -1;
    for (uint32_t c = 0; c < t->column_count; c++) {
        if (!su_str_equal(su_text_fold(&scratch, su_str_of(t->columns[c].name)), folded)) continue;
        found = found == -1 ? (int)c : -2;
    }
    su_arena_free(&scratch);
    return found < 0 ? -1 : found;
}
