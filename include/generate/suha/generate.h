/* generate: imaginary people for examples, tests and benchmarks. Seeded and repeatable; nothing here is or protects a real
 * person. */
#ifndef SUHA_GENERATE_H
#define SUHA_GENERATE_H

#include <suha/table.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct su_shape {
    const char *name;
    uint64_t default_rows;
    const char *about;
} su_shape;
const su_shape *su_shapes(size_t *count); /* nb6k c17k c50k c206k m1x40 orgs3 */
/* Writes one CSV at `path`; orgs3 writes a directory with three raw exports (harbour.csv, hotline.xlsx, refuge.csv) of rows people in all.
 * rows 0 = the shape's default. Same (shape, rows, seed), same bytes. */
su_status su_generate(su_context *ctx, const char *shape, uint64_t rows, uint64_t seed, const char *path) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
