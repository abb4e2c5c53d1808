/* What is promised and what is not, for people who are no statisticians. One wording, used by the report, the README, the notice and the
 * portal. */
#include "publication.h"

#include <math.h>

static void say(su_words *w, const char *sentence) { w->text[w->count++] = sentence; }

static void warn(su_publication *p)
{
    su_arena *a = p->arena;
    if (!p->r->private_noise)
        say(&p->warning,
            "The noise in this release came from a seed, for tests and demonstrations: whoever knows or guesses the seed can take the "
            "noise off again. If real people's records went in, do not share any of these files.");
    if (p->r->options.domain_from_data)
        say(&p->warning,
            "The lists of codes were read off the data instead of a public codelist, so a code can stand in a list because one "
            "person has it. No privacy guarantee can be stated for this release, whatever its epsilon.");
    if (!p->bounded) su_words_k_warning(p);
    if (p->stamp && p->bounded)
        say(&p->warning,
            su_arena_printf(a,
                            "What is written about protection in this bundle is what the same release would promise with %s%s%s. "
                            "It is not promised here.",
                            p->r->private_noise ? "" : "noise from the system's random source",
                            !p->r->private_noise && p->r->options.domain_from_data ? " and " : "",
                            p->r->options.domain_from_data ? "public codelists" : ""));
}

static double percent_of_odds(double odds) { return 100 * odds / (1 + odds); }

/* Two significant digits, rounded down. */
static double lower(double x)
{
    double unit = pow(10, floor(log10(x)) - 1);
    return floor(x / unit + 1e-6) * unit;
}

static void promise_numbers(su_publication *p)
{
    su_arena *a = p->arena;
    double eps = p->r->epsilon_stated, delta = p->r->options.delta, rho = p->r->rho;
    bool several = p->info->unit_column != NULL;
    const char *left = several ? su_arena_printf(a, "the rows about this %s", su_unit(p)) : "the record";
    const char *guess = several ? su_arena_printf(a, "this %s", su_unit(p)) : "that record";
    const char *one = several ? su_arena_printf(a, "one %s", su_unit(p)) : "one record";
    say(&p->promise,
        su_arena_printf(a,
                        "How nearly the same is measured by epsilon = %s and delta = %g (differential privacy; the noise satisfies "
                        "zero-concentrated differential privacy with rho = %s). Compare with a world in which %s had been left "
                        "out: whatever somebody believed before, "
                        "this release changes the odds of any guess about %s by a factor of at most e^epsilon = %s, except with a "
                        "chance of about %g.",
                        su_upper_real(a, eps), delta, su_upper_real(a, rho), left, guess, su_upper_real(a, exp(eps)), delta));
    say(&p->promise, su_arena_printf(a,
                                     "The worst case in numbers: a suspicion of 1 %% that a person's record was used could rise to at most "
                                     "%s %%, or fall to no less than "
                                     "%.2g %%. That ceiling holds against anybody, with any other knowledge and any computer; it is not a "
                                     "forecast. On average over the noise the evidence about %s "
                                     "is at most rho = %s nats, a factor of e^rho = %s. A smaller epsilon protects more; epsilon "
                                     "above about 10 promises little in the worst case.",
                                     su_upper_real(a, percent_of_odds(exp(eps) / 99)), lower(percent_of_odds(exp(-eps) / 99)), one,
                                     su_upper_real(a, rho), su_upper_real(a, exp(rho))));
    if (p->info->unit_column)
        say(&p->promise,
            su_arena_printf(a,
                            "The promise is per %s: records with one value in the column %s are one %s's, and of each at most %u "
                            "were used, chosen at random. The noise is so much larger that all of them together are covered.",
                            su_unit(p), p->info->unit_column, su_unit(p), su_contribution(p)));
    else if (p->r->options.mechanism == SU_MECHANISM_SDS)
        say(&p->promise, "The promise is per record. For a person with several records here it is weaker; how much weaker is not stated.");
    else if (rho > 0 && delta > 0 && delta < 1)
        say(&p->promise,
            su_arena_printf(a,
                            "The promise is per record. For a person with two records here it weakens to epsilon = %s, with three to "
                            "epsilon = %s (same delta).",
                            su_upper_real(a, su_zcdp_epsilon(4 * rho, delta)), su_upper_real(a, su_zcdp_epsilon(9 * rho, delta))));
}

static void pgm_how(su_publication *p)
{
    const su_release *r = p->r;
    su_arena *a = p->arena;
    say(&p->promise,
        su_arena_printf(
            a,
            "How: every column was counted by itself, then %s tables of two columns, chosen one after the other by the exponential "
            "mechanism from what was known already; every choice was paid from the same budget. Whole-number noise from the discrete "
            "Gaussian distribution, drawn %s before the table was counted, was added to every cell, empty cells too. The counts and "
            "intervals were computed from those noisy tables, the synthetic records from a graphical model fitted to them, and "
            "nothing from the case records again. Which tables were chosen is a result like the counts, and as protected.",
            su_grouped(a, r->table_count > r->column_count ? r->table_count - r->column_count : 0),
            r->private_noise ? "from the operating system's random source" : "from a seed"));
}

static bool pgm(const su_release *r) { return r->options.mechanism == SU_MECHANISM_MST || r->options.mechanism == SU_MECHANISM_AIM; }

static void promise(su_publication *p)
{
    su_arena *a = p->arena;
    const su_release *r = p->r;
    if (p->info->unit_column)
        say(&p->promise,
            su_arena_printf(a,
                            "What is protected is one %s: everything that all rows about one %s say. The release was made so that "
                            "it would look nearly the same if all rows about any one %s had been left out, or those of one more "
                            "had been put in.",
                            su_unit(p), su_unit(p), su_unit(p)));
    else
        say(&p->promise,
            "What is protected is one record: everything that one row of the case table says about one person. The release was "
            "made so that it would look "
            "nearly the same if any one record had been left out, or one more had been put in.");
    promise_numbers(p);
    if (r->options.mechanism == SU_MECHANISM_SDS)
        su_words_sds_how(p);
    else if (pgm(r))
        pgm_how(p);
    else
        say(&p->promise,
            su_arena_printf(a,
                            "How: tables of up to %u columns were counted once, and whole-number noise from the discrete Gaussian "
                            "distribution, drawn %s before the "
                            "tables were counted, was added to every cell, empty cells too. The counts, the intervals and the "
                            "synthetic records were computed from those noisy tables and "
                            "never from the case records again.",
                            r->options.length, r->private_noise ? "from the operating system's random source" : "from a seed"));
    if (r->rules)
        say(&p->promise,
            "Public rules of the schema say that some combinations are impossible; they are listed in the report. Such cells were "
            "not counted and are not shown; a record that broke a rule was first changed as the rule says, by itself.");
    if (p->info->prior_title)
        say(&p->promise,
            su_arena_printf(a,
                            "The release \"%s\", published before, was used as what was known already. That costs nothing more: "
                            "what it gave away it had given away. The intervals do not rest on it.",
                            p->info->prior_title));
    if (r->options.k > 1)
        say(&p->promise, su_arena_printf(a, "On top of the noise, no count below %s is printed.", su_grouped(a, r->options.k)));
    const su_bundle_info *i = p->info;
    const char *kept = i->ledger_note ? su_arena_printf(a, " The ledger: %s.", i->ledger_note) : "";
    if (i->releases_unbounded)
        say(&p->promise,
            su_arena_printf(
                a, "A release without a differential privacy bound was made about the same people: no total holds for this population.%s",
                kept));
    else if (i->population_epsilon > 0)
        say(&p->promise, su_arena_printf(a,
                                         "Losses of several releases about the same people add up. Before this one, %s %s charged to this "
                                         "population; with this one the total is "
                                         "epsilon = %s at delta = %g.%s",
                                         su_grouped(a, i->releases_before), i->releases_before == 1 ? "release was" : "releases were",
                                         su_upper_real(a, i->population_epsilon), i->population_delta, kept));
    else
        say(&p->promise,
            su_arena_printf(
                a, "Losses of several releases about the same people add up. The total for this population is not stated here.%s", kept));
}

static void limits(su_publication *p)
{
    if (p->info->unit_column)
        say(&p->limits,
            su_arena_printf(p->arena,
                            "Somebody who stands in the column %s under two values (two organisations, two numbers) counts as two, and "
                            "is protected less. Counts are of records, not of people, and leave out what one %s has beyond %u.",
                            p->info->unit_column, su_unit(p), su_contribution(p)));
    else
        say(&p->limits, "A person with several records (two organisations, two years, an intake and a follow-up) is protected less: the "
                        "promise is per record.");
    say(&p->limits,
        "Earlier and later releases about the same people: each adds to what can be learnt. Only the privacy ledger knows the sum.");
    say(&p->limits, "Conclusions about groups. The release shows on purpose what is common among many people. Such a conclusion can be "
                    "drawn about somebody whether or not "
                    "their record was used, and it can harm a group.");
    say(&p->limits, "What is known from elsewhere. Somebody who knows a fact about a person keeps knowing it.");
    say(&p->limits, "Public inputs: the schema, the codelists, the settings, and that this release was made, by whom and when.");
    say(&p->limits, "Mistakes in the case records, and who was never recorded. Noise protects; it does not correct. Recorded cases are not "
                    "a sample of all victims.");
    say(&p->limits, "The synthetic records are nobody's: a row that resembles a person you know says nothing about that person, and "
                    "neither does its absence.");
}

static const char *names_of(su_publication *p, bool released, uint64_t *count)
{
    su_buf b = { 0 };
    *count = 0;
    for (uint32_t i = 0; i < p->schema->field_count; i++) {
        const su_field *f = &p->schema->fields[i];
        bool provided = false;
        for (size_t k = 0; k < p->field_count; k++) provided = provided || (p->fields[k].field == f && p->fields[k].provided);
        if (released != f->released || provided) continue;
        if ((*count)++) su_buf_text(&b, ", ");
        su_buf_text(&b, f->name);
    }
    const char *out = *count ? su_arena_strndup(p->arena, b.p, b.n) : "";
    su_buf_free(&b);
    return out;
}

static void absent(su_publication *p)
{
    su_arena *a = p->arena;
    const su_release *r = p->r;
    uint64_t n;
    say(&p->absent, "Names, contact details, record numbers, free text, and everything else that the schema keeps in the vault. The "
                    "synthetic rows are sorted by their codes: "
                    "their order carries no information.");
    say(&p->absent, "The exact number of case records. The number published is an estimate from the noisy tables, with its interval.");
    const char *names = names_of(p, false, &n);
    if (n) say(&p->absent, su_arena_printf(a, "Fields of the schema that never leave the vault: %s.", names));
    names = names_of(p, true, &n);
    if (n) say(&p->absent, su_arena_printf(a, "Fields that may be released but were not provided; their columns are empty: %s.", names));
    if (r->dropped_count)
        say(&p->absent,
            su_arena_printf(a,
                            "%s %s of columns with too many cells in the table. Left out by size alone, before any record was read; the "
                            "synthetic records carry no measured relation between those columns beyond what smaller tables tell.",
                            su_grouped(a, r->dropped_count), r->dropped_count == 1 ? "combination" : "combinations"));
    if (pgm(r))
        say(&p->absent,
            su_arena_printf(
                a,
                "Counts of combinations that no measured table holds: no interval could be given for them. Combinations of more than "
                "two columns are in the synthetic records only.%s",
                r->options.rare_values
                    ? " Values too rare to be told from the noise are not counted, but do occur in the synthetic records, drawn from "
                      "their noisy counts: such a value may be one that nobody has."
                    : " Values too rare to be told from the noise count as absent in the synthetic records."));
    uint64_t gate = 0, k = 0;
    for (uint32_t l = 1; l <= SU_MAX_LENGTH; l++) gate += r->suppressed_by_gate[l], k += r->suppressed_by_k[l];
    say(&p->absent,
        su_arena_printf(a,
                        "Combinations whose noisy count does not stand out from the noise: %s were left out by the gate%s. These numbers "
                        "are themselves computed "
                        "from the noisy tables. A combination that is missing is not a combination that does not exist.",
                        su_grouped(a, gate),
                        k ? su_arena_printf(a, ", and %s more by the threshold of %s", su_grouped(a, k), su_grouped(a, r->options.k))
                          : ""));
}

void su_publication_words(su_publication *p)
{
    su_words *all[] = { &p->warning, &p->promise, &p->limits, &p->absent };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) all[i]->text = su_arena_array(p->arena, 16, sizeof(char *));
    warn(p);
    if (!p->bounded) {
        su_words_k(p);
        return;
    }
    promise(p);
    limits(p);
    absent(p);
}
