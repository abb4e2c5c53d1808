/* variance: the covariance of a fit's coefficients under independence, clusters or a survey design.
 *
 * B is the inverse information, u the scores: V = B (sum u u') B with the corrections of MacKinnon and White 1985
 * (doi:10.1016/0304-4076(85)90158-7), Bell and McCaffrey 2002, Pustejovsky and Tipton 2018 (doi:10.1080/07350015.2016.1247004), and
 * Cameron, Gelbach and Miller 2011 (doi:10.1198/jbes.2010.07136) for two ways. */
#ifndef SU_ANALYSE_VARIANCE_H
#define SU_ANALYSE_VARIANCE_H

#include "logit/fit.h"

typedef struct su_covariance {
    double *v;  /* columns x columns, 0 for aliased ones */
    double *df; /* per column; infinite = normal */
    su_logit_variance kind;
    char label[160];
    uint32_t clusters[2]; /* 0 = none */
    bool projected;       /* two-way: was not positive, negative eigenvalues were set to 0 */
} su_covariance;

su_covariance su_covariance_new(uint32_t columns);
void su_covariance_free(su_covariance *c);

typedef struct su_variance_input {
    const su_fit *fit;
    const su_predictors *x;
    su_family family;
    const double *weight;          /* one per row of the frame, NULL = 1 */
    const su_variable *cluster[2]; /* factors */
    const su_units *units;         /* of the fit, for speed; NULL = rows are read again */
} su_variance_input;

/* kind DEFAULT is resolved (see SU_VARIANCE_LIST). SU_REFUSED: fewer than 10 clusters for a normal test; SU_USAGE: a cluster kind without
 * clusters, two ways with a CR kind. O(rows * terms^2) and O(clusters * columns^3) for the CR kinds. */
su_status su_covariance_of(su_context *ctx, const su_variance_input *in, su_logit_variance kind, su_covariance *out) SU_MUST_CHECK;
/* Two ways, before negative eigenvalues are set to 0. */
void su_covariance_two_way(const su_variance_input *in, su_logit_variance kind, double *v, uint32_t clusters[2]);
/* Taylor linearisation: (w e x) B summed over primary sampling units of the design; df = units - strata + 1 - rank. */
su_status su_covariance_of_design(su_context *ctx, const su_variance_input *in, const su_design *design, su_covariance *out) SU_MUST_CHECK;
/* Every replicate fitted, from the full estimate on; df as above. SU_REFUSED when a replicate has no finite fit. O(replicates * fit). */
su_status su_covariance_of_replicates(su_context *ctx, const su_variance_input *in, const su_design *design, const su_replicates *replicates,
                                      su_covariance *out) SU_MUST_CHECK;

/* Of a row: its score is `residual` x, its information `working` x x', and `variance` is V(mu) / weight. */
typedef struct su_row_score {
    double residual, working, variance;
} su_row_score;
su_row_score su_row_score_of(const su_variance_input *in, uint64_t i, su_sparse *s);

/* The CR kinds (cluster_robust.c). order: rows sorted by cluster, start[g]..start[g+1]. */
void su_cluster_robust(su_context *ctx, const su_variance_input *in, su_logit_variance kind, const uint64_t *order, const uint64_t *start,
                       uint32_t clusters, su_covariance *out);

#endif
