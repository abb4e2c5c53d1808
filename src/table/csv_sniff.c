/* Guessing the delimiter. */
#include "csv.h"

#include <string.h>
#include <strings.h>

#define SNIFF_ROWS 200u
#define SNIFF_BYTES ((size_t)256 << 10)

typedef struct split {
    uint32_t header, rows, alike;
} split;

/* Cells of the row at *at under `delimiter`; moves *at behind its line end. 0 for an empty line. *whole is false if the text ended first.
 */
static uint32_t count_cells(su_str text, size_t *at, char delimiter, bool *whole)
{
    size_t i = *at;
    uint32_t cells = 1;
    bool quoted = false, cell_start = true, any = false;
    *whole = true;
    for (; i < text.n; i++) {
        char c = text.p[i];
        if (quoted) {
            if (c != '"') continue;
            if (i + 1 < text.n && text.p[i + 1] == '"')
                i++;
            else
                quoted = false;
            continue;
        }
        if (c == '\n' || c == '\r') {
            i += c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n' ? 2 : 1;
            *at = i;
            return any ? cells : 0;
        }
        any = true;
        if (c == '"' && cell_start) quoted = true;
        cell_start = c == delimiter;
        if (cell_start) cells++;
    }
    *at = i;
    *whole = !quoted;
    return any ? cells : 0;
}

static split try_delimiter(su_str text, bool cut, char delimiter)
{
    split s = { 0 };
    size_t at = 0;
    bool whole = true;
    while (at < text.n && s.rows < SNIFF_ROWS) {
        uint32_t cells = count_cells(text, &at, delimiter, &whole);
        if (cells == 0 || (at >= text.n && s.rows > 0 && (cut || !whole))) continue; /* a row cut by the sample says nothing */
        if (s.rows == 0) s.header = cells;
        s.rows++;
        if (cells == s.header) s.alike++;
    }
    return s;
}

char csv_sniff(su_str text)
{
    static const char candidates[] = { ',', ';', '\t', '|' };
    bool cut = text.n > SNIFF_BYTES;
    su_str sample = { text.p, cut ? SNIFF_BYTES : text.n };
    char best = ',';
    split best_split = { 1, 1, 0 };
    bool found = false;
    for (size_t i = 0; i < sizeof candidates; i++) {
        split s = try_delimiter(sample, cut, candidates[i]);
        if (s.header < 2) continue;
        /* Shares of rows that agree, compared without division; more cells win among equals. */
        uint64_t share = (uint64_t)s.alike * best_split.rows, best_share = (uint64_t)best_split.alike * s.rows;
        if (!found || share > best_share || (share == best_share && s.header > best_split.header)) {
            found = true;
            best = candidates[i];
            best_split = s;
        }
    }
    return best;
}

size_t csv_sep_line(su_str text, char *delimiter)
{
    if (text.n < 5 || strncasecmp(text.p, "sep=", 4) != 0 || memchr(",;\t|", text.p[4], 4) == NULL) return 0;
    size_t n = 5;
    if (n < text.n && text.p[n] == '\r') n++;
    if (n < text.n && text.p[n] == '\n') n++;
    if (n == 5 && text.n > 5) return 0;
    *delimiter = text.p[4];
    return n;
}
