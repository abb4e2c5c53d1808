/* coverage: how often default intervals hold the truth in simulated data. Each family prints one line of JSON per setting and interval;
 * bench/coverage.py makes docs/methods/coverage.md from them. Not a test: it takes minutes, and its numbers have a Monte Carlo error. */
#ifndef SU_TEST_COVERAGE_H
#define SU_TEST_COVERAGE_H

#include <suha/analyse.h>

#include "numeric/philox.h"

typedef struct simulation {
    su_context ctx;
    uint64_t seed, stream; /* a stream of random numbers per setting */
    int64_t draws;
    const char *family;
} simulation;

/* One interval in one setting. */
typedef struct cover {
    const char *what;
    int64_t held, shown, none, warned; /* none: no interval was given, or the method refused */
} cover;

su_philox simulation_stream(simulation *s);
/* NaN limits count as none; infinite ones are limits. */
void cover_add(cover *c, double low, double high, double truth, bool warned);
void cover_print(const simulation *s, const char *setting, const cover *c, size_t count);
/* The cells `low` and `high` of a row of a result; r may be NULL. */
void cover_row(cover *c, const su_result *r, const char *table, size_t row, const char *low, const char *high, double truth, bool warned);

void coverage_logit(simulation *s);
void coverage_clusters(simulation *s);
void coverage_missing(simulation *s);
void coverage_areas(simulation *s);
void coverage_flow(simulation *s);
void coverage_trend(simulation *s);
void coverage_lists(simulation *s);
void coverage_survey(simulation *s);

#endif
