/* model: hierarchical log-linear models of list membership. A term is the set of lists it joins, as bits (list 0 is bit 0); a model is the
 * intercept, every list by itself, and joint terms, closed downwards: with a term all its parts are in. Written by its largest terms:
 * "[12,13,4]". Bishop, Fienberg and Holland 1975, chapter 6. */
#ifndef SU_MSE_MODEL_H
#define SU_MSE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <suha/mse.h>

enum { SU_TERMS_MAX = 128 };

typedef struct su_model {
    unsigned count;
    uint16_t term[SU_TERMS_MAX]; /* term[0] = 0, the intercept; then the lists; then in any order, parts before wholes */
} su_model;

/* Intercept and lists: the lists are independent. */
su_model su_model_main(unsigned lists);
bool su_model_has(const su_model *m, unsigned term);
/* Adds the term and every part of it that is missing; false when there is no room. */
bool su_model_add(su_model *m, unsigned term);
/* Takes out the term and every term that contains it. */
void su_model_remove(su_model *m, unsigned term);
/* Lists by number from 1; beyond nine lists the numbers are joined by dots: [1.12,3]. Bytes needed: SU_MODEL_TEXT. */
enum { SU_MODEL_TEXT = 512 };
void su_model_print(const su_model *m, unsigned lists, char text[SU_MODEL_TEXT]);
/* "[12,13,4]", with or without brackets; names of lists may stand for numbers, joined by * or : ("LA*NG, PF"). Lists that are not named
 * come in by themselves. SU_USAGE shows the place with a caret; SU_REFUSED for too many terms and for the saturated model. */
su_status su_model_parse(su_context *ctx, const su_overlaps *o, const char *text, su_model *out) SU_MUST_CHECK;
/* A term's lists as text: "12" or, with names, "LA:NG". */
void su_term_print(unsigned term, unsigned lists, char *text, size_t size);
void su_term_names(const su_overlaps *o, unsigned term, char *text, size_t size);
/* Order of terms for people: by size, then by the numbers of the lists. Below 0, 0, above 0. */
int su_term_compare(unsigned a, unsigned b);

/* All hierarchical models with every list by itself and terms up to `order` (at most lists - 1), each as a set of terms (bit = term), by
 * number of terms, then in the order they are made. lists <= 6. Returns the number; *out is the caller's to free. Sizes by Dedekind-like
 * counts: 8, 113, 6,893 for 3, 4, 5 lists; six lists with pairs only 32,768. 0 when there would be more than `most`. */
size_t su_models_enumerate(unsigned lists, unsigned order, size_t most, uint64_t **out);
su_model su_model_of_set(uint64_t set, unsigned lists);
uint64_t su_model_set(const su_model *m);

#endif
