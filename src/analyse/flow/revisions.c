/* Two editions of a table, cell by cell. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <suha/official.h>

enum { MOST_KEYS = 16 };

typedef struct edition {
    const su_raw_table *t;
    int key[MOST_KEYS];
    su_dict *rows; /* joined key -> id */
    uint64_t *at;  /* row of each id */
} edition;

static su_str cell(const su_raw_table *t, int column, uint64_t row)
{
    return su_str_trim(su_dict_get(t->columns[column].values, t->columns[column].ids[row]));
}

static void join(const edition *e, size_t keys, uint64_t row, su_buf *out, const char *between)
{
    out->n = 0;
    for (size_t k = 0; k < keys; k++) {
        su_str s = cell(e->t, e->key[k], row);
        if (k) su_buf_text(out, between);
        su_buf_add(out, s.p, s.n);
    }
    if (!out->p) su_buf_text(out, "");
}

static su_status index_rows(su_context *ctx, edition *e, const su_str *key, size_t keys)
{
    su_buf text = { 0 };
    su_status st = SU_OK;
    for (size_t k = 0; k < keys; k++) {
        e->key[k] = su_raw_table_column(e->t, key[k]);
        if (e->key[k] < 0) return su_fail(ctx, SU_INPUT, "%s has no column '%.*s'", e->t->source, (int)key[k].n, key[k].p);
    }
    e->rows = su_dict_new();
    e->at = su_alloc_array(e->t->row_count + 1, sizeof *e->at);
    for (uint64_t row = 0; !st && row < e->t->row_count; row++) {
        uint32_t known = su_dict_count(e->rows);
        join(e, keys, row, &text, "\x1f");
        uint32_t id = su_dict_add(e->rows, (su_str) { text.p, text.n });
        if (id < known) {
            join(e, keys, row, &text, ", ");
            st = su_fail(ctx, SU_INPUT, "%s, lines %u and %u: two rows for '%.*s'; add a column to --key", e->t->source,
                         e->t->row_line[e->at[id]], e->t->row_line[row], (int)text.n, text.p);
        }
        e->at[id] = row;
    }
    su_buf_free(&text);
    return st;
}

static bool is_key(const edition *e, size_t keys, int column)
{
    for (size_t k = 0; k < keys; k++)
        if (e->key[k] == column) return true;
    return false;
}

static size_t compare_row(const edition *older, const edition *newer, size_t keys, uint64_t old_row, uint64_t new_row, const char *what,
                          su_result_table *t)
{
    size_t changed = 0;
    for (uint32_t c = 0; c < newer->t->column_count; c++) {
        int other = su_raw_table_column(older->t, su_str_of(newer->t->columns[c].name));
        double a, b;
        if (is_key(newer, keys, (int)c) || other < 0) continue;
        su_str before = cell(older->t, other, old_row), now = cell(newer->t, (int)c, new_row);
        bool numbers = su_parse_f64(before, &a) && su_parse_f64(now, &b);
        if (numbers ? a == b : su_str_equal(before, now)) continue;
        char was[128], is[128];
        snprintf(was, sizeof was, "%.*s", (int)(before.n < 127 ? before.n : 127), before.p);
        snprintf(is, sizeof is, "%.*s", (int)(now.n < 127 ? now.n : 127), now.p);
        su_result_text(t, what);
        su_result_text(t, newer->t->columns[c].name);
        su_result_text(t, was);
        su_result_text(t, is);
        su_result_number(t, numbers ? b - a : NAN);
        su_result_number(t, numbers && a != 0 ? b / a - 1 : NAN);
        changed++;
    }
    return changed;
}

static size_t list_missing(const edition *here, const edition *there, size_t keys, const char *id, const char *title, su_result *out)
{
    su_buf text = { 0 };
    su_result_table *t = NULL;
    size_t count = 0;
    for (uint32_t k = 0; k < su_dict_count(here->rows); k++) {
        uint32_t other;
        if (su_dict_find(there->rows, su_dict_get(here->rows, k), &other)) continue;
        if (!t) {
            t = su_result_table_add(out, id, title);
            su_result_column(t, "row", "row", SU_COLUMN_TEXT);
            su_result_column(t, "line", "line", SU_COLUMN_INTEGER);
        }
        join(here, keys, here->at[k], &text, ", ");
        su_result_text(t, text.p);
        su_result_integer(t, here->t->row_line[here->at[k]]);
        count++;
    }
    su_buf_free(&text);
    return count;
}

static void say(const edition *older, const edition *newer, size_t changed, size_t compared, size_t added, size_t removed, su_result *out)
{
    char version[65], supersedes[65];
    su_hex(newer->t->fingerprint.bytes, 32, version);
    su_hex(older->t->fingerprint.bytes, 32, supersedes);
    su_result_fact_text(out, "version", "Version (SHA-256)", version);
    su_result_fact_text(out, "supersedes", "Supersedes", supersedes);
    su_result_fact(out, "n", "Rows in both", (double)compared);
    su_result_fact(out, "changed", "Cells changed", (double)changed);
    su_result_fact(out, "added", "Rows added", (double)added);
    su_result_fact(out, "removed", "Rows removed", (double)removed);
    su_result_fact_text(out, "method", "Method", "cell by cell");
    if (changed || removed)
        su_result_warn(out, "W_REVISED", "%zu cells and %zu rows differ from the edition before: quote the edition with every number",
                       changed, removed);
    su_result_method(out, "The edition %.12s supersedes %.12s; %zu cells changed.", version, supersedes, changed);
}

su_status su_official_revisions(su_context *ctx, const su_raw_table *older, const su_raw_table *newer, const su_str *key, size_t key_count,
                                su_result *out)
{
    edition a = { .t = older }, b = { .t = newer };
    su_buf text = { 0 };
    size_t changed = 0, compared = 0;
    if (key_count == 0 || key_count > MOST_KEYS) return su_fail(ctx, SU_USAGE, "--key names 1 to %d columns", MOST_KEYS);
    su_status st = index_rows(ctx, &a, key, key_count);
    if (!st) st = index_rows(ctx, &b, key, key_count);
    if (!st) {
        su_result_table *t = su_result_table_add(out, "changed", "Changed");
        su_result_column(t, "row", "row", SU_COLUMN_TEXT);
        su_result_column(t, "column", "column", SU_COLUMN_TEXT);
        su_result_column(t, "was", "was", SU_COLUMN_TEXT);
        su_result_column(t, "is", "is", SU_COLUMN_TEXT);
        su_result_column(t, "difference", "difference", SU_COLUMN_NUMBER);
        su_result_column(t, "relative", "relative", SU_COLUMN_PERCENT);
        for (uint32_t k = 0; k < su_dict_count(b.rows); k++) {
            uint32_t other;
            if (!su_dict_find(a.rows, su_dict_get(b.rows, k), &other)) continue;
            join(&b, key_count, b.at[k], &text, ", ");
            changed += compare_row(&a, &b, key_count, a.at[other], b.at[k], text.p, t);
            compared++;
        }
        size_t added = list_missing(&b, &a, key_count, "added", "Added", out),
               removed = list_missing(&a, &b, key_count, "removed", "Removed", out);
        say(&a, &b, changed, compared, added, removed, out);
    }
    su_buf_free(&text);
    su_dict_free(a.rows);
    su_dict_free(b.rows);
    free(a.at);
    free(b.at);
    return st;
}
