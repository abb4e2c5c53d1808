/* A schema read off a table: for a first look at a file no instrument fits. */
#include <stdlib.h>
#include <string.h>

#include <suha/harmonise.h>

#define MAX_DISTINCT 65000u

static int compare_text(const void *a, const void *b)
{
    const su_str *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int order = n > 0 ? memcmp(x->p, y->p, n) : 0;
    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* Every distinct cell is a code of its own, exactly as it stands: "ua", "UA" and "UA " are three, so that counting by this schema is
 * counting strings. Byte order. */
static uint32_t column_codes(const su_raw_column *column, su_arena *arena, su_str **codes)
{
    uint32_t n = su_dict_count(column->values), used = 0;
    su_str *cells = su_arena_array(arena, n, sizeof *cells);
    for (uint32_t i = 0; i < n; i++) {
        su_str cell = su_dict_get(column->values, i);
        if (cell.n > 0) cells[used++] = cell;
    }
    qsort(cells, used, sizeof *cells, compare_text);
    *codes = cells;
    return used;
}

static su_status add_column(su_context *ctx, const su_raw_table *raw, uint32_t c, su_schema *s, su_dict *names, su_buf *identity)
{
    const su_raw_column *column = &raw->columns[c];
    su_field *f = &s->fields[c];
    su_arena scratch;
    su_str *codes = NULL;
    uint32_t count = 0;
    static const su_missing empty[] = { { "", SU_CELL_NOT_RECORDED } };
    su_status st = SU_OK;

    su_arena_init(&scratch);
    count = column_codes(column, &scratch, &codes);
    if (count > MAX_DISTINCT) {
        st = su_fail(
            ctx, SU_REFUSED,
            "%s: column \"%s\" has more than %u distinct values: it identifies records or is free text, and no domain can be read off it. "
            "Leave the column out of the file, or write a schema",
            raw->source, column->name, MAX_DISTINCT);
        goto out;
    }
    if (su_dict_add(names, su_text_fold(&s->arena, su_str_of(column->name))) != c) {
        st = su_fail(ctx, SU_INPUT, "%s: two columns are named \"%s\" (case, dashes and blanks do not count); rename one of them",
                     raw->source, column->name);
        goto out;
    }
    f->name = su_arena_strndup(&s->arena, column->name, strlen(column->name));
    f->title = f->titles[SU_LANG_EN] = f->name;
    f->description = "";
    f->type = SU_TYPE_CODE;
    f->role = SU_ROLE_QUASI_IDENTIFIER;
    f->released = true;
    f->group = -1;
    f->separator = ";";
    f->missing = empty;
    f->missing_count = 1;
    f->missing_print = "";
    s->field_count++;
    f->codelist = s->codelists[s->codelist_count++] =
        su_codelist_exact(&s->arena, su_arena_printf(&s->arena, "column-%u", c + 1), codes, count);
    su_buf_add(identity, f->name, strlen(f->name) + 1);
    for (uint32_t i = 0; i < count; i++) su_buf_printf(identity, "%zu:", codes[i].n), su_buf_add(identity, codes[i].p, codes[i].n);
out:
    su_arena_free(&scratch);
    return st;
}

su_status su_schema_from_table(su_context *ctx, const su_raw_table *raw, su_schema **out)
{
    su_status st = SU_OK;
    su_buf identity = { 0 };
    su_dict *names = su_dict_new();
    su_schema *s = su_alloc(sizeof *s);

    *out = NULL;
    su_arena_init(&s->arena);
    s->name = "auto";
    s->title = su_arena_printf(&s->arena, "Read off %s", raw->source == NULL ? "a table" : raw->source);
    s->description = "The domain of this schema comes from the data: no privacy guarantee can be stated for anything built on it.";
    s->version = "";
    if (raw->column_count == 0) st = su_fail(ctx, SU_INPUT, "%s: has no columns", raw->source);
    s->fields = su_arena_array(&s->arena, raw->column_count, sizeof *s->fields);
    s->codelists = su_arena_array(&s->arena, raw->column_count, sizeof *s->codelists);
    for (uint32_t c = 0; c < raw->column_count && st == SU_OK; c++) st = add_column(ctx, raw, c, s, names, &identity);
    s->fingerprint = su_sha256_of(identity.p, identity.n);
    su_buf_free(&identity);
    su_dict_free(names);
    if (st != SU_OK)
        su_schema_free(s);
    else
        *out = s;
    return st;
}
