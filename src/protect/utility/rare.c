#include "rare.h"

#include <stdlib.h>
#include <string.h>

/* Rows of each attribute, ascending. */
typedef struct row_lists {
    const su_code_matrix *m;
    size_t *base;  /* per column: number of attributes before its value 0 */
    size_t *start; /* per attribute; one more at the end */
    uint32_t *row;
} row_lists;

static void row_lists_init(row_lists *l, const su_code_matrix *m)
{
    size_t attributes = 0;
    l->m = m;
    l->base = su_alloc_array((size_t)m->column_count + 1, sizeof *l->base);
    for (uint32_t c = 0; c < m->column_count; c++) {
        l->base[c] = attributes;
        attributes += m->columns[c].card;
    }
    l->start = su_alloc_array(attributes + 2, sizeof *l->start);
    for (uint32_t c = 0; c < m->column_count; c++)
        for (uint64_t r = 0; r < m->row_count; r++)
            if (m->columns[c].codes[r]) l->start[l->base[c] + m->columns[c].codes[r] + 2]++;
    for (size_t a = 2; a < attributes + 2; a++) l->start[a] += l->start[a - 1];
    l->row = su_alloc_array(l->start[attributes + 1] + 1, sizeof *l->row);
    for (uint32_t c = 0; c < m->column_count; c++)
        for (uint64_t r = 0; r < m->row_count; r++)
            if (m->columns[c].codes[r]) l->row[l->start[l->base[c] + m->columns[c].codes[r] + 1]++] = (uint32_t)r;
}

static void row_lists_free(row_lists *l)
{
    free(l->base);
    free(l->start);
    free(l->row);
}

/* Calls each(arg, row) for every row that has all attributes, ascending; stops after `count` of them. */
static void rows_with(const row_lists *l, const su_attribute *at, uint32_t length, uint64_t count, void (*each)(void *arg, uint32_t row),
                      void *arg)
{
    uint32_t best = 0;
    size_t least = SIZE_MAX;
    for (uint32_t k = 0; k < length; k++) {
        const size_t *s = l->start + l->base[at[k].column] + at[k].value;
        if (s[1] - s[0] >= least) continue;
        least = s[1] - s[0];
        best = k;
    }
    const size_t *s = l->start + l->base[at[best].column] + at[best].value;
    for (size_t i = s[0]; i < s[1] && count; i++) {
        bool all = true;
        for (uint32_t k = 0; all && k < length; k++) all = l->m->columns[at[k].column].codes[l->row[i]] == at[k].value;
        if (!all) continue;
        each(arg, l->row[i]);
        count--;
    }
}

/* ---- records of the true data ------------------------------------------------------------------------------------------------------ */

typedef struct marks {
    uint8_t *unique, *rare; /* shortest length, 0 = none */
    uint8_t length;
    bool single;
} marks;

static void mark(void *arg, uint32_t row)
{
    marks *m = arg;
    if (m->single && !m->unique[row]) m->unique[row] = m->length;
    if (!m->rare[row]) m->rare[row] = m->length;
}

void su_rare_records(const su_code_matrix *m, const su_combinations *truths, uint32_t length, uint64_t k, su_utility_risk *risk)
{
    row_lists lists;
    marks found = { .unique = su_alloc_array(m->row_count + 1, 1), .rare = su_alloc_array(m->row_count + 1, 1) };
    row_lists_init(&lists, m);
    for (uint32_t l = 1; l <= length; l++) {
        const su_combinations *t = &truths[l];
        found.length = (uint8_t)l;
        for (size_t i = 0; i < t->n; i++) {
            found.single = t->count[i] == 1;
            risk[l].unique_combinations += found.single;
            risk[l].rare_combinations += t->count[i] < k;
            if (t->count[i] < k || found.single) rows_with(&lists, t->at + i * l, l, t->count[i], mark, &found);
        }
    }
    for (uint64_t r = 0; r < m->row_count; r++) {
        if (found.unique[r])
            risk[found.unique[r]].unique_records++;
        else if (found.rare[r])
            risk[found.rare[r]].rare_records++;
    }
    for (uint32_t l = 1; l <= length; l++) {
        risk[0].unique_records += risk[l].unique_records;
        risk[0].rare_records += risk[l].rare_records;
        risk[0].unique_combinations += risk[l].unique_combinations;
        risk[0].rare_combinations += risk[l].rare_combinations;
    }
    row_lists_free(&lists);
    free(found.unique);
    free(found.rare);
}

/* ---- rare combinations of the synthetic records ------------------------------------------------------------------------------------ */

typedef struct listing {
    row_lists lists;
    uint64_t k;
    su_rare_combination now;
    void (*sink)(void *arg, const su_rare_combination *c);
    void *arg;
} listing;

static void list_row(void *arg, uint32_t row)
{
    listing *l = arg;
    l->now.record = row;
    l->sink(l->arg, &l->now);
}

static void list_meeting(void *arg, const su_meeting *m)
{
    listing *l = arg;
    if (m->released == 0 || m->released >= l->k) return;
    l->now.length = m->length;
    memcpy(l->now.at, m->at, m->length * sizeof *m->at);
    l->now.released = m->released;
    l->now.truly = m->truly / l->k * l->k;
    rows_with(&l->lists, m->at, m->length, m->released, list_row, l);
}

su_status su_utility_rare(su_context *ctx, const su_release *r, const su_code_matrix *truth, uint64_t k,
                          void (*sink)(void *arg, const su_rare_combination *c), void *arg)
{
    su_combinations truths[SU_MAX_LENGTH + 1];
    if (k == 0) return su_fail(ctx, SU_USAGE, "k must be at least 1");
    su_status st = su_compare_columns(ctx, r, truth);
    if (st) return st;
    st = su_true_combinations(ctx, truth, su_compare_length(r), truths);
    if (!st) {
        su_code_matrix records = su_record_matrix(r);
        listing l = { .k = k, .sink = sink, .arg = arg };
        row_lists_init(&l.lists, &records);
        st = su_compare_records(ctx, r, truths, list_meeting, &l);
        row_lists_free(&l.lists);
        free(records.columns);
    }
    su_true_free(truths);
    return st;
}
