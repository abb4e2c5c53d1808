#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { SECRET_MAX = 1024 };

static su_status secret_new(su_cli *cli, su_cli_secret *s)
{
    if (sodium_init() < 0) return su_fail(&cli->ctx, SU_CRYPTO, "libsodium cannot start");
    s->p = sodium_malloc(SECRET_MAX);
    s->n = 0;
    return s->p ? SU_OK : su_fail(&cli->ctx, SU_IO, "no locked memory for the passphrase; raise ulimit -l");
}

void su_cli_secret_free(su_cli_secret *s)
{
    if (s->p) sodium_free(s->p);
    *s = (su_cli_secret) { NULL, 0 };
}

/* First line of fd, without the line end. */
static su_status read_line(su_cli *cli, int fd, const char *from, su_cli_secret *s)
{
    for (;;) {
        char c;
        ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR && !su_cancelled(&cli->ctx)) continue;
        if (got < 0 || su_cancelled(&cli->ctx))
            return su_fail(&cli->ctx, SU_IO, "the passphrase could not be read from %s: %s", from, strerror(errno));
        if (got == 0 || c == '\n') break;
        if (s->n == SECRET_MAX) return su_fail(&cli->ctx, SU_USAGE, "the passphrase in %s is longer than %d bytes", from, SECRET_MAX);
        s->p[s->n++] = c;
    }
    if (s->n && s->p[s->n - 1] == '\r') s->n--;
    return SU_OK;
}

static su_status prompt(su_cli *cli, const char *text, su_cli_secret *s)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return su_fail(&cli->ctx, SU_USAGE,
                       "no terminal to ask for the passphrase; use --passphrase-file FILE or the environment variable SUHA_PASSPHRASE");
    struct termios before, quiet;
    su_status st = SU_OK;
    if (tcgetattr(fd, &before) != 0) {
        st = su_fail(&cli->ctx, SU_IO, "the terminal cannot hide what is typed: %s", strerror(errno));
    } else {
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(fd, TCSAFLUSH, &quiet);
        dprintf(fd, "%s: ", text);
        st = read_line(cli, fd, "the terminal", s);
        tcsetattr(fd, TCSAFLUSH, &before);
        dprintf(fd, "\n");
    }
    close(fd);
    return st;
}

static su_status from_file(su_cli *cli, const char *path, su_cli_secret *s)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return su_fail(&cli->ctx, SU_IO, "passphrase file %s: %s", path, strerror(errno));
    su_status st = read_line(cli, fd, path, s);
    close(fd);
    return st;
}

static su_status from_prompt(su_cli *cli, bool twice, su_cli_secret *s)
{
    su_cli_secret again = { NULL, 0 };
    su_status st = prompt(cli, "Passphrase", s);
    if (!st && twice) {
        st = secret_new(cli, &again);
        if (!st) st = prompt(cli, "The same passphrase again", &again);
        if (!st && (again.n != s->n || sodium_memcmp(again.p, s->p, s->n) != 0))
            st = su_fail(&cli->ctx, SU_USAGE, "the two passphrases differ; nothing was made, try again");
    }
    su_cli_secret_free(&again);
    return st;
}

su_status su_cli_passphrase(su_cli *cli, bool twice, su_cli_secret *out)
{
    su_status st = secret_new(cli, out);
    if (st) return st;
    const char *file = su_cli_option(cli, "passphrase-file"), *env = getenv("SUHA_PASSPHRASE");
    if (file) {
        st = from_file(cli, file, out);
    } else if (env) {
        if (strlen(env) > SECRET_MAX)
            st = su_fail(&cli->ctx, SU_USAGE, "SUHA_PASSPHRASE is longer than %d bytes", SECRET_MAX);
        else
            memcpy(out->p, env, out->n = strlen(env));
    } else {
        st = from_prompt(cli, twice, out);
    }
    if (!st && out->n == 0) st = su_fail(&cli->ctx, SU_USAGE, "the passphrase is empty");
    if (st) su_cli_secret_free(out);
    return st;
}
