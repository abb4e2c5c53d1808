/* assets: the table that web/build.py writes, as the server and the pages ask it. Sizes and contents: tests/web/test_assets.py. */
#include "assets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void test_table(void **state)
{
    (void)state;
    assert_true(su_asset_count >= 10);
    for (size_t i = 0; i < su_asset_count; i++) {
        const su_asset *a = &su_assets[i];
        if (i) assert_true(strcmp(su_assets[i - 1].path, a->path) < 0);
        assert_ptr_equal(su_asset_at(a->path), a);
        assert_true(a->bytes.n > 0 && a->bytes.p[a->bytes.n] == 0);
        assert_true(a->gzip.n < a->bytes.n);
        assert_int_equal(a->immutable, strncmp(a->path, "/assets/", 8) == 0);
        assert_int_equal(strlen(a->etag), 34);
        assert_true(a->etag[0] == '"' && a->etag[33] == '"');
        assert_non_null(strchr(a->media_type, '/'));
    }
}

static void test_names(void **state)
{
    (void)state;
    static const char *const wanted[] = { "app.js",           "portal.css", "world.json", "messages.fr.json",    "messages.es.json",
                                          "messages.ar.json", "icon.svg",   "sw.js",      "manifest.webmanifest" };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *path = su_asset_path(wanted[i]);
        assert_non_null(path);
        assert_non_null(su_asset_at(path));
        assert_string_equal(su_asset_at(path)->name, wanted[i]);
    }
}

static void test_unknown(void **state)
{
    (void)state;
    static const char *const unknown[] = { "", "/", "/assets/", "/assets/app.js", "/sw.js/", "/SW.JS", "/assets/../sw.js", "~~~" };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) assert_null(su_asset_at(unknown[i]));
    assert_null(su_asset_path("app"));
    assert_null(su_asset_path(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_table), cmocka_unit_test(test_names), cmocka_unit_test(test_unknown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
