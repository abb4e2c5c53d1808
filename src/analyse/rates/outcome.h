/* outcome: what is estimated, as columns of numbers: shared by rates and compare. */
#ifndef SU_RATES_OUTCOME_H
#define SU_RATES_OUTCOME_H

#include <suha/rates.h>

/* An outcome as estimands: one per value of a factor, one otherwise. The arrays are the frame's. */
typedef struct su_outcome_columns {
    const char *name;
    bool share;          /* proportions; false = means */
    uint32_t count;      /* estimands */
    const char **values; /* what each stands for; "" for means */
    su_estimand *estimands;
    uint64_t missing; /* rows of the domain and of positive weight without a value */
    const su_variable *variable;
} su_outcome_columns;

/* `within` may be NULL. SU_INPUT: no value in the domain, a value that never occurs. */
su_status su_outcome_read(su_context *ctx, su_frame *f, const su_design *d, const su_outcome *o, const uint32_t *within,
                          su_outcome_columns *out);
/* Numbers of the rows in the frame's arena. */
double *su_outcome_numbers(su_frame *f, const su_variable *v);
/* 1..level_count where the row is in the domain, 0 elsewhere; by NULL gives 1. In the frame's arena. */
uint32_t *su_outcome_groups(su_frame *f, const su_variable *by, const uint32_t *within, uint64_t *missing);
/* The design effect that is printed: against sampling without replacement where populations are known, with replacement where the weights
 * may be relative. */
double su_outcome_deff(const su_design *d, const su_estimate *e);
/* Facts that every result over a design has, and sentences on weights, strata and units. */
void su_outcome_design_facts(su_result *r, const su_design *d, const su_estimate *all, double level, const char *within_text,
                             bool design_given, bool nonprobability);
/* Reasons of missing values: "12 not recorded, 3 refused". */
void su_outcome_warn_missing(su_result *r, const su_frame *f, const su_design *d, const su_outcome_columns *c, const uint32_t *within);

#endif
