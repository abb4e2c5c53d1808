/* fit: the tables of imaginary people who agree with the noisy tables. Post-processing (docs/methods/projection.md).
 *
 * An estimate by least squares knows nothing of people: it is negative where nobody is. The tables of whole people that come as near to it
 * as the truth would, found by a few independent searches and averaged, are several times nearer to the truth in small cells. They decide
 * which combinations are reported, and with what count. */
#ifndef SU_PROTECT_FIT_H
#define SU_PROTECT_FIT_H

#include "targets.h"

/* Searches without forbidden cells, on ctx->threads threads, as many (1 to 3) as r->options.seconds allow; the first one's records go to
 * r->records, which has room for them. mean[l->cells]: mean count per cell over the searches, the same for any number of threads.
 * Memory: per thread the records (4 bytes a cell) and 12 bytes per cell of the tables. Errors as su_synthesise. */
su_status su_fit_tables(su_context *ctx, su_release *r, const su_lattice *l, const su_targets *t, su_random *random,
                        float *mean) SU_MUST_CHECK;
bool su_fit_replayed(const su_targets *t);     /* a search can do enough for a replay (replay.h) to be worth as much again */
unsigned su_fit_searches(const su_targets *t); /* of one su_fit_tables */
/* Adds the records' tables, of every set of the lattice, to count[l->cells], which begins as zeros. */
su_status su_fit_count(su_context *ctx, const su_release *r, const su_lattice *l, const uint16_t *const *records,
                       uint32_t *count) SU_MUST_CHECK;
/* A context that reports progress as the part from..from + span of `ctx`; `part` must live as long. */
typedef struct su_fit_part {
    su_context *ctx;
    double from, span;
} su_fit_part;
void su_fit_context(su_context *out, su_fit_part *part, su_context *ctx, double from, double span);
#define SU_FIT_PART 0.7 /* of the whole work: the searches */
/* Sweeps that su_fit_tables leaves of r->options.seconds for the records that are published, at most 2. */
double su_fit_leaves(const su_targets *t);
/* What a combination that is not reported costs the published records (su_synthesis.reluctance): the noisier the estimates, the more. */
double su_fit_reluctance(const su_estimates *e, const su_lattice *l);

#endif
