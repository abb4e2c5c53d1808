/* A bundle read back gives the release it was made from; a changed one is refused where it was changed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const su_bundle_info info = { .title = "Imaginary cases", .created = 1767225600 };

typedef struct made {
    su_context ctx;
    su_sample sample;
    su_arena arena;
    su_bundle_file *files;
    size_t count;
} made;

static void make(const su_sample_options *o, made *m)
{
    memset(m, 0, sizeof *m);
    su_context_init(&m->ctx);
    su_arena_init(&m->arena);
    su_sample_make(o, &m->sample);
    if (su_bundle_make(&m->ctx, &m->arena, m->sample.release, &info, &m->files, &m->count)) fail_msg("%s", m->ctx.message);
}

static void drop(made *m)
{
    su_sample_free(&m->sample);
    su_arena_free(&m->arena);
}

/* The codes of every record, one line per record, sorted: a bundle does not keep their order. */
static uint32_t width;
static int by_codes(const void *a, const void *b) { return memcmp(a, b, width * sizeof(uint16_t)); }
static uint16_t *sorted(const su_release *r)
{
    uint16_t *all = su_alloc_array(r->record_count * r->column_count + 1, sizeof *all);
    for (uint64_t row = 0; row < r->record_count; row++)
        for (uint32_t c = 0; c < r->column_count; c++) all[row * r->column_count + c] = r->records[c][row];
    width = r->column_count;
    qsort(all, r->record_count, width * sizeof *all, by_codes);
    return all;
}

static void same_release(const su_release *a, const su_release *b)
{
    assert_int_equal(a->column_count, b->column_count);
    for (uint32_t c = 0; c < a->column_count; c++) {
        assert_string_equal(a->columns[c].name, b->columns[c].name);
        assert_int_equal(a->columns[c].card, b->columns[c].card);
        assert_int_equal(a->columns[c].field, b->columns[c].field);
        assert_int_equal(a->columns[c].set_value, b->columns[c].set_value);
    }
    assert_int_equal(a->record_count, b->record_count);
    uint16_t *x = sorted(a), *y = sorted(b);
    assert_memory_equal(x, y, a->record_count * a->column_count * sizeof *x);
    free(x);
    free(y);
    assert_int_equal(a->aggregate_count, b->aggregate_count);
    for (size_t i = 0; i < a->aggregate_count; i++) {
        const su_aggregate *p = &a->aggregates[i], *q = &b->aggregates[i];
        assert_int_equal(p->length, q->length);
        assert_memory_equal(p->at, q->at, p->length * sizeof *p->at);
        assert_int_equal(p->count, q->count);
        if (!(q->ci_low <= p->ci_low + 1e-9 && p->ci_low - q->ci_low < 0.11 && q->ci_high >= p->ci_high - 1e-9 &&
              q->ci_high - p->ci_high < 0.11))
            fail_msg("interval %zu: [%g, %g] was read as [%g, %g]", i, p->ci_low, p->ci_high, q->ci_low, q->ci_high);
    }
    assert_true(a->epsilon_stated == b->epsilon_stated && a->rho == b->rho && a->options.delta == b->options.delta);
    assert_int_equal(a->options.length, b->options.length);
    assert_int_equal(a->private_noise, b->private_noise);
    assert_true(a->total_estimate == b->total_estimate);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    static const char *const hostile[] = { NULL, "a;b=c\\d", "=1+1", "x\"y\nz", "'quoted'", "-5", "=", "<b>&amp;" };
    for (size_t k = 0; k < sizeof hostile / sizeof *hostile; k++) {
        made m;
        su_release *r = NULL;
        make(&(su_sample_options) { .rows = 60, .seed = k, .hostile = hostile[k], .seeded_noise = k % 2, .k = k == 3 ? 5 : 0 }, &m);
        if (su_bundle_parse(&m.ctx, m.files, m.count, m.sample.schema, &r)) fail_msg("%zu: %s", k, m.ctx.message);
        same_release(m.sample.release, r);
        assert_int_equal(r->options.k, k == 3 ? 5 : 0);
        su_release_free(r);
        drop(&m);
    }
}

/* The known no of a flag is no value of the release: the codes behind it move up by one, and must come out as themselves. */
static void codes_behind_a_known_no(void **state)
{
    (void)state;
    made m;
    su_release *r = NULL;
    memset(&m, 0, sizeof m);
    su_context_init(&m.ctx);
    su_arena_init(&m.arena);
    su_sample_make(&(su_sample_options) { .rows = 60 }, &m.sample);
    m.sample.schema->fields[1].negative = 1; /* gender: Man is now the no; values 1 and 2 are Woman and Trans */
    for (uint32_t c = 0; c < m.sample.release->column_count; c++) {
        if (m.sample.release->columns[c].field != 1) continue;
        m.sample.release->columns[c].card = 3;
        for (uint64_t row = 0; row < 60; row++)
            if (m.sample.release->records[c][row] == 3) m.sample.release->records[c][row] = 0;
    }
    m.sample.release->aggregate_count = 0;
    if (su_bundle_make(&m.ctx, &m.arena, m.sample.release, &info, &m.files, &m.count)) fail_msg("%s", m.ctx.message);
    for (size_t i = 0; i < m.count; i++)
        if (strcmp(m.files[i].path, "data/microdata.csv") == 0) {
            assert_null(memmem(m.files[i].bytes.p, m.files[i].bytes.n, ",Man,", 5));
            assert_non_null(memmem(m.files[i].bytes.p, m.files[i].bytes.n, ",Trans,", 7));
        }
    if (su_bundle_parse(&m.ctx, m.files, m.count, m.sample.schema, &r)) fail_msg("%s", m.ctx.message);
    same_release(m.sample.release, r);
    su_release_free(r);
    drop(&m);
}

static void from_the_disk_with_its_sums(void **state)
{
    (void)state;
    made m;
    char folder[256], path[512];
    su_bundle_file *files;
    size_t count;
    make(&(su_sample_options) { .rows = 50 }, &m);
    su_sample_folder(folder);
    snprintf(path, sizeof path, "%s/release", folder);
    assert_int_equal(su_bundle_write(&m.ctx, m.sample.release, &info, path), SU_OK);
    assert_int_equal(su_bundle_load(&m.ctx, &m.arena, path, &files, &count), SU_OK);
    su_bundle_facts facts;
    assert_int_equal(su_bundle_facts_of(&m.ctx, &m.arena, files, count, &facts), SU_OK);
    assert_string_equal(facts.schema, "sample-2026");
    assert_int_equal(facts.length, 2);
    su_release *r = NULL;
    assert_int_equal(su_bundle_parse(&m.ctx, files, count, m.sample.schema, &r), SU_OK);
    same_release(m.sample.release, r);
    su_release_free(r);

    char file[600];
    snprintf(file, sizeof file, "%s/data/aggregates.csv", path);
    assert_int_equal(su_file_write(&m.ctx, file, "x\n", 2, 0644), SU_OK);
    assert_int_equal(su_bundle_load(&m.ctx, &m.arena, path, &files, &count), SU_INPUT);
    assert_non_null(strstr(m.ctx.message, "data/aggregates.csv"));
    assert_int_equal(su_bundle_load(&m.ctx, &m.arena, folder, &files, &count), SU_INPUT);
    assert_non_null(strstr(m.ctx.message, "SHA256SUMS"));
    su_sample_remove(folder);
    drop(&m);
}

/* Replaces the first `from` in a file of the bundle (all of it when from is NULL) and reads. */
static void refused(made *m, const char *file, const char *from, const char *to, const char *words)
{
    su_bundle_file *files = su_arena_array(&m->arena, m->count, sizeof *files);
    memcpy(files, m->files, m->count * sizeof *files);
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(files[i].path, file) != 0) continue;
        const char *at = from ? memmem(files[i].bytes.p, files[i].bytes.n, from, strlen(from)) : files[i].bytes.p;
        if (!at) fail_msg("%s has no %s", file, from);
        size_t before = (size_t)(at - files[i].bytes.p), cut = from ? strlen(from) : files[i].bytes.n,
               rest = files[i].bytes.n - before - cut;
        char *text = su_arena_alloc(&m->arena, before + strlen(to) + rest + 1);
        memcpy(text, files[i].bytes.p, before);
        memcpy(text + before, to, strlen(to));
        memcpy(text + before + strlen(to), at + cut, rest);
        files[i].bytes = (su_str) { text, before + strlen(to) + rest };
    }
    su_release *r = (su_release *)(uintptr_t)1;
    assert_int_equal(su_bundle_parse(&m->ctx, files, m->count, m->sample.schema, &r), SU_INPUT);
    assert_null(r);
    if (!strstr(m->ctx.message, words)) fail_msg("\"%s\" does not say \"%s\"", m->ctx.message, words);
}

static void changed_files_are_refused(void **state)
{
    (void)state;
    made m;
    make(&(su_sample_options) { .rows = 50 }, &m);
    const char *micro = "data/microdata.csv", *counts = "data/aggregates.csv", *report = "protection/report.json",
               *package = "datapackage.json";
    refused(&m, micro, "gender", "Gender", "line 1: column 2");
    refused(&m, micro, "Man", "Mann", "column gender: \"Mann\"");
    refused(&m, micro, "\n", "\nx,y\n", "line 2: 2 cells");
    refused(&m, micro, "Man", "\"Man", "quote");
    refused(&m, micro, NULL, "", "line 1: 0 columns");
    refused(&m, counts, "combination,", "combinations,", "line 1");
    refused(&m, counts, "gender=Man,", "gender=Mann,", "\"Mann\" is no code");
    refused(&m, counts, "gender=Man,", "name=Man,", "\"name\" is no column");
    refused(&m, counts, "gender=Man,", "gender,", "\"gender\" is no column");
    refused(&m, counts, "gender=Man,1,", "gender=Man,2,", "length");
    refused(&m, counts, "gender=Man,1,", "gender=Man;gender=Man,2,", "order of the schema");
    refused(&m, counts, "gender=Man,1,", "gender=Man,1,-", "whole number");
    refused(&m, counts, "gender=Man,1,", "gender=Woman,1,1,0,2\ngender=Man,1,", "line ");
    refused(&m, report, "\"length\": 2,\n  \"combinations\"", "\"length\": 9,\n  \"combinations\"", "length");
    refused(&m, report, "schema_sha256", "schema_sha1", "schema_sha256");
    refused(&m, report, NULL, "[]", "not an object");
    refused(&m, report, NULL, "{", "line ");
    refused(&m, report, "0000000000000000", "0000000000000001", "fingerprint");
    refused(&m, package, "\"name\": \"gender\"", "\"name\": \"sex\"", "gender");
    drop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(codes_behind_a_known_no),
        cmocka_unit_test(from_the_disk_with_its_sums),
        cmocka_unit_test(changed_files_are_refused),
    };
    return cmocka_run_group_tests_name("publish: read", tests, NULL, NULL);
}
