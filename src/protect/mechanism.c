/* mechanism: names, and who runs what. */
#include "mechanism.h"
#include "pgm/pgm.h"
#include "prepare.h"
#include "sds/sds.h"

#include <suha/plant.h>

#include <string.h>

static su_status run_residual(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, const su_measured_hook *hook)
{
    su_measurement *noisy = NULL;
    su_status st = su_release_measure(ctx, r, m, random, &noisy);
    if (!st) st = su_measured(hook);
    if (!st) st = su_release_finish(ctx, r, noisy, random);
    SU_PLANT(EXACT_N, r->total_estimate = (double)m->row_count, (void)0);
    su_measurement_free(noisy);
    return st;
}

static const su_mechanism_run runs[SU_MECHANISM_COUNT] = { [SU_MECHANISM_RESIDUAL] = run_residual,
                                                            [SU_MECHANISM_MST] = su_run_mst,
                                                            [SU_MECHANISM_AIM] = su_run_aim,
                                                            [SU_MECHANISM_SDS] = su_sds_run,
                                                            [SU_MECHANISM_ROW_SEEDED] = su_k_run,
                                                            [SU_MECHANISM_VALUE_SEEDED] = su_k_run,
                                                            [SU_MECHANISM_UNSEEDED] = su_k_run };

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

/* A row without any value says nothing, and readers of CSV stumble over it. Post-processing: the number of records has its own estimate. */
static void drop_blank_records(su_release *r)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < r->record_count; i++) {
        bool blank = true;
        for (uint32_t c = 0; c < r->column_count; c++) blank = blank && r->records[c][i] == 0;
        if (blank) continue;
        for (uint32_t c = 0; c < r->column_count; c++) r->records[c][kept] = r->records[c][i];
        kept++;
    }
    r->record_count = kept;
}

su_status su_release_run(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, su_status (*measured)(void *arg),
                         void *arg)
{
    su_measured_hook hook = { measured, arg };
    su_prepared ready;
    /* Counting reads bytes as they are; the other mechanisms keep records of their own in words anyway. */
    su_code_matrix *wide = r->options.mechanism != SU_MECHANISM_RESIDUAL && su_code_matrix_narrow(m) ? su_code_matrix_widen(m) : NULL;
    su_status st = su_prepare(ctx, r, wide ? wide : m, random, &ready);
    if (!st) {
        st = runs[r->options.mechanism](ctx, r, &ready.matrix, random, &hook);
        su_prepared_free(&ready);
    }
    su_code_matrix_free(wide);
    if (st) return st;
    su_obey_rules(r);
    drop_blank_records(r);
    return SU_OK;
}
