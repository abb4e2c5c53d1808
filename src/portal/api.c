#include "api.h"
#include "page_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BASE "/api/v1"

bool su_api_is_mine(const char *path) { return strncmp(path, "/api/", 5) == 0 || strcmp(path, "/catalog.jsonld") == 0; }

/* ---- problems ----------------------------------------------------------------------------------------------------------------------- */

static const char *title_of(unsigned status)
{
    switch (status) {
    case 404:
        return "Not found";
    case 414:
        return "Address too long";
    case 500:
        return "Server error";
    default:
        return "Bad request";
    }
}

static void api_problem(const su_problem *p, su_api_reply *out)
{
    su_json j;
    out->body.n = 0;
    out->status = p->status;
    out->media_type = "application/problem+json";
    out->download = NULL;
    su_json_init(&j, &out->body);
    j.compact = true;
    su_json_object(&j);
    char type[100];
    snprintf(type, sizeof type, "/api#%s", p->type ? p->type : "problem");
    su_json_kv_text(&j, "type", type);
    su_json_kv_text(&j, "title", title_of(p->status));
    su_json_kv_int(&j, "status", (int64_t)p->status);
    su_json_kv_text(&j, "detail", p->detail);
    if (p->parameter) su_json_kv_text(&j, "parameter", p->parameter);
    su_json_end(&j);
}

/* ---- negotiation -------------------------------------------------------------------------------------------------------------------- */

static const char *const format_names[SU_API_FORMATS] = { "json", "csv", "hxl", "xlsx" };

/* The weight of one member of the list, 0 to 1000. */
static unsigned weight_of(const char *member, size_t n)
{
    const char *q = memmem(member, n, "q=", 2);
    double w = 1;
    if (q && !su_parse_f64((su_str) { q + 2, strspn(q + 2, "0123456789.") }, &w)) w = 1;
    return w <= 0 ? 0 : w >= 1 ? 1000 : (unsigned)(w * 1000);
}

su_api_format su_api_accept(const char *accept)
{
    static const struct {
        const char *type;
        su_api_format format;
    } known[] = { { "application/json", SU_API_JSON },
                  { "text/csv", SU_API_CSV },
                  { "application/problem+json", SU_API_JSON },
                  { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", SU_API_XLSX } };
    unsigned best = 0;
    su_api_format found = SU_API_JSON;
    for (const char *p = accept; p && *p;) {
        p += strspn(p, " \t,");
        size_t whole = strcspn(p, ","), n = strcspn(p, ",; \t");
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (n != strlen(known[i].type) || strncasecmp(p, known[i].type, n) != 0) continue;
            unsigned w = weight_of(p, whole);
            if (w > best) best = w, found = known[i].format;
        }
        p += whole;
    }
    return found;
}

static bool negotiate(su_api_call *call, const su_args *args, bool tables, su_problem *problem)
{
    const char *lang = su_args_get(args, "lang"), *format = su_args_get(args, "format");
    if (lang && !su_locale_find(su_str_of(lang), &call->locale)) {
        su_problem_set(problem, 400, "unknown-language", "lang", "The languages are en, fr, es and ar.");
        return false;
    }
    if (!tables || !format) return true;
    for (int f = 0; f < SU_API_FORMATS; f++)
        if (strcmp(format, format_names[f]) == 0) {
            call->format = (su_api_format)f;
            return true;
        }
    su_problem_set(problem, 400, "unknown-format", "format", "The formats are json, csv, hxl and xlsx.");
    return false;
}

/* A misspelt parameter would be answered with the wrong table, so it is refused. */
static bool only_known(const su_args *args, const char *const *known, su_problem *problem)
{
    for (size_t i = 0; i < args->count; i++) {
        bool there = false;
        for (const char *const *k = known; *k; k++) there = there || strcmp(*k, args->list[i].name) == 0;
        if (there) continue;
        su_problem_set(problem, 400, "unknown-parameter", su_args_get(args, args->list[i].name) ? args->list[i].name : NULL,
                       "There is no parameter \"%.*s\" here. What can be asked is described at /api.", su_shown_bytes(args->list[i].name),
                       args->list[i].name);
        return false;
    }
    return true;
}

/* ---- what a release is -------------------------------------------------------------------------------------------------------------- */

/* "name" or "name@version". */
static bool is_named(const su_view *v, const char *reference)
{
    size_t n = strcspn(reference, "@");
    if (strlen(v->name) != n || strncmp(v->name, reference, n) != 0) return false;
    return reference[n] == 0 || strcmp(v->version, reference + n + 1) == 0;
}

static bool replaces(const su_site *site, size_t later, size_t earlier)
{
    const su_view *a = site->shown[later].view, *b = site->shown[earlier].view;
    return later != earlier && a->supersedes && is_named(b, a->supersedes) && strcmp(b->created, a->created) <= 0;
}

int su_release_superseded(const su_site *site, size_t release)
{
    for (size_t i = 0; i < site->count; i++)
        if (replaces(site, release, i)) return (int)i;
    return -1;
}

/* index of the release that replaces it, -1 = none here */
static int release_successor(const su_site *site, size_t release)
{
    for (size_t i = 0; i < site->count; i++)
        if (replaces(site, i, release)) return (int)i;
    return -1;
}

static void put_real(su_json *j, const char *key, double x) { su_json_kv_real(j, key, x); }

static void put_id(su_json *j, const char *key, const su_site *site, int release)
{
    su_json_kv_text(j, key, release >= 0 ? site->shown[release].name : NULL);
}

static void put_words(su_json *j, const char *key, const su_view_words *w)
{
    su_json_key(j, key);
    su_json_array(j);
    for (size_t i = 0; i < w->count; i++) su_json_text(j, w->text[i]);
    su_json_end(j);
}

static void put_guarantee(su_json *j, const su_view *v)
{
    su_json_key(j, "guarantee");
    su_json_object(j);
    su_json_kv_bool(j, "holds", v->stamp == NULL);
    su_json_kv_text(j, "stamp", v->stamp);
    put_real(j, "epsilon", v->bounded ? v->epsilon : NAN);
    put_real(j, "delta", v->bounded ? v->delta : NAN);
    put_real(j, "rho", v->bounded ? v->rho : NAN);
    put_real(j, "population_epsilon", v->population_epsilon);
    put_words(j, "plain", v->stamp ? &v->warning : &v->promise);
    put_words(j, "not_protected", &v->limits);
    su_json_end(j);
}

static void put_people(su_json *j, const su_view *v)
{
    su_json_key(j, "people");
    su_json_object(j);
    su_json_key(j, "estimate");
    if (isfinite(v->estimated) && fabs(v->estimated) < 9e15)
        su_json_int(j, (int64_t)llround(fmax(0, v->estimated)));
    else
        su_json_null(j);
    put_real(j, "low", isfinite(v->estimated_low) ? fmax(0, v->estimated_low) : NAN);
    put_real(j, "high", v->estimated_high);
    su_json_kv_int(j, "synthetic_records", (int64_t)v->synthetic);
    su_json_end(j);
}

static void put_summary(su_json *j, const su_api_call *call, size_t at)
{
    const su_shown *s = &call->site->shown[at];
    const su_view *v = s->view;
    const char *from, *to;
    su_json_kv_text(j, "id", s->name);
    su_json_kv_text(j, "title", v->title);
    su_json_kv_text(j, "version", v->version);
    su_json_kv_text(j, "created", v->created);
    su_json_kv_text(j, "publisher", v->publisher);
    su_json_key(j, "period");
    if (su_page_period(v, &from, &to)) {
        su_json_object(j);
        su_json_kv_text(j, "from", from);
        su_json_kv_text(j, "to", to);
        su_json_end(j);
    } else {
        su_json_null(j);
    }
    put_people(j, v);
    put_guarantee(j, v);
    su_json_kv_text(j, "licence", v->licence);
    su_json_kv_text(j, "licence_url", v->licence_url);
    su_json_kv_text(j, "supersedes", v->supersedes);
    put_id(j, "supersedes_id", call->site, su_release_superseded(call->site, at));
    put_id(j, "superseded_by", call->site, release_successor(call->site, at));
    su_json_kv_text(j, "page", su_arena_printf(call->arena, "/r/%s/", s->name));
    su_json_kv_text(j, "api", su_arena_printf(call->arena, BASE "/releases/%s", s->name));
}

static const char *kind_name(su_view_kind k)
{
    static const char *const names[] = { "code", "set", "flag", "year", "other" };
    return names[k];
}

static void put_groups(su_json *j, const su_api_call *call, const su_view *v)
{
    su_json_key(j, "groups");
    su_json_array(j);
    for (size_t g = 0; g < v->group_count; g++) {
        su_json_object(j);
        su_json_kv_text(j, "name", v->groups[g].name);
        su_json_kv_text(j, "title", su_tr(call->locale, v->groups[g].titles[call->locale]));
        su_json_key(j, "columns");
        su_json_array(j);
        for (size_t i = 0; i < v->field_count; i++)
            if (v->fields[i].group == (int)g && v->fields[i].provided) su_json_text(j, v->fields[i].name);
        su_json_end(j);
        su_json_end(j);
    }
    su_json_end(j);
}

static void put_columns(su_json *j, const su_api_call *call, const su_view *v)
{
    su_json_key(j, "columns");
    su_json_array(j);
    for (size_t i = 0; i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        su_json_object(j);
        su_json_kv_text(j, "name", f->name);
        su_json_kv_text(j, "title", f->titles[call->locale]);
        su_json_kv_text(j, "description", f->description);
        su_json_kv_text(j, "kind", kind_name(f->kind));
        su_json_kv_text(j, "group", f->group >= 0 ? v->groups[f->group].name : NULL);
        su_json_kv_bool(j, "provided", f->provided);
        su_json_key(j, "codes");
        su_json_array(j);
        for (size_t k = 0; k < f->value_count; k++) {
            su_json_object(j);
            su_json_kv_text(j, "code", f->values[k].code);
            su_json_kv_text(j, "label", f->values[k].labels[call->locale]);
            su_json_kv_bool(j, "published", f->values[k].published);
            su_json_end(j);
        }
        su_json_end(j);
        su_json_end(j);
    }
    su_json_end(j);
}

static void put_release(su_json *j, const su_api_call *call, size_t at)
{
    const su_shown *s = &call->site->shown[at];
    const su_view *v = s->view;
    su_json_object(j);
    put_summary(j, call, at);
    su_json_kv_text(j, "description", v->description);
    su_json_kv_int(j, "length", (int64_t)v->length);
    su_json_kv_int(j, "k", (int64_t)v->k);
    put_groups(j, call, v);
    put_columns(j, call, v);
    su_json_key(j, "published");
    su_json_array(j);
    for (size_t i = 0; i < v->level_count; i++) {
        su_json_object(j);
        su_json_kv_int(j, "length", (int64_t)v->levels[i].length);
        su_json_kv_int(j, "published", (int64_t)v->levels[i].published);
        su_json_kv_int(j, "left_out_by_gate", (int64_t)v->levels[i].gated);
        su_json_kv_int(j, "left_out_by_k", (int64_t)v->levels[i].below_k);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_key(j, "links");
    su_json_object(j);
    static const char *const more[] = { "tabulate", "combinations", "files" };
    for (size_t i = 0; i < 3; i++) su_json_kv_text(j, more[i], su_arena_printf(call->arena, BASE "/releases/%s/%s", s->name, more[i]));
    su_json_kv_text(j, "page", su_arena_printf(call->arena, "/r/%s/", s->name));
    su_json_end(j);
    su_json_end(j);
}

static void put_files(su_json *j, const su_api_call *call, const su_shown *s)
{
    su_json_object(j);
    su_json_kv_text(j, "release", s->name);
    su_json_key(j, "files");
    su_json_array(j);
    for (size_t i = 0; i < s->folder->count; i++) {
        const su_folder_file *f = &s->folder->files[i];
        const char *purpose = su_folder_purpose(f->path);
        su_json_object(j);
        su_json_kv_text(j, "path", f->path);
        su_json_kv_int(j, "bytes", (int64_t)f->bytes.n);
        su_json_kv_text(j, "sha256", f->sha256);
        su_json_kv_text(j, "media_type", su_folder_media_type(f->path));
        su_json_kv_text(j, "purpose", purpose ? su_tr(call->locale, purpose) : NULL);
        su_json_kv_text(j, "href", su_arena_printf(call->arena, BASE "/releases/%s/files/%s", s->name, f->path));
        su_json_end(j);
    }
    su_json_end(j);
    su_json_end(j);
}

/* ---- routes ------------------------------------------------------------------------------------------------------------------------- */

static void not_found(su_problem *problem, const char *what) { su_problem_set(problem, 404, "not-found", NULL, "%s", what); }

static bool find_release(const su_site *site, const char *p, size_t n, size_t *out)
{
    for (size_t i = 0; i < site->count; i++)
        if (strlen(site->shown[i].name) == n && memcmp(site->shown[i].name, p, n) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool serve_file(const su_api_call *call, size_t release, const char *path, su_api_reply *out, su_problem *problem)
{
    out->file = su_folder_find(call->site->shown[release].folder, path);
    out->file_release = release;
    if (out->file) return true;
    not_found(problem, "This release has no such file. Its files are listed at its address /files.");
    return false;
}

/* rest: what follows /api/v1/releases/{id}. */
static bool answer_release(su_api_call *call, size_t at, const char *rest, const su_args *args, su_api_reply *out, su_problem *problem)
{
    static const char *const plain[] = { "lang", NULL }, *const table[] = { "by", "where", "group", "lang", "format", NULL },
                             *const set[] = { "attr", "most", "lang", "format", NULL };
    const su_shown *s = &call->site->shown[at];
    bool tabulate = strcmp(rest, "/tabulate") == 0, combinations = strcmp(rest, "/combinations") == 0;
    if (strncmp(rest, "/files/", 7) == 0) return serve_file(call, at, rest + 7, out, problem);
    if (!tabulate && !combinations && rest[0] && strcmp(rest, "/files") != 0) {
        not_found(problem, "This address is not part of the API. What can be asked is described at /api.");
        return false;
    }
    if (!only_known(args, tabulate ? table : combinations ? set : plain, problem)) return false;
    if (!negotiate(call, args, tabulate || combinations, problem)) return false;
    if (tabulate) return su_api_tabulate(call, s, args, out, problem);
    if (combinations) return su_api_combinations(call, s, args, out, problem);
    su_json j;
    su_json_init(&j, &out->body);
    j.compact = true;
    if (rest[0])
        put_files(&j, call, s);
    else
        put_release(&j, call, at);
    return true;
}

static bool answer_list(su_api_call *call, const su_args *args, su_api_reply *out, su_problem *problem)
{
    static const char *const plain[] = { "lang", NULL };
    su_json j;
    if (!only_known(args, plain, problem) || !negotiate(call, args, false, problem)) return false;
    su_json_init(&j, &out->body);
    j.compact = true;
    su_json_object(&j);
    su_json_key(&j, "releases");
    su_json_array(&j);
    for (size_t i = 0; i < call->site->count; i++) {
        su_json_object(&j);
        put_summary(&j, call, i);
        su_json_end(&j);
    }
    su_json_end(&j);
    su_json_end(&j);
    return true;
}

static bool route(su_api_call *call, const su_args *args, su_api_reply *out, su_problem *problem)
{
    static const char list[] = BASE "/releases";
    const char *path = call->path;
    size_t at;
    if (strcmp(path, "/catalog.jsonld") == 0) {
        su_catalogue(call->site, &out->body);
        out->media_type = "application/ld+json";
        return true;
    }
    if (strcmp(path, BASE "/openapi.json") == 0) {
        su_buf_add(&out->body, call->site->openapi.p, call->site->openapi.n);
        return true;
    }
    if (strcmp(path, list) == 0) return answer_list(call, args, out, problem);
    if (strncmp(path, list, sizeof list - 1) == 0 && path[sizeof list - 1] == '/') {
        const char *id = path + sizeof list;
        size_t n = strcspn(id, "/");
        if (find_release(call->site, id, n, &at)) return answer_release(call, at, id + n, args, out, problem);
        not_found(problem, "There is no release of this id. All releases are listed at " BASE "/releases.");
        problem->type = "unknown-release";
        problem->parameter = "id";
        return false;
    }
    not_found(problem, "This address is not part of the API. What can be asked is described at /api.");
    return false;
}

void su_api_answer(su_api_call *call, su_api_reply *out)
{
    su_problem problem = { .status = 0 };
    su_args args;
    *out = (su_api_reply) { .status = 200, .media_type = "application/json" };
    if (su_args_parse(call->query, call->arena, &args, &problem) && route(call, &args, out, &problem)) return;
    out->foreign = problem.status == 404;
    api_problem(&problem, out);
}
