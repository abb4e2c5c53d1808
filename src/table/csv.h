/* csv: bytes to UTF-8 text, text to delimiter, text to cells. Private to the reach. */
#ifndef SUHA_TABLE_CSV_H
#define SUHA_TABLE_CSV_H

#include <suha/table.h>

/* Text of the file: either a part of the bytes given, or converted into `owned`. Free owned. */
typedef struct csv_text {
    su_str text;
    su_buf owned;
    const char *encoding;
} csv_text;

/* The encoding rule of su_csv_parse. Errors name line and character. */
su_status csv_decode(su_context *ctx, const char *name, su_str bytes, csv_text *out);

/* Line and character (both from 1) of an offset in UTF-8 text. */
typedef struct csv_position {
    uint32_t line, character;
} csv_position;
csv_position csv_position_of(su_str text, size_t offset);

/* The delimiter that splits the text, by the rule of su_csv_parse. */
char csv_sniff(su_str text);

/* A `sep=X` line at the start: its length with the line end, and X; 0 if there is none. */
size_t csv_sep_line(su_str text, char *delimiter);

#endif
