/* header: column names from one or two header rows, for both readers. */
#ifndef SUHA_TABLE_HEADER_H
#define SUHA_TABLE_HEADER_H

#include <suha/table.h>

/* Names of `count` columns, returned owned (each name and the array from su_alloc). top may be NULL (one header row). Empty names become
 * column_N. Fails when two columns have the same name; `where` says where the header is ("cases.csv, line 1"). */
su_status header_names(su_context *ctx, const char *where, const su_str *top, const su_str *bottom, uint32_t count, char ***out);
void header_names_free(char **names, uint32_t count);

#endif
