/* protected: rates from a release, by the counts that were published with intervals. */
#ifndef SU_CLI_PROTECTED_H
#define SU_CLI_PROTECTED_H

#include "analysis.h"

/* suha rates --release DIR --outcome COL[=CODE] [--by COL]: shares of all records of the group, also of those whose outcome is not known.
 */
su_status su_cli_protected_rates(su_cli *cli, const char *dir);

#endif
