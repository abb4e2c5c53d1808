/* One column of choices against a group of flags: RecruiterCategory = "Friend/Acquaintance" is recruiterRelationFriend. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "margins.h"
#include "suggest.h"

#define MAX_CHOICES 60u
#define MAX_CHOICE_BYTES 40u
#define MAX_CHOICE_VALUES 500u /* several of a dozen choices make many values; beyond, it is no list of choices */
#define NEAR_ENOUGH 0.6

typedef struct choice {
    cell_text cell;
    uint64_t rows;
    int field;
} choice;

static const char *part_of(const su_field *f, int part) { return part < 0 ? f->name : f->titles[part]; }

token_list own_words(draft *d, uint32_t field, int part)
{
    const su_field *f = &d->schema->fields[field];
    token_list mine = tokens_of(d->arena, su_str_of(part_of(f, part))), own = { .count = 0 };
    uint32_t others = 0, having[MAX_TOKENS] = { 0 };
    for (uint32_t k = 0; k < d->schema->field_count; k++) {
        if (k == field || d->schema->fields[k].group != f->group || f->group < 0) continue;
        token_list theirs = tokens_of(d->arena, su_str_of(part_of(&d->schema->fields[k], part)));
        others++;
        for (uint32_t i = 0; i < mine.count; i++) {
            bool has = false;
            for (uint32_t t = 0; t < theirs.count; t++) has |= su_str_equal(theirs.at[t], mine.at[i]);
            having[i] += has;
        }
    }
    for (uint32_t i = 0; i < mine.count; i++)
        if (others == 0 || having[i] < others) own.at[own.count++] = mine.at[i];
    return own;
}

static double nearness(draft *d, uint32_t field, const token_list *own, su_str text)
{
    const su_field *f = &d->schema->fields[field];
    token_list said = tokens_of(d->arena, text);
    double best = tokens_similarity(&said, own);
    for (int lang = 0; lang < SU_LANG_COUNT; lang++) {
        if (f->titles[lang] == NULL) continue;
        token_list title = tokens_of(d->arena, su_str_of(f->titles[lang]));
        double s = tokens_similarity(&said, &title);
        if (s > best) best = s;
    }
    return best;
}

static uint32_t list_choices(const column_profile *p, su_arena *arena, choice *out)
{
    su_dict *seen = su_dict_new();
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->value_count && n < MAX_CHOICES; i++) {
        su_str rest = p->values[i].cell.text;
        while (rest.n > 0 && n < MAX_CHOICES) {
            su_str member = next_member(p, &rest);
            su_str key = su_text_fold(arena, member);
            if (key.n == 0 || su_str_equal(key, SU_STR("*"))) continue;
            uint32_t before = su_dict_count(seen), id = su_dict_add(seen, key);
            if (id == before) out[n++] = (choice) { .cell = { member, key, member }, .field = -1 };
            out[id].rows += p->values[i].rows;
        }
    }
    su_dict_free(seen);
    return n;
}

/* Rows whose choice is near to a flag of the group that no column fills yet. */
static uint64_t match_group(draft *d, uint32_t group, choice *choices, uint32_t n)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < n; i++) choices[i].field = -1;
    double *best = su_alloc_array(n, sizeof *best);
    for (uint32_t f = 0; f < d->schema->field_count; f++) {
        const su_field *field = &d->schema->fields[f];
        if (field->type != SU_TYPE_FLAG || field->group != (int)group || d->column_of[f] >= 0) continue;
        token_list own = own_words(d, f, -1);
        for (uint32_t i = 0; i < n; i++) {
            double s = nearness(d, f, &own, choices[i].cell.text);
            if (s < NEAR_ENOUGH || s <= best[i]) continue;
            best[i] = s;
            choices[i].field = (int)f;
        }
    }
    free(best);
    for (uint32_t i = 0; i < n; i++) rows += choices[i].field >= 0 ? choices[i].rows : 0;
    return rows;
}

static void write_choices(draft *d, uint32_t column, const column_profile *p, const choice *choices, uint32_t n)
{
    int any = -1;
    char note[160];
    for (uint32_t i = 0; i < n && any < 0; i++) any = choices[i].field;
    if (*p->separators != '\0') draft_row(d, column, separator_cell(p->separators), "", "", "split", "exact", "cells hold several values");
    for (uint32_t i = 0; i < n; i++) {
        snprintf(note, sizeof note, "%llu row%s%s", (unsigned long long)choices[i].rows, PLURAL(choices[i].rows),
                 choices[i].field >= 0 ? "; a guess by its words: check it" : "");
        if (choices[i].field >= 0)
            draft_row(d, column, choices[i].cell.text, d->schema->fields[choices[i].field].name, "", "or", "partial", note);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (choices[i].field >= 0) continue;
        lookup l;
        su_cell reason = 0;
        lookup_init(&l, d->schema, &d->schema->fields[any]);
        bool missing = lookup_missing(&l, choices[i].cell, &reason) != LOOKED_NOTHING;
        lookup_free(&l);
        if (missing) continue;
        snprintf(note, sizeof note, "%llu row%s; decide what it means, or leave it: not recorded, listed as unmapped",
                 (unsigned long long)choices[i].rows, PLURAL(choices[i].rows));
        if (margin_is_word(choices[i].cell.key, true))
            draft_row(d, column, choices[i].cell.text, "", "", "margin", "exact", "looks like a total of other rows");
        else
            draft_row(d, column, choices[i].cell.text, d->schema->fields[any].name, "", "value", "none", note);
    }
    for (uint32_t i = 0; i < n; i++)
        if (choices[i].field >= 0) d->column_of[choices[i].field] = (int)column;
}

/* The whole text names a flag: "domestic work" is one answer, not two. */
static bool names_a_flag(draft *d, su_str text)
{
    token_list said = tokens_of(d->arena, text);
    for (uint32_t f = 0; f < d->schema->field_count; f++) {
        if (d->schema->fields[f].type != SU_TYPE_FLAG) continue;
        for (int part = -1; part < SU_LANG_COUNT; part++) {
            if (part_of(&d->schema->fields[f], part) == NULL) continue;
            token_list all = tokens_of(d->arena, su_str_of(part_of(&d->schema->fields[f], part))), own = own_words(d, f, part);
            if (tokens_similarity(&said, &own) > 0.99 || tokens_similarity(&said, &all) > 0.99) return true;
        }
    }
    return false;
}

static bool is_near_a_flag(draft *d, su_str text)
{
    for (uint32_t f = 0; f < d->schema->field_count; f++) {
        if (d->schema->fields[f].type != SU_TYPE_FLAG) continue;
        token_list own = own_words(d, f, -1);
        if (nearness(d, f, &own, text) >= NEAR_ENOUGH) return true;
    }
    return false;
}

/* Forms write several choices as "forced_labour sexual": cells cut at a blank or comma into words that are choices elsewhere in the column,
 * or names of flags. A sentence, or one answer of two words, is not cut. */
static bool is_cut_at(draft *d, const column_profile *p, const column_profile *cut)
{
    su_dict *alone = su_dict_new();
    bool several = false, good = true;
    for (uint32_t i = 0; i < p->value_count; i++)
        if (memchr(p->values[i].cell.text.p, cut->separators[0], p->values[i].cell.text.n) == NULL)
            su_dict_add(alone, p->values[i].cell.key);
    for (uint32_t i = 0; i < p->value_count && good; i++) {
        su_str rest = p->values[i].cell.text;
        if (memchr(rest.p, cut->separators[0], rest.n) == NULL) continue;
        if (names_a_flag(d, rest)) {
            good = false;
            break;
        }
        while (rest.n > 0 && good) {
            su_str member = next_member(cut, &rest), key = su_text_fold(d->arena, member);
            if (member.n == 0) continue;
            several = true;
            good = member.n <= MAX_CHOICE_BYTES && tokens_of(d->arena, member).count > 0 &&
                   (su_dict_find(alone, key, NULL) || is_near_a_flag(d, member));
        }
    }
    su_dict_free(alone);
    return several && good;
}

/* The profile as it is, or with the separator that its cells turn out to have. */
static column_profile with_separators(draft *d, const column_profile *p)
{
    static const char *const more[] = { ",", " " };
    column_profile cut = *p;
    if (*p->separators != '\0' || p->distinct > MAX_CHOICE_VALUES) return *p;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        snprintf(cut.separators, sizeof cut.separators, "%s", more[i]);
        if (is_cut_at(d, p, &cut)) return cut;
    }
    return *p;
}

bool draft_choices(draft *d, uint32_t column)
{
    const column_profile with = with_separators(d, &d->profiles[column]), *p = &with;
    if (p->numbers || p->long_text || p->unique || p->distinct == 0 || (*p->separators == '\0' && p->distinct > MAX_CHOICES)) return false;
    choice *choices = su_alloc_array(MAX_CHOICES, sizeof *choices);
    uint32_t n = list_choices(p, d->arena, choices);
    uint64_t all = 0;
    double most = 0;
    uint32_t group = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) all += choices[i].rows;
    for (uint32_t g = 0; g < d->schema->group_count; g++) {
        token_list name = tokens_of(d->arena, su_str_of(d->schema->groups[g].name)),
                   title = tokens_of(d->arena, su_str_of(d->schema->groups[g].title));
        double named = fmax(tokens_similarity(&p->tokens, &name), tokens_similarity(&p->tokens, &title));
        double share = (double)match_group(d, g, choices, n) / (double)(all > 0 ? all : 1);
        /* "Other" alone matches every group: the name of the column must help, or most of what it says. */
        bool fits = share >= 0.5 || (named > 0.35 && share >= 0.1);
        if (fits && share + named > most) {
            most = share + named;
            group = g;
        }
    }
    if (group != UINT32_MAX) {
        match_group(d, group, choices, n);
        write_choices(d, column, p, choices, n);
    }
    free(choices);
    return group != UINT32_MAX;
}
