/* markup: a strict, slow check that HTML is well formed, for tests. */
#ifndef SU_TEST_MARKUP_H
#define SU_TEST_MARKUP_H

#include <stddef.h>

/* NULL when every element is closed in order, every attribute is quoted, no attribute is inline script or style, every id occurs once and
 * every & begins a character reference; otherwise what is wrong and where (static text). */
const char *su_markup_fault(const char *html, size_t n);

#endif
