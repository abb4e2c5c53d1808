/* One column of choices against a group of flags: RecruiterCategory = "Friend/Acquaintance" is recruiterRelationFriend. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "margins.h"
#include "suggest.h"

#define MAX_CHOICES 60u
#define NEAR_ENOUGH 0.6

typedef struct choice {
    cell_text cell;
    uint64_t rows;
    int field;
} choice;

/* Words of a field's name and title that not every field of its group has: what tells it from the others. */
static token_list own_words(draft *d, uint32_t field)
{
    const su_field *f = &d->schema->fields[field];
    token_list mine = tokens_of(d->arena, su_str_of(f->name)), own = { .count = 0 };
    uint32_t others = 0;
    for (uint32_t k = 0; k < d->schema->field_count; k++) others += k != field && d->schema->fields[k].group == f->group;
    for (uint32_t i = 0; i < mine.count; i++) {
        uint32_t having = 0;
        for (uint32_t k = 0; k < d->schema->field_count; k++) {
            if (k == field || d->schema->fields[k].group != f->group) continue;
            token_list theirs = tokens_of(d->arena, su_str_of(d->schema->fields[k].name));
            for (uint32_t t = 0; t < theirs.count; t++)
                if (su_str_equal(theirs.at[t], mine.at[i])) {
                    having++;
                    break;
                }
        }
        if (others == 0 || having < others) own.at[own.count++] = mine.at[i];
    }
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
            if (id == before) out[n++] = (choice) { .cell = { member, key }, .field = -1 };
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
        token_list own = own_words(d, f);
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

static void write_choices(draft *d, uint32_t column, const choice *choices, uint32_t n)
{
    const column_profile *p = &d->profiles[column];
    int any = -1;
    char note[160];
    for (uint32_t i = 0; i < n && any < 0; i++) any = choices[i].field;
    if (*p->separators != '\0') draft_row(d, column, su_str_of(p->separators), "", "", "split", "exact", "cells hold several values");
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

bool draft_choices(draft *d, uint32_t column)
{
    const column_profile *p = &d->profiles[column];
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
        write_choices(d, column, choices, n);
    }
    free(choices);
    return group != UINT32_MAX;
}
