/* A frame over a raw table: each distinct cell is decided once, rows are not copied. */
#include <suha/analyse.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One distinct cell of a column: a reason, or a value. */
typedef struct entry {
    su_str text; /* trimmed */
    double number;
    uint32_t order; /* place in the codelist, 1-based; 0 = not in it */
    bool missing, numeric, used;
    su_cell reason;
} entry;

typedef struct column {
    const su_field *field; /* NULL when the schema does not know it */
    entry *entries;
    uint32_t count;
    bool codes; /* the codelist gives the order */
} column;

static const char *const absent[] = { "", "na", "n/a", "nan", "null", "." };

static bool missing_cell(su_arena *scratch, const su_missing *list, uint32_t count, const entry *e, su_str folded, su_cell *reason)
{
    for (uint32_t i = 0; i < count; i++) {
        double number = 0;
        su_str code = su_str_of(list[i].value);
        if (e->numeric ? su_parse_f64(code, &number) && number == e->number : su_str_equal(folded, su_text_fold(scratch, code))) {
            *reason = list[i].reason;
            return true;
        }
    }
    return false;
}

static void decide(su_arena *scratch, const su_frame_options *options, const column *c, entry *e)
{
    const su_field *field = c->field;
    e->numeric = su_parse_f64(e->text, &e->number);
    su_str folded = e->numeric ? e->text : su_text_fold(scratch, e->text); /* folding a million distinct weights would cost a second */
    e->missing = missing_cell(scratch, options->missing, options->missing_count, e, folded, &e->reason);
    if (!e->missing && field) e->missing = missing_cell(scratch, field->missing, field->missing_count, e, folded, &e->reason);
    if (!e->missing && c->codes) e->order = su_codelist_find(field->codelist, e->text);
    if (e->missing || e->order || e->numeric) return;
    if (su_cell_reason_parse(e->text, &e->reason))
        e->missing = field != NULL; /* without a schema "unknown" may be a category that someone counts */
    for (size_t i = 0; !e->missing && i < sizeof absent / sizeof *absent; i++)
        if (su_str_equal(folded, su_str_of(absent[i]))) {
            e->missing = true;
            e->reason = SU_CELL_NOT_RECORDED;
        }
}

/* Among two-letter codes of countries "NA" is Namibia. Four others make it such a column; yes, no and the like are fewer. */
static void keep_namibia(column *c)
{
    enum { OTHERS = 4 };
    uint32_t others = 0;
    entry *namibia = NULL;
    for (uint32_t i = 0; i < c->count; i++) {
        entry *e = &c->entries[i];
        if (!e->used || !e->text.n) continue;
        bool code = e->text.n == 2 && e->text.p[0] >= 'A' && e->text.p[0] <= 'Z' && e->text.p[1] >= 'A' && e->text.p[1] <= 'Z';
        if (code && memcmp(e->text.p, "NA", 2) == 0)
            namibia = e;
        else if (code)
            others++;
        else if (!e->missing)
            return;
    }
    if (namibia && others >= OTHERS) namibia->missing = false;
}

static void read_column(su_arena *scratch, const su_raw_table *t, uint32_t at, const su_schema *schema, const su_frame_options *options,
                        column *c)
{
    const su_raw_column *raw = &t->columns[at];
    int field = schema ? su_schema_field(schema, su_str_of(raw->name)) : -1;
    c->field = field >= 0 ? &schema->fields[field] : NULL;
    c->codes = c->field && c->field->codelist && (c->field->type == SU_TYPE_CODE || c->field->type == SU_TYPE_FLAG);
    c->count = su_dict_count(raw->values);
    c->entries = su_alloc_array(c->count ? c->count : 1, sizeof *c->entries);
    for (uint64_t r = 0; r < t->row_count; r++) c->entries[raw->ids[r]].used = true;
    for (uint32_t i = 0; i < c->count; i++) {
        c->entries[i].text = su_str_trim(su_dict_get(raw->values, i));
        decide(scratch, options, c, &c->entries[i]);
    }
    for (uint32_t i = 0; i < options->missing_count; i++)
        if (strcmp(options->missing[i].value, "NA") == 0) return;
    if (!c->field) keep_namibia(c);
}

/* A code list of numbers that stand for names (a country's number) stays a factor; flags, years and whole numbers are numbers. */
static bool is_number(const column *c)
{
    bool any = false;
    for (uint32_t i = 0; i < c->count; i++) {
        if (!c->entries[i].used || c->entries[i].missing) continue;
        if (!c->entries[i].numeric) return false;
        any = true;
    }
    return any && !(c->field && (c->field->type == SU_TYPE_CODE || c->field->type == SU_TYPE_CODE_SET));
}

static int by_order(const void *a, const void *b)
{
    const entry *x = *(entry *const *)a, *y = *(entry *const *)b;
    uint32_t i = x->order ? x->order : UINT32_MAX, j = y->order ? y->order : UINT32_MAX;
    if (i != j) return i < j ? -1 : 1;
    if (i != UINT32_MAX) return 0;
    if (x->numeric != y->numeric) return x->numeric ? -1 : 1;
    if (x->numeric && x->number != y->number) return x->number < y->number ? -1 : 1;
    size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
    int d = n ? memcmp(x->text.p, y->text.p, n) : 0;
    return d ? d : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

static bool same_level(const entry *a, const entry *b)
{
    return a->order || b->order ? a->order == b->order : su_str_equal(a->text, b->text);
}

static void add_factor(su_frame *f, const char *name, const column *c, const uint32_t *ids, const su_cell *reasons)
{
    entry **sorted = su_alloc_array(c->count ? c->count : 1, sizeof *sorted);
    uint32_t n = 0, levels = 0;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->entries[i].used && !c->entries[i].missing) sorted[n++] = &c->entries[i];
    qsort(sorted, n, sizeof *sorted, by_order);
    uint32_t *level = su_arena_array(&f->arena, c->count ? c->count : 1, sizeof *level);
    const char **names = su_arena_array(&f->arena, n ? n : 1, sizeof *names);
    for (uint32_t i = 0; i < n; i++) {
        if (!i || !same_level(sorted[i - 1], sorted[i]))
            names[levels++] = sorted[i]->order ? c->field->codelist->codes[sorted[i]->order - 1].code
                                               : su_arena_strndup(&f->arena, sorted[i]->text.p, sorted[i]->text.n);
        level[sorted[i] - c->entries] = levels;
    }
    free(sorted);
    su_variable *v = su_frame_add_factor(f, name, level, names, levels);
    v->ids = ids;
    v->reason = reasons;
}

static void add_number(su_frame *f, const char *name, const column *c, const uint32_t *ids, const su_cell *reasons)
{
    double *number = su_arena_array(&f->arena, c->count ? c->count : 1, sizeof *number);
    for (uint32_t i = 0; i < c->count; i++) number[i] = c->entries[i].missing || !c->entries[i].used ? NAN : c->entries[i].number;
    su_variable *v = su_frame_add_number(f, name, number);
    v->ids = ids;
    v->reason = reasons;
}

su_status su_frame_of_table_with(su_context *ctx, const su_raw_table *table, const su_schema *schema, const su_frame_options *options,
                                 su_frame **out)
{
    *out = NULL;
    if (table->row_count == 0)
        return su_fail(ctx, SU_INPUT, "%s has a header and no row below it; is this the right file%s?", table->source,
                       table->sheet ? " and sheet" : "");
    su_frame *f = su_frame_new(table->row_count);
    f->fingerprint = table->fingerprint;
    for (uint32_t i = 0; i < table->column_count; i++) {
        su_arena scratch;
        su_arena_init(&scratch);
        column c = { 0 };
        read_column(&scratch, table, i, schema, options, &c);
        su_cell *reasons = su_arena_array(&f->arena, c.count ? c.count : 1, sizeof *reasons);
        for (uint32_t k = 0; k < c.count; k++) reasons[k] = c.entries[k].missing ? c.entries[k].reason : SU_CELL_NOT_RECORDED;
        if (is_number(&c))
            add_number(f, table->columns[i].name, &c, table->columns[i].ids, reasons);
        else
            add_factor(f, table->columns[i].name, &c, table->columns[i].ids, reasons);
        free(c.entries);
        su_arena_free(&scratch);
    }
    *out = f;
    return SU_OK;
}

su_status su_frame_of_table(su_context *ctx, const su_raw_table *table, const su_schema *schema, su_frame **out)
{
    su_frame_options none = { 0 };
    return su_frame_of_table_with(ctx, table, schema, &none, out);
}
