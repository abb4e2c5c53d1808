/* Text of base: folding, validation, numbers, distances and JSON escapes on any bytes. */
#include <suha/base.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool right)
{
    if (!right) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    su_str s = { (const char *)data, size };
    su_arena arena;
    su_arena_init(&arena);
    size_t bad = size + 1;
    bool valid = su_utf8_valid(s.p, s.n, &bad);
    must(valid || bad < size);
    su_str folded = su_text_fold(&arena, s);
    must(folded.p[folded.n] == '\0');
    if (valid) {
        must(su_utf8_valid(folded.p, folded.n, NULL));
        must(su_str_equal(su_text_fold(&arena, folded), folded));
    }
    su_str trimmed = su_str_trim(s);
    must(trimmed.n <= s.n);

    int64_t integer;
    double real;
    if (su_parse_i64(s, &integer)) must(su_parse_f64(s, &real));
    su_str half = { s.p, size / 2 }, rest = { s.p + size / 2, size - size / 2 };
    if (size < 200) must(su_text_distance(half, rest, 9) == su_text_distance(rest, half, 9));

    su_buf out = { NULL, 0, 0 };
    su_json json;
    su_json_init(&json, &out);
    su_json_str(&json, s);
    must(su_utf8_valid(out.p, out.n, NULL));
    out.n = 0;
    su_buf_csv_safe(&out, s, ',');
    must(out.n == 0 || !memchr("=@\t\r", out.p[0], 4));
    su_buf_html(&out, s);
    su_buf_free(&out);
    su_arena_free(&arena);
    return 0;
}
