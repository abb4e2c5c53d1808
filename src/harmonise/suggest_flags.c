/* Columns of 0 and 1 against flags: one telling word in common is enough to ask a person. */
#include <math.h>

#include "suggest.h"

/* Words that many flags share in meaning, if not in spelling: alone they tell nothing. */
static bool is_telling(su_str word)
{
    static const char *const common[] = { "forced", "forcé",   "forcée",       "forzado",     "forzoso", "other", "autre", "otro",
                                          "otra",   "type",    "types",        "means",       "control", "not",   "no",    "yes",
                                          "work",   "exploit", "exploitation", "explotación", "access",  "both",  "other", "against" };
    if (word.n < 4) return false;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (su_str_equal(word, su_str_of(common[i]))) return false;
    return true;
}

/* As word_similarity, and "exp" may stand for "exploitation". */
static double abbreviation_similarity(su_str a, su_str b)
{
    double same = word_similarity(a, b);
    su_str shorter = a.n < b.n ? a : b, longer = a.n < b.n ? b : a;
    bool starts = shorter.n >= 3 && su_str_equal(shorter, (su_str) { longer.p, shorter.n });
    return starts ? fmax(same, 0.6) : same;
}

static double best_of(const token_list *list, su_str word)
{
    double best = 0;
    for (uint32_t i = 0; i < list->count; i++) best = fmax(best, abbreviation_similarity(list->at[i], word));
    return best;
}

static double likeness(const token_list *a, const token_list *b)
{
    double sum = 0;
    for (uint32_t i = 0; i < a->count; i++) sum += best_of(b, a->at[i]);
    for (uint32_t i = 0; i < b->count; i++) sum += best_of(a, b->at[i]);
    return a->count == 0 || b->count == 0 ? 0 : sum / (a->count + b->count);
}

static bool share_telling_word(const token_list *a, const token_list *own)
{
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < own->count; k++)
            if (is_telling(a->at[i]) && is_telling(own->at[k]) && word_similarity(a->at[i], own->at[k]) > 0) return true;
    return false;
}

double flag_score(draft *d, const column_profile *p, uint32_t field)
{
    const su_field *f = &d->schema->fields[field];
    const token_list *said = p->last_tokens.count > 0 ? &p->last_tokens : &p->tokens;
    double best = 0;
    if (f->type != SU_TYPE_FLAG || !p->binary) return 0;
    for (int part = -1; part < SU_LANG_COUNT; part++) {
        const char *name = part < 0 ? f->name : f->titles[part];
        if (name == NULL) continue;
        token_list own = own_words(d, field, part);
        if (share_telling_word(said, &own)) best = fmax(best, likeness(said, &own));
    }
    return best;
}
