/* What a bundle is: files, sums, determinism, data against a slow oracle, stamps, spreadsheets, mark-up, the official profile. */
#include "markup.h"
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const su_bundle_info info = { .created = 1795000000,
                                     .publisher = "Imaginary Observatory",
                                     .population_epsilon = 3.1,
                                     .population_delta = 1e-9,
                                     .releases_before = 1,
                                     .ledger_note = "in the vault" };

typedef struct made {
    su_sample sample;
    su_context ctx;
    su_arena arena;
    su_bundle_file *files;
    size_t count;
} made;

static void make(const su_sample_options *o, const su_bundle_info *i, made *m)
{
    su_context_init(&m->ctx);
    su_arena_init(&m->arena);
    su_sample_make(o, &m->sample);
    su_status st = su_bundle_make(&m->ctx, &m->arena, m->sample.release, i, &m->files, &m->count);
    if (st) print_message("%s\n", m->ctx.message);
    assert_int_equal(st, SU_OK);
}

static void drop(made *m)
{
    su_arena_free(&m->arena);
    su_sample_free(&m->sample);
}

static const su_bundle_file *find(const made *m, const char *path)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->files[i].path, path) == 0) return &m->files[i];
    return NULL;
}

static bool ends(const char *s, const char *tail) { return strlen(s) >= strlen(tail) && strcmp(s + strlen(s) - strlen(tail), tail) == 0; }
static bool same(su_str a, su_str b) { return a.n == b.n && memcmp(a.p, b.p, a.n) == 0; }
static bool holds(su_str s, const char *word) { return memmem(s.p, s.n, word, strlen(word)) != NULL; }

static void files_and_sums(void **state)
{
    (void)state;
    static const char *const wanted[] = { "CITATION.cff",
                                          "README.md",
                                          "codebook.html",
                                          "codebook.md",
                                          "codelists/age-broad.csv",
                                          "codelists/flag-present.csv",
                                          "codelists/gender.csv",
                                          "codelists/iso-3166-1.csv",
                                          "codelists/months.csv",
                                          "codelists/services.csv",
                                          "codelists/yearofregistration.csv",
                                          "data/aggregates.csv",
                                          "data/microdata.csv",
                                          "datapackage.json",
                                          "protection/report.html",
                                          "protection/report.json",
                                          "style.css",
                                          "SHA256SUMS" };
    made m;
    make(&(su_sample_options) { 0 }, &info, &m);
    assert_int_equal(m.count, sizeof wanted / sizeof *wanted);
    const char *line = find(&m, "SHA256SUMS")->bytes.p;
    for (size_t i = 0; i < m.count; i++) {
        assert_string_equal(m.files[i].path, wanted[i]);
        size_t bad;
        assert_true(su_utf8_valid(m.files[i].bytes.p, m.files[i].bytes.n, &bad));
        if (i + 1 == m.count) break;
        char hex[65];
        su_sha256 h = su_sha256_of(m.files[i].bytes.p, m.files[i].bytes.n);
        su_hex(h.bytes, 32, hex);
        assert_memory_equal(line, hex, 64);
        assert_memory_equal(line + 66, wanted[i], strlen(wanted[i]));
        line = strchr(line, '\n') + 1;
    }
    assert_int_equal(*line, 0);
    drop(&m);
}

static void same_inputs_same_bytes(void **state)
{
    (void)state;
    made a, b;
    make(&(su_sample_options) { .seed = 5 }, &info, &a);
    make(&(su_sample_options) { .seed = 5 }, &info, &b);
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) assert_true(same(a.files[i].bytes, b.files[i].bytes));
    drop(&a);
    drop(&b);
}

/* Other people, other seed: file names, headers, codelists, codebook's fields must not move (nothing depends on the data). */
static void shape_does_not_depend_on_data(void **state)
{
    (void)state;
    made a, b;
    make(&(su_sample_options) { .seed = 5, .rows = 300 }, &info, &a);
    make(&(su_sample_options) { .seed = 99, .rows = 12 }, &info, &b);
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        assert_string_equal(a.files[i].path, b.files[i].path);
        if (strncmp(a.files[i].path, "codelists/", 10) == 0) assert_true(same(a.files[i].bytes, b.files[i].bytes));
        if (strncmp(a.files[i].path, "data/", 5) == 0) {
            size_t n = (size_t)(strchr(a.files[i].bytes.p, '\n') - a.files[i].bytes.p);
            assert_memory_equal(a.files[i].bytes.p, b.files[i].bytes.p, n + 1);
        }
    }
    drop(&a);
    drop(&b);
}

/* The order of the records must carry nothing: any permutation of them prints the same bytes. */
static void order_of_records_is_lost(void **state)
{
    (void)state;
    made m;
    make(&(su_sample_options) { .seed = 11 }, &info, &m);
    su_release *r = m.sample.release;
    su_random random;
    su_random_seeded(&random, 3);
    for (uint64_t i = r->record_count - 1; i > 0; i--) {
        uint64_t k = su_random_below(&random, i + 1);
        for (uint32_t c = 0; c < r->column_count; c++) {
            uint16_t t = r->records[c][i];
            r->records[c][i] = r->records[c][k];
            r->records[c][k] = t;
        }
    }
    su_bundle_file *files;
    size_t count;
    assert_int_equal(su_bundle_make(&m.ctx, &m.arena, r, &info, &files, &count), SU_OK);
    for (size_t i = 0; i < count; i++) assert_true(same(files[i].bytes, m.files[i].bytes));
    drop(&m);
}

/* ---- data against a slow and obvious oracle ----------------------------------------------------------------------------------------- */

static int lines_order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static size_t lines_of(const char *text, char **out, size_t most)
{
    size_t n = 0;
    char *copy = strdup(text), *save = NULL;
    for (char *p = strtok_r(copy, "\n", &save); p && n < most; p = strtok_r(NULL, "\n", &save)) out[n++] = strdup(p);
    free(copy);
    return n;
}

static char *expected_row(const su_release *r, uint64_t row)
{
    static const char *const service[] = { "shelter", "legal;aid", "'=health", "school" };
    char out[512] = "";
    for (uint32_t f = 0; f < r->schema->field_count; f++) {
        const su_field *field = &r->schema->fields[f];
        if (!field->released) continue;
        char cell[256] = "";
        bool provided = false;
        for (uint32_t c = 0; c < r->column_count; c++) {
            if (r->columns[c].field != f) continue;
            provided = true;
            uint16_t v = r->records[c][row];
            if (v == 0) continue;
            if (field->type == SU_TYPE_CODE_SET) {
                if (cell[0]) strcat(cell, "|");
                strcat(cell, service[r->columns[c].set_value - 1]);
            } else
                strcat(cell, field->codelist->codes[v - 1].code);
        }
        if (!cell[0] && provided) strcat(cell, field->missing_print);
        if (f) strcat(out, ",");
        strcat(out, cell);
    }
    return strdup(out);
}

static void microdata_is_the_records(void **state)
{
    (void)state;
    made m;
    make(&(su_sample_options) { .seed = 21, .rows = 257 }, &info, &m);
    const su_release *r = m.sample.release;
    char *got[400], *want[400];
    size_t n = lines_of(find(&m, "data/microdata.csv")->bytes.p, got, 400);
    assert_int_equal(n, 258);
    assert_string_equal(got[0], "yearOfRegistration,gender,ageBroad,citizenship,CountryOfExploitation,traffickMonths,services,meansThreats,"
                                "meansDebt,isForcedLabour,"
                                "isSexualExploit");
    for (uint64_t i = 0; i < 257; i++) want[i] = expected_row(r, i);
    qsort(got + 1, 257, sizeof *got, lines_order);
    qsort(want, 257, sizeof *want, lines_order);
    for (size_t i = 0; i < 257; i++) {
        assert_string_equal(got[i + 1], want[i]);
        free(want[i]);
    }
    for (size_t i = 0; i < n; i++) free(got[i]);
    drop(&m);
}

static void vault_fields_leave_no_column(void **state)
{
    (void)state;
    made m;
    make(&(su_sample_options) { 0 }, &info, &m);
    for (size_t i = 0; i < m.count; i++)
        if (ends(m.files[i].path, ".csv")) assert_false(holds(m.files[i].bytes, "caseName"));
    drop(&m);
}

static void aggregates_are_the_release(void **state)
{
    (void)state;
    made m;
    make(&(su_sample_options) { .seed = 4 }, &info, &m);
    const su_release *r = m.sample.release;
    const char *p = strchr(find(&m, "data/aggregates.csv")->bytes.p, '\n') + 1;
    for (size_t i = 0; i < r->aggregate_count; i++) {
        const su_aggregate *g = &r->aggregates[i];
        char want[256] = "";
        for (uint32_t k = 0; k < g->length; k++) {
            const su_matrix_column *c = &r->columns[g->at[k].column];
            const su_field *f = &r->schema->fields[c->field];
            const char *code = f->codelist->codes[(c->set_value ? c->set_value : g->at[k].value) - 1].code;
            if (strcmp(code, "legal;aid") == 0) code = "legal\\;aid";
            if (strcmp(code, "=health") == 0) code = "'\\=health";
            snprintf(want + strlen(want), sizeof want - strlen(want), "%s%s=%s", k ? ";" : "", f->name, code);
        }
        assert_memory_equal(p, want, strlen(want));
        unsigned length;
        unsigned long long count;
        double low, high;
        assert_int_equal(sscanf(p + strlen(want), ",%u,%llu,%lf,%lf\n", &length, &count, &low, &high), 4);
        assert_int_equal(length, g->length);
        assert_int_equal(count, g->count);
        assert_true(low <= g->ci_low + 1e-9 && low > g->ci_low - 0.11); /* 1e-9: what decimal text cannot hold */
        assert_true(high >= g->ci_high - 1e-9 && high < g->ci_high + 0.11);
        p = strchr(p, '\n') + 1;
    }
    assert_int_equal(*p, 0);
    drop(&m);
}

static void denominators_of_groups(void **state)
{
    (void)state;
    made m;
    make(&(su_sample_options) { .seed = 8 }, &info, &m);
    const su_release *r = m.sample.release;
    json_t *j = json_loads(find(&m, "protection/report.json")->bytes.p, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    for (int g = 0; g < 2; g++) {
        uint64_t n = 0;
        for (uint64_t row = 0; row < r->record_count; row++) {
            int yes = 0;
            for (uint32_t c = 0; c < r->column_count; c++)
                yes += r->schema->fields[r->columns[c].field].group == g && r->records[c][row] > 0;
            n += yes > 0;
        }
        assert_int_equal(json_integer_value(
                             json_object_get(json_array_get(json_object_get(j, "groups"), (size_t)g), "synthetic_records_with_an_answer")),
                         n);
    }
    json_decref(j);
    drop(&m);
}

/* No printed number may promise more than the real one: epsilon and its consequences go up, the lower end goes down. */
static void promises_round_to_the_safe_side(void **state)
{
    (void)state;
    static const double epsilons[] = { 0.1000049, 0.99994, 1.00001, 3.99999, 3.82705, 12.00009, 99.99 };
    for (size_t i = 0; i < sizeof epsilons / sizeof *epsilons; i++) {
        made m;
        make(&(su_sample_options) { .rows = 20 }, &info, &m);
        m.sample.release->epsilon_stated = epsilons[i];
        assert_int_equal(su_bundle_make(&m.ctx, &m.arena, m.sample.release, &info, &m.files, &m.count), SU_OK);
        const char *text = strstr(find(&m, "README.md")->bytes.p, "epsilon = ");
        assert_non_null(text);
        const char *factor = strstr(text, "e^epsilon = "), *rise = strstr(text, "rise to at most "), *fall = strstr(text, "no less than ");
        assert_true(factor && rise && fall);
        double odds = exp(epsilons[i]);
        assert_true(strtod(text + 10, NULL) >= epsilons[i]);
        if (odds < 1000) assert_true(strtod(factor + 12, NULL) >= odds);
        assert_true(strtod(rise + 16, NULL) >= 100 * odds / (99 + odds) - 1e-9);
        assert_true(strtod(fall + 13, NULL) <= 100 / (99 * odds + 1));
        drop(&m);
    }
}

/* ---- stamps ------------------------------------------------------------------------------------------------------------------------- */

static bool is_text_for_people(const char *path)
{
    return !ends(path, ".csv") && strcmp(path, "SHA256SUMS") != 0 && strcmp(path, "style.css") != 0;
}

static void stamped_everywhere_or_nowhere(void **state)
{
    (void)state;
    static const struct {
        bool seeded, from_data;
        const char *stamp;
    } cases[] = { { true, false, "NOT PRIVATE" }, { false, true, "NO GUARANTEE" }, { true, true, "NOT PRIVATE" } };
    for (size_t k = 0; k < 3; k++) {
        made m;
        make(&(su_sample_options) { .seeded_noise = cases[k].seeded, .domain_from_data = cases[k].from_data }, &info, &m);
        assert_non_null(find(&m, "NOT-PRIVATE.txt"));
        for (size_t i = 0; i < m.count; i++) {
            if (is_text_for_people(m.files[i].path)) {
                if (!holds(m.files[i].bytes, cases[k].stamp)) fail_msg("%s does not say %s", m.files[i].path, cases[k].stamp);
            } else if (ends(m.files[i].path, ".csv"))
                assert_false(holds(m.files[i].bytes, cases[k].stamp));
        }
        json_t *j = json_loads(find(&m, "datapackage.json")->bytes.p, 0, NULL);
        assert_true(json_is_false(json_object_get(json_object_get(j, "suha:guarantee"), "holds")));
        assert_int_equal(strncmp(json_string_value(json_object_get(j, "title")), cases[k].stamp, strlen(cases[k].stamp)), 0);
        json_decref(j);
        if (cases[k].from_data) assert_true(holds(find(&m, "protection/report.html")->bytes, "read off the data"));
        drop(&m);
    }
    made m;
    make(&(su_sample_options) { 0 }, &info, &m);
    assert_null(find(&m, "NOT-PRIVATE.txt"));
    for (size_t i = 0; i < m.count; i++) assert_false(holds(m.files[i].bytes, "NOT PRIVATE") || holds(m.files[i].bytes, "NO GUARANTEE"));
    drop(&m);
}

/* ---- hostile texts ------------------------------------------------------------------------------------------------------------------ */

static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=HYPERLINK(\"http://x\",\"y\")",
    "+1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-2+3",
    "a,b\n\"c\";d=e\\f",
    "]]>&lt;&amp;' | `x` [y](javascript:alert(1)) # **z**",
    "{{7*7}}\ttab",
    "\xd8\xa7\xd9\x84\xd8\xb9\xd8\xb1\xd8\xa8\xd9\x8a\xd8\xa9 \xe2\x80\xae",
};

/* No cell of any CSV may begin like a formula, unless it is a number. */
static void check_cells(const su_bundle_file *f)
{
    const char *p = f->bytes.p, *end = p + f->bytes.n;
    while (p < end) {
        char cell[2048];
        size_t n = 0;
        bool quoted = *p == '"';
        if (quoted) p++;
        while (p < end && (quoted ? !(*p == '"' && p[1] != '"') : (*p != ',' && *p != '\n'))) {
            if (quoted && *p == '"') p++;
            if (n + 1 < sizeof cell) cell[n++] = *p;
            p++;
        }
        cell[n] = 0;
        if (quoted) p++;
        double number;
        if (n && strchr("=+-@\t\r", cell[0]) && !su_parse_f64((su_str) { cell, n }, &number)) fail_msg("%s: cell %s", f->path, cell);
        p++;
    }
}

static void hostile_texts_stay_text(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof hostile / sizeof *hostile; k++) {
        made m;
        su_bundle_info i = info;
        i.title = i.publisher = i.ledger_note = hostile[k];
        make(&(su_sample_options) { .hostile = hostile[k], .rows = 40, .seeded_noise = k % 2 }, &i, &m);
        for (size_t f = 0; f < m.count; f++) {
            const char *path = m.files[f].path;
            if (ends(path, ".csv")) check_cells(&m.files[f]);
            if (ends(path, ".html")) {
                const char *fault = su_markup_fault(m.files[f].bytes.p, m.files[f].bytes.n);
                if (fault) fail_msg("%s with %s: %s", path, hostile[k], fault);
            }
            if (ends(path, ".md"))
                assert_false(holds(m.files[f].bytes, "<script") || holds(m.files[f].bytes, "<img") || holds(m.files[f].bytes, "[y]("));
            if (ends(path, ".json")) {
                json_error_t error;
                json_t *j = json_loadb(m.files[f].bytes.p, m.files[f].bytes.n, JSON_REJECT_DUPLICATES, &error);
                if (!j) fail_msg("%s: %s", path, error.text);
                json_decref(j);
            }
        }
        drop(&m);
    }
}

/* ---- Data Package ------------------------------------------------------------------------------------------------------------------- */

static void check_resource(const made *m, const json_t *r)
{
    const char *path = json_string_value(json_object_get(r, "path")), *name = json_string_value(json_object_get(r, "name"));
    assert_non_null(path);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-"), strlen(name));
    const su_bundle_file *f = find(m, path);
    assert_non_null(f);
    assert_int_equal(json_integer_value(json_object_get(r, "bytes")), f->bytes.n);
    char hex[65], want[80];
    su_sha256 h = su_sha256_of(f->bytes.p, f->bytes.n);
    su_hex(h.bytes, 32, hex);
    snprintf(want, sizeof want, "sha256:%s", hex);
    assert_string_equal(json_string_value(json_object_get(r, "hash")), want);
    assert_string_equal(json_string_value(json_object_get(r, "encoding")), "utf-8");
    if (!ends(path, ".csv")) return;
    /* The fields named are the header printed. */
    char header[1024] = "";
    const json_t *fields = json_object_get(json_object_get(r, "schema"), "fields");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        if (i) strcat(header, ",");
        strcat(header, json_string_value(json_object_get(field, "name")));
        assert_true(json_is_string(json_object_get(field, "type")));
        if (strcmp(path, "data/microdata.csv") == 0)
            assert_true(json_is_string(json_object_get(json_array_get(json_object_get(field, "missingValues"), 0), "label")));
    }
    strcat(header, "\n");
    assert_memory_equal(f->bytes.p, header, strlen(header));
}

static void datapackage_describes_the_files(void **state)
{
    (void)state;
    made m;
    make(&(su_sample_options) { 0 }, &info, &m);
    json_t *j = json_loads(find(&m, "datapackage.json")->bytes.p, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    static const char *const texts[] = { "$schema", "name", "title", "description", "version", "created" };
    for (size_t i = 0; i < 6; i++) assert_true(json_is_string(json_object_get(j, texts[i])));
    assert_string_equal(json_string_value(json_object_get(j, "$schema")), "https://datapackage.org/profiles/2.0/datapackage.json");
    assert_string_equal(json_string_value(json_object_get(j, "created")), "2026-11-18T11:06:40Z");
    assert_string_equal(json_string_value(json_object_get(j, "version")), "2026.11.18");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(j, "licenses"), 0), "name")), "CC-BY-4.0");
    const json_t *guarantee = json_object_get(j, "suha:guarantee"), *resources = json_object_get(j, "resources");
    assert_true(json_is_true(json_object_get(guarantee, "holds")));
    assert_float_equal(json_number_value(json_object_get(guarantee, "epsilon")), 1.99, 1e-12);
    size_t tables = 0, all = 0;
    for (size_t i = 0; i < m.count; i++) all += ends(m.files[i].path, ".csv");
    for (size_t i = 0; i < json_array_size(resources); i++) {
        check_resource(&m, json_array_get(resources, i));
        tables += json_is_string(json_object_get(json_array_get(resources, i), "type"));
    }
    assert_int_equal(tables, all);
    json_decref(j);
    drop(&m);
}

static int run(const char *command)
{
    int rc = system(command);
    return rc != -1 && WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

/* The official profile by another implementation; skipped where python3 has no jsonschema. */
static void datapackage_fits_the_official_profile(void **state)
{
    (void)state;
    const char *source = getenv("SUHA_SOURCE");
    char dir[256], command[1024];
    if (!source || run("python3 -c 'import jsonschema' 2>/dev/null") != 0) {
        print_message("skipped: python3 with jsonschema is not installed\n");
        skip();
    }
    made m;
    make(&(su_sample_options) { .seeded_noise = true }, &info, &m);
    su_sample_folder(dir);
    snprintf(command, sizeof command, "%s/datapackage.json", dir);
    const su_bundle_file *f = find(&m, "datapackage.json");
    assert_int_equal(su_file_write(&m.ctx, command, f->bytes.p, f->bytes.n, 0644), SU_OK);
    snprintf(command, sizeof command,
             "python3 -c 'import json,sys,jsonschema; p=json.load(open(sys.argv[1])); d=json.load(open(sys.argv[2])); "
             "e=[x.message for x in jsonschema.Draft7Validator(p,format_checker=jsonschema.FormatChecker()).iter_errors(d)]; print(e); "
             "sys.exit(len(e)>0)' "
             "'%s/tests/publish/profile/datapackage-2.0.json' '%s/datapackage.json' >&2",
             source, dir);
    assert_int_equal(run(command), 0);
    su_sample_remove(dir);
    drop(&m);
}

/* ---- refusals ----------------------------------------------------------------------------------------------------------------------- */

static void refusals_say_why(void **state)
{
    (void)state;
    made m;
    make(&(su_sample_options) { 0 }, &info, &m);
    su_bundle_file *files;
    size_t count;
    su_bundle_info bad = info;
    bad.licence = "do what you like";
    assert_int_equal(su_bundle_make(&m.ctx, &m.arena, m.sample.release, &bad, &files, &count), SU_USAGE);
    assert_non_null(strstr(m.ctx.message, "SPDX"));
    bad.licence = "CC0-1.0";
    bad.licence_url = "javascript:alert(1)";
    assert_int_equal(su_bundle_make(&m.ctx, &m.arena, m.sample.release, &bad, &files, &count), SU_USAGE);
    assert_int_equal(count, 0);

    su_codelist *services = (su_codelist *)(uintptr_t)m.sample.schema->fields[6].codelist;
    services->codes[0].code = ";|,/~";
    assert_int_equal(su_bundle_make(&m.ctx, &m.arena, m.sample.release, &info, &files, &count), SU_INPUT);
    assert_non_null(strstr(m.ctx.message, "services"));

    const su_schema *schema = m.sample.release->schema;
    m.sample.release->schema = NULL;
    assert_int_equal(su_bundle_make(&m.ctx, &m.arena, m.sample.release, &info, &files, &count), SU_USAGE);
    m.sample.release->schema = schema;
    m.sample.schema->fields[1].released = false;
    assert_int_equal(su_bundle_make(&m.ctx, &m.arena, m.sample.release, &info, &files, &count), SU_INTERNAL);
    drop(&m);
}

static void names_are_made_safe(void **state)
{
    (void)state;
    made m;
    su_bundle_info i = info;
    i.name = "../../Etc/Passwd  Größe!";
    i.publisher = NULL;
    make(&(su_sample_options) { .rows = 3 }, &i, &m);
    json_t *j = json_loads(find(&m, "datapackage.json")->bytes.p, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(j, "name")), "etc-passwd-gr-e");
    assert_null(json_object_get(j, "contributors"));
    json_decref(j);
    drop(&m);
    make(&(su_sample_options) { .rows = 3 }, NULL, &m); /* no info at all: everything derived */
    drop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_sums),
        cmocka_unit_test(same_inputs_same_bytes),
        cmocka_unit_test(shape_does_not_depend_on_data),
        cmocka_unit_test(order_of_records_is_lost),
        cmocka_unit_test(microdata_is_the_records),
        cmocka_unit_test(vault_fields_leave_no_column),
        cmocka_unit_test(aggregates_are_the_release),
        cmocka_unit_test(denominators_of_groups),
        cmocka_unit_test(stamped_everywhere_or_nowhere),
        cmocka_unit_test(promises_round_to_the_safe_side),
        cmocka_unit_test(hostile_texts_stay_text),
        cmocka_unit_test(datapackage_describes_the_files),
        cmocka_unit_test(datapackage_fits_the_official_profile),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(names_are_made_safe),
    };
    return cmocka_run_group_tests_name("publish: bundle", tests, NULL, NULL);
}
