#include "hint.h"

#include <string.h>

/* The readers call a column without a header cell column_N. */
static bool is_unnamed(const su_raw_table *raw, uint32_t c)
{
    char made[32];
    snprintf(made, sizeof made, "column_%u", c + 1);
    return strcmp(raw->columns[c].name, made) == 0;
}

void hint_header(const su_raw_table *raw, su_buf *out)
{
    uint32_t unnamed = 0;
    for (uint32_t c = 0; c < raw->column_count; c++) unnamed += is_unnamed(raw, c);
    bool lonely = raw->column_count - unnamed == 1;
    if (lonely && (raw->column_count == 1 || unnamed >= 2))
        su_buf_text(out,
                    " The first row of the table has a single filled cell: if it is a title, delete the rows above the column names and "
                    "read the file again.");
    else if (unnamed >= 2 && (uint64_t)unnamed * 3 >= raw->column_count)
        su_buf_printf(
            out,
            " %u of its %u columns have no name: if the header is two merged rows, read it with --header-rows 2; if a title stands "
            "above the column names, delete it.",
            unnamed, raw->column_count);
}

void hint_table(const su_raw_table *raw, su_buf *out)
{
    if (raw->others != NULL)
        su_buf_printf(out, " The sheet \"%s\" was read; the workbook also has %s: name the sheet that you mean (--sheet).", raw->sheet,
                      raw->others);
    hint_header(raw, out);
}
