#include "block.h"

#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <math.h>

typedef struct search { const su_synthesis *p; su_random *random; uint16_t *records; uint32_t *order; su_synth_block block; bool *placed; int64_t *excess; float penalty, lambda, temp; } search;

static void shuffle(su_random *r, uint32_t *a, uint64_t n) { for (uint64_t i = n; i > 1; i--) { uint64_t j = su_random_below(r, i); uint32_t t = a[i-1]; a[i-1]=a[j]; a[j]=t; } }

static uint64_t pass(search *s, uint32_t j, bool first, uint64_t limit)
{
    const su_synthesis *p = s->p; uint32_t d = p->column_count, card = p->card[j]; su_synth_block *b = &s->block;
    su_synth_block_build(b, p, j, s->placed, s->penalty);
    for (uint32_t v = 0; v < card; v++) s->excess[v] = -p->one_way[j][v];
    if (!first) for (uint64_t r = 0; r < p->record_count; r++) { uint16_t *x = s->records + r*d; su_synth_block_locate(b, x); su_synth_block_add(b, x[j], 1); s->excess[x[j]]++; }
    shuffle(s->random, s->order, p->record_count);
    uint64_t moved = 0; float lam = s->lambda * b->total_weight, W = b->total_weight + lam;
    for (uint64_t i = 0; i < limit; i++) {
        uint16_t *x = s->records + (uint64_t)s->order[i]*d;
        su_synth_block_locate(b, x);
        const float *f = su_synth_block_sum(b);
        uint32_t best = first ? UINT32_MAX : x[j], cur = x[j]; float gain = first ? INFINITY : f[cur] + lam * (float)s->excess[cur] - W;
        if (s->temp > 0 && !first) { gain += 0; }
        for (uint32_t v = 0; v < card; v++) { if (!first && v == cur) continue; if (first && s->excess[v] >= 0) continue; float g = f[v] + lam * (float)s->excess[v];
            if (s->temp > 0) g -= s->temp * b->total_weight * -logf(((float)(su_random_u64(s->random) >> 40) + 0.5f) * 0x1p-24f);
            if (g < gain) { gain = g; best = v; } }
        if (best == cur && !first) continue;
        if (!first) { su_synth_block_add(b, cur, -1); s->excess[cur]--; }
        su_synth_block_add(b, best, 1); s->excess[best]++; x[j] = (uint16_t)best; moved++;
    }
    return moved;
}

su_status su_synthesise(su_context *ctx, const su_synthesis *p, su_random *random, uint16_t **records)
{
    uint32_t d = p->column_count; uint64_t n = p->record_count; (void)ctx;
    search s = {.p = p, .random = random};
    s.records = su_alloc_array(n * d, 2); s.order = su_alloc_array(n, 4); s.placed = su_alloc_array(d, 1); s.excess = su_alloc_array(70000, 8);
    for (uint64_t i = 0; i < n; i++) s.order[i] = (uint32_t)i;
    s.penalty = getenv("PEN") ? atof(getenv("PEN")) : 5; s.lambda = getenv("LAM") ? atof(getenv("LAM")) : 1; int sweeps = getenv("SW") ? atoi(getenv("SW")) : 8;
    float temp0 = getenv("TEMP") ? atof(getenv("TEMP")) : 0;
    uint32_t *cols = su_alloc_array(d, 4); for (uint32_t j = 0; j < d; j++) cols[j] = j;
    for (uint32_t i = 0; i < d; i++) for (uint32_t k = i + 1; k < d; k++) if (p->card[cols[k]] > p->card[cols[i]]) { uint32_t t = cols[i]; cols[i] = cols[k]; cols[k] = t; }
    double t0 = su_clock_cpu();
    for (uint32_t i = 0; i < d; i++) { pass(&s, cols[i], true, n); s.placed[cols[i]] = true; }
    fprintf(stderr, "start %.2f s\n", su_clock_cpu() - t0);
    for (int w = 0; w < sweeps; w++) { uint64_t moved = 0; shuffle(random, cols, d); s.temp = w < sweeps - 2 ? temp0 * (1 - (float)w / (sweeps-2)) : 0;
        for (uint32_t i = 0; i < d; i++) moved += pass(&s, cols[i], false, n);
        fprintf(stderr, "sweep %d moved %llu %.2f s\n", w, (unsigned long long)moved, su_clock_cpu() - t0); }
    float keep = s.lambda; s.temp = 0;
    for (float l = 4; l < 1e5; l *= 8) { s.lambda = l * keep; uint64_t off = 0; for (uint32_t i = 0; i < d; i++) { int64_t *c = calloc(p->card[cols[i]], 8); for (uint64_t r = 0; r < n; r++) c[s.records[r*d+cols[i]]]++; int bad = 0; for (uint32_t v = 0; v < p->card[cols[i]]; v++) bad += c[v] != p->one_way[cols[i]][v]; free(c); if (bad) { pass(&s, cols[i], false, n); off++; } } if (!off) break; fprintf(stderr, "repair %g: %llu cols\n", l, (unsigned long long)off); }
    for (uint32_t j = 0; j < d; j++) for (uint64_t r = 0; r < n; r++) records[j][r] = s.records[r*d+j];
    su_synth_block_free(&s.block); free(s.records); free(s.order); free(s.placed); free(s.excess); free(cols);
    return SU_OK;
}
