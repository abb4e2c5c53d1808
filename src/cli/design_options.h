/* design_options: how rows came into the file, as options of rates, compare, weight (and of models over a design). */
#ifndef SU_CLI_DESIGN_OPTIONS_H
#define SU_CLI_DESIGN_OPTIONS_H

#include "analysis.h"

#include <suha/rates.h>

#define SU_OPTIONS_DESIGN                                                                                                                  \
    { "weight", "COL", "weights; without them from --fpc, else 1 for every row" },                                                         \
        { "strata", "COL[,COL]", "strata, per stage of sampling" },                                                                        \
        { "psu", "COL[,COL]", "primary sampling units (clusters), then units of later stages" },                                           \
        { "fpc", "COL[,COL]", "units in the population (or fractions sampled), per stage" },                                               \
        { "nest", NULL, "psu numbers start again in every stratum" },                                                                      \
        { "lone", "POLICY", "strata with one unit: fail (default), centre, adjust, average, certainty" },                                  \
        { "margins", "FILE.csv", "known totals (columns variable, level, total) to fit the weights to" },                                  \
        { "calibrate", "HOW", "poststratify, rake (default), linear, raking, logit" },                                                     \
        { "bounds", "LOW,HIGH", "limits of new weight / old weight, for linear, raking, logit" },                                          \
    {                                                                                                                                      \
        "nonprobability", NULL, "people were not drawn at random: label every interval model-based"                                        \
    }

#define SU_OPTIONS_REPLICATES                                                                                                              \
    { "replicates", "KIND", "JK1, JKn, BRR, Fay:RHO or bootstrap:N instead of linearisation" },                                            \
    {                                                                                                                                      \
        "mse", NULL, "replicates: deviations from the full estimate instead of their mean"                                                 \
    }

/* One line of a margins file, as it was met. */
typedef struct su_cli_margin {
    const char *variable, *level; /* level "" for a number */
    double target, before, after;
} su_cli_margin;

typedef struct su_cli_design {
    su_design *design;
    bool given, nonprobability;
    unsigned rounds; /* of the calibration */
    const char *calibration;
    su_cli_margin *margins;
    size_t margin_count;
} su_cli_design;

su_status su_cli_design_open(su_cli *cli, su_analysis *a, su_cli_design *out);
void su_cli_design_free(su_cli_design *d);
/* --replicates and --mse; *out is NULL without them. seed is for the bootstrap. *name: the option's text. */
su_status su_cli_replicates(su_cli *cli, const su_design *d, uint64_t seed, su_replicates **out, const char **name);

/* --within: conditions with commas between them, all of which must hold: sex=female, route=CMR|EMR, age>=18, age!=99. A row where a value
 * is missing is outside. *within is NULL when the option is not given; otherwise one number per row (0 = outside), in the frame's arena. */
su_status su_cli_within(su_cli *cli, su_analysis *a, const uint32_t **within, const char **text);
/* --by: one factor, or the combinations of several (a,b). NULL when not given. */
su_status su_cli_groups(su_cli *cli, su_analysis *a, const char *option, const su_variable **out);
/* "name" or "name=value". */
su_status su_cli_outcome(su_cli *cli, su_analysis *a, su_str word, su_outcome *out);
/* --level between 0.5 and 0.9999; --min-cell from 0. */
su_status su_cli_level(su_cli *cli, double *out);

#endif
