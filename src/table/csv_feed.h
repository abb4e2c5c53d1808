/* csv_feed: a file as UTF-8 text a few MiB at a time. Private to the reach. */
#ifndef SUHA_TABLE_CSV_FEED_H
#define SUHA_TABLE_CSV_FEED_H

#include <suha/table.h>

/* Between two rows there is at least this much text in the window, or all that is left of the file. */
#define CSV_ROW_ROOM ((size_t)1 << 20)

typedef struct csv_feed {
    int fd;
    char *window; /* CSV_WINDOW bytes */
    su_str text;  /* what of it is to be parsed: whole characters, no NUL */
    size_t filled;
    bool final;          /* the text ends where the file does */
    bool marked;         /* the file begins with a UTF-8 byte order mark; it is not in the text */
    uint64_t size, read; /* bytes of the file, as stated when it was opened, and as read so far */
    su_sha256_run hash;
} csv_feed;

/* Opens a regular file and takes its first text in. False, with nothing to close, where it cannot be read this way: no regular file, no
 * plain UTF-8 text, unreadable. */
bool csv_feed_open(csv_feed *f, const char *path);
/* More text: what is before `at`, a place in the text, is forgotten, the rest moves. False if it is no UTF-8 text or cannot be read. */
bool csv_feed_more(csv_feed *f, const char *at);
void csv_feed_close(csv_feed *f); /* wipes */

/* su_csv_parse of what the feed gives, into a narrow table. SU_CANCELLED as it says; on any other failure the file must be read whole,
 * which says what is wrong, or can do what this cannot: a row longer than CSV_ROW_ROOM. The message in ctx is not meant for anybody then.
 */
su_status csv_parse_feed(su_context *ctx, const char *name, csv_feed *feed, const su_read_options *opts, su_raw_table **out);

#endif
