/* arrivals: the shared file monthly_arrivals.csv (invented numbers) as arrays, and its regression design. */
#ifndef SU_TEST_ARRIVALS_H
#define SU_TEST_ARRIVALS_H

#include <suha/table.h>

#include "analyse/reference.h"

enum { ARRIVALS_MOST = 64 };
typedef struct arrivals {
    size_t n;
    double t[ARRIVALS_MOST], month[ARRIVALS_MOST], count[ARRIVALS_MOST], post[ARRIVALS_MOST], days[ARRIVALS_MOST];
} arrivals;

SU_TEST_UNUSED static void arrivals_column(const su_raw_table *raw, const char *name, double *out)
{
    int c = su_raw_table_column(raw, su_str_of(name));
    assert_true(c >= 0);
    for (uint64_t r = 0; r < raw->row_count; r++)
        assert_true(su_parse_f64(su_dict_get(raw->columns[c].values, raw->columns[c].ids[r]), &out[r]));
}

/* False after printing why the test is skipped. */
SU_TEST_UNUSED static bool arrivals_read(arrivals *a)
{
    const char *path = su_test_shared("statistics/monthly_arrivals.csv");
    su_raw_table *raw = NULL;
    su_context ctx;
    if (!path) return false;
    su_context_init(&ctx);
    assert_int_equal(su_table_read(&ctx, path, NULL, &raw), SU_OK);
    assert_true(raw->row_count <= ARRIVALS_MOST);
    a->n = raw->row_count;
    arrivals_column(raw, "t", a->t);
    arrivals_column(raw, "month", a->month);
    arrivals_column(raw, "arrivals", a->count);
    arrivals_column(raw, "post", a->post);
    arrivals_column(raw, "days", a->days);
    su_raw_table_free(raw);
    return true;
}

/* arrivals ~ t + cos + sin + post: one row of the design. */
SU_TEST_UNUSED static void arrivals_row(double t, double month, double post, double row[5])
{
    double angle = 2 * acos(-1) * month / 12;
    row[0] = 1;
    row[1] = t;
    row[2] = cos(angle);
    row[3] = sin(angle);
    row[4] = post;
}

#endif
