/* margin_words: rows that are totals of other rows. */
#ifndef SU_ANALYSE_MARGIN_WORDS_H
#define SU_ANALYSE_MARGIN_WORDS_H

#include <suha/flow.h>

bool su_is_margin_word(const char *text); /* "Total", "All", ... after folding */

/* SU_INPUT unless v is NULL or a number. A column without any value is none. */
su_status su_need_number(su_context *ctx, const su_variable *v);

#endif
