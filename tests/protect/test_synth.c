/* Synthesis against slow oracles: the block's sums are differences of squared errors, the one-way counts are exact whatever the tables
 * say, and the records come nearer to the truth than the noisy tables they were made from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"
#include "block.h"
#include "world.h"

#include <math.h>

#define MOST_TABLES 400

/* ---- problems made from a world ------------------------------------------------------------------------------------------ */

typedef struct problem {
    su_synthesis s;
    uint32_t card[16];
    int64_t *one_way[16];
    su_target_table tables[MOST_TABLES];
    float *estimate[MOST_TABLES];
    uint8_t *forbidden[MOST_TABLES];
    uint16_t *records[16];
} problem;

static uint64_t cell_of(const su_target_table *t, const uint32_t *card, const uint32_t *record)
{
    uint64_t cell = 0;
    for (uint32_t k = 0; k < t->length; k++) cell = cell * card[t->columns[k]] + record[t->columns[k]];
    return cell;
}

static int64_t noise(su_random *r, int64_t size)
{
    int64_t sum = 0;
    for (int i = 0; i < 4; i++) sum += (int64_t)su_random_below(r, (uint64_t)size + 1);
    return sum - 2 * size;
}

static void add_table(problem *p, const su_code_matrix *m, uint32_t length, const uint32_t *columns, int64_t noise_size, su_random *r)
{
    size_t i = p->s.table_count++;
    assert_true(i < MOST_TABLES);
    su_target_table *t = &p->tables[i];
    *t = (su_target_table) { .length = length, .cells = 1, .weight = 1 };
    for (uint32_t k = 0; k < length; k++) {
        t->columns[k] = columns[k];
        t->cells *= p->card[columns[k]];
    }
    t->estimate = p->estimate[i] = su_alloc_array(t->cells, sizeof(float));
    t->forbidden = p->forbidden[i] = su_alloc_array(t->cells, 1);
    for (uint64_t row = 0; row < m->row_count; row++) {
        uint64_t cell = 0;
        for (uint32_t k = 0; k < length; k++) cell = cell * p->card[columns[k]] + m->columns[columns[k]].codes[row];
        p->estimate[i][cell]++;
    }
    for (uint64_t c = 0; c < t->cells; c++) {
        p->forbidden[i][c] = p->estimate[i][c] == 0;
        if (noise_size) p->estimate[i][c] += (float)noise(r, noise_size);
    }
}

/* Every table of `length` columns of the world, with noise; one-way counts exact. */
static void problem_init(problem *p, const world *w, uint32_t length, int64_t noise_size, su_random *r)
{
    const su_code_matrix *m = &w->matrix;
    memset(p, 0, sizeof *p);
    p->s = (su_synthesis) { .column_count = m->column_count,
                            .card = p->card,
                            .record_count = m->row_count,
                            .one_way = (const int64_t *const *)p->one_way,
                            .tables = p->tables };
    for (uint32_t c = 0; c < m->column_count; c++) {
        p->card[c] = m->columns[c].card;
        p->one_way[c] = su_alloc_array(p->card[c], sizeof *p->one_way[c]);
        p->records[c] = su_alloc_array(m->row_count + 1, sizeof *p->records[c]);
        for (uint64_t row = 0; row < m->row_count; row++) p->one_way[c][m->columns[c].codes[row]]++;
    }
    for (uint32_t set = 1; set < 1u << m->column_count; set++) {
        uint32_t columns[16], n = 0;
        for (uint32_t c = 0; c < m->column_count; c++)
            if (set >> c & 1) columns[n++] = c;
        if (n == length) add_table(p, m, length, columns, noise_size, r);
    }
}

static void problem_free(problem *p)
{
    for (size_t i = 0; i < p->s.table_count; i++) {
        free(p->estimate[i]);
        free(p->forbidden[i]);
    }
    for (uint32_t c = 0; c < p->s.column_count; c++) {
        free(p->one_way[c]);
        free(p->records[c]);
    }
}

static void assert_one_way_exact(const problem *p)
{
    for (uint32_t c = 0; c < p->s.column_count; c++) {
        int64_t *count = su_alloc_array(p->card[c], sizeof *count);
        for (uint64_t r = 0; r < p->s.record_count; r++) {
            assert_in_range(p->records[c][r], 0, p->card[c] - 1);
            count[p->records[c][r]]++;
        }
        for (uint32_t v = 0; v < p->card[c]; v++) assert_int_equal(count[v], p->one_way[c][v]);
        free(count);
    }
}

static void solve(problem *p, uint64_t seed)
{
    su_context ctx;
    su_random r;
    su_context_init(&ctx);
    su_random_seeded(&r, seed);
    if (su_synthesise(&ctx, &p->s, &r, p->records)) fail_msg("%s", ctx.message);
}

/* Mean |records - truth| over the cells of the tables; `noisy` compares the estimates instead. Sets *entered to the share of records that
 * stand in a forbidden cell, per table. */
static double error(const problem *p, const world *w, bool noisy, double *entered)
{
    double sum = 0, cells = 0, bad = 0;
    for (size_t i = 0; i < p->s.table_count; i++) {
        const su_target_table *t = &p->tables[i];
        int64_t *d = su_alloc_array(t->cells, sizeof *d);
        for (uint64_t r = 0; r < w->matrix.row_count; r++) {
            uint32_t x[16], y[16];
            for (uint32_t c = 0; c < p->s.column_count; c++) {
                x[c] = w->codes[c][r];
                y[c] = p->records[c][r];
            }
            d[cell_of(t, p->card, x)]--;
            if (noisy) continue;
            d[cell_of(t, p->card, y)]++;
            bad += t->forbidden[cell_of(t, p->card, y)];
        }
        for (uint64_t c = 0; c < t->cells; c++) sum += noisy ? fabs((double)d[c] + t->estimate[c]) : fabs((double)d[c]);
        cells += (double)t->cells;
        free(d);
    }
    if (entered) *entered = bad / ((double)w->matrix.row_count * (double)p->s.table_count);
    return sum / cells;
}

/* ---- the block ------------------------------------------------------------------------------------------------------------ */

static double objective(const problem *p, const uint32_t *records, uint64_t n, uint32_t stride, double penalty)
{
    double sum = 0;
    for (size_t i = 0; i < p->s.table_count; i++) {
        const su_target_table *t = &p->tables[i];
        double *s = su_alloc_array(t->cells, sizeof *s);
        for (uint64_t r = 0; r < n; r++) s[cell_of(t, p->card, records + r * stride)]++;
        for (uint64_t c = 0; c < t->cells; c++) {
            double e = s[c] - t->estimate[c];
            sum += t->weight * (e * e + (t->forbidden[c] ? 2 * penalty * s[c] : 0));
        }
        free(s);
    }
    return sum;
}

/* All columns of one random state: what the block claims for every value of a record, and what the objective says. */
static void check_block(const uint32_t *cards, uint32_t d, uint32_t length, su_random *r)
{
    enum { N = 30 };
    uint32_t stride = d + 1, *records = su_alloc_array(N * stride + SU_SYNTH_PADDING, sizeof *records);
    bool placed[16];
    world w;
    problem p;
    su_synth_block b = { 0 };
    su_synth_look look = { 0 };
    memset(placed, 1, sizeof placed);
    world_init(&w, N, cards, d, r);
    problem_init(&p, &w, length, 5, r);
    for (uint32_t c = 0; c < d; c++) add_table(&p, &w.matrix, 1, &c, 5, r);
    for (size_t i = 0; i < p.s.table_count; i++) p.tables[i].weight = 1 + (double)su_random_below(r, 3);
    for (uint64_t i = 0; i < N; i++)
        for (uint32_t c = 0; c < d; c++) records[i * stride + c] = (uint32_t)su_random_below(r, cards[c]);
    for (uint32_t column = 0; column < d; column++) {
        assert_true(su_synth_block_build(&b, &p.s, column, placed, 7));
        su_synth_look_fit(&look, &b);
        for (uint64_t i = 0; i < N; i++) {
            if (i % 2) {
                for (unsigned part = 0; part < 3; part++) su_synth_block_count(&b, records + i * stride, &look, part, 3);
                continue;
            }
            su_synth_block_locate(&b, records + i * stride, &look);
            su_synth_block_add(&b, &look, records[i * stride + column], 1);
        }
        uint32_t *x = records + su_random_below(r, N) * stride, now = x[column];
        double before = objective(&p, records, N, stride, 7);
        su_synth_block_locate(&b, x, &look);
        const float *f = su_synth_block_sum(&b, &look);
        for (uint32_t v = 0; v < cards[column]; v++) {
            if (v == now) continue;
            x[column] = v;
            double gain = objective(&p, records, N, stride, 7) - before, claimed = 2 * ((double)f[v] - f[now] + b.total_weight);
            x[column] = now;
            if (fabs(gain - claimed) > 1e-3 * (1 + fabs(gain))) fail_msg("column %u value %u: %g, not %g", column, v, claimed, gain);
        }
    }
    su_synth_block_free(&b);
    su_synth_look_free(&look);
    problem_free(&p);
    world_free(&w);
    free(records);
}

static void block_sums_are_differences_of_squared_errors(void **state)
{
    (void)state;
    static const uint32_t narrow[6] = { 2, 3, 11, 2, 2, 17 }, wide[14] = { 2, 3, 2, 2, 2, 2, 9, 2, 2, 2, 2, 2, 1, 2 };
    su_random r;
    su_test_random(&r);
    for (uint32_t length = 1; length <= 4; length++)
        for (int round = 0; round < 3; round++) check_block(narrow, 6, length, &r);
    for (uint32_t length = 2; length <= 3; length++) check_block(wide, 14, length, &r);
}

/* ---- the result ----------------------------------------------------------------------------------------------------------- */

/* Codes that need two bytes: 300 codes of which 5 occur give the records that 5 codes give, which are kept in one. */
static void one_byte_or_two(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    world w;
    problem narrow, wide;
    world_init(&w, 500, (uint32_t[]) { 5, 4, 3, 2, 2 }, 5, &r);
    problem_init(&narrow, &w, 2, 0, &r);
    w.columns[0].card = 300;
    problem_init(&wide, &w, 2, 0, &r);
    solve(&narrow, 3);
    solve(&wide, 3);
    for (uint32_t c = 0; c < 5; c++) assert_memory_equal(narrow.records[c], wide.records[c], 500 * sizeof **wide.records);
    problem_free(&narrow);
    problem_free(&wide);
    world_free(&w);
}

static void one_way_counts_are_exact(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    for (int round = 0; round < 40; round++) {
        uint32_t cards[8], d = 1 + (uint32_t)su_random_below(&r, 8);
        for (uint32_t c = 0; c < d; c++)
            cards[c] = (uint32_t)(su_random_below(&r, 3) ? 2 + su_random_below(&r, 3) : 1 + su_random_below(&r, 30));
        if (round % 10 == 9) cards[d - 1] = 300;
        world w;
        problem p;
        world_init(&w, 1 + su_random_below(&r, 300), cards, d, &r);
        problem_init(&p, &w, 1 + (uint32_t)su_random_below(&r, 3), 9, &r);
        /* The tables may ask for anything: here a value that the one-way counts rule out. */
        if (cards[0] > 1) {
            p.one_way[0][0] += p.one_way[0][1];
            p.one_way[0][1] = 0;
        }
        p.s.seconds = su_random_below(&r, 2) ? 0 : 1e-9;
        solve(&p, (uint64_t)round);
        assert_one_way_exact(&p);
        problem_free(&p);
        world_free(&w);
    }
}

static void records_are_nearer_to_the_truth_than_their_tables(void **state)
{
    (void)state;
    static const uint32_t cards[9] = { 2, 2, 2, 2, 2, 5, 9, 2, 12 };
    su_random r;
    su_test_random(&r);
    world w;
    problem p;
    double entered, start_entered;
    world_init(&w, 3000, cards, 9, &r);
    problem_init(&p, &w, 3, 12, &r);
    p.s.seconds = 1e-9; /* first values only */
    solve(&p, 1);
    double tables = error(&p, &w, true, NULL), start = error(&p, &w, false, &start_entered);
    p.s.seconds = 0;
    solve(&p, 1);
    double records = error(&p, &w, false, &entered);
    print_message("# mean error per cell: noisy tables %.2f, first values %.2f, records %.2f\n", tables, start, records);
    print_message("# records in forbidden cells: first values %.3f %%, records %.3f %%\n", 100 * start_entered, 100 * entered);
    assert_true(start < tables);
    assert_true(records < 0.9 * start);
    assert_true(records < 0.6 * tables);
    assert_true(entered < 0.005);
    problem_free(&p);
    world_free(&w);
}

static void exact_tables_are_met(void **state)
{
    (void)state;
    static const uint32_t cards[7] = { 2, 3, 2, 6, 2, 4, 2 };
    su_random r;
    su_test_random(&r);
    world w;
    problem p;
    double entered;
    world_init(&w, 4000, cards, 7, &r);
    problem_init(&p, &w, 2, 0, &r);
    solve(&p, 1);
    double records = error(&p, &w, false, &entered);
    print_message("# mean error per cell with exact tables: %.3f\n", records);
    assert_true(records < 1.0);
    problem_free(&p);
    world_free(&w);
}

static void more_reluctance_enters_fewer_forbidden_cells(void **state)
{
    (void)state;
    static const uint32_t cards[6] = { 8, 8, 8, 8, 2, 2 };
    double entered[2];
    su_random r;
    su_test_random(&r);
    world w;
    problem p;
    world_init(&w, 300, cards, 6, &r);
    problem_init(&p, &w, 3, 6, &r);
    for (int i = 0; i < 2; i++) {
        p.s.reluctance = i ? 100 : 0.01;
        solve(&p, 1);
        error(&p, &w, false, &entered[i]);
    }
    print_message("# records in forbidden cells: %.2f %% and %.2f %%\n", 100 * entered[0], 100 * entered[1]);
    assert_true(entered[1] < 0.7 * entered[0]);
    problem_free(&p);
    world_free(&w);
}

static void a_seed_gives_one_result(void **state)
{
    (void)state;
    static const uint32_t cards[5] = { 2, 3, 7, 2, 4 };
    su_random r;
    su_test_random(&r);
    world w;
    problem p;
    uint16_t first[5][500];
    bool differs = false;
    world_init(&w, 500, cards, 5, &r);
    problem_init(&p, &w, 3, 4, &r);
    solve(&p, 7);
    for (int c = 0; c < 5; c++) memcpy(first[c], p.records[c], sizeof first[c]);
    solve(&p, 7);
    for (int c = 0; c < 5; c++) assert_memory_equal(first[c], p.records[c], sizeof first[c]);
    solve(&p, 8);
    for (int c = 0; c < 5; c++) differs |= memcmp(first[c], p.records[c], sizeof first[c]) != 0;
    assert_true(differs);
    problem_free(&p);
    world_free(&w);
}

/* Enough tables through every column for threads to look at records side by side: in the search, and in making one-way counts exact, where
 * nearly every record that is asked may not move. */
static void threads_change_nothing(void **state)
{
    (void)state;
    static const uint32_t cards[14] = { 2, 9, 2, 2, 4, 2, 2, 12, 2, 2, 3, 2, 2, 2 };
    enum { N = 700 };
    su_random r;
    su_test_random(&r);
    world w;
    problem p;
    uint16_t first[2][14][N];
    world_init(&w, N, cards, 14, &r);
    problem_init(&p, &w, 3, 3, &r);
    for (unsigned threads = 1; threads <= 3; threads++) {
        p.s.noise = 1;
        p.s.start = NULL;
        p.s.reluctance = 0;
        for (int step = 0; step < 2; step++) {
            su_context ctx;
            su_context_init(&ctx);
            ctx.threads = threads;
            su_random seeded;
            su_random_seeded(&seeded, 5);
            if (su_synthesise(&ctx, &p.s, &seeded, p.records)) fail_msg("%s", ctx.message);
            assert_one_way_exact(&p);
            for (int c = 0; c < 14; c++) {
                if (threads == 1) memcpy(first[step][c], p.records[c], sizeof first[step][c]);
                assert_memory_equal(first[step][c], p.records[c], sizeof first[step][c]);
            }
            p.s.noise = 0; /* the second step: what was found, away from forbidden cells */
            p.s.start = (const uint16_t *const *)p.records;
            p.s.reluctance = 1000;
        }
    }
    problem_free(&p);
    world_free(&w);
}

/* Weighted squared distance to the tables, slowly. */
static double distance_of(const problem *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->s.table_count; i++) {
        const su_target_table *t = &p->tables[i];
        double *count = su_alloc_array(t->cells, sizeof *count);
        for (uint64_t r = 0; r < p->s.record_count; r++) {
            uint32_t record[16];
            for (uint32_t c = 0; c < p->s.column_count; c++) record[c] = p->records[c][r];
            count[cell_of(t, p->card, record)]++;
        }
        for (uint64_t c = 0; c < t->cells; c++) sum += t->weight * (count[c] - t->estimate[c]) * (count[c] - t->estimate[c]);
        free(count);
    }
    return sum;
}

/* What the truth is away from the tables is the noise alone: the search must come down to that, and not go on into the noise. */
static void the_search_ends_at_the_noise(void **state)
{
    (void)state;
    static const uint32_t cards[8] = { 2, 2, 5, 2, 6, 2, 9, 2 };
    su_random r;
    su_test_random(&r);
    world w;
    problem p;
    world_init(&w, 3000, cards, 8, &r);
    problem_init(&p, &w, 3, 6, &r);
    for (uint32_t c = 0; c < 8; c++)
        for (uint64_t i = 0; i < p.s.record_count; i++) p.records[c][i] = w.codes[c][i];
    double noise = distance_of(&p);
    for (size_t i = 0; i < p.s.table_count; i++) p.tables[i].forbidden = NULL;
    p.s.sweeps = 16;
    solve(&p, 3);
    double longest = distance_of(&p);
    p.s.noise = noise * 1.02;
    solve(&p, 3);
    double ended = distance_of(&p);
    print_message("# distance: the truth %.0f, ended %.0f, all sweeps %.0f\n", noise, ended, longest);
    assert_true(longest < 0.97 * ended && ended <= 1.02 * noise);
    p.s.noise = 1; /* out of reach: the search sees that it stands still */
    solve(&p, 3);
    assert_true(distance_of(&p) < 1.1 * longest);
    assert_one_way_exact(&p);
    problem_free(&p);
    world_free(&w);
}

static void records_to_start_from_are_improved(void **state)
{
    (void)state;
    static const uint32_t cards[7] = { 2, 3, 2, 6, 2, 4, 2 };
    su_random r;
    su_test_random(&r);
    world w;
    problem p;
    world_init(&w, 1000, cards, 7, &r);
    problem_init(&p, &w, 2, 4, &r);
    for (uint32_t c = 0; c < 7; c++)
        for (uint64_t i = 0; i < p.s.record_count; i++) p.records[c][i] = (uint16_t)su_random_below(&r, cards[c]);
    double before = distance_of(&p);
    p.s.start = (const uint16_t *const *)p.records;
    p.s.seconds = 1e-9;
    solve(&p, 1);
    assert_one_way_exact(&p);
    p.s.seconds = 0;
    p.s.sweeps = 2;
    solve(&p, 1);
    print_message("# distance of random records %.0f, improved %.0f\n", before, distance_of(&p));
    assert_true(distance_of(&p) < 0.2 * before);
    assert_one_way_exact(&p);
    su_context ctx;
    su_context_init(&ctx);
    p.records[3][17] = 6;
    assert_int_equal(su_synthesise(&ctx, &p.s, &r, p.records), SU_USAGE);
    assert_non_null(strstr(ctx.message, "column 3"));
    problem_free(&p);
    world_free(&w);
}

static void small_and_hopeless_problems(void **state)
{
    (void)state;
    static const uint32_t cards[4] = { 2, 5, 1, 3 };
    su_random r;
    su_test_random(&r);
    for (uint64_t rows = 0; rows < 4; rows++) {
        world w;
        problem p;
        world_init(&w, rows, cards, 4, &r);
        problem_init(&p, &w, 2, 3, &r);
        for (size_t i = 0; i < p.s.table_count; i++) memset(p.forbidden[i], 1, p.tables[i].cells);
        solve(&p, rows);
        assert_one_way_exact(&p);
        for (size_t i = 0; i < p.s.table_count; i++) p.tables[i].weight = 0;
        solve(&p, rows);
        assert_one_way_exact(&p);
        size_t tables = p.s.table_count;
        p.s.table_count = 0;
        solve(&p, rows);
        assert_one_way_exact(&p);
        p.s.table_count = tables;
        problem_free(&p);
        world_free(&w);
    }
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    static const uint32_t cards[3] = { 2, 3, 4 };
    su_context ctx;
    su_random r;
    world w;
    problem p;
    su_context_init(&ctx);
    su_test_random(&r);
    world_init(&w, 20, cards, 3, &r);
    problem_init(&p, &w, 2, 0, &r);
    p.one_way[1][2]++;
    assert_int_equal(su_synthesise(&ctx, &p.s, &r, p.records), SU_USAGE);
    assert_non_null(strstr(ctx.message, "column 1"));
    p.one_way[1][2]--;
    p.tables[2].cells++;
    assert_int_equal(su_synthesise(&ctx, &p.s, &r, p.records), SU_USAGE);
    assert_non_null(strstr(ctx.message, "table 2"));
    p.tables[2].cells--;
    p.tables[1].weight = NAN;
    assert_int_equal(su_synthesise(&ctx, &p.s, &r, p.records), SU_USAGE);
    p.tables[1].weight = 1;
    p.estimate[0][3] = INFINITY;
    assert_int_equal(su_synthesise(&ctx, &p.s, &r, p.records), SU_USAGE);
    assert_non_null(strstr(ctx.message, "not a number"));
    p.estimate[0][3] = 1;
    assert_int_equal(su_synthesise(&ctx, &p.s, &r, p.records), SU_OK);
    problem_free(&p);
    world_free(&w);
}

static double last_progress;
static void watch(void *user, const char *step, double done)
{
    (void)step;
    assert_true(done >= last_progress && done <= 1);
    last_progress = done;
    if (user && done > 0.5) *(volatile int *)user = 1;
}

static void it_can_be_stopped(void **state)
{
    (void)state;
    static const uint32_t cards[6] = { 2, 3, 4, 2, 2, 2 };
    volatile int cancel = 0;
    su_context ctx;
    su_random r;
    world w;
    problem p;
    su_context_init(&ctx);
    su_test_random(&r);
    world_init(&w, 200, cards, 6, &r);
    problem_init(&p, &w, 3, 2, &r);
    ctx.progress = watch;
    last_progress = 0;
    assert_int_equal(su_synthesise(&ctx, &p.s, &r, p.records), SU_OK);
    assert_true(last_progress == 1);
    last_progress = 0;
    ctx.cancel = &cancel;
    ctx.user = (void *)&cancel;
    assert_int_equal(su_synthesise(&ctx, &p.s, &r, p.records), SU_CANCELLED);
    assert_true(last_progress < 1);
    problem_free(&p);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_sums_are_differences_of_squared_errors),
        cmocka_unit_test(one_byte_or_two),
        cmocka_unit_test(one_way_counts_are_exact),
        cmocka_unit_test(records_are_nearer_to_the_truth_than_their_tables),
        cmocka_unit_test(exact_tables_are_met),
        cmocka_unit_test(more_reluctance_enters_fewer_forbidden_cells),
        cmocka_unit_test(a_seed_gives_one_result),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(the_search_ends_at_the_noise),
        cmocka_unit_test(records_to_start_from_are_improved),
        cmocka_unit_test(small_and_hopeless_problems),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(it_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
