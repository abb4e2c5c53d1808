/* A product that does not fit must end the process, in 128 bits as in 64. No argument that the sampler accepts gets that far (its largest
 * product is below 2^114 unless a draw lies 268 standard deviations out), so the sampler's own file is read in and asked directly. */
#include "../../src/protect/dp/sample.c" /* NOLINT(bugprone-suspicious-include) */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void wide(void) { times((u128)1 << 100, (u128)1 << 28); }
static void wide_by_little(void) { times(((u128)1 << 64) + 1, UINT64_MAX); } /* 2^128 - 1: fits */
static void narrow(void) { times64(UINT64_C(1) << 32, UINT64_C(1) << 32); }
static void narrow_by_little(void) { times64(UINT64_C(0xffffffff), UINT64_C(0x100000001)); } /* 2^64 - 1: fits */

static bool aborts(void (*call)(void))
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr)) _exit(1);
        call();
        _exit(0);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

int main(void)
{
    static const struct {
        void (*call)(void);
        bool stops;
        const char *what;
    } cases[] = { { wide, true, "a 128-bit product of 2^128 is refused" },
                  { wide_by_little, false, "a 128-bit product of 2^128 - 1 is made" },
                  { narrow, true, "a 64-bit product of 2^64 is refused" },
                  { narrow_by_little, false, "a 64-bit product of 2^64 - 1 is made" } };
    unsigned failed = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool good = aborts(cases[i].call) == cases[i].stops;
        printf("%s %s\n", good ? "ok    " : "FAILED", cases[i].what);
        failed += !good;
    }
    printf("%zu passed, %u failed\n", sizeof cases / sizeof *cases - failed, failed);
    return failed ? 1 : 0;
}
