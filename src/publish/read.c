/* A bundle read back: the four files that hold data become a release again. Whoever hands one over may have changed it: nothing is
 * believed that was not checked against the schema. */
#include "publication.h"
#include "rows.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define FILE_LIMIT (UINT64_C(1) << 30)
#define JSON_LIMIT (64u << 20)
#define MICRODATA "data/microdata.csv"
#define AGGREGATES "data/aggregates.csv"
#define REPORT "protection/report.json"
#define PACKAGE "datapackage.json"

static const char *const parts[] = { PACKAGE, REPORT, MICRODATA, AGGREGATES };
enum { PARTS = sizeof parts / sizeof *parts };

/* ---- files ------------------------------------------------------------------------------------------------------------------------- */

static su_status check_sum(su_context *ctx, const char *dir, const su_buf *sums, const su_bundle_file *file)
{
    su_sha256 hash = su_sha256_of(file->bytes.p, file->bytes.n);
    char hex[65];
    su_hex(hash.bytes, 32, hex);
    size_t n = strlen(file->path);
    for (size_t at = 0; at < sums->n;) {
        const char *line = sums->p + at, *end = memchr(line, '\n', sums->n - at);
        size_t length = end ? (size_t)(end - line) : sums->n - at;
        at += length + 1;
        if (length != 66 + n || memcmp(line + 66, file->path, n) != 0) continue;
        if (memcmp(line, hex, 64) == 0) return SU_OK;
        return su_fail(ctx, SU_INPUT, "%s/%s is not the file that was published: its SHA-256 is not the one in SHA256SUMS.", dir,
                       file->path);
    }
    return su_fail(ctx, SU_INPUT, "%s is not a release of Suha: its SHA256SUMS does not list %s.", dir, file->path);
}

su_status su_bundle_load(su_context *ctx, su_arena *arena, const char *dir, su_bundle_file **files, size_t *count)
{
    su_buf sums = { 0 }, bytes = { 0 };
    *files = su_arena_array(arena, PARTS, sizeof **files);
    *count = 0;
    const char *path = su_path_join(arena, dir, "SHA256SUMS");
    su_status st = SU_OK;
    if (!su_path_exists(path))
        st = su_fail(ctx, SU_INPUT, "%s is not a release of Suha: it has no SHA256SUMS. Give the folder that `suha release` wrote.", dir);
    if (!st) st = su_file_read(ctx, path, 1u << 20, &sums);
    for (size_t i = 0; i < PARTS && !st; i++) {
        st = su_file_read(ctx, su_path_join(arena, dir, parts[i]), FILE_LIMIT, &bytes);
        if (st) break;
        su_bundle_file *f = &(*files)[(*count)++];
        f->path = parts[i];
        f->bytes = (su_str) { su_arena_strndup(arena, bytes.p ? bytes.p : "", bytes.n), bytes.n };
        st = check_sum(ctx, dir, &sums, f);
    }
    su_buf_free(&sums);
    su_buf_free(&bytes);
    return st;
}

static su_status find(su_context *ctx, const su_bundle_file *files, size_t count, const char *path, su_str *out)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i].path, path) == 0) {
            *out = files[i].bytes;
            return SU_OK;
        }
    return su_fail(ctx, SU_INPUT, "The release has no %s.", path);
}

static su_status load_json(su_context *ctx, const su_bundle_file *files, size_t count, const char *path, json_t **out)
{
    su_str bytes = { 0 };
    json_error_t error;
    *out = NULL;
    su_status st = find(ctx, files, count, path, &bytes);
    if (st) return st;
    if (bytes.n > JSON_LIMIT) return su_fail(ctx, SU_INPUT, "%s is too large to be that of a release.", path);
    *out = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &error);
    if (!*out) return su_fail(ctx, SU_INPUT, "%s, line %d: not JSON (%s).", path, error.line, error.text);
    return json_is_object(*out) ? SU_OK : su_fail(ctx, SU_INPUT, "%s: not an object.", path);
}

/* ---- protection/report.json --------------------------------------------------------------------------------------------------------- */

static double number(const json_t *object, const char *key)
{
    const json_t *x = json_object_get(object, key);
    return json_is_number(x) ? json_number_value(x) : NAN;
}

static const char *text(su_arena *arena, const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? su_arena_strndup(arena, s, strnlen(s, 2000)) : NULL;
}

su_status su_bundle_facts_of(su_context *ctx, su_arena *arena, const su_bundle_file *files, size_t count, su_bundle_facts *out)
{
    json_t *root = NULL;
    *out = (su_bundle_facts) { 0 };
    su_status st = load_json(ctx, files, count, REPORT, &root);
    if (st) goto out;
    const json_t *guarantee = json_object_get(root, "guarantee"), *records = json_object_get(root, "records");
    out->schema = text(arena, root, "schema");
    out->schema_sha256 = text(arena, root, "schema_sha256");
    out->title = text(arena, root, "title");
    json_int_t length = json_integer_value(json_object_get(root, "length")), k = json_integer_value(json_object_get(root, "k"));
    out->epsilon = number(guarantee, "epsilon");
    out->delta = number(guarantee, "delta");
    out->rho = number(guarantee, "rho");
    out->total = number(records, "estimated");
    out->total_low = number(records, "ci_low");
    out->total_high = number(records, "ci_high");
    const char *source = json_string_value(json_object_get(guarantee, "random_source"));
    const char *mechanism = json_string_value(json_object_get(guarantee, "mechanism"));
    out->private_noise = source && strcmp(source, "operating system") == 0;
    out->domain_from_data = json_is_true(json_object_get(guarantee, "domain_from_data"));
    json_int_t contribution = json_integer_value(json_object_get(guarantee, "records_per_unit"));
    out->contribution = contribution >= 1 && contribution <= SU_MAX_CONTRIBUTION ? (uint32_t)contribution : 1;
    out->unit = text(arena, guarantee, "unit");
    out->several = out->unit && strncmp(out->unit, "one record", 10) != 0;
    if (mechanism && !su_mechanism_parse(mechanism, &out->mechanism))
        st = su_fail(ctx, SU_INPUT, REPORT ": the mechanism \"%.40s\" is not one of this version of Suha.", mechanism);
    else if (!out->schema_sha256 || strlen(out->schema_sha256) != 64)
        st = su_fail(ctx, SU_INPUT, REPORT ": it does not say by which schema the release was made (schema_sha256).");
    else if (length < 1 || length > SU_MAX_LENGTH)
        st = su_fail(ctx, SU_INPUT, REPORT ": the length of the longest combinations is missing or not from 1 to %u.", SU_MAX_LENGTH);
    out->length = (uint32_t)length;
    out->k = k > 1 ? (uint64_t)k : 0;
out:
    json_decref(root);
    return st;
}

/* ---- columns: what the release would have under this schema -------------------------------------------------------------------------- */

/* One field of the schema that may be released, with the printed codes and what they stand for. */
typedef struct read_field {
    const su_field *field;
    const char *name; /* as printed */
    bool provided;
    char separator;
    su_dict *codes;   /* printed codes */
    uint32_t *column; /* per printed code: column and value of the release; value 0 = a known no */
    uint16_t *value;
} read_field;

typedef struct reader {
    su_context *ctx;
    su_release *r;
    const su_schema *schema;
    read_field *fields;
    size_t field_count;
    su_dict *names; /* printed names of fields, in order */
} reader;

static su_status describe_field(reader *x, uint32_t index, const json_t *about)
{
    const su_field *field = &x->schema->fields[index];
    const su_codelist *list = field->codelist;
    su_arena *arena = &x->r->arena;
    read_field *f = &x->fields[x->field_count++];
    bool set = field->type == SU_TYPE_CODE_SET;
    const char *separator = json_string_value(json_object_get(about, "suha:separator"));
    *f = (read_field) { .field = field,
                        .name = su_printed(arena, field->name),
                        .provided = json_is_true(json_object_get(about, "suha:provided")) };
    if (su_dict_add(x->names, su_str_of(f->name)) + 1 != x->field_count)
        return su_fail(x->ctx, SU_INPUT, "The schema has two fields that are printed as %s.", f->name);
    if (!f->provided) return SU_OK;
    if (!list) return su_fail(x->ctx, SU_INPUT, PACKAGE ": the field %s is said to be provided, but its type holds no codes.", f->name);
    if (set && (!separator || strlen(separator) != 1))
        return su_fail(x->ctx, SU_INPUT, PACKAGE ": the field %s has no suha:separator.", f->name);
    f->separator = set ? separator[0] : 0;
    f->codes = su_dict_new();
    f->column = su_arena_array(arena, (size_t)list->count + 1, sizeof *f->column);
    f->value = su_arena_array(arena, (size_t)list->count + 1, sizeof *f->value);
    uint16_t values = 0;
    uint32_t column = x->r->column_count;
    for (uint32_t v = 1; v <= list->count; v++) {
        const char *code = list->codes[v - 1].code;
        uint32_t id = su_dict_add(f->codes, su_str_of(su_printed(arena, code)));
        if (id + 1 != v) return su_fail(x->ctx, SU_INPUT, "The codelist of %s has two codes that are printed as %s.", f->name, code);
        bool no = v == field->negative;
        f->column[id] = set ? x->r->column_count : column;
        f->value[id] = no ? 0 : set ? 1 : (uint16_t)++values;
        if (set && !no)
            x->r->columns[x->r->column_count++] = (su_matrix_column) {
                .name = su_arena_printf(arena, "%s_%s", field->name, code), .field = index, .set_value = (uint16_t)v, .card = 2
            };
    }
    if (!set)
        x->r->columns[x->r->column_count++] = (su_matrix_column) { .name = field->name, .field = index, .card = (uint32_t)values + 1 };
    return SU_OK;
}

/* The package's description of a field of the microdata, by its printed name; NULL if there is none. */
static const json_t *field_of(const json_t *package, const char *name)
{
    size_t i, k;
    const json_t *resource, *field;
    json_array_foreach(json_object_get(package, "resources"), i, resource)
    {
        const char *path = json_string_value(json_object_get(resource, "path"));
        if (!path || strcmp(path, MICRODATA) != 0) continue;
        json_array_foreach(json_object_get(json_object_get(resource, "schema"), "fields"), k, field)
        {
            const char *given = json_string_value(json_object_get(field, "name"));
            if (given && strcmp(given, name) == 0) return field;
        }
    }
    return NULL;
}

static su_status describe_columns(reader *x, const su_bundle_file *files, size_t count)
{
    json_t *package = NULL;
    size_t most = 1;
    su_status st = load_json(x->ctx, files, count, PACKAGE, &package);
    for (uint32_t i = 0; i < x->schema->field_count; i++) {
        const su_field *f = &x->schema->fields[i];
        most += f->type == SU_TYPE_CODE_SET && f->codelist ? f->codelist->count : 1;
    }
    x->fields = su_arena_array(&x->r->arena, (size_t)x->schema->field_count + 1, sizeof *x->fields);
    x->r->columns = su_arena_array(&x->r->arena, most, sizeof *x->r->columns);
    for (uint32_t i = 0; i < x->schema->field_count && !st; i++) {
        if (!x->schema->fields[i].released) continue;
        const char *name = su_printed(&x->r->arena, x->schema->fields[i].name);
        const json_t *about = field_of(package, name);
        st = about
                 ? describe_field(x, i, about)
                 : su_fail(x->ctx, SU_INPUT, PACKAGE ": the field %s of the schema is not there: another schema, or a changed file.", name);
    }
    json_decref(package);
    return st;
}

/* ---- data/microdata.csv ---- */

static bool is_missing(const read_field *f, su_str cell)
{
    return cell.n == 0 || (f->provided && f->field->missing_print && su_str_equal(cell, su_str_of(f->field->missing_print)));
}

/* Puts a cell's codes into the record; false when one is no code of the field's list. */
static bool put_cell(reader *x, const read_field *f, su_str cell, uint64_t row)
{
    for (size_t at = 0; at <= cell.n;) {
        const char *end = f->separator ? memchr(cell.p + at, f->separator, cell.n - at) : NULL;
        size_t n = end ? (size_t)(end - cell.p) - at : cell.n - at;
        uint32_t id;
        if (!f->provided || !su_dict_find(f->codes, (su_str) { cell.p + at, n }, &id)) return false;
        if (f->value[id]) x->r->records[f->column[id]][row] = f->value[id];
        at += n + 1;
    }
    return true;
}

static su_status read_header(reader *x, su_rows *rows)
{
    bool more;
    su_status st = su_rows_next(x->ctx, rows, &more);
    if (st) return st;
    if (rows->count != x->field_count)
        return su_fail(x->ctx, SU_INPUT, MICRODATA ", line 1: %zu columns where the schema has %zu.", rows->count, x->field_count);
    for (size_t c = 0; c < rows->count; c++) {
        su_str name = su_rows_cell(rows, c);
        if (!su_str_equal(name, su_str_of(x->fields[c].name)))
            return su_fail(x->ctx, SU_INPUT, MICRODATA ", line 1: column %zu is \"%.*s\" where the schema has %s.", c + 1,
                           (int)(name.n < 80 ? name.n : 80), name.p, x->fields[c].name);
    }
    return SU_OK;
}

static su_status read_record(reader *x, const su_rows *rows)
{
    uint64_t row = x->r->record_count++;
    if (rows->count != x->field_count)
        return su_fail(x->ctx, SU_INPUT, MICRODATA ", line %zu: %zu cells where the header has %zu.", rows->line, rows->count,
                       x->field_count);
    for (size_t c = 0; c < rows->count; c++) {
        su_str cell = su_rows_cell(rows, c);
        if (is_missing(&x->fields[c], cell) || put_cell(x, &x->fields[c], cell, row)) continue;
        return su_fail(x->ctx, SU_INPUT, MICRODATA ", line %zu, column %s: \"%.*s\" is no code of its list.", rows->line, x->fields[c].name,
                       (int)(cell.n < 80 ? cell.n : 80), cell.p);
    }
    return SU_OK;
}

static su_status read_microdata(reader *x, su_str bytes)
{
    su_release *r = x->r;
    su_rows rows;
    bool more = true;
    size_t most = 1;
    for (size_t i = 0; i < bytes.n; i++) most += bytes.p[i] == '\n';
    size_t fields = x->field_count ? x->field_count : 1;
    if (most > bytes.n / fields + 2) most = bytes.n / fields + 2; /* a row is at least its commas and its end */
    r->records = su_arena_array(&r->arena, (size_t)r->column_count + 1, sizeof *r->records);
    for (uint32_t c = 0; c < r->column_count; c++) r->records[c] = su_arena_array(&r->arena, most, sizeof **r->records);
    su_rows_init(&rows, MICRODATA, bytes);
    su_status st = read_header(x, &rows);
    while (!st && !(st = su_rows_next(x->ctx, &rows, &more)) && more) st = read_record(x, &rows);
    su_rows_free(&rows);
    return st;
}

/* ---- data/aggregates.csv ---- */

/* Text up to an unescaped `until` (or the end), without its backslashes (su_buf_escape). Returns what was read of `s`. */
static size_t unescape(su_str s, char until, su_buf *out)
{
    size_t i = 0;
    out->n = 0;
    for (; i < s.n && s.p[i] != until; i++) {
        bool escaped = s.p[i] == '\\' && i + 1 < s.n;
        i += escaped;
        const char *control = escaped ? strchr("t\tn\nr\r", s.p[i]) : NULL;
        bool named = control && (s.p[i] == 't' || s.p[i] == 'n' || s.p[i] == 'r');
        su_buf_char(out, named ? control[1] : s.p[i]);
    }
    return i;
}

static su_status parse_combination(reader *x, su_str s, su_buf *part, su_aggregate *g)
{
    uint32_t field, id;
    for (size_t at = 0; at <= s.n; g->length++) {
        if (g->length == SU_MAX_LENGTH || g->length == x->r->options.length)
            return su_fail(x->ctx, SU_INPUT, "more attributes than the release's length of %u", x->r->options.length);
        at += unescape((su_str) { s.p + at, s.n - at }, '=', part);
        if (at == s.n || !su_dict_find(x->names, (su_str) { part->p ? part->p : "", part->n }, &field) || !x->fields[field].provided)
            return su_fail(x->ctx, SU_INPUT, "\"%.80s\" is no column with values followed by =", part->p ? part->p : "");
        at++;
        at += unescape((su_str) { s.p + at, s.n - at }, ';', part);
        const read_field *f = &x->fields[field];
        if (!su_dict_find(f->codes, (su_str) { part->p ? part->p : "", part->n }, &id) || f->value[id] == 0)
            return su_fail(x->ctx, SU_INPUT, "\"%.80s\" is no code that %s can show", part->p ? part->p : "", f->name);
        g->at[g->length] = (su_attribute) { (uint16_t)f->column[id], f->value[id] };
        if (g->length && g->at[g->length - 1].column >= g->at[g->length].column)
            return su_fail(x->ctx, SU_INPUT, "its columns are not in the order of the schema");
        at++;
    }
    return SU_OK;
}

static bool real_or_empty(su_str s, double *out)
{
    *out = NAN;
    return s.n == 0 || su_parse_f64(s, out);
}

static bool before(const su_aggregate *a, const su_aggregate *b)
{
    if (a->length != b->length) return a->length < b->length;
    for (uint32_t k = 0; k < a->length; k++)
        if (a->at[k].column != b->at[k].column) return a->at[k].column < b->at[k].column;
    for (uint32_t k = 0; k < a->length; k++)
        if (a->at[k].value != b->at[k].value) return a->at[k].value < b->at[k].value;
    return false;
}

static su_status parse_aggregate(reader *x, const su_rows *rows, su_buf *part, su_aggregate *g)
{
    su_str name = su_rows_cell(rows, 0);
    int64_t length, count;
    su_status st = parse_combination(x, name, part, g);
    if (st && name.n && name.p[0] == '\'') { /* a mark against spreadsheets before the whole cell, not before a name */
        *g = (su_aggregate) { 0 };
        st = parse_combination(x, (su_str) { name.p + 1, name.n - 1 }, part, g);
    }
    if (st) return st;
    if (!su_parse_i64(su_rows_cell(rows, 1), &length) || length != g->length)
        return su_fail(x->ctx, SU_INPUT, "the length is not the number of attributes");
    if (!su_parse_i64(su_rows_cell(rows, 2), &count) || count < 0)
        return su_fail(x->ctx, SU_INPUT, "the count is not a whole number of 0 or more");
    g->count = (uint64_t)count;
    if (!real_or_empty(su_rows_cell(rows, 3), &g->ci_low) || !real_or_empty(su_rows_cell(rows, 4), &g->ci_high) || g->ci_low > g->ci_high)
        return su_fail(x->ctx, SU_INPUT, "the interval is not two numbers, the smaller first");
    return SU_OK;
}

static su_status read_aggregate(reader *x, const su_rows *rows, su_buf *part)
{
    su_aggregate *g = &x->r->aggregates[x->r->aggregate_count];
    su_status st = SU_OK;
    if (rows->count != 5)
        st = su_fail(x->ctx, SU_INPUT, "%zu cells where the header has 5", rows->count);
    else
        st = parse_aggregate(x, rows, part, g);
    if (!st && x->r->aggregate_count && !before(g - 1, g))
        st = su_fail(x->ctx, SU_INPUT, "not in the order of length, columns, values, or there twice");
    if (st) return su_fail_prefix(x->ctx, AGGREGATES ", line %zu: ", rows->line);
    x->r->aggregate_count++;
    return SU_OK;
}

static su_status read_aggregates(reader *x, su_str bytes)
{
    static const char *const header[5] = { "combination", "length", "count", "ci_low", "ci_high" };
    su_buf part = { 0 };
    su_rows rows;
    bool more = true;
    size_t most = 1;
    for (size_t i = 0; i < bytes.n; i++) most += bytes.p[i] == '\n';
    x->r->aggregates = su_arena_array(&x->r->arena, most, sizeof *x->r->aggregates);
    su_rows_init(&rows, AGGREGATES, bytes);
    su_status st = su_rows_next(x->ctx, &rows, &more);
    bool good = !st && rows.count == 5;
    for (size_t c = 0; good && c < 5; c++) good = su_str_equal(su_rows_cell(&rows, c), su_str_of(header[c]));
    if (!st && !good) st = su_fail(x->ctx, SU_INPUT, AGGREGATES ", line 1: not combination,length,count,ci_low,ci_high.");
    while (!st && !(st = su_rows_next(x->ctx, &rows, &more)) && more) st = read_aggregate(x, &rows, &part);
    su_buf_free(&part);
    su_rows_free(&rows);
    return st;
}

/* ---- the whole ---- */

static su_status check_schema(reader *x, const su_bundle_facts *facts)
{
    char hex[65];
    su_hex(x->schema->fingerprint.bytes, 32, hex);
    if (strcmp(hex, facts->schema_sha256) == 0) return SU_OK;
    return su_fail(x->ctx, SU_INPUT,
                   "The release was made with the schema %s (fingerprint %.16s), the schema given is %s (%.16s): their fields or codes "
                   "differ. Give the "
                   "schema of the release.",
                   facts->schema ? facts->schema : "without a name", facts->schema_sha256,
                   x->schema->name ? x->schema->name : "without a name", hex);
}

su_status su_bundle_parse(su_context *ctx, const su_bundle_file *files, size_t count, const su_schema *schema, su_release **out)
{
    su_release *r = su_alloc(sizeof *r);
    reader x = { .ctx = ctx, .r = r, .schema = schema, .names = su_dict_new() };
    su_bundle_facts facts;
    su_str bytes = { 0 };
    *out = NULL;
    su_arena_init(&r->arena);
    su_status st = su_bundle_facts_of(ctx, &r->arena, files, count, &facts);
    if (!st) st = check_schema(&x, &facts);
    if (st) goto out;
    r->schema = schema;
    r->options = (su_release_options) { .epsilon = facts.epsilon,
                                        .delta = facts.delta,
                                        .length = facts.length,
                                        .k = facts.k,
                                        .domain_from_data = facts.domain_from_data,
                                        .mechanism = facts.mechanism,
                                        .contribution = facts.contribution };
    r->epsilon_stated = facts.epsilon;
    r->rho = facts.rho;
    r->private_noise = facts.private_noise;
    r->total_estimate = facts.total;
    r->total_ci_low = facts.total_low;
    r->total_ci_high = facts.total_high;
    st = describe_columns(&x, files, count);
    if (!st) st = find(ctx, files, count, MICRODATA, &bytes);
    if (!st) st = read_microdata(&x, bytes);
    if (!st) st = find(ctx, files, count, AGGREGATES, &bytes);
    if (!st) st = read_aggregates(&x, bytes);
out:
    for (size_t i = 0; i < x.field_count; i++) su_dict_free(x.fields[i].codes);
    su_dict_free(x.names);
    if (st)
        su_release_free(r);
    else
        *out = r;
    return st;
}
