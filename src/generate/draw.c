#include "draw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_BLOCK (1u << 18)

bool su_draw_chance(su_random *r, unsigned per_mille) { return su_random_below(r, 1000) < per_mille; }

size_t su_draw_weighted(su_random *r, const unsigned *weights, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) total += weights[i];
    uint64_t at = su_random_below(r, total);
    for (size_t i = 0; i < n; i++) {
        if (at < weights[i]) return i;
        at -= weights[i];
    }
    return n - 1;
}

int su_draw_range(su_random *r, int low, int high) { return low + (int)su_random_below(r, (uint64_t)(high - low) + 1); }

su_status su_stream_open(su_context *ctx, su_stream *s, const char *path)
{
    memset(s, 0, sizeof *s);
    su_buf part = { 0 };
    su_buf_printf(&part, "%s.part", path);
    s->part = part.p;
    s->path = su_strdup(path);
    s->file = fopen(s->part, "wb");
    if (s->file) return SU_OK;
    su_status status =
        su_fail(ctx, SU_IO, "cannot write %s: %s. Check that the folder exists and that you may write to it.", s->part, strerror(errno));
    su_stream_abandon(s);
    return status;
}

su_status su_stream_flush(su_context *ctx, su_stream *s, bool all)
{
    if (!all && s->buf.n < STREAM_BLOCK) return SU_OK;
    size_t n = s->buf.n;
    s->buf.n = 0;
    if (n && fwrite(s->buf.p, 1, n, s->file) != n)
        return su_fail(ctx, SU_IO, "cannot write %s: %s. Free some space on the disk and try again.", s->part, strerror(errno));
    return su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "stopped before %s was complete", s->path) : SU_OK;
}

su_status su_stream_close(su_context *ctx, su_stream *s)
{
    su_status status = su_stream_flush(ctx, s, true);
    if (status == SU_OK) {
        int failed = fclose(s->file);
        s->file = NULL;
        if (failed || rename(s->part, s->path) != 0)
            status = su_fail(ctx, SU_IO, "cannot write %s: %s", s->path, strerror(errno));
        else
            s->part[0] = '\0';
    }
    su_stream_abandon(s);
    return status;
}

void su_stream_abandon(su_stream *s)
{
    if (s->file) fclose(s->file);
    if (s->part && s->part[0]) unlink(s->part);
    free(s->part);
    free(s->path);
    su_buf_free(&s->buf);
    memset(s, 0, sizeof *s);
}
