/* mapping_cell: cells of other people's files in mappings that people open in a spreadsheet. A cell that a spreadsheet would run as a
 * formula (= + - @ tab CR first; numbers excepted) stands in a mapping with a ' before it (CWE-1236); so does a cell that is such a cell
 * behind one or more ' already, so that reading gives back exactly what was written. */
#ifndef SUHA_HARMONISE_MAPPING_CELL_H
#define SUHA_HARMONISE_MAPPING_CELL_H

#include <suha/base.h>

void mapping_cell_write(su_buf *csv, su_str cell);
/* The cell without its guard; *guarded (may be NULL) tells whether it had one. */
su_str mapping_cell_read(su_str cell, bool *guarded);

#endif
