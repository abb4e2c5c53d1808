#include "coverage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

su_philox simulation_stream(simulation *s) { return su_philox_of(s->seed, s->stream++); }

void cover_add(cover *c, double low, double high, double truth, bool warned)
{
    c->warned += warned;
    if (isnan(low) || isnan(high)) {
        c->none++;
        return;
    }
    c->shown++;
    c->held += low <= truth + 1e-12 && truth <= high + 1e-12;
}

void cover_row(cover *c, const su_result *r, const char *table, size_t row, const char *low, const char *high, double truth, bool warned)
{
    double from = r ? su_result_get(r, table, row, low) : NAN, to = r ? su_result_get(r, table, row, high) : NAN;
    cover_add(c, from, to, truth, warned);
}

void cover_print(const simulation *s, const char *setting, const cover *c, size_t count)
{
    for (size_t k = 0; k < count; k++)
        printf("{\"family\": \"%s\", \"setting\": \"%s\", \"interval\": \"%s\", \"held\": %lld, \"shown\": %lld, \"none\": %lld, "
               "\"warned\": %lld}\n",
               s->family, setting, c[k].what, (long long)c[k].held, (long long)c[k].shown, (long long)c[k].none, (long long)c[k].warned);
    fflush(stdout);
}

/* share: of the draws, for what takes long. */
static const struct {
    const char *name;
    void (*run)(simulation *s);
    double share;
} FAMILIES[] = {
    { "logit", coverage_logit, 1 },
    { "clusters and designs", coverage_clusters, 1 },
    { "imputation", coverage_missing, 0.4 },
    { "small areas", coverage_areas, 1 },
    { "flow", coverage_flow, 2 },
    { "trend", coverage_trend, 0.5 },
    { "lists", coverage_lists, 0.2 },
    { "quantiles, replicates, strata, delays", coverage_survey, 1 },
};

int main(int argc, char **argv)
{
    int64_t draws = 2000, seed = 20260607;
    if ((argc > 1 && !su_parse_i64(su_str_of(argv[1]), &draws)) || (argc > 2 && !su_parse_i64(su_str_of(argv[2]), &seed)) || draws < 10) {
        fputs("usage: coverage [DRAWS [SEED [FAMILY]]]\n", stderr);
        return 2;
    }
    for (size_t k = 0; k < sizeof FAMILIES / sizeof *FAMILIES; k++) {
        if (argc > 3 && strcmp(argv[3], FAMILIES[k].name)) continue;
        simulation s = {
            .seed = (uint64_t)seed, .stream = 1000 * k, .draws = (int64_t)((double)draws * FAMILIES[k].share), .family = FAMILIES[k].name
        };
        su_context_init(&s.ctx);
        s.ctx.threads = 1;
        FAMILIES[k].run(&s);
    }
    return 0;
}
