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

/* Madigan and York 1997, spina bifida, as the help page of the R package has it: counts in the order of the cells 0, 1, 2, ... with the
 * first list in the lowest bit (the first entry is the unseen, 0). */
SU_TEST_UNUSED static const int64_t SPINA_BIFIDA[32] = { 0,  27, 37, 19, 4, 4, 1, 1, 97, 22, 37, 25, 2, 1, 3, 5,
                                                         83, 36, 34, 18, 3, 5, 0, 2, 30, 5,  23, 8,  0, 3, 0, 2 };

/* A table made by hand: pairs of history ("110") and count, ended by NULL. */
typedef struct history_count {
    const char *history;
    int64_t count;
} history_count;

/* Killings in Kosovo, 1999: Ball and others 2002; lists EXH, ABA, HRW, OSCE. */
SU_TEST_UNUSED static const history_count KOSOVO[] = { { "1111", 27 },  { "0111", 32 },  { "1011", 42 },   { "0011", 123 },
                                                       { "1110", 18 },  { "0110", 31 },  { "1010", 106 },  { "0010", 306 },
                                                       { "1101", 181 }, { "0101", 217 }, { "1001", 228 },  { "0001", 936 },
                                                       { "1100", 177 }, { "0100", 845 }, { "1000", 1131 }, { NULL, 0 } };

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
