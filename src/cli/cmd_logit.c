#include "design_options.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <suha/logit.h>

const su_option su_options_logit[] = {
    { "formula", "F",
      "the model: 'outcome ~ a + b*c + factor(d, ref=X) + I(e^2)'; names with blanks between backquotes; . is every other column" },
    { "ref", "COL=X[,COL=X]", "reference categories; default: the first of the codelist, or by name" },
    { "event", "X", "outcome category that counts as 1; default: the later of two" },
    { "family", "F", "logit (default), probit, poisson (risk ratios of a 0/1 outcome, rate ratios of counts), linear" },
    { "cluster", "COL[,COL]", "cluster-robust variance, one or two ways" },
    { "variance", "V", "model, hc0..hc3; with --cluster: cr2 (default below 50 clusters), hc1 (default above), cr0, cr1, cr1s, cr3, hc0" },
    { "conditional", "COL", "conditional logit: compare within the groups of this column alone" },
    { "missing-level", "COL[,COL]", "missing values of these columns become a category of their own (with a warning)" },
    { "random", "COL", "random intercept by this column" },
    { "nodes", "N", "quadrature nodes of --random; default 15, 1 is Laplace" },
    { "firth", NULL, "Firth's penalised likelihood: finite under separation, less biased with few events" },
    { "median", NULL, "median bias-reduced estimates instead: finite too, each as likely too high as too low" },
    { "ci", "wald|profile", "intervals; default wald (profile with --firth); profile adds likelihood ratio tests" },
    { "lrt", NULL, "likelihood ratio tests of whole terms; Rao-Scott's with weights, clusters or a survey design" },
    { "level", "L", "level of intervals; default 0.95" },
    { "effects", NULL, "average marginal effects" },
    { "at", "COL", "average marginal effects at each category of COL" },
    { "means", "COL[,COL]", "mean prediction if everyone were in each category of COL" },
    { "predict", "PROFILE[;PROFILE]", "predictions for profiles: 'route=CMR,sex=male;route=EMR,sex=male'" },
    { "min-cell", "N", "warn about categories, and hide groups, of fewer rows; default 10" },
    { "poststratify", "FILE", "shares of a population, by area: a CSV of its cells with every variable of the model and the people in each" },
    { "population", "COL", "its column with the people; default 'population'" },
    { "areas", "COL", "its column with the area; default the column of --random" },
    { "seed", "S", "of bootstrap replicates and of the draws of --poststratify; default 1" },
    SU_OPTIONS_DESIGN,
    SU_OPTIONS_REPLICATES,
    SU_OPTIONS_ANALYSIS,
    { NULL, NULL, NULL }
};

/* A model of a k-anonymised release describes what survived suppression, not people. */
static su_status check_release(su_cli *cli, const char *path, bool *synthetic)
{
    const char *base = su_path_base(path);
    const char *folder = base == path ? "." : su_arena_strndup(&cli->arena, path, (size_t)(base - path));
    static const char *const places[] = { "datapackage.json", "../datapackage.json" };
    su_status st = SU_OK;
    *synthetic = false;
    for (size_t i = 0; i < sizeof places / sizeof *places && st == SU_OK && !*synthetic; i++) {
        const char *package = su_path_join(&cli->arena, folder, places[i]);
        json_t *j = su_path_exists(package) ? json_load_file(package, 0, NULL) : NULL;
        const char *name = json_string_value(json_object_get(json_object_get(j, "suha:guarantee"), "mechanism"));
        su_mechanism mechanism;
        if (name && su_mechanism_parse(name, &mechanism)) {
            *synthetic = true;
            if (!su_mechanism_bound(mechanism))
                st = su_fail(&cli->ctx, SU_REFUSED,
                             "%s belongs to a k-anonymised release (%s): records were chosen and changed by how common they are, so a "
                             "model of it is no statement about people. "
                             "Fit the model where the case records are, or use the counts of a release with a stated epsilon.",
                             base, name);
        }
        json_decref(j);
    }
    return st;
}

static su_status named(su_cli *cli, const char *option, const char *const *names, size_t count, unsigned *out)
{
    const char *text = su_cli_option(cli, option);
    su_buf all = { 0 };
    if (!text) return SU_OK;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(names[i], text) == 0) {
            *out = (unsigned)i;
            su_buf_free(&all);
            return SU_OK;
        }
        su_buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
    }
    su_status st = su_fail(&cli->ctx, SU_USAGE, "--%s '%s' must be one of %s", option, text, all.p);
    su_buf_free(&all);
    return st;
}

static su_status references(su_cli *cli, su_logit_options *o)
{
    su_str *words = NULL;
    size_t count = 0;
    su_status st = su_cli_words(cli, "ref", &words, &count);
    su_logit_reference *list = su_arena_array(&cli->arena, count + 1, sizeof *list);
    for (size_t i = 0; i < count && !st; i++) {
        const char *equals = strchr(words[i].p, '=');
        if (!equals || equals == words[i].p || !equals[1])
            return su_fail(&cli->ctx, SU_USAGE, "--ref '%s' must be COLUMN=CATEGORY, for example --ref region=North_Africa", words[i].p);
        list[i] = (su_logit_reference) { su_arena_strndup(&cli->arena, words[i].p, (size_t)(equals - words[i].p)), equals + 1 };
    }
    o->references = list;
    o->reference_count = count;
    return st;
}

static su_status clusters(su_cli *cli, su_analysis *a, su_logit_options *o)
{
    su_str *words = NULL;
    size_t count = 0;
    su_status st = su_cli_words(cli, "cluster", &words, &count);
    if (!st && count > 2) st = su_fail(&cli->ctx, SU_USAGE, "--cluster takes one or two columns, and %zu are given", count);
    for (size_t i = 0; i < count && !st; i++) {
        const su_variable *v;
        st = su_frame_find(&cli->ctx, a->frame, words[i], &v);
        if (st) return su_fail_prefix(&cli->ctx, "--cluster: ");
        st = su_frame_as_factor(&cli->ctx, a->frame, v, &o->cluster[i]);
    }
    return st;
}

static su_status profiles(su_cli *cli, su_logit_options *o)
{
    const char *text = su_cli_option(cli, "predict");
    if (!text) return SU_OK;
    const char **list = su_arena_array(&cli->arena, strlen(text) + 1, sizeof *list);
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, ";");
        su_str one = su_str_trim((su_str) { p, n });
        if (one.n) list[o->profile_count++] = su_arena_strndup(&cli->arena, one.p, one.n);
        p += n + (p[n] == ';');
    }
    o->profiles = list;
    return o->profile_count ? SU_OK : su_fail(&cli->ctx, SU_USAGE, "--predict names no profile; write 'route=CMR,sex=male'");
}

static su_status words_of(su_cli *cli, const char *option, const char *const **out, size_t *count)
{
    su_str *words = NULL;
    su_status st = su_cli_words(cli, option, &words, count);
    const char **list = su_arena_array(&cli->arena, *count + 1, sizeof *list);
    for (size_t i = 0; i < *count; i++) list[i] = words[i].p;
    *out = list;
    return st;
}

/* A column may have such a sign in its name; two columns may not be named. */
static su_status one_grouping(su_cli *cli, su_analysis *a)
{
    const char *text = su_cli_option(cli, "random");
    const su_variable *found;
    su_context quiet;
    su_context_init(&quiet);
    if (!text || !strpbrk(text, ",/:+|") || su_frame_find(&quiet, a->frame, su_str_of(text), &found) == SU_OK) return SU_OK;
    return su_fail(&cli->ctx, SU_REFUSED,
                   "--random takes one column: nested groupings (sites in countries) are not fitted. Take the smaller one (--random SITE) and "
                   "put the larger one into the formula as a category (+ country), or, with many of the larger ones, take those "
                   "(--random COUNTRY).");
}

static su_status model_options(su_cli *cli, su_analysis *a, su_logit_options *o)
{
#define NAME3(id, name, about) name,
    static const char *const families[] = { SU_FAMILY_LIST(NAME3) }, *const variances[] = { SU_VARIANCE_LIST(NAME3) },
                             *const intervals[] = { "wald", "profile" };
#undef NAME3
    static const char *const alone[] = { "nationality", "citizenship", "country_of_birth", "birth_country",
                                         "ethnicity",   "religion",    "region",           "origin" };
    unsigned family = 0, variance = 0, interval = 0;
    int64_t nodes = 0, smallest = 10;
    su_status st = su_cli_need(cli, "formula", &o->formula);
    if (!st) st = references(cli, o);
    if (!st) st = named(cli, "family", families, SU_FAMILY_COUNT, &family);
    if (!st) st = named(cli, "variance", variances, SU_VARIANCE_COUNT, &variance);
    if (!st) st = named(cli, "ci", intervals, 2, &interval);
    if (!st) st = clusters(cli, a, o);
    if (!st) st = one_grouping(cli, a);
    if (!st) st = su_analysis_factor(cli, a, "random", &o->random);
    if (!st) st = su_analysis_factor(cli, a, "conditional", &o->conditional);
    if (!st) st = words_of(cli, "missing-level", &o->missing_levels, &o->missing_level_count);
    if (!st) st = su_cli_integer(cli, "nodes", 1, 64, 15, &nodes);
    if (!st) st = su_cli_integer(cli, "min-cell", 1, 1000000, 10, &smallest);
    if (!st) st = su_cli_level(cli, &o->level);
    if (!st) st = words_of(cli, "means", &o->margins, &o->margin_count);
    if (!st) st = profiles(cli, o);
    o->event = su_cli_option(cli, "event");
    o->family = (su_family)family;
    o->variance = (su_logit_variance)variance;
    o->profile = interval == 1;
    o->likelihood_ratios = su_cli_switch(cli, "lrt");
    o->nodes = (unsigned)nodes;
    o->smallest_cell = (uint32_t)smallest;
    o->firth = su_cli_switch(cli, "firth");
    o->median = su_cli_switch(cli, "median");
    o->effects = su_cli_switch(cli, "effects");
    o->effects_at = su_cli_option(cli, "at");
    o->refuse_alone = alone;
    o->refuse_alone_count = sizeof alone / sizeof *alone;
    return st;
}

/* Strata, units, fpc or margins make a survey design; a weight alone does not. */
static su_status design(su_cli *cli, su_analysis *a, su_cli_design *d, su_logit_options *o)
{
    static const char *const parts[] = { "strata", "psu", "fpc", "margins" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (su_cli_option(cli, parts[i]) && !d->design) {
            su_status st = su_cli_design_open(cli, a, d);
            if (st) return st;
        }
    o->design = d->design;
    if (d->design) return SU_OK;
    if (su_cli_option(cli, "replicates"))
        return su_fail(&cli->ctx, SU_USAGE, "--replicates needs a survey design: --strata, --psu, --fpc or --margins");
    return su_analysis_variable(cli, a, "weight", &o->weight);
}

static su_status replicates(su_cli *cli, const su_cli_design *d, su_logit_options *o, su_replicates **out)
{
    int64_t seed = 1;
    const char *name;
    su_status st = su_cli_integer(cli, "seed", 0, INT64_MAX, 1, &seed);
    if (st || !d->design) return st;
    st = su_cli_replicates(cli, d->design, (uint64_t)seed, out, &name);
    o->replicates = *out;
    return st;
}

static su_status cells(su_cli *cli, su_raw_table **table, su_logit_options *o)
{
    const char *path = su_cli_option(cli, "poststratify");
    int64_t seed = 1;
    su_status st = su_cli_integer(cli, "seed", 0, INT64_MAX, 1, &seed);
    o->cells_population = su_cli_option(cli, "population");
    o->cells_area = su_cli_option(cli, "areas");
    o->cells_seed = (uint64_t)seed;
    if (!st && !path && (o->cells_population || o->cells_area))
        st = su_fail(&cli->ctx, SU_USAGE, "--population and --areas describe the file of --poststratify");
    if (st || !path) return st;
    st = su_table_read(&cli->ctx, path, NULL, table);
    o->cells = *table;
    return st;
}

su_status su_command_logit(su_cli *cli)
{
    su_analysis a = { 0 };
    su_cli_design d = { 0 };
    su_logit_options o = { 0 };
    su_result *r = NULL;
    su_replicates *between = NULL;
    su_raw_table *population = NULL;
    bool synthetic = false;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = check_release(cli, cli->positional[0], &synthetic);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = model_options(cli, &a, &o);
    if (!st) st = design(cli, &a, &d, &o);
    if (!st) st = replicates(cli, &d, &o, &between);
    if (!st) st = cells(cli, &population, &o);
    if (!st) st = su_logit(&cli->ctx, a.frame, &o, &r);
    if (!st && synthetic)
        su_result_warn(r, "W_SYNTHETIC_RECORDS",
                       "The records are synthetic: their relations are those the release kept, and the noise is not in these intervals. No "
                       "population statement.");
    if (!st && su_cli_switch(cli, "nonprobability"))
        su_result_warn(r, "W_NOT_PROBABILITY",
                       "Non-probability sample: intervals are model-based and say nothing about people who could not be interviewed.");
    if (!st) st = su_analysis_print(cli, a.frame, 0, r);
    su_result_free(r);
    su_replicates_free(between);
    su_raw_table_free(population);
    su_cli_design_free(&d);
    su_analysis_free(&a);
    return st;
}
