#include "schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SCHEMA_BYTES (8u << 20)
#define MAX_DEPTH 16
#define MAX_FIELDS 1000
#define MAX_GROUPS 200

su_status schema_text(schema_reader *r, const char *where, json_t *object, const char *key, const char **out)
{
    json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value)) return SU_OK;
    if (!json_is_string(value)) return su_fail(r->ctx, SU_INPUT, "%s, %s: \"%s\" must be a text", r->path, where, key);
    *out = su_arena_strndup(&r->schema->arena, json_string_value(value), json_string_length(value));
    return SU_OK;
}

/* Names become part of resource paths: nothing in them may climb out of the instruments folder. */
static bool is_plain_name(const char *s)
{
    if (*s == '\0' || *s == '.') return false;
    for (; *s != '\0'; s++) {
        bool dot = *s == '.' && s[1] != '.' && s[1] != '\0';
        if (!isalnum((unsigned char)*s) && *s != '-' && *s != '_' && !dot) return false;
    }
    return true;
}

/* jansson bounds depth at 2048 levels of recursion; a schema needs five. Looked at before parsing, outside strings. */
static bool is_shallow(su_str json)
{
    int depth = 0;
    bool text = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        if (text && c == '\\') {
            i++;
        } else if (c == '"') {
            text = !text;
        } else if (!text && (c == '{' || c == '[')) {
            if (++depth > MAX_DEPTH) return false;
        } else if (!text && (c == '}' || c == ']')) {
            depth--;
        }
    }
    return true;
}

static void identify(schema_reader *r, const char *what, su_str bytes)
{
    su_sha256 hash = su_sha256_of(bytes.p, bytes.n);
    su_buf_add(&r->identity, what, strlen(what) + 1);
    su_buf_add(&r->identity, hash.bytes, sizeof hash.bytes);
}

static su_codelist *loaded_codelist(const su_schema *schema, const char *id)
{
    for (uint32_t i = 0; i < schema->codelist_count; i++)
        if (strcmp(schema->codelists[i]->id, id) == 0) return schema->codelists[i];
    return NULL;
}

static bool find_codelist(schema_reader *r, const char *id, const char **path, su_str *bytes)
{
    *path = su_arena_printf(&r->schema->arena, "%s/codelists/%s.csv", r->name, id);
    if (r->resource(r->arg, *path, bytes)) return true;
    *path = su_arena_printf(&r->schema->arena, "codelists/%s.csv", id);
    return r->resource(r->arg, *path, bytes);
}

su_status schema_codelist(schema_reader *r, const char *where, const char *id, const su_codelist **out)
{
    su_schema *s = r->schema;
    su_codelist *list = loaded_codelist(s, id);
    const char *path = NULL;
    su_str bytes = { 0 };

    if (list == NULL) {
        if (!is_plain_name(id))
            return su_fail(r->ctx, SU_INPUT, "%s, %s: \"%s\" is not the id of a codelist (letters, digits, - _ .)", r->path, where, id);
        if (!find_codelist(r, id, &path, &bytes))
            return su_fail(r->ctx, SU_INPUT, "%s, %s: there is no codelist \"%s\": neither %s/codelists/%s.csv nor codelists/%s.csv exists",
                           r->path, where, id, r->name, id, id);
        const char *kept = su_arena_strndup(&s->arena, id, strlen(id));
        su_status st = su_codelist_parse(r->ctx, &s->arena, kept, path, bytes, &list);
        if (st != SU_OK) return st;
        identify(r, path, bytes);
        s->codelists[s->codelist_count++] = list;
    }
    *out = list;
    return SU_OK;
}

const su_codelist *schema_years(schema_reader *r, int first, int last)
{
    su_schema *s = r->schema;
    const char *id = su_arena_printf(&s->arena, "year-%d-%d", first, last);
    su_codelist *list = loaded_codelist(s, id);
    if (list == NULL) {
        list = su_codelist_years(&s->arena, id, first, last);
        s->codelists[s->codelist_count++] = list;
    }
    return list;
}

static su_status read_groups(schema_reader *r, json_t *root)
{
    su_schema *s = r->schema;
    json_t *groups = json_object_get(root, "suha:groups");
    if (groups == NULL) return SU_OK;
    if (!json_is_array(groups) || json_array_size(groups) > MAX_GROUPS)
        return su_fail(r->ctx, SU_INPUT, "%s: \"suha:groups\" must be a list of at most %d groups", r->path, MAX_GROUPS);
    s->groups = su_arena_array(&s->arena, json_array_size(groups), sizeof *s->groups);
    for (size_t i = 0; i < json_array_size(groups); i++) {
        char where[64];
        snprintf(where, sizeof where, "group %zu of \"suha:groups\"", i + 1);
        json_t *object = json_array_get(groups, i);
        su_group *g = &s->groups[i];
        if (!json_is_object(object)) return su_fail(r->ctx, SU_INPUT, "%s, %s: must be an object with a \"name\"", r->path, where);
        su_status st = schema_text(r, where, object, "name", &g->name);
        if (st == SU_OK) st = schema_text(r, where, object, "title", &g->title);
        if (st != SU_OK) return st;
        if (g->name == NULL || *g->name == '\0') return su_fail(r->ctx, SU_INPUT, "%s, %s: \"name\" is missing", r->path, where);
        for (size_t k = 0; k < i; k++)
            if (strcmp(s->groups[k].name, g->name) == 0)
                return su_fail(r->ctx, SU_INPUT, "%s, %s: a group \"%s\" is there already", r->path, where, g->name);
        if (g->title == NULL) g->title = g->name;
        s->group_count++;
    }
    return SU_OK;
}

/* One folded name may lead to one field only, or an export's column could not be told apart. */
static su_status check_names(schema_reader *r)
{
    su_schema *s = r->schema;
    su_dict *names = su_dict_new();
    uint32_t *owner = su_alloc_array(65536, sizeof *owner);
    su_status st = SU_OK;
    uint32_t id = 0;

    for (uint32_t f = 0; f < s->field_count && st == SU_OK; f++) {
        const su_field *field = &s->fields[f];
        for (uint32_t a = 0; a <= field->alias_count; a++) {
            const char *name = a == 0 ? field->name : field->aliases[a - 1];
            su_str key = su_text_fold(&s->arena, su_str_of(name));
            if (su_dict_find(names, key, &id)) {
                if (owner[id] == f && a > 0) continue;
                st = su_fail(r->ctx, SU_INPUT, "%s, field %u \"%s\": %s \"%s\" already leads to field \"%s\"; give each name to one field",
                             r->path, f + 1, field->name, a == 0 ? "the name" : "the alias", name, s->fields[owner[id]].name);
                break;
            }
            id = su_dict_add(names, key);
            if (id >= 65536) {
                st = su_fail(r->ctx, SU_INPUT, "%s: more than 65,536 names and aliases", r->path);
                break;
            }
            owner[id] = f;
        }
    }
    free(owner);
    su_dict_free(names);
    return st;
}

static su_status read_fields(schema_reader *r, json_t *root)
{
    su_schema *s = r->schema;
    json_t *fields = json_object_get(root, "fields");
    size_t n = json_array_size(fields);
    if (!json_is_array(fields) || n == 0 || n > MAX_FIELDS)
        return su_fail(r->ctx, SU_INPUT, "%s: \"fields\" must be a list of 1 to %d fields", r->path, MAX_FIELDS);
    s->fields = su_arena_array(&s->arena, n, sizeof *s->fields);
    s->codelists = su_arena_array(&s->arena, n + 1, sizeof *s->codelists); /* one per field at most, and the vocabulary of flags */
    bool flags = false;
    for (size_t i = 0; i < n; i++) {
        su_status st = schema_field_read(r, (uint32_t)i, json_array_get(fields, i));
        if (st != SU_OK) return st;
        s->field_count++;
        flags = flags || s->fields[i].type == SU_TYPE_FLAG;
    }
    su_sha256 hash = su_sha256_of(r->identity.p, r->identity.n);
    s->fingerprint = hash;
    /* The words for yes and no help to read flags whose own codelist has no "no". They are vocabulary, not domain: not in the
     * fingerprint. */
    const char *path = NULL;
    const su_codelist *list = NULL;
    su_str bytes = { 0 };
    if (flags && loaded_codelist(s, "flag") == NULL && find_codelist(r, "flag", &path, &bytes)) {
        su_status st = schema_codelist(r, "flags", "flag", &list);
        if (st != SU_OK) return st;
    }
    return check_names(r);
}

static su_status read_root(schema_reader *r, json_t *root)
{
    su_schema *s = r->schema;
    const char *where = "top level";
    if (!json_is_object(root)) return su_fail(r->ctx, SU_INPUT, "%s: must be a JSON object with \"fields\"", r->path);
    su_status st = schema_text(r, where, root, "name", &s->name);
    if (st == SU_OK) st = schema_text(r, where, root, "title", &s->title);
    if (st == SU_OK) st = schema_text(r, where, root, "description", &s->description);
    if (st == SU_OK) st = schema_text(r, where, root, "version", &s->version);
    if (st != SU_OK) return st;
    if (s->name == NULL) s->name = su_arena_strndup(&s->arena, r->name, strlen(r->name));
    if (strcmp(s->name, r->name) != 0)
        return su_fail(r->ctx, SU_INPUT, "%s: \"name\" is \"%s\", but the folder is \"%s\"; make them the same", r->path, s->name, r->name);
    if (s->title == NULL) s->title = s->name;
    if (s->description == NULL) s->description = "";
    if (s->version == NULL) s->version = "";
    r->missing_default = json_object_get(root, "missingValues");
    st = read_groups(r, root);
    if (st == SU_OK) st = read_fields(r, root);
    return st != SU_OK ? st : schema_rules_read(r, root);
}

su_status su_schema_load(su_context *ctx, const char *name, su_resource_fn resource, void *arg, su_schema **out)
{
    su_status st = SU_OK;
    json_t *root = NULL;
    json_error_t error;
    su_str bytes = { 0 };
    schema_reader r = { .ctx = ctx, .name = name, .resource = resource, .arg = arg };

    *out = NULL;
    if (name == NULL || !is_plain_name(name))
        return su_fail(ctx, SU_USAGE, "\"%s\" is not the name of a schema (letters, digits, - _ .)", name == NULL ? "" : name);
    su_schema *schema = su_alloc(sizeof *schema);
    su_arena_init(&schema->arena);
    r.schema = schema;
    r.path = su_arena_printf(&schema->arena, "%s/schema.json", name);
    if (!resource(arg, r.path, &bytes)) {
        st = su_fail(ctx, SU_INPUT, "there is no schema \"%s\" (%s was not found)", name, r.path);
        goto out;
    }
    if (bytes.n > MAX_SCHEMA_BYTES || !is_shallow(bytes)) {
        st = su_fail(ctx, SU_INPUT, "%s: is larger than %u MiB or nested deeper than %d levels: this is no schema", r.path,
                     MAX_SCHEMA_BYTES >> 20, MAX_DEPTH);
        goto out;
    }
    identify(&r, "schema.json", bytes);
    root = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        st = su_fail(ctx, SU_INPUT, "%s, line %d, column %d: not valid JSON: %s", r.path, error.line, error.column, error.text);
        goto out;
    }
    st = read_root(&r, root);
out:
    json_decref(root);
    su_buf_free(&r.identity);
    if (st != SU_OK)
        su_schema_free(schema);
    else
        *out = schema;
    return st;
}
