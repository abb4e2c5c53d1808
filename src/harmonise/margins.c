#include "margins.h"

#include <stdlib.h>
#include <string.h>

#include "lookup.h"
#include "words.h"

/* Whole cells that announce a total, folded, in the languages of the exports met so far. */
static const char *const whole_words[] = {
    "total",     "totals",        "grand total", "sub total",     "sub-total",     "subtotal",          "all",
    "overall",   "all ages",      "all sexes",   "both sexes",    "all genders",   "all nationalities", "all countries",
    "all types", "tous",          "toutes",      "ensemble",      "total général", "les deux sexes",    "todos",
    "todas",     "total general", "ambos sexos", "totale",        "gesamt",        "insgesamt",         "الإجمالي",
    "الاجمالي",  "إجمالي",        "المجموع",     "المجموع الكلي", "الكل",
};

static bool ends_with(su_str s, su_str tail) { return s.n >= tail.n && memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0; }
static bool starts_with(su_str s, su_str head) { return s.n >= head.n && memcmp(s.p, head.p, head.n) == 0; }

bool margin_is_word(su_str key, bool loosely)
{
    for (size_t i = 0; i < sizeof whole_words / sizeof *whole_words; i++)
        if (su_str_equal(key, su_str_of(whole_words[i]))) return true;
    if (!loosely) return false;
    return starts_with(key, SU_STR("total ")) || starts_with(key, SU_STR("subtotal ")) || ends_with(key, SU_STR(" total")) ||
           ends_with(key, SU_STR("-total")) || ends_with(key, SU_STR(" subtotal")) || ends_with(key, SU_STR(" (total)"));
}

typedef struct finder {
    const su_raw_table *raw;
    const su_mapping *m;
    const int *columns;
    margins *out;
} finder;

/* The mapping lists the value, or a field it goes to has a code or a reason of this name: then it means something else than a total. */
static bool is_known(const finder *f, size_t source, cell_text cell)
{
    if (source < f->m->source_count && map_is_dropped(&f->m->sources[source], cell.key)) return true;
    for (size_t i = 0; i < f->m->pair_count; i++) {
        const map_pair *pair = &f->m->pairs[i];
        if (pair->source != source) continue;
        if (su_dict_find(pair->keys, cell.key, NULL)) return true;
        const su_field *field = &f->m->schema->fields[pair->field];
        if (pair->base == RULE_NONE || type_is_text(field->type)) continue;
        lookup l;
        su_cell found = 0;
        lookup_init(&l, f->m->schema, field);
        bool known = lookup_code(&l, cell, &found) != LOOKED_NOTHING;
        lookup_free(&l);
        if (known) return true;
    }
    return false;
}

static bool is_declared(const finder *f, size_t source, su_str key)
{
    for (size_t i = 0; i < f->m->row_count; i++)
        if (f->m->rows[i].rule == RULE_MARGIN && f->m->rows[i].source == source && su_str_equal(f->m->rows[i].key, key)) return true;
    return false;
}

/* A coded column is searched with a loose eye. A column that is not mapped can carry totals too, but only a table of counts has them: it is
 * searched when a coded column holds totals, or, for plain words only, when people are counted by a column. A note that ends in "total" is
 * no reason to lose a person. Identifiers and free text are left alone. */
typedef enum suspicion { NO_SUSPICION, PLAIN_WORDS, LOOSE_WORDS } suspicion;

static bool is_coded(const finder *f, size_t source, bool *used)
{
    const su_mapping *m = f->m;
    *used = source < m->source_count && ((int)source == m->record || (int)source == m->weight);
    for (size_t i = 0; source < m->source_count && i < m->pair_count; i++) {
        const su_field *field = &m->schema->fields[m->pairs[i].field];
        if (m->pairs[i].source != source) continue;
        if (!type_is_text(field->type) && field->role != SU_ROLE_IDENTIFIER) return true;
        *used = true;
    }
    return false;
}

static void search_column(finder *f, uint32_t column, size_t source, suspicion eye)
{
    const su_dict *values = f->raw->columns[column].values;
    bool declares = false;
    for (size_t i = 0; i < f->m->row_count; i++) declares |= f->m->rows[i].rule == RULE_MARGIN && f->m->rows[i].source == source;
    if (eye == NO_SUSPICION && !declares) return;
    for (uint32_t id = 0; id < su_dict_count(values); id++) {
        su_str text = su_str_trim(su_dict_get(values, id));
        if (text.n == 0 || text.n > 200) continue;
        su_arena scratch;
        su_arena_init(&scratch);
        cell_text cell = { text, su_text_fold(&scratch, text), su_dict_get(values, id) };
        bool declared = declares && is_declared(f, source, cell.key);
        bool suspect = eye != NO_SUSPICION && margin_is_word(cell.key, eye == LOOSE_WORDS) && !is_known(f, source, cell);
        su_arena_free(&scratch);
        if (!declared && !suspect) continue;
        margins *out = f->out;
        out->values = su_grow(out->values, &out->capacity, out->count + 1, sizeof *out->values);
        out->values[out->count++] = (margin_value) { .column = column, .value = id, .declared = declared };
        out->undeclared += !declared;
    }
}

static void count_rows(finder *f, const int64_t *weight_of, uint8_t *state, uint8_t mark)
{
    margins *out = f->out;
    const su_raw_column *weights = weight_of == NULL ? NULL : &f->raw->columns[f->columns[f->m->weight]];
    for (size_t first = 0; first < out->count;) {
        const su_raw_column *column = &f->raw->columns[out->values[first].column];
        uint32_t *entry = su_alloc_array(su_dict_count(column->values), sizeof *entry);
        size_t end = first;
        for (; end < out->count && out->values[end].column == out->values[first].column; end++)
            entry[out->values[end].value] = (uint32_t)end + 1;
        for (uint64_t r = 0; r < f->raw->row_count; r++) {
            uint32_t e = entry[su_raw_id(column, r)];
            if (e == 0 || (state[r] != 0 && state[r] != mark)) continue;
            int64_t w = weights == NULL ? 1 : weight_of[su_raw_id(weights, r)];
            state[r] = mark;
            out->values[e - 1].rows++;
            out->values[e - 1].people += w > 0 ? (uint64_t)w : 0;
        }
        free(entry);
        first = end;
    }
    for (uint64_t r = 0; r < f->raw->row_count; r++) {
        int64_t w = weights == NULL ? 1 : weight_of[su_raw_id(weights, r)];
        uint64_t people = w > 0 ? (uint64_t)w : 0;
        if (state[r] != 0 && state[r] != mark) continue;
        out->all_rows++;
        out->all_people += people;
        if (state[r] != mark) continue;
        out->rows++;
        out->people += people;
    }
}

static int compare_values(const void *a, const void *b)
{
    const margin_value *x = a, *y = b;
    if (x->column != y->column) return x->column < y->column ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

void margins_find(const su_raw_table *raw, const su_mapping *m, const int *columns, const int64_t *weight_of, uint8_t *state, uint8_t mark,
                  margins *out)
{
    finder f = { .raw = raw, .m = m, .columns = columns, .out = out };
    size_t *source_of = su_alloc_array(raw->column_count, sizeof *source_of);
    bool used = false;
    *out = (margins) { .weighted = weight_of != NULL };
    for (uint32_t c = 0; c < raw->column_count; c++) source_of[c] = SIZE_MAX;
    for (size_t s = 0; s < m->source_count; s++)
        if (columns[s] >= 0) source_of[columns[s]] = s;
    for (uint32_t c = 0; c < raw->column_count; c++)
        if (is_coded(&f, source_of[c], &used)) search_column(&f, c, source_of[c], LOOSE_WORDS);
    suspicion others = out->undeclared > 0 ? LOOSE_WORDS : weight_of != NULL ? PLAIN_WORDS : NO_SUSPICION;
    for (uint32_t c = 0; c < raw->column_count; c++)
        if (!is_coded(&f, source_of[c], &used)) search_column(&f, c, source_of[c], used ? NO_SUSPICION : others);
    if (out->count > 0) {
        qsort(out->values, out->count, sizeof *out->values, compare_values);
        count_rows(&f, weight_of, state, mark);
    }
    free(source_of);
}

void margins_describe(const margins *found, const su_raw_table *raw, su_buf *out)
{
    enum { SHOWN = 12 };
    if (found->count == 0) return;
    words_count(out, found->rows);
    su_buf_text(out, " of ");
    words_count(out, found->all_rows);
    su_buf_text(out, " rows are totals of other rows, not people:");
    for (size_t i = 0; i < found->count && i < SHOWN; i++) {
        const margin_value *v = &found->values[i];
        const su_raw_column *column = &raw->columns[v->column];
        su_str text = su_str_trim(su_dict_get(column->values, v->value));
        su_buf_printf(out, "\n  column \"%.100s\", value \"%.*s\": ", column->name, (int)text.n, text.p);
        words_count(out, v->rows);
        su_buf_text(out, " rows");
        if (found->weighted) {
            su_buf_text(out, ", counting ");
            words_count(out, v->people);
        }
    }
    if (found->count > SHOWN) su_buf_printf(out, "\n  and %zu more values", found->count - SHOWN);
    uint64_t leaves = found->all_people - found->people;
    su_buf_text(out, "\nThe other rows count ");
    words_count(out, leaves);
    su_buf_text(out, ", all rows together ");
    words_count(out, found->all_people);
    if (leaves > 0) su_buf_printf(out, ": adding everything up counts %.1f times too many", (double)found->all_people / (double)leaves);
    su_buf_text(out, ".");
}

void margins_free(margins *found)
{
    free(found->values);
    *found = (margins) { 0 };
}
