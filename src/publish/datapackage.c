/* datapackage.json: Frictionless Data Package v2 (https://datapackage.org/profiles/2.0/datapackage.json) with suha: keys. */
#include "publication.h"

#include <string.h>

static void missing_values(const su_publication *p, su_json *j, const su_pub_field *f)
{
    (void)p;
    const char *print = f->provided && f->field->missing_print ? f->field->missing_print : "";
    su_json_key(j, "missingValues");
    su_json_array(j);
    su_json_object(j);
    su_json_kv_text(j, "value", print);
    su_json_kv_text(j, "label", su_missing_words(f));
    su_json_end(j);
    su_json_end(j);
}

static void categories(const su_publication *p, su_json *j, const su_codelist *list)
{
    su_json_key(j, "categories");
    su_json_array(j);
    for (uint32_t i = 0; i < list->count; i++) {
        su_json_object(j);
        su_json_kv_text(j, "value", su_printed(p->arena, list->codes[i].code));
        if (list->codes[i].label[SU_LANG_EN]) su_json_kv_text(j, "label", list->codes[i].label[SU_LANG_EN]);
        su_json_end(j);
    }
    su_json_end(j);
}

static const char *frictionless_type(su_type t)
{
    switch (t) {
    case SU_TYPE_YEAR:
        return "year";
    case SU_TYPE_INTEGER:
        return "integer";
    case SU_TYPE_DATE:
        return "date";
    default:
        return "string"; /* codes are names, also when they look like numbers */
    }
}

static void field(const su_publication *p, su_json *j, const su_pub_field *f)
{
    const su_field *s = f->field;
    su_json_object(j);
    su_json_kv_text(j, "name", f->name);
    su_json_kv_text(j, "title", f->title);
    if (s->description && s->description[0]) su_json_kv_text(j, "description", s->description);
    su_json_kv_text(j, "type", frictionless_type(s->type));
    if (s->type == SU_TYPE_YEAR && s->has_min && s->has_max) {
        su_json_key(j, "constraints");
        su_json_object(j);
        su_json_kv_int(j, "minimum", s->min);
        su_json_kv_int(j, "maximum", s->max);
        su_json_end(j);
    }
    missing_values(p, j, f);
    if ((s->type == SU_TYPE_CODE || s->type == SU_TYPE_FLAG) && s->codelist) categories(p, j, s->codelist);
    su_json_kv_text(j, "suha:type", su_type_name(s->type));
    su_json_kv_text(j, "suha:role", su_role_name(s->role));
    su_json_kv_bool(j, "suha:provided", f->provided);
    if (f->separator) su_json_kv_text(j, "suha:separator", (char[2]) { f->separator, 0 });
    if (f->list >= 0) su_json_kv_text(j, "suha:codelist", p->lists[f->list].path);
    if (s->group >= 0 && (uint32_t)s->group < p->schema->group_count) su_json_kv_text(j, "suha:group", p->schema->groups[s->group].name);
    static const char *const language[SU_LANG_COUNT] = { "en", "fr", "es", "ar" };
    su_json_key(j, "suha:titles");
    su_json_object(j);
    for (int l = 0; l < SU_LANG_COUNT; l++)
        if (s->titles[l]) su_json_kv_text(j, language[l], s->titles[l]);
    su_json_end(j);
    su_json_end(j);
}

static void microdata_schema(const su_publication *p, su_json *j)
{
    su_json_key(j, "fields");
    su_json_array(j);
    for (size_t i = 0; i < p->field_count; i++) field(p, j, &p->fields[i]);
    su_json_end(j);
    bool any = false;
    for (size_t i = 0; i < p->field_count; i++) {
        const su_pub_field *f = &p->fields[i];
        if (f->list < 0 || f->field->type == SU_TYPE_CODE_SET || f->field->type == SU_TYPE_YEAR) continue;
        if (!any) {
            su_json_key(j, "foreignKeys");
            su_json_array(j);
            any = true;
        }
        su_json_object(j);
        su_json_key(j, "fields");
        su_json_array(j);
        su_json_text(j, f->name);
        su_json_end(j);
        su_json_key(j, "reference");
        su_json_object(j);
        su_json_kv_text(j, "resource", su_arena_printf(p->arena, "codelist-%s", p->lists[f->list].slug));
        su_json_key(j, "fields");
        su_json_array(j);
        su_json_text(j, "code");
        su_json_end(j);
        su_json_end(j);
        su_json_end(j);
    }
    if (any) su_json_end(j);
}

/* "name:type" pairs of a table that is the same in every bundle. */
static void fixed_schema(su_json *j, const char *const *names, const char *const *types, size_t n)
{
    su_json_key(j, "fields");
    su_json_array(j);
    for (size_t i = 0; i < n; i++) {
        su_json_object(j);
        su_json_kv_text(j, "name", names[i]);
        su_json_kv_text(j, "type", types[i]);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_key(j, "missingValues");
    su_json_array(j);
    su_json_text(j, "");
    su_json_end(j);
}

static void resource_schema(const su_publication *p, su_json *j, const char *path)
{
    static const char *const counts[] = { "combination", "length", "count", "ci_low", "ci_high" };
    static const char *const counts_types[] = { "string", "integer", "integer", "number", "number" };
    static const char *const list[] = { "code", "label_en", "label_fr", "label_es", "label_ar", "parent", "min", "max", "note" };
    static const char *const list_types[] = { "string", "string", "string", "string", "string", "string", "integer", "integer", "string" };
    su_json_key(j, "schema");
    su_json_object(j);
    su_json_kv_text(j, "$schema", "https://datapackage.org/profiles/2.0/tableschema.json");
    if (strcmp(path, "data/microdata.csv") == 0)
        microdata_schema(p, j);
    else if (strcmp(path, "data/aggregates.csv") == 0)
        fixed_schema(j, counts, counts_types, 5);
    else
        fixed_schema(j, list, list_types, 9);
    su_json_end(j);
    su_json_key(j, "dialect");
    su_json_object(j);
    su_json_kv_bool(j, "header", true);
    su_json_kv_text(j, "delimiter", ",");
    su_json_kv_text(j, "lineTerminator", "\n");
    su_json_kv_text(j, "quoteChar", "\"");
    su_json_kv_bool(j, "doubleQuote", true);
    su_json_end(j);
}

static const char *resource_title(const su_publication *p, const char *path)
{
    if (strcmp(path, "data/microdata.csv") == 0) return "Synthetic records";
    if (strcmp(path, "data/aggregates.csv") == 0)
        return su_has_intervals(p) ? "Protected counts of combinations, with 95 % intervals" : "Protected counts of combinations";
    if (strcmp(path, "protection/report.html") == 0) return "Protection report";
    if (strcmp(path, "codebook.html") == 0) return "Codebook";
    for (size_t i = 0; i < p->list_count; i++)
        if (strcmp(path, p->lists[i].path) == 0) return su_arena_printf(p->arena, "Codelist %s", p->lists[i].slug);
    return path;
}

static const char *resource_name(const su_publication *p, const char *path)
{
    if (strncmp(path, "codelists/", 10) == 0) return su_arena_printf(p->arena, "codelist-%.*s", (int)strlen(path) - 14, path + 10);
    if (strncmp(path, "data/", 5) == 0) return su_arena_printf(p->arena, "%.*s", (int)strlen(path) - 9, path + 5);
    return strcmp(path, "protection/report.html") == 0 ? "protection-report" : "codebook";
}

/* protection/report.json is named by suha:guarantee and is no resource: Frictionless tools take every "report.json" for one of their own
 * reports. */
static bool is_resource(const char *path)
{
    return strncmp(path, "data/", 5) == 0 || strncmp(path, "codelists/", 10) == 0 || strcmp(path, "protection/report.html") == 0 ||
           strcmp(path, "codebook.html") == 0;
}

static void resource(const su_publication *p, su_json *j, const su_bundle_file *file)
{
    const char *dot = strrchr(file->path, '.');
    char hex[65];
    su_hex(file->hash.bytes, 32, hex);
    su_json_object(j);
    su_json_kv_text(j, "name", resource_name(p, file->path));
    su_json_kv_text(j, "title", resource_title(p, file->path));
    su_json_kv_text(j, "path", file->path);
    su_json_kv_text(j, "format", dot + 1);
    su_json_kv_text(j, "mediatype", file->media_type);
    su_json_kv_text(j, "encoding", "utf-8");
    su_json_kv_int(j, "bytes", (int64_t)file->bytes.n);
    su_json_kv_text(j, "hash", su_arena_printf(p->arena, "sha256:%s", hex));
    if (strcmp(dot, ".csv") == 0) {
        su_json_kv_text(j, "type", "table");
        resource_schema(p, j, file->path);
    }
    su_json_end(j);
}

static void licences(const su_publication *p, su_json *j)
{
    su_json_key(j, "licenses");
    su_json_array(j);
    su_json_object(j);
    su_json_kv_text(j, "name", p->licence);
    if (p->licence_url) su_json_kv_text(j, "path", p->licence_url);
    su_json_kv_text(j, "title", p->licence_title);
    su_json_end(j);
    su_json_end(j);
}

static void sources(const su_publication *p, su_json *j)
{
    su_json_key(j, "sources");
    su_json_array(j);
    su_json_object(j);
    su_json_kv_text(j, "title",
                    su_arena_printf(p->arena, "Case records in the schema %s%s%s, protected before publication",
                                    p->schema->name ? p->schema->name : "(unnamed)", p->schema->version ? ", version " : "",
                                    p->schema->version ? p->schema->version : ""));
    su_json_end(j);
    su_json_end(j);
    if (!p->publisher) return;
    su_json_key(j, "contributors");
    su_json_array(j);
    su_json_object(j);
    su_json_kv_text(j, "title", p->publisher);
    su_json_key(j, "roles");
    su_json_array(j);
    su_json_text(j, "publisher");
    su_json_end(j);
    su_json_end(j);
    su_json_end(j);
}

static void guarantee(const su_publication *p, su_json *j)
{
    su_json_key(j, "suha:guarantee");
    su_json_object(j);
    su_json_kv_bool(j, "holds", p->stamp == NULL);
    su_json_kv_text(j, "stamp", p->stamp);
    su_json_kv_text(j, "mechanism", su_mechanism_name(p->r->options.mechanism));
    su_json_kv_text(j, "definition",
                    p->bounded ? "zero-concentrated differential privacy, stated as (epsilon, delta)"
                               : "K-anonymity: no differential privacy bound");
    su_json_kv_text(j, "unit", p->info->unit_column ? su_unit_words(p) : "one record");
    su_json_kv_text(j, "neighbouring", su_neighbour_words(p));
    su_json_kv_real(j, "epsilon", p->r->epsilon_stated);
    su_json_kv_real(j, "delta", p->r->options.delta);
    su_json_kv_real(j, "rho", p->r->rho);
    su_json_kv_text(j, "report", "protection/report.json");
    su_json_end(j);
    su_json_kv_text(j, "suha:generator", "Suha " SU_VERSION);
}

void su_emit_datapackage(const su_publication *p, const su_bundle_file *files, size_t count, su_buf *b)
{
    const char *const keywords[] = { "human trafficking", p->bounded ? "differential privacy" : "k-anonymity", "synthetic data" };
    su_json writer, *j = &writer;
    su_json_init(j, b);
    su_json_object(j);
    su_json_kv_text(j, "$schema", "https://datapackage.org/profiles/2.0/datapackage.json");
    su_json_kv_text(j, "name", p->name);
    su_json_kv_text(j, "title", p->stamp ? su_arena_printf(p->arena, "%s: %s", p->stamp, p->title) : p->title);
    const char *about = p->schema->description ? p->schema->description : "";
    su_json_kv_text(j, "description",
                    su_arena_printf(p->arena, "%s%s%s%s%sSynthetic records and protected counts; how to read them is in README.md.",
                                    p->stamp ? p->stamp : "", p->stamp ? ". " : "", p->stamp ? p->warning.text[0] : "", p->stamp ? " " : "",
                                    about[0] ? su_arena_printf(p->arena, "%s ", about) : ""));
    su_json_kv_text(j, "suha:about", about);
    su_json_kv_text(j, "version", p->version);
    su_json_kv_text(j, "created", p->created);
    if (p->info->supersedes) su_json_kv_text(j, "suha:supersedes", p->info->supersedes);
    su_json_key(j, "keywords");
    su_json_array(j);
    if (p->stamp) su_json_text(j, p->stamp);
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) su_json_text(j, keywords[i]);
    su_json_end(j);
    licences(p, j);
    sources(p, j);
    guarantee(p, j);
    su_json_key(j, "suha:groups");
    su_json_array(j);
    for (uint32_t g = 0; g < p->schema->group_count; g++) {
        su_json_object(j);
        su_json_kv_text(j, "name", p->schema->groups[g].name);
        su_json_kv_text(j, "title", p->schema->groups[g].title ? p->schema->groups[g].title : p->schema->groups[g].name);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_key(j, "resources");
    su_json_array(j);
    for (size_t i = 0; i < count; i++)
        if (is_resource(files[i].path)) resource(p, j, &files[i]);
    su_json_end(j);
    su_json_end(j);
    su_buf_char(b, '\n');
}
