/* Overlap tables in memory: making, merging, fingerprint. Reading them is in read.c. */
#include "mse/overlap.h"

#include <stdlib.h>
#include <string.h>

su_overlaps *su_overlaps_blank(unsigned lists)
{
    su_overlaps *o = su_alloc(sizeof *o);
    o->lists = lists;
    o->cells = (size_t)1 << lists;
    o->names = su_alloc_array(lists + 1, sizeof *o->names);
    o->counts = su_alloc_array(o->cells, sizeof *o->counts);
    o->strata = 1;
    return o;
}

void su_overlaps_free(su_overlaps *o)
{
    if (!o) return;
    for (unsigned i = 0; i < o->lists; i++) free(o->names[i]);
    for (unsigned c = 0; c < o->covariates; c++) {
        for (unsigned v = 0; v < o->covariate_levels[c]; v++) free(o->covariate_values[c][v]);
        free(o->covariate_values[c]);
        free(o->covariate_names[c]);
    }
    for (size_t i = 0; i < o->partials; i++) free(o->partial[i].level);
    free(o->partial);
    su_wipe(o->counts, o->cells * sizeof *o->counts);
    free(o->names), free(o->counts), free(o->covariate_names), free(o->covariate_levels), free(o->covariate_values),
        free(o->stratum_counts);
    free(o);
}

void su_overlaps_seal(su_overlaps *o)
{
    su_buf text = { 0 };
    o->n = 0;
    for (unsigned i = 0; i < o->lists; i++) su_buf_printf(&text, "%s\n", o->names[i]);
    for (size_t w = 0; w < o->cells; w++) {
        o->n += o->counts[w];
        if (o->counts[w]) su_buf_printf(&text, "%zu %lld\n", w, (long long)o->counts[w]);
    }
    for (unsigned c = 0; c < o->covariates; c++) {
        su_buf_printf(&text, "%s", o->covariate_names[c]);
        for (unsigned v = 0; v < o->covariate_levels[c]; v++) su_buf_printf(&text, "\t%s", o->covariate_values[c][v]);
        su_buf_char(&text, '\n');
    }
    for (size_t s = 0; o->covariates && s < o->strata * o->cells; s++)
        if (o->stratum_counts[s]) su_buf_printf(&text, "%zu %lld\n", s, (long long)o->stratum_counts[s]);
    for (size_t i = 0; i < o->partials; i++) {
        su_buf_printf(&text, "partial %u %lld", o->partial[i].cell, (long long)o->partial[i].people);
        for (unsigned c = 0; c < o->covariates; c++) su_buf_printf(&text, " %u", o->partial[i].level[c]);
        su_buf_char(&text, '\n');
    }
    o->fingerprint = su_sha256_of(text.p, text.n);
    su_buf_free(&text);
}

su_status su_overlaps_new(su_context *ctx, unsigned lists, const char *const *names, const int64_t *counts, su_overlaps **out)
{
    *out = NULL;
    if (lists < 1 || lists > SU_MSE_MAX_LISTS)
        return su_fail(ctx, SU_REFUSED, "%u lists; between 1 and %u can be used. Merge lists that belong together.", lists,
                       SU_MSE_MAX_LISTS);
    for (size_t w = 0; w < (size_t)1 << lists; w++)
        if (counts[w] < 0 || (w == 0 && counts[0]))
            return su_fail(ctx, SU_INPUT, "an overlap table has no negative counts and nobody on no list");
    su_overlaps *o = su_overlaps_blank(lists);
    for (unsigned i = 0; i < lists; i++) {
        char letter[2] = { (char)('A' + i), 0 };
        o->names[i] = su_strdup(names ? names[i] : letter);
    }
    memcpy(o->counts, counts, o->cells * sizeof *counts);
    su_overlaps_seal(o);
    *out = o;
    return SU_OK;
}

static void copy_covariates(const su_overlaps *from, su_overlaps *to)
{
    to->covariates = from->covariates;
    to->strata = from->strata;
    if (!from->covariates) return;
    to->covariate_names = su_alloc_array(from->covariates, sizeof *to->covariate_names);
    to->covariate_levels = su_alloc_array(from->covariates, sizeof *to->covariate_levels);
    to->covariate_values = su_alloc_array(from->covariates, sizeof *to->covariate_values);
    for (unsigned c = 0; c < from->covariates; c++) {
        to->covariate_names[c] = su_strdup(from->covariate_names[c]);
        to->covariate_levels[c] = from->covariate_levels[c];
        to->covariate_values[c] = su_alloc_array(from->covariate_levels[c], sizeof **to->covariate_values);
        for (unsigned v = 0; v < from->covariate_levels[c]; v++) to->covariate_values[c][v] = su_strdup(from->covariate_values[c][v]);
    }
    to->stratum_counts = su_alloc_array(to->strata * to->cells, sizeof *to->stratum_counts);
}

void su_overlaps_add_partial(su_overlaps *o, uint32_t cell, const uint32_t *level, int64_t people)
{
    size_t bytes = o->covariates * sizeof *level, capacity = o->partials;
    for (size_t i = 0; i < o->partials; i++) {
        if (o->partial[i].cell != cell || memcmp(o->partial[i].level, level, bytes) != 0) continue;
        o->partial[i].people += people;
        return;
    }
    o->partial = su_grow(o->partial, &capacity, o->partials + 1, sizeof *o->partial);
    su_overlap_partial *x = &o->partial[o->partials++];
    *x = (su_overlap_partial) { .cell = cell, .people = people, .level = su_alloc(bytes) };
    memcpy(x->level, level, bytes);
}

/* Cells of `from` added up in the cells that map says. */
static void fold_cells(const su_overlaps *from, su_overlaps *to, const uint16_t *map)
{
    copy_covariates(from, to);
    for (size_t w = 1; w < from->cells; w++) {
        if (!map[w]) continue;
        to->counts[map[w]] += from->counts[w];
        for (size_t s = 0; from->covariates && s < from->strata; s++)
            to->stratum_counts[s * to->cells + map[w]] += from->stratum_counts[s * from->cells + w];
    }
    for (size_t i = 0; i < from->partials; i++) {
        const su_overlap_partial *x = &from->partial[i];
        if (map[x->cell]) su_overlaps_add_partial(to, map[x->cell], x->level, x->people);
    }
    su_overlaps_seal(to);
}

su_overlaps *su_overlaps_without(const su_overlaps *o, unsigned list)
{
    su_overlaps *out = su_overlaps_blank(o->lists - 1);
    uint16_t *map = su_alloc_array(o->cells, sizeof *map);
    for (unsigned i = 0; i < out->lists; i++) out->names[i] = su_strdup(o->names[i < list ? i : i + 1]);
    for (size_t w = 0; w < o->cells; w++) map[w] = (uint16_t)((w & ((1u << list) - 1)) | (w >> (list + 1)) << list);
    fold_cells(o, out, map);
    free(map);
    return out;
}

su_overlaps *su_overlaps_merged(const su_overlaps *o, unsigned a, unsigned b)
{
    unsigned first = a < b ? a : b, gone = a < b ? b : a;
    su_overlaps *out = su_overlaps_blank(o->lists - 1);
    uint16_t *map = su_alloc_array(o->cells, sizeof *map);
    for (unsigned i = 0; i < out->lists; i++) {
        su_buf name = { 0 };
        su_buf_text(&name, o->names[i < gone ? i : i + 1]);
        if (i == first) su_buf_printf(&name, "+%s", o->names[gone]);
        out->names[i] = su_strdup(name.p);
        su_buf_free(&name);
    }
    for (size_t w = 0; w < o->cells; w++) {
        size_t joined = w >> gone & 1 ? w | (size_t)1 << first : w;
        map[w] = (uint16_t)((joined & ((1u << gone) - 1)) | (joined >> (gone + 1)) << gone);
    }
    fold_cells(o, out, map);
    free(map);
    return out;
}

su_overlaps *su_overlaps_stratum(const su_overlaps *o, size_t stratum)
{
    su_overlaps *out = su_overlaps_blank(o->lists);
    for (unsigned i = 0; i < o->lists; i++) out->names[i] = su_strdup(o->names[i]);
    memcpy(out->counts, o->stratum_counts ? o->stratum_counts + stratum * o->cells : o->counts, o->cells * sizeof *out->counts);
    su_overlaps_seal(out);
    return out;
}
