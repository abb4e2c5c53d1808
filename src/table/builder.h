/* builder: rows of cells become the dictionary-encoded columns of a raw table. Shared by the CSV and the XLSX reader. */
#ifndef SUHA_TABLE_BUILDER_H
#define SUHA_TABLE_BUILDER_H

#include <suha/table.h>

#include <string.h>

#define COLUMN_CACHE 32u
#define NO_ID UINT32_MAX

/* The last cell seen in each of a few places. Case data repeat themselves: a hit saves hashing and probing. `p` points into the input,
 * which outlives the builder. */
typedef struct column_cache {
    const char *p;
    uint32_t n, id;
} column_cache;

typedef struct column_builder {
    su_dict *values;
    uint32_t *ids;
    uint64_t rows; /* ids given; the rest up to the table's row count is empty */
    size_t capacity;
    uint32_t empty_id; /* id of "", NO_ID until it appears */
    column_cache cache[COLUMN_CACHE];
} column_builder;

typedef struct table_builder {
    column_builder *columns;
    uint32_t column_count;
    size_t column_capacity;
    uint32_t *row_line;
    uint64_t row_count;
    size_t row_capacity;
} table_builder;

/* Makes columns up to `count`. */
void builder_columns(table_builder *b, uint32_t count);
/* Starts a row. `line` is where it starts. */
void builder_row(table_builder *b, uint32_t line);
/* Gives the first rows of a column that have no cell the empty one, up to `rows`. */
void builder_pad(column_builder *c, uint64_t rows);
void builder_free(table_builder *b);
/* Moves the columns into a new table and pads them. names: column_count of them, taken (each from su_alloc). The builder is empty after. */
su_raw_table *builder_finish(table_builder *b, char **names, const char *source);

static inline uint32_t cache_slot(const char *p, size_t n)
{
    uint64_t a = 0, z = 0;
    if (n >= 8) {
        memcpy(&a, p, 8);
        memcpy(&z, p + n - 8, 8);
    } else if (n >= 4) {
        memcpy(&a, p, 4);
        memcpy(&z, p + n - 4, 4);
    } else {
        a = (uint64_t)(unsigned char)p[0] << 8 | (unsigned char)p[n - 1];
    }
    return (uint32_t)((((a * 31) ^ z ^ n) * 0x9E3779B97F4A7C15u) >> 59) & (COLUMN_CACHE - 1);
}

/* Id of the cell in its column. `lasting`: the bytes outlive the builder, so that the cache may point at them. */
static inline uint32_t builder_encode(column_builder *c, const char *p, size_t n, bool lasting)
{
    if (n == 0) {
        if (c->empty_id == NO_ID) c->empty_id = su_dict_add(c->values, (su_str) { "", 0 });
        return c->empty_id;
    }
    column_cache *hit = &c->cache[cache_slot(p, n)];
    if (hit->n == n && memcmp(hit->p, p, n) == 0) return hit->id;
    uint32_t id = su_dict_add(c->values, (su_str) { p, n });
    if (lasting) *hit = (column_cache) { p, (uint32_t)n, id };
    return id;
}

/* Puts a cell into the current row (the last one started). */
static inline void builder_cell(table_builder *b, uint32_t column, const char *p, size_t n, bool lasting)
{
    column_builder *c = &b->columns[column];
    uint64_t row = b->row_count - 1;
    if (c->rows < row) builder_pad(c, row);
    if (c->rows >= c->capacity) c->ids = su_grow(c->ids, &c->capacity, row + 1, sizeof *c->ids);
    c->ids[row] = builder_encode(c, p, n, lasting);
    c->rows = row + 1;
}

#endif
