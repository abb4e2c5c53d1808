#include "lattice.h"

#include <stdlib.h>
#include <string.h>

/* choose[n * WIDTH + k] = C(n, k), saturated. */
#define WIDTH (SU_RELEASE_LENGTH_MAX + 1)

void su_ranking_init(su_ranking *k, uint32_t column_count)
{
    k->column_count = column_count;
    k->choose = su_alloc_array((size_t)column_count + 1, WIDTH * sizeof *k->choose);
    for (uint32_t n = 0; n <= column_count; n++) {
        uint64_t *row = k->choose + (size_t)n * WIDTH, *above = row - WIDTH;
        row[0] = 1;
        for (uint32_t j = 1; n > 0 && j < WIDTH; j++) {
            if (__builtin_add_overflow(above[j], above[j - 1], &row[j])) {
                row[j] = UINT64_MAX;
            }
        }
    }
}

void su_ranking_free(su_ranking *k)
{
    free(k->choose);
    k->choose = NULL;
}

uint64_t su_ranking_count(const su_ranking *k, uint32_t length) { return k->choose[(size_t)k->column_count * WIDTH + length]; }

uint64_t su_ranking_of(const su_ranking *k, const uint32_t *columns, uint32_t length)
{
    uint64_t rank = 0;
    for (uint32_t i = 0; i < length; i++) {
        rank += k->choose[(size_t)columns[i] * WIDTH + i + 1];
    }
    return rank;
}

bool su_subset_next(uint32_t *columns, uint32_t length, uint32_t column_count)
{
    for (uint32_t i = length; i-- > 0;) {
        if (columns[i] + (length - i) < column_count) {
            columns[i]++;
            for (uint32_t j = i + 1; j < length; j++) {
                columns[j] = columns[j - 1] + 1;
            }
            return true;
        }
    }
    return false;
}

uint64_t su_subset_cells(const su_matrix_column *all, const uint32_t *columns, uint32_t length)
{
    uint64_t cells = 1;
    for (uint32_t i = 0; i < length; i++) {
        if (__builtin_mul_overflow(cells, (uint64_t)all[columns[i]].card, &cells)) {
            return UINT64_MAX;
        }
    }
    return cells;
}

static void without(const uint32_t *columns, uint32_t length, uint32_t axis, uint32_t *out)
{
    memcpy(out, columns, axis * sizeof *out);
    memcpy(out + axis, columns + axis + 1, (length - axis - 1) * sizeof *out);
}

/* place[k][rank] becomes 1 for every set of length k inside a measured table. */
static void mark_sets(const su_release *r, const su_ranking *ranking, uint32_t length, uint32_t **place)
{
    for (size_t i = 0; i < r->table_count; i++) {
        const su_release_table *t = &r->tables[i];
        place[t->length][su_ranking_of(ranking, t->columns, t->length)] = 1;
    }
    for (uint32_t k = length; k > 0; k--) {
        uint32_t set[SU_RELEASE_LENGTH_MAX] = { 0, 1, 2, 3 }, smaller[SU_RELEASE_LENGTH_MAX];
        do {
            if (place[k][su_ranking_of(ranking, set, k)]) {
                for (uint32_t axis = 0; axis < k; axis++) {
                    without(set, k, axis, smaller);
                    place[k - 1][su_ranking_of(ranking, smaller, k - 1)] = 1;
                }
            }
        } while (su_subset_next(set, k, r->column_count));
    }
}

/* Numbers the marked sets of length k from l->set_count on; place[k] then holds their index. Parents were numbered before. */
static void number_sets(su_lattice *l, const su_release *r, const su_ranking *ranking, uint32_t k, uint32_t **place)
{
    uint32_t set[SU_RELEASE_LENGTH_MAX] = { 0, 1, 2, 3 }, smaller[SU_RELEASE_LENGTH_MAX];
    l->first[k] = l->set_count;
    do {
        uint64_t rank = su_ranking_of(ranking, set, k);
        if (!place[k][rank]) {
            continue;
        }
        su_subset *s = &l->sets[l->set_count];
        s->length = k;
        s->offset = l->cells;
        s->cells = su_subset_cells(r->columns, set, k);
        for (uint32_t axis = 0; axis < k; axis++) {
            s->columns[axis] = set[axis];
            s->card[axis] = r->columns[set[axis]].card;
            without(set, k, axis, smaller);
            s->parent[axis] = place[k - 1][su_ranking_of(ranking, smaller, k - 1)];
        }
        l->cells += s->cells;
        place[k][rank] = l->set_count++;
    } while (su_subset_next(set, k, r->column_count));
    l->first[k + 1] = l->set_count;
}

static void list_members(su_lattice *l)
{
    l->member_first = su_alloc_array((size_t)l->column_count + 1, sizeof *l->member_first);
    size_t total = 0;
    for (uint32_t s = 0; s < l->set_count; s++) {
        for (uint32_t axis = 0; axis < l->sets[s].length; axis++, total++) {
            l->member_first[l->sets[s].columns[axis] + 1]++;
        }
    }
    for (uint32_t c = 0; c < l->column_count; c++) {
        l->member_first[c + 1] += l->member_first[c];
    }
    l->members = su_alloc_array(total, sizeof *l->members);
    size_t *at = su_alloc_array(l->column_count, sizeof *at);
    memcpy(at, l->member_first, l->column_count * sizeof *at);
    for (uint32_t s = 0; s < l->set_count; s++) {
        for (uint32_t axis = 0; axis < l->sets[s].length; axis++) {
            l->members[at[l->sets[s].columns[axis]]++] = (su_member) { .set = s, .axis = axis };
        }
    }
    free(at);
}

void su_lattice_init(su_lattice *l, const su_release *r)
{
    memset(l, 0, sizeof *l);
    l->column_count = r->column_count;
    for (size_t i = 0; i < r->table_count; i++) {
        l->length = r->tables[i].length > l->length ? r->tables[i].length : l->length;
    }
    su_ranking ranking;
    su_ranking_init(&ranking, r->column_count);
    uint32_t *place[SU_RELEASE_LENGTH_MAX + 1] = { NULL };
    size_t sets = 0;
    for (uint32_t k = 0; k <= l->length; k++) {
        place[k] = su_alloc_array(su_ranking_count(&ranking, k), sizeof *place[k]);
    }
    mark_sets(r, &ranking, l->length, place);
    for (uint32_t k = 0; k <= l->length; k++) {
        for (uint64_t i = 0; i < su_ranking_count(&ranking, k); i++) {
            sets += place[k][i];
        }
    }
    l->sets = su_alloc_array(sets, sizeof *l->sets);
    for (uint32_t k = 0; k <= l->length; k++) {
        number_sets(l, r, &ranking, k, place);
    }
    l->table_set = su_alloc_array(r->table_count, sizeof *l->table_set);
    for (size_t i = 0; i < r->table_count; i++) {
        const su_release_table *t = &r->tables[i];
        l->table_set[i] = place[t->length][su_ranking_of(&ranking, t->columns, t->length)];
    }
    list_members(l);
    for (uint32_t k = 0; k <= l->length; k++) {
        free(place[k]);
    }
    su_ranking_free(&ranking);
}

void su_lattice_free(su_lattice *l)
{
    free(l->sets);
    free(l->table_set);
    free(l->member_first);
    free(l->members);
    memset(l, 0, sizeof *l);
}
