/* Dictionary: ids in order of first appearance, whatever the strings; compared with a list searched from the front. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"

static su_str random_string(su_random *r, char *room, size_t alphabet, size_t longest)
{
    size_t n = su_random_below(r, longest + 1);
    for (size_t i = 0; i < n; i++) room[i] = (char)su_random_below(r, alphabet); /* NUL bytes are letters like others */
    return (su_str) { room, n };
}

static void compare_with_list(su_random *r, size_t alphabet, size_t longest, size_t draws)
{
    su_dict *d = su_dict_new();
    su_str *list = su_alloc_array(draws, sizeof *list);
    uint32_t count = 0;
    for (size_t k = 0; k < draws; k++) {
        char room[64];
        su_str s = random_string(r, room, alphabet, longest);
        uint32_t at = 0, found = 0;
        while (at < count && !su_str_equal(list[at], s)) at++;
        assert_int_equal(su_dict_find(d, s, &found), at < count);
        if (at < count) assert_int_equal(found, at);
        assert_int_equal(su_dict_add(d, s), at);
        if (at == count) {
            char *copy = su_alloc(s.n + 1);
            memcpy(copy, s.p, s.n);
            list[count++] = (su_str) { copy, s.n };
        }
    }
    assert_int_equal(su_dict_count(d), count);
    for (uint32_t i = 0; i < count; i++) {
        su_str s = su_dict_get(d, i);
        assert_true(su_str_equal(s, list[i]));
        assert_int_equal(s.p[s.n], '\0');
        free((char *)list[i].p);
    }
    free(list);
    su_dict_free(d);
}

static void same_as_a_list(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    compare_with_list(&r, 2, 3, 200);
    compare_with_list(&r, 2, 9, 1500);
    compare_with_list(&r, 3, 40, 1500);
    compare_with_list(&r, 256, 63, 800);
}

static void strings_stay_where_they_are(void **state)
{
    (void)state;
    su_dict *d = su_dict_new();
    uint32_t first = su_dict_add(d, SU_STR("first"));
    const char *p = su_dict_get(d, first).p;
    char text[300];
    for (int i = 0; i < 100000; i++) {
        int n = snprintf(text, sizeof text, "%d", i);
        assert_int_equal(su_dict_add(d, (su_str) { text, (size_t)n }), i + 1);
    }
    memset(text, 'x', sizeof text);
    for (size_t n = 0; n < sizeof text; n++) su_dict_add(d, (su_str) { text, n });
    assert_ptr_equal(su_dict_get(d, first).p, p);
    assert_string_equal(p, "first");
    assert_int_equal(su_dict_count(d), 100001 + sizeof text);
    su_dict_free(d);
}

static void empty_string_and_long_string(void **state)
{
    (void)state;
    su_dict *d = su_dict_new();
    assert_false(su_dict_find(d, SU_STR(""), NULL));
    assert_int_equal(su_dict_add(d, (su_str) { NULL, 0 }), 0);
    assert_int_equal(su_dict_add(d, SU_STR("")), 0);
    size_t n = 3000000;
    char *long_text = su_alloc(n);
    assert_int_equal(su_dict_add(d, (su_str) { long_text, n }), 1);
    assert_int_equal(su_dict_add(d, (su_str) { long_text, n - 1 }), 2);
    assert_int_equal(su_dict_add(d, (su_str) { long_text, n }), 1);
    free(long_text);
    su_dict_free(d);
    su_dict_free(NULL);
}

/* Structured strings must not pile up: the hash must use every byte of every length. */
static void hash_spreads(void **state)
{
    (void)state;
    enum { BUCKETS = 4096 };
    static unsigned bucket[BUCKETS];
    for (size_t length = 1; length <= 40; length++) {
        char text[40];
        memset(text, 'a', sizeof text);
        memset(bucket, 0, sizeof bucket);
        unsigned strings = 0;
        for (size_t at = 0; at < length; at++) {
            for (int c = 0; c < 256; c++, strings++) {
                text[at] = (char)c;
                bucket[su_hash64(text, length) % BUCKETS]++;
            }
            text[at] = 'a';
        }
        unsigned fullest = 0;
        for (size_t i = 0; i < BUCKETS; i++) fullest = bucket[i] > fullest ? bucket[i] : fullest;
        /* `length` copies of "aaa..." share a bucket; chance alone gives at most about 17 more at 10,240 strings */
        assert_true(fullest <= length + 24);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_a_list),
        cmocka_unit_test(strings_stay_where_they_are),
        cmocka_unit_test(empty_string_and_long_string),
        cmocka_unit_test(hash_spreads),
    };
    return cmocka_run_group_tests_name("dict", tests, NULL, NULL);
}
