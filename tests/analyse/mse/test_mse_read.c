/* The reader of overlap tables and person rows, models as text, and operations on tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tables.h"

static su_context ctx;

static su_overlaps *read_text(const char *csv, const su_overlap_options *options, su_status want)
{
    su_raw_table *raw = NULL;
    su_overlaps *o = NULL;
    static const su_overlap_options none;
    su_context_init(&ctx);
    assert_int_equal(su_csv_parse(&ctx, "t.csv", su_str_of(csv), NULL, &raw), SU_OK);
    su_status st = su_overlaps_of_table(&ctx, raw, options ? options : &none, &o);
    su_raw_table_free(raw);
    if (st != want) fail_msg("status %d, wanted %d: %s", st, want, ctx.message);
    assert_true((st == SU_OK) == (o != NULL));
    return o;
}

static void refused(const char *csv, const su_overlap_options *options, su_status status, const char *words)
{
    assert_null(read_text(csv, options, status));
    if (!strstr(ctx.message, words)) fail_msg("'%s' is not in: %s", words, ctx.message);
}

static void overlap_tables(void **state)
{
    (void)state;
    /* any order, repeated rows add up, absent cells are 0, a row of zeros with no count is passed over, words for 0 and 1 */
    su_overlaps *o = read_text("count,A,B,C\n5,1,0,0\n2,no,yes,0\n7,1,0,0\n3,0,1,1\n0,0,0,0\n,0,0,0\n1, TRUE ,0,1\n", NULL, SU_OK);
    assert_int_equal(o->lists, 3);
    assert_string_equal(o->names[0], "A");
    assert_int_equal(o->n, 18);
    assert_int_equal(o->counts[1], 12);
    assert_int_equal(o->counts[2], 2);
    assert_int_equal(o->counts[6], 3);
    assert_int_equal(o->counts[5], 1);
    assert_int_equal(o->counts[7], 0);
    su_overlaps *turned = read_text("A,B,C,people\n0,1,1,3\n1,0,1,1\n0,1,0,2\n1,0,0,12\n", NULL, SU_OK);
    assert_memory_equal(&o->fingerprint, &turned->fingerprint, sizeof o->fingerprint); /* the same table, written otherwise */
    su_overlaps_free(turned);
    su_overlaps_free(o);
    o = read_text("A;B;how many\n1;0;4\n1;1;2\n", NULL, SU_OK); /* the only other number is the count */
    assert_int_equal(o->n, 6);
    su_overlaps_free(o);
}

static void person_rows(void **state)
{
    (void)state;
    su_overlaps *o = read_text("A,B,C\n1,0,0\n1,1,0\n1,0,0\n0,0,1\n", NULL, SU_OK);
    assert_int_equal(o->n, 4);
    assert_int_equal(o->counts[1], 2);
    assert_int_equal(o->counts[3], 1);
    su_overlaps_free(o);
    const char *const lists[] = { "B", "A" };
    su_overlap_options options = { .lists = lists, .list_count = 2, .person_rows = true };
    o = read_text("A,id,n,B\n1,x1,9,0\n1,x2,9,1\n", &options, SU_OK);
    assert_string_equal(o->names[0], "B");
    assert_int_equal(o->counts[2], 1); /* on A, which is list 2 now */
    assert_int_equal(o->counts[3], 1);
    su_overlaps_free(o);
}

static void covariates(void **state)
{
    (void)state;
    const char *const traits[] = { "age", "sex" };
    su_overlap_options options = { .covariates = traits, .covariate_count = 2 };
    su_overlaps *o = read_text("A,B,sex,age,n\n1,0,F,10,3\n0,1,M,9,2\n1,1,F,9,4\n", &options, SU_OK);
    assert_int_equal(o->strata, 4);
    assert_string_equal(o->covariate_values[0][0], "9"); /* by size, not by bytes */
    assert_int_equal(o->stratum_counts[0 * 4 + 3], 4);   /* age 9, sex F */
    assert_int_equal(o->stratum_counts[1 * 4 + 2], 2);   /* age 9, sex M */
    assert_int_equal(o->stratum_counts[2 * 4 + 1], 3);
    su_overlaps *less = su_overlaps_without(o, 0);
    assert_int_equal(less->n, 6);
    assert_int_equal(less->stratum_counts[0 * 2 + 1], 4);
    su_overlaps_free(less);
    su_overlaps_free(o);
}

static void bad_tables(void **state)
{
    (void)state;
    const char *const twice[] = { "A", "A" }, *const none[] = { "Q" };
    su_overlap_options options = { .lists = twice, .list_count = 2 };
    refused("A,B,n\n1,2,5\n", NULL, SU_INPUT, "line 2, column 'B': '2' is neither 0 nor 1");
    refused("A,B,n\n1,0,5\n1,,5\n", NULL, SU_INPUT, "line 3, column 'B': an empty cell");
    refused("A,B,n\n1,0,5.5\n", NULL, SU_INPUT, "'5.5' is no number of people");
    refused("A,B,n\n1,0,-1\n", NULL, SU_INPUT, "'-1' is no number of people");
    refused("A,B,n\n1,0,many\n", NULL, SU_INPUT, "'many' is no number of people");
    refused("A,B,n\n1,0,\n", NULL, SU_INPUT, "is no number of people");
    refused("A,B,n\n1,0,1e300\n", NULL, SU_INPUT, "is no number of people");
    refused("A,B,n\n1,0,1099511627776\n0,1,1\n", NULL, SU_INPUT, "more than");
    refused("A,B,n\n0,0,5\n", NULL, SU_INPUT, "line 2: 5 people are on no list");
    refused("A,B\n1,0\n0,0\n", NULL, SU_INPUT, "line 3: 1 person is on no list");
    refused("name,B\nx,1\n", NULL, SU_INPUT, "--lists");
    refused("A,B\n1,0\n", &options, SU_USAGE, "twice");
    options = (su_overlap_options) { .lists = none, .list_count = 1 };
    refused("A,B\n1,0\n", &options, SU_INPUT, "no column 'Q'");
    options = (su_overlap_options) { .covariates = none, .covariate_count = 1 };
    refused("A,B,Q\n1,0,x\n1,1,\n", &options, SU_INPUT, "covariate 'Q' is empty");
    options = (su_overlap_options) { .count = "A", .lists = twice, .list_count = 1 };
    refused("A,B\n1,0\n", &options, SU_USAGE, "something else");
    refused("a,b,c,d,e,f,g,h,i,j,k,l,m\n1,0,0,0,0,0,0,0,0,0,0,0,0\n", NULL, SU_REFUSED, "more than 12");
}

static void models_as_text(void **state)
{
    (void)state;
    const char *const names[] = { "LA", "NG", "PF", "1x" };
    int64_t counts[16] = { 0, 1, 1, 0, 1, 0, 0, 0, 1 };
    su_overlaps *o = NULL;
    su_model m;
    char text[SU_MODEL_TEXT];
    su_context_init(&ctx);
    assert_int_equal(su_overlaps_new(&ctx, 4, names, counts, &o), SU_OK);
    static const struct {
        const char *in, *out;
    } good[] = { { "[12,13,4]", "[12,13,4]" },   { "4 , 31,21", "[12,13,4]" },  { "[123]", "[123,4]" },          { "", "[1,2,3,4]" },
                 { "[LA*NG,PF:1x]", "[12,34]" }, { "[12,123,34]", "[123,34]" }, { "[12,13,23]", "[12,13,23,4]" } };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (su_model_parse(&ctx, o, good[i].in, &m)) fail_msg("%s: %s", good[i].in, ctx.message);
        su_model_print(&m, 4, text);
        assert_string_equal(text, good[i].out);
    }
    static const struct {
        const char *in;
        su_status status;
        const char *words;
    } bad[] = { { "[12,15]", SU_USAGE, "there is no such list\n  [12,15]\n       ^" },
                { "[12,13", SU_USAGE, "closing bracket" },
                { "[12,,3]", SU_USAGE, "a term is empty" },
                { "[112]", SU_USAGE, "stands twice" },
                { "[1234]", SU_REFUSED, "joins all lists" },
                { "[LA*QQ]", SU_USAGE, "no such list" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(su_model_parse(&ctx, o, bad[i].in, &m), bad[i].status);
        if (!strstr(ctx.message, bad[i].words)) fail_msg("'%s' is not in: %s", bad[i].words, ctx.message);
    }
    su_overlaps_free(o);
}

/* Merging and leaving out, against counting people one by one. */
static void operations(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    for (int trial = 0; trial < 200; trial++) {
        unsigned lists = 2 + (unsigned)su_random_below(&r, 5), a, b;
        int64_t counts[64] = { 0 }, merged[32] = { 0 }, less[32] = { 0 };
        for (size_t w = 1; w < (size_t)1 << lists; w++) counts[w] = (int64_t)su_random_below(&r, 4);
        do {
            a = (unsigned)su_random_below(&r, lists), b = (unsigned)su_random_below(&r, lists);
        } while (a == b);
        for (size_t w = 1; w < (size_t)1 << lists; w++) {
            size_t with = 0, without = 0;
            for (unsigned i = 0, to = 0; i < lists; i++) {
                if (i == (a > b ? a : b)) continue;
                bool on = w >> i & 1 || (i == (a < b ? a : b) && w >> (a > b ? a : b) & 1);
                with |= (size_t)on << to++;
            }
            for (unsigned i = 0, to = 0; i < lists; i++)
                if (i != a) without |= (w >> i & 1) << to++;
            merged[with] += counts[w];
            if (without) less[without] += counts[w];
        }
        su_overlaps *o = NULL;
        assert_int_equal(su_overlaps_new(&ctx, lists, NULL, counts, &o), SU_OK);
        su_overlaps *m = su_overlaps_merged(o, a, b), *l = su_overlaps_without(o, a);
        assert_memory_equal(m->counts, merged, m->cells * sizeof *merged);
        assert_memory_equal(l->counts, less, l->cells * sizeof *less);
        assert_int_equal(m->n, o->n);
        su_overlaps_free(m);
        su_overlaps_free(l);
        su_overlaps_free(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(overlap_tables), cmocka_unit_test(person_rows),    cmocka_unit_test(covariates),
                                        cmocka_unit_test(bad_tables),     cmocka_unit_test(models_as_text), cmocka_unit_test(operations) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
