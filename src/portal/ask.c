/* A question from an address: percent-decoding, parameters, columns and codes by name; and the words for what is wrong with it. */
#include "cube.h"

#include <stdlib.h>
#include <string.h>

#define MAX_QUERY 4096u
#define MAX_PARAMETERS 64u
#define SHOWN 60u /* bytes of a visitor's word that an error repeats */

void su_problem_set(su_problem *p, unsigned status, const char *type, const char *parameter, const char *fmt, ...)
{
    va_list args;
    *p = (su_problem) { .status = status, .type = type, .parameter = parameter };
    va_start(args, fmt);
    vsnprintf(p->detail, sizeof p->detail, fmt, args);
    va_end(args);
    size_t bad;
    if (!su_utf8_valid(p->detail, strlen(p->detail), &bad)) p->detail[bad] = '\0'; /* cut in the middle of a character */
}

int su_shown_bytes(const char *word)
{
    size_t n = strnlen(word, SHOWN);
    while (n > 0 && ((unsigned char)word[n] & 0xc0) == 0x80) n--; /* not in the middle of a character */
    return (int)n;
}

/* ---- parameters --------------------------------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* NULL when an escape is broken or the result holds a NUL or is not UTF-8. */
static const char *decode(su_arena *arena, const char *p, size_t n)
{
    char *out = su_arena_alloc(arena, n + 1);
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '%') {
            out[to++] = p[i] == '+' ? ' ' : p[i];
            continue;
        }
        int high = i + 2 < n + 0 ? hex_digit(p[i + 1]) : -1, low = high >= 0 ? hex_digit(p[i + 2]) : -1;
        if (low < 0 || high * 16 + low == 0) return NULL;
        out[to++] = (char)(high * 16 + low);
        i += 2;
    }
    size_t bad;
    return su_utf8_valid(out, to, &bad) && !memchr(out, 0, to) ? out : NULL;
}

bool su_args_parse(const char *query, su_arena *arena, su_args *out, su_problem *problem)
{
    size_t n = query ? strlen(query) : 0;
    *out = (su_args) { .list = su_arena_array(arena, MAX_PARAMETERS, sizeof *out->list) };
    *problem = (su_problem) { .status = 0 };
    if (n > MAX_QUERY) {
        su_problem_set(problem, 414, "address-too-long", NULL, "The question in the address is longer than %u bytes.", MAX_QUERY);
        return false;
    }
    for (size_t at = 0; at < n;) {
        size_t length = strcspn(query + at, "&"), equals = strcspn(query + at, "=&");
        if (length == 0) {
            at++;
            continue;
        }
        if (out->count == MAX_PARAMETERS) {
            su_problem_set(problem, 400, "too-many-parameters", NULL, "The address has more than %u parameters.", MAX_PARAMETERS);
            return false;
        }
        struct su_arg *a = &out->list[out->count++];
        a->name = decode(arena, query + at, equals);
        a->value = equals < length ? decode(arena, query + at + equals + 1, length - equals - 1) : "";
        if (!a->name || !a->value) {
            su_problem_set(problem, 400, "bad-encoding", a->name,
                           "The address holds bytes that are no text: encode it as UTF-8 with %%XX.");
            return false;
        }
        at += length + 1;
    }
    return true;
}

const char *su_args_get(const su_args *args, const char *name)
{
    for (size_t i = 0; i < args->count; i++)
        if (strcmp(args->list[i].name, name) == 0) return args->list[i].value;
    return NULL;
}

/* ---- names -------------------------------------------------------------------------------------------------------------------------- */

int su_cube_field(const su_cube *c, const char *name)
{
    const su_view *v = c->view;
    for (size_t i = 0; i < v->field_count; i++)
        if (c->columns[i].there && strcmp(v->fields[i].name, name) == 0) return (int)i;
    return -1;
}

int su_cube_code(const su_cube *c, uint32_t field, su_str code)
{
    uint32_t value;
    const su_view_field *f = &c->view->fields[field];
    return su_dict_find(f->codes, code, &value) && value < f->value_count ? (int)value : -1;
}

/* The name nearest to what was asked, when it is near; NULL otherwise. */
static const char *nearest_column(const su_cube *c, const char *name)
{
    size_t best = strlen(name) < 8 ? 1 + strlen(name) / 4 : 3;
    const char *found = NULL;
    for (size_t i = 0; i < c->view->field_count; i++) {
        if (!c->columns[i].there) continue;
        size_t d = su_text_distance(su_str_of(name), su_str_of(c->view->fields[i].name), best + 1);
        if (d <= best) best = d ? d - 1 : 0, found = c->view->fields[i].name;
    }
    return found;
}

static bool find_column(const su_cube *c, const char *parameter, const char *name, uint32_t *field, su_problem *problem)
{
    int at = strlen(name) > 200 ? -1 : su_cube_field(c, name);
    if (at >= 0) {
        *field = (uint32_t)at;
        return true;
    }
    const char *near = strlen(name) > 200 ? NULL : nearest_column(c, name);
    if (near)
        su_problem_set(problem, 400, "unknown-column", parameter, "This release has no column \"%.*s\". Did you mean \"%.100s\"?",
                       su_shown_bytes(name), name, near);
    else
        su_problem_set(problem, 400, "unknown-column", parameter,
                       "This release has no column \"%.*s\". Its columns are listed in its codebook.", su_shown_bytes(name), name);
    return false;
}

/* ---- by, group ---------------------------------------------------------------------------------------------------------------------- */

static bool parse_by(const su_cube *c, const char *text, su_arena *arena, su_ask *ask, su_problem *problem)
{
    while (*text) {
        size_t n = strcspn(text, ",");
        uint32_t field;
        if (ask->by_count == SU_QUERY_MAX_BY) {
            su_problem_set(problem, 400, "too-many-columns", "by", "At most %u columns can be tabulated at once.", SU_QUERY_MAX_BY);
            return false;
        }
        if (!find_column(c, "by", su_arena_strndup(arena, text, n), &field, problem)) return false;
        for (size_t i = 0; i < ask->by_count; i++)
            if (ask->by[i] == field) {
                su_problem_set(problem, 400, "column-twice", "by", "The column \"%.100s\" is named twice.", c->view->fields[field].name);
                return false;
            }
        ask->by[ask->by_count++] = field;
        text += n + (text[n] == ',');
    }
    return true;
}

static bool parse_group(const su_cube *c, const char *name, su_ask *ask, su_problem *problem)
{
    const su_view *v = c->view;
    bool any = false;
    for (size_t g = 0; g < v->group_count && ask->group < 0; g++)
        if (strcmp(v->groups[g].name, name) == 0) ask->group = (int)g;
    for (size_t i = 0; i < v->field_count; i++)
        any = any || (ask->group >= 0 && c->columns[i].there && v->fields[i].kind == SU_VIEW_FLAG && v->fields[i].group == ask->group &&
                      su_cube_code(c, (uint32_t)i, SU_STR("1")) >= 0);
    if (ask->group >= 0 && any) return true;
    su_problem_set(problem, 400, "unknown-group", "group",
                   ask->group >= 0 ? "The question group \"%.*s\" has no yes-or-nothing columns in this release."
                                   : "This release has no question group \"%.*s\". Its groups are listed in its codebook.",
                   su_shown_bytes(name), name);
    return false;
}

/* ---- where -------------------------------------------------------------------------------------------------------------------------- */

typedef struct codes {
    uint32_t *list;
    size_t count, total;
} codes;

static int by_number(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* The next word up to one of `stops`, without its backslashes; *at moves behind it, *stop is what ended it. */
static const char *next_word(su_arena *arena, const char **at, const char *stops, char *stop)
{
    char *word = su_arena_alloc(arena, strlen(*at) + 1);
    size_t n = 0;
    const char *p = *at;
    for (; *p && !strchr(stops, *p); p++) {
        if (*p == '\\' && p[1]) p++;
        word[n++] = *p;
    }
    *stop = *p;
    *at = *p ? p + 1 : p;
    return word;
}

static bool single_valued(const su_cube *c, uint32_t field) { return c->view->fields[field].kind != SU_VIEW_SET; }

/* A column with one code per record, named twice: only the codes of both are left. */
static bool merge(const su_cube *c, su_filter *old, const uint32_t *code, size_t count, const char *parameter, su_problem *problem)
{
    uint32_t *both = (uint32_t *)(uintptr_t)old->code;
    size_t n = 0;
    for (size_t i = 0; i < old->count; i++)
        if (bsearch(&old->code[i], code, count, sizeof *code, by_number)) both[n++] = old->code[i];
    old->count = n;
    if (n) return true;
    su_problem_set(problem, 400, "contradiction", parameter,
                   "The conditions on \"%.100s\" have no code in common: nobody can meet them all.", c->view->fields[old->field].name);
    return false;
}

static bool add_filter(const su_cube *c, uint32_t field, codes *list, const char *parameter, su_ask *ask, su_problem *problem)
{
    size_t n = 0;
    qsort(list->list, list->count, sizeof *list->list, by_number);
    for (size_t i = 0; i < list->count; i++)
        if (n == 0 || list->list[n - 1] != list->list[i]) list->list[n++] = list->list[i];
    for (size_t i = 0; i < ask->where_count; i++)
        if (ask->where[i].field == field && single_valued(c, field)) return merge(c, &ask->where[i], list->list, n, parameter, problem);
    if (ask->where_count == SU_QUERY_MAX_WHERE) {
        su_problem_set(problem, 400, "too-many-conditions", parameter, "At most %u conditions can be asked at once.", SU_QUERY_MAX_WHERE);
        return false;
    }
    ask->where[ask->where_count++] = (su_filter) { field, list->list, n };
    return true;
}

static bool parse_where(const su_cube *c, const char *parameter, const char *text, bool one, su_arena *arena, size_t *total, su_ask *ask,
                        su_problem *problem)
{
    char stop;
    uint32_t field;
    const char *name = next_word(arena, &text, ":", &stop);
    if (stop != ':' || !name[0]) {
        su_problem_set(problem, 400, "bad-condition", parameter, "\"%.*s\" is not of the form column:code.", su_shown_bytes(name), name);
        return false;
    }
    if (!find_column(c, parameter, name, &field, problem)) return false;
    codes list = { .list = su_arena_array(arena, SU_QUERY_MAX_CODES, sizeof(uint32_t)) };
    do {
        const char *word = next_word(arena, &text, one ? "" : "|", &stop);
        int value = su_cube_code(c, field, su_str_of(word));
        if (value < 0) {
            su_problem_set(problem, 400, "unknown-code", parameter,
                           "The column \"%.100s\" has no code \"%.*s\". Its codes are listed in its codebook.", c->view->fields[field].name,
                           su_shown_bytes(word), word);
            return false;
        }
        if (++*total > SU_QUERY_MAX_CODES) {
            su_problem_set(problem, 400, "too-many-codes", parameter, "At most %u codes can be named in one question.", SU_QUERY_MAX_CODES);
            return false;
        }
        list.list[list.count++] = (uint32_t)value;
    } while (stop == '|');
    return add_filter(c, field, &list, parameter, ask, problem);
}

static bool parse_all(const su_cube *c, const su_args *args, const char *parameter, bool one, su_arena *arena, su_ask *ask,
                      su_problem *problem)
{
    size_t total = 0;
    for (size_t i = 0; i < args->count; i++)
        if (strcmp(args->list[i].name, parameter) == 0 && !parse_where(c, parameter, args->list[i].value, one, arena, &total, ask, problem))
            return false;
    return true;
}

bool su_ask_parse(const su_cube *c, const su_args *args, su_arena *arena, su_ask *out, su_problem *problem)
{
    *out = (su_ask) { .group = SU_QUERY_NO_GROUP };
    *problem = (su_problem) { .status = 0 };
    for (size_t i = 0; i < args->count; i++)
        if (strcmp(args->list[i].name, "by") == 0 && !parse_by(c, args->list[i].value, arena, out, problem)) return false;
    const char *group = su_args_get(args, "group");
    if (group && group[0] && !parse_group(c, group, out, problem)) return false;
    return parse_all(c, args, "where", false, arena, out, problem);
}

bool su_ask_parse_set(const su_cube *c, const su_args *args, su_arena *arena, su_ask *out, su_problem *problem)
{
    *out = (su_ask) { .group = SU_QUERY_NO_GROUP };
    *problem = (su_problem) { .status = 0 };
    if (!parse_all(c, args, "attr", true, arena, out, problem)) return false;
    if (out->where_count) return true;
    su_problem_set(problem, 400, "missing-parameter", "attr", "Name at least one attribute: attr=column:code.");
    return false;
}

/* ---- words -------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *key, *text;
} reasons[SU_REASONS] = {
    [SU_REASON_GATE] = { "gate", T("Not published: too few records to stand out from the noise that protects people. The number may be "
                                   "zero or not.") },
    [SU_REASON_K] = { "k",
                      T("Not published: fewer records than the smallest number that this release prints. The number may be zero or not.") },
    [SU_REASON_GATE_OR_K] = { "gate-or-k",
                              T("Not published: too few records to stand out from the noise, or fewer than the smallest number that this "
                                "release prints. The number may be zero or not.") },
    [SU_REASON_WIDE] = { "wide", T("Uncertain: half the width of the interval is more than half of the count.") },
    [SU_REASON_PARTS] = { "parts", T("At least: a part of this sum was not published, so its upper end is not known.") },
    [SU_REASON_LENGTH] = { "length", T("Estimate from synthetic records: so many attributes together have no published count. No interval "
                                       "is known.") },
    [SU_REASON_TABLE] = { "table", T("Estimate from synthetic records: these columns were not counted together. No interval is known.") },
    [SU_REASON_OVERLAP] = { "overlap", T("Estimate from synthetic records: people can have several of these codes, so published counts "
                                         "cannot be added "
                                         "up. No interval is known.") },
    [SU_REASON_PRODUCT] = { "product", T("Estimate from synthetic records: the sum would have too many parts. No interval is known.") },
    [SU_REASON_NO_RECORD] = { "no-record", T("No synthetic record has this combination; the case records may hold some.") },
    [SU_REASON_ANSWERS] = { "answers", T("Counted in the synthetic records: how many records have an answer is not published. No interval "
                                         "is known.") },
};

const char *su_reason_text(su_reason r) { return r < SU_REASONS ? reasons[r].text : NULL; }
const char *su_reason_key(su_reason r) { return r < SU_REASONS ? reasons[r].key : NULL; }

const char *su_state_key(su_cell_state s)
{
    static const char *const keys[] = { "ok", "uncertain", "suppressed", "absent", "estimated" };
    return keys[s];
}

const char *su_source_key(su_cell_source s)
{
    static const char *const keys[] = { "aggregates", "records", "mixed" };
    return keys[s];
}
