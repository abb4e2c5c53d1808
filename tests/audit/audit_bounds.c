/* The contribution bounds of the mechanism sds, seen from outside: the noise in what it publishes is as wide as the bound calls for, and
 * the bound can be any number that the schema allows, whatever the longest record is. */
#include "attack.h"

#include <suha/protect.h>

#include <math.h>
#include <stdlib.h>

#define PEOPLE 400u
#define COLUMNS 6u
#define RUNS 3000u

typedef struct world {
    uint16_t codes[COLUMNS][PEOPLE];
    su_matrix_column columns[COLUMNS];
    su_code_matrix matrix;
} world;

/* Everybody has a value in the first `held` columns and in no other. */
static void world_init(world *w, uint32_t held)
{
    static const char *const names[COLUMNS] = { "a", "b", "c", "d", "e", "f" };
    for (uint32_t c = 0; c < COLUMNS; c++) {
        for (uint32_t i = 0; i < PEOPLE; i++) w->codes[c][i] = c < held;
        w->columns[c] = (su_matrix_column) { .name = names[c], .card = 2, .codes = w->codes[c] };
    }
    w->matrix = (su_code_matrix) { .row_count = PEOPLE, .column_count = COLUMNS, .columns = w->columns };
}

static void stop(const su_context *ctx)
{
    fprintf(stderr, "audit_bounds: %s\n", ctx->message);
    exit(2);
}

typedef struct sight {
    double squares, values;           /* of published single counts, in units of the noise that their bound calls for */
    uint64_t seen[COLUMNS + 1], grid; /* runs with each bound */
} sight;

static sight look(su_context *ctx, const world *w, uint32_t held, double epsilon, su_random *random)
{
    sight s = { .squares = 0 };
    su_release *plan = NULL;
    su_release_options o = {
        .epsilon = epsilon, .delta = 1e-3, .length = 1, .mechanism = SU_MECHANISM_SDS, .sds.codelist_candidates = true
    };
    if (su_release_plan(ctx, NULL, w->columns, COLUMNS, &o, &plan)) stop(ctx);
    for (unsigned i = 0; i < RUNS; i++) {
        su_release r = *plan;
        su_arena_init(&r.arena);
        if (su_release_run(ctx, &r, &w->matrix, random, NULL, NULL)) stop(ctx);
        const su_sds_length *one = &r.sds.length[1];
        s.grid = one->grid;
        if (one->bound <= COLUMNS) s.seen[one->bound]++;
        /* Below `held` every record loses some of its values, by chance. */
        for (size_t k = 0; one->bound >= held && k < r.aggregate_count; k++) {
            if (r.aggregates[k].at[0].column >= held) continue;
            double off = (double)r.aggregates[k].count - PEOPLE;
            s.squares += off * off / ((double)one->unit.num / (double)one->unit.den * (double)one->bound);
            s.values++;
        }
        su_arena_free(&r.arena);
    }
    su_release_free(plan);
    return s;
}

static unsigned verdict(bool good, const char *what)
{
    printf("%s %s\n", good ? "ok    " : "FAILED", what);
    return good;
}

int main(void)
{
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = 1;
    su_random random;
    const char *given = getenv("SUHA_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20261121;
    printf("# SUHA_TEST_SEED=%llu\n", (unsigned long long)seed);
    su_random_seeded(&random, seed);
    unsigned passed = 0;
    char text[200];
    world w;
    world_init(&w, 4);
    sight wide = look(&ctx, &w, 4, 4, &random);
    double ratio = wide.squares / wide.values;
    snprintf(text, sizeof text, "noise of published counts is %.3f of what the bound calls for, squared (%.0f counts)", ratio, wide.values);
    passed += verdict(wide.values > 1000 && fabs(ratio - 1) < 7 * sqrt(2 / wide.values), text); /* sd of a mean of squares: sqrt(2/n) */
    world_init(&w, 1);
    sight narrow = look(&ctx, &w, 1, 0.1, &random);
    snprintf(text, sizeof text, "with one value a record, bounds up to %llu of %u come out (%llu times the largest)",
             (unsigned long long)narrow.grid, COLUMNS, (unsigned long long)narrow.seen[COLUMNS]);
    passed += verdict(narrow.grid == COLUMNS && narrow.seen[COLUMNS] > 0, text);
    printf("%u passed, %u failed\n", passed, 2 - passed);
    return passed < 2;
}
