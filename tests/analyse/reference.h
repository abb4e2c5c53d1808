/* reference: numbers that another program computed, read from the shared reference files.
 *
 *   su_reference("logit_fms.json")      the parsed file, or NULL after printing why the test is skipped; json_decref it
 *   su_reference_at(j, "logit/coef/3")  a member by path: object keys and array indices; fails the test when absent
 *   su_reference_number(j, path)        the same as a double; null gives NaN
 *   su_reference_near(what, got, want, relative)        |got - want| <= relative * max(|want|, 1e-300); NaN only meets NaN
 *   su_reference_within(what, got, want, absolute)      |got - want| <= absolute */
#ifndef SU_TEST_REFERENCE_H
#define SU_TEST_REFERENCE_H

#include <jansson.h>
#include <math.h>

#include "su_test.h"

SU_TEST_UNUSED static json_t *su_reference(const char *file)
{
    char name[256];
    snprintf(name, sizeof name, "reference/%s", file);
    const char *path = su_test_shared(name);
    json_t *j = path ? json_load_file(path, 0, NULL) : NULL;
    if (path && !j) fail_msg("%s is not JSON", path);
    return j;
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
    const json_t *x = su_reference_at(j, path);
    return json_is_number(x) ? json_number_value(x) : NAN;
}

SU_TEST_UNUSED static void su_reference_within(const char *what, double got, double want, double absolute)
{
    if (isnan(want) ? !isnan(got) : !(fabs(got - want) <= absolute))
        fail_msg("%s: %.17g, the reference says %.17g (difference %.3g, allowed %.3g)", what, got, want, got - want, absolute);
}

SU_TEST_UNUSED static void su_reference_near(const char *what, double got, double want, double relative)
{
    su_reference_within(what, got, want, relative * fmax(fabs(want), 1e-300));
}

#endif
