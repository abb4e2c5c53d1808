#include "variation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Total variation reads every record once per table: above this many readings per length, an even sample of the tables is taken. */
#define TV_READINGS UINT64_C(3000000000)
#define TV_CELLS (UINT64_C(1) << 24)

typedef struct job {
    const su_code_matrix *truth, *records;
    su_variations *v;
} job;

static double distance(const int64_t *a, const int64_t *b, uint64_t cells, uint64_t rows_a, uint64_t rows_b)
{
    double sum = 0;
    for (uint64_t i = 0; i < cells; i++) sum += fabs((double)a[i] / (double)rows_a - (double)b[i] / (double)rows_b);
    return sum / 2;
}

static void variation_of_table(void *arg, size_t i, unsigned worker)
{
    const job *j = arg;
    su_variations *v = j->v;
    const uint32_t *columns = v->columns + i * v->length;
    uint64_t cells = 1;
    (void)worker;
    for (uint32_t k = 0; k < v->length; k++) cells *= j->truth->columns[columns[k]].card;
    int64_t *a = su_alloc_array(cells, sizeof *a), *b = su_alloc_array(cells, sizeof *b);
    su_contingency(j->truth, columns, v->length, a);
    su_contingency(j->records, columns, v->length, b);
    v->distance[i] = distance(a, b, cells, j->truth->row_count, j->records->row_count);
    free(a);
    free(b);
}

static bool next_table(uint32_t *columns, uint32_t length, uint32_t d)
{
    uint32_t k = length;
    while (k > 0 && columns[k - 1] == d - length + k - 1) k--;
    if (k == 0) return false;
    columns[k - 1]++;
    for (; k < length; k++) columns[k] = columns[k - 1] + 1;
    return true;
}

static bool small(const su_code_matrix *m, const uint32_t *columns, uint32_t length)
{
    uint64_t cells = 1;
    for (uint32_t k = 0; k < length; k++)
        if (__builtin_mul_overflow(cells, (uint64_t)m->columns[columns[k]].card, &cells)) return false;
    return cells <= TV_CELLS;
}

/* Walks the tables in order and keeps every `step`-th that is small enough; kept may be NULL. Returns how many there are. */
static size_t choose_tables(const su_code_matrix *m, uint32_t length, uint64_t step, uint32_t *kept)
{
    uint32_t columns[SU_MAX_LENGTH];
    size_t seen = 0, n = 0;
    for (uint32_t k = 0; k < length; k++) columns[k] = k;
    do {
        if (!small(m, columns, length) || seen++ % step) continue;
        if (kept) memcpy(kept + n * length, columns, length * sizeof *columns);
        n++;
    } while (next_table(columns, length, m->column_count));
    return n;
}

void su_variations_of(su_context *ctx, const su_code_matrix *m, const su_code_matrix *records, uint32_t length, su_variations *out)
{
    *out = (su_variations) { .length = length };
    if (length == 0 || length > m->column_count || m->row_count == 0 || records->row_count == 0) return;
    uint64_t readings = (m->row_count + records->row_count) * (uint64_t)choose_tables(m, length, 1, NULL);
    uint64_t step = 1 + readings / TV_READINGS;
    size_t n = choose_tables(m, length, step, NULL);
    if (n == 0) return;
    out->n = n;
    out->columns = su_alloc_array(n, length * sizeof *out->columns);
    out->distance = su_alloc_array(n, sizeof *out->distance);
    choose_tables(m, length, step, out->columns);
    su_parallel(ctx, n, variation_of_table, &(job) { m, records, out });
}

double su_variations_mean(const su_variations *v)
{
    double sum = 0;
    for (size_t i = 0; i < v->n; i++) sum += v->distance[i];
    return v->n ? sum / (double)v->n : NAN;
}

void su_variations_free(su_variations *v)
{
    free(v->columns);
    free(v->distance);
    *v = (su_variations) { 0 };
}
