#include "cli.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* One process has one terminal and one set of signals: this is their state. */
static volatile int interrupted;
static bool on_terminal, bar_open;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void su_terminal_line_end(void)
{
    if (bar_open) fputc('\n', stderr);
    bar_open = false;
}

/* Length of the control character at p, 0 when there is none: C0 but for tab and line feed, DEL, and C1 as UTF-8 writes it. */
static size_t control_at(const char *p, size_t n)
{
    unsigned char c = (unsigned char)p[0], next = n > 1 ? (unsigned char)p[1] : 0;
    if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f) return 1;
    return c == 0xc2 && next >= 0x80 && next < 0xa0 ? 2 : 0;
}

bool su_terminal_put(FILE *to, const char *p, size_t n)
{
    bool good = true;
    size_t from = 0, skip;
    for (size_t i = 0; i < n && good; i += skip ? skip : 1) {
        skip = control_at(p + i, n - i);
        if (!skip) continue;
        good = fwrite(p + from, 1, i - from, to) == i - from && fputc('?', to) != EOF;
        from = i + skip;
    }
    return good && fwrite(p + from, 1, n - from, to) == n - from;
}

static void log_line(void *user, const char *line)
{
    (void)user;
    su_terminal_line_end();
    su_terminal_put(stderr, line, strlen(line));
    fputc('\n', stderr);
}

static void progress(void *user, const char *step, double done)
{
    (void)user;
    if (!on_terminal) return;
    enum { WIDTH = 32 };
    char bar[WIDTH + 1];
    int filled = (int)(done * WIDTH + 0.5);
    if (filled < 0) filled = 0;
    if (filled > WIDTH) filled = WIDTH;
    memset(bar, '.', WIDTH);
    memset(bar, '#', (size_t)filled);
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r  %-28.28s [%s] %3d %%", step, bar, (int)(done * 100 + 0.5));
    bar_open = true;
    if (done >= 1) su_terminal_line_end();
    fflush(stderr);
}

void su_terminal_attach(su_context *ctx)
{
    on_terminal = isatty(STDERR_FILENO) != 0;
    struct sigaction act = { .sa_handler = on_signal };
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    ctx->cancel = &interrupted;
    ctx->log = log_line;
    ctx->progress = progress;
}

void su_terminal_wait(void)
{
    sigset_t both, before;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, &before);
    while (!interrupted) sigsuspend(&before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}
