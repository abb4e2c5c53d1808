/* release_words: what a release says about itself on the terminal, before and after. */
#ifndef SU_CLI_RELEASE_WORDS_H
#define SU_CLI_RELEASE_WORDS_H

#include "cli.h"

#include <suha/publish.h>

/* Values of the file that the codelists do not have and that become "not recorded": column, values, what they may mean. Silent when there
 * are none. Values of identifiers and texts are never in the report, so never here. */
void su_cli_unmapped_words(su_cli *cli, const su_source *s);
/* The plan, before anything is spent; names the tables that are too large to measure. */
void su_cli_release_plan_words(su_cli *cli, const su_release *r);
/* The end, as text or as JSON. cap, spent: of the ledger, in picorho. */
void su_cli_release_summary(su_cli *cli, const su_release_job *job, const su_release *r, const su_bundle_info *info, uint64_t cap,
                            uint64_t spent);

#endif
