/* The definitions of Synthetic Data Showcase 1.9 (packages/core, evaluator and aggregator) beside honest ones; docs/methods/evaluation.md
 * has the formulas. */
#include "collect.h"

#include <math.h>
#include <string.h>

/* First bin of (0,10], (10,20], (20,40], ... that holds the count; 0 goes to the first. */
static size_t bin_of(uint64_t count)
{
    size_t i = 0;
    for (uint64_t most = 10; most < count && i + 1 < SU_UTILITY_BINS; most = most > UINT64_MAX / 2 ? UINT64_MAX : most * 2) i++;
    return i;
}

static void bin_bounds(size_t i, uint64_t *above, uint64_t *most)
{
    *above = 0;
    *most = 10;
    for (; i > 0; i--) {
        *above = *most;
        *most = *most > UINT64_MAX / 2 ? UINT64_MAX : *most * 2;
    }
}

/* ---- ten largest ------------------------------------------------------------------------------------------------------------------ */

static void top_add(su_top *t, uint64_t count, size_t cell)
{
    size_t at = t->n;
    while (at > 0 && t->count[at - 1] < count) at--;
    if (at == SU_UTILITY_TOP) return;
    size_t tail = (t->n < SU_UTILITY_TOP ? t->n : SU_UTILITY_TOP - 1) - at;
    memmove(t->count + at + 1, t->count + at, tail * sizeof *t->count);
    memmove(t->cell + at + 1, t->cell + at, tail * sizeof *t->cell);
    t->count[at] = count;
    t->cell[at] = cell;
    if (t->n < SU_UTILITY_TOP) t->n++;
}

static void table_end(su_collector *c)
{
    if (c->true_cells && c->table_length <= 2) {
        size_t common = 0, of = c->true_cells < SU_UTILITY_TOP ? c->true_cells : SU_UTILITY_TOP;
        for (size_t i = 0; i < c->top_true.n; i++)
            for (size_t j = 0; j < c->top_released.n; j++) common += c->top_true.cell[i] == c->top_released.cell[j];
        c->agreement[c->table_length] += (double)common / (double)of;
        c->tables[c->table_length]++;
    }
    c->cells = c->true_cells = 0;
    c->top_true.n = c->top_released.n = 0;
}

static void table_meet(su_collector *c, const su_meeting *m)
{
    bool same = c->table_length == m->length;
    for (uint32_t k = 0; same && k < m->length; k++) same = c->table[k].column == m->at[k].column;
    if (!same) {
        table_end(c);
        c->table_length = m->length;
        memcpy(c->table, m->at, m->length * sizeof *m->at);
    }
    if (m->truly) top_add(&c->top_true, m->truly, c->cells);
    if (m->released) top_add(&c->top_released, m->released, c->cells);
    c->true_cells += m->truly > 0;
    c->cells++;
}

/* ---- one combination -------------------------------------------------------------------------------------------------------------- */

static void bucket_add(su_bucket *b, const su_meeting *m)
{
    double truly = (double)m->truly, released = (double)m->released;
    b->n++;
    b->length_sum += m->length;
    b->count_sum += m->released;
    b->preservation_sum += m->truly ? fmin(released / truly, 1) : 0;
    b->error_sum += m->truly ? fabs(released - truly) / truly : 1;
}

void su_collect(void *arg, const su_meeting *m)
{
    su_collector *c = arg;
    su_tally_meet(&c->tallies, m);
    if (!m->truly && !m->released) return;
    table_meet(c, m);
    if (m->released > c->largest) c->largest = m->released;
    c->true_sum[m->length] += (double)m->truly;
    c->released_sum[m->length] += (double)m->released;
    c->leaked[m->length] += m->truly && m->truly < c->k && m->released && m->released < c->k;
    if (m->truly >= c->k || m->released) {
        bucket_add(&c->by_count[bin_of(m->released)], m);
        bucket_add(&c->by_length[m->length], m);
    }
    size_t band = m->truly ? 1 + bin_of(m->truly) : 0;
    if (band >= SU_UTILITY_BINS) band = SU_UTILITY_BINS - 1;
    if (band >= c->bands) c->bands = band + 1;
    c->band[band].n++;
    c->band[band].missing += m->released == 0;
    c->band[band].error += fabs((double)m->truly - (double)m->released);
}

/* ---- summary ---------------------------------------------------------------------------------------------------------------------- */

static double share(double part, double whole) { return whole > 0 ? part / whole : NAN; }

static su_preservation preservation(const su_bucket *b)
{
    su_preservation p = { .n = b->n };
    if (b->n == 0) return p;
    p.mean_count = (double)b->count_sum / (double)b->n;
    p.mean_length = (double)b->length_sum / (double)b->n;
    p.preservation = b->preservation_sum / (double)b->n;
    p.proportional_error = b->error_sum / (double)b->n;
    return p;
}

static void add_all(su_collector *c, uint32_t length)
{
    su_bucket *all = &c->by_length[0];
    for (uint32_t l = 1; l <= length; l++) {
        const su_bucket *b = &c->by_length[l];
        c->leaked[0] += c->leaked[l];
        c->true_sum[0] += c->true_sum[l];
        c->released_sum[0] += c->released_sum[l];
        all->n += b->n;
        all->length_sum += b->length_sum;
        all->count_sum += b->count_sum;
        all->preservation_sum += b->preservation_sum;
        all->error_sum += b->error_sum;
    }
}

void su_collect_finish(su_collector *c, uint32_t length, su_evaluation_level *basic, su_utility_side *out)
{
    table_end(c);
    add_all(c, length);
    su_tallies_summarise(&c->tallies, length, basic);
    for (uint32_t l = 0; l <= length; l++) {
        const su_tally *t = &c->tallies.level[l];
        out->level[l] = (su_utility_level) { .leaked = c->leaked[l],
                                             .leakage = share((double)c->leaked[l], (double)t->truly),
                                             .fabricated_of_released = share((double)(t->released - t->common), (double)t->released),
                                             .mean_count_true = share(c->true_sum[l], (double)t->truly),
                                             .mean_count_released = share(c->released_sum[l], (double)t->released),
                                             .preservation = preservation(&c->by_length[l]),
                                             .top_agreement = NAN };
        if (l != 1 && l != 2) continue;
        out->level[l].top_tables = c->tables[l];
        out->level[l].top_agreement = share(c->agreement[l], (double)c->tables[l]);
    }
    out->bin_count = bin_of(c->largest) + 1;
    double loss = 0;
    for (size_t i = 0; i < out->bin_count; i++) {
        out->by_count[i] = preservation(&c->by_count[i]);
        bin_bounds(i, &out->by_count[i].above, &out->by_count[i].most);
        loss += c->by_count[i].n ? 1 - out->by_count[i].preservation : 0;
    }
    out->combination_loss = loss / (double)out->bin_count;
    out->band_count = c->bands;
    for (size_t i = 0; i < c->bands; i++) {
        su_utility_band *b = &out->band[i];
        b->n = c->band[i].n;
        b->error_union = share(c->band[i].error, (double)b->n);
        b->suppressed = i ? share((double)c->band[i].missing, (double)b->n) : NAN;
        if (i) bin_bounds(i - 1, &b->above, &b->most);
    }
}
