/* latent_sampler: one Gibbs sampler of the latent class model on one table. The runs of many chains are in latent.h.
 *
 * Shares are stick breaking, share_k = V_k prod_{l<k} (1 - V_l), V_k ~ Beta(1, concentration), the last class takes what is left; rates are
 * uniform; the prior of all people N is 1/N for at most `most` times as many unseen as seen. Two draws beside those of Manrique-Vallier
 * 2016 (doi:10.1111/biom.12502): classes exchange their places with the shares integrated out (after Papaspiliopoulos and Roberts 2008,
 * doi:10.1093/biomet/asm086), and sticks are kept as logarithms, because a concentration near 0 makes them closer to 1 than a double can
 * say. */
#ifndef SU_MSE_LATENT_SAMPLER_H
#define SU_MSE_LATENT_SAMPLER_H

#include <suha/mse.h>

#include "numeric/philox.h"

enum { SU_LATENT_CLASSES_MAX = 32 };

/* The cells of a table with people. */
typedef struct su_latent_table {
    unsigned lists;
    size_t cells;
    uint16_t *cell;
    int64_t *people, n;
} su_latent_table;

/* The table with every count times `share`, rounded to whole people (share 1: as it is). Freed with su_latent_table_free. */
su_latent_table su_latent_table_of(const su_overlaps *o, double share);
void su_latent_table_free(su_latent_table *t);

typedef struct su_latent_state {
    double on[SU_LATENT_CLASSES_MAX][SU_MSE_MAX_LISTS]; /* probability of being on a list, by class */
    double share[SU_LATENT_CLASSES_MAX], log_last;      /* log_last: of the last class's share, the sum of log (1 - V_k) */
    double concentration;
} su_latent_state;

typedef struct su_latent_sampler {
    const su_latent_table *table; /* borrowed */
    unsigned classes;
    double shape, rate; /* gamma prior of the concentration */
    double most;        /* unseen people at most, times those seen */
    su_philox random;
    su_latent_state state;
    int64_t members[SU_LATENT_CLASSES_MAX], on_list[SU_LATENT_CLASSES_MAX][SU_MSE_MAX_LISTS];
    int64_t unseen;
} su_latent_sampler;

/* Probability of being on no list. */
double su_latent_none(const su_latent_sampler *s);
/* Classes of all people, then rates, shares and concentration given them. */
void su_latent_draw_state(su_latent_sampler *s);
/* The number of unseen given the state: negative binomial, cut at the bound. */
void su_latent_draw_unseen(su_latent_sampler *s);

#endif
