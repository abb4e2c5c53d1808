/* Residual GLS against dense generalised least squares (eigenvalues, pseudo-inverse) on small domains, for workloads of every kind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "residual.h"
#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 421
#define COLUMNS_MAX 4
#define JOINT_MAX 120

/* ---- dense oracle ------------------------------------------------------------------------------------------------ */

typedef struct dense {
    size_t n;
    double a[JOINT_MAX][JOINT_MAX], v[JOINT_MAX][JOINT_MAX];
} dense;

/* Cyclic Jacobi: leaves the eigenvalues on the diagonal of a and the eigenvectors in the columns of v. */
static void jacobi(dense *m)
{
    for (size_t i = 0; i < m->n; i++) {
        for (size_t j = 0; j < m->n; j++) {
            m->v[i][j] = i == j;
        }
    }
    for (int sweep = 0; sweep < 60; sweep++) {
        double off = 0, diagonal = 0;
        for (size_t p = 0; p < m->n; p++) {
            diagonal += m->a[p][p] * m->a[p][p];
            for (size_t q = p + 1; q < m->n; q++) {
                double apq = m->a[p][q];
                off += apq * apq;
                if (apq == 0) {
                    continue;
                }
                double theta = (m->a[q][q] - m->a[p][p]) / (2 * apq);
                double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
                for (size_t k = 0; k < m->n; k++) {
                    double x = m->a[k][p], y = m->a[k][q];
                    m->a[k][p] = c * x - s * y;
                    m->a[k][q] = s * x + c * y;
                }
                for (size_t k = 0; k < m->n; k++) {
                    double x = m->a[p][k], y = m->a[q][k];
                    m->a[p][k] = c * x - s * y;
                    m->a[q][k] = s * x + c * y;
                    x = m->v[k][p], y = m->v[k][q];
                    m->v[k][p] = c * x - s * y;
                    m->v[k][q] = s * x + c * y;
                }
            }
        }
        if (off < 1e-30 * diagonal) {
            return;
        }
    }
}

/* Replaces a by its pseudo-inverse. */
static void pseudo_inverse(dense *m)
{
    jacobi(m);
    double largest = 0, value[JOINT_MAX];
    for (size_t i = 0; i < m->n; i++) {
        value[i] = m->a[i][i];
        largest = fmax(largest, value[i]);
    }
    for (size_t i = 0; i < m->n; i++) {
        for (size_t j = 0; j < m->n; j++) {
            double sum = 0;
            for (size_t k = 0; k < m->n; k++) {
                sum += value[k] > 1e-10 * largest ? m->v[i][k] * m->v[j][k] / value[k] : 0;
            }
            m->a[i][j] = sum;
        }
    }
}

/* Cell of the set's table that a cell of the joint table falls into. */
static size_t cell_of(const uint32_t *card, uint32_t column_count, const uint32_t *columns, uint32_t length, size_t joint)
{
    uint32_t value[COLUMNS_MAX];
    for (uint32_t c = column_count; c-- > 0;) {
        value[c] = (uint32_t)(joint % card[c]);
        joint /= card[c];
    }
    size_t cell = 0;
    for (uint32_t i = 0; i < length; i++) {
        cell = cell * card[columns[i]] + value[columns[i]];
    }
    return cell;
}

/* ---- one case ---------------------------------------------------------------------------------------------------- */

typedef struct problem {
    su_release release;
    su_matrix_column columns[COLUMNS_MAX];
    uint32_t card[COLUMNS_MAX];
    su_release_table tables[16];
    size_t joint;
} problem;

/* Any collection of tables, also ones inside others and repeated columns; noise of any size. */
static void problem_init(problem *p, su_random *random)
{
    memset(p, 0, sizeof *p);
    uint32_t d = 1 + (uint32_t)su_random_below(random, COLUMNS_MAX);
    do {
        p->joint = 1;
        for (uint32_t c = 0; c < d; c++) {
            p->card[c] = 1 + (uint32_t)su_random_below(random, 5);
            p->columns[c].card = p->card[c];
            p->joint *= p->card[c];
        }
    } while (p->joint > JOINT_MAX);
    p->release.column_count = d;
    p->release.columns = p->columns;
    p->release.tables = p->tables;
    uint32_t taken = 0;
    size_t wanted = 1 + su_random_below(random, 6);
    for (size_t t = 0; t < wanted; t++) {
        uint32_t set = 1 + (uint32_t)su_random_below(random, (UINT64_C(1) << d) - 1);
        if (taken >> set & 1) {
            continue;
        }
        taken |= UINT32_C(1) << set;
        su_release_table *to = &p->tables[p->release.table_count++];
        to->cells = 1;
        for (uint32_t c = 0; c < d; c++) {
            if (set >> c & 1) {
                to->columns[to->length++] = c;
                to->cells *= p->card[c];
            }
        }
        to->variance = (su_variance) { 1 + su_random_below(random, 4000), 1 + su_random_below(random, 64) };
    }
}

static su_measurement *invented_cells(const problem *p, su_random *random)
{
    su_measurement *m = su_alloc(sizeof *m);
    m->table_count = p->release.table_count;
    m->cells = su_alloc_array(m->table_count, sizeof *m->cells);
    for (size_t t = 0; t < m->table_count; t++) {
        m->total_cells += p->tables[t].cells;
    }
    int64_t *block = su_alloc_array(m->total_cells, sizeof *block);
    for (size_t i = 0; i < m->total_cells; i++) {
        block[i] = (int64_t)su_random_below(random, 2000) - 500;
    }
    for (size_t t = 0; t < m->table_count; t++) {
        m->cells[t] = block;
        block += p->tables[t].cells;
    }
    return m;
}

/* inverse = (sum of A'A/variance)^+, right = sum of A'y/variance over the tables. */
static void dense_solve(const problem *p, const su_measurement *m, dense *inverse, double *solution)
{
    double right[JOINT_MAX] = { 0 };
    memset(inverse, 0, sizeof *inverse);
    inverse->n = p->joint;
    for (size_t t = 0; t < p->release.table_count; t++) {
        const su_release_table *table = &p->tables[t];
        double w = 1 / su_discrete_gaussian_variance(table->variance);
        for (size_t i = 0; i < p->joint; i++) {
            size_t cell = cell_of(p->card, p->release.column_count, table->columns, table->length, i);
            right[i] += w * (double)m->cells[t][cell];
            for (size_t j = 0; j < p->joint; j++) {
                inverse->a[i][j] += cell == cell_of(p->card, p->release.column_count, table->columns, table->length, j) ? w : 0;
            }
        }
    }
    pseudo_inverse(inverse);
    for (size_t i = 0; i < p->joint; i++) {
        solution[i] = 0;
        for (size_t j = 0; j < p->joint; j++) {
            solution[i] += inverse->a[i][j] * right[j];
        }
    }
}

static void assert_near(double got, double want, double scale)
{
    if (!(fabs(got - want) <= 1e-9 * scale)) {
        fail_msg("%.15g instead of %.15g (seed %d)", got, want, SEED);
    }
}

static void compare(const problem *p, const su_lattice *l, const su_estimates *e, const dense *inverse, const double *solution)
{
    for (uint32_t k = 0; k < l->set_count; k++) {
        const su_subset *s = &l->sets[k];
        for (size_t cell = 0; cell < s->cells; cell++) {
            double want = 0, variance = 0;
            for (size_t i = 0; i < p->joint; i++) {
                if (cell_of(p->card, p->release.column_count, s->columns, s->length, i) != cell) {
                    continue;
                }
                want += solution[i];
                for (size_t j = 0; j < p->joint; j++) {
                    variance += cell_of(p->card, p->release.column_count, s->columns, s->length, j) == cell ? inverse->a[i][j] : 0;
                }
            }
            assert_near(e->cell[s->offset + cell], want, 2000);
            assert_near(e->variance[k], variance, variance);
        }
    }
}

static void test_against_dense(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED);
    static dense inverse;
    static double solution[JOINT_MAX];
    for (int i = 0; i < 60; i++) {
        problem p;
        problem_init(&p, &random);
        su_measurement *m = invented_cells(&p, &random);
        su_lattice l;
        su_estimates e;
        su_lattice_init(&l, &p.release);
        su_estimates_init(&e, &p.release, &l, m);
        dense_solve(&p, m, &inverse, solution);
        compare(&p, &l, &e, &inverse, solution);
        su_estimates_free(&e);
        su_lattice_free(&l);
        su_measurement_free(m);
    }
}

/* Summing a set's estimates over any column gives its parent's: one world, at all lengths. */
static void test_consistent(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 1);
    world w;
    world_init(&w, 300, (uint32_t[]) { 5, 3, 2, 7, 2, 2 }, 6, &random);
    su_release *r = world_plan(&w, 1, 4, 100);
    su_measurement *m = NULL;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &m), SU_OK);
    su_lattice l;
    su_estimates e;
    su_lattice_init(&l, r);
    su_estimates_init(&e, r, &l, m);
    for (uint32_t k = 0; k < l.set_count; k++) {
        const su_subset *s = &l.sets[k];
        for (uint32_t axis = 0; axis < s->length; axis++) {
            const su_subset *parent = &l.sets[s->parent[axis]];
            double *sum = su_alloc_array(parent->cells, sizeof *sum);
            size_t inner = 1;
            for (uint32_t i = axis + 1; i < s->length; i++) {
                inner *= s->card[i];
            }
            for (size_t cell = 0; cell < s->cells; cell++) {
                sum[cell / (inner * s->card[axis]) * inner + cell % inner] += e.cell[s->offset + cell];
            }
            for (size_t cell = 0; cell < parent->cells; cell++) {
                assert_near(sum[cell], e.cell[parent->offset + cell], 300);
            }
            free(sum);
        }
    }
    su_estimates_free(&e);
    su_lattice_free(&l);
    su_measurement_free(m);
    su_release_free(r);
    world_free(&w);
}

/* Without noise in the cells the estimates are the counts themselves. */
static void test_exact_counts_stay(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 2);
    world w;
    world_init(&w, 200, (uint32_t[]) { 4, 3, 2, 6, 2 }, 5, &random);
    su_release *r = world_plan(&w, 1, 3, 40);
    su_measurement *m = NULL;
    assert_int_equal(su_release_measure_exact(&ctx, r, &w.matrix, &m), SU_OK);
    su_lattice l;
    su_estimates e;
    su_lattice_init(&l, r);
    su_estimates_init(&e, r, &l, m);
    for (uint32_t k = 0; k < l.set_count; k++) {
        int64_t counts[64] = { 0 };
        assert_true(l.sets[k].cells <= 64);
        for (uint64_t row = 0; row < w.matrix.row_count; row++) {
            size_t cell = 0;
            for (uint32_t i = 0; i < l.sets[k].length; i++) {
                cell = cell * l.sets[k].card[i] + w.codes[l.sets[k].columns[i]][row];
            }
            counts[cell]++;
        }
        for (size_t cell = 0; cell < l.sets[k].cells; cell++) {
            assert_near(e.cell[l.sets[k].offset + cell], (double)counts[cell], 200);
        }
    }
    su_estimates_free(&e);
    su_lattice_free(&l);
    su_measurement_free(m);
    su_release_free(r);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_dense),
        cmocka_unit_test(test_consistent),
        cmocka_unit_test(test_exact_counts_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
