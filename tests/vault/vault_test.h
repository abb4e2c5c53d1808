/* What the vault's tests share: a small schema with every type, random tables, an obvious comparison, files as bytes. */
#ifndef SU_VAULT_TEST_H
#define SU_VAULT_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/vault.h>

#include "su_test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#define PASS ((su_passphrase) { "correct horse battery", 21 })
#define OTHER ((su_passphrase) { "incorrect horse batt.", 21 })
#define PLANTED "PLANTEDzaynab" /* in an identifier column and in every record identifier */

enum { F_SEX, F_COUNTRY, F_YEAR, F_FORCED, F_MEANS, F_AGE, F_DATE, F_NAME, F_COUNT };

#define assert_ok(expression)                                                                                                              \
    do {                                                                                                                                   \
        su_status ok_status_ = (expression);                                                                                               \
        if (ok_status_ != SU_OK) fail_msg("%s: status %d: %s", #expression, (int)ok_status_, ctx.message);                                 \
    } while (0)
#define assert_status(expression, wanted)                                                                                                  \
    do {                                                                                                                                   \
        su_status got_status_ = (expression);                                                                                              \
        if (got_status_ != (wanted)) fail_msg("%s: status %d, wanted %d: %s", #expression, (int)got_status_, (int)(wanted), ctx.message);  \
    } while (0)
#define assert_says(text)                                                                                                                  \
    do {                                                                                                                                   \
        if (!strstr(ctx.message, (text))) fail_msg("message has no \"%s\": %s", (text), ctx.message);                                      \
    } while (0)

SU_TEST_UNUSED static su_codelist *test_list(su_arena *arena, const char *id, const char *rows)
{
    su_context ctx;
    su_codelist *list = NULL;
    su_context_init(&ctx);
    const char *text = su_arena_printf(arena, "code,label_en,aliases\n%s", rows);
    assert_ok(su_codelist_parse(&ctx, arena, id, id, su_str_of(text), &list));
    return list;
}

/* means: 70 codes m1..m70, so that a set takes two words. */
SU_TEST_UNUSED static su_schema *test_schema_with(const char *countries)
{
    su_schema *s = su_alloc(sizeof *s);
    su_buf means = { 0 };
    su_arena_init(&s->arena);
    s->name = "test-schema";
    s->field_count = F_COUNT;
    s->fields = su_arena_array(&s->arena, F_COUNT, sizeof *s->fields);
    s->codelists = su_arena_array(&s->arena, F_COUNT, sizeof *s->codelists);
    for (int i = 1; i <= 70; i++) su_buf_printf(&means, "m%d,means %d,\n", i, i);
    su_codelist *lists[F_COUNT] = { [F_SEX] = test_list(&s->arena, "sex", "F,woman,\nM,man,\nX,other,\n"),
                                    [F_COUNTRY] = test_list(&s->arena, "country", countries),
                                    [F_YEAR] = su_codelist_years(&s->arena, "year", 2002, 2026),
                                    [F_FORCED] = test_list(&s->arena, "flag", "1,yes,\n0,no,\n"),
                                    [F_MEANS] = test_list(&s->arena, "means", means.p) };
    static const struct {
        const char *name;
        su_type type;
    } fields[F_COUNT] = {
        [F_SEX] = { "sex", SU_TYPE_CODE },       [F_COUNTRY] = { "country", SU_TYPE_CODE }, [F_YEAR] = { "year", SU_TYPE_YEAR },
        [F_FORCED] = { "forced", SU_TYPE_FLAG }, [F_MEANS] = { "means", SU_TYPE_CODE_SET }, [F_AGE] = { "age", SU_TYPE_INTEGER },
        [F_DATE] = { "date", SU_TYPE_DATE },     [F_NAME] = { "name", SU_TYPE_TEXT }
    };
    for (int f = 0; f < F_COUNT; f++) {
        s->fields[f] = (su_field) { .name = fields[f].name,
                                    .title = fields[f].name,
                                    .type = fields[f].type,
                                    .codelist = lists[f],
                                    .group = -1,
                                    .missing_print = "",
                                    .separator = ";" };
        if (lists[f]) s->codelists[s->codelist_count++] = lists[f];
    }
    su_buf_free(&means);
    return s;
}

SU_TEST_UNUSED static su_schema *test_schema(void)
{
    return test_schema_with("AF,Afghanistan,\nPH,Philippines,\nUA,Ukraine,\nMD,Moldova,\n");
}

SU_TEST_UNUSED static void test_schema_free(su_schema *s)
{
    for (uint32_t i = 0; i < s->codelist_count; i++) su_codelist_free(s->codelists[i]);
    su_arena_free(&s->arena);
    free(s);
}

static const su_cell test_reasons[] = { SU_CELL_NOT_RECORDED,   SU_CELL_UNKNOWN,    SU_CELL_REFUSED,
                                        SU_CELL_NOT_APPLICABLE, SU_CELL_SUPPRESSED, SU_CELL_NEGATIVE };

SU_TEST_UNUSED static su_cell test_cell(su_random *r, const su_codelist *list)
{
    if (su_random_below(r, 4) == 0) return test_reasons[su_random_below(r, 6)];
    return (su_cell)(1 + su_random_below(r, list->count));
}

SU_TEST_UNUSED static void test_fill_row(su_random *r, su_case_table *t, uint64_t row)
{
    char text[600];
    const su_schema *s = t->schema;
    for (uint32_t f = 0; f < s->field_count; f++) {
        su_case_column *c = &t->columns[f];
        if (!c->provided) continue;
        if (c->codes) {
            c->codes[row] = test_cell(r, s->fields[f].codelist);
        } else if (c->sets) {
            bool any = false;
            for (uint32_t v = 0; v < s->fields[f].codelist->count; v++)
                if (su_random_below(r, 5) == 0) c->sets[row * c->words + v / 64] |= 1ull << v % 64, any = true;
            if (!any || su_random_below(r, 4) == 0) {
                memset(c->sets + row * c->words, 0, c->words * sizeof *c->sets);
                c->set_reason[row] = test_reasons[su_random_below(r, 6)];
            }
        } else {
            int n = snprintf(text, sizeof text, "%s %llu %.*s", PLANTED, (unsigned long long)row, (int)su_random_below(r, 500),
                             "Она приехала из Кишинёва; أحمد; a long story about a person that is nobody's business, told once and then "
                             "again and again, with commas, \"quotes\" and\nline breaks, so that records have many different lengths "
                             "before they are padded, and some of them go above one kibibyte if the teller does not stop here, which the "
                             "teller of this story will do now.");
            c->ids[row] = su_random_below(r, 5) ? su_dict_add(c->texts, (su_str) { text, (size_t)n }) : 0;
        }
    }
}

/* `first` numbers the record identifiers; `without` is a column left out (-1: none). */
SU_TEST_UNUSED static su_case_table *test_table(su_random *r, const su_schema *s, uint64_t rows, uint64_t first, int without)
{
    su_case_table *t = su_case_table_new(s, rows);
    char id[64];
    for (uint32_t f = 0; f < s->field_count; f++)
        if ((int)f != without) su_case_table_provide(t, f);
    for (uint64_t row = 0; row < rows; row++) {
        snprintf(id, sizeof id, "%s-%llu", PLANTED, (unsigned long long)(first + row));
        t->record_ids[row] = su_dict_add(t->records, su_str_of(id));
        test_fill_row(r, t, row);
    }
    return t;
}

SU_TEST_UNUSED static su_batch_info test_info(const su_case_table *t, const char *file)
{
    return (su_batch_info) { .source_name = file,
                             .source = su_sha256_of(file, strlen(file)),
                             .mapping = su_sha256_of("m", 1),
                             .schema = t->schema->fingerprint,
                             .schema_name = t->schema->name,
                             .who = "Amal the operator",
                             .rows_in = t->row_count,
                             .rejected = 0 };
}

SU_TEST_UNUSED static bool test_same_cell(const su_case_table *a, uint64_t ra, const su_case_table *b, uint64_t rb, uint32_t f)
{
    const su_case_column *x = &a->columns[f], *y = &b->columns[f];
    if (!x->provided && y->codes) return y->codes[rb] == 0;
    if (!x->provided && y->sets) return y->set_reason[rb] == 0 && y->sets[rb * y->words] == 0 && y->sets[rb * y->words + 1] == 0;
    if (!x->provided && y->ids) return y->ids[rb] == 0;
    if (!x->provided || !y->provided) return x->provided == y->provided;
    if (x->codes) return x->codes[ra] == y->codes[rb];
    size_t set = x->words * sizeof *x->sets;
    if (x->sets) return x->set_reason[ra] == y->set_reason[rb] && memcmp(x->sets + ra * x->words, y->sets + rb * y->words, set) == 0;
    return su_str_equal(su_dict_get(x->texts, x->ids[ra]), su_dict_get(y->texts, y->ids[rb]));
}

/* Row of `t` with this record identifier, found the slow way; row_count when there is none. */
SU_TEST_UNUSED static uint64_t test_find(const su_case_table *t, su_str id)
{
    uint64_t r = 0;
    while (r < t->row_count && !su_str_equal(su_dict_get(t->records, t->record_ids[r]), id)) r++;
    return r;
}

/* Every row of `part` stands in `all`, cell by cell. */
SU_TEST_UNUSED static void test_contains(const su_case_table *all, const su_case_table *part)
{
    for (uint64_t r = 0; r < part->row_count; r++) {
        uint64_t at = test_find(all, su_dict_get(part->records, part->record_ids[r]));
        assert_true(at < all->row_count);
        for (uint32_t f = 0; f < part->schema->field_count; f++) assert_true(test_same_cell(part, r, all, at, f));
    }
}

/* A fresh vault in a fresh folder of this name, with organisations "alpha" and "beta". Returns the folder (static). */
SU_TEST_UNUSED static const char *test_vault(const char *name)
{
    su_context ctx;
    su_vault *v = NULL;
    const char *dir = su_test_path(name);
    su_context_init(&ctx);
    assert_ok(su_vault_init_with(&ctx, dir, PASS, SU_VAULT_COST_TEST));
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_org_add(&ctx, v, "alpha", "Alpha House", "case-management"));
    assert_ok(su_vault_org_add(&ctx, v, "beta", "Beta Line", "hotline"));
    su_vault_close(v);
    return dir;
}

SU_TEST_UNUSED static su_buf test_bytes(const char *path)
{
    su_context ctx;
    su_buf b = { 0 };
    su_context_init(&ctx);
    assert_ok(su_file_read(&ctx, path, 1u << 30, &b));
    return b;
}

SU_TEST_UNUSED static void test_write(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

/* How many files of the folder hold the bytes; files_seen counts all. */
SU_TEST_UNUSED static int test_grep(const char *dir, const char *needle, int *files_seen)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int found = 0;
    char path[1400];
    assert_non_null(d);
    *files_seen = 0;
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        FILE *f = fopen(path, "rb");
        if (!f) continue;
        fseek(f, 0, SEEK_END);
        long n = ftell(f);
        rewind(f);
        char *bytes = su_alloc((size_t)n + 1);
        n = (long)fread(bytes, 1, (size_t)n, f);
        fclose(f);
        found += n > 0 && memmem(bytes, (size_t)n, needle, strlen(needle)) != NULL;
        ++*files_seen;
        free(bytes);
    }
    closedir(d);
    return found;
}

SU_TEST_UNUSED static void test_print(void *user, const char *line) { (void)user, printf("# %s\n", line); }

#endif
