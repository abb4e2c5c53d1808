/* shapes: tables of imaginary people with the size, sparsity and correlations of real case data, for benchmarks and accuracy goals. */
#ifndef SU_GENERATE_SHAPES_H
#define SU_GENERATE_SHAPES_H

#include "draw.h"

/* c17k, c50k, c206k and m1x40: a mixture of latent classes. Every class has its own favourite values and its own rates of presence;
 * within a class the columns are independent. The population is fixed by the shape's name; the seed only draws people from it. */
su_status su_shape_classes(su_context *ctx, const char *shape, uint64_t rows, uint64_t seed, const char *path) SU_MUST_CHECK;
/* nb6k: the sample of the Synthetic Data Showcase notebooks (microsoft/synthetic-data-showcase, lib-pacsynth/samples): ten columns,
 * H1 of 2 values, H2 of 6, H3 of 10, H4..H10 binary, each value and "absent" equally likely (absent twice as likely in H2 and H3).
 * An absent H4..H10 prints 0, as the showcase does. */
su_status su_shape_showcase(su_context *ctx, uint64_t rows, uint64_t seed, const char *path) SU_MUST_CHECK;

/* vp17k: victims of a few kinds of cases with the perpetrators that go with them, one row per pair, one to twelve per victim and about two in the
 * mean, in the columns of instruments/ctdc-vp-2022. `victims`, not rows, are counted. */
su_status su_shape_pairs(su_context *ctx, uint64_t victims, uint64_t seed, const char *path) SU_MUST_CHECK;

#endif
