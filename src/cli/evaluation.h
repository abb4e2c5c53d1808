/* evaluation: how a comparison with the true records is shown. Everything here is stamped NOT FOR PUBLICATION. */
#ifndef SU_CLI_EVALUATION_H
#define SU_CLI_EVALUATION_H

#include <suha/utility.h>

#define SU_NOT_PUBLIC "NOT FOR PUBLICATION: computed from the true records, outside the privacy guarantee"

/* The short form that suha release writes beside a bundle. */
void su_evaluation_json(su_json *j, const su_release *r, const su_evaluation *e);
/* Everything: one JSON object; text for a terminal; one self-contained page. */
void su_utility_json(su_json *j, const su_utility *u);
void su_utility_text(const su_utility *u, su_buf *out);
void su_utility_html(const su_utility *u, const char *title, su_buf *out);

/* What the text and the page have in common: rows of a table with one number per length. */
typedef enum su_metric_unit { SU_METRIC_COUNT, SU_METRIC_REAL, SU_METRIC_PERCENT } su_metric_unit;
typedef struct su_metric {
    const char *name, *meaning;
    su_metric_unit unit;
    double value[SU_MAX_LENGTH + 1]; /* by length; 0 = all */
} su_metric;
enum { SU_METRICS_MOST = 20 };
size_t su_utility_metrics(const su_utility *u, bool records, su_metric out[SU_METRICS_MOST]);
/* "gender=Woman", "isForcedLabour", "intercept". In a static buffer of the caller. */
const char *su_term_name(const su_utility *u, const su_utility_term *t, char *buffer, size_t size);

#endif
