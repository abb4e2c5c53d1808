/* What is promised by the mechanisms taken over from Synthetic Data Showcase: less, and other things, than by the others. */
#include "publication.h"

static void say(su_words *w, const char *sentence) { w->text[w->count++] = sentence; }

void su_words_sds_how(su_publication *p)
{
    su_arena *a = p->arena;
    const su_release *r = p->r;
    const su_sds_facts *f = &r->sds;
    su_buf bounds = { 0 };
    for (uint32_t k = 1; k <= f->lengths; k++) su_buf_printf(&bounds, "%s%llu", k > 1 ? ", " : "", (unsigned long long)f->length[k].bound);
    say(&p->promise,
        su_arena_printf(
            a,
            "How: combinations of 1 to %u values were counted, one length after the other, and whole-number noise from the "
            "discrete Gaussian distribution, drawn %s, was added to every count. One record counts in at most so many "
            "combinations of each length: %s. These bounds were themselves chosen with noise (the exact exponential mechanism); a "
            "record with more has some left out at random, so counts of much-documented people are a little too low. "
            "Longer combinations are only asked about when all their parts were reported. The number of records has discrete "
            "Laplace noise. The synthetic records were made from the published counts and never from the case records.",
            f->lengths, r->private_noise ? "from the operating system's random source" : "from a seed", bounds.p ? bounds.p : "none"));
    su_buf_free(&bounds);
    if (f->delta_threshold > 0)
        say(&p->promise,
            su_arena_printf(
                a,
                "Single values were looked for in the records, not in the public lists: a value that one record alone brings in "
                "is shown with a chance of at most %.3g, which is part of delta. rho holds beside this chance.",
                f->delta_threshold));
}

void su_words_k_warning(su_publication *p)
{
    say(&p->warning, "This release has no differential privacy bound. It is K-anonymous only: what groups of K people share is shown as it "
                     "is, and nothing limits what can be learnt by comparing it with another release or with other knowledge.");
}

void su_words_k(su_publication *p)
{
    su_arena *a = p->arena;
    const su_release *r = p->r;
    const char *k = su_grouped(a, r->options.k);
    bool rows = r->options.mechanism == SU_MECHANISM_ROW_SEEDED;
    say(&p->promise,
        su_arena_printf(a,
                        "No differential privacy bound is promised. What holds is K-anonymity with K = %s: the values of every "
                        "synthetic row occur together in at least %s case records, and a combination is counted only when at "
                        "least %s case records have it.",
                        k, k, k));
    say(&p->promise,
        su_arena_printf(a,
                        "Counts carry no noise. They are rounded down to a multiple of %s, so each is too low by 0 to %llu. The "
                        "number of case records is rounded in the same way.",
                        k, (unsigned long long)r->options.k - 1));
    say(&p->promise,
        rows ? "How (row-seeded): each row began as one case record and keeps those of its values that enough other records share; "
               "so rows are true parts of real records. Values left over were put together to further rows."
             : "How: rows were built value by value, each drawn in proportion to the number of case records that hold everything "
               "drawn so far.");
    if (p->info->releases_unbounded > 1)
        say(&p->promise, su_arena_printf(a, "Releases about this population without a differential privacy bound, this one included: %s.",
                                         su_grouped(a, p->info->releases_unbounded)));
    say(&p->limits,
        su_arena_printf(a,
                        "Differencing. Rounded counts have no noise: when one record comes or goes between two releases, a count at "
                        "the edge of a multiple of %s changes, and whoever knows the rest of the group learns what that record says.",
                        k));
    if (rows)
        say(&p->limits,
            "Rows are real. Somebody who knows a person's case can find a row that is a part of it, with nothing false in it, and "
            "can conclude that people like this are in the data.");
    say(&p->limits,
        "Groups that are all alike. If all records with some values also share a sensitive one, the release shows it, and whoever "
        "knows that a person belongs to the group knows it of the person.");
    say(&p->limits,
        "Earlier and later releases about the same people: no ledger can add this one up. After it, no total bound holds for this "
        "population.");
    say(&p->limits, "What is known from elsewhere, and mistakes in the case records, and who was never recorded.");
    say(&p->absent,
        "Names, contact details, record numbers, free text, and everything else that the schema keeps in the vault. The synthetic "
        "rows are sorted by their codes: their order carries no information.");
    say(&p->absent, su_arena_printf(a, "Combinations that fewer than %s case records have. How many these are is not said.", k));
}
