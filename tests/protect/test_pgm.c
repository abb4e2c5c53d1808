/* The graphical model against brute force: index maps, junction trees, belief propagation, tables of pairs, sampled records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"
#include "kernels.h"
#include "propagation.h"
#include "records.h"
#include "whole.h"

#include <math.h>

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

static void test_exp(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    double x[37], out[37], worst = 0;
    for (int round = 0; round < 20000; round++) {
        size_t n = 1 + su_random_below(&random, 37);
        double shift = (double)su_random_below(&random, 3) - 1;
        for (size_t i = 0; i < n; i++) x[i] = -700 + 1400 * (double)(su_random_u64(&random) >> 11) * 0x1p-53 + shift;
        su_exp_shifted(x, shift, n, out);
        for (size_t i = 0; i < n; i++) {
            long double truth = expl((long double)(x[i] - shift));
            worst = fmax(worst, fabs((double)((out[i] - truth) / truth)));
        }
        su_exp_shifted(x, shift, n, x);
        assert_memory_equal(x, out, n * sizeof *x);
    }
    print_message("# exp: largest relative error %.3g\n", worst);
    assert_true(worst < 1e-15);
    double low[2] = { -1e300, -701 };
    su_exp_shifted(low, 0, 2, low);
    assert_true(low[0] == low[1] && low[0] > 0 && low[0] < 1e-303);
}

static void test_sums(void **state)
{
    (void)state;
    double a[23], b[23], dot = 0;
    for (int i = 0; i < 23; i++) {
        a[i] = i - 7;
        b[i] = 2 * i + 1;
        dot += a[i] * b[i];
    }
    assert_true(su_dot(a, b, 23) == dot);
    assert_true(su_largest(a, 23) == 15 && su_largest(a, 1) == -7);
    su_add_scaled(2, a, 23, b);
    for (int i = 0; i < 23; i++) assert_true(b[i] == 2 * i + 1 + 2 * (i - 7));
}

static void test_whole_counts(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 3000; round++) {
        size_t count = 1 + su_random_below(&random, 9);
        uint64_t n = su_random_below(&random, 50);
        double weight[9], sum = 0;
        int64_t out[9], total = 0;
        for (size_t i = 0; i < count; i++) sum += weight[i] = (double)su_random_below(&random, 4) * 0.37;
        su_whole_counts(weight, count, n, round % 2 ? &random : NULL, out);
        for (size_t i = 0; i < count; i++) {
            total += out[i];
            assert_true(out[i] >= 0);
            if (sum > 0) assert_true(fabs((double)out[i] - weight[i] / sum * (double)n) < 1 + 1e-9);
        }
        assert_int_equal(total, n);
    }
}

/* ---- sets and maps ----------------------------------------------------------------------------------------------- */

/* Value of `column` in cell `cell` of the table of `set`. */
static uint32_t value_in(su_column_set set, const uint32_t *card, size_t cell, uint32_t column)
{
    for (uint32_t c = SU_MODEL_COLUMNS; c-- > 0;) {
        if (!su_set_has(set, c)) continue;
        if (c == column) return (uint32_t)(cell % card[c]);
        cell /= card[c];
    }
    fail();
    return 0;
}

static size_t cell_in(su_column_set set, const uint32_t *card, su_column_set sub, size_t cell)
{
    size_t at = 0;
    for (uint32_t c = 0; c < SU_MODEL_COLUMNS; c++)
        if (su_set_has(sub, c)) at = at * card[c] + value_in(set, card, cell, c);
    return at;
}

static su_column_set random_subset(su_random *random, su_column_set of)
{
    su_column_set s = 0;
    for (su_column_set left = of; left; left &= left - 1)
        if (su_random_below(random, 2)) s |= su_set_of(su_set_first(left));
    return s;
}

static void test_submap(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 400; round++) {
        uint32_t card[SU_MODEL_COLUMNS], d = 1 + (uint32_t)su_random_below(&random, 6);
        su_column_set whole = 0;
        for (uint32_t k = 0; k < d; k++) {
            uint32_t c = (uint32_t)su_random_below(&random, SU_MODEL_COLUMNS);
            whole |= su_set_of(c);
            card[c] = 1 + (uint32_t)su_random_below(&random, 5);
        }
        su_column_set sub = random_subset(&random, whole);
        size_t cells = (size_t)su_set_cells(whole, card), small = (size_t)su_set_cells(sub, card);
        double *x = su_alloc_array(cells, sizeof *x), *sum = su_alloc_array(small, sizeof *sum),
               *most = su_alloc_array(small, sizeof *most);
        double *got = su_alloc_array(small, sizeof *got);
        for (size_t s = 0; s < small; s++) most[s] = -INFINITY;
        for (size_t i = 0; i < cells; i++) {
            size_t s = cell_in(whole, card, sub, i);
            x[i] = (double)su_random_below(&random, 1000) - 500;
            sum[s] += x[i];
            most[s] = fmax(most[s], x[i]);
        }
        su_submap map;
        su_submap_init(&map, whole, sub, card);
        assert_int_equal(map.cells, small);
        su_submap_sum(&map, x, got);
        assert_memory_equal(got, sum, small * sizeof *got);
        su_submap_max(&map, x, got);
        assert_memory_equal(got, most, small * sizeof *got);
        double *y = su_alloc_array(cells, sizeof *y);
        memcpy(y, x, cells * sizeof *x);
        size_t cut = (size_t)su_random_below(&random, cells + 1); /* in two parts, as threads share a table */
        su_submap_add(&map, sum, y, cut, cells);
        su_submap_add(&map, sum, y, 0, cut);
        for (size_t i = 0; i < cells; i++) assert_true(y[i] == x[i] + sum[cell_in(whole, card, sub, i)]);
        memcpy(y, x, cells * sizeof *x);
        su_submap_scale(&map, sum, y, 0, cut);
        su_submap_scale(&map, sum, y, cut, cells);
        for (size_t i = 0; i < cells; i++) assert_true(y[i] == x[i] * sum[cell_in(whole, card, sub, i)]);
        su_submap_free(&map);
        free(x), free(y), free(sum), free(most), free(got);
    }
}

/* ---- trees ------------------------------------------------------------------------------------------------------- */

static size_t random_cliques(su_random *random, uint32_t d, su_column_set *cliques)
{
    size_t n = su_random_below(random, 2 * d);
    for (size_t i = 0; i < n; i++) {
        cliques[i] = 0;
        uint32_t size = 1 + (uint32_t)su_random_below(random, 3);
        for (uint32_t k = 0; k < size; k++) cliques[i] |= su_set_of((uint32_t)su_random_below(random, d));
    }
    return n;
}

/* The nodes that hold a column hang together: all but one of them have a parent that holds it too. */
static void check_tree(const su_tree *t, uint32_t d, const uint32_t *card, const su_column_set *cliques, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_true(su_tree_holder(t, cliques[i]) != UINT32_MAX);
    for (uint32_t c = 0; c < d; c++) {
        unsigned tops = 0;
        for (uint32_t i = 0; i < t->count; i++) {
            if (!su_set_has(t->nodes[i].set, c)) continue;
            tops += i + 1 == t->count || !su_set_has(t->nodes[t->nodes[i].parent].set, c);
        }
        assert_int_equal(tops, 1);
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const su_tree_node *node = &t->nodes[i];
        assert_int_equal(node->cells, su_set_cells(node->set, card));
        if (i + 1 == t->count)
            assert_int_equal(node->parent, UINT32_MAX);
        else
            assert_true(node->parent > i && node->parent < t->count && node->separator == (node->set & t->nodes[node->parent].set));
        for (uint32_t j = 0; j < t->count; j++) assert_true(i == j || !su_set_within(node->set, t->nodes[j].set));
    }
}

static void test_trees(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 1500; round++) {
        uint32_t card[SU_MODEL_COLUMNS], d = 1 + (uint32_t)su_random_below(&random, round % 50 ? 14 : SU_MODEL_COLUMNS);
        for (uint32_t c = 0; c < d; c++) card[c] = 1 + (uint32_t)su_random_below(&random, 9);
        su_column_set cliques[2 * SU_MODEL_COLUMNS + 1];
        size_t n = random_cliques(&random, d, cliques);
        su_elimination e, again;
        su_tree t;
        su_elimination_init(&e, d, card, cliques, n);
        su_tree_init(&t, &e);
        check_tree(&t, d, card, cliques, n);
        uint64_t cells = 0;
        for (uint32_t i = 0; i < t.count; i++) cells += t.nodes[i].cells;
        if (cells < UINT64_MAX / 2) assert_int_equal(cells, su_elimination_cells(&e));
        for (int k = 0; k < 5; k++) {
            cliques[n] = 0;
            for (int times = 0; times < 3; times++) cliques[n] |= su_set_of((uint32_t)su_random_below(&random, d));
            su_elimination_init(&again, d, card, cliques, n + 1);
            assert_int_equal(su_elimination_cells_with(&e, cliques[n]), su_elimination_cells(&again));
            su_elimination_free(&again);
        }
        su_tree_free(&t);
        su_elimination_free(&e);
    }
}

/* ---- belief propagation ------------------------------------------------------------------------------------------ */

typedef struct brute {
    uint32_t d;
    uint32_t card[8];
    su_column_set all;
    size_t cells;
    double *p;
    double log_sum;
} brute;

static void brute_init(brute *b, const su_model *m)
{
    *b = (brute) { .d = m->column_count };
    for (uint32_t c = 0; c < b->d; c++) {
        b->card[c] = m->card[c];
        b->all |= su_set_of(c);
    }
    b->cells = (size_t)su_set_cells(b->all, m->card);
    b->p = su_alloc_array(b->cells, sizeof *b->p);
    double top = -INFINITY;
    long double sum = 0;
    for (size_t i = 0; i < b->cells; i++) {
        for (size_t f = 0; f < m->factor_count; f++)
            b->p[i] += m->potential[m->factors[f].offset + cell_in(b->all, m->card, m->factors[f].set, i)];
        for (size_t k = 0; k < m->bar_count; k++) {
            su_column_set both = su_set_of(m->bars[k].a) | su_set_of(m->bars[k].b);
            if (m->bars[k].impossible[cell_in(b->all, m->card, both, i)]) b->p[i] = -INFINITY;
        }
        top = fmax(top, b->p[i]);
    }
    for (size_t i = 0; i < b->cells; i++) sum += expl((long double)b->p[i] - top);
    for (size_t i = 0; i < b->cells; i++) b->p[i] = (double)(expl((long double)b->p[i] - top) / sum);
    b->log_sum = top + (double)logl(sum);
}

static void check_marginal(const brute *b, su_column_set set, const double *got, double scale)
{
    size_t cells = (size_t)su_set_cells(set, b->card);
    double *want = su_alloc_array(cells, sizeof *want);
    for (size_t i = 0; i < b->cells; i++) want[cell_in(b->all, b->card, set, i)] += b->p[i] * scale;
    for (size_t i = 0; i < cells; i++) {
        if (fabs(got[i] - want[i]) > 1e-9 * scale) fail_msg("cell %zu is %.17g, by brute force %.17g", i, got[i], want[i]);
    }
    free(want);
}

static void random_model(su_random *random, su_model *m, double spread)
{
    uint32_t card[SU_MODEL_COLUMNS], d = 1 + (uint32_t)su_random_below(random, 8);
    su_column_set cliques[17];
    for (uint32_t c = 0; c < d; c++) card[c] = 1 + (uint32_t)su_random_below(random, 4);
    su_model_init(m, d, card);
    m->total = 1 + (double)su_random_below(random, 1000);
    size_t n = random_cliques(random, d, cliques);
    cliques[n++] = su_set_of(0);
    for (size_t i = 0; i < n; i++) {
        double y[64], v[64];
        for (size_t k = 0; k < 64; k++) y[k] = 0, v[k] = 1;
        su_model_measure(m, cliques[i], y, v);
    }
    for (size_t i = 0; i < m->cells; i++) m->potential[i] = spread * ((double)su_random_below(random, 2001) / 1000 - 1);
}

static void test_propagation(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 300; round++) {
        su_model m;
        brute b;
        random_model(&random, &m, round % 3 == 0 ? 2 : round % 3 == 1 ? 40 : 900);
        double log_sum = su_model_infer(&m);
        brute_init(&b, &m);
        assert_true(fabs(log_sum - b.log_sum) <= 1e-9 * (1 + fabs(b.log_sum)));
        for (size_t f = 0; f < m.factor_count; f++) check_marginal(&b, m.factors[f].set, m.share + m.factors[f].offset, 1);
        for (uint32_t i = 0; i < m.tree.count; i++) {
            double *got = su_alloc_array((size_t)m.tree.nodes[i].cells, sizeof *got);
            su_model_marginal(&m, m.tree.nodes[i].set, got);
            check_marginal(&b, m.tree.nodes[i].set, got, m.total);
            free(got);
        }
        free(b.p);
        su_model_free(&m);
    }
}

/* Bars random codes of random pairs of columns that some clique holds; one record, drawn first, stays possible. */
static void random_bars(su_random *random, su_model *m)
{
    uint32_t kept[SU_MODEL_COLUMNS];
    for (uint32_t c = 0; c < m->column_count; c++) kept[c] = (uint32_t)su_random_below(random, m->card[c]);
    for (uint32_t b = 1; b < m->column_count; b++)
        for (uint32_t a = 0; a < b; a++) {
            uint8_t impossible[16];
            bool held = false;
            for (size_t f = 0; f < m->factor_count; f++) held = held || su_set_within(su_set_of(a) | su_set_of(b), m->factors[f].set);
            if (!held || su_random_below(random, 2)) continue;
            for (uint32_t i = 0; i < m->card[a] * m->card[b]; i++) impossible[i] = su_random_below(random, 3) == 0;
            impossible[kept[a] * m->card[b] + kept[b]] = 0;
            su_model_bar(m, a, b, impossible);
        }
}

/* Cells of probability 0 (potentials of minus infinity), up to whole separators that are impossible, against brute force. */
static void test_barred(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    size_t zeros = 0;
    for (int round = 0; round < 400; round++) {
        su_model m;
        brute b;
        random_model(&random, &m, round % 3 == 0 ? 2 : round % 3 == 1 ? 40 : 900);
        random_bars(&random, &m);
        double log_sum = su_model_infer(&m);
        brute_init(&b, &m);
        assert_true(fabs(log_sum - b.log_sum) <= 1e-9 * (1 + fabs(b.log_sum)));
        for (size_t f = 0; f < m.factor_count; f++) {
            check_marginal(&b, m.factors[f].set, m.share + m.factors[f].offset, 1);
            uint8_t impossible[64];
            su_model_barred(&m, m.factors[f].set, impossible);
            for (size_t i = 0; i < m.factors[f].cells; i++) {
                if (!impossible[i]) continue;
                assert_true(m.share[m.factors[f].offset + i] == 0);
                zeros++;
            }
        }
        for (uint32_t i = 0; i < m.tree.count; i++) {
            double *got = su_alloc_array((size_t)m.tree.nodes[i].cells, sizeof *got);
            su_model_marginal(&m, m.tree.nodes[i].set, got);
            check_marginal(&b, m.tree.nodes[i].set, got, m.total);
            free(got);
        }
        for (uint32_t hi = 1; hi < m.column_count; hi++)
            for (uint32_t lo = 0; lo < hi; lo++) {
                double cells[16] = { 0 }, *out[28] = { NULL };
                out[hi * (hi - 1) / 2 + lo] = cells;
                su_model_pairs(&m, out);
                check_marginal(&b, su_set_of(lo) | su_set_of(hi), cells, m.total);
            }
        free(b.p);
        su_model_free(&m);
    }
    print_message("# %zu cells of factors were impossible\n", zeros);
    assert_true(zeros > 1000);
}

/* Nodes large enough to be shared among threads: any crew gives the same bits, and they are right. */
static void test_crews(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    static const uint32_t card[6] = { 3, 4, 7, 11, 16, 23 };
    static const su_column_set sets[7] = { 0x34, 0x1c, 0x28, 0x23, 0x09, 0x32, 0x07 };
    for (int round = 0; round < 6; round++) {
        su_model m;
        brute b;
        double *share[3], log_sum[3], *pairs[3][15];
        su_model_init(&m, 6, card);
        for (int i = 0; i < 7; i++) {
            size_t cells = (size_t)su_set_cells(sets[i], card);
            double *y = su_alloc_array(cells, sizeof *y), *v = su_alloc_array(cells, sizeof *v);
            for (size_t k = 0; k < cells; k++) v[k] = 1;
            su_model_measure(&m, sets[i], y, v);
            free(y);
            free(v);
        }
        for (size_t i = 0; i < m.cells; i++)
            m.potential[i] = (round % 2 ? 300 : 2) * ((double)su_random_below(&random, 2001) / 1000 - 1);
        uint8_t impossible[16 * 23] = { 0 };
        for (int i = 1; i < 16 * 23; i++) impossible[i] = su_random_below(&random, 4) == 0;
        if (round >= 3) su_model_bar(&m, 4, 5, impossible);
        for (unsigned threads = 0; threads < 3; threads++) {
            su_context ctx;
            su_context_init(&ctx);
            ctx.threads = threads + 1;
            m.crew = su_crew_start(&ctx, 3);
            log_sum[threads] = su_model_infer(&m);
            share[threads] = su_alloc_array(m.cells, sizeof **share);
            memcpy(share[threads], m.share, m.cells * sizeof **share);
            for (uint32_t hi = 1; hi < 6; hi++)
                for (uint32_t lo = 0; lo < hi; lo++)
                    pairs[threads][hi * (hi - 1) / 2 + lo] = su_alloc_array((size_t)card[lo] * card[hi], sizeof ***pairs);
            su_model_pairs(&m, pairs[threads]);
            su_crew_end(m.crew);
            m.crew = NULL;
        }
        assert_true(m.plan->cells >= 20000);
        brute_init(&b, &m);
        assert_true(fabs(log_sum[0] - b.log_sum) <= 1e-9 * (1 + fabs(b.log_sum)));
        for (size_t f = 0; f < m.factor_count; f++) check_marginal(&b, m.factors[f].set, share[0] + m.factors[f].offset, 1);
        for (unsigned threads = 1; threads < 3; threads++) {
            assert_true(log_sum[0] == log_sum[threads]);
            assert_memory_equal(share[0], share[threads], m.cells * sizeof **share);
            for (uint32_t hi = 1; hi < 6; hi++)
                for (uint32_t lo = 0; lo < hi; lo++)
                    assert_memory_equal(pairs[0][hi * (hi - 1) / 2 + lo], pairs[threads][hi * (hi - 1) / 2 + lo],
                                        (size_t)card[lo] * card[hi] * sizeof(double));
        }
        for (unsigned threads = 0; threads < 3; threads++) {
            free(share[threads]);
            for (int i = 0; i < 15; i++) free(pairs[threads][i]);
        }
        free(b.p);
        su_model_free(&m);
    }
}

static void test_pairs(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 300; round++) {
        su_model m;
        brute b;
        random_model(&random, &m, round % 2 ? 2 : 300);
        su_model_infer(&m);
        brute_init(&b, &m);
        double cells[2][28][16], *out[28];
        for (int threads = 0; threads < 2; threads++) {
            su_context ctx;
            su_context_init(&ctx);
            ctx.threads = (unsigned)threads + 1;
            m.crew = su_crew_start(&ctx, 2);
            for (int i = 0; i < 28; i++) out[i] = i % 5 == 4 ? NULL : cells[threads][i];
            memset(cells[threads], 0, sizeof cells[threads]);
            su_model_pairs(&m, out);
            su_crew_end(m.crew);
            m.crew = NULL;
        }
        assert_memory_equal(cells[0], cells[1], sizeof cells[0]);
        for (uint32_t hi = 1; hi < m.column_count; hi++)
            for (uint32_t lo = 0; lo < hi; lo++)
                if (out[hi * (hi - 1) / 2 + lo])
                    check_marginal(&b, su_set_of(lo) | su_set_of(hi), cells[0][hi * (hi - 1) / 2 + lo], m.total);
        free(b.p);
        su_model_free(&m);
    }
}

/* A second table of a set is averaged in; potentials of the others stay. */
static void test_measuring_again(void **state)
{
    (void)state;
    su_model m;
    uint32_t card[2] = { 2, 2 };
    su_model_init(&m, 2, card);
    su_model_measure(&m, 1, (double[]) { 10, 20 }, (double[]) { 1, 4 });
    m.potential[1] = 3;
    su_model_measure(&m, 3, (double[]) { 1, 2, 3, 4 }, (double[]) { 1, 1, 1, 1 });
    su_model_measure(&m, 1, (double[]) { 20, 20 }, (double[]) { 4, 4 });
    assert_int_equal(m.factor_count, 2);
    assert_true(m.potential[1] == 3);
    assert_true(fabs(m.answer[0] - 12) < 1e-12 && fabs(m.variance[0] - 0.8) < 1e-12 && fabs(m.variance[1] - 2) < 1e-12);
    su_model_free(&m);
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* In every group of the round method the numbers are within 1 of their expectation given the group: so a node whose columns are all dealt
 * out has an error of at most its cells, and usually far less; an independent sample would be off by about sqrt(n). */
static void test_records(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    enum { RECORDS = 40000 };
    for (int round = 0; round < 30; round++) {
        su_model m;
        uint16_t *codes[8];
        random_model(&random, &m, 1);
        su_model_infer(&m);
        m.total = RECORDS;
        for (uint32_t c = 0; c < m.column_count; c++) codes[c] = su_alloc_array(RECORDS, sizeof **codes);
        su_model_records(&m, &random, RECORDS, codes);
        for (size_t f = 0; f < m.factor_count; f++) {
            double count[64] = { 0 };
            for (size_t i = 0; i < RECORDS; i++) {
                size_t at = 0;
                for (uint32_t c = 0; c < m.column_count; c++)
                    if (su_set_has(m.factors[f].set, c)) at = at * m.card[c] + codes[c][i];
                count[at]++;
            }
            for (size_t k = 0; k < m.factors[f].cells; k++) {
                double want = RECORDS * m.share[m.factors[f].offset + k];
                if (fabs(count[k] - want) > 70) fail_msg("%g records where %g are expected", count[k], want);
            }
        }
        double first[4] = { 0 };
        uint32_t last = m.elimination.order[m.column_count - 1];
        double *want = su_alloc_array(m.card[last], sizeof *want);
        su_model_marginal(&m, su_set_of(last), want);
        for (size_t i = 0; i < RECORDS; i++) first[codes[last][i]]++;
        for (uint32_t v = 0; v < m.card[last]; v++) assert_true(fabs(first[v] - want[v]) < 1 + 1e-6);
        free(want);
        for (uint32_t c = 0; c < m.column_count; c++) free(codes[c]);
        su_model_free(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),          cmocka_unit_test(test_sums),
        cmocka_unit_test(test_whole_counts), cmocka_unit_test(test_submap),
        cmocka_unit_test(test_trees),        cmocka_unit_test(test_propagation),
        cmocka_unit_test(test_barred),
        cmocka_unit_test(test_crews),
        cmocka_unit_test(test_pairs),        cmocka_unit_test(test_measuring_again),
        cmocka_unit_test(test_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
