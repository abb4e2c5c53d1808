/* flow_options: what trend, flow and official read alike: a series out of rows, filters, a confidence level. */
#ifndef SU_CLI_FLOW_OPTIONS_H
#define SU_CLI_FLOW_OPTIONS_H

#include "analysis.h"

#include <suha/flow.h>

#define SU_OPTIONS_ROWS                                                                                                                    \
    { "where", "COL=VALUE[,COL=VALUE]", "only rows with these values" },                                                                   \
    {                                                                                                                                      \
        "margins", "refuse|exclude",                                                                                                       \
            "rows that are totals of others (Total, All): refuse to add them up, or leave them out; default refuse"                        \
    }
#define SU_OPTIONS_SERIES                                                                                                                  \
    SU_OPTIONS_ANALYSIS, SU_OPTIONS_ROWS,                                                                                                  \
        { "time", "COL[,COL]", "period of each row (2024-03, 2024-Q1, 2024-W07 ...), or year and month or quarter" },                      \
        { "count", "COL", "people or events in each row; default: every row counts one" },                                                 \
        { "exposure", "COL|days", "days of operation, population ...; days: the days of the period" },                                     \
        { "shift", "COL", "0 before and 1 after a change" }, { "season", "COL", "season of each row, 1, 2, 3 ..." },                       \
        { "period", "N", "seasons a year; default from the times" },                                                                       \
    {                                                                                                                                      \
        "absent", "gap|zero", "a period without rows is a gap (default) or a zero"                                                         \
    }

/* A failure of a core in the words of a file: "FILE: " before it, and "data row N" (cores know rows) as "line L". Returns st. */
su_status su_in_file(su_cli *cli, const su_raw_table *raw, su_status st);
/* --level, in (0.5, 1). */
su_status su_level_option(su_cli *cli, double *out);
/* --where into filters that live in the command's arena. */
su_status su_where_option(su_cli *cli, const su_frame *f, su_filter **filters, size_t *count);
/* Columns by the names in option `name` (with commas): exactly `least`..`most`. */
su_status su_columns_option(su_cli *cli, const su_frame *f, const char *name, size_t least, size_t most, const su_variable **out,
                            size_t *count);
/* Refuses when a column that no filter names has rows that are totals of others. */
su_status su_margins_check(su_cli *cli, const su_frame *f, const su_filter *filters, size_t count);
/* FILE by the options of SU_OPTIONS_SERIES. */
su_status su_series_open(su_cli *cli, su_analysis *a, su_series **out);

#endif
