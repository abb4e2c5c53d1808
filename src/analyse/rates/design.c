/* Building a design: names of strata and units become numbers, checked on the way. */
#include "rates/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- pairs of numbers to dense numbers ---- */

typedef struct pair_map {
    uint32_t *direct; /* a * second + b */
    uint64_t *keys;   /* open addressing, where the direct table would be too large */
    uint32_t *values;
    uint64_t mask;
    uint64_t second;
    uint32_t count;
} pair_map;

static void pair_map_init(pair_map *m, uint64_t a, uint64_t b, uint64_t rows)
{
    *m = (pair_map) { .second = b };
    if (a * b <= (UINT64_C(1) << 22)) {
        m->direct = su_alloc_array((size_t)(a * b) + 1, sizeof *m->direct);
        return;
    }
    uint64_t most = a * b < rows ? a * b : rows, size = 64;
    while (size < 2 * most) size *= 2;
    m->mask = size - 1;
    m->keys = su_alloc_array((size_t)size, sizeof *m->keys);
    m->values = su_alloc_array((size_t)size, sizeof *m->values);
}

static uint32_t pair_map_of(pair_map *m, uint64_t a, uint64_t b)
{
    uint64_t key = a * m->second + b;
    if (m->direct) {
        if (!m->direct[key]) m->direct[key] = ++m->count;
        return m->direct[key] - 1;
    }
    uint64_t at = (key * UINT64_C(0x9E3779B97F4A7C15)) >> 20 & m->mask;
    while (m->values[at] && m->keys[at] != key) at = (at + 1) & m->mask;
    if (!m->values[at]) {
        m->keys[at] = key;
        m->values[at] = ++m->count;
    }
    return m->values[at] - 1;
}

static void pair_map_free(pair_map *m)
{
    free(m->direct);
    free(m->keys);
    free(m->values);
}

/* ---- one stage -------------------------------------------------------------------------------------------------------------- */

typedef struct builder {
    su_context *ctx;
    su_frame *frame;
    const su_design_options *options;
    su_design *d;
} builder;

static su_status missing_in(builder *b, const su_variable *v, const char *what, uint64_t row)
{
    return su_fail(b->ctx, SU_INPUT, "row %llu has no %s (column '%s'): every row needs one, also rows outside the groups you look at",
                   (unsigned long long)row + 1, what, v->name);
}

static su_status levels_of(builder *b, const su_variable *v, const char *what, const su_variable **out)
{
    su_status st = su_frame_as_factor(b->ctx, b->frame, v, out);
    for (uint64_t r = 0; !st && r < b->frame->rows; r++)
        if (!su_frame_level(*out, r)) st = missing_in(b, v, what, r);
    return st;
}

/* Strata of this stage: (unit of the stage before, level). */
static su_status number_strata(builder *b, unsigned s, const uint32_t *above, uint32_t above_count, uint32_t *stratum, su_stage *stage)
{
    const su_variable *v = NULL;
    uint64_t rows = b->frame->rows;
    if (b->options->strata[s]) {
        su_status st = levels_of(b, b->options->strata[s], "stratum", &v);
        if (st) return st;
        if (s == 0) b->d->strata = v;
    }
    pair_map map;
    pair_map_init(&map, above_count, v ? v->level_count + 1 : 1, rows);
    for (uint64_t r = 0; r < rows; r++) stratum[r] = pair_map_of(&map, above ? above[r] : 0, v ? su_frame_level(v, r) : 0);
    stage->strata = map.count;
    pair_map_free(&map);
    stage->row = su_arena_array(&b->d->arena, stage->strata, sizeof *stage->row);
    if (s > 0) stage->parent = su_arena_array(&b->d->arena, stage->strata, sizeof *stage->parent);
    for (uint64_t r = rows; r-- > 0;) {
        stage->row[stratum[r]] = r;
        if (s > 0) stage->parent[stratum[r]] = above[r];
    }
    return SU_OK;
}

static su_status two_strata(builder *b, const su_variable *psu, uint32_t level, uint64_t row, uint64_t other)
{
    const su_variable *v = b->d->strata;
    return su_fail(
        b->ctx, SU_INPUT,
        "unit '%s' of '%s' is in stratum '%s' (row %llu) and in stratum '%s' (row %llu); a primary sampling unit lies in one stratum. "
        "If the numbers start again in every stratum, say --nest",
        psu->levels[level - 1], psu->name, v->levels[su_frame_level(v, other) - 1], (unsigned long long)other + 1,
        v->levels[su_frame_level(v, row) - 1], (unsigned long long)row + 1);
}

static su_status check_nesting(builder *b, const su_variable *psu, const uint32_t *stratum)
{
    if (!b->d->strata || b->options->nest) return SU_OK;
    su_status st = SU_OK;
    uint64_t *seen = su_alloc_array(psu->level_count + 1, sizeof *seen); /* first row of the unit, 1-based */
    for (uint64_t r = 0; !st && r < b->frame->rows; r++) {
        uint32_t level = su_frame_level(psu, r);
        if (!seen[level])
            seen[level] = r + 1;
        else if (stratum[seen[level] - 1] != stratum[r])
            st = two_strata(b, psu, level, r, seen[level] - 1);
    }
    free(seen);
    return st;
}

/* Units, numbered so that those of a stratum are neighbours. */
static su_status number_units(builder *b, unsigned s, const uint32_t *stratum, uint32_t *unit, su_stage *stage)
{
    const su_variable *v = NULL;
    uint64_t rows = b->frame->rows;
    stage->first = su_arena_array(&b->d->arena, (size_t)stage->strata + 1, sizeof *stage->first);
    if (!b->options->psu[s]) {
        stage->units = (uint32_t)rows;
        for (uint64_t r = 0; r < rows; r++) stage->first[stratum[r] + 1]++;
        for (uint32_t h = 0; h < stage->strata; h++) stage->first[h + 1] += stage->first[h];
        uint32_t *next = su_alloc_array(stage->strata, sizeof *next);
        memcpy(next, stage->first, stage->strata * sizeof *next);
        for (uint64_t r = 0; r < rows; r++) unit[r] = next[stratum[r]]++;
        free(next);
        return SU_OK;
    }
    su_status st = levels_of(b, b->options->psu[s], s ? "sampling unit of a later stage" : "primary sampling unit", &v);
    if (!st && s == 0) st = check_nesting(b, v, stratum);
    if (st) return st;
    pair_map map;
    pair_map_init(&map, stage->strata, (uint64_t)v->level_count + 1, rows);
    for (uint64_t r = 0; r < rows; r++) unit[r] = pair_map_of(&map, stratum[r], su_frame_level(v, r));
    stage->units = map.count;
    pair_map_free(&map);
    uint32_t *home = su_alloc_array(stage->units, sizeof *home), *place = su_alloc_array(stage->units, sizeof *place);
    uint32_t *next = su_alloc_array(stage->strata, sizeof *next);
    for (uint64_t r = 0; r < rows; r++) home[unit[r]] = stratum[r];
    for (uint32_t u = 0; u < stage->units; u++) stage->first[home[u] + 1]++;
    for (uint32_t h = 0; h < stage->strata; h++) stage->first[h + 1] += stage->first[h];
    memcpy(next, stage->first, stage->strata * sizeof *next);
    for (uint32_t u = 0; u < stage->units; u++) place[u] = next[home[u]]++;
    for (uint64_t r = 0; r < rows; r++) unit[r] = place[unit[r]];
    free(home);
    free(place);
    free(next);
    return SU_OK;
}

/* "stratum 'north'", or the unit of the stage before. */
static void name_stratum(const builder *b, unsigned s, const su_stage *stage, uint32_t h, char *out, size_t size)
{
    uint64_t row = stage->row[h];
    if (s == 0 && b->d->strata)
        snprintf(out, size, "stratum '%.200s'", b->d->strata->levels[su_frame_level(b->d->strata, row) - 1]);
    else if (s == 0)
        snprintf(out, size, "the sample");
    else
        snprintf(out, size, "the unit of stage %u around row %llu", s, (unsigned long long)row + 1);
}

/* Names the first value, and its row, that is why the column is not one of numbers. */
static su_status not_numbers(const builder *b, const char *option, const char *what, const su_variable *v)
{
    double x;
    for (uint64_t r = 0; r < b->frame->rows; r++) {
        uint32_t level = su_frame_level(v, r);
        if (level && !su_parse_f64(su_str_of(v->levels[level - 1]), &x))
            return su_fail(
                b->ctx, SU_INPUT,
                "row %llu: %s '%s' must be numbers%s; '%.100s' is not one. Correct it; a code for missing is named with --missing",
                (unsigned long long)r + 1, option, v->name, what, v->levels[level - 1]);
    }
    return su_fail(b->ctx, SU_INPUT, "%s '%s' must be numbers%s; there is none in the column", option, v->name, what);
}

static su_status read_population(builder *b, unsigned s, const uint32_t *stratum, su_stage *stage)
{
    const su_variable *v = b->options->fpc[s];
    char name[260];
    if (!v) return SU_OK;
    if (v->kind != SU_VARIABLE_NUMBER) return not_numbers(b, "--fpc", " (sizes of the population, or fractions sampled)", v);
    stage->population = su_arena_array(&b->d->arena, stage->strata, sizeof *stage->population);
    bool sizes = false, fractions = false;
    for (uint64_t r = 0; r < b->frame->rows; r++) {
        double x = su_frame_number(v, r);
        if (isnan(x)) return missing_in(b, v, "population size", r);
        if (x <= 0)
            return su_fail(b->ctx, SU_INPUT, "row %llu: --fpc '%s' is %g; it must be above 0", (unsigned long long)r + 1, v->name, x);
        sizes |= x > 1;
        fractions |= x < 1;
        double *kept = &stage->population[stratum[r]];
        if (*kept == 0) *kept = x;
        if (*kept == x) continue;
        name_stratum(b, s, stage, stratum[r], name, sizeof name);
        return su_fail(b->ctx, SU_INPUT, "--fpc '%s' has two values in %s: %g and %g (row %llu); a stratum has one population size",
                       v->name, name, *kept, x, (unsigned long long)r + 1);
    }
    if (sizes && fractions)
        return su_fail(b->ctx, SU_INPUT, "--fpc '%s' mixes population sizes (above 1) and sampled fractions (below 1); use one kind",
                       v->name);
    for (uint32_t h = 0; h < stage->strata; h++) {
        double n = stage->first[h + 1] - stage->first[h];
        if (!sizes) stage->population[h] = n / stage->population[h];
        if (stage->population[h] >= n * (1 - SU_CENSUS)) continue;
        name_stratum(b, s, stage, h, name, sizeof name);
        return su_fail(b->ctx, SU_INPUT, "--fpc '%s': %s has %.0f sampled units but a population of %g; the population cannot be smaller",
                       v->name, name, n, stage->population[h]);
    }
    b->d->finite = true;
    return SU_OK;
}

/* ---- weights ---------------------------------------------------------------------------------------------------------------- */

static su_status read_weights(builder *b)
{
    const su_variable *v = b->options->weight;
    su_design *d = b->d;
    double sum = 0;
    if (!v) return SU_OK; /* by then 1, or the populations over the samples */
    if (v->kind != SU_VARIABLE_NUMBER) return not_numbers(b, "--weight", "", v);
    for (uint64_t r = 0; r < d->rows; r++) {
        double w = su_frame_number(v, r);
        if (isnan(w)) return missing_in(b, v, "weight", r);
        if (w < 0)
            return su_fail(b->ctx, SU_INPUT, "row %llu has the weight %g (column '%s'); weights are never negative",
                           (unsigned long long)r + 1, w, v->name);
        d->weight[r] = w;
        sum += w;
    }
    d->weights = true;
    if (!(sum > 0)) return su_fail(b->ctx, SU_INPUT, "all weights of column '%s' are zero: nobody is left to count", v->name);
    return isfinite(sum) ? SU_OK : su_fail(b->ctx, SU_INPUT, "the weights of column '%s' have no finite sum", v->name);
}

static void weigh_by_population(su_design *d, const su_stage *stage, const uint32_t *stratum)
{
    for (uint64_t r = 0; r < d->rows; r++) {
        uint32_t h = stratum[r];
        d->weight[r] *= stage->population[h] / (stage->first[h + 1] - stage->first[h]);
    }
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------- */

static su_status build_stages(builder *b, unsigned stages)
{
    su_design *d = b->d;
    uint32_t *stratum = su_alloc_array((size_t)d->rows, sizeof *stratum), *above = NULL;
    su_status st = SU_OK;
    bool variance_goes_on = true;
    for (unsigned s = 0; s < stages && !st; s++) {
        su_stage stage = { 0 };
        uint32_t *unit = su_alloc_array((size_t)d->rows, sizeof *unit);
        st = number_strata(b, s, above, s ? d->stage[d->stages - 1].units : 1, stratum, &stage);
        if (!st) st = number_units(b, s, stratum, unit, &stage);
        if (!st) st = read_population(b, s, stratum, &stage);
        if (!st && stage.population && !d->weights) weigh_by_population(d, &stage, stratum);
        /* A stage counts while all before it were drawn without replacement from known populations. */
        if (!st && variance_goes_on) d->stage[d->stages++] = stage;
        if (s == 0) d->top = unit;
        if (!st && variance_goes_on) {
            if (d->leaf && d->leaf != d->top) free(d->leaf);
            d->leaf = unit;
        } else if (unit != d->top)
            free(unit);
        above = d->leaf;
        variance_goes_on = variance_goes_on && stage.population && s + 1 < stages && b->options->fpc[s + 1];
        if (!variance_goes_on && !d->weights && s + 1 < stages && b->options->fpc[s + 1] && !st)
            st = su_fail(b->ctx, SU_INPUT, "--fpc has stage %u but not stage %u; give the populations of all stages from the first on",
                         s + 2, s + 1);
        if (!variance_goes_on) break;
    }
    free(stratum);
    return st;
}

su_status su_design_new(su_context *ctx, su_frame *f, const su_design_options *options, su_design **out)
{
    *out = NULL;
    if (f->rows >= UINT32_MAX) return su_fail(ctx, SU_INPUT, "more than %u rows", UINT32_MAX - 1);
    su_design *d = su_alloc(sizeof *d);
    builder b = { ctx, f, options, d };
    unsigned stages = options->stages ? options->stages : 1;
    su_arena_init(&d->arena);
    d->rows = f->rows;
    d->lone = options->lone;
    d->clusters = options->psu[0] != NULL;
    d->stratified = options->strata[0] != NULL;
    d->weight = su_alloc_array((size_t)d->rows, sizeof *d->weight);
    for (uint64_t r = 0; r < d->rows; r++) d->weight[r] = 1;
    su_status st = read_weights(&b);
    if (!st) st = build_stages(&b, stages);
    if (!st) d->weights |= d->finite;
    if (!st)
        *out = d;
    else
        su_design_free(d);
    return st;
}

void su_design_free(su_design *d)
{
    if (!d) return;
    if (d->leaf != d->top) free(d->leaf);
    free(d->top);
    free(d->weight);
    free(d->before);
    su_arena_free(&d->arena);
    free(d);
}

su_design_facts su_design_facts_of(const su_design *d)
{
    su_design_facts f = { .rows = d->rows,
                          .stages = d->stages,
                          .weights = d->weights,
                          .clusters = d->clusters,
                          .stratified = d->stratified,
                          .finite = d->finite,
                          .calibrated = d->before != NULL };
    const su_stage *top = &d->stage[0];
    bool *seen = su_alloc_array(top->units, sizeof *seen);
    double squares = 0;
    for (uint64_t r = 0; r < d->rows; r++) {
        if (!(d->weight[r] > 0)) continue;
        f.weighted++;
        f.weight_sum += d->weight[r];
        squares += d->weight[r] * d->weight[r];
        seen[d->top[r]] = true;
    }
    for (uint32_t h = 0; h < top->strata; h++) {
        uint64_t before = f.psus;
        for (uint32_t u = top->first[h]; u < top->first[h + 1]; u++) f.psus += seen[u];
        f.strata += f.psus > before;
    }
    free(seen);
    f.df = (double)f.psus - (double)f.strata;
    f.kish = (double)f.weighted * squares / (f.weight_sum * f.weight_sum);
    return f;
}

const double *su_design_weights(const su_design *d) { return d->weight; }

static const char *const lone_names[] = {
#define NAME(id, name, about) name,
    SU_LONE_LIST(NAME)
#undef NAME
};

bool su_lone_parse(su_str name, su_lone *out)
{
    for (int i = 0; i < SU_LONE_COUNT; i++)
        if (su_str_equal(name, su_str_of(lone_names[i]))) {
            *out = (su_lone)i;
            return true;
        }
    return false;
}
