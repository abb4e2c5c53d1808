/* Dense contingency tables, one by one or as a workload.
 *
 * A workload over sparse rows goes another way than row by row: every combination of present values is counted once for all tables
 * (combinations.c), and a cell with absent coordinates follows from the counts of its present ones by inclusion and exclusion. */
#include <suha/count.h>

#include <stdlib.h>
#include <string.h>

/* ---- one table ---- */

enum { STRETCH = 2048, SAMPLED = 12, BLOCK_ROWS = 1 << 18 };

/* Two and three columns are nearly all of the work, and need no intermediate cell numbers. */
static void count_two(const uint16_t *x, const uint16_t *y, size_t width, uint64_t rows, int64_t *out)
{
    for (uint64_t r = 0; r < rows; r++) out[x[r] * width + y[r]]++;
}

static void count_three(const uint16_t *x, const uint16_t *y, const uint16_t *z, size_t height, size_t width, uint64_t rows, int64_t *out)
{
    for (uint64_t r = 0; r < rows; r++) out[(x[r] * height + y[r]) * width + z[r]]++;
}

/* Rows from..from+rows-1, at most STRETCH of them. */
static void count_stretch(const su_code_matrix *m, const uint32_t *columns, uint32_t n, uint64_t from, size_t rows, int64_t *out)
{
    uint16_t room[3][STRETCH];
    const su_matrix_column *all = m->columns;
    if (n == 2 || n == 3) {
        const uint16_t *codes[3];
        for (uint32_t k = 0; k < n; k++) codes[k] = su_matrix_codes(&all[columns[k]], from, rows, room[k]);
        if (n == 2)
            count_two(codes[0], codes[1], all[columns[1]].card, rows, out);
        else
            count_three(codes[0], codes[1], codes[2], all[columns[1]].card, all[columns[2]].card, rows, out);
        return;
    }
    size_t at[STRETCH];
    memset(at, 0, rows * sizeof *at);
    for (uint32_t k = 0; k < n; k++) {
        const size_t card = all[columns[k]].card;
        const uint16_t *codes = su_matrix_codes(&all[columns[k]], from, rows, room[0]);
        for (size_t r = 0; r < rows; r++) at[r] = at[r] * card + codes[r];
    }
    for (size_t r = 0; r < rows; r++) out[at[r]]++;
}

void su_contingency(const su_code_matrix *m, const uint32_t *columns, uint32_t n, int64_t *out)
{
    size_t cells = 1;
    for (uint32_t k = 0; k < n; k++) cells *= m->columns[columns[k]].card;
    memset(out, 0, cells * sizeof *out);
    for (uint64_t from = 0; from < m->row_count; from += STRETCH)
        count_stretch(m, columns, n, from, m->row_count - from < STRETCH ? (size_t)(m->row_count - from) : STRETCH, out);
}

/* ---- column sets: the requested ones and all their subsets ---- */

typedef struct column_set {
    uint32_t n;
    uint32_t columns[SU_MAX_LENGTH];
    size_t cells;     /* product of card - 1 */
    int64_t *present; /* counts of combinations of present values, last column fastest */
} column_set;

typedef struct workload {
    su_context *ctx;
    const su_code_matrix *m;
    const su_contingency_request *tables;
    size_t count;
    su_code_matrix used;  /* the columns that tables name */
    uint32_t *new_number; /* of a column of m among the used */
    column_set *sets;     /* by length, then columns: the order of su_count_combinations */
    size_t set_count, at; /* at: where the sink is */
} workload;

static int by_columns(const void *a, const void *b)
{
    const column_set *x = a, *y = b;
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    for (uint32_t k = 0; k < x->n; k++) {
        if (x->columns[k] != y->columns[k]) return x->columns[k] < y->columns[k] ? -1 : 1;
    }
    return 0;
}

/* The columns of a table that `mask` names, in numbers of w->used. */
static column_set subset_of(const workload *w, const su_contingency_request *t, uint32_t mask)
{
    column_set s = { .cells = 1 };
    for (uint32_t k = 0; k < t->n; k++) {
        if (!(mask >> k & 1)) continue;
        s.columns[s.n] = w->new_number[t->columns[k]];
        s.cells *= w->used.columns[s.columns[s.n++]].card - 1;
    }
    return s;
}

static void collect_sets(workload *w)
{
    size_t capacity = 0;
    for (size_t i = 0; i < w->count; i++) {
        for (uint32_t mask = 1; mask < 1u << w->tables[i].n; mask++) {
            w->sets = su_grow(w->sets, &capacity, w->set_count + 1, sizeof *w->sets);
            w->sets[w->set_count++] = subset_of(w, &w->tables[i], mask);
        }
    }
    if (w->set_count) qsort(w->sets, w->set_count, sizeof *w->sets, by_columns);
    size_t kept = 0;
    for (size_t i = 0; i < w->set_count; i++) {
        if (i && by_columns(&w->sets[i], &w->sets[kept - 1]) == 0) continue;
        w->sets[kept++] = w->sets[i];
    }
    w->set_count = kept;
    for (size_t i = 0; i < kept; i++) w->sets[i].present = su_alloc_array(w->sets[i].cells, sizeof(int64_t));
}

/* Combinations come in the order of the sets: the place only moves forward. */
static void take(void *arg, const su_combination *c)
{
    workload *w = arg;
    column_set key = { .n = c->length };
    for (uint32_t k = 0; k < c->length; k++) key.columns[k] = c->at[k].column;
    int order = 1;
    while (w->at < w->set_count && (order = by_columns(&w->sets[w->at], &key)) < 0) w->at++;
    if (order != 0) return;
    size_t cell = 0;
    for (uint32_t k = 0; k < c->length; k++) cell = cell * (w->used.columns[key.columns[k]].card - 1) + c->at[k].value - 1;
    w->sets[w->at].present[cell] += (int64_t)c->count;
}

/* ---- from sets to tables ---- */

/* Writes the counts of one subset where the other coordinates are 0. */
static void place(const column_set *s, const su_contingency_request *t, uint32_t mask, const size_t *stride, const uint32_t *card,
                  int64_t *out)
{
    uint32_t axis[SU_MAX_LENGTH], value[SU_MAX_LENGTH] = { 0 }, n = 0;
    size_t at = 0;
    for (uint32_t k = 0; k < t->n; k++) {
        if (!(mask >> k & 1)) continue;
        axis[n++] = k;
        at += stride[k];
    }
    for (size_t i = 0; i < s->cells; i++) {
        out[at] = s->present[i];
        for (uint32_t k = n; k-- > 0;) { /* next cell: the last coordinate first */
            at += stride[axis[k]];
            if (++value[k] < card[axis[k]] - 1) break;
            at -= value[k] * stride[axis[k]];
            value[k] = 0;
        }
    }
}

/* Until now coordinate 0 of this axis means "any": take away the present values, and it means "absent". */
static void subtract_present(int64_t *out, size_t cells, size_t stride, uint32_t card)
{
    for (size_t block = 0; block < cells; block += stride * card) {
        for (uint32_t v = 1; v < card; v++) {
            for (size_t i = 0; i < stride; i++) out[block + i] -= out[block + v * stride + i];
        }
    }
}

static void assemble(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const workload *w = arg;
    const su_contingency_request *t = &w->tables[index];
    size_t stride[SU_MAX_LENGTH], cells = 1;
    uint32_t card[SU_MAX_LENGTH];
    for (uint32_t k = t->n; k-- > 0;) {
        card[k] = w->m->columns[t->columns[k]].card;
        stride[k] = cells;
        cells *= card[k];
    }
    t->out[0] = (int64_t)w->m->row_count;
    for (uint32_t mask = 1; mask < 1u << t->n; mask++) {
        column_set key = subset_of(w, t, mask);
        const column_set *s = bsearch(&key, w->sets, w->set_count, sizeof *w->sets, by_columns);
        if (s) place(s, t, mask, stride, card, t->out);
    }
    for (uint32_t k = 0; k < t->n; k++) subtract_present(t->out, cells, stride[k], card[k]);
}

static void count_directly(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const workload *w = arg;
    if (!su_cancelled(w->ctx)) su_contingency(w->m, w->tables[index].columns, w->tables[index].n, w->tables[index].out);
}

/* ---- the choice ---- */

/* Increments of su_count_combinations up to `length`, from some of the rows where there are many: it is for a choice between two ways to
 * the same numbers. */
static double combination_increments(const su_code_matrix *m, uint32_t length)
{
    uint32_t filled[STRETCH];
    uint16_t room[STRETCH];
    uint64_t *rows_with = su_alloc_array((size_t)m->column_count + 1, sizeof *rows_with);
    const uint64_t step = m->row_count / STRETCH < SAMPLED ? 1 : m->row_count / STRETCH / SAMPLED;
    uint64_t seen = 0;
    for (uint64_t from = 0; from < m->row_count; from += step * STRETCH) {
        size_t rows = m->row_count - from < STRETCH ? (size_t)(m->row_count - from) : STRETCH;
        seen += rows;
        memset(filled, 0, sizeof filled);
        for (uint32_t c = 0; c < m->column_count; c++) {
            const uint16_t *codes = su_matrix_codes(&m->columns[c], from, rows, room);
            for (size_t r = 0; r < rows; r++) filled[r] += codes[r] != 0;
        }
        for (size_t r = 0; r < rows; r++) rows_with[filled[r]]++;
    }
    double total = 0;
    for (uint32_t w = 0; w <= m->column_count; w++) {
        double choose = 1;
        for (uint32_t k = 1; k <= length && k <= w; k++) total += (double)rows_with[w] * (choose = choose * (w - k + 1) / k);
    }
    free(rows_with);
    return seen ? total * ((double)m->row_count / (double)seen) : 0;
}

/* Measured: a row of a direct table costs 0.8 ns (4 ns beyond three columns), an increment of a combination 2 ns, a cell 3 ns. */
static bool combinations_pay(const workload *w, uint32_t longest)
{
    double direct = 0, cells = 0;
    for (size_t i = 0; i < w->count; i++) {
        double size = 1;
        for (uint32_t k = 0; k < w->tables[i].n; k++) size *= w->m->columns[w->tables[i].columns[k]].card;
        cells += size;
        direct += (double)w->m->row_count * (w->tables[i].n <= 3 ? 0.8 : 4);
    }
    return 2 * combination_increments(&w->used, longest) + 3 * cells < direct;
}

/* Picks the used columns; returns the longest table, or 0 when combinations cannot serve a table. */
static uint32_t pick_columns(workload *w)
{
    uint32_t longest = 0;
    w->new_number = su_alloc_array((size_t)w->m->column_count + 1, sizeof *w->new_number);
    w->used = (su_code_matrix) { .row_count = w->m->row_count };
    w->used.columns = su_alloc_array((size_t)w->m->column_count + 1, sizeof *w->used.columns);
    for (size_t i = 0; i < w->count; i++) {
        if (w->tables[i].n > SU_MAX_LENGTH) return 0;
        if (w->tables[i].n > longest) longest = w->tables[i].n;
        for (uint32_t k = 0; k < w->tables[i].n; k++) {
            if (w->m->columns[w->tables[i].columns[k]].card == 0) return 0;
            w->new_number[w->tables[i].columns[k]] = 1;
        }
    }
    for (uint32_t c = 0; c < w->m->column_count; c++) {
        if (!w->new_number[c]) continue;
        w->new_number[c] = w->used.column_count;
        w->used.columns[w->used.column_count++] = w->m->columns[c];
    }
    return longest;
}

/* Combinations of all rows, block by block of rows: their lists, of some 40 bytes a row, exist for one block only. */
static su_status count_combinations(workload *w, uint32_t longest)
{
    su_status status = SU_OK;
    su_count_options o = { longest, 1 };
    su_context attempt = *w->ctx; /* its refusal is not ours */
    su_code_matrix block = w->used;
    block.columns = su_alloc_array((size_t)w->used.column_count + 1, sizeof *block.columns);
    for (uint64_t from = 0; status == SU_OK && (from == 0 || from < w->used.row_count); from += BLOCK_ROWS) {
        block.row_count = w->used.row_count - from < BLOCK_ROWS ? w->used.row_count - from : BLOCK_ROWS;
        for (uint32_t c = 0; c < block.column_count; c++) {
            block.columns[c] = w->used.columns[c];
            if (block.columns[c].bytes) block.columns[c].bytes += from;
            if (block.columns[c].codes) block.columns[c].codes += from;
        }
        w->at = 0;
        status = su_count_combinations(&attempt, &block, &o, take, w, NULL);
    }
    if (status != SU_OK && status != SU_REFUSED) su_fail(w->ctx, status, "%s", attempt.message);
    free(block.columns);
    return status;
}

su_status su_contingency_many(su_context *ctx, const su_code_matrix *m, const su_contingency_request *tables, size_t count)
{
    workload w = { .ctx = ctx, .m = m, .tables = tables, .count = count };
    su_status status = SU_OK;
    uint32_t longest = pick_columns(&w);
    bool sparse = longest && combinations_pay(&w, longest);
    if (sparse) {
        collect_sets(&w);
        status = count_combinations(&w, longest);
        if (status == SU_OK) su_parallel(ctx, count, assemble, &w);
    }
    if (!sparse || status == SU_REFUSED) { /* too many different values for combinations: any table can be counted directly */
        status = SU_OK;
        su_parallel(ctx, count, count_directly, &w);
        if (su_cancelled(ctx)) status = su_fail(ctx, SU_CANCELLED, "Counting was interrupted.");
    }
    for (size_t i = 0; i < w.set_count; i++) {
        su_wipe(w.sets[i].present, w.sets[i].cells * sizeof(int64_t)); /* case data: counts of small groups */
        free(w.sets[i].present);
    }
    free(w.sets);
    free(w.used.columns);
    free(w.new_number);
    return status;
}
