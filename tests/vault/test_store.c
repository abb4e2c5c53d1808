/* The vault as a store: what is imported is read back, once, in an order that tells nothing; what is withdrawn is gone; refusals say
 * why. */
#include "vault_test.h"

#include <sodium.h>
#include <sys/stat.h>

static su_context ctx;
static su_random rng;

static int setup(void **state)
{
    (void)state;
    su_context_init(&ctx);
    su_test_random(&rng);
    return 0;
}

static unsigned mode_of(const char *dir, const char *name)
{
    struct stat st;
    char path[1200];
    snprintf(path, sizeof path, "%s%s%s", dir, *name ? "/" : "", name);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void making_and_opening(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_vault_status st;
    int files = 0;
    const char *dir = su_test_path("made");
    assert_ok(su_vault_init_with(&ctx, dir, PASS, SU_VAULT_COST_TEST));
    assert_int_equal(mode_of(dir, ""), 0700);
    assert_int_equal(mode_of(dir, "vault.db"), 0600);
    assert_int_equal(test_grep(dir, "suha", &files), 0);
    assert_int_equal(files, 1);
    assert_status(su_vault_init_with(&ctx, dir, PASS, SU_VAULT_COST_TEST), SU_REFUSED);
    assert_says("exists already");
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_org_add(&ctx, v, "alpha", "Alpha House", "state"));
    assert_int_equal(mode_of(dir, "vault.db-wal"), 0600);
    assert_int_equal(mode_of(dir, "vault.db-shm"), 0600);
    assert_ok(su_vault_status_get(&ctx, v, &st));
    assert_int_equal(st.format, 1);
    assert_int_equal(st.organisations, 1);
    assert_int_equal(st.audit_entries, 2);
    assert_int_equal(strlen(st.vault_id), 32);
    assert_int_equal(strlen(st.audit_head), 64);
    su_vault_close(v);
    test_grep(dir, "suha", &files);
    assert_int_equal(files, 1); /* log and shared memory went with the last user */
    assert_status(su_vault_open(&ctx, su_test_path("nowhere"), PASS, &v), SU_IO);
    assert_says("there is no vault here");
}

static void passphrases(void **state)
{
    (void)state;
    su_vault *v = NULL;
    const char *dir = su_test_path("pass");
    char longest[SU_PASSPHRASE_MAX + 1];
    memset(longest, 'x', sizeof longest);
    assert_status(su_vault_init(&ctx, dir, (su_passphrase) { "", 0 }), SU_USAGE);
    assert_status(su_vault_init(&ctx, dir, (su_passphrase) { "1234567", 7 }), SU_USAGE);
    assert_says("at least 8");
    assert_status(su_vault_init(&ctx, dir, (su_passphrase) { "мирмир", 12 }), SU_USAGE); /* six characters in twelve bytes */
    assert_status(su_vault_init(&ctx, dir, (su_passphrase) { longest, sizeof longest }), SU_USAGE);
    assert_false(su_path_exists(dir));
    assert_ok(su_vault_init_with(&ctx, dir, PASS, SU_VAULT_COST_TEST));
    assert_status(su_vault_open(&ctx, dir, (su_passphrase) { "", 0 }, &v), SU_USAGE);
    assert_status(su_vault_open(&ctx, dir, OTHER, &v), SU_CRYPTO);
    assert_says("passphrase is wrong");
    assert_null(v);
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_org_add(&ctx, v, "alpha", "Alpha", "other"));
    assert_status(su_vault_passphrase_set(&ctx, v, (su_passphrase) { "short", 5 }, SU_VAULT_COST_TEST), SU_USAGE);
    assert_ok(su_vault_passphrase_set(&ctx, v, OTHER, SU_VAULT_COST_TEST));
    su_vault_close(v);
    v = NULL;
    assert_status(su_vault_open(&ctx, dir, PASS, &v), SU_CRYPTO);
    assert_ok(su_vault_open(&ctx, dir, OTHER, &v));
    uint64_t checked, bad;
    assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
    assert_int_equal(bad, 0);
    su_vault_close(v);
}

static void organisations(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_arena arena;
    su_org *orgs = NULL;
    size_t n = 0;
    su_arena_init(&arena);
    assert_ok(su_vault_open(&ctx, test_vault("orgs"), PASS, &v));
    assert_status(su_vault_org_add(&ctx, v, "alpha", "Again", "state"), SU_REFUSED);
    assert_status(su_vault_org_add(&ctx, v, "Al pha", "x", "state"), SU_USAGE);
    assert_status(su_vault_org_add(&ctx, v, "", "x", "state"), SU_USAGE);
    assert_status(su_vault_org_add(&ctx, v, "x", "", "state"), SU_USAGE);
    assert_status(su_vault_org_add(&ctx, v, "x", "x", "ngo"), SU_USAGE);
    assert_status(su_vault_org_add(&ctx, v, "x", "\xff", "state"), SU_USAGE);
    for (int i = 0; i < 40; i++) {
        char id[16];
        snprintf(id, sizeof id, "org-%02d", i);
        assert_ok(su_vault_org_add(&ctx, v, id, "دار الأمل", "state"));
    }
    assert_ok(su_vault_orgs(&ctx, v, &arena, &orgs, &n));
    assert_int_equal(n, 42);
    assert_string_equal(orgs[0].id, "alpha");
    assert_string_equal(orgs[1].kind, "hotline");
    assert_string_equal(orgs[41].name, "دار الأمل");
    su_vault_close(v);
    su_arena_free(&arena);
}

static void imported_is_read(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_arena arena;
    su_schema *s = test_schema();
    su_case_table *a = test_table(&rng, s, 300, 1, -1), *b = test_table(&rng, s, 200, 1000, F_YEAR),
                  *c = test_table(&rng, s, 50, 2000, F_MEANS), *back = NULL;
    su_batch_info ia = test_info(a, "a.csv"), ib = test_info(b, "b.csv"), ic = test_info(c, "c.csv");
    uint64_t n = 0, checked, bad;
    size_t count = 0;
    su_batch *batches = NULL;
    char **names = NULL;
    su_arena_init(&arena);
    c->synthetic = true;
    assert_ok(su_vault_open(&ctx, test_vault("read"), PASS, &v));
    assert_ok(su_vault_read(&ctx, v, NULL, s, &back));
    assert_int_equal(back->row_count, 0);
    assert_false(back->synthetic);
    su_case_table_free(back);
    assert_ok(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL));
    assert_int_equal(n, 1);
    assert_ok(su_vault_import(&ctx, v, "alpha", b, &ib, 0, &n, NULL));
    assert_ok(su_vault_import(&ctx, v, "beta", c, &ic, 0, &n, NULL));
    assert_int_equal(n, 3);
    assert_ok(su_vault_read(&ctx, v, NULL, s, &back));
    assert_int_equal(back->row_count, 550);
    assert_false(back->synthetic);
    test_contains(back, a);
    test_contains(back, b);
    test_contains(back, c);
    su_case_table *cells = NULL;
    assert_ok(su_vault_read_cells(&ctx, v, NULL, s, &cells));
    assert_int_equal(cells->row_count, 550);
    assert_int_equal(su_dict_count(cells->records), 1); /* no record id, only "" */
    for (uint64_t r = 0; r < 550; r++) assert_int_equal(cells->record_ids[r], 0);
    su_buf text = { 0 }, bare = { 0 };
    su_case_table_csv(back, &text);
    su_case_table_csv(cells, &bare);
    assert_int_equal(text.n, bare.n);
    assert_memory_equal(text.p, bare.p, text.n); /* the same cells in the same order */
    su_buf_free(&text);
    su_buf_free(&bare);
    su_case_table_free(cells);
    su_case_table_free(back);
    assert_ok(su_vault_read(&ctx, v, "beta", s, &back));
    assert_int_equal(back->row_count, 50);
    assert_true(back->synthetic);
    assert_false(back->columns[F_MEANS].provided);
    test_contains(back, c);
    su_case_table_free(back);
    assert_status(su_vault_read(&ctx, v, "gamma", s, &back), SU_INPUT);
    assert_ok(su_vault_batches(&ctx, v, &arena, &batches, &count));
    assert_int_equal(count, 3);
    assert_string_equal(batches[1].info.source_name, "b.csv");
    assert_string_equal(batches[1].info.who, "Amal the operator");
    assert_string_equal(batches[1].state, "closed");
    assert_int_equal(batches[1].records, 200);
    assert_memory_equal(&batches[1].info.source, &ib.source, sizeof ib.source);
    assert_ok(su_vault_schemas(&ctx, v, &arena, &names, &count));
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "test-schema");
    assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
    assert_int_equal(bad, 0);
    assert_true(checked >= 550 + 3 + 2 + 9);
    su_vault_close(v);
    su_case_table_free(a), su_case_table_free(b), su_case_table_free(c);
    test_schema_free(s);
    su_arena_free(&arena);
}

static double rank_correlation(const su_case_table *back, const su_case_table *in)
{
    double sum = 0, n = (double)back->row_count;
    for (uint64_t r = 0; r < back->row_count; r++) {
        double d = (double)r - (double)test_find(in, su_dict_get(back->records, back->record_ids[r]));
        sum += d * d;
    }
    return 1 - 6 * sum / (n * (n * n - 1));
}

/* The order depends on the set of records alone: the same two files imported in either order give one order, unlike that of the files. */
static void order_tells_nothing(void **state)
{
    (void)state;
    su_schema *s = test_schema();
    su_case_table *a = test_table(&rng, s, 400, 1, -1), *b = test_table(&rng, s, 100, 1000, -1), *back[2] = { 0 };
    su_batch_info ia = test_info(a, "a.csv"), ib = test_info(b, "b.csv");
    const char *dir = test_vault("order");
    char copy[1200];
    uint64_t n;
    snprintf(copy, sizeof copy, "%s-copy", dir);
    assert_int_equal(mkdir(copy, 0700), 0);
    su_buf bytes = test_bytes(su_arena_printf(&s->arena, "%s/vault.db", dir));
    test_write(su_arena_printf(&s->arena, "%s/vault.db", copy), bytes.p, bytes.n);
    su_buf_free(&bytes);
    for (int k = 0; k < 2; k++) {
        su_vault *v = NULL;
        assert_ok(su_vault_open(&ctx, k ? copy : dir, PASS, &v));
        assert_ok(su_vault_import(&ctx, v, "alpha", k ? b : a, k ? &ib : &ia, 0, &n, NULL));
        assert_ok(su_vault_import(&ctx, v, "alpha", k ? a : b, k ? &ia : &ib, 0, &n, NULL));
        assert_ok(su_vault_read(&ctx, v, NULL, s, &back[k]));
        su_vault_close(v);
    }
    for (uint64_t r = 0; r < 500; r++)
        assert_true(
            su_str_equal(su_dict_get(back[0]->records, back[0]->record_ids[r]), su_dict_get(back[1]->records, back[1]->record_ids[r])));
    su_case_table *both = test_table(&rng, s, 0, 1, -1);
    assert_ok(su_case_table_append(&ctx, both, a));
    assert_ok(su_case_table_append(&ctx, both, b));
    double rho = rank_correlation(back[0], both); /* standard deviation 1/sqrt(499) = 0.045 */
    assert_true(rho < 0.3 && rho > -0.3);
    su_case_table_free(a), su_case_table_free(b), su_case_table_free(both), su_case_table_free(back[0]), su_case_table_free(back[1]);
    test_schema_free(s);
}

static void imports_refused(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_schema *s = test_schema();
    su_case_table *a = test_table(&rng, s, 30, 1, -1), *b = test_table(&rng, s, 30, 21, -1), *none = su_case_table_new(s, 0), *back = NULL;
    su_batch_info ia = test_info(a, "a.csv"), ib = test_info(b, "b.csv"), wrong = ia;
    uint64_t n;
    assert_ok(su_vault_open(&ctx, test_vault("refused"), PASS, &v));
    assert_status(su_vault_import(&ctx, v, "gamma", a, &ia, 0, &n, NULL), SU_INPUT);
    assert_says("gamma");
    assert_status(su_vault_import(&ctx, v, "alpha", none, &ia, 0, &n, NULL), SU_INPUT);
    wrong.schema_name = "other-schema";
    assert_status(su_vault_import(&ctx, v, "alpha", a, &wrong, 0, &n, NULL), SU_USAGE);
    assert_ok(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL));
    assert_status(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL), SU_REFUSED);
    assert_says("batch 1");
    assert_status(su_vault_import(&ctx, v, "alpha", a, &ia, SU_IMPORT_RESUME, &n, NULL), SU_REFUSED);
    assert_status(su_vault_import(&ctx, v, "alpha", b, &ib, 0, &n, NULL), SU_REFUSED);
    assert_says("10 of 30 records");
    assert_says("row 1 of");
    assert_null(strstr(ctx.message, PLANTED));
    assert_ok(su_vault_import(&ctx, v, "beta", a, &ia, 0, &n, NULL)); /* another organisation's identifiers are its own */
    b->record_ids[29] = b->record_ids[28];
    assert_status(su_vault_import(&ctx, v, "beta", b, &ib, 0, &n, NULL), SU_INPUT);
    assert_says("rows 29 and 30");
    b->record_ids[29] = su_dict_add(b->records, SU_STR(""));
    assert_status(su_vault_import(&ctx, v, "beta", b, &ib, 0, &n, NULL), SU_INPUT);
    assert_says("row 30 has no record identifier");
    assert_ok(su_vault_read(&ctx, v, NULL, s, &back));
    assert_int_equal(back->row_count, 60);
    su_vault_close(v);
    su_case_table_free(a), su_case_table_free(b), su_case_table_free(none), su_case_table_free(back);
    test_schema_free(s);
}

static void a_failing_row_leaves_nothing(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_arena arena;
    su_schema *s = test_schema();
    su_case_table *a = test_table(&rng, s, 9000, 1, F_NAME);
    su_batch_info ia = test_info(a, "a.csv");
    su_batch *batches;
    size_t count;
    uint64_t n, checked, bad;
    su_arena_init(&arena);
    a->columns[F_SEX].codes[8500] = 9; /* in the third chunk */
    assert_ok(su_vault_open(&ctx, test_vault("failing"), PASS, &v));
    assert_status(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL), SU_INTERNAL);
    assert_says("row 8501");
    assert_ok(su_vault_batches(&ctx, v, &arena, &batches, &count));
    assert_int_equal(count, 0);
    assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
    assert_int_equal(bad, 0);
    a->columns[F_SEX].codes[8500] = 1;
    assert_ok(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL));
    assert_int_equal(n, 2); /* numbers never come back */
    su_vault_close(v);
    su_case_table_free(a);
    test_schema_free(s);
    su_arena_free(&arena);
}

static void withdrawal(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_vault_status st;
    su_schema *s = test_schema();
    su_case_table *a = test_table(&rng, s, 50, 1, -1), *again = test_table(&rng, s, 1, 7, -1), *back = NULL;
    su_batch_info ia = test_info(a, "a.csv"), ig = test_info(again, "again.csv");
    uint64_t n, checked, bad;
    const char *dir = test_vault("withdraw"), *id = PLANTED "-7";
    int files;
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL));
    assert_status(su_vault_withdraw(&ctx, v, "beta", id), SU_INPUT);
    assert_status(su_vault_withdraw(&ctx, v, "alpha", PLANTED "-51"), SU_INPUT);
    assert_ok(su_vault_withdraw(&ctx, v, "alpha", id));
    assert_status(su_vault_withdraw(&ctx, v, "alpha", id), SU_INPUT);
    assert_ok(su_vault_read(&ctx, v, NULL, s, &back));
    assert_int_equal(back->row_count, 49);
    assert_int_equal(test_find(back, su_str_of(id)), 49);
    su_case_table_free(back);
    assert_ok(su_vault_status_get(&ctx, v, &st));
    assert_int_equal(st.records, 49);
    assert_int_equal(st.withdrawn, 1);
    assert_ok(su_vault_import(&ctx, v, "alpha", again, &ig, 0, &n, NULL)); /* consent given again */
    assert_ok(su_vault_read(&ctx, v, NULL, s, &back));
    assert_int_equal(back->row_count, 50);
    test_contains(back, again);
    su_case_table_free(back);
    assert_ok(su_vault_withdraw(&ctx, v, "alpha", id));
    assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
    assert_int_equal(bad, 0);
    assert_int_equal(test_grep(dir, PLANTED, &files), 0);
    su_vault_close(v);
    su_case_table_free(a), su_case_table_free(again);
    test_schema_free(s);
}

/* A full export brings the older people once more, and one who withdrew. */
static void full_exports(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_schema *s = test_schema();
    su_case_table *old = test_table(&rng, s, 30, 1, -1), *full = test_table(&rng, s, 40, 1, -1), *one = test_table(&rng, s, 1, 7, -1),
                  *back = NULL;
    su_batch_info io = test_info(old, "2024.csv"), fi = test_info(full, "2025.csv"), one_info = test_info(one, "7.csv");
    su_import_counts c;
    uint64_t n;
    assert_ok(su_vault_open(&ctx, test_vault("full"), PASS, &v));
    assert_ok(su_vault_import(&ctx, v, "alpha", old, &io, SU_IMPORT_SKIP_KNOWN, &n, &c)); /* nothing is known yet */
    assert_int_equal(c.sealed, 30);
    assert_ok(su_vault_withdraw(&ctx, v, "alpha", PLANTED "-7"));
    assert_status(su_vault_import(&ctx, v, "alpha", full, &fi, 0, &n, &c), SU_REFUSED);
    assert_says("--skip-known");
    assert_ok(su_vault_import(&ctx, v, "alpha", full, &fi, SU_IMPORT_SKIP_KNOWN, &n, &c));
    assert_int_equal(c.sealed, 10);
    assert_int_equal(c.known, 29);
    assert_int_equal(c.withdrawn, 1);
    assert_int_equal(c.returned, 0);
    assert_ok(su_vault_read(&ctx, v, NULL, s, &back));
    assert_int_equal(back->row_count, 39);
    assert_int_equal(test_find(back, su_str_of(PLANTED "-7")), 39);
    assert_true(test_find(back, su_str_of(PLANTED "-40")) < 39);
    su_case_table_free(back);
    fi.source.bytes[0] ^= 1; /* another file with the same people */
    assert_status(su_vault_import(&ctx, v, "alpha", full, &fi, SU_IMPORT_SKIP_KNOWN, &n, &c), SU_REFUSED);
    assert_says("nothing new");
    assert_ok(su_vault_import(&ctx, v, "beta", full, &fi, SU_IMPORT_SKIP_KNOWN, &n, &c)); /* another organisation's people are others */
    assert_int_equal(c.sealed, 40);
    assert_ok(su_vault_import(&ctx, v, "alpha", one, &one_info, 0, &n, &c)); /* consent given again */
    assert_int_equal(c.returned, 1);
    su_vault_close(v);
    su_case_table_free(old), su_case_table_free(full), su_case_table_free(one);
    test_schema_free(s);
}

/* The ciphertext that stood in the file is nowhere in it afterwards. */
static void withdrawn_ciphertext_is_gone(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_schema *s = test_schema();
    su_case_table *a = test_table(&rng, s, 1, 1, -1);
    su_batch_info ia = test_info(a, "a.csv");
    uint64_t n;
    const char *dir = test_vault("gone");
    char path[1200];
    size_t differ = 0, zero_runs = 0;
    char *story = su_alloc(20001); /* five pages of it */
    memset(story, 'a', 20000);
    a->columns[F_NAME].ids[0] = su_dict_add(a->columns[F_NAME].texts, (su_str) { story, 20000 });
    free(story);
    snprintf(path, sizeof path, "%s/vault.db", dir);
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL));
    su_vault_close(v);
    su_buf before = test_bytes(path);
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_withdraw(&ctx, v, "alpha", PLANTED "-1"));
    su_vault_close(v);
    su_buf after = test_bytes(path);
    assert_int_equal(before.n, after.n);
    /* the record's page is the one where at least 128 random bytes became zero */
    for (size_t page = 0; page < before.n; page += 4096) {
        differ = 0;
        for (size_t i = page; i < page + 4096; i++) differ += before.p[i] != 0 && after.p[i] == 0;
        zero_runs += differ >= 120;
        for (size_t i = page; differ >= 120 && i + 24 <= page + 4096; i++) {
            bool random = true; /* 24 bytes without a zero: a piece of ciphertext */
            for (size_t k = 0; k < 24; k++) random = random && before.p[i + k];
            if (random && !after.p[i]) assert_null(memmem(after.p, after.n, before.p + i, 24));
        }
    }
    assert_true(zero_runs >= 5);
    su_buf_free(&before);
    su_buf_free(&after);
    su_case_table_free(a);
    test_schema_free(s);
}

static void codelists_change(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_schema *s = test_schema();
    su_schema *moved = test_schema_with("MD,Moldova,\nZZ,new,\nUA,Ukraine,\nPH,Philippines,\nAFG,Afghanistan,AF\n");
    su_schema *lost = test_schema_with("AF,Afghanistan,\nPH,Philippines,\nMD,Moldova,\n");
    su_case_table *a = test_table(&rng, s, 60, 1, -1), *back = NULL;
    su_batch_info ia = test_info(a, "a.csv");
    uint64_t n;
    assert_ok(su_vault_open(&ctx, test_vault("codes"), PASS, &v));
    a->columns[F_COUNTRY].codes[0] = 3;
    assert_ok(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL));
    assert_ok(su_vault_read(&ctx, v, NULL, moved, &back));
    static const su_cell now[] = { 0, 5, 4, 3, 1 };
    for (uint64_t r = 0; r < 60; r++) {
        uint64_t at = test_find(back, su_dict_get(a->records, a->record_ids[r]));
        su_cell old = a->columns[F_COUNTRY].codes[r];
        assert_int_equal(back->columns[F_COUNTRY].codes[at], su_cell_is_value(old) ? now[old] : old);
    }
    su_case_table_free(back);
    back = NULL;
    assert_status(su_vault_read(&ctx, v, NULL, lost, &back), SU_INPUT);
    assert_says("test-schema no longer has 1 code that");
    assert_says("country = UA");
    assert_null(back);
    moved->fields[F_AGE].name = "age_at_registration";
    assert_status(su_vault_read(&ctx, v, NULL, moved, &back), SU_INPUT);
    assert_says("column age");
    const char *aliases[] = { "age" };
    moved->fields[F_AGE].aliases = aliases;
    moved->fields[F_AGE].alias_count = 1;
    assert_ok(su_vault_read(&ctx, v, NULL, moved, &back));
    assert_int_equal(back->row_count, 60);
    su_case_table_free(back);
    back = NULL;
    s->fields[F_AGE].type = SU_TYPE_YEAR;
    assert_status(su_vault_read(&ctx, v, NULL, s, &back), SU_INPUT);
    assert_says("another type");
    s->fields[F_AGE].type = SU_TYPE_INTEGER;
    su_vault_close(v);
    su_case_table_free(a);
    test_schema_free(s), test_schema_free(moved), test_schema_free(lost);
}

static void public_mode(void **state)
{
    (void)state;
    su_vault *v = NULL;
    su_arena arena;
    su_vault_status st;
    su_org *orgs;
    su_batch *batches;
    char **names;
    size_t count;
    su_schema *s = test_schema();
    su_case_table *a = test_table(&rng, s, 20, 1, -1), *back = NULL;
    su_batch_info ia = test_info(a, "secret name.csv");
    su_ledger *l = NULL;
    uint64_t n, checked, bad, cap, spent;
    const char *dir = test_vault("public");
    su_arena_init(&arena);
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL));
    su_vault_close(v);
    assert_ok(su_vault_open_public(&ctx, dir, &v));
    assert_ok(su_vault_status_get(&ctx, v, &st));
    assert_int_equal(st.records, 20);
    assert_ok(su_vault_orgs(&ctx, v, &arena, &orgs, &count));
    assert_int_equal(count, 2);
    assert_int_equal(orgs[0].records, 20);
    assert_ok(su_vault_batches(&ctx, v, &arena, &batches, &count));
    assert_int_equal(count, 1);
    assert_string_equal(batches[0].info.source_name, "(sealed)");
    assert_string_equal(batches[0].info.who, "(sealed)");
    assert_ok(su_vault_schemas(&ctx, v, &arena, &names, &count));
    assert_int_equal(count, 1);
    assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
    assert_int_equal(bad, 0);
    assert_ok(su_vault_ledger(&ctx, v, &l));
    assert_ok(su_ledger_cap(&ctx, l, &cap, &spent));
    assert_status(su_ledger_cap_set(&ctx, l, 1, "x", "y"), SU_USAGE);
    su_ledger_close(l);
    assert_status(su_vault_read(&ctx, v, NULL, s, &back), SU_USAGE);
    assert_says("passphrase");
    assert_status(su_vault_import(&ctx, v, "alpha", a, &ia, 0, &n, NULL), SU_USAGE);
    assert_status(su_vault_withdraw(&ctx, v, "alpha", "x"), SU_USAGE);
    assert_status(su_vault_org_add(&ctx, v, "x", "x", "state"), SU_USAGE);
    assert_status(su_vault_passphrase_set(&ctx, v, OTHER, SU_VAULT_COST_TEST), SU_USAGE);
    su_vault_close(v);
    su_case_table_free(a);
    test_schema_free(s);
    su_arena_free(&arena);
}

/* Two processes import at the same time: one waits for the other, both arrive. */
static void imports_take_turns(void **state)
{
    (void)state;
    su_schema *s = test_schema();
    su_case_table *t[3];
    su_vault *v = NULL;
    su_case_table *back = NULL;
    uint64_t checked, bad;
    pid_t pids[3];
    const char *dir = test_vault("turns");
    for (int k = 0; k < 3; k++) t[k] = test_table(&rng, s, 6000, (uint64_t)k * 10000, F_NAME);
    for (int k = 0; k < 3; k++) {
        pids[k] = fork();
        assert_true(pids[k] >= 0);
        if (pids[k] == 0) {
            char file[] = "0.csv";
            file[0] = (char)('0' + k);
            su_batch_info info = test_info(t[k], file);
            uint64_t n;
            bool good = su_vault_open(&ctx, dir, PASS, &v) == SU_OK && su_vault_import(&ctx, v, "alpha", t[k], &info, 0, &n, NULL) == SU_OK;
            if (!good) fprintf(stderr, "# child %d: %s\n", k, ctx.message);
            su_vault_close(v);
            _exit(good ? 0 : 1);
        }
    }
    for (int k = 0; k < 3; k++) {
        int code = -1;
        waitpid(pids[k], &code, 0);
        assert_int_equal(code, 0);
    }
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
    assert_int_equal(bad, 0);
    assert_ok(su_vault_read(&ctx, v, NULL, s, &back));
    assert_int_equal(back->row_count, 18000);
    su_vault_close(v);
    su_case_table_free(back);
    for (int k = 0; k < 3; k++) su_case_table_free(t[k]);
    test_schema_free(s);
}

static void hardened_process(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) _exit(su_process_harden(&ctx) == SU_OK ? 0 : 1);
    int code = -1;
    waitpid(child, &code, 0);
    assert_int_equal(code, 0);
}

/* The costs that real vaults are made with, once: header, memory and time as declared. */
static void real_costs(void **state)
{
    (void)state;
    su_vault *v = NULL;
    const char *dir = su_test_path("interactive");
    assert_ok(su_vault_init_with(&ctx, dir, PASS, SU_VAULT_COST_INTERACTIVE));
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    su_vault_close(v);
    assert_int_equal(crypto_pwhash_MEMLIMIT_MODERATE, 256u << 20);
    assert_int_equal(crypto_pwhash_MEMLIMIT_INTERACTIVE, 64u << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(making_and_opening, setup),
        cmocka_unit_test_setup(passphrases, setup),
        cmocka_unit_test_setup(organisations, setup),
        cmocka_unit_test_setup(imported_is_read, setup),
        cmocka_unit_test_setup(order_tells_nothing, setup),
        cmocka_unit_test_setup(imports_refused, setup),
        cmocka_unit_test_setup(a_failing_row_leaves_nothing, setup),
        cmocka_unit_test_setup(withdrawal, setup),
        cmocka_unit_test_setup(full_exports, setup),
        cmocka_unit_test_setup(withdrawn_ciphertext_is_gone, setup),
        cmocka_unit_test_setup(codelists_change, setup),
        cmocka_unit_test_setup(public_mode, setup),
        cmocka_unit_test_setup(imports_take_turns, setup),
        cmocka_unit_test_setup(hardened_process, setup),
        cmocka_unit_test_setup(real_costs, setup),
    };
    return cmocka_run_group_tests_name("vault: store", tests, NULL, NULL);
}
