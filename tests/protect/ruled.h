/* Schemas with record rules for the tests, and what a rule means, said again in the obvious way. */
#ifndef SU_TEST_RULED_H
#define SU_TEST_RULED_H

#include "dp/zeros.h"
#include "world.h"

#define RULED_SEED 20261124
#define MOST_RULES 6

/* A schema of coded columns "a", "b", ... with codes "1", "2", ...; rules are added by hand. */
typedef struct ruled {
    su_schema schema;
    su_field fields[6];
    su_record_rule rules[MOST_RULES];
    uint16_t values[MOST_RULES][2][8];
    su_arena arena;
} ruled;

void ruled_init(ruled *x, world *w);
void ruled_free(ruled *x);
/* if column a has one of the codes in mask `when` then column b has one in `then`; excludes: none. Bit v = code v. */
void ruled_add(ruled *x, uint32_t a, uint32_t when, bool excludes, uint32_t b, uint32_t then);
/* The oracle: does a record obey all rules? */
bool obeys(const ruled *x, const uint16_t *record);
/* a = 1 or 2 implies b = 1; b = 1 implies c = 1; c = 1 excludes d = 2: so a = 1 excludes d = 2, and asks for c = 1. */
void chain(ruled *x, world *w, uint64_t rows, su_random *random);
su_release *plan_of(const ruled *x, const world *w, su_mechanism mechanism, double epsilon);

#endif
