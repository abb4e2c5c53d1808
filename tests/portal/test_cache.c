/* Blobs, the cache of answers, byte ranges, content negotiation, sheets: the parts of an answer. */
#include "api.h"
#include "reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static su_blob *text_blob(const char *text, size_t times)
{
    su_buf b = { 0 };
    for (size_t i = 0; i < times; i++) su_buf_text(&b, text);
    return su_blob_take(&b, "text/plain; charset=utf-8");
}

static void gzip_gives_the_bytes_back(void **state)
{
    (void)state;
    su_blob *b = text_blob("one line of many\n", 500);
    su_str small = su_blob_gzip(b), whole = su_blob_bytes(b);
    assert_true(small.n > 20 && small.n < whole.n / 10);
    char *back = su_alloc(whole.n);
    z_stream z = {
        .next_in = (Bytef *)(uintptr_t)small.p, .avail_in = (uInt)small.n, .next_out = (Bytef *)back, .avail_out = (uInt)whole.n
    };
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    inflateEnd(&z);
    assert_int_equal(z.total_out, whole.n);
    assert_memory_equal(back, whole.p, whole.n);
    assert_ptr_equal(su_blob_gzip(b).p, small.p);
    free(back);
    su_blob_release(b);
    b = text_blob("short", 1);
    assert_int_equal(su_blob_gzip(b).n, 0);
    su_blob_release(b);
    su_blob_release(NULL);
}

static void tags_follow_the_content(void **state)
{
    (void)state;
    su_blob *a = text_blob("x", 10), *b = text_blob("x", 10), *c = text_blob("y", 10);
    assert_string_equal(su_blob_etag(a), su_blob_etag(b));
    assert_string_not_equal(su_blob_etag(a), su_blob_etag(c));
    assert_int_equal(strlen(su_blob_etag(a)), 34);
    su_blob_release(a);
    su_blob_release(b);
    su_blob_release(c);
}

static void the_cache_forgets_the_oldest_use(void **state)
{
    (void)state;
    su_cache *c = su_cache_new(40000);
    char key[20];
    for (int i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "k%d", i);
        su_blob *b = text_blob("0123456789", 300);
        su_cache_put(c, su_str_of(key), b);
        su_cache_put(c, su_str_of(key), b); /* a second time changes nothing */
        su_blob_release(b);
        su_blob *first = su_cache_get(c, SU_STR("k0")); /* always in use */
        assert_non_null(first);
        su_blob_release(first);
    }
    su_blob *held = su_cache_get(c, SU_STR("k0"));
    assert_non_null(held);
    assert_int_equal(su_cache_count(c), 8);
    for (int i = 8; i < 30; i++) {
        snprintf(key, sizeof key, "k%d", i);
        su_blob *b = text_blob("0123456789", 300), *kept = su_cache_get(c, SU_STR("k0"));
        su_cache_put(c, su_str_of(key), b);
        su_blob_release(b);
        assert_non_null(kept);
        su_blob_release(kept);
        assert_true(su_cache_bytes(c) <= 40000);
    }
    assert_null(su_cache_get(c, SU_STR("k1")));
    assert_null(su_cache_get(c, SU_STR("nothing")));
    su_blob *large = text_blob("0123456789", 3000);
    su_cache_put(c, SU_STR("large"), large);
    assert_null(su_cache_get(c, SU_STR("large")));
    su_blob_release(large);
    su_cache_free(c);
    assert_int_equal(su_blob_bytes(held).n, 3000); /* who holds a reference keeps the bytes */
    su_blob_release(held);
}

static void ranges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t size;
        unsigned status;
        uint64_t from, count;
    } list[] = {
        { NULL, 100, 0, 0, 0 },
        { "bytes=0-9", 100, 206, 0, 10 },
        { "bytes=90-", 100, 206, 90, 10 },
        { "bytes=-10", 100, 206, 90, 10 },
        { "bytes=-200", 100, 206, 0, 100 },
        { "bytes=5-500", 100, 206, 5, 95 },
        { "bytes=99-99", 100, 206, 99, 1 },
        { "bytes=100-", 100, 416, 0, 0 },
        { "bytes=-0", 100, 416, 0, 0 },
        { "bytes=9-5", 100, 0, 0, 0 },
        { "bytes=0-1,5-6", 100, 0, 0, 0 },
        { "lines=0-1", 100, 0, 0, 0 },
        { "bytes=a-b", 100, 0, 0, 0 },
        { "bytes=", 100, 0, 0, 0 },
        { "bytes=0-", 0, 416, 0, 0 },
        { "bytes=-1", 0, 416, 0, 0 },
        { "bytes=18446744073709551616-", 100, 0, 0, 0 },
        { "bytes=0-1x", 100, 0, 0, 0 },
        { "bytes=1-18446744073709551615", 100, 206, 1, 99 },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        uint64_t from = 0, count = 0;
        unsigned status = su_range_parse(list[i].text, list[i].size, &from, &count);
        if (status != list[i].status || (status == 206 && (from != list[i].from || count != list[i].count)))
            fail_msg("%s: %u, %llu + %llu", list[i].text, status, (unsigned long long)from, (unsigned long long)count);
    }
}

static void accepted_formats(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        su_api_format format;
    } list[] = {
        { NULL, SU_API_JSON },
        { "*/*", SU_API_JSON },
        { "text/csv", SU_API_CSV },
        { "TEXT/CSV; q=0.9, application/json;q=0.5", SU_API_CSV },
        { "text/csv;q=0.1,application/json", SU_API_JSON },
        { "text/csv;q=0", SU_API_JSON },
        { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", SU_API_XLSX },
        { ",,;q=,", SU_API_JSON },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) assert_int_equal(su_api_accept(list[i].accept), list[i].format);
}

static void sheets(void **state)
{
    (void)state;
    static const char *const header[] = { "code", "n" }, *const tags[] = { "#x+code", "#n" };
    const su_sheet_cell cells[] = { { .text = "=1+1" }, { .number = 1234567 }, { .text = "a,\"b\"" }, { .number = NAN },
                                    { .text = "c" },    { .number = 0.5 },     { .text = "" },        { .number = 12.34 } };
    su_sheet sheet = {
        .header = header, .hashtag = tags, .columns = 2, .rows = 4, .cells = cells, .title = "T", .notes = header, .note_count = 2
    };
    su_buf b = { 0 };
    assert_true(su_sheet_print(SU_API_CSV, &sheet, &b));
    assert_string_equal(b.p, "code,n\n'=1+1,1234567\n\"a,\"\"b\"\"\",\nc,0.5\n,12.34\n");
    b.n = 0;
    assert_true(su_sheet_print(SU_API_HXL, &sheet, &b));
    assert_memory_equal(b.p, "code,n\n#x+code,#n\n'=1+1", 23);
    b.n = 0;
    assert_true(su_sheet_print(SU_API_XLSX, &sheet, &b));
    assert_memory_equal(b.p, "PK\3\4", 4);
    su_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_gives_the_bytes_back),
        cmocka_unit_test(tags_follow_the_content),
        cmocka_unit_test(the_cache_forgets_the_oldest_use),
        cmocka_unit_test(ranges),
        cmocka_unit_test(accepted_formats),
        cmocka_unit_test(sheets),
    };
    return cmocka_run_group_tests_name("portal: parts of an answer", tests, NULL, NULL);
}
