#include "mse/model.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

su_model su_model_main(unsigned lists)
{
    su_model m = { .count = lists + 1 };
    for (unsigned i = 0; i < lists; i++) m.term[i + 1] = (uint16_t)(1u << i);
    return m;
}

bool su_model_has(const su_model *m, unsigned term)
{
    for (unsigned i = 0; i < m->count; i++)
        if (m->term[i] == term) return true;
    return false;
}

bool su_model_add(su_model *m, unsigned term)
{
    if (su_model_has(m, term)) return true;
    for (unsigned bits = term; bits; bits &= bits - 1)
        if (!su_model_add(m, term & ~(bits & -bits))) return false;
    if (m->count == SU_TERMS_MAX) return false;
    m->term[m->count++] = (uint16_t)term;
    return true;
}

void su_model_remove(su_model *m, unsigned term)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < m->count; i++)
        if ((m->term[i] & term) != term) m->term[kept++] = m->term[i];
    m->count = kept;
}

int su_term_compare(unsigned a, unsigned b)
{
    int by_size = __builtin_popcount(a) - __builtin_popcount(b);
    if (by_size || a == b) return by_size;
    unsigned first = (a ^ b) & -(a ^ b); /* the first list that only one of them has comes first */
    return a & first ? -1 : 1;
}

void su_term_print(unsigned term, unsigned lists, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < lists && at < size; i++) {
        if (!(term >> i & 1)) continue;
        int n = snprintf(text + at, size - at, "%s%u", lists > 9 && at ? "." : "", i + 1);
        at += n > 0 ? (size_t)n : 0;
    }
}

void su_term_names(const su_overlaps *o, unsigned term, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < o->lists && at < size; i++) {
        if (!(term >> i & 1)) continue;
        int n = snprintf(text + at, size - at, "%s%s", at ? ":" : "", o->names[i]);
        at += n > 0 ? (size_t)n : 0;
    }
}

static int compare_terms(const void *a, const void *b) { return su_term_compare(*(const uint16_t *)a, *(const uint16_t *)b); }

/* Generators in the order that published tables use: large ones first, then by the numbers of the lists ("[135,12,24,34]"). */
static int compare_generators(const void *a, const void *b)
{
    unsigned x = *(const uint16_t *)a, y = *(const uint16_t *)b;
    int by_size = __builtin_popcount(y) - __builtin_popcount(x);
    return by_size ? by_size : su_term_compare(x, y);
}

void su_model_print(const su_model *m, unsigned lists, char text[SU_MODEL_TEXT])
{
    uint16_t generator[SU_TERMS_MAX];
    size_t count = 0, at = 1;
    for (unsigned i = 1; i < m->count; i++) {
        bool largest = true;
        for (unsigned j = 1; j < m->count && largest; j++) largest = j == i || (m->term[j] & m->term[i]) != m->term[i];
        if (largest) generator[count++] = m->term[i];
    }
    qsort(generator, count, sizeof *generator, compare_generators);
    snprintf(text, SU_MODEL_TEXT, "[");
    for (size_t i = 0; i < count && at + 48 < SU_MODEL_TEXT; i++) {
        char one[48];
        su_term_print(generator[i], lists, one, sizeof one);
        int n = snprintf(text + at, SU_MODEL_TEXT - at, "%s%s", i ? "," : "", one);
        at += n > 0 ? (size_t)n : 0;
    }
    snprintf(text + at, SU_MODEL_TEXT - at, "%s]", at + 48 < SU_MODEL_TEXT ? "" : ",...");
}

static su_status caret(su_context *ctx, const char *text, size_t at, const char *what)
{
    return su_fail(
        ctx, SU_USAGE,
        "--model: %s\n  %s\n  %*s^\nA model names its terms by the numbers of the lists, [12,13,4], or by their names, [LA*NG,PF].", what,
        text, (int)at, "");
}

/* One list at text[*at]: a name of the table, or, where only digits stand, the next digit (beyond nine lists the whole number). */
static bool read_list(const su_overlaps *o, const char *text, size_t *at, unsigned *list)
{
    size_t start = *at, n = 0;
    while (text[start + n] && !strchr("[],*:. \t", text[start + n])) n++;
    for (unsigned i = 0; i < o->lists; i++) {
        if (strlen(o->names[i]) == n && memcmp(o->names[i], text + start, n) == 0) {
            *at = start + n;
            *list = i;
            return true;
        }
    }
    unsigned number = 0;
    size_t digits = 0;
    while (isdigit((unsigned char)text[start + digits]) && digits < (o->lists > 9 ? 2u : 1u))
        number = number * 10 + (unsigned)(text[start + digits++] - '0');
    if (!digits || number < 1 || number > o->lists) return false;
    *at = start + digits;
    *list = number - 1;
    return true;
}

su_status su_model_parse(su_context *ctx, const su_overlaps *o, const char *text, su_model *out)
{
    size_t at = 0, end = strlen(text);
    unsigned term = 0;
    *out = su_model_main(o->lists);
    while (end && isspace((unsigned char)text[end - 1])) end--;
    while (isspace((unsigned char)text[at])) at++;
    if (text[at] == '[') {
        at++;
        if (!end || text[end - 1] != ']') return caret(ctx, text, end, "the closing bracket is missing");
        end--;
    }
    while (at < end) {
        unsigned list = 0;
        if (strchr("*:. \t", text[at])) {
            at++;
            continue;
        }
        if (text[at] == ',') {
            if (!term) return caret(ctx, text, at, "a term is empty");
            term = 0;
            at++;
            continue;
        }
        size_t start = at;
        if (!read_list(o, text, &at, &list) || at > end) return caret(ctx, text, start, "there is no such list");
        if (term >> list & 1) return caret(ctx, text, start, "a list stands twice in a term");
        term |= 1u << list;
        if (term + 1 == 1u << o->lists)
            return su_fail(
                ctx, SU_REFUSED,
                "--model: %s joins all lists in one term: that model says nothing about people on no list. Leave a list out of the term.",
                text);
        if (!su_model_add(out, term))
            return su_fail(ctx, SU_REFUSED, "--model: more than %d terms; name a smaller model.", SU_TERMS_MAX - 1);
    }
    return SU_OK;
}

/* ---- all models ---- */

typedef struct enumeration {
    unsigned lists, order;
    size_t count, capacity, most;
    uint64_t *sets;
    bool full;
} enumeration;

static void enumerate(enumeration *e, uint64_t set, unsigned size)
{
    uint16_t can[64];
    unsigned count = 0;
    for (unsigned term = 1; size <= e->order && term < 1u << e->lists; term++) {
        if ((unsigned)__builtin_popcount(term) != size) continue;
        bool parts = true;
        for (unsigned bits = term; bits && parts; bits &= bits - 1) parts = set >> (term & ~(bits & -bits)) & 1;
        if (parts) can[count++] = (uint16_t)term;
    }
    if (count == 0) {
        if (e->count == e->most) e->full = true;
        if (e->full) return;
        e->sets = su_grow(e->sets, &e->capacity, e->count + 1, sizeof *e->sets);
        e->sets[e->count++] = set;
        return;
    }
    qsort(can, count, sizeof *can, compare_terms);
    for (uint64_t choice = 0; choice >> count == 0 && !e->full; choice++) {
        uint64_t with = set;
        for (unsigned i = 0; i < count; i++)
            if (choice >> i & 1) with |= 1ull << can[i];
        enumerate(e, with, choice ? size + 1 : e->order + 1);
    }
}

static int compare_sets(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    int by_size = __builtin_popcountll(x) - __builtin_popcountll(y);
    return by_size ? by_size : x < y ? -1 : x > y;
}

size_t su_models_enumerate(unsigned lists, unsigned order, size_t most, uint64_t **out)
{
    enumeration e = { .lists = lists, .order = order < lists ? order : lists - 1, .most = most };
    uint64_t set = 1;
    for (unsigned i = 0; i < lists; i++) set |= 1ull << (1u << i);
    enumerate(&e, set, 2);
    if (e.full) {
        free(e.sets);
        *out = NULL;
        return 0;
    }
    qsort(e.sets, e.count, sizeof *e.sets, compare_sets);
    *out = e.sets;
    return e.count;
}

su_model su_model_of_set(uint64_t set, unsigned lists)
{
    su_model m = su_model_main(lists);
    for (unsigned size = 2; size < lists; size++)
        for (unsigned term = 1; term < 1u << lists; term++)
            if ((unsigned)__builtin_popcount(term) == size && set >> term & 1) m.term[m.count++] = (uint16_t)term;
    return m;
}

uint64_t su_model_set(const su_model *m)
{
    uint64_t set = 0;
    for (unsigned i = 0; i < m->count; i++) set |= 1ull << m->term[i];
    return set;
}
