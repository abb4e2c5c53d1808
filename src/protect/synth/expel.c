#include "expel.h"

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

uint64_t su_expel_pairs(su_release *r, const su_lattice *l, const uint32_t *count)
{
    pairs p;
    uint64_t taken = 0;
    pairs_init(&p, r, l, count);
    uint16_t *code = su_alloc_array(r->column_count, sizeof *code);
    uint32_t *bad = su_alloc_array(r->column_count, sizeof *bad);
    for (uint64_t i = 0; i < r->record_count; i++) {
        for (uint32_t c = 0; c < r->column_count; c++) {
            code[c] = r->records[c][i];
        }
        for (uint32_t at; (at = worst(&p, code, bad)) < p.columns; taken++) {
            code[at] = r->records[at][i] = 0;
        }
    }
    free(code);
    free(bad);
    pairs_free(&p);
    return taken;
}
