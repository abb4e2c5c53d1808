/* hint: what may be wrong with a table whose columns nobody knows: another sheet was meant, or the first row is no header. */
#ifndef SUHA_HARMONISE_HINT_H
#define SUHA_HARMONISE_HINT_H

#include <suha/table.h>

/* Appends sentences, each after a blank; nothing where nothing looks odd. Names no cell values. */
void hint_table(const su_raw_table *raw, su_buf *out);
/* The same about the header alone. */
void hint_header(const su_raw_table *raw, su_buf *out);

#endif
