/* formula: the sentence that specifies a model.
 *
 *   outcome ~ term + term ...
 *   a + b          both                          a:b            their interaction alone
 *   a*b            a + b + a:b                   (a + b + c)^2  main effects and interactions of up to two of them
 *   - a            without a                     - 1, + 0       without the intercept
 *   .              every other variable          `Age Band`     a name with blanks or signs
 *   factor(x)      a number as categories        factor(x, ref=LEVEL)  the category the others are compared with
 *   I(x^2)         powers 2 to 9 of a number     log(x), sqrt(x)       of a number
 *   ns(x, 3)       a natural cubic spline of a number, 2 to 9 columns
 *   offset(x), offset(log(x))                    known part of the linear predictor
 *
 * Terms are sorted by their number of variables, then by appearance (Wilkinson and Rogers 1973, doi:10.2307/2346786). */
#ifndef SU_ANALYSE_FORMULA_H
#define SU_ANALYSE_FORMULA_H

#include <suha/analyse.h>

enum { SU_FORMULA_ATOMS = 64, SU_FORMULA_TERMS = 512, SU_FORMULA_BYTES = 8192 };

typedef enum su_transform {
    SU_TRANSFORM_NONE,
    SU_TRANSFORM_FACTOR,
    SU_TRANSFORM_POWER,
    SU_TRANSFORM_LOG,
    SU_TRANSFORM_SQRT,
    SU_TRANSFORM_SPLINE
} su_transform;

typedef struct su_atom {
    const char *name; /* of the variable */
    su_transform transform;
    unsigned power;        /* of SU_TRANSFORM_POWER; of a spline which of its columns, from 1 */
    unsigned of;           /* columns of the spline */
    const char *reference; /* level of factor(), NULL = the first */
    size_t at;             /* byte of the formula where it stands first */
} su_atom;

typedef struct su_formula {
    const char *text;
    const char *outcome;
    size_t outcome_at;
    su_atom atoms[SU_FORMULA_ATOMS];
    uint32_t atom_count;
    uint64_t *terms; /* bit a = atom a; 0 = intercept, always first if present */
    uint32_t term_count;
    uint32_t offsets[SU_FORMULA_ATOMS]; /* atoms */
    uint32_t offset_count;
} su_formula;

/* names: what `.` stands for, without the outcome. Everything lives in arena. SU_USAGE shows the line with a caret under the place. */
su_status su_formula_parse(su_context *ctx, su_arena *arena, su_str text, const char *const *names, size_t name_count,
                           su_formula **out) SU_MUST_CHECK;
/* A failure at byte `at` of the formula: the reason, the line, a caret. Returns status. */
su_status su_formula_fail(su_context *ctx, su_status status, const char *text, size_t at, const char *fmt, ...) SU_PRINTF(5, 6);
/* "route:sex"; lives in arena. */
const char *su_formula_term_name(su_arena *arena, const su_formula *f, uint64_t term);
const char *su_formula_atom_name(su_arena *arena, const su_atom *atom);
/* The term with every column of a spline replaced by the spline's first: terms of which one sentence such as ns(x, 3):sex made several have
 * the same block. And its name, "ns(x,3):sex". */
uint64_t su_formula_block(const su_formula *f, uint64_t term);
const char *su_formula_block_name(su_arena *arena, const su_formula *f, uint64_t block);

#endif
