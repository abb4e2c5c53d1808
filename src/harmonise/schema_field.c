#include "pattern.h"
#include "schema.h"

#include <string.h>

#define MAX_LISTED 2000
#define MAX_YEARS 1000

static su_status fail_field(schema_reader *r, uint32_t index, const char *key, const char *fmt, ...) SU_PRINTF(4, 5);

static su_status fail_field(schema_reader *r, uint32_t index, const char *key, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const char *name = r->schema->fields[index].name;
    return su_fail(r->ctx, SU_INPUT, "%s, field %u \"%s\", key \"%s\": %s", r->path, index + 1, name == NULL ? "" : name, key, text);
}

static su_status field_text(schema_reader *r, uint32_t index, json_t *object, const char *key, const char **out)
{
    char where[300];
    const char *name = r->schema->fields[index].name;
    snprintf(where, sizeof where, "field %u \"%.200s\"", index + 1, name == NULL ? "" : name);
    return schema_text(r, where, object, key, out);
}

/* The type in Suha's own words, or what the Frictionless type comes closest to. */
static su_status read_type(schema_reader *r, uint32_t index, json_t *object)
{
    su_field *f = &r->schema->fields[index];
    const char *own = NULL, *plain = NULL;
    su_status st = field_text(r, index, object, "suha:type", &own);
    if (st == SU_OK) st = field_text(r, index, object, "type", &plain);
    if (st != SU_OK) return st;
    if (own == NULL) {
        bool listed = json_object_get(object, "suha:codelist") != NULL;
        plain = plain == NULL ? "string" : plain;
        own = strcmp(plain, "boolean") == 0   ? "flag"
              : strcmp(plain, "integer") == 0 ? "integer"
              : strcmp(plain, "year") == 0    ? "year"
              : strcmp(plain, "date") == 0    ? "date"
              : listed                        ? "code"
                                              : "text";
    }
    for (su_type t = SU_TYPE_CODE; t <= SU_TYPE_TEXT; t++) {
        if (strcmp(su_type_name(t), own) == 0) {
            f->type = t;
            return SU_OK;
        }
    }
    return fail_field(r, index, "suha:type", "\"%s\" is not one of code, code-set, flag, year, integer, date, text", own);
}

static su_status read_role(schema_reader *r, uint32_t index, json_t *object)
{
    su_field *f = &r->schema->fields[index];
    const char *role = "attribute", *privacy = NULL;
    su_status st = field_text(r, index, object, "suha:role", &role);
    if (st == SU_OK) st = field_text(r, index, object, "suha:privacy", &privacy);
    if (st != SU_OK) return st;
    su_role found = SU_ROLE_IDENTIFIER;
    while (found <= SU_ROLE_ATTRIBUTE && strcmp(su_role_name(found), role) != 0) found++;
    if (found > SU_ROLE_ATTRIBUTE)
        return fail_field(r, index, "suha:role", "\"%s\" is not one of identifier, quasi-identifier, sensitive, attribute", role);
    f->role = found;
    bool coded = f->type == SU_TYPE_CODE || f->type == SU_TYPE_CODE_SET || f->type == SU_TYPE_FLAG || f->type == SU_TYPE_YEAR;
    f->released = coded && f->role != SU_ROLE_IDENTIFIER;
    if (privacy == NULL) return SU_OK;
    if (strcmp(privacy, "release") != 0 && strcmp(privacy, "vault") != 0)
        return fail_field(r, index, "suha:privacy", "\"%s\" is neither release nor vault", privacy);
    if (strcmp(privacy, "release") == 0 && f->role == SU_ROLE_IDENTIFIER)
        return fail_field(r, index, "suha:privacy", "an identifier is never released; make it vault, or change its suha:role");
    f->released = strcmp(privacy, "release") == 0;
    return SU_OK;
}

static su_status read_bound(schema_reader *r, uint32_t index, json_t *constraints, const char *key, bool *has, int64_t *out)
{
    json_t *value = json_object_get(constraints, key);
    if (value == NULL) return SU_OK;
    if (json_is_integer(value))
        *out = json_integer_value(value);
    else if (!json_is_string(value) || !su_parse_i64(su_str_of(json_string_value(value)), out))
        return fail_field(r, index, key, "must be a whole number");
    *has = true;
    return SU_OK;
}

static su_status read_constraints(schema_reader *r, uint32_t index, json_t *object)
{
    su_field *f = &r->schema->fields[index];
    json_t *constraints = json_object_get(object, "constraints");
    if (constraints == NULL) return SU_OK;
    if (!json_is_object(constraints)) return fail_field(r, index, "constraints", "must be an object");
    if (f->type == SU_TYPE_YEAR || f->type == SU_TYPE_INTEGER) {
        su_status st = read_bound(r, index, constraints, "minimum", &f->has_min, &f->min);
        if (st == SU_OK) st = read_bound(r, index, constraints, "maximum", &f->has_max, &f->max);
        if (st != SU_OK) return st;
        if (f->has_min && f->has_max && f->min > f->max)
            return fail_field(r, index, "constraints", "minimum %lld is above maximum %lld", (long long)f->min, (long long)f->max);
    }
    json_t *required = json_object_get(constraints, "required");
    if (required != NULL && !json_is_boolean(required)) return fail_field(r, index, "required", "must be true or false");
    f->required = json_is_true(required);
    su_status st = field_text(r, index, constraints, "pattern", &f->pattern);
    if (st != SU_OK || f->pattern == NULL) return st;
    regex_t compiled;
    char why[300];
    if (!pattern_compile(f->pattern, &compiled, why, sizeof why)) return fail_field(r, index, "pattern", "\"%s\" %s", f->pattern, why);
    regfree(&compiled);
    return SU_OK;
}

static su_status read_codelist(schema_reader *r, uint32_t index, json_t *object)
{
    su_field *f = &r->schema->fields[index];
    const char *id = NULL, *negative = NULL;
    su_status st = field_text(r, index, object, "suha:codelist", &id);
    if (st == SU_OK) st = field_text(r, index, object, "suha:negative", &negative);
    if (st != SU_OK) return st;
    if (f->type == SU_TYPE_YEAR) {
        if (!f->has_min || !f->has_max || f->min < 1000 || f->max > 9999 || f->max - f->min >= MAX_YEARS)
            return fail_field(r, index, "constraints",
                              "a year needs minimum and maximum (between 1000 and 9999): they are its public domain");
        f->codelist = schema_years(r, (int)f->min, (int)f->max);
        return SU_OK;
    }
    if (f->type != SU_TYPE_CODE && f->type != SU_TYPE_CODE_SET && f->type != SU_TYPE_FLAG) return SU_OK;
    if (id == NULL && f->type != SU_TYPE_FLAG)
        return fail_field(r, index, "suha:codelist", "a field of type %s needs a codelist", su_type_name(f->type));
    char where[300];
    snprintf(where, sizeof where, "field %u \"%.200s\"", index + 1, f->name);
    st = schema_codelist(r, where, id == NULL ? "flag" : id, &f->codelist);
    if (st != SU_OK) return st;
    if (negative != NULL) {
        f->negative = su_codelist_find(f->codelist, su_str_of(negative));
        if (f->negative == 0)
            return fail_field(r, index, "suha:negative", "\"%s\" is not a code of codelist %s", negative, f->codelist->id);
    } else if (f->type == SU_TYPE_FLAG) {
        f->negative = su_codelist_find(f->codelist, SU_STR("0"));
    }
    return SU_OK;
}

static su_status read_one_missing(schema_reader *r, uint32_t index, json_t *entry, su_missing *out)
{
    json_t *value = json_is_object(entry) ? json_object_get(entry, "value") : entry;
    json_t *label = json_is_object(entry) ? json_object_get(entry, "label") : NULL;
    if (!json_is_string(value) || (label != NULL && !json_is_string(label)))
        return fail_field(r, index, "missingValues", "each entry is a text or {\"value\": text, \"label\": text}");
    out->value = su_arena_strndup(&r->schema->arena, json_string_value(value), json_string_length(value));
    out->reason = SU_CELL_NOT_RECORDED;
    if (label != NULL && !su_cell_reason_parse(su_str_of(json_string_value(label)), &out->reason))
        return fail_field(r, index, "missingValues",
                          "\"%s\" is not one of not recorded, unknown, refused, not applicable, suppressed, negative",
                          json_string_value(label));
    return SU_OK;
}

static su_status read_missing(schema_reader *r, uint32_t index, json_t *object)
{
    su_field *f = &r->schema->fields[index];
    json_t *list = json_object_get(object, "missingValues");
    if (list == NULL) list = r->missing_default;
    f->missing_print = "";
    if (list == NULL) return SU_OK;
    if (!json_is_array(list) || json_array_size(list) > MAX_LISTED)
        return fail_field(r, index, "missingValues", "must be a list of at most %d entries", MAX_LISTED);
    size_t n = json_array_size(list);
    su_missing *missing = su_arena_array(&r->schema->arena, n, sizeof *missing);
    bool printed = false;
    for (size_t i = 0; i < n; i++) {
        su_status st = read_one_missing(r, index, json_array_get(list, i), &missing[i]);
        if (st != SU_OK) return st;
        if (!printed && missing[i].reason == SU_CELL_NOT_RECORDED) {
            f->missing_print = missing[i].value;
            printed = true;
        }
    }
    f->missing = missing;
    f->missing_count = (uint32_t)n;
    return SU_OK;
}

static su_status read_aliases(schema_reader *r, uint32_t index, json_t *object)
{
    su_field *f = &r->schema->fields[index];
    json_t *list = json_object_get(object, "suha:aliases");
    if (list == NULL) return SU_OK;
    if (!json_is_array(list) || json_array_size(list) > MAX_LISTED)
        return fail_field(r, index, "suha:aliases", "must be a list of at most %d names", MAX_LISTED);
    size_t n = json_array_size(list);
    const char **aliases = su_arena_array(&r->schema->arena, n, sizeof *aliases);
    for (size_t i = 0; i < n; i++) {
        json_t *alias = json_array_get(list, i);
        if (!json_is_string(alias) || json_string_length(alias) == 0) return fail_field(r, index, "suha:aliases", "each alias is a text");
        aliases[i] = su_arena_strndup(&r->schema->arena, json_string_value(alias), json_string_length(alias));
    }
    f->aliases = aliases;
    f->alias_count = (uint32_t)n;
    return SU_OK;
}

static su_status read_group(schema_reader *r, uint32_t index, json_t *object)
{
    su_field *f = &r->schema->fields[index];
    const char *group = NULL;
    f->group = -1;
    su_status st = field_text(r, index, object, "suha:group", &group);
    if (st != SU_OK || group == NULL) return st;
    for (uint32_t g = 0; g < r->schema->group_count; g++)
        if (strcmp(r->schema->groups[g].name, group) == 0) f->group = (int)g;
    if (f->group < 0) return fail_field(r, index, "suha:group", "\"%s\" is not declared in \"suha:groups\"", group);
    if (f->type != SU_TYPE_FLAG && f->type != SU_TYPE_CODE_SET)
        return fail_field(r, index, "suha:group", "only flags and code sets belong to a question group");
    return SU_OK;
}

static su_status read_texts(schema_reader *r, uint32_t index, json_t *object)
{
    static const char *const keys[SU_LANG_COUNT] = { "en", "fr", "es", "ar" };
    su_field *f = &r->schema->fields[index];
    su_status st = field_text(r, index, object, "name", &f->name);
    if (st != SU_OK) return st;
    if (f->name == NULL || *f->name == '\0') return fail_field(r, index, "name", "is missing");
    f->title = f->name;
    f->description = "";
    st = field_text(r, index, object, "title", &f->title);
    if (st == SU_OK) st = field_text(r, index, object, "description", &f->description);
    if (st != SU_OK) return st;
    json_t *titles = json_object_get(object, "suha:titles");
    if (titles != NULL && !json_is_object(titles)) return fail_field(r, index, "suha:titles", "must be an object of texts");
    for (int lang = 0; lang < SU_LANG_COUNT && st == SU_OK; lang++) st = field_text(r, index, titles, keys[lang], &f->titles[lang]);
    if (f->titles[SU_LANG_EN] == NULL) f->titles[SU_LANG_EN] = f->title;
    return st;
}

su_status schema_field_read(schema_reader *r, uint32_t index, json_t *object)
{
    su_field *f = &r->schema->fields[index];
    if (!json_is_object(object)) return su_fail(r->ctx, SU_INPUT, "%s, field %u: must be an object with a \"name\"", r->path, index + 1);
    su_status st = read_texts(r, index, object);
    if (st == SU_OK) st = read_type(r, index, object);
    if (st == SU_OK) st = read_role(r, index, object);
    if (st == SU_OK) st = read_constraints(r, index, object);
    if (st == SU_OK) st = read_codelist(r, index, object);
    if (st == SU_OK) st = read_missing(r, index, object);
    if (st == SU_OK) st = read_aliases(r, index, object);
    if (st == SU_OK) st = read_group(r, index, object);
    f->separator = ";";
    if (st == SU_OK) st = field_text(r, index, object, "suha:separator", &f->separator);
    if (st == SU_OK && *f->separator == '\0') return fail_field(r, index, "suha:separator", "must not be empty");
    return st;
}
