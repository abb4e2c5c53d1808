/* The context: where failures are put into words, and how long work talks to the person who waits for it. */
#include <suha/base.h>

#include <string.h>

/* A message that was cut must not end in the middle of a character. */
static void cut_at_character(char *text, size_t capacity, int written)
{
    if (written < 0) {
        text[0] = '\0';
        return;
    }
    if ((size_t)written < capacity) return;
    size_t n = capacity - 1;
    size_t start = n;
    while (start > 0 && n - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0) {
        size_t bad;
        if (!su_utf8_valid(text + start - 1, n - (start - 1), &bad)) text[start - 1] = '\0';
    }
}

void su_context_init(su_context *ctx) { memset(ctx, 0, sizeof *ctx); }

su_status su_fail(su_context *ctx, su_status status, const char *fmt, ...)
{
    if (!ctx) return status;
    /* The arguments may point into the old message. */
    char text[sizeof ctx->message];
    va_list ap;
    va_start(ap, fmt);
    int written = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    cut_at_character(text, sizeof text, written);
    ctx->status = status;
    memcpy(ctx->message, text, sizeof text);
    return status;
}

su_status su_fail_prefix(su_context *ctx, const char *fmt, ...)
{
    if (!ctx) return SU_INTERNAL;
    char text[sizeof ctx->message];
    va_list ap;
    va_start(ap, fmt);
    int written = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    cut_at_character(text, sizeof text, written);
    size_t have = strlen(text), room = sizeof text - have;
    size_t more = strlen(ctx->message);
    if (more < room) {
        memcpy(text + have, ctx->message, more + 1);
    } else {
        memcpy(text + have, ctx->message, room - 1);
        text[sizeof text - 1] = '\0';
        cut_at_character(text, sizeof text, (int)sizeof text);
    }
    memcpy(ctx->message, text, sizeof text);
    return ctx->status;
}

void su_log(su_context *ctx, const char *fmt, ...)
{
    if (!ctx || !ctx->log) return;
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    int written = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    cut_at_character(line, sizeof line, written);
    ctx->log(ctx->user, line);
}

void su_progress(su_context *ctx, const char *step, double done)
{
    if (ctx && ctx->progress) ctx->progress(ctx->user, step, done < 0 ? 0 : done > 1 ? 1 : done);
}

bool su_cancelled(const su_context *ctx) { return ctx && ctx->cancel && *ctx->cancel; }
