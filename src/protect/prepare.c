#include "prepare.h"

#include <stdlib.h>
#include <string.h>

static size_t code_size(const su_matrix_column *c) { return c->bytes ? sizeof *c->bytes : sizeof *c->codes; }

/* The column gets codes of its own, `rows` of them. */
static void own_column(su_prepared *p, uint32_t c, void *codes)
{
    su_matrix_column *column = &p->columns[c];
    p->copies[c] = codes;
    if (column->bytes)
        column->bytes = codes;
    else
        column->codes = codes;
}

static void copy_column(su_prepared *p, uint32_t c)
{
    if (p->copies[c]) return;
    const su_matrix_column *column = &p->columns[c];
    size_t size = code_size(column);
    void *copy = su_alloc_array(p->matrix.row_count, size);
    const void *from = column->bytes ? (const void *)column->bytes : (const void *)column->codes;
    if (p->matrix.row_count) memcpy(copy, from, p->matrix.row_count * size);
    own_column(p, c, copy);
}

/* ---- contributions ---- */

/* The rows that stay: in random order everybody's first ones, which is a uniform choice for each person and independent between persons. */
static uint64_t choose_rows(const uint32_t *units, uint32_t rows, uint32_t most, su_random *random, uint32_t *kept)
{
    uint32_t *order = su_alloc_array(rows, sizeof *order), people = 0;
    for (uint32_t i = 0; i < rows; i++) {
        order[i] = i;
        people = units[i] > people ? units[i] : people;
    }
    uint32_t *used = su_alloc_array((size_t)people + 1, sizeof *used);
    bool *stays = su_alloc_array(rows, sizeof *stays);
    for (uint32_t i = rows; i > 0; i--) {
        uint32_t at = (uint32_t)su_random_below(random, i), row = order[at];
        order[at] = order[i - 1];
        if (used[units[row]]++ < most) stays[row] = true;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < rows; i++)
        if (stays[i]) kept[n++] = i;
    su_wipe(used, ((size_t)people + 1) * sizeof *used);
    su_wipe(stays, rows * sizeof *stays);
    free(order);
    free(used);
    free(stays);
    return n;
}

/* Rows that stay, owned: su_alloc_array; *count of them. */
static su_status stay(su_context *ctx, const su_code_matrix *m, uint32_t most, su_random *random, uint32_t **kept, uint64_t *count)
{
    *kept = NULL;
    if (m->row_count > UINT32_MAX)
        return su_fail(ctx, SU_REFUSED, "Records of one person can be told apart in at most %u records.", UINT32_MAX);
    su_random stream;
    su_random_split(random, su_random_u64(random), &stream);
    *kept = su_alloc_array(m->row_count, sizeof **kept);
    *count = choose_rows(m->units, (uint32_t)m->row_count, most, &stream, *kept);
    su_random_wipe(&stream);
    return SU_OK;
}

static su_status bound(su_context *ctx, const su_release *r, const su_code_matrix *m, su_random *random, su_prepared *p)
{
    uint32_t *kept = NULL;
    uint64_t n = 0;
    su_status st = stay(ctx, m, r->options.contribution, random, &kept, &n);
    if (st) return st;
    p->left_out = m->row_count - n;
    for (uint32_t c = 0; p->left_out && c < m->column_count; c++) {
        const su_matrix_column *column = &m->columns[c];
        void *copy = su_alloc_array(n, code_size(column));
        for (uint64_t i = 0; i < n; i++) {
            if (column->bytes)
                ((uint8_t *)copy)[i] = column->bytes[kept[i]];
            else
                ((uint16_t *)copy)[i] = column->codes[kept[i]];
        }
        own_column(p, c, copy);
    }
    p->matrix.row_count = n;
    su_wipe(kept, m->row_count * sizeof *kept);
    free(kept);
    return SU_OK;
}

su_status su_contribution_bound(su_context *ctx, const su_code_matrix *m, uint32_t most, su_random *random, su_code_matrix **out)
{
    uint32_t *kept = NULL;
    uint64_t n = 0;
    *out = NULL;
    if (!m->units || most == 0) return su_fail(ctx, SU_USAGE, "Nothing says which records are one person's, or how many may stay.");
    su_status st = stay(ctx, m, most, random, &kept, &n);
    if (st) return st;
    su_code_matrix *x = su_alloc(sizeof *x);
    *x = (su_code_matrix) { .schema = m->schema, .row_count = n, .column_count = m->column_count };
    su_arena_init(&x->arena);
    x->columns = su_arena_array(&x->arena, m->column_count, sizeof *x->columns);
    for (uint32_t c = 0; c < m->column_count; c++) {
        uint16_t *codes = su_arena_array(&x->arena, n, sizeof *codes);
        for (uint64_t i = 0; i < n; i++) codes[i] = su_matrix_code(&m->columns[c], kept[i]);
        x->columns[c] = m->columns[c];
        x->columns[c].bytes = NULL;
        x->columns[c].name = su_arena_strndup(&x->arena, m->columns[c].name, strlen(m->columns[c].name));
        x->columns[c].codes = codes;
    }
    su_wipe(kept, m->row_count * sizeof *kept);
    free(kept);
    *out = x;
    return SU_OK;
}

/* ---- rules ---- */

static su_status check_codes(su_context *ctx, const su_release *r, const su_code_matrix *m)
{
    if (m->column_count != r->column_count)
        return su_fail(ctx, SU_USAGE, "The data have %u columns, the plan of the release %u. Plan again with the columns of these data.",
                       m->column_count, r->column_count);
    for (uint32_t c = 0; c < m->column_count; c++)
        for (uint64_t i = 0; i < m->row_count; i++)
            if (su_matrix_code(&m->columns[c], i) >= r->columns[c].card)
                return su_fail(ctx, SU_INTERNAL, "Column %s holds a code outside its codelist. Nothing was released; please report this.",
                               r->columns[c].name);
    return SU_OK;
}

/* Records are repaired in words, a stretch of rows at a time; what came from bytes goes back to bytes. */
static uint64_t repair(su_prepared *p, const su_rules *rules)
{
    enum { STRETCH = 4096 };
    uint64_t changed = 0, rows = p->matrix.row_count;
    uint16_t **codes = su_alloc_array(p->matrix.column_count, sizeof *codes);
    for (uint32_t c = 0; c < p->matrix.column_count; c++)
        if (p->copies[c] && p->columns[c].bytes) codes[c] = su_alloc_array(STRETCH, sizeof *codes[c]);
    for (uint64_t from = 0; from < rows; from += STRETCH) {
        uint64_t n = rows - from < STRETCH ? rows - from : STRETCH;
        for (uint32_t c = 0; c < p->matrix.column_count; c++) {
            if (!p->copies[c]) continue;
            if (p->columns[c].bytes)
                su_matrix_codes(&p->columns[c], from, n, codes[c]);
            else
                codes[c] = (uint16_t *)p->copies[c] + from;
        }
        changed += su_rules_repair(rules, codes, n, NULL);
        for (uint32_t c = 0; c < p->matrix.column_count; c++)
            for (uint64_t i = 0; p->copies[c] && p->columns[c].bytes && i < n; i++)
                ((uint8_t *)p->copies[c])[from + i] = (uint8_t)codes[c][i];
    }
    for (uint32_t c = 0; c < p->matrix.column_count; c++) {
        if (!p->copies[c] || !p->columns[c].bytes) continue;
        su_wipe(codes[c], STRETCH * sizeof *codes[c]);
        free(codes[c]);
    }
    free(codes);
    return changed;
}

su_status su_prepare(su_context *ctx, const su_release *r, const su_code_matrix *m, su_random *random, su_prepared *out)
{
    *out = (su_prepared) { .matrix = *m };
    if (r->options.contribution > 1 && !m->units)
        return su_fail(ctx, SU_USAGE,
                       "A person may have %u records here, but nothing says which records are one person's. Name the column.",
                       r->options.contribution);
    if (!m->units && !r->rules) return SU_OK;
    su_status st = check_codes(ctx, r, m);
    if (st) return st;
    out->columns = su_alloc_array(m->column_count, sizeof *out->columns);
    out->copies = su_alloc_array(m->column_count, sizeof *out->copies);
    memcpy(out->columns, m->columns, m->column_count * sizeof *out->columns);
    out->matrix.columns = out->columns;
    out->matrix.units = NULL;
    if (m->units) st = bound(ctx, r, m, random, out);
    if (!st && r->rules) {
        for (size_t i = 0; i < r->rules->step_count; i++) {
            copy_column(out, r->rules->steps[i].a);
            copy_column(out, r->rules->steps[i].b);
        }
        out->repaired = repair(out, r->rules);
    }
    if (out->left_out)
        su_log(ctx, "%llu records of people with more than %u were left out, chosen at random (not for publication)",
               (unsigned long long)out->left_out, r->options.contribution);
    if (out->repaired)
        su_log(ctx, "%llu records break a rule of the schema; they are counted as the rules say (not for publication)",
               (unsigned long long)out->repaired);
    if (st) su_prepared_free(out);
    return st;
}

void su_prepared_free(su_prepared *p)
{
    for (uint32_t c = 0; p->copies && c < p->matrix.column_count; c++) {
        if (p->copies[c]) su_wipe(p->copies[c], p->matrix.row_count * code_size(&p->columns[c]));
        free(p->copies[c]);
    }
    free(p->copies);
    free(p->columns);
    *p = (su_prepared) { 0 };
}

/* ---- what comes out ---- */

/* shown[column][code]: some record holds it, or filling in is not wanted at all. */
static uint8_t **shown_codes(const su_release *r)
{
    uint8_t **shown = su_alloc_array(r->column_count, sizeof *shown);
    bool fill = su_mechanism_bound(r->options.mechanism);
    for (uint32_t c = 0; c < r->column_count; c++) {
        shown[c] = su_alloc(r->columns[c].card);
        for (uint64_t i = 0; fill && i < r->record_count; i++) shown[c][r->records[c][i]] = 1;
    }
    return shown;
}

static bool possible(const su_release *r, const su_aggregate *a)
{
    for (uint32_t i = 0; i < a->length; i++)
        for (uint32_t k = i + 1; k < a->length; k++)
            if (!su_rules_allow(r->rules, a->at[i].column, a->at[i].value, a->at[k].column, a->at[k].value)) return false;
    return true;
}

void su_obey_rules(su_release *r)
{
    if (!r->rules) return;
    size_t kept = 0;
    for (size_t i = 0; i < r->aggregate_count; i++)
        if (possible(r, &r->aggregates[i])) r->aggregates[kept++] = r->aggregates[i];
    r->aggregate_count = kept;
    if (r->record_count == 0) return;
    uint8_t **shown = shown_codes(r);
    su_rules_repair(r->rules, r->records, r->record_count, (const uint8_t *const *)shown);
    for (uint32_t c = 0; c < r->column_count; c++) free(shown[c]);
    free(shown);
}
