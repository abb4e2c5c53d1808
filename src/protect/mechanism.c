/* mechanism: names, and who runs what. */
#include "mechanism.h"

#include <string.h>

static su_status run_residual(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, const su_measured_hook *hook)
{
    su_measurement *noisy = NULL;
    su_status st = su_release_measure(ctx, r, m, random, &noisy);
    if (!st) st = su_measured(hook);
    if (!st) st = su_release_finish(ctx, r, noisy, random);
    su_measurement_free(noisy);
    return st;
}

static const su_mechanism_run runs[SU_MECHANISM_COUNT] = { [SU_MECHANISM_RESIDUAL] = run_residual };

#define NAME(id, name, bound, about) name,
#define BOUND(id, name, bound, about) bound,
#define ABOUT(id, name, bound, about) about,
static const char *const names[] = { SU_MECHANISM_LIST(NAME) };
static const bool bounds[] = { SU_MECHANISM_LIST(BOUND) };
static const char *const abouts[] = { SU_MECHANISM_LIST(ABOUT) };

const char *su_mechanism_name(su_mechanism m) { return m < SU_MECHANISM_COUNT ? names[m] : "unknown"; }
const char *su_mechanism_about(su_mechanism m) { return m < SU_MECHANISM_COUNT ? abouts[m] : "unknown"; }
bool su_mechanism_bound(su_mechanism m) { return m < SU_MECHANISM_COUNT && bounds[m]; }

bool su_mechanism_parse(const char *name, su_mechanism *out)
{
    for (su_mechanism m = 0; m < SU_MECHANISM_COUNT; m++)
        if (strcmp(names[m], name) == 0) {
            *out = m;
            return true;
        }
    return false;
}

su_status su_release_run(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, su_status (*measured)(void *arg), void *arg)
{
    su_measured_hook hook = { measured, arg };
    return runs[r->options.mechanism](ctx, r, m, random, &hook);
}
