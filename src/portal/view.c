#include "view.h"
#include "cells.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JSON_LIMIT (64u << 20)
static const char *const language_tags[SU_LOCALES] = { "en", "fr", "es", "ar" };


typedef struct reader {
    su_context *ctx;
    const char *source;
    su_view_file file;
    void *arg;
    su_view *v;
} reader;

static su_status wrong(reader *r, const char *path, const char *what)
{
    return su_fail(r->ctx, SU_INPUT, "%s/%s: %s. The folder is not a release of this version of Suha.", r->source, path, what);
}

/* Bytes of a CSV of the bundle, valid UTF-8 so that it can stand in a page. */
static su_status load_csv(reader *r, const char *path, su_str *bytes)
{
    size_t bad;
    if (!r->file(r->arg, path, bytes)) return wrong(r, path, "the file is missing");
    return su_utf8_valid(bytes->p, bytes->n, &bad) ? SU_OK : wrong(r, path, "not UTF-8");
}

static const char *copy(reader *r, const char *text) { return su_arena_strndup(&r->v->arena, text, strlen(text)); }

/* Text of a key, NULL when absent or no text. Lengths are bounded so that a page stays a page. */
static const char *text_of(reader *r, const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? su_arena_strndup(&r->v->arena, s, strnlen(s, 20000)) : NULL;
}

static const char *text_or(reader *r, const json_t *object, const char *key, const char *other)
{
    const char *s = text_of(r, object, key);
    return s && s[0] ? s : other;
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *x = json_object_get(object, key);
    return json_is_number(x) ? json_number_value(x) : NAN;
}

static uint64_t count_of(const json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));
    return n > 0 ? (uint64_t)n : 0;
}

static su_status load_json(reader *r, const char *path, json_t **out)
{
    su_str bytes;
    json_error_t error;
    if (!r->file(r->arg, path, &bytes)) return wrong(r, path, "the file is missing");
    if (bytes.n > JSON_LIMIT) return wrong(r, path, "the file is too large");
    *out = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &error);
    if (!*out)
        return su_fail(r->ctx, SU_INPUT, "%s/%s, line %d: not JSON (%s). The release is damaged: publish it again.", r->source, path,
                       error.line, error.text);
    return json_is_object(*out) ? SU_OK : wrong(r, path, "not an object");
}

/* titles of every language: those of suha:titles, else `title`. */
static void read_titles(reader *r, const json_t *object, const char *title, const char **titles)
{
    const json_t *given = json_object_get(object, "suha:titles");
    for (int l = 0; l < SU_LOCALES; l++) titles[l] = text_or(r, given, language_tags[l], title);
}

/* ---- codelists ---------------------------------------------------------------------------------------------------------------------- */

/* label: column of each language's label in the row, -1 = none. */
static su_status add_value(reader *r, su_view_field *f, const su_cells *c, int code, const int *label, size_t *capacity,
                           su_view_value **grown)
{
    if (f->value_count == SU_VIEW_MAX_CODES) return wrong(r, f->list, "too many codes");
    uint32_t id = su_dict_add(f->codes, su_str_of(c->at[code]));
    if (id != f->value_count) return SU_OK; /* a code listed twice keeps its first place */
    *grown = su_grow(*grown, capacity, f->value_count + 1, sizeof **grown);
    su_view_value *v = &(*grown)[f->value_count++];
    *v = (su_view_value) { .code = copy(r, c->at[code]) };
    for (int l = 0; l < SU_LOCALES; l++) {
        bool there = label[l] >= 0 && (size_t)label[l] < c->count && c->at[label[l]][0];
        v->labels[l] = there ? copy(r, c->at[label[l]]) : l == SU_LOCALE_EN ? v->code : v->labels[SU_LOCALE_EN];
    }
    v->label = v->labels[SU_LOCALE_EN];
    return SU_OK;
}

static su_status read_list(reader *r, su_view_field *f)
{
    su_cells c;
    su_str bytes;
    bool more;
    su_view_value *grown = NULL;
    size_t capacity = 0;
    su_status st = load_csv(r, f->list, &bytes);
    if (st) return st;
    su_cells_init(&c, f->list, bytes);
    st = su_cells_next(r->ctx, &c, &more);
    int code = su_cells_find(&c, "code"), label[SU_LOCALES];
    for (int l = 0; l < SU_LOCALES; l++)
        label[l] = su_cells_find(&c, su_arena_printf(&r->v->arena, "label_%s", language_tags[l]));
    if (!st && (code < 0 || label[SU_LOCALE_EN] < 0)) st = wrong(r, f->list, "its header has no code and label_en");
    while (!st && !(st = su_cells_next(r->ctx, &c, &more)) && more) {
        if (c.count <= (size_t)code || c.count <= (size_t)label[SU_LOCALE_EN]) continue;
        st = add_value(r, f, &c, code, label, &capacity, &grown);
    }
    su_cells_free(&c);
    if (!st) {
        f->values = su_arena_array(&r->v->arena, f->value_count + 1, sizeof *f->values);
        if (f->value_count) memcpy(f->values, grown, f->value_count * sizeof *grown);
    }
    free(grown);
    return st;
}

/* ---- datapackage.json --------------------------------------------------------------------------------------------------------------- */

static su_view_kind kind_of(const char *type)
{
    if (!type) return SU_VIEW_OTHER;
    if (strcmp(type, "code") == 0) return SU_VIEW_CODE;
    if (strcmp(type, "code-set") == 0) return SU_VIEW_SET;
    if (strcmp(type, "flag") == 0) return SU_VIEW_FLAG;
    return strcmp(type, "year") == 0 ? SU_VIEW_YEAR : SU_VIEW_OTHER;
}

static su_status read_field(reader *r, const json_t *j, su_view_field *f)
{
    const char *group = json_string_value(json_object_get(j, "suha:group"));
    f->name = text_of(r, j, "name");
    if (!f->name) return wrong(r, "datapackage.json", "a field has no name");
    f->title = text_or(r, j, "title", f->name);
    read_titles(r, j, f->title, f->titles);
    f->description = text_or(r, j, "description", "");
    f->separator = text_or(r, j, "suha:separator", ";")[0];
    f->personal = strcmp(text_or(r, j, "suha:role", ""), "quasi-identifier") == 0;
    f->missing = text_or(r, json_array_get(json_object_get(j, "missingValues"), 0), "value", "");
    f->kind = kind_of(json_string_value(json_object_get(j, "suha:type")));
    f->provided = json_is_true(json_object_get(j, "suha:provided"));
    f->list = text_of(r, j, "suha:codelist");
    f->codes = su_dict_new();
    f->group = -1;
    for (size_t g = 0; group && g < r->v->group_count; g++)
        if (strcmp(r->v->groups[g].name, group) == 0) f->group = (int)g;
    return f->list && f->provided ? read_list(r, f) : SU_OK;
}

static su_status read_groups(reader *r, const json_t *list)
{
    su_view *v = r->v;
    size_t n = json_array_size(list);
    if (n > SU_VIEW_MAX_FIELDS) return wrong(r, "datapackage.json", "too many question groups");
    v->groups = su_arena_array(&v->arena, n + 1, sizeof *v->groups);
    for (size_t i = 0; i < n; i++) {
        const json_t *g = json_array_get(list, i);
        v->groups[i].name = text_or(r, g, "name", "");
        v->groups[i].title = text_or(r, g, "title", v->groups[i].name);
        read_titles(r, g, v->groups[i].title, v->groups[i].titles);
    }
    v->group_count = n;
    return SU_OK;
}

static su_status read_fields(reader *r, const json_t *package)
{
    const json_t *resources = json_object_get(package, "resources"), *fields = NULL;
    su_view *v = r->v;
    for (size_t i = 0; i < json_array_size(resources) && !fields; i++) {
        const json_t *one = json_array_get(resources, i);
        const char *path = json_string_value(json_object_get(one, "path"));
        if (path && strcmp(path, "data/microdata.csv") == 0) fields = json_object_get(json_object_get(one, "schema"), "fields");
    }
    if (!json_is_array(fields) || json_array_size(fields) == 0)
        return wrong(r, "datapackage.json", "it does not describe data/microdata.csv");
    if (json_array_size(fields) > SU_VIEW_MAX_FIELDS) return wrong(r, "datapackage.json", "too many fields");
    su_status st = read_groups(r, json_object_get(package, "suha:groups"));
    v->fields = su_arena_array(&v->arena, json_array_size(fields) + 1, sizeof *v->fields);
    for (size_t i = 0; i < json_array_size(fields) && !st; i++) {
        v->field_count = i + 1;
        st = read_field(r, json_array_get(fields, i), &v->fields[i]);
    }
    return st;
}

static su_status read_package(reader *r)
{
    json_t *j = NULL;
    su_view *v = r->v;
    su_status st = load_json(r, "datapackage.json", &j);
    if (st) goto out;
    v->name = text_of(r, j, "name");
    bool plain = v->name && v->name[0] && v->name[0] != '.' && strlen(v->name) <= 100 &&
                 strspn(v->name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(v->name);
    if (!plain) {
        st = wrong(r, "datapackage.json", "its name is not of a-z 0-9 . _ -");
        goto out;
    }
    v->title = text_or(r, j, "title", v->name);
    v->description = text_or(r, j, "suha:about", "");
    v->version = text_or(r, j, "version", "not stated");
    v->created = text_or(r, j, "created", "");
    const json_t *licence = json_array_get(json_object_get(j, "licenses"), 0), *who = json_array_get(json_object_get(j, "contributors"), 0);
    v->licence = text_or(r, licence, "title", "not stated");
    v->licence_url = text_of(r, licence, "path");
    if (v->licence_url && strncmp(v->licence_url, "https://", 8) != 0) v->licence_url = NULL;
    v->publisher = text_of(r, who, "title");
    v->supersedes = text_of(r, j, "suha:supersedes");
    st = read_fields(r, j);
out:
    json_decref(j);
    return st;
}

/* ---- protection/report.json --------------------------------------------------------------------------------------------------------- */

static su_view_words words(reader *r, const json_t *object, const char *key)
{
    const json_t *list = json_object_get(object, key);
    size_t n = json_array_size(list);
    su_view_words w = { .text = NULL };
    if (n > 100) n = 100;
    w.text = su_arena_array(&r->v->arena, n + 1, sizeof *w.text);
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(list, i));
        if (s) w.text[w.count++] = su_arena_strndup(&r->v->arena, s, strnlen(s, 20000));
    }
    return w;
}

static void read_levels(reader *r, const json_t *list)
{
    su_view *v = r->v;
    size_t n = json_array_size(list) < 16 ? json_array_size(list) : 16;
    v->levels = su_arena_array(&v->arena, n + 1, sizeof *v->levels);
    for (size_t i = 0; i < n; i++) {
        const json_t *l = json_array_get(list, i);
        v->levels[v->level_count++] = (su_view_level) { (uint32_t)count_of(l, "length"), count_of(l, "published"),
                                                        count_of(l, "left_out_by_gate"), count_of(l, "left_out_by_k") };
    }
}

/* The field of a table's column. The column of a code-set's member is named after the field too. */
static bool field_of_column(const su_view *v, const char *name, uint32_t *out)
{
    for (uint32_t i = 0; name && i < v->field_count; i++)
        if (strcmp(v->fields[i].name, name) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static void sort_fields(su_view_table *t)
{
    for (uint32_t i = 1; i < t->length; i++)
        for (uint32_t k = i; k > 0 && t->field[k - 1] > t->field[k]; k--) {
            uint32_t other = t->field[k];
            t->field[k] = t->field[k - 1];
            t->field[k - 1] = other;
        }
}

/* Tables whose columns are not all fields of the microdata are left out of the list. */
static size_t read_tables(reader *r, const json_t *list, su_view_table **out)
{
    su_view *v = r->v;
    size_t n = json_array_size(list) < SU_VIEW_MAX_TABLES ? json_array_size(list) : SU_VIEW_MAX_TABLES, count = 0;
    *out = su_arena_array(&v->arena, n + 1, sizeof **out);
    for (size_t i = 0; i < n; i++) {
        const json_t *columns = json_object_get(json_array_get(list, i), "columns");
        su_view_table t = { .length = 0 };
        size_t length = json_array_size(columns);
        bool known = length >= 1 && length <= SU_VIEW_MAX_LENGTH;
        for (size_t k = 0; k < length && known; k++)
            known = field_of_column(v, json_string_value(json_array_get(columns, k)), &t.field[t.length++]);
        sort_fields(&t);
        if (known) (*out)[count++] = t;
    }
    return count;
}

static su_status read_report(reader *r)
{
    static const char *const path = "protection/report.json";
    json_t *j = NULL;
    su_view *v = r->v;
    su_status st = load_json(r, path, &j);
    if (st) goto out;
    const json_t *g = json_object_get(j, "guarantee"), *p = json_object_get(j, "population"), *n = json_object_get(j, "records"),
                 *groups = json_object_get(j, "groups");
    if (json_integer_value(json_object_get(j, "suha:report")) != 1 || !json_is_object(g)) {
        st = wrong(r, path, "not a protection report of version 1");
        goto out;
    }
    v->schema = text_of(r, j, "schema");
    v->stamp = text_of(r, g, "stamp");
    /* A guarantee that is not stated does not hold. */
    if (!json_is_true(json_object_get(g, "holds")) && (!v->stamp || !v->stamp[0])) v->stamp = "NO GUARANTEE";
    const char *neighbouring = text_of(r, g, "neighbouring");
    if (neighbouring && strcmp(neighbouring, "add or remove one record") != 0) v->unit = text_of(r, g, "unit");
    v->warning = words(r, g, "warning");
    v->promise = words(r, g, "promise");
    v->limits = words(r, g, "not_protected");
    v->absent = words(r, j, "missing_on_purpose");
    const char *mechanism = text_of(r, g, "mechanism");
    v->bounded = !json_is_false(json_object_get(g, "differential_privacy"));
    v->intervals = v->bounded && (!mechanism || strcmp(mechanism, "sds") != 0);
    v->epsilon = number_of(g, "epsilon");
    v->delta = number_of(g, "delta");
    v->rho = number_of(g, "rho");
    v->odds = number_of(g, "odds_factor");
    bool stated = json_is_true(json_object_get(p, "stated"));
    v->population_epsilon = stated ? number_of(p, "epsilon") : NAN;
    v->population_delta = stated ? number_of(p, "delta") : NAN;
    v->releases_before = count_of(p, "releases_before");
    v->synthetic = count_of(n, "synthetic");
    v->estimated = number_of(n, "estimated");
    v->estimated_low = number_of(n, "ci_low");
    v->estimated_high = number_of(n, "ci_high");
    v->k = count_of(j, "k");
    v->tables = json_array_size(json_object_get(j, "tables"));
    uint64_t length = count_of(j, "length");
    v->length = length < 1 ? 1 : length > SU_VIEW_MAX_LENGTH ? SU_VIEW_MAX_LENGTH : (uint32_t)length;
    v->measured_count = read_tables(r, json_object_get(j, "tables"), &v->measured);
    v->left_out_count = read_tables(r, json_object_get(j, "tables_left_out"), &v->left_out);
    read_levels(r, json_object_get(j, "combinations"));
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *one = json_array_get(groups, i);
        const char *name = json_string_value(json_object_get(one, "name"));
        for (size_t k = 0; name && k < v->group_count; k++)
            if (strcmp(v->groups[k].name, name) == 0) v->groups[k].answered = count_of(one, "synthetic_records_with_an_answer");
    }
out:
    json_decref(j);
    return st;
}

/* ---- data/aggregates.csv ------------------------------------------------------------------------------------------------------------ */

typedef struct part {
    su_str name, code;
} part;

static su_view_value *find_value(su_view *v, const part *wanted, su_view_field **field)
{
    uint32_t id;
    for (size_t i = 0; i < v->field_count; i++) {
        su_view_field *f = &v->fields[i];
        if (!su_str_equal(su_str_of(f->name), wanted->name)) continue;
        *field = f;
        return su_dict_find(f->codes, wanted->code, &id) && id < f->value_count ? &f->values[id] : NULL;
    }
    return NULL;
}

static bool parse_count(const su_cells *c, su_view_count *n)
{
    int64_t count;
    if (!su_parse_i64(su_str_of(c->at[2]), &count) || count < 0) return false;
    n->count = (uint64_t)count;
    if (!su_parse_f64(su_str_of(c->at[3]), &n->low)) n->low = NAN;
    if (!su_parse_f64(su_str_of(c->at[4]), &n->high)) n->high = NAN;
    return true;
}

/* A count of one value. */
static su_status use_row(reader *r, const su_cells *c, su_buf *scratch)
{
    su_view *v = r->v;
    su_view_field *field = NULL;
    su_view_count n;
    part p;
    const char *rest = c->at[0];
    if (!parse_count(c, &n))
        return wrong(r, "data/aggregates.csv", su_arena_printf(&v->arena, "line %zu: the count is not a whole number", c->line));
    if (!su_cells_part(&rest, scratch, &p.name, &p.code))
        return wrong(r, "data/aggregates.csv", su_arena_printf(&v->arena, "line %zu: not column=code", c->line));
    su_view_value *value = find_value(v, &p, &field);
    if (value && !value->published) {
        value->published = true;
        value->n = n;
        field->published++;
    }
    return SU_OK;
}

static su_status read_aggregates(reader *r)
{
    static const char *const path = "data/aggregates.csv", *const header[] = { "combination", "length", "count", "ci_low", "ci_high" };
    su_cells c;
    su_str bytes;
    su_buf scratch = { 0 };
    bool more;
    su_status st = load_csv(r, path, &bytes);
    if (st) return st;
    su_cells_init(&c, path, bytes);
    st = su_cells_next(r->ctx, &c, &more);
    bool known = !st && c.count == 5;
    for (size_t i = 0; i < 5 && known; i++) known = strcmp(c.at[i], header[i]) == 0;
    if (!st && !known) st = wrong(r, path, "its header is not combination,length,count,ci_low,ci_high");
    while (!st && !(st = su_cells_next(r->ctx, &c, &more)) && more) {
        if (c.count != 5)
            st = wrong(r, path, "a line has not five cells");
        else if (strcmp(c.at[1], "1") == 0)
            st = use_row(r, &c, &scratch);
        else
            break; /* ordered by length: nothing more for the page */
    }
    su_cells_free(&c);
    su_buf_free(&scratch);
    return st;
}

su_status su_view_read(su_context *ctx, const char *source, su_view_file file, void *arg, su_view **out)
{
    su_view *v = su_alloc(sizeof *v);
    su_arena_init(&v->arena);
    reader r = { ctx, source, file, arg, v };
    *out = NULL;
    su_status st = read_package(&r);
    if (!st) st = read_report(&r);
    if (!st) st = read_aggregates(&r);
    if (st)
        su_view_free(v);
    else
        *out = v;
    return st;
}

void su_view_free(su_view *v)
{
    if (!v) return;
    for (size_t i = 0; i < v->field_count; i++) su_dict_free(v->fields[i].codes);
    su_arena_free(&v->arena);
    free(v);
}
