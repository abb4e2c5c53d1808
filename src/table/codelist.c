/* Codelists: the codes a column may hold, every name they go by, and the band each stands for. */
#include <suha/table.h>

#include "shown.h"

#include <stdlib.h>
#include <string.h>

#define CODELIST_MAX 65000u
#define SUGGEST_MAX_DISTANCE 3u

enum { COL_CODE, COL_EN, COL_FR, COL_ES, COL_AR, COL_ALIASES, COL_PARENT, COL_MIN, COL_MAX, COL_NOTE, COL_COUNT };
static const char *const column_names[COL_COUNT] = { "code",    "label_en", "label_fr", "label_es", "label_ar",
                                                     "aliases", "parent",   "min",      "max",      "note" };

typedef struct codelist_reader {
    su_context *ctx;
    const char *name;
    const su_raw_table *raw;
    int at[COL_COUNT]; /* column of the file, -1 if left out */
    su_arena *arena;
    su_codelist *list;
    uint16_t *key_value; /* grows here, then moves to the arena */
    size_t key_capacity;
} codelist_reader;

static su_str cell_of(const codelist_reader *r, uint64_t row, int column)
{
    if (r->at[column] < 0) return (su_str) { "", 0 };
    const su_raw_column *c = &r->raw->columns[r->at[column]];
    return su_str_trim(su_dict_get(c->values, c->ids[row]));
}

/* Says where: file, line and the 1-based column, which a person finds in a spreadsheet. */
static su_status fail_at(const codelist_reader *r, uint64_t row, int column, const char *reason)
{
    su_str cell = cell_of(r, row, column);
    return su_fail(r->ctx, SU_INPUT, "%s, line %u, column %d (%s): \"%.*s\": %s", r->name, r->raw->row_line[row], r->at[column] + 1,
                   column_names[column], shown(cell), cell.p, reason);
}

static su_status add_key(codelist_reader *r, uint64_t row, int column, su_str text, uint16_t value)
{
    su_codelist *list = r->list;
    su_arena scratch;
    su_arena_init(&scratch);
    su_str key = su_text_fold(&scratch, text);
    su_status status = SU_OK;
    uint32_t before = su_dict_count(list->keys);
    if (key.n == 0) goto out;
    uint32_t id = su_dict_add(list->keys, key);
    if (id == before) {
        r->key_value = su_grow(r->key_value, &r->key_capacity, (size_t)before + 1, sizeof *r->key_value);
        r->key_value[id] = value;
    } else if (r->key_value[id] != value) {
        status = su_fail(r->ctx, SU_INPUT,
                         "%s, line %u, column %d (%s): \"%.*s\" of the code %s already names the code %s (spelling differences of case, "
                         "dashes and blanks do not count). Remove one of the two, so that a cell has one meaning.",
                         r->name, r->raw->row_line[row], r->at[column] + 1, column_names[column], shown(text), text.p,
                         list->codes[value - 1].code, list->codes[r->key_value[id] - 1].code);
    }
out:
    su_arena_free(&scratch);
    return status;
}

static su_status read_bound(codelist_reader *r, uint64_t row, int column, bool *has, int64_t *out)
{
    su_str cell = cell_of(r, row, column);
    if (cell.n == 0) return SU_OK;
    if (!su_parse_i64(cell, out)) return fail_at(r, row, column, "a bound of a band must be a whole number or empty.");
    *has = true;
    return SU_OK;
}

static const char *copy_or_null(su_arena *arena, su_str s) { return s.n == 0 ? NULL : su_arena_strndup(arena, s.p, s.n); }

static su_status read_code(codelist_reader *r, uint64_t row)
{
    su_code *code = &r->list->codes[row];
    if (cell_of(r, row, COL_CODE).n == 0) return fail_at(r, row, COL_CODE, "the code is missing. Every row of a codelist needs one.");
    if (cell_of(r, row, COL_EN).n == 0) return fail_at(r, row, COL_EN, "the English label is missing. Every code needs one.");
    code->code = copy_or_null(r->arena, cell_of(r, row, COL_CODE));
    for (int lang = 0; lang < SU_LANG_COUNT; lang++) code->label[lang] = copy_or_null(r->arena, cell_of(r, row, COL_EN + lang));
    code->parent = copy_or_null(r->arena, cell_of(r, row, COL_PARENT));
    code->note = copy_or_null(r->arena, cell_of(r, row, COL_NOTE));
    su_status status = read_bound(r, row, COL_MIN, &code->has_min, &code->min);
    if (status == SU_OK) status = read_bound(r, row, COL_MAX, &code->has_max, &code->max);
    if (status == SU_OK && code->has_min && code->has_max && code->min > code->max)
        status = fail_at(r, row, COL_MIN, "the lower bound is above the upper bound.");
    return status;
}

/* Codes first, then labels, then aliases: a clash is reported at the weaker of the two names. */
static su_status add_keys(codelist_reader *r)
{
    su_status status = SU_OK;
    su_codelist *list = r->list;
    for (int column = COL_CODE; column <= COL_ALIASES; column++) {
        for (uint32_t row = 0; row < list->count && status == SU_OK; row++) {
            su_str cell = cell_of(r, row, column);
            const char *end = cell.p + cell.n;
            while (column == COL_ALIASES && status == SU_OK && cell.n > 0) {
                const char *bar = memchr(cell.p, '|', cell.n);
                size_t n = bar == NULL ? cell.n : (size_t)(bar - cell.p);
                status = add_key(r, row, column, (su_str) { cell.p, n }, (uint16_t)(row + 1));
                const char *next = bar == NULL ? end : bar + 1;
                cell = (su_str) { next, (size_t)(end - next) };
            }
            if (column != COL_ALIASES) status = add_key(r, row, column, cell, (uint16_t)(row + 1));
        }
    }
    uint32_t keys = su_dict_count(list->keys);
    list->key_value = su_arena_array(r->arena, (size_t)keys + 1, sizeof *list->key_value);
    if (keys > 0) memcpy(list->key_value, r->key_value, keys * sizeof *list->key_value);
    free(r->key_value);
    r->key_value = NULL;
    return status;
}

static su_status check_parents(codelist_reader *r)
{
    for (uint32_t row = 0; row < r->list->count; row++) {
        const su_code *code = &r->list->codes[row];
        if (code->parent == NULL || (code->note != NULL && strstr(code->note, "parent-list:") != NULL)) continue;
        uint16_t value = su_codelist_find(r->list, su_str_of(code->parent));
        if (value == 0 || strcmp(r->list->codes[value - 1].code, code->parent) != 0)
            return fail_at(r, row, COL_PARENT, "no code of this list. If it is a code of another list, write parent-list:ID in the note.");
    }
    return SU_OK;
}

su_status su_codelist_parse(su_context *ctx, su_arena *arena, const char *id, const char *name, su_str csv, su_codelist **out)
{
    su_raw_table *raw = NULL;
    su_codelist *list = NULL;
    *out = NULL;
    su_read_options opts = { .delimiter = ',' };
    su_status status = su_csv_parse(ctx, name, csv, &opts, &raw);
    if (status != SU_OK) goto out;
    if (raw->row_count > CODELIST_MAX) {
        status =
            su_fail(ctx, SU_INPUT, "%s: %llu codes; a codelist holds at most %u.", name, (unsigned long long)raw->row_count, CODELIST_MAX);
        goto out;
    }
    list = su_arena_alloc(arena, sizeof *list);
    codelist_reader r = { .ctx = ctx, .name = name, .raw = raw, .arena = arena, .list = list };
    for (int i = 0; i < COL_COUNT; i++) r.at[i] = su_raw_table_column(raw, su_str_of(column_names[i]));
    for (int i = COL_CODE; i <= COL_EN; i++) {
        if (r.at[i] >= 0) continue;
        status = su_fail(ctx, SU_INPUT, "%s, line 1: a codelist needs a column named %s (comma separated).", name, column_names[i]);
        goto out;
    }
    list->id = su_arena_strndup(arena, id, strlen(id));
    list->count = (uint32_t)raw->row_count;
    list->codes = su_arena_array(arena, list->count, sizeof *list->codes);
    list->keys = su_dict_new();
    for (uint32_t row = 0; row < list->count && status == SU_OK; row++) status = read_code(&r, row);
    if (status == SU_OK) status = add_keys(&r);
    if (status == SU_OK) status = check_parents(&r);
out:
    su_raw_table_free(raw);
    if (status != SU_OK)
        su_codelist_free(list);
    else
        *out = list;
    return status;
}

static su_codelist *list_of(su_arena *arena, const char *id, uint32_t count)
{
    su_codelist *list = su_arena_alloc(arena, sizeof *list);
    list->id = su_arena_strndup(arena, id, strlen(id));
    list->count = count;
    list->codes = su_arena_array(arena, count, sizeof *list->codes);
    list->keys = su_dict_new();
    list->key_value = su_arena_array(arena, (size_t)count + 1, sizeof *list->key_value);
    return list;
}

su_codelist *su_codelist_exact(su_arena *arena, const char *id, const su_str *codes, uint32_t count)
{
    su_codelist *list = list_of(arena, id, count < CODELIST_MAX ? count : CODELIST_MAX);
    list->exact = true;
    for (uint32_t i = 0; i < list->count; i++) {
        su_code *code = &list->codes[i];
        code->code = su_arena_strndup(arena, codes[i].p, codes[i].n);
        for (int lang = 0; lang < SU_LANG_COUNT; lang++) code->label[lang] = code->code;
        list->key_value[su_dict_add(list->keys, codes[i])] = (uint16_t)(i + 1);
    }
    return list;
}

su_codelist *su_codelist_years(su_arena *arena, const char *id, int first, int last)
{
    int64_t span = (int64_t)last - first + 1;
    su_codelist *list = list_of(arena, id, span <= 0 ? 0 : span > CODELIST_MAX ? CODELIST_MAX : (uint32_t)span);
    for (uint32_t i = 0; i < list->count; i++) {
        int64_t year = (int64_t)first + i;
        su_code *code = &list->codes[i];
        code->code = su_arena_printf(arena, "%lld", (long long)year);
        for (int lang = 0; lang < SU_LANG_COUNT; lang++) code->label[lang] = code->code;
        code->has_min = code->has_max = true;
        code->min = code->max = year;
        list->key_value[su_dict_add(list->keys, su_str_of(code->code))] = (uint16_t)(i + 1);
    }
    return list;
}

void su_codelist_free(su_codelist *list)
{
    if (list == NULL) return;
    su_dict_free(list->keys);
    list->keys = NULL;
}

uint16_t su_codelist_find(const su_codelist *list, su_str cell)
{
    uint32_t id = 0;
    /* Folding twice changes nothing, so a cell that equals a key needs no folding. */
    if (su_dict_find(list->keys, cell, &id)) return list->key_value[id];
    if (list->exact) return 0;
    su_arena scratch;
    su_arena_init(&scratch);
    bool found = su_dict_find(list->keys, su_text_fold(&scratch, cell), &id);
    su_arena_free(&scratch);
    return found ? list->key_value[id] : 0;
}

uint16_t su_codelist_band(const su_codelist *list, int64_t value)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const su_code *c = &list->codes[i];
        if (!c->has_min && !c->has_max) continue;
        if ((!c->has_min || value >= c->min) && (!c->has_max || value <= c->max)) return (uint16_t)(i + 1);
    }
    return 0;
}

/* The only code with a key that goes on after `cell` with a blank; 0 if none or several. */
static uint16_t continued_by(const su_codelist *list, su_str cell)
{
    uint16_t found = 0;
    for (uint32_t id = 0; id < su_dict_count(list->keys); id++) {
        su_str key = su_dict_get(list->keys, id);
        if (key.n <= cell.n || key.p[cell.n] != ' ' || memcmp(key.p, cell.p, cell.n) != 0) continue;
        if (found != 0 && found != list->key_value[id]) return 0;
        found = list->key_value[id];
    }
    return found;
}

static size_t common_start(su_str a, su_str b)
{
    size_t n = 0;
    while (n < a.n && n < b.n && a.p[n] == b.p[n]) n++;
    return n;
}

const su_code *su_codelist_suggest(const su_codelist *list, su_str cell)
{
    su_arena scratch;
    su_arena_init(&scratch);
    su_str folded = su_text_fold(&scratch, cell);
    size_t best = folded.n / 4 < SUGGEST_MAX_DISTANCE ? folded.n / 4 : SUGGEST_MAX_DISTANCE, start = 0;
    uint16_t value = 0;
    bool undecided = false;
    for (uint32_t id = 0; id < su_dict_count(list->keys) && folded.n > 0; id++) {
        su_str key = su_dict_get(list->keys, id);
        size_t distance = su_text_distance(folded, key, best + 1);
        if (distance > best) continue;
        size_t own_start = common_start(folded, key);
        bool nearer = value == 0 || distance < best || own_start > start;
        if (!nearer) {
            undecided |= own_start == start && list->key_value[id] != value;
            continue;
        }
        undecided = false;
        best = distance;
        start = own_start;
        value = list->key_value[id];
    }
    if (value == 0 && folded.n >= 4) value = continued_by(list, folded);
    su_arena_free(&scratch);
    return value == 0 || undecided ? NULL : &list->codes[value - 1];
}
