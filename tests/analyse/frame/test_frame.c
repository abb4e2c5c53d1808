/* Frames: what is a number, what is a factor, what is missing and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <suha/analyse.h>

#include "su_test.h"

typedef struct world {
    su_context ctx;
    su_raw_table *raw;
    su_frame *frame;
} world;

static void open_csv(world *w, const char *csv, const su_schema *schema, const su_frame_options *options)
{
    su_read_options read = { .delimiter = ',' };
    su_frame_options none = { 0 };
    su_context_init(&w->ctx);
    if (su_csv_parse(&w->ctx, "t.csv", su_str_of(csv), &read, &w->raw)) fail_msg("%s", w->ctx.message);
    if (su_frame_of_table_with(&w->ctx, w->raw, schema, options ? options : &none, &w->frame)) fail_msg("%s", w->ctx.message);
}

static void close_world(world *w)
{
    su_frame_free(w->frame);
    su_raw_table_free(w->raw);
}

static const su_variable *find(world *w, const char *name)
{
    const su_variable *v = NULL;
    if (su_frame_find(&w->ctx, w->frame, su_str_of(name), &v)) fail_msg("%s", w->ctx.message);
    return v;
}

static void test_kinds(void **state)
{
    (void)state;
    world w = { 0 };
    open_csv(&w, "age,sex,code,empty\n 17 ,f,1,\n-2.5e1,m,x,NA\nNA,,2,\n.,f,1,n/a\n", NULL, NULL);
    const su_variable *age = find(&w, "age"), *sex = find(&w, "sex"), *code = find(&w, "code"), *empty = find(&w, "empty");
    assert_int_equal(age->kind, SU_VARIABLE_NUMBER);
    assert_true(su_frame_number(age, 0) == 17 && su_frame_number(age, 1) == -25);
    assert_true(isnan(su_frame_number(age, 2)) && isnan(su_frame_number(age, 3)));
    assert_int_equal(sex->kind, SU_VARIABLE_FACTOR);
    assert_int_equal(sex->level_count, 2);
    assert_int_equal(su_frame_level(sex, 2), 0);
    assert_string_equal(sex->levels[su_frame_level(sex, 3) - 1], "f");
    assert_int_equal(code->kind, SU_VARIABLE_FACTOR); /* one cell is no number */
    assert_string_equal(code->levels[0], "1");
    assert_string_equal(code->levels[2], "x");
    assert_int_equal(empty->level_count, 0);
    close_world(&w);
}

static void test_order_of_levels(void **state)
{
    (void)state;
    world w = { 0 };
    open_csv(&w, "v\n10\n9\nb\na\n100\n", NULL, NULL);
    const su_variable *v = find(&w, "v");
    const char *want[] = { "9", "10", "100", "a", "b" };
    assert_int_equal(v->level_count, 5);
    for (int i = 0; i < 5; i++) assert_string_equal(v->levels[i], want[i]);
    close_world(&w);
}

static void test_missing_codes(void **state)
{
    (void)state;
    su_missing codes[] = { { "-99", SU_CELL_NOT_RECORDED }, { "refused", SU_CELL_REFUSED } };
    su_frame_options o = { codes, 2 };
    world w = { 0 };
    open_csv(&w, "a,b\n1,Refused\n-99.0,yes\n-98,no\n", NULL, &o);
    const su_variable *a = find(&w, "a"), *b = find(&w, "b");
    assert_true(isnan(su_frame_number(a, 1)));
    assert_true(su_frame_number(a, 2) == -98);
    assert_int_equal(su_frame_level(b, 0), 0);
    assert_int_equal(b->reason[b->ids[0]], SU_CELL_REFUSED);
    assert_int_equal(b->level_count, 2);
    close_world(&w);
}

static void test_schema_gives_order_and_reasons(void **state)
{
    (void)state;
    su_arena arena;
    su_arena_init(&arena);
    su_str codes[] = { SU_STR("never"), SU_STR("sometimes"), SU_STR("always"), SU_STR("7") };
    su_missing missing[] = { { "-9", SU_CELL_REFUSED } };
    su_field fields[] = { { .name = "often",
                            .type = SU_TYPE_CODE,
                            .codelist = su_codelist_exact(&arena, "often", codes, 4),
                            .missing = missing,
                            .missing_count = 1,
                            .group = -1 },
                          { .name = "age", .type = SU_TYPE_INTEGER, .missing = missing, .missing_count = 1, .group = -1 } };
    su_schema schema = { .name = "s", .fields = fields, .field_count = 2 };
    world w = { 0 };
    open_csv(&w, "often,age\nalways,-9\n-9,30\nnever,4\nzzz,5\naaa,6\nunknown,unknown\n", &schema, NULL);
    const su_variable *often = find(&w, "often"), *age = find(&w, "age");
    const char *want[] = { "never", "always", "aaa", "zzz" };
    assert_int_equal(often->level_count, 4); /* only what occurs, the codelist's first */
    for (int i = 0; i < 4; i++) assert_string_equal(often->levels[i], want[i]);
    assert_int_equal(often->reason[often->ids[1]], SU_CELL_REFUSED);
    assert_int_equal(often->reason[often->ids[5]], SU_CELL_UNKNOWN);
    assert_int_equal(age->kind, SU_VARIABLE_NUMBER);
    assert_true(isnan(su_frame_number(age, 0)) && isnan(su_frame_number(age, 5)));
    close_world(&w);
    su_codelist_free((su_codelist *)fields[0].codelist);
    su_arena_free(&arena);
}

static void test_names(void **state)
{
    (void)state;
    world w = { 0 };
    open_csv(&w, "Outcome,route,Route\n1,a,b\n", NULL, NULL);
    const su_variable *v = NULL;
    assert_string_equal(find(&w, "outcome")->name, "Outcome");
    assert_string_equal(find(&w, "route")->name, "route");
    assert_int_equal(su_frame_find(&w.ctx, w.frame, SU_STR("ROUTE"), &v), SU_INPUT);
    assert_non_null(strstr(w.ctx.message, "several columns"));
    assert_int_equal(su_frame_find(&w.ctx, w.frame, SU_STR("outcom"), &v), SU_INPUT);
    assert_non_null(strstr(w.ctx.message, "did you mean 'Outcome'?"));
    assert_int_equal(su_frame_find(&w.ctx, w.frame, SU_STR("qqqqqqqqqq"), &v), SU_INPUT);
    assert_non_null(strstr(w.ctx.message, "there is no column 'qqqqqqqqqq'"));
    close_world(&w);
}

static void test_number_as_factor(void **state)
{
    (void)state;
    world w = { 0 };
    const su_variable *f = NULL, *again = NULL;
    open_csv(&w, "h\n2\n10\n2.0\nNA\n-1\n0.1\n", NULL, NULL);
    assert_int_equal(su_frame_as_factor(&w.ctx, w.frame, find(&w, "h"), &f), SU_OK);
    const char *want[] = { "-1", "0.1", "2", "10" };
    assert_int_equal(f->level_count, 4);
    for (int i = 0; i < 4; i++) assert_string_equal(f->levels[i], want[i]);
    assert_int_equal(su_frame_level(f, 0), su_frame_level(f, 2)); /* 2 and 2.0 */
    assert_int_equal(su_frame_level(f, 3), 0);
    assert_int_equal(su_frame_as_factor(&w.ctx, w.frame, f, &again), SU_OK);
    assert_ptr_equal(again, f);
    close_world(&w);
}

static void test_many_variables(void **state)
{
    (void)state;
    double one[] = { 1, 2 };
    su_frame *f = su_frame_new(2);
    su_variable *first = su_frame_add_number(f, "v0", one);
    for (int i = 1; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        su_frame_add_number(f, name, one);
    }
    const su_variable *v = NULL;
    assert_string_equal(first->name, "v0"); /* still readable after the array moved */
    assert_int_equal(su_frame_find(NULL, f, SU_STR("v299"), &v), SU_OK);
    assert_true(su_frame_number(v, 1) == 2);
    su_frame_free(f);
}

static void test_no_rows(void **state)
{
    (void)state;
    world w = { 0 };
    su_read_options read = { .delimiter = ',' };
    su_context_init(&w.ctx);
    assert_int_equal(su_csv_parse(&w.ctx, "t.csv", SU_STR("a,b\n"), &read, &w.raw), SU_OK);
    assert_int_equal(su_frame_of_table(&w.ctx, w.raw, NULL, &w.frame), SU_INPUT);
    assert_non_null(strstr(w.ctx.message, "no row below it"));
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),          cmocka_unit_test(test_order_of_levels),
        cmocka_unit_test(test_missing_codes),  cmocka_unit_test(test_schema_gives_order_and_reasons),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_number_as_factor),
        cmocka_unit_test(test_many_variables), cmocka_unit_test(test_no_rows),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
