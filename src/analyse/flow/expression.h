/* expression: a formula over named numbers, with its derivative: + - * / ( ) exp log sqrt. */
#ifndef SU_ANALYSE_EXPRESSION_H
#define SU_ANALYSE_EXPRESSION_H

#include <suha/base.h>

enum { SU_EXPRESSION_STEPS = 512, SU_EXPRESSION_DEPTH = 64 };

typedef enum su_step_kind {
    SU_STEP_NUMBER,
    SU_STEP_NAME,
    SU_STEP_ADD,
    SU_STEP_SUBTRACT,
    SU_STEP_MULTIPLY,
    SU_STEP_DIVIDE,
    SU_STEP_NEGATE,
    SU_STEP_EXP,
    SU_STEP_LOG,
    SU_STEP_SQRT
} su_step_kind;

typedef struct su_step {
    su_step_kind kind;
    uint32_t name;
    double number;
} su_step;

/* Steps in postfix order. */
typedef struct su_expression {
    su_step steps[SU_EXPRESSION_STEPS];
    uint32_t count, depth;
} su_expression;

/* lookup gives the number of a name, or -1. On failure *at is the byte where it went wrong and *why says what. */
bool su_expression_parse(su_str text, int (*lookup)(const void *arg, su_str name), const void *arg, su_expression *out, size_t *at,
                         const char **why);
/* value of each name, and (slope not NULL) its derivative; returns the value, *derivative the expression's (may be NULL). */
double su_expression_value(const su_expression *e, const double *value, const double *slope, double *derivative);

#endif
