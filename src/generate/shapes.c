#include "shapes.h"

#define CLASSES 12u
#define MAX_CODED 6u
#define MAX_FLAGS 36u
#define MAX_VALUES 60u
#define POPULATION_SEED UINT64_C(0x5eed0f9e09e)

typedef struct family {
    const char *prefix; /* of the shape's name */
    unsigned coded, flags;
    unsigned values[MAX_CODED];
    unsigned flag_often, flag_seldom; /* largest rate, in 1/65536, of a flag that is typical or not of a class */
} family;

static const family families[] = {
    { "c", 6, 20, { 21, 4, 9, 60, 4, 60 }, 60000, 6500 },
    { "m", 4, 36, { 20, 9, 50, 50 }, 60000, 14500 },
};

/* Thresholds out of 2^32 (values) or 2^16 (presence): one draw and one comparison per cell. */
typedef struct population {
    uint32_t class_below[CLASSES];
    uint32_t present[CLASSES][MAX_CODED];
    uint32_t value_below[CLASSES][MAX_CODED][MAX_VALUES];
    uint32_t flag_below[CLASSES][MAX_FLAGS];
} population;

static void thresholds(const uint64_t *weight, unsigned n, uint32_t *below)
{
    uint64_t total = 0, sum = 0;
    for (unsigned i = 0; i < n; i++) total += weight[i];
    for (unsigned i = 0; i < n; i++) {
        sum += weight[i];
        below[i] = i + 1 == n ? UINT32_MAX : (uint32_t)((sum << 31) / total * 2);
    }
}

static unsigned pick(const uint32_t *below, unsigned n, uint32_t at)
{
    unsigned low = 0, high = n - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (at < below[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Skewed marginals, weight about 1/rank^2, with a fifth of the values raised in each class. */
static void value_weights(su_random *r, unsigned values, uint64_t *weight)
{
    for (unsigned v = 0; v < values; v++) weight[v] = (UINT64_C(1) << 26) / ((v + 1) * (v + 4));
    unsigned raised = values / 5 + 1;
    for (unsigned i = 0; i < raised; i++) {
        unsigned v = (unsigned)su_random_below(r, values);
        weight[v] += (UINT64_C(1) << 25) / ((i + 1) * (i + 2));
    }
}

static void make_population(const family *f, population *p)
{
    su_random r;
    su_random_seeded(&r, POPULATION_SEED + f->coded);
    uint64_t weight[MAX_VALUES];
    for (unsigned z = 0; z < CLASSES; z++) weight[z] = 1000 / (z + 3);
    thresholds(weight, CLASSES, p->class_below);
    for (unsigned z = 0; z < CLASSES; z++) {
        for (unsigned j = 0; j < f->coded; j++) {
            p->present[z][j] = 41500 + (uint32_t)su_random_below(&r, 21000);
            value_weights(&r, f->values[j], weight);
            thresholds(weight, f->values[j], p->value_below[z][j]);
        }
        for (unsigned j = 0; j < f->flags; j++) {
            bool typical = su_random_below(&r, 4) == 0;
            p->flag_below[z][j] = typical ? f->flag_often / 3 + (uint32_t)su_random_below(&r, f->flag_often * 2 / 3)
                                          : 60 + (uint32_t)su_random_below(&r, f->flag_seldom);
        }
    }
    su_random_wipe(&r);
}

static void header(const family *f, su_buf *b)
{
    for (unsigned j = 0; j < f->coded; j++) su_buf_printf(b, "%sc%02u", j ? "," : "", j + 1);
    for (unsigned j = 0; j < f->flags; j++) su_buf_printf(b, ",f%02u", j + 1);
    su_buf_char(b, '\n');
}

static void person(const family *f, const population *p, su_random *r, su_buf *b)
{
    char line[4 * MAX_CODED + 2 * MAX_FLAGS + 2], *at = line;
    unsigned z = pick(p->class_below, CLASSES, (uint32_t)su_random_u64(r));
    for (unsigned j = 0; j < f->coded; j++) {
        uint64_t draw = su_random_u64(r);
        if (j) *at++ = ',';
        if ((draw >> 48) < p->present[z][j]) {
            unsigned v = pick(p->value_below[z][j], f->values[j], (uint32_t)draw) + 1;
            *at++ = 'v';
            *at++ = (char)('0' + v / 10);
            *at++ = (char)('0' + v % 10);
        }
    }
    uint64_t draw = 0;
    for (unsigned j = 0; j < f->flags; j++) {
        draw = j % 4 == 0 ? su_random_u64(r) : draw >> 16;
        *at++ = ',';
        if ((draw & 0xFFFF) < p->flag_below[z][j]) *at++ = '1';
    }
    *at++ = '\n';
    su_buf_add(b, line, (size_t)(at - line));
}

su_status su_shape_classes(su_context *ctx, const char *shape, uint64_t rows, uint64_t seed, const char *path)
{
    su_stream s;
    su_random r;
    const family *f = shape[0] == 'm' ? &families[1] : &families[0];
    population *p = NULL;
    su_status status = su_stream_open(ctx, &s, path);
    if (status != SU_OK) return status;

    su_arena arena;
    su_arena_init(&arena);
    p = su_arena_alloc(&arena, sizeof *p);
    make_population(f, p);
    su_random_seeded(&r, seed);
    header(f, &s.buf);
    for (uint64_t i = 0; status == SU_OK && i < rows; i++) {
        person(f, p, &r, &s.buf);
        status = su_stream_flush(ctx, &s, false);
        if (i % 65536 == 0) su_progress(ctx, "generating people", (double)i / (double)rows);
    }
    if (status == SU_OK) status = su_stream_close(ctx, &s);
    su_stream_abandon(&s);
    su_arena_free(&arena);
    return status;
}

su_status su_shape_showcase(su_context *ctx, uint64_t rows, uint64_t seed, const char *path)
{
    static const struct {
        unsigned values, absent;
    } columns[10] = {
        { 2, 1 }, { 6, 2 }, { 10, 2 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 },
    };
    su_stream s;
    su_random r;
    su_status status = su_stream_open(ctx, &s, path);
    if (status != SU_OK) return status;
    su_random_seeded(&r, seed);
    for (unsigned j = 0; j < 10; j++) su_buf_printf(&s.buf, "%sH%u", j ? "," : "", j + 1);
    su_buf_char(&s.buf, '\n');
    for (uint64_t i = 0; status == SU_OK && i < rows; i++) {
        for (unsigned j = 0; j < 10; j++) {
            uint64_t v = su_random_below(&r, columns[j].values + columns[j].absent);
            if (j) su_buf_char(&s.buf, ',');
            if (v >= columns[j].absent)
                su_buf_printf(&s.buf, "%u", (unsigned)(v - columns[j].absent) + 1);
            else if (j >= 3)
                su_buf_char(&s.buf, '0');
        }
        su_buf_char(&s.buf, '\n');
        status = su_stream_flush(ctx, &s, false);
    }
    if (status == SU_OK) status = su_stream_close(ctx, &s);
    su_stream_abandon(&s);
    return status;
}
