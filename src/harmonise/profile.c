#include "profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mapping.h"

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_number(char c) { return c >= '0' && c <= '9'; }
static bool is_word(char c) { return is_upper(c) || is_lower(c) || is_number(c) || (unsigned char)c >= 0x80; }

static bool is_filler(su_str word)
{
    static const char *const fillers[] = { "of", "the", "a",   "an", "in", "at", "to", "is",  "by",  "for", "and", "or", "de", "da",
                                           "do", "du",  "des", "la", "le", "el", "al", "les", "los", "las", "del", "d",  "l" };
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (su_str_equal(word, su_str_of(fillers[i]))) return true;
    return false;
}

/* Typographic apostrophes, dashes and blanks (U+00A0, U+2000..U+203F) part words like their plain forms. */
static bool is_gap(su_str s, size_t i)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (p[i] == 0xC2) return i + 1 < s.n && p[i + 1] == 0xA0;
    if (p[i] == 0xE2) return i + 1 < s.n && p[i + 1] == 0x80;
    if (p[i] == 0xA0) return i > 0 && p[i - 1] == 0xC2;
    if (i > 0 && p[i - 1] == 0xE2 && p[i] == 0x80) return true;
    return i > 1 && p[i - 2] == 0xE2 && p[i - 1] == 0x80;
}

/* A new word starts at i: camelCase, the last capital of ABCDef, and where letters meet digits. */
static bool boundary(su_str s, size_t i)
{
    char before = s.p[i - 1], here = s.p[i];
    if (is_lower(before) && is_upper(here)) return true;
    if (is_number(before) != is_number(here)) return true;
    return is_upper(before) && is_upper(here) && i + 1 < s.n && is_lower(s.p[i + 1]);
}

token_list tokens_of(su_arena *arena, su_str name)
{
    token_list list = { .count = 0 };
    size_t start = 0;
    for (size_t i = 0; i <= name.n; i++) {
        bool inside = i < name.n && is_word(name.p[i]) && !is_gap(name, i);
        if (i > start && (!inside || boundary(name, i))) {
            su_str word = su_text_fold(arena, (su_str) { name.p + start, i - start });
            if (word.n > 0 && !is_filler(word) && list.count < MAX_TOKENS) list.at[list.count++] = word;
            start = i;
        }
        if (!inside) start = i + 1;
    }
    return list;
}

double word_similarity(su_str a, su_str b)
{
    if (su_str_equal(a, b)) return 1;
    size_t least = a.n < b.n ? a.n : b.n, common = 0;
    while (common < least && a.p[common] == b.p[common]) common++;
    if (common >= 4 && common * 10 >= least * 7) return 0.85;
    return least >= 6 && su_text_distance(a, b, 2) == 1 ? 0.85 : 0;
}

static double best_of(const token_list *list, su_str word)
{
    double best = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        double s = word_similarity(list->at[i], word);
        if (s > best) best = s;
    }
    return best;
}

double tokens_similarity(const token_list *a, const token_list *b)
{
    double sum = 0;
    if (a->count == 0 || b->count == 0) return 0;
    for (uint32_t i = 0; i < a->count; i++) sum += best_of(b, a->at[i]);
    for (uint32_t i = 0; i < b->count; i++) sum += best_of(a, b->at[i]);
    return sum / (a->count + b->count);
}

static double one_name(su_arena *arena, const column_profile *p, const char *name, double whole)
{
    if (name == NULL || *name == '\0') return 0;
    su_str key = su_text_fold(arena, su_str_of(name));
    if (su_str_equal(key, p->key)) return whole;
    token_list tokens = tokens_of(arena, su_str_of(name));
    double s = tokens_similarity(&p->tokens, &tokens);
    if (s >= 1) return 0.97 * whole;
    if (p->last_key.n == 0) return 0.8 * s;
    if (su_str_equal(key, p->last_key)) return 0.97 * whole;
    double last = tokens_similarity(&p->last_tokens, &tokens);
    return last >= 1 ? 0.96 * whole : 0.8 * fmax(s, last);
}

double name_score(su_arena *arena, const column_profile *p, const su_field *f)
{
    double best = one_name(arena, p, f->name, 1);
    for (uint32_t i = 0; i < f->alias_count; i++) best = fmax(best, one_name(arena, p, f->aliases[i], 1));
    for (int lang = 0; lang < SU_LANG_COUNT; lang++) best = fmax(best, one_name(arena, p, f->titles[lang], 0.98));
    return best;
}

su_str next_member(const column_profile *p, su_str *rest)
{
    size_t n = 0;
    while (n < rest->n && (rest->p[n] == '\0' || strchr(p->separators, rest->p[n]) == NULL)) n++;
    su_str member = su_str_trim((su_str) { rest->p, n });
    *rest = n < rest->n ? (su_str) { rest->p + n + 1, rest->n - n - 1 } : (su_str) { "", 0 };
    return member;
}

/* Characters that cut a fair share of the rows, if cutting there leaves fewer different values than before: a comma inside one name does
 * not. */
static void find_separators(column_profile *p)
{
    size_t n = 0;
    for (const char *c = SEPARATORS; *c != '\0'; c++) {
        uint64_t rows = 0;
        for (uint32_t i = 0; i < p->value_count; i++)
            if (memchr(p->values[i].cell.text.p, *c, p->values[i].cell.text.n) != NULL) rows += p->values[i].rows;
        if (rows * 50 >= p->filled && rows > 0) p->separators[n++] = *c;
    }
    su_dict *members = su_dict_new();
    for (uint32_t i = 0; i < p->value_count; i++) {
        su_str rest = p->values[i].cell.text;
        while (rest.n > 0) {
            su_str member = next_member(p, &rest);
            if (member.n > 0) su_dict_add(members, member);
        }
    }
    if (su_dict_count(members) >= p->value_count) memset(p->separators, 0, sizeof p->separators);
    su_dict_free(members);
}

bool is_sentinel(int64_t n)
{
    enum { LEAST = 999 };
    if (n < LEAST) return false;
    while (n % 10 == 9) n /= 10;
    return n == 0;
}

static void profile_name(column_profile *p, su_arena *arena, su_str name)
{
    p->tokens = tokens_of(arena, name);
    p->key = su_text_fold(arena, name);
    size_t start = name.n;
    while (start > 0 && name.p[start - 1] != '/') start--;
    if (start == 0) return;
    su_str last = { name.p + start, name.n - start };
    p->last_tokens = tokens_of(arena, last);
    p->last_key = su_text_fold(arena, last);
}

typedef struct tally {
    uint64_t integers, numbers, length;
    bool day_first, month_first, some_one, all_binary;
} tally;

static void profile_value(column_profile *p, su_arena *arena, su_str raw, uint64_t rows, tally *t)
{
    su_str text = su_str_trim(raw);
    int64_t number = 0;
    double real = 0;
    if (text.n == 0 || rows == 0) return;
    p->distinct++;
    p->filled += rows;
    t->length += text.n;
    if (p->value_count == MAX_PROFILED) return;
    bool whole = integer_parse(text, &number);
    if (whole) t->integers += rows;
    if (whole || su_parse_f64(text, &real)) t->numbers += rows;
    p->integers = p->integers && whole;
    if (whole && !is_sentinel(number)) {
        p->largest = number > p->largest ? number : p->largest;
        p->smallest = number < p->smallest ? number : p->smallest;
    }
    t->some_one |= whole && number == 1;
    t->all_binary = t->all_binary && whole && number <= 1;
    t->day_first |= date_order_hint(text) > 0;
    t->month_first |= date_order_hint(text) < 0;
    p->values[p->value_count++] = (profiled_value) { { text, su_text_fold(arena, text), raw }, rows };
}

void profile_column(column_profile *p, su_arena *arena, const su_raw_column *column, uint64_t rows)
{
    uint32_t n = su_dict_count(column->values);
    uint64_t *count = su_alloc_array(n, sizeof *count);
    tally t = { .all_binary = true };
    *p = (column_profile) { .column = column, .rows = rows, .integers = true };
    profile_name(p, arena, su_str_of(column->name));
    for (uint64_t r = 0; r < rows; r++) count[su_raw_id(column, r)]++;
    p->values = su_arena_array(arena, n < MAX_PROFILED ? n : MAX_PROFILED, sizeof *p->values);
    for (uint32_t i = 0; i < n; i++) profile_value(p, arena, su_dict_get(column->values, i), count[i], &t);
    free(count);
    p->numbers = p->filled > 0 && t.numbers * 10 >= p->filled * 9;
    p->integers = p->integers && p->filled > 0;
    p->mostly_integers = t.integers * 2 > p->filled;
    p->binary = t.all_binary && t.some_one;
    p->unique = p->filled >= 20 && p->distinct == p->filled;
    p->long_text = p->distinct > 20 && t.length / p->distinct > 40;
    p->order = t.month_first && !t.day_first ? DATE_MONTH_FIRST : DATE_DAY_FIRST;
    if (!p->numbers && !p->long_text) find_separators(p);
}

/* Numbers as codes of a list whose codes are words match by accident (004 is Afghanistan): hardly evidence. */
static bool codes_are_numbers(const su_codelist *list)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < list->count; i++)
        if (!integer_parse(su_str_of(list->codes[i].code), &n)) return false;
    return true;
}

static bool has_bands(const su_codelist *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->codes[i].has_min != list->codes[i].has_max || (list->codes[i].has_min && list->codes[i].min != list->codes[i].max))
            return true;
    return false;
}

static looked take(const lookup *l, const column_profile *p, cell_text cell, map_rule rule)
{
    su_cell code = 0;
    if (type_is_text(l->field->type)) {
        su_buf canonical = { 0 };
        looked found = lookup_text(l, cell, p->order, &canonical, &code);
        su_buf_free(&canonical);
        return found;
    }
    if (rule == RULE_BAND) return lookup_band(l, cell, &code);
    if (rule == RULE_YEAR) return lookup_year(l, cell, p->order, &code);
    return lookup_code(l, cell, &code);
}

/* Share of the rows with a value that the rule takes; markers of missing values count neither way. */
static double share(const lookup *l, const column_profile *p, map_rule rule)
{
    double taken = 0, all = 0;
    for (uint32_t i = 0; i < p->value_count; i++) {
        cell_text cell = p->values[i].cell;
        looked found = take(l, p, cell, rule);
        su_str rest = without_common_word(p, cell.text);
        if (found == LOOKED_NOTHING && rest.n < cell.text.n) found = take(l, p, (cell_text) { rest, rest, rest }, rule);
        su_cell reason = 0;
        if (found == LOOKED_REASON && lookup_missing(l, cell, &reason) == LOOKED_REASON && reason != SU_CELL_NEGATIVE) continue;
        all += (double)p->values[i].rows;
        if (found != LOOKED_NOTHING) taken += (double)p->values[i].rows;
    }
    return all == 0 ? 0 : taken / all;
}

/* As share, a cell that is no value as a whole counting by its members. */
static double share_of_members(const lookup *l, const column_profile *p, const char *separators)
{
    column_profile cut = *p;
    double taken = 0, all = 0;
    snprintf(cut.separators, sizeof cut.separators, "%s", separators);
    for (uint32_t i = 0; i < p->value_count; i++) {
        su_str rest = p->values[i].cell.text;
        double known = 0, members = 0;
        looked whole = take(l, p, p->values[i].cell, RULE_RENAME);
        if (whole == LOOKED_REASON) continue;
        while (whole == LOOKED_NOTHING && rest.n > 0) {
            su_str member = next_member(&cut, &rest);
            if (member.n == 0) continue;
            members++;
            su_arena scratch;
            su_arena_init(&scratch);
            known += take(l, p, (cell_text) { member, su_text_fold(&scratch, member), member }, RULE_RENAME) != LOOKED_NOTHING;
            su_arena_free(&scratch);
        }
        all += (double)p->values[i].rows;
        taken += (double)p->values[i].rows * (whole == LOOKED_VALUE ? 1 : members > 0 ? known / members : 0);
    }
    return all == 0 ? 0 : taken / all;
}

const char *best_separators(const column_profile *p, const su_schema *schema, const su_field *f, double *share_taken)
{
    static const char *const others[] = { ";", "|", ",", "&", "/", " " };
    lookup l;
    lookup_init(&l, schema, f);
    const char *best = f->separator;
    *share_taken = share_of_members(&l, p, best);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        double own = share_of_members(&l, p, others[i]);
        if (own <= *share_taken + 0.02) continue; /* a member or two by chance do not make a separator */
        *share_taken = own;
        best = others[i];
    }
    lookup_free(&l);
    return best;
}

/* Ages go beyond 20; a column of 0..9 is more likely somebody's code for the bands themselves, whatever its name. */
static bool may_be_counted(const column_profile *p, bool named) { return p->mostly_integers && p->largest > (named ? 9 : 20); }

double content_score(const column_profile *p, const su_schema *schema, const su_field *f, bool named, int *rule)
{
    lookup l;
    double score = 0;
    *rule = RULE_RENAME;
    if (f->type == SU_TYPE_TEXT) return 0;
    if (f->type == SU_TYPE_CODE_SET) {
        best_separators(p, schema, f, &score);
        return score;
    }
    lookup_init(&l, schema, f);
    score = share(&l, p, RULE_RENAME);
    if (f->type == SU_TYPE_YEAR && score < 1) {
        double years = share(&l, p, RULE_YEAR);
        if (years > score) *rule = RULE_YEAR;
        score = fmax(score, years);
    }
    if (f->type == SU_TYPE_CODE && has_bands(f->codelist) && may_be_counted(p, named)) {
        double bands = share(&l, p, RULE_BAND);
        if (bands > score) *rule = RULE_BAND;
        score = fmax(score, bands);
    } else if (f->type == SU_TYPE_CODE && p->numbers && !codes_are_numbers(f->codelist)) {
        score *= 0.2;
    }
    lookup_free(&l);
    return score;
}

su_str without_common_word(const column_profile *p, su_str text)
{
    if (p->value_count < 2) return text;
    su_str first = p->values[0].cell.text;
    const char *blank = memchr(first.p, ' ', first.n);
    size_t n = blank == NULL ? 0 : (size_t)(blank - first.p) + 1;
    if (n == 0 || n >= text.n) return text;
    for (uint32_t i = 0; i < p->value_count; i++) {
        su_str t = p->values[i].cell.text;
        if (t.n <= n || memcmp(t.p, first.p, n) != 0) return text;
    }
    return memcmp(text.p, first.p, n) == 0 ? (su_str) { text.p + n, text.n - n } : text;
}
