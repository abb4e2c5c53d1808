/* draw: the small things every generator needs: weighted draws with integers only (so that bytes do not depend on libm) and a file that
 * appears whole or not at all. */
#ifndef SU_GENERATE_DRAW_H
#define SU_GENERATE_DRAW_H

#include <suha/generate.h>

/* True with probability per_mille / 1000. */
bool su_draw_chance(su_random *r, unsigned per_mille);
/* Index drawn in proportion to weights[0..n), at least one of them positive. */
size_t su_draw_weighted(su_random *r, const unsigned *weights, size_t n);
/* Uniform integer in [low, high]. */
int su_draw_range(su_random *r, int low, int high);

/* A text file written in pieces to <path>.part and renamed at the end. */
typedef struct su_stream {
    FILE *file;
    char *path, *part;
    su_buf buf;
} su_stream;
su_status su_stream_open(su_context *ctx, su_stream *s, const char *path) SU_MUST_CHECK;
/* Writes out what has gathered in s->buf once it is large. */
su_status su_stream_flush(su_context *ctx, su_stream *s, bool all) SU_MUST_CHECK;
/* Flushes and renames. On failure nothing is left behind. */
su_status su_stream_close(su_context *ctx, su_stream *s) SU_MUST_CHECK;
void su_stream_abandon(su_stream *s);

#endif
