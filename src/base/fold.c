/* Folding: two spellings of one code become one key. NFKC_Casefold (Unicode 15, section 3.13; UAX #31), which also removes characters
 * that have no appearance, such as the soft hyphen and direction marks; then dashes and blanks are made uniform. */
#include <suha/base.h>

#include "utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static bool is_blank(uint32_t c)
{
    if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
    if (c == 0x85) return true;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

static bool is_dash(uint32_t c)
{
    if (c < 0x80) return c == '-';
    return c == 0x2212 || utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_PD;
}

/* Writes characters, holding back a gap (blanks and dashes) until it is known what follows. */
typedef struct writer {
    char *p;
    size_t n;
    bool blank, dash;
} writer;

static void write_gap(writer *w)
{
    if (w->dash)
        w->p[w->n++] = '-';
    else if (w->blank && w->n)
        w->p[w->n++] = ' ';
    w->blank = w->dash = false;
}

static su_str fold_ascii(su_arena *arena, su_str s)
{
    writer w = { su_arena_alloc(arena, s.n + 1), 0, false, false };
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            w.blank = true;
            continue;
        }
        if (c == '-') {
            w.dash = true;
            continue;
        }
        if (w.blank || w.dash) write_gap(&w);
        w.p[w.n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    if (w.dash) write_gap(&w);
    return (su_str) { w.p, w.n };
}

static const utf8proc_option_t FOLD_OPTIONS =
    (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);

/* Code points of folded text; a byte that is not UTF-8 is kept as RAW_BYTE + byte. */
enum { RAW_BYTE = 0x200000 };

typedef struct points {
    int32_t *p;
    size_t n, capacity;
} points;

static void points_reserve(points *v, size_t more)
{
    if (more <= v->capacity - v->n) return;
    size_t capacity = v->capacity;
    int32_t *old = v->p;
    capacity = capacity * 2 > v->n + more ? capacity * 2 : v->n + more;
    v->p = su_alloc_array(capacity, sizeof *v->p);
    memcpy(v->p, old, v->n * sizeof *old);
    su_wipe(old, v->n * sizeof *old);
    free(old);
    v->capacity = capacity;
}

/* Appends the folding of valid UTF-8. */
static void fold_run(points *v, const char *p, size_t n)
{
    points_reserve(v, n + 32);
    size_t room = v->capacity - v->n;
    utf8proc_ssize_t count =
        utf8proc_decompose((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)n, v->p + v->n, (utf8proc_ssize_t)room, FOLD_OPTIONS);
    if (count > (utf8proc_ssize_t)room) { /* ligatures that unfold into many letters */
        points_reserve(v, (size_t)count);
        count = utf8proc_decompose((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)n, v->p + v->n, count, FOLD_OPTIONS);
    }
    if (count > 0) count = utf8proc_normalize_utf32(v->p + v->n, count, FOLD_OPTIONS);
    if (count > 0) v->n += (size_t)count;
}

static void fold_points(points *v, su_str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t bad = s.n - i;
        su_utf8_valid(s.p + i, s.n - i, &bad);
        if (bad) fold_run(v, s.p + i, bad);
        i += bad;
        if (i < s.n) {
            points_reserve(v, 1);
            v->p[v->n++] = RAW_BYTE + (unsigned char)s.p[i++];
        }
    }
}

static su_str fold_unicode(su_arena *arena, su_str s)
{
    points v = { su_alloc_array(s.n + 64, sizeof *v.p), 0, s.n + 64 };
    fold_points(&v, s);
    size_t room = 1;
    for (size_t i = 0; i < v.n; i++) room += v.p[i] < 0x80 ? 1 : 4;
    writer w = { su_arena_alloc(arena, room), 0, false, false };
    for (size_t i = 0; i < v.n; i++) {
        uint32_t c = (uint32_t)v.p[i];
        if (c < RAW_BYTE && is_blank(c)) {
            w.blank = true;
            continue;
        }
        if (c < RAW_BYTE && is_dash(c)) {
            w.dash = true;
            continue;
        }
        if (w.blank || w.dash) write_gap(&w);
        if (c >= RAW_BYTE)
            w.p[w.n++] = (char)(c - RAW_BYTE);
        else
            w.n += utf8_encode(c, w.p + w.n);
    }
    if (w.dash) write_gap(&w);
    su_wipe(v.p, v.n * sizeof *v.p);
    free(v.p);
    return (su_str) { w.p, w.n };
}

su_str su_text_fold(su_arena *arena, su_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] >= 0x80) return fold_unicode(arena, s);
    }
    return fold_ascii(arena, s);
}
