/* The covariance of a fit from replicate weights: the model is fitted with each replicate's weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/variance.h"

su_status su_covariance_of_replicates(su_context *ctx, const su_variance_input *in, const su_design *design,
                                      const su_replicates *replicates, su_covariance *out)
{
    uint32_t p = in->x->columns, count = su_replicates_count(replicates);
    double *weight = su_alloc_array(in->x->frame->rows, sizeof *weight);
    double *all = su_alloc_array(count, (size_t)p * sizeof *all);
    su_moments m = su_moments_new(p);
    su_status st = SU_OK;
    for (uint32_t i = 0; i < count && !st; i++) {
        double *beta = all + (size_t)i * p;
        unsigned iterations;
        su_units u;
        su_replicates_weights(design, replicates, i, weight);
        su_units_init(&u, in->x, in->family, weight);
        memcpy(beta, in->fit->beta, p * sizeof *beta);
        if (!su_fit_maximise(ctx, &u, in->fit->kept, beta, &m, &iterations) || !(m.moved < 1e-3))
            st = su_cancelled(ctx)
                     ? su_fail(ctx, SU_CANCELLED, "Stopped.")
                     : su_fail(ctx, SU_REFUSED,
                               "Replicate %u of %u has no finite fit: without its units the predictors tell the outcome. Join "
                               "rare categories, or leave --replicates out (linearisation).",
                               i + 1, count);
        su_units_free(&u);
    }
    double df = su_design_facts_of(design).df + 1 - in->fit->rank;
    if (!st) su_replicates_covariance(replicates, all, in->fit->beta, p, out->v);
    for (uint32_t j = 0; j < p; j++) out->df[j] = df;
    snprintf(out->label, sizeof out->label, "%u replicates of the survey design, t with %g df", count, df);
    su_moments_free(&m);
    free(weight);
    free(all);
    return st;
}
