#include "expel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct pairs {
    uint32_t columns;
    const uint32_t **count; /* [a * columns + b], a < b: the table's cells, NULL where the lattice has none */
    const uint32_t **single;
    const uint32_t *card;
} pairs;

static void pairs_init(pairs *p, const su_release *r, const su_lattice *l, const uint32_t *count)
{
    uint32_t *card = su_alloc_array(r->column_count, sizeof *card);
    p->columns = r->column_count;
    p->count = su_alloc_array((size_t)r->column_count * r->column_count, sizeof *p->count);
    p->single = su_alloc_array(r->column_count, sizeof *p->single);
    for (uint32_t c = 0; c < r->column_count; c++) {
        card[c] = r->columns[c].card;
    }
    p->card = card;
    for (uint32_t i = l->first[1]; i < l->first[2]; i++) {
        p->single[l->sets[i].columns[0]] = count + l->sets[i].offset;
    }
    for (uint32_t i = l->first[2]; l->length >= 2 && i < l->first[3]; i++) {
        const su_subset *s = &l->sets[i];
        p->count[(size_t)s->columns[0] * p->columns + s->columns[1]] = count + s->offset;
    }
}

static void pairs_free(pairs *p)
{
    free(p->count);
    free(p->single);
    free((void *)p->card);
}

static bool allowed(const pairs *p, const uint16_t *code, uint32_t a, uint32_t b)
{
    const uint32_t *table = p->count[(size_t)a * p->columns + b];
    return !table || code[a] == 0 || code[b] == 0 || table[(size_t)code[a] * p->card[b] + code[b]] > 0;
}

/* The column to empty; p->columns when the record holds no pair that is not reported. */
static uint32_t worst(const pairs *p, const uint16_t *code, uint32_t *bad)
{
    memset(bad, 0, p->columns * sizeof *bad);
    for (uint32_t a = 0; a < p->columns; a++) {
        for (uint32_t b = a + 1; code[a] && b < p->columns; b++) {
            if (!allowed(p, code, a, b)) {
                bad[a]++;
                bad[b]++;
            }
        }
    }
    uint32_t at = p->columns, most = 0, people = 0;
    for (uint32_t c = 0; c < p->columns; c++) {
        uint32_t have = bad[c] && p->single[c] ? p->single[c][code[c]] : 0;
        if (bad[c] > most || (bad[c] == most && most > 0 && have > people)) {
            at = c;
            most = bad[c];
            people = have;
        }
    }
    return at;
}

typedef struct place {
    uint64_t record;
    uint32_t column;
} place;

typedef struct losses {
    place *places;
    size_t n, capacity;
    uint32_t **gone; /* [column][code]: records that lost it and nobody got it yet */
} losses;

static void expel_record(const pairs *p, su_release *r, uint64_t i, uint16_t *code, uint32_t *bad, losses *out)
{
    for (uint32_t c = 0; c < r->column_count; c++) {
        code[c] = r->records[c][i];
    }
    for (uint32_t at; (at = worst(p, code, bad)) < p->columns;) {
        out->places = su_grow(out->places, &out->capacity, out->n + 1, sizeof *out->places);
        out->places[out->n++] = (place) { i, at };
        out->gone[at][code[at]]++;
        code[at] = r->records[at][i] = 0;
    }
}

/* ---- values given to others ----------------------------------------------------------------------------------------------- */

typedef struct refill {
    su_release *r;
    const su_lattice *l;
    const uint32_t *count;
    losses *lost;
    uint32_t *now; /* records per cell of pairs */
    size_t from;   /* the first of these cells in the lattice */
    double *gain;  /* per code of a column; -INFINITY: forbidden */
} refill;

/* The cell of the set where the record falls, were the code of `axis` 0, and the step of that axis; false when another column is absent. */
static bool find(const refill *f, const su_subset *s, uint32_t axis, uint64_t record, size_t *cell, size_t *step)
{
    *cell = 0;
    *step = 1;
    for (uint32_t k = 0; k < s->length; k++) {
        uint16_t code = k == axis ? 0 : f->r->records[s->columns[k]][record];
        if (k != axis && code == 0) {
            return false;
        }
        *cell = *cell * s->card[k] + code;
        *step = k > axis ? *step * s->card[k] : 1;
    }
    *cell += s->offset;
    return true;
}

/* The set's part in the gains of the record, should it get a code that was lost. */
static void judge(refill *f, const su_subset *s, uint32_t axis, uint64_t record)
{
    size_t cell, step;
    const uint32_t *gone = f->lost->gone[s->columns[axis]];
    if (s->length < 2 || !find(f, s, axis, record, &cell, &step)) {
        return;
    }
    for (uint32_t v = 1; v < s->card[axis]; v++) {
        size_t at = cell + v * step;
        if (gone[v] > 0 && f->count[at] == 0) {
            f->gain[v] = -INFINITY;
        } else if (gone[v] > 0 && s->length == 2) {
            f->gain[v] += 2 * ((double)f->count[at] - f->now[at - f->from]) - 1;
        }
    }
}

/* Gives the record the code that does most good, if any may stand there. */
static void give(refill *f, place to)
{
    const su_lattice *l = f->l;
    uint32_t column = to.column, best = 0, card = f->r->columns[column].card;
    for (uint32_t v = 1; v < card; v++) {
        f->gain[v] = f->lost->gone[column][v] ? 2.0 * f->lost->gone[column][v] - 1 : -INFINITY;
    }
    for (size_t m = l->member_first[column]; m < l->member_first[column + 1]; m++) {
        judge(f, &l->sets[l->members[m].set], l->members[m].axis, to.record);
    }
    f->gain[0] = -INFINITY;
    for (uint32_t v = 1; v < card; v++) {
        best = f->gain[v] > f->gain[best] ? v : best;
    }
    if (best == 0) {
        return;
    }
    for (size_t m = l->member_first[column]; m < l->member_first[column + 1]; m++) {
        size_t cell, step;
        const su_subset *s = &l->sets[l->members[m].set];
        if (s->length == 2 && find(f, s, l->members[m].axis, to.record, &cell, &step)) {
            f->now[cell + best * step - f->from]++;
        }
    }
    f->r->records[column][to.record] = (uint16_t)best;
    f->lost->gone[column][best]--;
}

static void count_pairs(refill *f)
{
    const su_lattice *l = f->l;
    const su_subset *last = &l->sets[l->first[3] - 1];
    f->from = l->sets[l->first[2]].offset;
    f->now = su_alloc_array(last->offset + last->cells - f->from, sizeof *f->now);
    for (uint32_t i = l->first[2]; i < l->first[3]; i++) {
        const su_subset *s = &l->sets[i];
        const uint16_t *a = f->r->records[s->columns[0]], *b = f->r->records[s->columns[1]];
        uint32_t *now = f->now + (s->offset - f->from);
        for (uint64_t k = 0; k < f->r->record_count; k++) {
            now[(size_t)a[k] * s->card[1] + b[k]]++;
        }
    }
}

static void refill_all(su_release *r, const su_lattice *l, const uint32_t *count, losses *lost)
{
    uint32_t widest = 1;
    refill f = { r, l, count, lost, NULL, 0, NULL };
    for (uint32_t c = 0; c < r->column_count; c++) {
        widest = r->columns[c].card > widest ? r->columns[c].card : widest;
    }
    f.gain = su_alloc_array(widest, sizeof *f.gain);
    count_pairs(&f);
    for (size_t i = 0; i < lost->n; i++) {
        give(&f, lost->places[i]);
    }
    free(f.now);
    free(f.gain);
}

uint64_t su_expel_pairs(su_release *r, const su_lattice *l, const uint32_t *count)
{
    pairs p;
    losses lost = { 0 };
    pairs_init(&p, r, l, count);
    lost.gone = su_alloc_array(r->column_count, sizeof *lost.gone);
    for (uint32_t c = 0; c < r->column_count; c++) {
        lost.gone[c] = su_alloc_array(r->columns[c].card, sizeof **lost.gone);
    }
    uint16_t *code = su_alloc_array(r->column_count, sizeof *code);
    uint32_t *bad = su_alloc_array(r->column_count, sizeof *bad);
    for (uint64_t i = 0; i < r->record_count; i++) {
        expel_record(&p, r, i, code, bad, &lost);
    }
    uint64_t taken = lost.n;
    if (lost.n > 0) {
        refill_all(r, l, count, &lost);
    }
    for (uint32_t c = 0; c < r->column_count; c++) {
        free(lost.gone[c]);
    }
    free(lost.gone);
    free(lost.places);
    free(code);
    free(bad);
    pairs_free(&p);
    return taken;
}
