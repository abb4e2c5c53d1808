/* fms: the shared file of synthetic interviews as a frame, with the reference file's first levels as references. */
#ifndef SU_TEST_FMS_H
#define SU_TEST_FMS_H

#include <suha/logit.h>

#include "analyse/reference.h"

typedef struct fms {
    su_context ctx;
    su_raw_table *table;
    su_frame *frame;
    json_t *expected;
    su_logit_reference references[16];
    size_t reference_count;
} fms;

/* False after printing why the test is skipped. expected_file may be NULL. */
SU_TEST_UNUSED static bool fms_open(fms *f, const char *data, const char *expected_file)
{
    memset(f, 0, sizeof *f);
    su_context_init(&f->ctx);
    const char *path = su_test_shared(data);
    if (!path || (expected_file && !(f->expected = su_reference(expected_file)))) return false;
    if (su_table_read(&f->ctx, path, NULL, &f->table) != SU_OK || su_frame_of_table(&f->ctx, f->table, NULL, &f->frame) != SU_OK)
        fail_msg("%s", f->ctx.message);
    const char *variable;
    json_t *levels, *all = f->expected ? json_object_get(f->expected, "factor_levels_first_is_reference") : NULL;
    json_object_foreach(all, variable, levels) f->references[f->reference_count++] =
        (su_logit_reference) { variable, json_string_value(json_array_get(levels, 0)) };
    return true;
}

SU_TEST_UNUSED static void fms_close(fms *f)
{
    su_frame_free(f->frame);
    su_raw_table_free(f->table);
    json_decref(f->expected);
}

/* R's "routeCMR:sexmale" for our "route=CMR:sex=male". */
SU_TEST_UNUSED static void fms_r_name(const char *ours, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = ours; *p && n + 1 < size; p++)
        if (*p != '=') out[n++] = *p;
    out[n] = 0;
}

/* Place of our column in the reference's list of names; fails the test when it is not there. */
SU_TEST_UNUSED static size_t fms_place(const json_t *names, const char *ours)
{
    char name[128];
    fms_r_name(ours, name, sizeof name);
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0) return i;
    fail_msg("the reference has no %s", name);
    return 0;
}

#endif
