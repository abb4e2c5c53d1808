/* builder: rows of cells become the dictionary-encoded columns of a raw table. Shared by the CSV and the XLSX reader. */
#ifndef SUHA_TABLE_BUILDER_H
#define SUHA_TABLE_BUILDER_H

#include <suha/table.h>

#include <string.h>

#define COLUMN_CACHE 32u
#define NO_ID UINT32_MAX

/* The last cell seen in each of a few places. Case data repeat themselves: a hit saves hashing and probing. `p` points into the
 * dictionary, which keeps a string where it is. */
typedef struct column_cache {
    const char *p;
    uint32_t n, id;
} column_cache;

typedef struct column_builder {
    su_dict *values;
    void *ids;
    uint8_t width; /* bytes of an id: 1, 2 or 4 */
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
    bool narrow; /* set before the columns: an id takes the bytes it needs, and not always four */
} table_builder;

/* Makes columns up to `count`. */
void builder_columns(table_builder *b, uint32_t count);
/* Room for so many rows at once, which costs nothing until they come. */
void builder_reserve(table_builder *b, uint64_t rows);
/* Ids that do not fit take more bytes from here on, those already there too. */
void builder_widen(column_builder *c, uint32_t id);
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

/* Id of the cell in its column. */
static inline uint32_t builder_encode(column_builder *c, const char *p, size_t n)
{
    if (n == 0) {
        if (c->empty_id == NO_ID) c->empty_id = su_dict_add(c->values, (su_str) { "", 0 });
        return c->empty_id;
    }
    column_cache *hit = &c->cache[cache_slot(p, n)];
    if (hit->n == n && memcmp(hit->p, p, n) == 0) return hit->id;
    uint32_t id = su_dict_add(c->values, (su_str) { p, n });
    *hit = (column_cache) { su_dict_get(c->values, id).p, (uint32_t)n, id };
    return id;
}

static inline void builder_put(column_builder *c, uint64_t row, uint32_t id)
{
    if (c->width < 4 && id >> (8 * c->width)) builder_widen(c, id);
    if (c->width == 1)
        ((uint8_t *)c->ids)[row] = (uint8_t)id;
    else if (c->width == 2)
        ((uint16_t *)c->ids)[row] = (uint16_t)id;
    else
        ((uint32_t *)c->ids)[row] = id;
}

/* Puts a cell into the current row (the last one started). */
static inline void builder_cell(table_builder *b, uint32_t column, const char *p, size_t n)
{
    column_builder *c = &b->columns[column];
    uint64_t row = b->row_count - 1;
    if (c->rows < row) builder_pad(c, row);
    if (c->rows >= c->capacity) c->ids = su_grow(c->ids, &c->capacity, row + 1, c->width);
    builder_put(c, row, builder_encode(c, p, n));
    c->rows = row + 1;
}

#endif
