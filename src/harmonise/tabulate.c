/* Counts by columns, and the percentages of a question group: 100 n_j / D_G where D_G counts the rows with at least one yes in the group
 * (CTDC Global Synthetic Data Codebook v2024, section 6). Rows without an answer leave the denominator; a person may give several answers,
 * so shares may add up to more than 100. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <suha/harmonise.h>

#include "lookup.h"

#define MAX_BY 8u

typedef struct by_column {
    int field;
    uint32_t *set_ids; /* code sets: id of the row's set */
    su_dict *sets;     /* its bytes, then the reason */
} by_column;

/* One yes-or-no question of a group: a flag, or one member of a code set. */
typedef struct question {
    const su_field *field;
    const su_case_column *column;
    uint32_t value;
    char *name;
} question;

typedef struct tabulator {
    su_context *ctx;
    const su_case_table *t;
    by_column *by;
    uint32_t by_count;
    question *questions;
    uint32_t question_count;
    su_dict *groups;    /* by_count keys of 4 bytes */
    uint32_t *group_of; /* per row */
    uint32_t *order;    /* group ids in print order */
    su_tabulation *out;
} tabulator;

static void index_sets(by_column *b, const su_case_column *c, uint64_t rows)
{
    size_t bytes = c->words * sizeof *c->sets;
    char *key = su_alloc(bytes + sizeof(su_cell));
    b->sets = su_dict_new();
    b->set_ids = su_alloc_array(rows, sizeof *b->set_ids);
    for (uint64_t r = 0; r < rows; r++) {
        memcpy(key, c->sets + r * c->words, bytes);
        memcpy(key + bytes, &c->set_reason[r], sizeof(su_cell));
        b->set_ids[r] = su_dict_add(b->sets, (su_str) { key, bytes + sizeof(su_cell) });
    }
    free(key);
}

static su_status read_by(tabulator *w, const char *const *by, size_t by_count)
{
    if (by_count > MAX_BY) return su_fail(w->ctx, SU_USAGE, "a table has at most %u columns to count by; %zu were named", MAX_BY, by_count);
    w->by = su_alloc_array(by_count, sizeof *w->by);
    for (size_t i = 0; i < by_count; i++) {
        int field = su_schema_field(w->t->schema, su_str_of(by[i]));
        if (field < 0) return su_fail(w->ctx, SU_USAGE, "\"%s\" is not a column of %s", by[i], w->t->schema->name);
        for (uint32_t k = 0; k < w->by_count; k++)
            if (w->by[k].field == field) return su_fail(w->ctx, SU_USAGE, "the column \"%s\" is named twice", by[i]);
        w->by[w->by_count++].field = field;
        if (w->t->columns[field].sets != NULL) index_sets(&w->by[i], &w->t->columns[field], w->t->row_count);
    }
    return SU_OK;
}

static su_status read_group(tabulator *w, const char *group)
{
    const su_schema *s = w->t->schema;
    int found = -1;
    if (group == NULL) return SU_OK;
    for (uint32_t g = 0; g < s->group_count; g++)
        if (strcmp(s->groups[g].name, group) == 0) found = (int)g;
    if (found < 0) return su_fail(w->ctx, SU_USAGE, "\"%s\" is not a question group of %s", group, s->name);
    size_t n = 0;
    for (uint32_t f = 0; f < s->field_count; f++)
        if (s->fields[f].group == found) n += s->fields[f].type == SU_TYPE_CODE_SET ? s->fields[f].codelist->count : 1;
    w->questions = su_arena_array(&w->out->arena, n, sizeof *w->questions);
    for (uint32_t f = 0; f < s->field_count; f++) {
        const su_field *field = &s->fields[f];
        if (field->group != found) continue;
        uint32_t members = field->type == SU_TYPE_CODE_SET ? field->codelist->count : 1;
        for (uint32_t v = 1; v <= members; v++) {
            bool set = field->type == SU_TYPE_CODE_SET;
            w->questions[w->question_count++] = (question) { .field = field,
                                                             .column = &w->t->columns[f],
                                                             .value = v,
                                                             .name = su_arena_printf(&w->out->arena, "%s%s%s", field->name, set ? "_" : "",
                                                                                     set ? field->codelist->codes[v - 1].code : "") };
        }
    }
    if (w->question_count == 0) return su_fail(w->ctx, SU_USAGE, "no column of %s belongs to the question group \"%s\"", s->name, group);
    return SU_OK;
}

static uint32_t key_at(const tabulator *w, uint32_t i, uint64_t row)
{
    const su_case_column *c = &w->t->columns[w->by[i].field];
    if (c->codes != NULL) return c->codes[row];
    if (c->ids != NULL) return c->ids[row];
    return w->by[i].set_ids != NULL ? w->by[i].set_ids[row] : 0;
}

static void group_rows(tabulator *w)
{
    uint32_t key[MAX_BY] = { 0 };
    w->groups = su_dict_new();
    w->group_of = su_alloc_array(w->t->row_count, sizeof *w->group_of);
    if (w->by_count == 0) su_dict_add(w->groups, (su_str) { "", 0 });
    for (uint64_t r = 0; r < w->t->row_count && w->by_count > 0; r++) {
        for (uint32_t i = 0; i < w->by_count; i++) key[i] = key_at(w, i, r);
        w->group_of[r] = su_dict_add(w->groups, (su_str) { (const char *)key, w->by_count * sizeof *key });
    }
}

static int compare_text(su_str a, su_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare_number(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

/* Codelist order; then not recorded; then the other reasons. Sets: the lowest member that only one of them has decides. */
static int compare_key(const tabulator *w, uint32_t i, uint32_t a, uint32_t b)
{
    const su_case_column *c = &w->t->columns[w->by[i].field];
    if (a == b) return 0;
    if (c->codes != NULL) return compare_number(a == 0 ? SU_CELL_FIRST_REASON - 1u : a, b == 0 ? SU_CELL_FIRST_REASON - 1u : b);
    if (c->ids != NULL) {
        su_str x = su_dict_get(c->texts, a), y = su_dict_get(c->texts, b);
        int64_t m = 0, n = 0;
        if (a == 0 || b == 0) return a == 0 ? 1 : -1;
        if (su_parse_i64(x, &m) && su_parse_i64(y, &n) && m != n) return m < n ? -1 : 1;
        return compare_text(x, y);
    }
    const char *x = su_dict_get(w->by[i].sets, a).p, *y = su_dict_get(w->by[i].sets, b).p;
    for (uint32_t word = 0; word < c->words; word++) {
        uint64_t m = 0, n = 0;
        memcpy(&m, x + word * sizeof m, sizeof m);
        memcpy(&n, y + word * sizeof n, sizeof n);
        if (m == n) continue;
        return (m & ((m ^ n) & -(m ^ n))) != 0 ? -1 : 1;
    }
    return memcmp(x + c->words * sizeof(uint64_t), y + c->words * sizeof(uint64_t), sizeof(su_cell));
}

static int compare_groups(const void *a, const void *b, void *arg)
{
    const tabulator *w = arg;
    uint32_t x[MAX_BY], y[MAX_BY];
    memcpy(x, su_dict_get(w->groups, *(const uint32_t *)a).p, w->by_count * sizeof *x);
    memcpy(y, su_dict_get(w->groups, *(const uint32_t *)b).p, w->by_count * sizeof *y);
    for (uint32_t i = 0; i < w->by_count; i++) {
        int order = compare_key(w, i, x[i], y[i]);
        if (order != 0) return order;
    }
    return 0;
}

static char *print_reason(su_arena *arena, const su_field *f, su_cell reason)
{
    if (reason == SU_CELL_NOT_RECORDED && *f->missing_print != '\0')
        return su_arena_strndup(arena, f->missing_print, strlen(f->missing_print));
    return su_arena_printf(arena, "(%s)", su_cell_reason(reason));
}

static char *print_set(const tabulator *w, uint32_t i, uint32_t key)
{
    const su_field *f = &w->t->schema->fields[w->by[i].field];
    const su_case_column *c = &w->t->columns[w->by[i].field];
    const char *set = su_dict_get(w->by[i].sets, key).p;
    su_buf text = { 0 };
    for (uint32_t v = 0; v < f->codelist->count; v++) {
        uint64_t word = 0;
        memcpy(&word, set + v / 64 * sizeof word, sizeof word);
        if ((word >> (v % 64) & 1) == 0) continue;
        if (text.n > 0) su_buf_char(&text, f->separator[0]);
        su_buf_text(&text, f->codelist->codes[v].code);
    }
    su_cell reason = 0;
    memcpy(&reason, set + c->words * sizeof(uint64_t), sizeof reason);
    char *kept = text.n > 0 ? su_arena_strndup(&w->out->arena, text.p, text.n) : print_reason(&w->out->arena, f, reason);
    su_buf_free(&text);
    return kept;
}

static char *print_key(const tabulator *w, uint32_t i, uint32_t key)
{
    su_arena *arena = &w->out->arena;
    const su_field *f = &w->t->schema->fields[w->by[i].field];
    const su_case_column *c = &w->t->columns[w->by[i].field];
    if (c->sets != NULL) return print_set(w, i, key);
    if (c->ids != NULL && key != 0) return su_arena_strndup(arena, su_dict_get(c->texts, key).p, su_dict_get(c->texts, key).n);
    su_cell cell = c->codes == NULL ? 0 : (su_cell)key;
    if (!su_cell_is_value(cell)) return print_reason(arena, f, cell);
    const char *code = f->codelist->codes[cell - 1].code;
    return su_arena_strndup(arena, code, strlen(code));
}

static bool says_yes(const question *q, uint64_t row)
{
    if (q->column->sets != NULL) return (q->column->sets[row * q->column->words + (q->value - 1) / 64] >> ((q->value - 1) % 64) & 1) != 0;
    if (q->column->codes == NULL) return false;
    su_cell c = q->column->codes[row];
    return su_cell_is_value(c) && c != q->field->negative;
}

/* counts[g * questions + j] yes, answered[g] rows with any yes. */
static void count_answers(const tabulator *w, uint64_t *counts, uint64_t *answered)
{
    for (uint64_t r = 0; r < w->t->row_count; r++) {
        bool any = false;
        for (uint32_t j = 0; j < w->question_count; j++) {
            if (!says_yes(&w->questions[j], r)) continue;
            counts[(size_t)w->group_of[r] * w->question_count + j]++;
            any = true;
        }
        answered[w->group_of[r]] += any;
    }
}

static void fill_rows(tabulator *w, const uint64_t *counts, const uint64_t *denominators, uint32_t per_group)
{
    su_tabulation *out = w->out;
    uint32_t groups = su_dict_count(w->groups);
    bool grouped = w->question_count > 0;
    out->row_count = (size_t)groups * per_group;
    out->keys = su_arena_array(&out->arena, out->row_count, out->by_count * sizeof *out->keys);
    out->counts = su_arena_array(&out->arena, out->row_count, sizeof *out->counts);
    out->denominators = su_arena_array(&out->arena, out->row_count, sizeof *out->denominators);
    out->percent = su_arena_array(&out->arena, out->row_count, sizeof *out->percent);
    for (uint32_t g = 0; g < groups; g++) {
        uint32_t id = w->order[g], key[MAX_BY] = { 0 };
        char *printed[MAX_BY];
        memcpy(key, su_dict_get(w->groups, id).p, w->by_count * sizeof *key);
        for (uint32_t i = 0; i < w->by_count; i++) printed[i] = print_key(w, i, key[i]);
        for (uint32_t j = 0; j < per_group; j++) {
            size_t row = (size_t)g * per_group + j;
            for (uint32_t i = 0; i < w->by_count; i++) out->keys[row * out->by_count + i] = printed[i];
            if (grouped) out->keys[row * out->by_count + w->by_count] = w->questions[j].name;
            out->counts[row] = counts[(size_t)id * per_group + j];
            out->denominators[row] = grouped ? denominators[id] : w->t->row_count;
            out->percent[row] = out->denominators[row] == 0 ? NAN : 100.0 * (double)out->counts[row] / (double)out->denominators[row];
        }
    }
}

static void name_columns(tabulator *w, const char *group)
{
    su_tabulation *out = w->out;
    out->by_count = w->by_count + (group != NULL);
    out->by = su_arena_array(&out->arena, out->by_count, sizeof *out->by);
    for (uint32_t i = 0; i < w->by_count; i++) {
        const char *name = w->t->schema->fields[w->by[i].field].name;
        out->by[i] = su_arena_strndup(&out->arena, name, strlen(name));
    }
    if (group != NULL) out->by[w->by_count] = su_arena_strndup(&out->arena, group, strlen(group));
}

static void count_groups(tabulator *w, const char *group)
{
    group_rows(w);
    name_columns(w, group);
    uint32_t groups = su_dict_count(w->groups), per_group = w->question_count > 0 ? w->question_count : 1;
    w->order = su_alloc_array(groups, sizeof *w->order);
    for (uint32_t g = 0; g < groups; g++) w->order[g] = g;
    qsort_r(w->order, groups, sizeof *w->order, compare_groups, w);
    uint64_t *counts = su_alloc_array(groups, per_group * sizeof *counts), *answered = su_alloc_array(groups, sizeof *answered);
    if (w->question_count > 0)
        count_answers(w, counts, answered);
    else
        for (uint64_t r = 0; r < w->t->row_count; r++) counts[w->group_of[r]]++;
    fill_rows(w, counts, answered, per_group);
    free(counts);
    free(answered);
}

su_status su_tabulate(su_context *ctx, const su_case_table *t, const char *const *by, size_t by_count, const char *group,
                      su_tabulation **out)
{
    tabulator w = { .ctx = ctx, .t = t, .out = su_alloc(sizeof *w.out) };
    *out = NULL;
    su_arena_init(&w.out->arena);
    su_status st = read_by(&w, by, by_count);
    if (st == SU_OK) st = read_group(&w, group);
    if (st == SU_OK) count_groups(&w, group);
    for (uint32_t i = 0; i < w.by_count; i++) {
        free(w.by[i].set_ids);
        su_dict_free(w.by[i].sets);
    }
    free(w.by);
    free(w.group_of);
    free(w.order);
    su_dict_free(w.groups);
    if (st != SU_OK)
        su_tabulation_free(w.out);
    else
        *out = w.out;
    return st;
}

void su_tabulation_free(su_tabulation *t)
{
    if (t == NULL) return;
    su_arena_free(&t->arena);
    free(t);
}
