#include "logit/formula.h"

#include <ctype.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

typedef struct term_set {
    uint64_t *p;
    uint32_t n, capacity;
    bool zero; /* it was the number 0: the intercept goes */
} term_set;

typedef struct parser {
    su_context *ctx;
    su_arena *arena;
    su_formula *f;
    const char *s;
    size_t at, n;
    int depth;
    const char *const *names;
    size_t name_count;
} parser;

su_status su_formula_fail(su_context *ctx, su_status status, const char *text, size_t at, const char *fmt, ...)
{
    char reason[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    size_t n = strlen(text), from = at > 60 ? at - 60 : 0, to = n - from > 110 ? from + 110 : n;
    while (from < at && ((unsigned char)text[from] & 0xC0) == 0x80) from++;
    while (to < n && ((unsigned char)text[to] & 0xC0) == 0x80) to++;
    int caret = 0, character = 1;
    for (size_t i = 0; i < at && i < n; i++) {
        bool starts = ((unsigned char)text[i] & 0xC0) != 0x80;
        character += starts;
        caret += starts && i >= from;
    }
    char line[256];
    snprintf(line, sizeof line, "%.*s", (int)(to - from), text + from);
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ') *p = ' ';
    return su_fail(ctx, status, "Formula, character %d: %s\n    %s\n    %*s^", character, reason, line, caret, "");
}

#define BAD(p, where, ...) su_formula_fail((p)->ctx, SU_USAGE, (p)->s, where, __VA_ARGS__)

static void blanks(parser *p)
{
    while (p->at < p->n && isspace((unsigned char)p->s[p->at])) p->at++;
}

static bool eat(parser *p, char c)
{
    blanks(p);
    if (p->at >= p->n || p->s[p->at] != c) return false;
    p->at++;
    return true;
}

static void set_add(parser *p, term_set *set, uint64_t term)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (set->p[i] == term) return;
    if (set->n == set->capacity) {
        uint32_t capacity = set->capacity ? set->capacity * 2 : 8;
        uint64_t *grown = su_arena_array(p->arena, capacity, sizeof *grown);
        if (set->n) memcpy(grown, set->p, set->n * sizeof *grown);
        set->p = grown;
        set->capacity = capacity;
    }
    set->p[set->n++] = term;
}

static void set_remove(term_set *set, uint64_t term)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < set->n; i++)
        if (set->p[i] != term) set->p[kept++] = set->p[i];
    set->n = kept;
}

static su_status check_size(parser *p, const term_set *set, size_t at)
{
    if (set->n <= SU_FORMULA_TERMS) return SU_OK;
    return BAD(p, at, "this makes more than %d terms. Cross fewer variables.", SU_FORMULA_TERMS);
}

static su_status cross(parser *p, const term_set *a, const term_set *b, size_t at, term_set *out)
{
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t j = 0; j < b->n; j++) {
            set_add(p, out, a->p[i] | b->p[j]);
            su_status s = check_size(p, out, at);
            if (s != SU_OK) return s;
        }
    return SU_OK;
}

static su_status atom_add(parser *p, const su_atom *atom, uint32_t *index)
{
    su_formula *f = p->f;
    for (uint32_t i = 0; i < f->atom_count; i++) {
        su_atom *a = &f->atoms[i];
        if (strcmp(a->name, atom->name) != 0 || a->transform != atom->transform || a->power != atom->power || a->of != atom->of) continue;
        if (a->reference && atom->reference && strcmp(a->reference, atom->reference) != 0)
            return BAD(p, atom->at, "factor(%s) has two reference categories, %s and %s.", a->name, a->reference, atom->reference);
        if (!a->reference) a->reference = atom->reference;
        *index = i;
        return SU_OK;
    }
    if (f->atom_count == SU_FORMULA_ATOMS) return BAD(p, atom->at, "more than %d variables.", SU_FORMULA_ATOMS);
    *index = f->atom_count;
    f->atoms[f->atom_count++] = *atom;
    return SU_OK;
}

static bool name_byte(char c, bool first)
{
    unsigned char u = (unsigned char)c;
    return u >= 0x80 || c == '_' || isalpha(u) || (!first && (isdigit(u) || c == '.'));
}

static su_status name(parser *p, const char *what, const char **out)
{
    blanks(p);
    size_t start = p->at;
    if (p->at < p->n && p->s[p->at] == '`') {
        const char *end = memchr(p->s + start + 1, '`', p->n - start - 1);
        if (!end) return BAD(p, start, "a name begins with ` and never ends. Close it with another `.");
        p->at = (size_t)(end - p->s) + 1;
        if (p->at == start + 2) return BAD(p, start, "an empty name.");
        *out = su_arena_strndup(p->arena, p->s + start + 1, p->at - start - 2);
        return SU_OK;
    }
    while (p->at < p->n && name_byte(p->s[p->at], p->at == start)) p->at++;
    if (p->at == start) {
        if (p->at >= p->n) return BAD(p, start, "%s is missing at the end.", what);
        return BAD(p, start, "%s is expected here. Names with blanks or signs are written between backquotes: `Age Band`.", what);
    }
    *out = su_arena_strndup(p->arena, p->s + start, p->at - start);
    return SU_OK;
}

/* A category: between quotes, or everything up to the comma or bracket. */
static su_status level(parser *p, const char **out)
{
    blanks(p);
    size_t start = p->at;
    if (start < p->n && (p->s[start] == '\'' || p->s[start] == '"' || p->s[start] == '`')) {
        const char *end = memchr(p->s + start + 1, p->s[start], p->n - start - 1);
        if (!end) return BAD(p, start, "this quote is never closed.");
        p->at = (size_t)(end - p->s) + 1;
        *out = su_arena_strndup(p->arena, p->s + start + 1, p->at - start - 2);
        return SU_OK;
    }
    while (p->at < p->n && p->s[p->at] != ')' && p->s[p->at] != ',') p->at++;
    su_str text = su_str_trim((su_str) { p->s + start, p->at - start });
    if (text.n == 0) return BAD(p, start, "the reference category is missing after ref=.");
    *out = su_arena_strndup(p->arena, text.p, text.n);
    return SU_OK;
}

static su_status close_bracket(parser *p, size_t opened, const char *what)
{
    if (eat(p, ')')) return SU_OK;
    if (p->at >= p->n) return BAD(p, opened, "the bracket of %s is never closed.", what);
    return BAD(p, p->at, "a closing bracket of %s is expected here.", what);
}

static su_status digit(parser *p, const char *what, unsigned *out)
{
    blanks(p);
    size_t start = p->at;
    while (p->at < p->n && isdigit((unsigned char)p->s[p->at])) p->at++;
    if (p->at != start + 1 || p->s[start] < '2') {
        p->at = start;
        return BAD(p, start, "%s is a whole number from 2 to 9.", what);
    }
    *out = (unsigned)(p->s[start] - '0');
    return SU_OK;
}

/* What stands in the brackets of factor(), I(), log() and sqrt(). */
static su_status call(parser *p, const char *function, size_t start, su_atom *atom)
{
    size_t opened = p->at - 1;
    su_status s = name(p, "the name of a variable", &atom->name);
    if (s != SU_OK) return s;
    atom->at = start;
    if (strcmp(function, "factor") == 0) {
        atom->transform = SU_TRANSFORM_FACTOR;
        if (eat(p, ',')) {
            blanks(p);
            size_t at = p->at;
            const char *word;
            if ((s = name(p, "ref=CATEGORY", &word)) != SU_OK) return s;
            if (strcmp(word, "ref") != 0 || !eat(p, '=')) return BAD(p, at, "after the comma only ref=CATEGORY is understood.");
            if ((s = level(p, &atom->reference)) != SU_OK) return s;
        }
    } else if (strcmp(function, "I") == 0) {
        atom->transform = SU_TRANSFORM_POWER;
        if (!eat(p, '^')) return BAD(p, p->at, "I() takes a power of one variable, as in I(%s^2).", atom->name);
        if ((s = digit(p, "the power", &atom->power)) != SU_OK) return s;
    } else if (strcmp(function, "ns") == 0) {
        atom->transform = SU_TRANSFORM_SPLINE;
        if (!eat(p, ',')) return BAD(p, p->at, "ns() takes a variable and its number of columns, as in ns(%s, 3).", atom->name);
        if ((s = digit(p, "the number of columns", &atom->of)) != SU_OK) return s;
    } else {
        atom->transform = strcmp(function, "log") == 0 ? SU_TRANSFORM_LOG : SU_TRANSFORM_SQRT;
    }
    return close_bracket(p, opened, function);
}

static su_status sum(parser *p, term_set *out);

static su_status offset(parser *p, size_t opened)
{
    su_atom atom = { 0 };
    blanks(p);
    size_t start = p->at;
    su_status s = name(p, "the name of a variable", &atom.name);
    if (s != SU_OK) return s;
    atom.at = start;
    if ((strcmp(atom.name, "log") == 0 || strcmp(atom.name, "sqrt") == 0) && eat(p, '(')) {
        const char *function = atom.name;
        if ((s = call(p, function, start, &atom)) != SU_OK) return s;
    }
    if ((s = close_bracket(p, opened, "offset")) != SU_OK) return s;
    uint32_t index;
    if ((s = atom_add(p, &atom, &index)) != SU_OK) return s;
    for (uint32_t i = 0; i < p->f->offset_count; i++)
        if (p->f->offsets[i] == index) return SU_OK;
    p->f->offsets[p->f->offset_count++] = index;
    return SU_OK;
}

static su_status every_variable(parser *p, size_t start, term_set *out)
{
    if (p->name_count == 0) return BAD(p, start, "there are no other variables for the full stop to stand for.");
    for (size_t i = 0; i < p->name_count; i++) {
        uint32_t index;
        if (strcmp(p->names[i], p->f->outcome) == 0) continue;
        su_atom atom = { .name = su_arena_strndup(p->arena, p->names[i], strlen(p->names[i])), .at = start };
        su_status s = atom_add(p, &atom, &index);
        if (s != SU_OK) return s;
        set_add(p, out, 1ull << index);
    }
    return SU_OK;
}

static su_status named(parser *p, size_t start, term_set *out)
{
    su_atom atom = { .at = start };
    bool quoted = p->s[p->at] == '`';
    su_status s = name(p, "the name of a variable", &atom.name);
    if (s != SU_OK) return s;
    if (!quoted && eat(p, '(')) {
        const char *function = atom.name;
        if (strcmp(function, "offset") == 0) return offset(p, p->at - 1);
        if (strcmp(function, "factor") != 0 && strcmp(function, "I") != 0 && strcmp(function, "log") != 0 && strcmp(function, "sqrt") != 0 &&
            strcmp(function, "ns") != 0)
            return BAD(p, start,
                       "there is no function %s. Known are factor(x), factor(x, ref=LEVEL), I(x^2), log(x), sqrt(x), ns(x, 3), offset(x).",
                       function);
        if ((s = call(p, function, start, &atom)) != SU_OK) return s;
    }
    if (strcmp(atom.name, p->f->outcome) == 0) return BAD(p, start, "the outcome %s cannot explain itself.", atom.name);
    bool spline = atom.transform == SU_TRANSFORM_SPLINE;
    for (atom.power = spline ? 1 : atom.power;; atom.power++) {
        uint32_t index;
        if ((s = atom_add(p, &atom, &index)) != SU_OK) return s;
        set_add(p, out, 1ull << index);
        if (!spline || atom.power == atom.of) return SU_OK;
    }
}

static su_status primary(parser *p, term_set *out)
{
    blanks(p);
    size_t start = p->at;
    if (start >= p->n) return BAD(p, start, "a variable is missing at the end.");
    char c = p->s[start];
    if (c == '(') {
        if (p->depth == MAX_DEPTH) return BAD(p, start, "brackets within more than %d brackets.", MAX_DEPTH);
        p->depth++;
        p->at++;
        su_status s = sum(p, out);
        p->depth--;
        return s != SU_OK ? s : close_bracket(p, start, "the group");
    }
    if (isdigit((unsigned char)c)) {
        bool end = start + 1 >= p->n || !isalnum((unsigned char)p->s[start + 1]);
        if (!end || (c != '0' && c != '1')) return BAD(p, start, "the only numbers here are 1 (the intercept) and 0 (without it).");
        p->at++;
        if (c == '1')
            set_add(p, out, 0);
        else
            out->zero = true;
        return SU_OK;
    }
    if (c == '.' && (start + 1 >= p->n || !name_byte(p->s[start + 1], false))) {
        p->at++;
        return every_variable(p, start, out);
    }
    return named(p, start, out);
}

static su_status power(parser *p, term_set *out)
{
    blanks(p);
    size_t start = p->at;
    term_set base = { 0 };
    su_status s = primary(p, &base);
    if (s != SU_OK) return s;
    size_t at = p->at;
    if (!eat(p, '^')) {
        *out = base;
        return SU_OK;
    }
    unsigned degree;
    if (p->s[start] != '(') return BAD(p, p->at - 1, "a power of a variable is written I(x^2); (a + b)^2 means their interactions.");
    if ((s = digit(p, "the degree of the interactions", &degree)) != SU_OK) return s;
    *out = base;
    for (unsigned d = 1; d < degree; d++) {
        term_set next = { 0 };
        for (uint32_t i = 0; i < out->n; i++) set_add(p, &next, out->p[i]);
        if ((s = cross(p, out, &base, at, &next)) != SU_OK) return s;
        *out = next;
    }
    return SU_OK;
}

static su_status interaction(parser *p, term_set *out)
{
    su_status s = power(p, out);
    while (s == SU_OK && eat(p, ':')) {
        size_t at = p->at - 1;
        term_set right = { 0 }, both = { 0 };
        if ((s = power(p, &right)) != SU_OK || (s = cross(p, out, &right, at, &both)) != SU_OK) return s;
        *out = both;
    }
    return s;
}

static su_status product(parser *p, term_set *out)
{
    su_status s = interaction(p, out);
    while (s == SU_OK && eat(p, '*')) {
        size_t at = p->at - 1;
        term_set right = { 0 }, both = { 0 };
        if ((s = interaction(p, &right)) != SU_OK) return s;
        for (uint32_t i = 0; i < out->n; i++) set_add(p, &both, out->p[i]);
        for (uint32_t i = 0; i < right.n; i++) set_add(p, &both, right.p[i]);
        if ((s = cross(p, out, &right, at, &both)) != SU_OK) return s;
        *out = both;
    }
    return s;
}

static su_status sum(parser *p, term_set *out)
{
    bool minus = eat(p, '-');
    if (!minus) eat(p, '+');
    for (;;) {
        term_set next = { 0 };
        size_t at = p->at;
        su_status s = product(p, &next);
        if (s != SU_OK) return s;
        for (uint32_t i = 0; i < next.n; i++) {
            if (minus)
                set_remove(out, next.p[i]);
            else
                set_add(p, out, next.p[i]);
        }
        if (next.zero && minus) set_add(p, out, 0);
        if (next.zero && !minus) set_remove(out, 0);
        if ((s = check_size(p, out, at)) != SU_OK) return s;
        if (eat(p, '+'))
            minus = false;
        else if (eat(p, '-'))
            minus = true;
        else
            return SU_OK;
    }
}

static void sort_terms(term_set *set)
{
    for (uint32_t i = 1; i < set->n; i++) /* stable */
        for (uint32_t j = i; j > 0 && __builtin_popcountll(set->p[j - 1]) > __builtin_popcountll(set->p[j]); j--) {
            uint64_t t = set->p[j];
            set->p[j] = set->p[j - 1];
            set->p[j - 1] = t;
        }
}

su_status su_formula_parse(su_context *ctx, su_arena *arena, su_str text, const char *const *names, size_t name_count, su_formula **out)
{
    *out = NULL;
    if (text.n > SU_FORMULA_BYTES) return su_fail(ctx, SU_USAGE, "The formula is longer than %d characters.", SU_FORMULA_BYTES);
    size_t bad;
    if (memchr(text.p, 0, text.n) || !su_utf8_valid(text.p, text.n, &bad))
        return su_fail(ctx, SU_USAGE, "The formula is not valid text (UTF-8).");
    su_formula *f = su_arena_alloc(arena, sizeof *f);
    f->text = su_arena_strndup(arena, text.p, text.n);
    parser p = { ctx, arena, f, f->text, 0, text.n, 0, names, name_count };
    blanks(&p);
    f->outcome_at = p.at;
    f->outcome = "";
    su_status s = name(&p, "the outcome", &f->outcome);
    if (s != SU_OK) return s;
    if (!eat(&p, '~')) return BAD(&p, p.at, "a ~ is expected after the outcome: outcome ~ a + b.");
    term_set terms = { 0 };
    set_add(&p, &terms, 0);
    if ((s = sum(&p, &terms)) != SU_OK) return s;
    blanks(&p);
    if (p.at < p.n) {
        if (p.s[p.at] == ')') return BAD(&p, p.at, "this bracket was never opened.");
        if (p.s[p.at] == '~') return BAD(&p, p.at, "a second ~; a formula has one.");
        return BAD(&p, p.at, "+, -, * or : is expected here. Names with blanks or signs are written between backquotes: `Age Band`.");
    }
    sort_terms(&terms);
    f->terms = terms.p;
    f->term_count = terms.n;
    *out = f;
    return SU_OK;
}

const char *su_formula_atom_name(su_arena *arena, const su_atom *a)
{
    switch (a->transform) {
    case SU_TRANSFORM_POWER:
        return su_arena_printf(arena, "%s^%u", a->name, a->power);
    case SU_TRANSFORM_LOG:
        return su_arena_printf(arena, "log(%s)", a->name);
    case SU_TRANSFORM_SQRT:
        return su_arena_printf(arena, "sqrt(%s)", a->name);
    case SU_TRANSFORM_SPLINE:
        return su_arena_printf(arena, "ns(%s,%u)%u", a->name, a->of, a->power);
    default:
        return a->name;
    }
}

/* The names of the atoms with a colon between them; splines without the number of a column where `whole`. */
static const char *joined(su_arena *arena, const su_formula *f, uint64_t term, bool whole)
{
    const char *out = "";
    for (uint32_t a = 0; a < f->atom_count; a++) {
        const su_atom *atom = &f->atoms[a];
        if (!(term >> a & 1)) continue;
        const char *name = whole && atom->transform == SU_TRANSFORM_SPLINE ? su_arena_printf(arena, "ns(%s,%u)", atom->name, atom->of)
                                                                           : su_formula_atom_name(arena, atom);
        out = su_arena_printf(arena, "%s%s%s", out, out[0] ? ":" : "", name);
    }
    return out[0] ? out : "(Intercept)";
}

const char *su_formula_term_name(su_arena *arena, const su_formula *f, uint64_t term) { return joined(arena, f, term, false); }

const char *su_formula_block_name(su_arena *arena, const su_formula *f, uint64_t block) { return joined(arena, f, block, true); }

uint64_t su_formula_block(const su_formula *f, uint64_t term)
{
    uint64_t block = 0;
    for (uint32_t a = 0; a < f->atom_count; a++) {
        const su_atom *own = &f->atoms[a];
        uint32_t first = a;
        if (!(term >> a & 1)) continue;
        for (uint32_t k = a; k-- > 0 && own->transform == SU_TRANSFORM_SPLINE;) {
            const su_atom *other = &f->atoms[k];
            if (other->transform == SU_TRANSFORM_SPLINE && other->of == own->of && strcmp(other->name, own->name) == 0) first = k;
        }
        block |= UINT64_C(1) << first;
    }
    return block;
}
