/* reference: numbers that another program computed, read from the shared reference files.
 *
 *   su_reference("logit_fms.json")      the parsed file, or NULL after printing why the test is skipped; json_decref it
 *   su_reference_at(j, "logit/coef/3")  a member by path: object keys and array indices; fails the test when absent
 *   su_reference_number(j, path)        the same as a double; null gives NaN
 *   su_reference_value(leaf)            of a member that is at hand already
 *   su_reference_near(what, got, want, relative)        |got - want| <= relative * max(|want|, 1e-300); NaN only meets NaN
 *   su_reference_within(what, got, want, absolute)      |got - want| <= absolute
 *
 * With SUHA_REFERENCE_LOG naming a file, every number read and every comparison made is written to it, a line each: reference_coverage.py
 * tells from it which numbers of the reference files no test compares. */
#ifndef SU_TEST_REFERENCE_H
#define SU_TEST_REFERENCE_H

#include <jansson.h>
#include <math.h>

#include "su_test.h"

/* Files read with the log on stay in memory to the end, so that a number's place in them can be found again. */
static json_t *su_reference_roots[64];
static char su_reference_names[64][64];

SU_TEST_UNUSED static FILE *su_reference_log(void)
{
    static FILE *log;
    const char *path = getenv("SUHA_REFERENCE_LOG");
    if (path && !log && !(log = fopen(path, "a"))) abort();
    return log;
}

SU_TEST_UNUSED static json_t *su_reference(const char *file)
{
    char name[256];
    snprintf(name, sizeof name, "reference/%s", file);
    const char *path = su_test_shared(name);
    json_t *j = path ? json_load_file(path, 0, NULL) : NULL;
    if (path && !j) fail_msg("%s is not JSON", path);
    for (size_t i = 0; j && su_reference_log() && i < 64; i++) {
        if (su_reference_roots[i]) continue;
        su_reference_roots[i] = json_incref(j);
        snprintf(su_reference_names[i], sizeof su_reference_names[i], "%s", file);
        break;
    }
    return j;
}

/* Writes the path of `leaf` below `at` to path; false when it is not there. */
static bool su_reference_seek(const json_t *at, const json_t *leaf, char *path, size_t size)
{
    if (at == leaf) return true;
    const char *key;
    json_t *value;
    size_t i, n;
    if (json_is_object(at)) {
        json_object_foreach((json_t *)at, key, value)
        {
            n = (size_t)snprintf(path, size, "/%s", key);
            if (n < size && su_reference_seek(value, leaf, path + n, size - n)) return true;
        }
    }
    json_array_foreach(at, i, value)
    {
        n = (size_t)snprintf(path, size, "/%zu", i);
        if (n < size && su_reference_seek(value, leaf, path + n, size - n)) return true;
    }
    *path = 0;
    return false;
}

SU_TEST_UNUSED static double su_reference_value(const json_t *leaf)
{
    char path[512] = "";
    double x = json_is_number(leaf) ? json_number_value(leaf) : NAN;
    if (!su_reference_log() || !json_is_number(leaf)) return x;
    for (size_t i = 0; i < 64 && su_reference_roots[i]; i++) {
        if (!su_reference_seek(su_reference_roots[i], leaf, path, sizeof path)) continue;
        fprintf(su_reference_log(), "read %s%s %.17g\n", su_reference_names[i], path, x);
        break;
    }
    return x;
}

SU_TEST_UNUSED static const json_t *su_reference_at(const json_t *j, const char *path)
{
    char key[256];
    for (const char *p = path; *p && j;) {
        size_t n = strcspn(p, "/");
        assert_true(n < sizeof key);
        memcpy(key, p, n);
        key[n] = 0;
        j = json_is_array(j) ? json_array_get(j, strtoul(key, NULL, 10)) : json_object_get(j, key);
        p += n + (p[n] == '/');
    }
    if (!j) fail_msg("the reference file has no %s", path);
    return j;
}

SU_TEST_UNUSED static double su_reference_number(const json_t *j, const char *path)
{
    return su_reference_value(su_reference_at(j, path));
}

SU_TEST_UNUSED static void su_reference_within(const char *what, double got, double want, double absolute)
{
    if (su_reference_log()) fprintf(su_reference_log(), "near %.17g %.17g %.3g\n", want, got, absolute);
    if (isnan(want) ? !isnan(got) : !(fabs(got - want) <= absolute))
        fail_msg("%s: %.17g, the reference says %.17g (difference %.3g, allowed %.3g)", what, got, want, got - want, absolute);
}

SU_TEST_UNUSED static void su_reference_near(const char *what, double got, double want, double relative)
{
    su_reference_within(what, got, want, relative * fmax(fabs(want), 1e-300));
}

#endif
