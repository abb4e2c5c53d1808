/* area: small areas. Estimates of areas with little or no sample, from a model that borrows strength (Fay and Herriot 1979,
 * doi:10.1080/01621459.1979.10482505). docs/methods/smallarea.md has formulas and limits. */
#ifndef SUHA_AREA_H
#define SUHA_AREA_H

#include <suha/analyse.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SU_AREA_LIST(X)                                                                                                                    \
    X(REML, "reml", "residual maximum likelihood")                                                                                         \
    X(ML, "ml", "maximum likelihood")                                                                                                      \
    X(DL, "dl", "moments, DerSimonian and Laird")                                                                                          \
    X(PM, "pm", "moments, Paule and Mandel (Fay and Herriot's own)")                                                                       \
    X(ADJUSTED, "adjusted", "maximum of A times the residual likelihood, never zero (Li and Lahiri 2010)")
#define SU_AREA_ENUM(id, name, about) SU_AREA_##id,
typedef enum su_area_method { SU_AREA_LIST(SU_AREA_ENUM) SU_AREA_METHODS } su_area_method;
#undef SU_AREA_ENUM

typedef struct su_area_data {
    const double *y, *psi; /* direct estimates and their variances, psi > 0 */
    const double *x;       /* areas by columns, row-major, the intercept included */
    size_t areas, columns;
} su_area_data;

/* y_i = x_i b + v_i + e_i, Var v = A, Var e = psi_i. */
typedef struct su_area_fit {
    size_t areas, columns;
    double a, a_low, a_high; /* A and its 95 % profile interval from the residual likelihood; a_low may be 0 */
    bool boundary;           /* A = 0: every estimate is the model's alone, and its MSE is too small */
    double *beta, *covariance;
    double log_likelihood;                         /* of y; REML and adjusted: the residual one */
    double heterogeneity;                          /* Q: sum of squares over psi at A = 0, chi square on areas - columns */
    double *gamma, *estimate, *g1, *g2, *g3, *mse; /* by area; g3 and mse NaN for DL, whose expansion is not known */
} su_area_fit;
/* SU_REFUSED: psi not above zero (area named by its place), areas <= columns + 1, predictors that follow from each other. O(areas
 * columns^2). */
su_status su_area_fit_new(su_context *ctx, const su_area_data *d, su_area_method method, su_area_fit **out) SU_MUST_CHECK;
void su_area_fit_free(su_area_fit *f);
/* An area without sample: x'b, with mean squared error A + x' V x. */
double su_area_predict(const su_area_fit *f, const double *x, double *mse);

typedef struct su_area_options {
    const su_variable *area, *estimate, *variance, *size; /* size: sample size, to smooth variances; NULL */
    bool variance_is_error;                               /* `variance` holds standard errors */
    bool smooth;                          /* all variances from the pooled one over size; otherwise only those that are 0 or missing */
    const su_variable *const *predictors; /* numbers, and factors against their first level */
    size_t predictor_count;
    su_area_method method;
    double level;
} su_area_options;
/* Rows without an estimate are extrapolated and labelled so. Tables "coefficients" and "areas". */
su_status su_small_areas(su_context *ctx, su_frame *f, const su_area_options *o, su_result *out) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
