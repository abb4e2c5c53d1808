/* release_options: what a release may spend and how, from the command line; also for suha attack. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static su_status mechanism_option(su_cli *cli, su_release_options *o)
{
    const char *name = su_cli_option(cli, "mechanism");
    o->rare_values = su_cli_switch(cli, "rare-values");
    o->mechanism_auto = name && strcmp(name, "auto") == 0;
    if (o->mechanism_auto) return SU_OK;
    if (name && !su_mechanism_parse(name, &o->mechanism)) {
        su_buf known = { 0 };
        for (su_mechanism m = 0; m < SU_MECHANISM_COUNT; m++) su_buf_printf(&known, "%s%s", m ? ", " : "", su_mechanism_name(m));
        su_status st = su_fail(&cli->ctx, SU_USAGE, "--mechanism '%s' is none of auto, %s", name, known.p);
        su_buf_free(&known);
        return st;
    }
    if (su_mechanism_bound(o->mechanism)) return SU_OK;
    if (su_cli_option(cli, "epsilon") || su_cli_option(cli, "delta"))
        return su_fail(&cli->ctx, SU_USAGE, "%s has no differential privacy bound: --epsilon and --delta mean nothing here; give --k",
                       name);
    return su_cli_option(cli, "k") ? SU_OK
                                   : su_fail(&cli->ctx, SU_USAGE, "%s needs --k, the smallest group it may show; 10 is usual", name);
}

/* ---- sds: names as the Synthetic Data Showcase has them ---- */

/* "0.5,0.3": one number per length, from `first` on. */
static su_status by_length(su_cli *cli, const char *name, uint32_t first, double *out)
{
    const char *text = su_cli_option(cli, name);
    for (uint32_t k = first; text; k++) {
        size_t n = strcspn(text, ",");
        if (k > 4)
            return su_fail(&cli->ctx, SU_USAGE, "--%s has more than %u numbers: one per length from %u to 4", name, 5 - first, first);
        if (!su_parse_f64((su_str) { text, n }, &out[k]) || !(out[k] > 0))
            return su_fail(&cli->ctx, SU_USAGE, "--%s '%.*s' is not a number above 0", name, (int)n, text);
        text = text[n] ? text + n + 1 : NULL;
    }
    return SU_OK;
}

static su_status one_of(su_cli *cli, const char *name, const char *const *words, size_t count, unsigned *out)
{
    const char *text = su_cli_option(cli, name);
    su_buf known = { 0 };
    for (size_t i = 0; text && i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = (unsigned)i;
            su_buf_free(&known);
            return SU_OK;
        }
        su_buf_printf(&known, "%s%s", i ? ", " : "", words[i]);
    }
    su_status st = text ? su_fail(&cli->ctx, SU_USAGE, "--%s '%s' is none of %s", name, text, known.p) : SU_OK;
    su_buf_free(&known);
    return st;
}

static su_status sds_numbers(su_cli *cli, su_sds_options *o)
{
    int64_t percentile = 0, weight = 0, records = 0;
    su_status st = su_cli_integer(cli, "percentile-percentage", 1, 100, 0, &percentile);
    if (!st) st = su_cli_integer(cli, "weight-selection-percentile", 1, 100, 0, &weight);
    if (!st) st = su_cli_integer(cli, "sample-size", 1, 1000000000, 0, &records);
    if (!st) st = su_cli_real(cli, "percentile-epsilon-proportion", 0, &o->percentile_share);
    if (!st) st = su_cli_real(cli, "number-of-records-epsilon-proportion", 0, &o->record_share);
    if (!st) st = by_length(cli, "sigma-proportions", 1, o->sigma_proportion);
    if (!st) st = by_length(cli, "adaptive-thresholds", 2, o->adaptive);
    if (!st) st = by_length(cli, "fixed-thresholds", 2, o->fixed);
    o->percentile = (uint32_t)percentile;
    o->weight_percentile = (uint32_t)weight;
    o->records = (uint64_t)records;
    return st;
}

static su_status sds_options(su_cli *cli, const su_release_options *release, su_sds_options *o)
{
    static const char *const names[] = { "percentile-percentage",
                                         "percentile-epsilon-proportion",
                                         "number-of-records-epsilon-proportion",
                                         "sigma-proportions",
                                         "accuracy-mode",
                                         "fabrication-mode",
                                         "adaptive-thresholds",
                                         "fixed-thresholds",
                                         "weight-selection-percentile",
                                         "use-synthetic-counts",
                                         "sample-size",
                                         "codelist-candidates",
                                         "tight-accounting" };
    static const char *const accuracy[] = { "prioritize_long_combinations", "prioritize_short_combinations", "balanced" };
    static const char *const fabrication[] = { "uncontrolled", "balanced", "progressive", "minimize" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (su_cli_option(cli, names[i]) && (release->mechanism_auto || release->mechanism != SU_MECHANISM_SDS))
            return su_fail(&cli->ctx, SU_USAGE, "--%s goes with --mechanism sds only", names[i]);
    unsigned priority = SU_SDS_LONG, mode = SU_SDS_UNCONTROLLED;
    su_status st = sds_numbers(cli, o);
    if (!st) st = one_of(cli, "accuracy-mode", accuracy, 3, &priority);
    if (!st) st = one_of(cli, "fabrication-mode", fabrication, 4, &mode);
    o->priority = (su_sds_priority)priority;
    o->fabrication = (su_sds_fabrication)mode;
    o->synthetic_counts = su_cli_switch(cli, "use-synthetic-counts");
    o->codelist_candidates = su_cli_switch(cli, "codelist-candidates");
    o->tight = su_cli_switch(cli, "tight-accounting");
    return st;
}

su_status su_cli_release_options(su_cli *cli, su_release_options *o)
{
    int64_t length = 3, k = 0, contribution = 1;
    const char *epsilon = NULL;
    su_status st = mechanism_option(cli, o);
    bool bound = su_mechanism_bound(o->mechanism);
    if (!st && bound) st = su_cli_need(cli, "epsilon", &epsilon);
    if (!st && bound) st = su_cli_number(cli, "--epsilon", epsilon, &o->epsilon);
    if (!st) st = su_cli_real(cli, "delta", SU_DEFAULT_DELTA, &o->delta);
    if (!st) st = su_cli_integer(cli, "length", 1, 4, 3, &length);
    if (!st) st = su_cli_real(cli, "model-mib", 0, &o->model_mib);
    if (!st) st = su_cli_integer(cli, "k", 0, 1000000, 0, &k);
    if (!st) st = su_cli_integer(cli, "contribution", 1, SU_MAX_CONTRIBUTION, 1, &contribution);
    if (!st) st = sds_options(cli, o, &o->sds);
    if (!st && bound && !(o->epsilon > 0 && o->epsilon <= 100))
        st = su_fail(&cli->ctx, SU_REFUSED, "--epsilon %s must be above 0 and at most 100 (4 is usual here; smaller is safer)", epsilon);
    if (!st && !(o->delta > 0 && o->delta <= 1e-3)) st = su_fail(&cli->ctx, SU_REFUSED, "--delta must be above 0 and at most 0.001");
    o->length = (uint32_t)length;
    o->k = (uint64_t)k;
    o->contribution = (uint32_t)contribution;
    return st;
}
