/* official: published statistics as data: counts by period with totals mixed in, decisions, backlog, delays, and editions that replace one
 * another. Written for the UK National Referral Mechanism tables (instrument uk-nrm); nothing in it is British. docs/methods/official.md.
 */
#ifndef SUHA_OFFICIAL_H
#define SUHA_OFFICIAL_H

#include <suha/flow.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counts by period and year, shares of groups (`by`, a factor; NULL = none), change on the period before and on the same period a year
 * before. Rows that are totals of others are left out and, where they are yearly totals, compared with their parts. Tables "periods",
 * "years", "published_totals". */
su_status su_official_series(su_context *ctx, const su_frame *f, const su_series_input *in, const su_variable *by,
                             su_result *out) SU_MUST_CHECK;

/* Shares of a column without regard to time, from the rows that are no totals. count NULL: every row counts one. Table "shares". */
su_status su_official_shares(su_context *ctx, const su_frame *f, const su_variable *by, const su_variable *count, const su_filter *filters,
                             size_t filter_count, su_result *out) SU_MUST_CHECK;

/* Share of positive decisions, positive / (positive + negative), by period, year and group. Wide files: pairs of columns that differ in the
 * word positive / negative ("Child - Positive reasonable grounds"). Long files: outcome with its two values. Tables "periods", "years". */
typedef struct su_decisions_input {
    su_series_input series;     /* count: long files only */
    const su_variable *outcome; /* long files; NULL = wide */
    su_str positive, negative;
} su_decisions_input;
su_status su_official_decisions(su_context *ctx, const su_frame *f, const su_decisions_input *in, su_result *out) SU_MUST_CHECK;

/* Received less decided, summed from `opening`. Periods that only one series has count as zero in the other and are flagged. Table
 * "periods". */
su_status su_official_backlog(su_context *ctx, const su_series *received, const su_series *decided, double opening,
                              su_result *out) SU_MUST_CHECK;

/* Days from one date to another, those still open at `until` counted as not yet: Kaplan and Meier 1958
 * (doi:10.1080/01621459.1958.10501452), median with the interval of Brookmeyer and Crowley on the log(-log) scale of Greenwood's variance,
 * share decided within `target` days. */
typedef struct su_delays_input {
    const su_variable *received, *decided, *by; /* dates as factors; decided missing = open; by a factor or NULL */
    int64_t until;                              /* day number (su_period), INT64_MIN = the last date in the file */
    double target;                              /* days; 0 = none */
    double level;
} su_delays_input;
su_status su_official_delays(su_context *ctx, const su_frame *f, const su_delays_input *in, su_result *out) SU_MUST_CHECK;

/* What an edition changes in the one it supersedes. key: names of the columns that say what a row is, values are all others. Facts
 * "version" and "supersedes" are the files' SHA-256. Tables "changed", "added", "removed". */
su_status su_official_revisions(su_context *ctx, const su_raw_table *older, const su_raw_table *newer, const su_str *key, size_t key_count,
                                su_result *out) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
