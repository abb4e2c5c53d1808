#include "mapping_cell.h"

#include <string.h>

/* A formula, behind any number of '. */
static bool needs_guard(su_str cell)
{
    double number = 0;
    while (cell.n > 0 && cell.p[0] == '\'') cell = (su_str) { cell.p + 1, cell.n - 1 };
    return cell.n > 0 && memchr("=+-@\t\r", cell.p[0], 6) != NULL && !su_parse_f64(cell, &number);
}

void mapping_cell_write(su_buf *csv, su_str cell)
{
    if (!needs_guard(cell)) {
        su_buf_csv(csv, cell, ',');
        return;
    }
    su_buf guarded = { 0 };
    su_buf_char(&guarded, '\'');
    su_buf_add(&guarded, cell.p, cell.n);
    su_buf_csv(csv, (su_str) { guarded.p, guarded.n }, ',');
    su_buf_free(&guarded);
}

su_str mapping_cell_read(su_str cell, bool *guarded)
{
    bool has = cell.n > 1 && cell.p[0] == '\'' && needs_guard(cell);
    if (guarded != NULL) *guarded = has;
    return has ? (su_str) { cell.p + 1, cell.n - 1 } : cell;
}
