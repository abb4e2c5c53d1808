/* design: stages of units within strata within units, and weights. Units of a stratum are neighbours: first[h] .. first[h + 1]. */
#ifndef SU_RATES_DESIGN_H
#define SU_RATES_DESIGN_H

#include <suha/rates.h>

typedef struct su_stage {
    uint32_t units, strata;
    uint32_t *first;    /* strata + 1 */
    uint32_t *parent;   /* stratum -> unit of the stage before; NULL in the first stage */
    double *population; /* stratum -> number of units in the population; NULL = with replacement */
    uint64_t *row;      /* stratum -> a row of it, for names */
} su_stage;

/* One margin of a calibration: rows have one column of the design matrix each (factor), or a value in one (number). */
typedef struct su_calibration_term {
    uint32_t column;       /* first column */
    const uint32_t *level; /* rows: 1.. */
    const double *value;   /* rows */
} su_calibration_term;

#define SU_CENSUS 1e-7 /* a stratum sampled whole (to within this) has no sampling variance */

struct su_design {
    su_arena arena;
    uint64_t rows;
    unsigned stages;
    su_stage stage[SU_STAGES_MOST];
    uint32_t *leaf; /* row -> unit of the last stage */
    uint32_t *top;  /* row -> unit of the first stage (leaf where there is one stage) */
    double *weight;
    su_lone lone;
    bool weights, clusters, stratified, finite;
    const su_variable *strata; /* of the first stage, for names; borrowed from the frame */
    /* calibration */
    double *before; /* weights it started from; NULL = none */
    su_calibration_term *terms;
    uint32_t term_count, columns;
    double *inverse; /* (X' W0 X)^-, columns x columns */
    const su_margin *margins; /* what they were calibrated to, for replicates; totals are copies */
    size_t margin_count;
    su_calibration_options calibration;
};

/* Adds to covariance (ka x kb, row-major) what units with linearised totals za (units of the last stage x ka) and zb contribute; za may be
 * zb. The arrays are scratch. */
su_status su_design_variance(su_context *ctx, const su_design *d, const double *za, size_t ka, const double *zb, size_t kb,
                             double *covariance);
/* Strata of one unit that have no answer under the design's policy: SU_REFUSED with their names. */
su_status su_design_check_lone(su_context *ctx, const su_design *d);

static inline double su_stage_fraction(const su_stage *s, uint32_t h)
{
    double n = s->first[h + 1] - s->first[h];
    return s->population ? n / s->population[h] : 0;
}

/* Residuals for the calibration: for each of k columns, B = (X'W0X)^- sum of w0 X e. rows' e is given by sums (columns x k). */
void su_design_residual_solve(const su_design *d, const double *sums, size_t k, double *coefficients);

#endif
