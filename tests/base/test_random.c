/* Random streams: known bytes, independence of pieces and streams, exact uniformity. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"

/* ChaCha20 of an all-zero key and nonce, first 64 bytes: draft-strombergson-chacha-test-vectors, TC1. */
static const char zero_key_stream[] = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                                      "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586";

static void known_bytes(void **state)
{
    (void)state;
    su_random r;
    su_random_seeded(&r, 1);
    memset(r.key, 0, sizeof r.key);
    uint8_t bytes[64];
    char hex[129];
    su_random_bytes(&r, bytes, sizeof bytes);
    su_hex(bytes, sizeof bytes, hex);
    assert_string_equal(hex, zero_key_stream);
}

/* The seeded source is a promise: the same seed gives the same synthetic examples for ever. Values from an implementation in Python. */
static void seeds_stay_what_they_are(void **state)
{
    (void)state;
    su_random r, child;
    su_random_seeded(&r, 42);
    assert_int_equal(su_random_u64(&r), 8738670539542318241u);
    su_random_split(&r, 7, &child);
    assert_int_equal(su_random_u64(&child), 3287844636388212416u);
}

static void pieces_do_not_matter(void **state)
{
    (void)state;
    su_random sizes, whole, pieces;
    su_test_random(&sizes);
    enum { N = 20000 };
    static uint8_t a[N], b[N];
    su_random_seeded(&whole, 3);
    su_random_seeded(&pieces, 3);
    su_random_bytes(&whole, a, N);
    for (size_t at = 0; at < N;) {
        size_t n = 1 + su_random_below(&sizes, su_random_below(&sizes, 2) ? 9 : 1500);
        if (n > N - at) n = N - at;
        if (n == 8) {
            uint64_t v = su_random_u64(&pieces);
            memcpy(b + at, &v, 8);
        } else {
            su_random_bytes(&pieces, b + at, n);
        }
        at += n;
    }
    assert_memory_equal(a, b, N);
}

static void streams_differ(void **state)
{
    (void)state;
    su_random root, child, grandchild, again;
    su_random_seeded(&root, 9);
    enum { N = 200 };
    uint64_t first[3 * N];
    for (uint64_t i = 0; i < N; i++) {
        su_random_split(&root, i, &child);
        first[3 * i] = su_random_u64(&child);
        su_random_split(&child, i, &grandchild);
        first[3 * i + 1] = su_random_u64(&grandchild);
        su_random_split(&child, 0, &grandchild);
        su_random_split(&grandchild, i, &again);
        first[3 * i + 2] = su_random_u64(&again);
        su_random_split(&root, i, &again);
        assert_int_equal(su_random_u64(&again), first[3 * i]); /* a split does not depend on what was drawn */
    }
    for (size_t i = 0; i < 3 * N; i++) {
        for (size_t k = 0; k < i; k++) assert_true(first[i] != first[k]);
    }
    su_random_split(&root, 5, &root); /* in place */
    assert_int_equal(su_random_u64(&root), first[15]);
}

static void system_source(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random a, b, child, zero;
    assert_int_equal(su_random_system(&ctx, &a), SU_OK);
    assert_int_equal(su_random_system(&ctx, &b), SU_OK);
    assert_true(su_random_u64(&a) != su_random_u64(&b));
    su_random_split(&a, 1, &child);
    assert_true(su_random_is_private(&a) && su_random_is_private(&child));
    su_random_seeded(&b, 1);
    su_random_split(&b, 1, &child);
    assert_false(su_random_is_private(&b) || su_random_is_private(&child));
    su_random_wipe(&a);
    memset(&zero, 0, sizeof zero);
    assert_memory_equal(a.key, zero.key, sizeof a.key);
    assert_memory_equal(a.block, zero.block, sizeof a.block);
}

/* Chi-square with n - 1 degrees of freedom, as a normal deviate (Wilson-Hilferty is not needed at this size). */
static void below_is_uniform(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    static const uint64_t bounds[] = { 1, 2, 3, 7, 10, 100, 255, 256, 257 };
    for (size_t k = 0; k < sizeof bounds / sizeof bounds[0]; k++) {
        uint64_t n = bounds[k], draws = n * 2000;
        uint64_t count[257] = { 0 };
        for (uint64_t i = 0; i < draws; i++) {
            uint64_t v = su_random_below(&r, n);
            assert_true(v < n);
            count[v]++;
        }
        double chi = 0;
        for (uint64_t i = 0; i < n; i++) chi += ((double)count[i] - 2000) * ((double)count[i] - 2000) / 2000;
        double df = (double)n - 1;
        assert_true((chi - df) * (chi - df) <= 36 * (2 * df + 8)); /* six standard deviations, wider for few degrees */
    }
}

/* Where plain multiplication would be visibly biased: n = 3 * 2^62. Two thirds of the 64-bit words would fall on 2 of 3 parts unevenly. */
static void below_is_exact_for_huge_bounds(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    uint64_t n = 3ull << 62, odd = 0, high = 0;
    enum { DRAWS = 60000 };
    for (int i = 0; i < DRAWS; i++) {
        uint64_t v = su_random_below(&r, n);
        assert_true(v < n);
        odd += v % 3 == 0;
        high += v >= 1ull << 63;
    }
    assert_true(odd > DRAWS / 3 - 700 && odd < DRAWS / 3 + 700);
    assert_true(high > DRAWS / 3 - 700 && high < DRAWS / 3 + 700);
    assert_true(su_random_below(&r, UINT64_MAX) < UINT64_MAX);
}

static void sha256_and_hex(void **state)
{
    (void)state;
    char hex[65];
    su_sha256 d = su_sha256_of("abc", 3); /* FIPS 180-4 */
    su_hex(d.bytes, sizeof d.bytes, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    su_sha256_run run;
    su_sha256_begin(&run);
    su_sha256_add(&run, "a", 1);
    su_sha256_add(&run, "", 0);
    su_sha256_add(&run, "bc", 2);
    su_sha256 pieces = su_sha256_end(&run);
    assert_memory_equal(pieces.bytes, d.bytes, sizeof d.bytes);
    su_hex(NULL, 0, hex);
    assert_string_equal(hex, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(seeds_stay_what_they_are),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(streams_differ),
        cmocka_unit_test(system_source),
        cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(below_is_exact_for_huge_bounds),
        cmocka_unit_test(sha256_and_hex),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
