/* analysis: what the statistics commands share: a FILE becomes a frame, a result becomes text, JSON or a page. */
#ifndef SU_CLI_ANALYSIS_H
#define SU_CLI_ANALYSIS_H

#include "cli.h"

#include <suha/analyse.h>

/* Of every command that reads FILE and prints a su_result. */
#define SU_OPTIONS_ANALYSIS                                                                                                                \
    { "schema", "S", "instrument whose codelists give levels, their order and missing codes" },                                            \
        { "missing", "CODES", "codes that mean missing, with commas; code=reason says why: -99,-98=refused" },                             \
        { "sheet", "NAME", "sheet of a workbook" },                                                                                        \
    {                                                                                                                                      \
        "report", "FILE.html", "also write a page with tables, plots and a methods paragraph"                                              \
    }

typedef struct su_analysis {
    su_raw_table *raw;
    su_schema *schema; /* NULL without --schema */
    su_frame *frame;
} su_analysis;

/* Reads `path` by --schema, --missing and --sheet. Logs (once a column) where -99, -98, -97, 999 or 9999 stands in a column of numbers and
 * was not named by --missing. */
su_status su_analysis_open(su_cli *cli, const char *path, su_analysis *a);
/* Another file that the result depends on (margins, a codebook) goes into the frame's fingerprint. */
void su_analysis_mix(su_analysis *a, const su_sha256 *fingerprint);
/* A frame that came from elsewhere (a mapping, an instrument) is freed by su_analysis_free as well. */
void su_analysis_free(su_analysis *a);

/* The variable that option `name` names. Not given: *out is NULL and the status SU_OK. */
su_status su_analysis_variable(su_cli *cli, su_analysis *a, const char *option, const su_variable **out);
/* The same as a factor (su_frame_as_factor). */
su_status su_analysis_factor(su_cli *cli, su_analysis *a, const char *option, const su_variable **out);
/* "a, b,c" as words in the command's arena; a blank word is SU_USAGE. A comma inside double quotes belongs to the word. *count is 0 when
 * the option is not given. */
su_status su_cli_words(su_cli *cli, const char *option, su_str **words, size_t *count);
/* Numbers with commas. */
su_status su_cli_reals(su_cli *cli, const char *option, double **numbers, size_t *count);

/* Sets the hash (data: the frame's fingerprint; NULL = none), writes --report, and prints text or, with --json, JSON. */
su_status su_analysis_print(su_cli *cli, const su_frame *frame, uint64_t seed, su_result *r);

#endif
