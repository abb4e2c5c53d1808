/* tables: the published overlap tables, read from the shared data as a user's file is. */
#ifndef SU_TEST_MSE_TABLES_H
#define SU_TEST_MSE_TABLES_H

#include "reference.h"
#include "mse/lattice.h"

/* NULL after printing why the test is skipped. */
SU_TEST_UNUSED static su_overlaps *read_table(const char *name)
{
    char file[64];
    snprintf(file, sizeof file, "data/mse/%s.csv", name);
    const char *path = su_test_shared(file);
    su_context ctx;
    su_raw_table *raw = NULL;
    su_overlaps *o = NULL;
    su_overlap_options options = { 0 };
    if (!path) return NULL;
    su_context_init(&ctx);
    if (su_table_read(&ctx, path, NULL, &raw) || su_overlaps_of_table(&ctx, raw, &options, &o)) fail_msg("%s", ctx.message);
    su_raw_table_free(raw);
    return o;
}

/* A table made by hand: pairs of history ("110") and count, ended by NULL. */
typedef struct history_count {
    const char *history;
    int64_t count;
} history_count;

SU_TEST_UNUSED static size_t cell_of(const char *history)
{
    size_t w = 0;
    for (size_t i = 0; history[i]; i++)
        if (history[i] == '1') w |= (size_t)1 << i;
    return w;
}

SU_TEST_UNUSED static su_overlaps *table_of(unsigned lists, const history_count *rows)
{
    int64_t counts[1 << 12] = { 0 };
    su_overlaps *o = NULL;
    for (; rows->history; rows++) counts[cell_of(rows->history)] += rows->count;
    assert_int_equal(su_overlaps_new(NULL, lists, NULL, counts, &o), SU_OK);
    return o;
}

/* "13" of a reference file as a set of lists. */
SU_TEST_UNUSED static unsigned term_of(const char *digits)
{
    unsigned term = 0;
    for (; *digits; digits++) term |= 1u << (*digits - '1');
    return term;
}

#endif
