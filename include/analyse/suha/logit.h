/* logit: logistic models (and their relatives) of an outcome that is 0 or 1, with the uncertainty of the design.
 *
 * docs/methods has a page per method: logit, robust-variances, marginal-effects, separation-firth, random-intercept, conditional-logit,
 * dtm-fms-indicators.
 * A model describes groups. Predictions are for profiles, sets of values of the model's variables, never for a person. */
#ifndef SUHA_LOGIT_H
#define SUHA_LOGIT_H

#include <suha/analyse.h>
#include <suha/rates.h>

#ifdef __cplusplus
extern "C" {
#endif

/* name, effect measure of exp(b) or NULL */
#define SU_FAMILY_LIST(X)                                                                                                                  \
    X(LOGIT, "logit", "odds ratio")                                                                                                        \
    X(PROBIT, "probit", NULL)                                                                                                              \
    X(POISSON, "poisson", "rate ratio")                                                                                                    \
    X(LINEAR, "linear", NULL)
#define SU_FAMILY_ENUM(id, name, measure) SU_FAMILY_##id,
typedef enum su_family { SU_FAMILY_LIST(SU_FAMILY_ENUM) SU_FAMILY_COUNT } su_family;
#undef SU_FAMILY_ENUM

#define SU_VARIANCE_LIST(X)                                                                                                                \
    X(DEFAULT, "default", "model; HC0 for poisson on 0/1 and HC1 for linear; with clusters CR2 below 50 of them and HC1 above")            \
    X(MODEL, "model", "inverse information")                                                                                               \
    X(HC0, "hc0", "sandwich; with clusters G/(G-1)")                                                                                       \
    X(HC1, "hc1", "n/(n-k); with clusters G/(G-1) (n-1)/(n-k)")                                                                            \
    X(HC2, "hc2", "leverage")                                                                                                              \
    X(HC3, "hc3", "leverage squared")                                                                                                      \
    X(CR0, "cr0", "clusters, no correction, Satterthwaite df")                                                                             \
    X(CR1, "cr1", "clusters, G/(G-1), Satterthwaite df")                                                                                   \
    X(CR1S, "cr1s", "clusters, G/(G-1) (n-1)/(n-k), Satterthwaite df")                                                                     \
    X(CR2, "cr2", "clusters, bias-reduced, Satterthwaite df")                                                                              \
    X(CR3, "cr3", "clusters, jackknife-like, Satterthwaite df")
#define SU_VARIANCE_ENUM(id, name, about) SU_VARIANCE_##id,
typedef enum su_logit_variance { SU_VARIANCE_LIST(SU_VARIANCE_ENUM) SU_VARIANCE_COUNT } su_logit_variance;
#undef SU_VARIANCE_ENUM

typedef struct su_logit_reference {
    const char *variable, *level;
} su_logit_reference;

typedef struct su_logit_options {
    const char *formula; /* docs/methods/logit.md has the grammar */
    const su_logit_reference *references;
    size_t reference_count;
    const char *event; /* outcome category that counts as 1; NULL = the later of two */
    su_family family;
    su_logit_variance variance;
    const su_variable *weight;     /* not with design or random */
    const su_variable *cluster[2]; /* [1]: two-way clustering */
    const su_design *design;       /* the variance and df of the survey design */
    const su_replicates *replicates; /* of the design: the variance between fits of each replicate instead of linearisation; NULL */
    const su_variable *random;     /* random intercept by this factor */
    const su_variable *conditional; /* conditional logit: compare within the groups of this factor alone */
    unsigned nodes;                /* adaptive Gauss-Hermite; 0 = 15, 1 = Laplace, at most 64 */
    const char *const *missing_levels; /* variables whose missing values become a category of their own, "(missing)", with a warning */
    size_t missing_level_count;
    bool firth;
    bool median; /* median bias-reduced instead; Wald intervals */
    bool profile;               /* profile likelihood intervals (Firth always has them) */
    bool likelihood_ratios;     /* of whole terms; with weights, clusters or a design those of Rao and Scott. profile has them too */
    double level;               /* of the intervals; 0 = 0.95 */
    bool effects;               /* average marginal effects */
    const char *effects_at;     /* ... at each category of this variable; NULL = none */
    const char *const *margins; /* predictive margins of these variables */
    size_t margin_count;
    const char *const *profiles; /* "route=CMR,sex=male": values for the variables; those not named stay as they are in the data */
    size_t profile_count;
    const char *const *refuse_alone; /* variables from which alone no prediction is made */
    size_t refuse_alone_count;
    uint32_t smallest_cell; /* categories with fewer rows are warned about; 0 = 10 */
    const su_raw_table *cells;    /* population cells: a column per variable of the model, the area, the people; NULL = none */
    const char *cells_population; /* column with the people; NULL = "population" */
    const char *cells_area;       /* column with the area; NULL = the random intercept's, or one area without */
    uint64_t cells_seed;          /* of the draws behind the intervals */
} su_logit_options;

/* Fits and reports. Tables of *out: coefficients, tests, categories, missing, fit; effects, margins, profiles, groups, poststratified where asked for.
 * Errors: SU_USAGE formula syntax (with a caret) and options that exclude each other; SU_INPUT unknown variable, category never seen,
 * constant outcome, weight negative or all zero; SU_REFUSED fewer than 10 clusters, more than 300 columns, no degrees of freedom left.
 * Identical rows are collapsed first. O(distinct rows * terms^2 * iterations), about 20 bytes a row beside the frame. */
su_status su_logit(su_context *ctx, su_frame *f, const su_logit_options *options, su_result **out) SU_MUST_CHECK;

/* ---- indicators of an instrument ---- */

/* What a respondent said to a question. */
#define SU_ANSWER_VALID 1u  /* answered, also with a no */
#define SU_ANSWER_OWN 2u    /* own experience */
#define SU_ANSWER_FAMILY 4u /* of a family member travelling along */

typedef struct su_indicator_question {
    const char *name;       /* "held": the variable that holds own experience */
    const char *group;      /* composite it belongs to: "forced_or_unpaid_work"; NULL = none */
    bool counts;            /* own experience of it makes a positive response */
    const uint8_t *answers; /* one per row of the frame */
} su_indicator_question;

/* Adds variables of 0, 1 and missing to the frame: own_experience (1: own experience of a counted question; 0: none, and at least one valid
 * answer; missing otherwise), family_only (1: not own, but of the family, to a counted question; the denominator is that of
 * own_experience), each question's own experience (own_NAME), and each composite's (own_GROUP: any of its questions). *added names them in
 * this order; *count of them, all in the frame's arena. O(rows * questions). Source of the rule: IOM's published shares,
 * docs/methods/dtm-fms-indicators.md. */
su_status su_indicators_add(su_context *ctx, su_frame *f, const su_indicator_question *questions, size_t question_count,
                            const su_variable ***added, size_t *count) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
