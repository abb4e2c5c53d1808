/* numbers: the ways in which exports write a number. */
#ifndef SUHA_HARMONISE_NUMBERS_H
#define SUHA_HARMONISE_NUMBERS_H

#include <suha/base.h>

/* An integer; also as pandas writes it when a column has holes (2002.0, and with a decimal comma 2002,0); also in groups of three parted by
 * one kind of comma, blank (also U+00A0, U+2009, U+202F) or apostrophe (1,200; 1 200). Points part no groups here: 1.200 may be either, and
 * is no integer. */
bool integer_parse(su_str cell, int64_t *out);
/* If cell is a decimal with nothing but zeros behind the point or comma, its integer part in `buf`; false otherwise. 1,000 is a group of
 * three, not a decimal. */
bool integer_form(su_str cell, char buf[32], su_str *out);
/* A finite decimal with a point or a comma: 17.9, 17,9. Not 1,200, which is a group of three. */
bool decimal_parse(su_str cell, double *out);
/* If cell is digits in groups of three parted by one kind of separator, points included, the same without them in `buf`: 1.200 is 1200. */
bool without_groups(su_str cell, char buf[32], char *separator);

#endif
