/* panel: the parts of su_mse_panel. Each adds its tables, warnings and sentences to the result. */
#ifndef SU_MSE_PANEL_H
#define SU_MSE_PANEL_H

#include "mse/bootstrap.h"
#include "mse/interval.h"
#include "mse/search.h"

typedef struct su_panel {
    su_context *ctx;
    su_mse_options opt; /* defaults filled in */
    su_overlaps *o;     /* without the lists that cannot be used */
    su_result *result;
    su_result_table *table; /* the panel */
    su_mse_lattice l;
    su_space space; /* all models; count 0 when there are too many */
    su_ranked *ranked;
    size_t ranked_count;
    su_model stepwise, best; /* chosen models, for what comes after */
    su_fit stepwise_fit;
    double least, most; /* of the point estimates in the verdict */
    const char *least_method, *most_method;
    size_t methods;                         /* in the verdict */
    double low, high;                       /* of all their intervals */
    double sensitive_least, sensitive_most; /* with a list less or two made one; NAN = not tried */
    double bound_high;                      /* largest upper limit of any row, Chao's bound too */
    double unlike_low, unlike_high;         /* of models in which people differ; NAN = none */
    double range_low, range_high;           /* of all of it (range.c) */
} su_panel;

typedef struct su_panel_row {
    const char *id, *method, *model; /* model may be NULL */
    double N, low, high;          /* 0 or NaN = no number; the same for those below */
    const char *interval;         /* what kind */
    double low_error, high_error; /* Monte Carlo */
    double bic;
    const char *note;
    bool verdict; /* counts when methods are compared; a lower bound does not */
} su_panel_row;
void su_panel_columns(su_panel *p); /* the panel's table */
void su_panel_add(su_panel *p, const su_panel_row *row);

/* checks.c: lists, pairs, what is wrong with them. *out: the table without lists that are empty, full, duplicates or nested. */
su_status su_mse_check(su_context *ctx, const su_overlaps *o, bool keep, su_result *r, su_overlaps **out) SU_MUST_CHECK;
/* bounds.c */
typedef struct su_bound {
    double N, low, high;
} su_bound;
/* Chao's lower bound from the people on one and on two lists (Chao 1987, doi:10.2307/2531532), log-normal interval. f2 = 0: bias-corrected.
 */
su_bound su_chao_bound(const su_overlaps *o, double level);
/* Chapman's estimate for two lists with its log-normal interval (Chapman 1951; Seber 1970, Biometrics 26:313-318). */
su_bound su_chapman(const su_overlaps *o, double level);
void su_panel_chao(su_panel *p);
/* methods.c: the searches */
void su_panel_main(su_panel *p);
void su_panel_stepwise(su_panel *p);
void su_panel_stepwise_aic(su_panel *p);
void su_panel_best(su_panel *p);
void su_panel_downhill(su_panel *p);
void su_panel_average(su_panel *p);
/* bayes.c */
su_status su_panel_dga(su_panel *p) SU_MUST_CHECK;
void su_panel_latent(su_panel *p);
void su_panel_threshold(su_panel *p);
/* A table of the separate humps of draws, only where there are several. */
void su_panel_humps(su_panel *p, const char *id, const char *title, const double *sorted, size_t count);
/* bayes_noised.c: all there is for counts with noise */
su_status su_mse_noised(su_context *ctx, const su_overlaps *o, const su_mse_options *options, su_result *result) SU_MUST_CHECK;
su_status su_panel_fixed(su_panel *p) SU_MUST_CHECK;
/* strata.c: o is the table with its strata */
void su_panel_strata(su_panel *p, const su_overlaps *o);
/* range.c: the last table, from the smallest lower limit to the largest upper one. An upper limit of more than this many times the people
 * seen says that a model has none. */
enum { SU_RANGE_NO_LIMIT = 1000 };
void su_panel_range(su_panel *p);
/* sensitivity.c */
void su_panel_sensitivity(su_panel *p);
void su_panel_linkage(su_panel *p);
void su_panel_coverage(su_panel *p);

#endif
