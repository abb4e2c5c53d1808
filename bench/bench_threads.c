/* What a second thread gives, phase by phase: least wall time of several runs with one thread and with two, taken in turns, and their
 * ratio. usage: bench_threads PEOPLE.csv MORE-PEOPLE.csv REPEATS [WORD]     only rows with WORD in their name bench/threads.py calls it.
 * That two threads give the bytes of one is checked by the tests. */
#include <suha/count.h>
#include <suha/harmonise.h>
#include <suha/protect.h>

#include "dp/lattice.h"
#include "pgm/propagation.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MODEL_COLUMNS 14u
#define AREA ((size_t)1 << 24) /* numbers; 128 MiB: more than a processor keeps near */
#define BIG_CELLS (UINT64_C(1) << 17) /* 1 MiB: what aim allows itself */

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(const su_context *ctx, su_status st)
{
    if (!st) return;
    fprintf(stderr, "%s\n", ctx->message);
    exit(1);
}

typedef struct world {
    su_context ctx;
    su_schema *schema;
    su_code_matrix *matrix;
    su_release *plan; /* of the mechanism to be measured */
    su_measurement *noisy;
    su_contingency_request *tables;
    size_t table_count;
    su_model model;
    double *pairs[MODEL_COLUMNS * (MODEL_COLUMNS - 1) / 2];
    su_mechanism mechanism;
    int repeats;
    const char *word;
    double *area;
    volatile double answer[16]; /* of each half, on a line of the cache of its own */
} world;

static void load(world *w, const char *file)
{
    su_raw_table *raw = NULL;
    su_case_table *cases = NULL;
    su_harmonise_report *notes = NULL;
    su_context_init(&w->ctx);
    check(&w->ctx, su_table_read(&w->ctx, file, NULL, &raw));
    check(&w->ctx, su_schema_from_table(&w->ctx, raw, &w->schema));
    check(&w->ctx, su_harmonise(&w->ctx, raw, w->schema, NULL, &(su_harmonise_options) { .max_rejected = UINT64_MAX }, &cases, &notes));
    check(&w->ctx, su_code_matrix_of(&w->ctx, cases, &w->matrix));
    su_harmonise_report_free(notes);
    su_case_table_free(cases);
    su_raw_table_free(raw);
}

static void plan(world *w, su_mechanism mechanism)
{
    su_release_options options = { .mechanism = mechanism, .epsilon = 4, .length = mechanism == SU_MECHANISM_RESIDUAL ? 3 : 2 };
    check(&w->ctx, su_release_plan(&w->ctx, w->schema, w->matrix->columns, w->matrix->column_count, &options, &w->plan));
}

/* `before` is not timed. */
static void row(world *w, const char *name, void (*before)(world *w), void (*phase)(world *w), void (*after)(world *w))
{
    double least[2] = { 1e9, 1e9 };
    if (!strstr(name, w->word)) return;
    for (int i = 0; i < 2 * w->repeats; i++) {
        w->ctx.threads = 1 + (unsigned)i % 2;
        if (before) before(w);
        nanosleep(&(struct timespec) { .tv_nsec = 200000000 }, NULL); /* a limit on processor time shall not fall into one of them */
        double start = wall();
        phase(w);
        double took = wall() - start;
        least[i % 2] = took < least[i % 2] ? took : least[i % 2];
        if (after) after(w);
    }
    printf("| %s | %.4f | %.4f | %.2f |\n", name, least[0], least[1], least[0] / least[1]);
    fflush(stdout);
}

/* ---- the machine itself ------------------------------------------------------------------------------------------ */

/* What two threads can give here at most: dependent multiplications, and reading memory that no cache holds. Two halves each. */
static void multiply_half(void *arg, size_t half, unsigned worker)
{
    (void)worker;
    world *w = arg;
    double x = 1;
    for (int i = 0; i < 10000000; i++) x = x * 0.999999 + 1e-7;
    w->answer[8 * half] = x;
}

static void multiply(world *w) { su_parallel(&w->ctx, 2, multiply_half, w); }

static void read_half(void *arg, size_t half, unsigned worker)
{
    (void)worker;
    world *w = arg;
    double sum = 0;
    for (size_t i = AREA / 2 * half; i < AREA / 2 * (half + 1); i += 8) sum += w->area[i]; /* one of each line of the cache */
    w->answer[8 * half] = sum;
}

static void read_area(world *w) { su_parallel(&w->ctx, 2, read_half, w); }

static void measure_machine(world *w)
{
    w->area = su_alloc_array(AREA, sizeof *w->area);
    for (size_t i = 0; i < AREA; i++) w->area[i] = (double)i;
    row(w, "this machine: arithmetic", NULL, multiply, NULL);
    row(w, "this machine: reading memory", NULL, read_area, NULL);
    free(w->area);
    w->area = NULL;
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

static void drop(void *arg, const su_combination *c) { *(uint64_t *)arg += c->count; }

static void count_combinations(world *w)
{
    uint64_t totals[SU_MAX_LENGTH] = { 0 }, sum = 0;
    check(&w->ctx, su_count_combinations(&w->ctx, w->matrix, &(su_count_options) { .length = 3, .min_count = 1 }, drop, &sum, totals));
}

static void request_tables(world *w)
{
    w->table_count = w->plan->table_count;
    w->tables = su_alloc_array(w->table_count, sizeof *w->tables);
    for (size_t t = 0; t < w->table_count; t++) {
        const su_release_table *table = &w->plan->tables[t];
        w->tables[t] = (su_contingency_request) { .n = table->length,
                                                  .columns = table->columns,
                                                  .out = su_alloc_array(table->cells, sizeof *w->tables[t].out) };
    }
}

static void count_tables(world *w) { check(&w->ctx, su_contingency_many(&w->ctx, w->matrix, w->tables, w->table_count)); }

/* ---- measuring and what follows ---------------------------------------------------------------------------------- */

static void measure(world *w)
{
    su_random random;
    su_random_seeded(&random, 1);
    check(&w->ctx, su_release_measure(&w->ctx, w->plan, w->matrix, &random, &w->noisy));
}

static void drop_measurement(world *w)
{
    su_measurement_free(w->noisy);
    w->noisy = NULL;
}

static void plan_again(world *w)
{
    plan(w, SU_MECHANISM_RESIDUAL);
    measure(w);
}

static void project(world *w)
{
    su_random random;
    su_random_seeded(&random, 1);
    check(&w->ctx, su_release_finish(&w->ctx, w->plan, w->noisy, &random));
}

static void drop_plan(world *w)
{
    drop_measurement(w);
    su_release_free(w->plan);
    w->plan = NULL;
}

static void plan_mechanism(world *w) { plan(w, w->mechanism); }

static void release(world *w)
{
    su_random random;
    su_random_seeded(&random, 1);
    check(&w->ctx, su_release_run(&w->ctx, w->plan, w->matrix, &random, NULL, NULL));
}

/* ---- graphical models -------------------------------------------------------------------------------------------- */

/* Random triples of columns like those of the Adult file, as many as the model may hold, with every pair in them measured. */
static void make_model(world *w)
{
    static const uint32_t card[MODEL_COLUMNS] = { 2, 2, 5, 6, 7, 9, 15, 16, 20, 30, 40, 50, 60, 70 };
    su_column_set sets[512];
    size_t count = 0;
    su_random random;
    su_random_seeded(&random, 1);
    su_model_init(&w->model, MODEL_COLUMNS, card);
    w->model.total = 50000;
    for (uint32_t c = 0; c < MODEL_COLUMNS; c++) sets[count++] = su_set_of(c);
    for (int tries = 0; tries < 400 && count < 500; tries++) {
        su_elimination e;
        su_column_set set = 0;
        while (su_set_size(set) < 2) set |= su_set_of((uint32_t)su_random_below(&random, MODEL_COLUMNS));
        sets[count] = set;
        su_elimination_init(&e, MODEL_COLUMNS, card, sets, count + 1);
        count += su_elimination_cells(&e) <= BIG_CELLS;
        su_elimination_free(&e);
    }
    for (size_t s = 0; s < count; s++) {
        size_t cells = (size_t)su_set_cells(sets[s], card);
        double *answer = su_alloc_array(cells, sizeof *answer), *variance = su_alloc_array(cells, sizeof *variance);
        for (size_t i = 0; i < cells; i++) {
            answer[i] = w->model.total / (double)cells * (0.5 + (double)su_random_below(&random, 1000) / 1000);
            variance[i] = 2000;
        }
        su_model_measure(&w->model, sets[s], answer, variance);
        free(answer);
        free(variance);
    }
    for (uint32_t b = 1; b < MODEL_COLUMNS; b++)
        for (uint32_t a = 0; a < b; a++) w->pairs[b * (b - 1) / 2 + a] = su_alloc_array((size_t)card[a] * card[b], sizeof(double));
    su_model_infer(&w->model);
    printf("<!-- the model: %zu tables, %u nodes, %zu cells -->\n", w->model.factor_count, w->model.tree.count, w->model.plan->cells);
}

static void hire(world *w)
{
    memset(w->model.potential, 0, w->model.cells * sizeof *w->model.potential);
    w->model.crew = su_crew_start(&w->ctx, 16);
}

static void dismiss(world *w)
{
    su_crew_end(w->model.crew);
    w->model.crew = NULL;
}

static void propagate(world *w)
{
    for (int i = 0; i < 50; i++) su_model_infer(&w->model);
}

static void fit(world *w)
{
    su_fit result;
    su_model_fit(&w->model, &(su_fit_options) { .entropy = 0.1, .tolerance = 1e-9, .most = 50 }, &result);
}

static void all_pairs(world *w) { su_model_pairs(&w->model, w->pairs); }

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void world_free(world *w)
{
    for (size_t t = 0; t < w->table_count; t++) free(w->tables[t].out);
    free(w->tables);
    su_code_matrix_free(w->matrix);
    su_schema_free(w->schema);
}

int main(int argc, char **argv)
{
    world many = { .word = argc == 5 ? argv[4] : "" }, few = many;
    if (argc != 4 && argc != 5) return fputs("usage: bench_threads PEOPLE.csv MORE-PEOPLE.csv REPEATS [WORD]\n", stderr), 2;
    many.repeats = few.repeats = (int)strtol(argv[3], NULL, 10);
    load(&few, argv[1]);
    load(&many, argv[2]);
    measure_machine(&few);
    plan(&many, SU_MECHANISM_RESIDUAL);
    request_tables(&many);
    row(&many, "counting: all combinations of three, the larger file", NULL, count_combinations, NULL);
    row(&many, "counting: all tables of three columns, the larger file", NULL, count_tables, NULL);
    row(&many, "measuring: noise and tables of residual, the larger file", NULL, measure, drop_measurement);
    drop_plan(&many);
    make_model(&few);
    row(&few, "belief propagation: 50 passes, model of 1 MiB", hire, propagate, dismiss);
    row(&few, "fitting: 50 evaluations, the same model", hire, fit, dismiss);
    row(&few, "tables of all pairs, the same model", hire, all_pairs, dismiss);
    su_model_free(&few.model);
    for (size_t i = 0; i < sizeof few.pairs / sizeof *few.pairs; i++) free(few.pairs[i]);
    row(&few, "projection: fitted tables and records of residual, the smaller file", plan_again, project, drop_plan);
    static const su_mechanism mechanisms[] = { SU_MECHANISM_RESIDUAL, SU_MECHANISM_MST, SU_MECHANISM_AIM };
    for (int k = 0; k < 3; k++) {
        char name[80];
        few.mechanism = mechanisms[k];
        snprintf(name, sizeof name, "whole release: %s, the smaller file", su_mechanism_name(few.mechanism));
        row(&few, name, plan_mechanism, release, drop_plan);
    }
    world_free(&many);
    world_free(&few);
    return 0;
}
