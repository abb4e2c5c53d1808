/* Time: the only place that asks what time it is. */
#include <suha/base.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t su_clock_unix(void)
{
    /* https://reproducible-builds.org/specs/source-date-epoch/ */
    int64_t fixed;
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    if (epoch && su_parse_i64(su_str_of(epoch), &fixed) && fixed >= 0) return fixed;
    return (int64_t)time(NULL);
}

void su_clock_iso(int64_t unix_seconds, char out[21])
{
    static const int64_t last = 253402300799;  /* 9999-12-31T23:59:59Z: more does not fit the format */
    static const int64_t first = -62167219200; /* 0000-01-01T00:00:00Z */
    time_t t = (time_t)(unix_seconds > last ? last : unix_seconds < first ? first : unix_seconds);
    struct tm tm;
    gmtime_r(&t, &tm);
    char text[96];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
    memcpy(out, text, 20);
    out[20] = '\0';
}

double su_clock_cpu(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) return 0;
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
