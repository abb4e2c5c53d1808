/* words: small things for reports that people read. */
#ifndef SUHA_HARMONISE_WORDS_H
#define SUHA_HARMONISE_WORDS_H

#include <suha/base.h>

void words_count(su_buf *out, uint64_t n);                       /* 48,801 */
size_t words_width(su_str s);                                    /* columns a terminal needs: combining marks 0, wide letters 2 */
void words_pad(su_buf *out, su_str s, size_t width, bool right); /* s and blanks up to width, cut with an ellipsis when longer */

#endif
