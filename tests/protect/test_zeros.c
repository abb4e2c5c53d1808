/* Structural zeros (docs/methods/structural-zeros.md): what follows from rules, what repair does, least squares under conditions, releases.
 */
#include "dp/zeros.h"
#include "pgm/pgm.h"
#include "prepare.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 20261124
#define MOST_RULES 6

/* A schema of coded columns "a", "b", ... with codes "1", "2", ...; rules are added by hand. */
typedef struct ruled {
    su_schema schema;
    su_field fields[6];
    su_record_rule rules[MOST_RULES];
    uint16_t values[MOST_RULES][2][8];
    su_arena arena;
} ruled;

static void ruled_init(ruled *x, world *w)
{
    static const char *const digits[] = { "1", "2", "3", "4", "5", "6", "7", "8" };
    memset(x, 0, sizeof *x);
    su_arena_init(&x->arena);
    x->schema = (su_schema) { .name = "toy", .fields = x->fields, .field_count = w->matrix.column_count, .rules = x->rules };
    for (uint32_t c = 0; c < w->matrix.column_count; c++) {
        su_str codes[8];
        for (uint32_t v = 0; v + 1 < w->columns[c].card; v++) codes[v] = su_str_of(digits[v]);
        x->fields[c] = (su_field) { .name = w->columns[c].name,
                                    .type = SU_TYPE_CODE,
                                    .released = true,
                                    .codelist = su_codelist_exact(&x->arena, w->columns[c].name, codes, w->columns[c].card - 1) };
        w->columns[c].field = c;
    }
}

static void ruled_free(ruled *x)
{
    for (uint32_t c = 0; c < x->schema.field_count; c++) su_codelist_free((su_codelist *)x->fields[c].codelist);
    su_arena_free(&x->arena);
}

/* if column a has one of the codes in mask `when` then column b has one in `then`; excludes: none. Bit v = code v. */
static void ruled_add(ruled *x, uint32_t a, uint32_t when, bool excludes, uint32_t b, uint32_t then)
{
    uint32_t i = x->schema.rule_count++;
    su_record_rule *r = &x->rules[i];
    *r = (su_record_rule) {
        .name = "a rule", .excludes = excludes, .if_field = a, .field = b, .if_values = x->values[i][0], .values = x->values[i][1]
    };
    for (uint16_t v = 1; v < 8; v++) {
        if (when >> v & 1) r->if_values[r->if_count++] = v;
        if (then >> v & 1) r->values[r->count++] = v;
    }
}

/* The oracle: does a record obey all rules? */
static bool obeys(const ruled *x, const uint16_t *record)
{
    for (uint32_t i = 0; i < x->schema.rule_count; i++) {
        const su_record_rule *r = &x->rules[i];
        bool condition = false, other = false;
        for (uint32_t k = 0; k < r->if_count; k++) condition = condition || record[r->if_field] == r->if_values[k];
        for (uint32_t k = 0; k < r->count; k++) other = other || record[r->field] == r->values[k];
        if (!r->soft && condition && other == r->excludes) return false;
    }
    return true;
}

static bool next_record(const world *w, uint16_t *record)
{
    for (uint32_t c = w->matrix.column_count; c-- > 0;) {
        if (++record[c] < w->columns[c].card) return true;
        record[c] = 0;
    }
    return false;
}

static const su_rules *rules_of(su_arena *arena, const ruled *x, const world *w, su_status expected)
{
    su_context ctx;
    const su_rules *rules = NULL;
    su_context_init(&ctx);
    su_status st = su_rules_of(&ctx, arena, &x->schema, w->columns, w->matrix.column_count, &rules);
    if (st != expected) fail_msg("%s", ctx.message);
    return rules;
}

/* a = 1 or 2 implies b = 1; b = 1 implies c = 1; c = 1 excludes d = 2: so a = 1 excludes d = 2, and asks for c = 1. */
static void chain(ruled *x, world *w, uint64_t rows, su_random *random)
{
    world_init(w, rows, (uint32_t[]) { 4, 3, 3, 4 }, 4, random);
    ruled_init(x, w);
    ruled_add(x, 0, 6, false, 1, 2);
    ruled_add(x, 1, 2, false, 2, 2);
    ruled_add(x, 2, 2, true, 3, 4);
}

/* Random rules: what is called impossible is so, by trying all records; a code is refused only if no record has it. */
static void test_closure_is_sound(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED);
    uint64_t impossible = 0, missed = 0, refused = 0;
    for (int i = 0; i < 400; i++) {
        world w;
        ruled x;
        su_arena arena;
        su_arena_init(&arena);
        world_init(&w, 1, (uint32_t[]) { 4, 3, 2, 4 }, 4, &random);
        ruled_init(&x, &w);
        for (uint64_t n = 1 + su_random_below(&random, MOST_RULES); n > 0; n--) {
            uint32_t a = (uint32_t)su_random_below(&random, 4), b = (a + 1 + (uint32_t)su_random_below(&random, 3)) % 4;
            uint32_t when = 2u << su_random_below(&random, w.columns[a].card - 1),
                     then = 2u << su_random_below(&random, w.columns[b].card - 1);
            ruled_add(&x, a, when | (2u << su_random_below(&random, w.columns[a].card - 1)), su_random_below(&random, 2), b, then);
        }
        bool seen[4][4] = { 0 }, pair[4][4][4][4] = { 0 };
        uint16_t record[4] = { 0 };
        do {
            if (!obeys(&x, record)) continue;
            for (uint32_t a = 0; a < 4; a++)
                for (uint32_t b = 0; b < 4; b++) pair[a][b][record[a]][record[b]] = seen[a][record[a]] = true;
        } while (next_record(&w, record));
        su_context ctx;
        const su_rules *rules = NULL;
        su_context_init(&ctx);
        su_status st = su_rules_of(&ctx, &arena, &x.schema, w.columns, 4, &rules);
        bool all_seen = true;
        for (uint32_t a = 0; a < 4; a++)
            for (uint32_t v = 0; v < w.columns[a].card; v++) all_seen = all_seen && seen[a][v];
        if (st) {
            assert_int_equal(st, SU_INPUT);
            assert_false(all_seen);
            assert_non_null(strstr(ctx.message, "contradict each other"));
            refused++;
        }
        for (uint32_t a = 0; !st && a < 4; a++)
            for (uint32_t b = 0; b < 4; b++)
                for (uint32_t va = 0; a != b && va < w.columns[a].card; va++)
                    for (uint32_t vb = 0; vb < w.columns[b].card; vb++) {
                        bool allowed = su_rules_allow(rules, a, va, b, vb);
                        assert_true(allowed || !pair[a][b][va][vb]);
                        impossible += !pair[a][b][va][vb];
                        missed += allowed && !pair[a][b][va][vb];
                    }
        su_arena_free(&arena);
        ruled_free(&x);
        world_free(&w);
    }
    print_message("# impossible pairs %llu, of these not found %llu; contradictory sets of rules %llu\n", (unsigned long long)impossible,
                  (unsigned long long)missed, (unsigned long long)refused);
    assert_true(impossible > 1000 && missed * 50 < impossible && refused > 10);
}

static void test_chain_and_words(void **state)
{
    (void)state;
    su_random random;
    world w;
    ruled x;
    su_arena arena;
    su_arena_init(&arena);
    su_random_seeded(&random, SEED + 1);
    chain(&x, &w, 1, &random);
    const su_rules *rules = rules_of(&arena, &x, &w, SU_OK);
    assert_false(su_rules_allow(rules, 0, 1, 3, 2));
    assert_false(su_rules_allow(rules, 3, 2, 0, 2));
    assert_false(su_rules_allow(rules, 0, 2, 2, 0)); /* absent is no answer */
    assert_true(su_rules_allow(rules, 0, 3, 3, 2));
    assert_true(su_rules_allow(rules, 0, 0, 1, 0));
    su_buf text = { 0 };
    su_record_rule_text(&x.schema, &x.rules[0], &text);
    assert_string_equal(text.p, "a = 1 or 2 implies b = 1");
    su_buf_free(&text);
    x.rules[0].soft = true; /* a note: nothing follows from it */
    rules = rules_of(&arena, &x, &w, SU_OK);
    assert_true(su_rules_allow(rules, 0, 1, 1, 0));
    x.rules[0].soft = false;
    ruled_add(&x, 0, 2, false, 3, 4);
    rules_of(&arena, &x, &w, SU_INPUT); /* a = 1 implies d = 2, which c = 1 excludes */
    su_arena_free(&arena);
    ruled_free(&x);
    world_free(&w);
}

/* Every record by itself: obeys after, is left alone when it obeyed before, and all its pairs are possible. */
static void test_repair(void **state)
{
    (void)state;
    su_random random;
    world w;
    ruled x;
    su_arena arena;
    su_arena_init(&arena);
    su_random_seeded(&random, SEED + 2);
    chain(&x, &w, 1, &random);
    const su_rules *rules = rules_of(&arena, &x, &w, SU_OK);
    uint16_t record[4] = { 0 };
    uint64_t filled = 0, emptied = 0;
    do {
        uint16_t changed[4], *columns[4] = { &changed[0], &changed[1], &changed[2], &changed[3] };
        memcpy(changed, record, sizeof changed);
        uint64_t n = su_rules_repair(rules, columns, 1, NULL);
        assert_int_equal(n, !obeys(&x, record));
        assert_true(n || memcmp(changed, record, sizeof changed) == 0);
        assert_true(obeys(&x, changed));
        assert_false(su_rules_broken(rules, columns, 0));
        assert_int_equal(su_rules_broken(rules, (uint16_t *[]) { &record[0], &record[1], &record[2], &record[3] }, 0), !obeys(&x, record));
        for (uint32_t c = 0; c < 4; c++) {
            assert_true(changed[c] == record[c] || changed[c] == 0 || record[c] == 0);
            filled += changed[c] > record[c];
            emptied += changed[c] < record[c];
        }
    } while (next_record(&w, record));
    assert_true(filled > 0 && emptied > 0);
    uint16_t one[4] = { 1, 0, 0, 0 }, *columns[4] = { &one[0], &one[1], &one[2], &one[3] };
    su_rules_repair(rules, columns, 1, NULL);
    assert_memory_equal(one, ((uint16_t[]) { 1, 1, 1, 0 }), sizeof one);
    uint8_t none[8] = { 0 };
    const uint8_t *may[4] = { none, none, none, none };
    memcpy(one, (uint16_t[]) { 1, 0, 0, 0 }, sizeof one);
    su_rules_repair(rules, columns, 1, may);
    assert_memory_equal(one, ((uint16_t[]) { 0, 0, 0, 0 }), sizeof one);
    su_arena_free(&arena);
    ruled_free(&x);
    world_free(&w);
}

static su_release *plan_of(const ruled *x, const world *w, su_mechanism mechanism, double epsilon)
{
    su_context ctx;
    su_release *r = NULL;
    su_release_options o = {
        .epsilon = epsilon, .length = 3, .seconds = 0.5, .mechanism = mechanism, .k = su_mechanism_bound(mechanism) ? 0 : 5
    };
    su_context_init(&ctx);
    if (su_release_plan(&ctx, &x->schema, w->columns, w->matrix.column_count, &o, &r)) fail_msg("%s", ctx.message);
    return r;
}

/* One record more, also one that breaks every rule: at most one cell of a table, by 1, and never an impossible one. */
static void test_sensitivity(void **state)
{
    (void)state;
    su_random random;
    su_context ctx;
    su_context_init(&ctx);
    su_random_seeded(&random, SEED + 3);
    for (int i = 0; i < 150; i++) {
        world w;
        ruled x;
        chain(&x, &w, su_random_below(&random, 40), &random);
        su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 1);
        su_measurement *m[2];
        for (int k = 0; k < 2; k++) {
            su_prepared p;
            assert_int_equal(su_prepare(&ctx, r, &w.matrix, &random, &p), SU_OK);
            assert_int_equal(su_release_measure_exact(&ctx, r, &p.matrix, &m[k]), SU_OK);
            su_prepared_free(&p);
            uint16_t record[4];
            for (uint32_t c = 0; c < 4; c++) record[c] = (uint16_t)su_random_below(&random, w.columns[c].card);
            if (k == 0) world_append(&w, record);
        }
        for (size_t t = 0; t < r->table_count; t++) {
            uint8_t *mark = su_zeros_of(r, r->tables[t].columns, r->tables[t].length, r->tables[t].cells);
            int64_t moved = 0;
            uint64_t impossible = 0;
            for (uint64_t c = 0; c < r->tables[t].cells; c++) {
                moved += llabs(m[1]->cells[t][c] - m[0]->cells[t][c]);
                impossible += mark && mark[c] == SU_CELL_IMPOSSIBLE;
                assert_true(!mark || mark[c] != SU_CELL_IMPOSSIBLE || m[1]->cells[t][c] == 0);
            }
            assert_int_equal(moved, 1);
            assert_int_equal(impossible, r->tables[t].impossible);
            free(mark);
        }
        su_measurement_free(m[0]);
        su_measurement_free(m[1]);
        su_release_free(r);
        ruled_free(&x);
        world_free(&w);
    }
}

/* ---- least squares beside a dense solution
 * ------------------------------------------------------------------------------------------------ */

#define JOINT 144 /* 4 * 3 * 3 * 4 */

static uint32_t cell_of(const world *w, const uint32_t *columns, uint32_t n, uint32_t joint)
{
    uint32_t value[4], cell = 0;
    for (uint32_t c = 4; c-- > 0; joint /= w->columns[c].card) value[c] = joint % w->columns[c].card;
    for (uint32_t k = 0; k < n; k++) cell = cell * w->columns[columns[k]].card + value[columns[k]];
    return cell;
}

static void solve(double (*a)[JOINT + 1])
{
    for (int i = 0; i < JOINT; i++) {
        int best = i;
        for (int k = i; k < JOINT; k++) best = fabs(a[k][i]) > fabs(a[best][i]) ? k : best;
        for (int j = 0; j <= JOINT; j++) {
            double keep = a[i][j];
            a[i][j] = a[best][j];
            a[best][j] = keep;
        }
        for (int k = 0; k < JOINT; k++) {
            double f = k == i ? 0 : a[k][i] / a[i][i];
            for (int j = i; f != 0 && j <= JOINT; j++) a[k][j] -= f * a[i][j];
        }
    }
    for (int i = 0; i < JOINT; i++) a[i][JOINT] /= a[i][i];
}

/* All joint cells are unknowns; a table's cell is an equation of its precision, an impossible one is 0 at ten million times that. */
static void dense(const world *w, const su_release *r, const su_measurement *m, double *joint)
{
    double(*a)[JOINT + 1] = calloc(JOINT, sizeof *a);
    for (uint32_t i = 0; i < JOINT; i++) a[i][i] = 1e-10;
    for (size_t t = 0; t < r->table_count; t++) {
        const su_release_table *table = &r->tables[t];
        uint8_t *mark = su_alloc(table->cells);
        su_rules_mark(r->rules, r->columns, table->columns, table->length, mark);
        double precision = 1 / su_discrete_gaussian_variance(table->variance);
        for (uint32_t i = 0; i < JOINT; i++) {
            uint32_t cell = cell_of(w, table->columns, table->length, i);
            double weight = mark[cell] ? 1e7 * precision : precision;
            for (uint32_t k = 0; k < JOINT; k++) a[i][k] += cell_of(w, table->columns, table->length, k) == cell ? weight : 0;
            a[i][JOINT] += mark[cell] ? 0 : weight * (double)m->cells[t][cell];
        }
        free(mark);
    }
    solve(a);
    for (uint32_t i = 0; i < JOINT; i++) joint[i] = a[i][JOINT];
    free(a);
}

static void test_least_squares(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 4);
    world w;
    ruled x;
    chain(&x, &w, 500, &random);
    su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 1);
    su_measurement *noisy = NULL;
    su_lattice l;
    su_estimates e;
    double joint[JOINT], worst = 0, largest = 0;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &noisy), SU_OK);
    su_lattice_init(&l, r);
    su_estimates_init(&e, r, &l, noisy);
    dense(&w, r, noisy, joint);
    for (uint32_t s = 0; s < l.set_count; s++) {
        const su_subset *set = &l.sets[s];
        double *sum = su_alloc_array(set->cells, sizeof *sum);
        for (uint32_t i = 0; i < JOINT; i++) sum[cell_of(&w, set->columns, set->length, i)] += joint[i];
        uint8_t *mark = su_zeros_of(r, set->columns, set->length, set->cells);
        for (size_t c = 0; c < set->cells; c++) {
            worst = fmax(worst, fabs(sum[c] - e.cell[set->offset + c]));
            largest = fmax(largest, fabs(sum[c]));
            assert_true(!mark || mark[c] != SU_CELL_IMPOSSIBLE || e.cell[set->offset + c] == 0);
        }
        free(mark);
        free(sum);
    }
    print_message("# worst difference to the dense solution %.2g, largest cell %.0f\n", worst, largest);
    assert_true(worst < 1e-3);
    su_estimates_free(&e);
    su_lattice_free(&l);
    su_measurement_free(noisy);
    su_release_free(r);
    ruled_free(&x);
    world_free(&w);
}

/* ---- releases
 * ----------------------------------------------------------------------------------------------------------------------------- */

static void test_noise_on_possible_cells_only(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 5);
    world w;
    ruled x;
    chain(&x, &w, 100, &random);
    su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 0.2);
    su_measurement *noisy = NULL;
    uint64_t impossible = 0, moved = 0;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &noisy), SU_OK);
    for (size_t t = 0; t < r->table_count; t++) {
        uint8_t *mark = su_zeros_of(r, r->tables[t].columns, r->tables[t].length, r->tables[t].cells);
        for (uint64_t c = 0; mark && c < r->tables[t].cells; c++) {
            impossible += mark[c] == SU_CELL_IMPOSSIBLE;
            assert_true(mark[c] != SU_CELL_IMPOSSIBLE || noisy->cells[t][c] == 0);
            moved += noisy->cells[t][c] != 0;
        }
        free(mark);
    }
    assert_true(impossible > 20 && moved > 40);
    su_measurement_free(noisy);
    su_release_free(r);
    ruled_free(&x);
    world_free(&w);
}

static const su_aggregate *find(const su_release *r, const su_attribute *at, uint32_t n)
{
    for (size_t i = 0; i < r->aggregate_count; i++)
        if (r->aggregates[i].length == n && memcmp(r->aggregates[i].at, at, n * sizeof *at) == 0) return &r->aggregates[i];
    return NULL;
}

/* All mechanisms, on records most of which break the rules: nothing impossible comes out. */
static void test_no_mechanism_breaks_a_rule(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 6);
    for (su_mechanism mechanism = 0; mechanism < SU_MECHANISM_COUNT; mechanism++) {
        world w;
        ruled x;
        chain(&x, &w, 2000, &random);
        su_release *r = plan_of(&x, &w, mechanism, 2);
        if (su_release_run(&ctx, r, &w.matrix, &random, NULL, NULL)) fail_msg("%s", ctx.message);
        assert_true(r->record_count > 500 && r->aggregate_count > 10);
        for (uint64_t i = 0; i < r->record_count; i++) {
            uint16_t record[4] = { r->records[0][i], r->records[1][i], r->records[2][i], r->records[3][i] };
            assert_true(obeys(&x, record));
        }
        for (size_t i = 0; i < r->aggregate_count; i++) {
            const su_aggregate *a = &r->aggregates[i];
            for (uint32_t p = 0; p < a->length; p++)
                for (uint32_t q = p + 1; q < a->length; q++)
                    assert_true(su_rules_allow(r->rules, a->at[p].column, a->at[p].value, a->at[q].column, a->at[q].value));
        }
        /* What is forced is reported with what forces it. */
        const su_aggregate *part = find(r, (su_attribute[]) { { 0, 1 } }, 1), *whole = find(r, (su_attribute[]) { { 0, 1 }, { 1, 1 } }, 2);
        if (mechanism == SU_MECHANISM_RESIDUAL) {
            assert_non_null(part);
            assert_non_null(whole);
            assert_true(whole->count <= part->count && whole->count + 3 >= part->count);
        }
        su_release_free(r);
        ruled_free(&x);
        world_free(&w);
    }
}

/* mst and aim know the rules themselves: their records hardly need the repair that follows. The same records from a release that was planned
 * without the rules (so that nothing tells the model) need it often. */
static void test_model_knows_the_rules(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 7);
    for (su_mechanism mechanism = SU_MECHANISM_MST; mechanism <= SU_MECHANISM_AIM; mechanism++) {
        uint64_t broken[2] = { 0 }, all[2] = { 0 };
        for (int round = 0; round < 10; round++) {
            world w;
            ruled x;
            chain(&x, &w, 2000, &random);
            for (int told = 0; told < 2; told++) {
                su_release *r = plan_of(&x, &w, mechanism, 0.5);
                su_prepared ready;
                const su_rules *rules = r->rules;
                if (su_prepare(&ctx, r, &w.matrix, &random, &ready)) fail_msg("%s", ctx.message);
                if (!told) r->rules = NULL;
                su_mechanism_run run = mechanism == SU_MECHANISM_MST ? su_run_mst : su_run_aim;
                if (run(&ctx, r, &ready.matrix, &random, &(su_measured_hook) { 0 })) fail_msg("%s", ctx.message);
                all[told] += r->record_count;
                for (uint64_t i = 0; i < r->record_count; i++) broken[told] += su_rules_broken(rules, r->records, i);
                su_prepared_free(&ready);
                su_release_free(r);
            }
            ruled_free(&x);
            world_free(&w);
        }
        print_message("# %s, records that break a rule before repair: %.3f %% told of the rules, %.2f %% not\n", su_mechanism_name(mechanism),
                      100.0 * (double)broken[1] / (double)all[1], 100.0 * (double)broken[0] / (double)all[0]);
        assert_true((double)broken[1] < 0.005 * (double)all[1]);
        assert_true((double)broken[0] > 0.01 * (double)all[0]);
    }
}

/* Records in bytes are repaired as records in words are, over more rows than one stretch. */
static void test_bytes_are_repaired_alike(void **state)
{
    (void)state;
    enum { ROWS = 9000 };
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 8);
    world w;
    ruled x;
    chain(&x, &w, ROWS, &random);
    su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 2);
    su_prepared words, bytes;
    su_code_matrix narrow = w.matrix;
    su_matrix_column columns[4];
    uint8_t *codes[4];
    narrow.columns = columns;
    for (uint32_t c = 0; c < 4; c++) {
        codes[c] = su_alloc_array(ROWS, 1);
        for (uint64_t i = 0; i < ROWS; i++) codes[c][i] = (uint8_t)w.codes[c][i];
        columns[c] = w.columns[c];
        columns[c].codes = NULL;
        columns[c].bytes = codes[c];
    }
    assert_int_equal(su_prepare(&ctx, r, &w.matrix, &random, &words), SU_OK);
    assert_int_equal(su_prepare(&ctx, r, &narrow, &random, &bytes), SU_OK);
    assert_true(words.repaired > ROWS / 10);
    assert_int_equal(words.repaired, bytes.repaired);
    for (uint32_t c = 0; c < 4; c++)
        for (uint64_t i = 0; i < ROWS; i++) {
            assert_int_equal(su_matrix_code(&bytes.matrix.columns[c], i), su_matrix_code(&words.matrix.columns[c], i));
            assert_int_equal(codes[c][i], w.codes[c][i]); /* the caller's own stay as they are */
        }
    su_prepared_free(&words);
    su_prepared_free(&bytes);
    for (uint32_t c = 0; c < 4; c++) free(codes[c]);
    su_release_free(r);
    ruled_free(&x);
    world_free(&w);
}

/* Ten seeds: knowing what cannot be makes the rest more exact. */
static void test_rules_help(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    double with = 0, without = 0;
    for (uint64_t s = 0; s < 10; s++) {
        su_random random;
        world w;
        ruled x;
        su_random_seeded(&random, SEED + 100 + s);
        chain(&x, &w, 3000, &random);
        su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 0.5);
        su_prepared p;
        assert_int_equal(su_prepare(&ctx, r, &w.matrix, &random, &p), SU_OK); /* the truth that rules describe */
        for (int k = 0; k < 2; k++) {
            su_evaluation e;
            uint32_t keep = x.schema.rule_count;
            x.schema.rule_count = k ? keep : 0;
            su_release *one = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 0.5);
            x.schema.rule_count = keep;
            su_random noise;
            su_random_seeded(&noise, SEED + 200 + s);
            if (su_release_run(&ctx, one, &p.matrix, &noise, NULL, NULL)) fail_msg("%s", ctx.message);
            if (su_release_evaluate(&ctx, one, &p.matrix, &e)) fail_msg("%s", ctx.message);
            *(k ? &with : &without) += e.aggregates[0].error_union / 10;
            su_release_free(one);
        }
        su_prepared_free(&p);
        su_release_free(r);
        ruled_free(&x);
        world_free(&w);
    }
    print_message("# union error of counts without rules %.2f, with rules %.2f\n", without, with);
    assert_true(with < 0.9 * without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closure_is_sound),
        cmocka_unit_test(test_chain_and_words),
        cmocka_unit_test(test_repair),
        cmocka_unit_test(test_sensitivity),
        cmocka_unit_test(test_least_squares),
        cmocka_unit_test(test_noise_on_possible_cells_only),
        cmocka_unit_test(test_no_mechanism_breaks_a_rule),
        cmocka_unit_test(test_model_knows_the_rules),
        cmocka_unit_test(test_bytes_are_repaired_alike),
        cmocka_unit_test(test_rules_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
