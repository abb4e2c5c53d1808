#include "mse/existence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/lp.h"

/* Primes just below 2^61, as the distance to it: products are reduced by folding the high bits down, without a division. */
enum { BITS = 61, HADAMARD_ONE_PRIME = 36 };
static const uint64_t BELOW[] = { 1, 31 };

static uint64_t prime_of(uint64_t below) { return ((uint64_t)1 << BITS) - below; }

static uint64_t multiply_mod(uint64_t a, uint64_t b, uint64_t below)
{
    const uint64_t mask = ((uint64_t)1 << BITS) - 1, p = prime_of(below);
    unsigned __int128 x = (unsigned __int128)a * b;
    x = (x & mask) + (x >> BITS) * below;
    x = (x & mask) + (x >> BITS) * below;
    uint64_t out = (uint64_t)x;
    return out >= p ? out - p : out;
}

static uint64_t inverse_mod(uint64_t a, uint64_t below)
{
    uint64_t out = 1;
    for (uint64_t e = prime_of(below) - 2; e; e >>= 1) {
        if (e & 1) out = multiply_mod(out, a, below);
        a = multiply_mod(a, a, below);
    }
    return out;
}

/* Rows are reduced one after another by those before; a row that is left is scaled to a leading 1. */
static size_t rank_mod(const unsigned char *x, size_t rows, size_t columns, uint64_t below)
{
    const uint64_t p = prime_of(below);
    uint64_t *echelon = su_alloc_array(columns * columns + columns + 1, sizeof *echelon), *row = echelon + columns * columns;
    size_t *lead = su_alloc_array(columns + 1, sizeof *lead), rank = 0;
    for (size_t i = 0; i < rows && rank < columns; i++) {
        for (size_t j = 0; j < columns; j++) row[j] = x[i * columns + j];
        for (size_t k = 0; k < rank; k++) {
            uint64_t factor = row[lead[k]];
            const uint64_t *by = echelon + k * columns;
            if (!factor) continue;
            for (size_t j = 0; j < columns; j++) {
                if (!by[j]) continue;
                uint64_t less = factor == 1 ? by[j] : multiply_mod(factor, by[j], below);
                row[j] = row[j] >= less ? row[j] - less : row[j] + p - less;
            }
        }
        size_t j = 0;
        while (j < columns && !row[j]) j++;
        if (j == columns) continue;
        uint64_t scale = inverse_mod(row[j], below);
        for (size_t c = 0; c < columns; c++) echelon[rank * columns + c] = row[c] ? multiply_mod(row[c], scale, below) : 0;
        lead[rank++] = j;
    }
    free(echelon);
    free(lead);
    return rank;
}

size_t su_rank_01(const unsigned char *x, size_t rows, size_t columns)
{
    size_t rank = rank_mod(x, rows, columns, BELOW[0]);
    if (rank == columns || rank == rows || columns <= HADAMARD_ONE_PRIME) return rank;
    size_t other = rank_mod(x, rows, columns, BELOW[1]); /* a rank modulo a prime is never above the true one */
    return other > rank ? other : rank;
}

/* Null space of the positive rows, columns x (columns - rank), by elimination with complete pivoting for exactly `rank` steps: the rank is
 * known, so no tolerance decides anything. */
static double *null_space(const unsigned char *x, size_t rows, size_t columns, const bool *positive, size_t rank)
{
    double *a = su_alloc_array(rows * columns + 1, sizeof *a), *out = su_alloc_array(columns * (columns - rank) + 1, sizeof *out);
    size_t *order = su_alloc_array(columns + 1, sizeof *order), count = 0;
    for (size_t i = 0; i < rows; i++) {
        if (!positive[i]) continue;
        for (size_t j = 0; j < columns; j++) a[count * columns + j] = x[i * columns + j];
        count++;
    }
    for (size_t j = 0; j < columns; j++) order[j] = j;
    for (size_t k = 0; k < rank; k++) {
        size_t pivot_row = k, pivot_column = k;
        for (size_t i = k; i < count; i++)
            for (size_t j = k; j < columns; j++)
                if (fabs(a[i * columns + order[j]]) > fabs(a[pivot_row * columns + order[pivot_column]])) pivot_row = i, pivot_column = j;
        size_t c = order[pivot_column];
        order[pivot_column] = order[k];
        order[k] = c;
        for (size_t j = 0; j < columns && pivot_row != k; j++) {
            double swap = a[k * columns + j];
            a[k * columns + j] = a[pivot_row * columns + j];
            a[pivot_row * columns + j] = swap;
        }
        double scale = 1 / a[k * columns + c];
        for (size_t j = 0; j < columns; j++) a[k * columns + j] *= scale;
        for (size_t i = 0; i < count; i++) {
            double factor = a[i * columns + c];
            if (i == k || factor == 0) continue;
            for (size_t j = 0; j < columns; j++) a[i * columns + j] -= factor * a[k * columns + j];
        }
    }
    for (size_t f = rank; f < columns; f++) {
        double *column = out + (f - rank);
        size_t width = columns - rank;
        column[order[f] * width] = 1;
        for (size_t k = 0; k < rank; k++) column[order[k] * width] = -a[k * columns + order[f]];
    }
    free(a);
    free(order);
    return out;
}

/* Is there a direction of recession: 0 <= M0 K u, not all 0? A solution can be scaled until its largest value is 1, so the best value of
 * the program is 0 or at least 1, and 1/2 tells them apart whatever the rounding. */
static bool recession(const unsigned char *x, size_t rows, size_t columns, const bool *positive, const double *null, size_t width)
{
    size_t empty = 0;
    for (size_t i = 0; i < rows; i++) empty += !positive[i];
    double *a = su_alloc_array(2 * empty * width + 1, sizeof *a), *b = su_alloc_array(2 * empty + 1, sizeof *b);
    double *c = su_alloc_array(width, sizeof *c), *low = su_alloc_array(width, sizeof *low), *high = su_alloc_array(width, sizeof *high);
    double *u = su_alloc_array(width, sizeof *u), value = 0;
    size_t at = 0;
    for (size_t i = 0; i < rows; i++) {
        if (positive[i]) continue;
        for (size_t k = 0; k < width; k++) {
            double sum = 0;
            for (size_t j = 0; j < columns; j++)
                if (x[i * columns + j]) sum += null[j * width + k];
            if (fabs(sum) < 1e-10) sum = 0; /* entries are ratios of small integers */
            a[at * width + k] = -sum;
            a[(empty + at) * width + k] = sum;
            c[k] += sum;
        }
        b[empty + at++] = 1;
    }
    for (size_t k = 0; k < width; k++) low[k] = -INFINITY, high[k] = INFINITY;
    su_lp_status status = su_lp_maximise(a, b, 2 * empty, width, c, low, high, u, &value);
    free(a), free(b), free(c), free(low), free(high), free(u);
    return status != SU_LP_OPTIMAL || value > 0.5; /* a program that stalls is no proof: then we do not estimate */
}

su_existence su_existence_01(const unsigned char *x, size_t rows, size_t columns, const bool *positive)
{
    unsigned char *people = su_alloc_array(rows * columns + 1, 1);
    size_t count = 0;
    for (size_t i = 0; i < rows; i++)
        if (positive[i]) memcpy(people + columns * count++, x + columns * i, columns);
    size_t rank = su_rank_01(people, count, columns);
    free(people);
    if (rank == columns) return SU_EXISTS;
    double *null = null_space(x, rows, columns, positive, rank);
    int code = recession(x, rows, columns, positive, null, columns - rank) ? SU_NO_ESTIMATE : SU_EXISTS;
    free(null);
    if (su_rank_01(x, rows, columns) < columns) code |= SU_NOT_IDENTIFIABLE;
    return (su_existence)code;
}
