#include "analysis.h"

#include <math.h>
#include <string.h>

#include <suha/mse.h>

const su_option su_options_mse[] = {
    { "lists", "A,B,C", "list columns (0 and 1); default: every column that holds only 0 and 1" },
    { "count", "COL", "column with the number of people of a row; default: count, n, frequency, or the only other number" },
    { "people", NULL, "one row per person, whatever the columns are called" },
    { "merge", "A+B,C+D", "count these lists as one" },
    { "covariates", "X,Y", "traits of people in the file: estimates by them (list columns must then be named or 0 and 1)" },
    { "incomplete", NULL, "empty cells of --covariates are values that a list does not record: shared out by the EM algorithm" },
    { "model", "[12,13,4]", "also this model: terms by the numbers or names of lists" },
    { "methods", "M,M", "only these: main, stepwise, aic, best, downhill, average, chao, dga, latent, threshold; default all" },
    { "replicates", "B", "bootstrap resamples of the stepwise and downhill searches; 0 = none; default 5000" },
    { "best-replicates", "B", "the same for the search over all models; default 1000" },
    { "n-top", "N", "only the N best models compete in those resamples; default all; 50 to 100 suffice and are faster" },
    { "order", "R", "largest term in the searches; default pairs downhill, and as large as stays within 40,000 models" },
    { "threshold", "P", "stepwise: a pair enters while its p is below; default 0.02" },
    { "starts", "N", "random starts of the downhill search; default 20" },
    { "level", "L", "level of intervals; default 0.95" },
    { "bound", "N", "largest number of people the Bayesian average considers; default 11 times those seen" },
    { "sweeps", "N", "latent classes: sweeps of each chain after burn-in; default 20000" },
    { "chains", "N", "latent classes: chains, 8 or more; default 8" },
    { "coverage", "N", "simulated tables on which the stepwise interval is tried; 0 = none; default 200" },
    { "no-sensitivity", NULL, "leave out: one list less, two lists as one, missed links" },
    { "noise", "LAW:SCALE",
      "the counts carry noise added for privacy: gaussian:SIGMA (discrete Gaussian) or geometric:EPSILON; every combination needs a row" },
    { "keep-lists", NULL, "keep lists that are full, nested, duplicate or empty" },
    { "seed", "S", "of everything random; default 1" },
    { "sheet", "NAME", "sheet of a workbook" },
    { "report", "FILE.html", "also write a page with tables, plots and a methods paragraph" },
    { NULL, NULL, NULL }
};

static const char *const METHOD_WORDS[SU_MSE_METHODS] = { "main", "stepwise", "aic",    "best",      "downhill", "average",
                                                          "chao", "dga",      "latent", "threshold", "fixed" };

static su_status methods_of(su_cli *cli, uint32_t *methods)
{
    su_str *words = NULL;
    size_t count = 0;
    su_status st = su_cli_words(cli, "methods", &words, &count);
    if (!st && count && su_cli_option(cli, "model")) *methods |= 1u << SU_MSE_FIXED;
    for (size_t i = 0; i < count && !st; i++) {
        int found = -1;
        for (int m = 0; m < SU_MSE_METHODS; m++)
            if (strcmp(words[i].p, METHOD_WORDS[m]) == 0) found = m;
        if (found < 0)
            return su_fail(
                &cli->ctx, SU_USAGE,
                "--methods: '%s' is no method; they are main, stepwise, aic, best, downhill, average, chao, dga, latent, threshold",
                words[i].p);
        *methods |= 1u << found;
    }
    return st;
}

static su_status whole(su_cli *cli, const char *name, int64_t least, int64_t most, uint32_t *out)
{
    int64_t value = 0;
    su_status st = su_cli_integer(cli, name, least, most, *out, &value);
    *out = (uint32_t)value;
    return st;
}

static su_status between(su_cli *cli, const char *name, double least, double most, double *out)
{
    const char *text = su_cli_option(cli, name);
    su_status st = su_cli_real(cli, name, *out, out);
    if (!st && text && !(*out > least && *out < most))
        st = su_fail(&cli->ctx, SU_REFUSED, "--%s '%s' must lie between %g and %g", name, text, least, most);
    return st;
}

/* "gaussian:4" or "geometric:0.5". */
static su_status noise_of(su_cli *cli, su_mse_noise *out)
{
    static const char *const laws[] = { [SU_MSE_NOISE_GAUSSIAN] = "gaussian:", [SU_MSE_NOISE_GEOMETRIC] = "geometric:" };
    const char *text = su_cli_option(cli, "noise");
    *out = (su_mse_noise) { .law = SU_MSE_NO_NOISE };
    for (int law = SU_MSE_NOISE_GAUSSIAN; text && law <= SU_MSE_NOISE_GEOMETRIC; law++) {
        size_t n = strlen(laws[law]);
        if (strncmp(text, laws[law], n) != 0) continue;
        out->law = (su_mse_noise_law)law;
        if (!su_parse_f64(su_str_of(text + n), &out->scale))
            return su_fail(&cli->ctx, SU_USAGE, "--noise '%s': a number must follow the colon, for example %s%s", text, laws[law],
                           law == SU_MSE_NOISE_GAUSSIAN ? "4" : "0.5");
        if (!(out->scale > 0 && out->scale <= 1e6))
            return su_fail(&cli->ctx, SU_REFUSED, "--noise '%s': the scale must lie above 0 and at most at 1,000,000", text);
    }
    return text && !out->law ? su_fail(&cli->ctx, SU_USAGE,
                                       "--noise '%s' is not known; write gaussian:SIGMA (discrete Gaussian, sigma as it was published) or "
                                       "geometric:EPSILON (two-sided geometric)",
                                       text)
                             : SU_OK;
}

static su_status options_of(su_cli *cli, su_mse_options *o)
{
    int64_t seed = 1;
    uint32_t order = 0;
    *o = su_mse_defaults();
    su_status st = methods_of(cli, &o->methods);
    if (!st) st = whole(cli, "replicates", 0, 1000000, &o->replicates);
    if (!st) st = whole(cli, "best-replicates", 0, 1000000, &o->best_replicates);
    if (!st) st = whole(cli, "n-top", 1, 40000, &o->n_top);
    if (!st) st = whole(cli, "order", 2, SU_MSE_MAX_LISTS - 1, &order);
    if (!st) st = whole(cli, "starts", 1, 10000, &o->starts);
    if (!st) st = whole(cli, "sweeps", 1000, 10000000, &o->latent_sweeps);
    if (!st) st = whole(cli, "chains", 8, 256, &o->latent_chains);
    if (!st) st = whole(cli, "coverage", 0, 100000, &o->coverage);
    if (!st) st = between(cli, "threshold", 0, 1, &o->threshold_p);
    if (!st) st = between(cli, "level", 0, 1, &o->level);
    if (!st) st = between(cli, "bound", 0, 1e9, &o->dga_bound);
    if (!st) st = su_cli_integer(cli, "seed", 0, INT64_MAX, 1, &seed);
    if (!st) st = noise_of(cli, &o->noise);
    if (!st && o->noise.law && su_cli_option(cli, "merge"))
        st = su_fail(&cli->ctx, SU_REFUSED,
                     "--merge adds counts up, and with --noise their noise too; the lists must be merged before the noise is added");
    o->order = order;
    o->seed = (uint64_t)seed;
    o->model = su_cli_option(cli, "model");
    o->sensitivity = !su_cli_switch(cli, "no-sensitivity");
    o->keep_flawed_lists = su_cli_switch(cli, "keep-lists");
    return st;
}

static su_status names_of(su_cli *cli, const char *option, const char *const **names, size_t *count)
{
    su_str *words = NULL;
    su_status st = su_cli_words(cli, option, &words, count);
    const char **out = su_arena_array(&cli->arena, *count + 1, sizeof *out);
    for (size_t i = 0; i < *count && !st; i++) out[i] = words[i].p;
    *names = out;
    return st;
}

static su_status read_overlaps(su_cli *cli, bool noised, su_overlaps **out)
{
    su_raw_table *raw = NULL;
    su_overlap_options options = { .count = su_cli_option(cli, "count"), .person_rows = su_cli_switch(cli, "people") };
    su_read_options how = { .sheet = su_cli_option(cli, "sheet") };
    options.noised = noised;
    options.incomplete = su_cli_switch(cli, "incomplete");
    su_status st = names_of(cli, "lists", &options.lists, &options.list_count);
    if (!st) st = names_of(cli, "covariates", &options.covariates, &options.covariate_count);
    if (!st && options.count && options.person_rows) st = su_fail(&cli->ctx, SU_USAGE, "--people and --count exclude each other");
    if (!st && options.incomplete && !options.covariate_count)
        st = su_fail(&cli->ctx, SU_USAGE, "--incomplete is about the columns of --covariates, and none is named");
    if (!st && noised && options.person_rows) st = su_fail(&cli->ctx, SU_USAGE, "--people and --noise exclude each other: noise is on counts");
    if (!st) st = su_table_read(&cli->ctx, cli->positional[0], &how, &raw);
    if (!st) st = su_overlaps_of_table(&cli->ctx, raw, &options, out);
    su_raw_table_free(raw);
    return st;
}

static su_status list_named(su_cli *cli, const su_overlaps *o, su_str name, unsigned *out)
{
    for (*out = 0; *out < o->lists; ++*out)
        if (su_str_equal(su_str_of(o->names[*out]), name)) return SU_OK;
    return su_fail(&cli->ctx, SU_INPUT, "--merge: there is no list '%.*s'", (int)name.n, name.p);
}

/* "PF+NCA": the first list takes the second in. */
static su_status merge_lists(su_cli *cli, su_overlaps **overlaps)
{
    su_str *words = NULL;
    size_t count = 0;
    su_status st = su_cli_words(cli, "merge", &words, &count);
    for (size_t i = 0; i < count && !st; i++) {
        const char *plus = memchr(words[i].p, '+', words[i].n);
        unsigned a = 0, b = 0;
        if (!plus)
            return su_fail(&cli->ctx, SU_USAGE, "--merge: '%s' names one list; write two with a plus between them: PF+NCA", words[i].p);
        st = list_named(cli, *overlaps, (su_str) { words[i].p, (size_t)(plus - words[i].p) }, &a);
        if (!st) st = list_named(cli, *overlaps, su_str_of(plus + 1), &b);
        if (!st && a == b) st = su_fail(&cli->ctx, SU_USAGE, "--merge: '%s' names one list twice", words[i].p);
        if (st) return st;
        su_overlaps *merged = su_overlaps_merged(*overlaps, a, b);
        su_overlaps_free(*overlaps);
        *overlaps = merged;
    }
    return st;
}

su_status su_command_mse(su_cli *cli)
{
    su_mse_options options;
    su_overlaps *overlaps = NULL;
    su_result *result = su_result_new("mse", "Multiple systems estimation: people on none of the lists");
    su_frame *data = su_frame_new(0);
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = options_of(cli, &options);
    if (!st) st = read_overlaps(cli, options.noise.law != SU_MSE_NO_NOISE, &overlaps);
    if (!st) st = merge_lists(cli, &overlaps);
    if (!st) {
        data->fingerprint = overlaps->fingerprint;
        st = su_mse_panel(&cli->ctx, overlaps, &options, result);
    }
    if (!st) st = su_analysis_print(cli, data, options.seed, result);
    su_overlaps_free(overlaps);
    su_frame_free(data);
    su_result_free(result);
    return st;
}
