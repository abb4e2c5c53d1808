#include "publication.h"

#include <math.h>
#include <string.h>

/* Lower-case a-z 0-9 . _ - ; everything else becomes one dash. Never empty, never starts with a dot: safe as a file name and in a URL. */
static const char *slug(su_arena *arena, const char *text)
{
    size_t n = strlen(text), at = 0;
    char *out = su_arena_alloc(arena, n + 2);
    for (size_t i = 0; i < n && at < 80; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c == '.' && at > 0);
        if (keep)
            out[at++] = c;
        else if (at > 0 && out[at - 1] != '-')
            out[at++] = '-';
    }
    while (at > 0 && (out[at - 1] == '-' || out[at - 1] == '.')) at--;
    if (at == 0) out[at++] = 'x';
    out[at] = 0;
    return out;
}

const char *su_printed(su_arena *arena, const char *text)
{
    double number;
    bool formula = text[0] && strchr("=+-@\t\r", text[0]) && !su_parse_f64(su_str_of(text), &number);
    return formula ? su_arena_printf(arena, "'%s", text) : text;
}

const char *su_grouped(su_arena *arena, uint64_t n)
{
    char digits[24], *out = su_arena_alloc(arena, 32);
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), at = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    return out;
}

const char *su_short_real(su_arena *arena, double x)
{
    if (!isfinite(x)) return "not known";
    if (fabs(x) >= 1000 && fabs(x) < 1e15) {
        const char *digits = su_grouped(arena, (uint64_t)llround(fabs(x)));
        return x < 0 ? su_arena_printf(arena, "-%s", digits) : digits;
    }
    return su_arena_printf(arena, "%.4g", x);
}

const char *su_unit_words(const su_publication *p)
{
    if (!p->info->unit_column) return "one record (one person's row in the case table)";
    return su_arena_printf(p->arena, "one %s (all records with one value in the column %s; at most %u of them are used)", su_unit(p),
                           p->info->unit_column, su_contribution(p));
}

const char *su_neighbour_words(const su_publication *p)
{
    if (!p->info->unit_column) return "add or remove one record";
    return su_arena_printf(p->arena, "add or remove all records of one %s", su_unit(p));
}

const char *su_upper_real(su_arena *arena, double x)
{
    if (!(x > 0) || !isfinite(x)) return su_short_real(arena, x);
    double unit = pow(10, floor(log10(x)) - 3), up = ceil(x / unit - 1e-6) * unit;
    return su_short_real(arena, up);
}

const char *su_json_quoted(su_arena *arena, const char *text)
{
    su_buf b = { 0 };
    su_json j;
    su_json_init(&j, &b);
    su_json_text(&j, text ? text : "");
    char *out = su_arena_strndup(arena, b.p, b.n);
    su_buf_free(&b);
    return out;
}

const char *su_value_code(const su_publication *p, uint32_t column, uint32_t value)
{
    const su_matrix_column *c = &p->r->columns[column];
    const su_codelist *list = p->schema->fields[c->field].codelist;
    uint32_t no = p->schema->fields[c->field].negative; /* values are numbered without the known no */
    uint32_t v = c->set_value ? c->set_value : value + (no && value >= no);
    return list && v >= 1 && v <= list->count ? su_printed(p->arena, list->codes[v - 1].code) : su_arena_printf(p->arena, "%u", v);
}

const char *su_missing_words(const su_pub_field *f)
{
    if (!f->provided) return "not provided in this release";
    if (f->field->type == SU_TYPE_FLAG)
        return "no yes: not recorded, unknown, refused, not applicable, a known no, or left out by the protection";
    return "no value: not recorded, unknown, refused, not applicable, or left out by the protection";
}

const char *su_citation(const su_publication *p)
{
    return su_arena_printf(
        p->arena, "%s (%.4s). %s%s%s, version %s. %s, made with Suha %s.", p->publisher ? p->publisher : "Publisher not named", p->day,
        p->stamp ? p->stamp : "", p->stamp ? ": " : "", p->title, p->version,
        p->bounded ? "Data set with differential privacy" : "K-anonymous data set without a differential privacy bound", SU_VERSION);
}

bool su_has_intervals(const su_publication *p) { return p->bounded && p->r->options.mechanism != SU_MECHANISM_SDS; }

/* name or name@version, as datapackage.json has them. */
static bool release_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strspn(text, letters), m = text[n] == '@' ? strlen(text + n + 1) : 0;
    return n > 0 && n <= 100 && text[0] != '.' && (!text[n] || (text[n] == '@' && m > 0 && m <= 60 && strspn(text + n + 1, letters) == m));
}

static bool spdx(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > 64) return false;
    return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") == n;
}

static su_status describe(su_context *ctx, su_publication *p)
{
    const su_bundle_info *info = p->info;
    const su_schema *s = p->schema;
    char iso[21];
    su_clock_iso(info->created, iso);
    p->created = su_arena_strndup(p->arena, iso, 20);
    p->day = su_arena_strndup(p->arena, iso, 10);
    const char *schema_name = s->name ? s->name : "table";
    p->name = slug(p->arena, info->name ? info->name : su_arena_printf(p->arena, "%s-%.4s", schema_name, p->day));
    const char *about = s->title && s->title[0] ? s->title : schema_name;
    p->title =
        info->title && info->title[0] ? info->title : su_arena_printf(p->arena, "%s: synthetic records and counts, %.4s", about, p->day);
    /* The day without leading zeros reads as a semantic version, which the Data Package asks for. */
    int year = 0, month = 0, day = 0;
    if (sscanf(p->day, "%d-%d-%d", &year, &month, &day) != 3) return su_fail(ctx, SU_USAGE, "The time of the release is not a date.");
    p->version = info->version && info->version[0] ? info->version : su_arena_printf(p->arena, "%d.%d.%d", year, month, day);
    p->publisher = info->publisher && info->publisher[0] ? info->publisher : NULL;
    p->licence = info->licence ? info->licence : "CC-BY-4.0";
    if (!spdx(p->licence))
        return su_fail(ctx, SU_USAGE, "The licence \"%.60s\" is not an SPDX identifier. Give one such as CC-BY-4.0 or CC0-1.0.",
                       p->licence);
    bool usual = strcmp(p->licence, "CC-BY-4.0") == 0;
    p->licence_title = usual ? "Creative Commons Attribution 4.0 International" : p->licence;
    p->licence_url = info->licence_url ? info->licence_url : usual ? "https://creativecommons.org/licenses/by/4.0/" : NULL;
    if (p->licence_url && strncmp(p->licence_url, "https://", 8) != 0)
        return su_fail(ctx, SU_USAGE, "The address of the licence must begin with https:// (it is \"%.80s\").", p->licence_url);
    if (info->supersedes && !release_name(info->supersedes))
        return su_fail(
            ctx, SU_USAGE,
            "\"%.100s\" is not the name of a release: a-z 0-9 . _ - and after an @ its version, as in ctdc-2024-2026@2026.11.21.",
            info->supersedes);
    p->bounded = su_mechanism_bound(p->r->options.mechanism);
    p->stamp = !p->r->private_noise             ? p->bounded ? "NOT PRIVATE" : "NOT PRIVATE, NO DIFFERENTIAL PRIVACY BOUND"
               : !p->bounded                    ? "NO DIFFERENTIAL PRIVACY BOUND"
               : p->r->options.domain_from_data ? "NO GUARANTEE"
                                                : NULL;
    return SU_OK;
}

/* Index of the list in p->lists, added when new. Lists are few: a linear search reads best. */
static int list_index(su_publication *p, const su_codelist *list)
{
    if (!list) return -1;
    for (size_t i = 0; i < p->list_count; i++)
        if (p->lists[i].list == list) return (int)i;
    const char *base = slug(p->arena, list->id && list->id[0] ? list->id : "list"), *name = base;
    for (unsigned n = 2;; n++) {
        bool taken = false;
        for (size_t i = 0; i < p->list_count; i++) taken = taken || strcmp(p->lists[i].slug, name) == 0;
        if (!taken) break;
        name = su_arena_printf(p->arena, "%s-%u", base, n);
    }
    p->lists[p->list_count] = (su_list_file) { .list = list, .slug = name, .path = su_arena_printf(p->arena, "codelists/%s.csv", name) };
    return (int)p->list_count++;
}

/* A separator that no code of the list contains, the schema's own first. Public: depends on schema and list only. */
static su_status separator(su_context *ctx, su_pub_field *f)
{
    if (f->field->type != SU_TYPE_CODE_SET || !f->field->codelist) return SU_OK;
    const char *own = f->field->separator ? f->field->separator : "", *more = ";|,/~";
    const su_codelist *list = f->field->codelist;
    for (size_t i = 0, n = strlen(own); i < n + strlen(more); i++) {
        char c = i < n ? own[i] : more[i - n];
        bool used = c <= ' ' || c == '"' || c > '~';
        for (uint32_t k = 0; k < list->count && !used; k++) used = strchr(list->codes[k].code, c) != NULL;
        if (!used) {
            f->separator = c;
            return SU_OK;
        }
    }
    return su_fail(ctx, SU_INPUT,
                   "Field \"%s\": codes of its list \"%s\" contain each of ; | , / ~, so several codes cannot share a cell. "
                   "Give the field a suha:separator that no code contains.",
                   f->field->name, list->id ? list->id : "");
}

static su_status collect_fields(su_context *ctx, su_publication *p)
{
    const su_schema *s = p->schema;
    p->fields = su_arena_array(p->arena, s->field_count + 1, sizeof *p->fields);
    p->lists = su_arena_array(p->arena, s->field_count + 1, sizeof *p->lists);
    for (uint32_t i = 0; i < s->field_count; i++) {
        const su_field *field = &s->fields[i];
        if (!field->released) continue;
        su_pub_field *f = &p->fields[p->field_count++];
        *f = (su_pub_field) { .field = field, .name = su_printed(p->arena, field->name), .column = SU_NO_COLUMN };
        f->title = field->title && field->title[0] ? field->title : field->name;
        f->list = list_index(p, field->codelist);
        uint32_t values = field->codelist ? field->codelist->count : 0;
        if (field->type == SU_TYPE_CODE_SET) {
            f->members = su_arena_array(p->arena, values + 1, sizeof *f->members);
            for (uint32_t v = 0; v <= values; v++) f->members[v] = SU_NO_COLUMN;
        }
        for (uint32_t c = 0; c < p->r->column_count; c++) {
            if (p->r->columns[c].field != i) continue;
            f->provided = true;
            uint16_t member = p->r->columns[c].set_value;
            if (!f->members)
                f->column = c;
            else if (member >= 1 && member <= values)
                f->members[member - 1] = c;
        }
        su_status st = separator(ctx, f);
        if (st) return st;
    }
    if (p->field_count == 0) return su_fail(ctx, SU_USAGE, "No field of the schema may be released: nothing can be published.");
    return SU_OK;
}

/* Denominators of the percentage rule (CTDC codebook v2024 section 6), over the synthetic records: those with at least one yes in the
 * group. */
static void count_groups(su_publication *p)
{
    const su_schema *s = p->schema;
    p->groups = su_arena_array(p->arena, s->group_count + 1, sizeof *p->groups);
    for (uint32_t g = 0; g < s->group_count; g++) {
        p->groups[g].group = &s->groups[g];
        for (size_t i = 0; i < p->field_count; i++)
            if (p->fields[i].field->group == (int)g && p->fields[i].provided) p->groups[g].fields++;
        for (uint64_t row = 0; row < p->r->record_count; row++) {
            bool any = false;
            for (uint32_t c = 0; c < p->r->column_count && !any; c++)
                any = s->fields[p->r->columns[c].field].group == (int)g && p->r->records[c][row] != 0;
            p->groups[g].answered += any;
        }
    }
}

su_status su_publication_init(su_context *ctx, su_publication *p, su_arena *arena, const su_release *r, const su_bundle_info *info)
{
    static const su_bundle_info none = { 0 };
    *p = (su_publication) { .arena = arena, .r = r, .schema = r->schema, .info = info ? info : &none };
    if (r->record_count > UINT32_MAX) return su_fail(ctx, SU_USAGE, "A release has at most 4,294,967,295 records.");
    if (!r->schema) return su_fail(ctx, SU_USAGE, "This release carries no schema: nothing says what its columns mean.");
    for (uint32_t c = 0; c < r->column_count; c++)
        if (r->columns[c].field >= r->schema->field_count || !r->schema->fields[r->columns[c].field].released)
            return su_fail(ctx, SU_INTERNAL, "Column \"%s\" of the release is not a field that may be published.", r->columns[c].name);
    su_status st = describe(ctx, p);
    if (!st) st = collect_fields(ctx, p);
    if (st) return st;
    count_groups(p);
    su_publication_words(p);
    return SU_OK;
}
