/* One kernel per run, so that CPU seconds and peak memory are that kernel's own.
 * usage: bench_kernels load FILE | count FILE R | noise N | estimate FILE R EPSILON | release FILE MECHANISM R EPSILON-OR-K [THREADS] */
#include "dp/residual.h"

#include <suha/count.h>
#include <suha/harmonise.h>
#include <suha/protect.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void report(const char *what, double cpu, const char *more)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    printf("{\"kernel\": \"%s\", \"cpu_seconds\": %.4f, \"peak_mib\": %.1f%s}\n", what, cpu, (double)use.ru_maxrss / 1024, more);
}

static void check(const su_context *ctx, su_status st)
{
    if (!st) return;
    fprintf(stderr, "%s\n", ctx->message);
    exit(1);
}

static void load(su_context *ctx, const char *file)
{
    su_raw_table *raw = NULL;
    double start = su_clock_cpu();
    check(ctx, su_table_read(ctx, file, NULL, &raw));
    double cpu = su_clock_cpu() - start;
    char more[64];
    snprintf(more, sizeof more, ", \"rows\": %llu, \"columns\": %u", (unsigned long long)raw->row_count, raw->column_count);
    report("load", cpu, more);
    su_raw_table_free(raw);
}

static su_code_matrix *matrix_of(su_context *ctx, const char *file, su_schema **schema, double *cpu)
{
    su_raw_table *raw = NULL;
    su_case_table *cases = NULL;
    su_harmonise_report *notes = NULL;
    su_harmonise_options options = { .max_rejected = UINT64_MAX, .nameless = true, .narrow = true };
    su_code_matrix *m = NULL;
    check(ctx, su_table_read(ctx, file, &(su_read_options) { .narrow = true }, &raw));
    options.emptied = raw; /* as `suha release` reads a file */
    check(ctx, su_schema_from_table(ctx, raw, schema));
    check(ctx, su_harmonise(ctx, raw, *schema, NULL, &options, &cases, &notes));
    check(ctx, su_code_matrix_of(ctx, cases, &m));
    su_harmonise_report_free(notes);
    su_case_table_free(cases);
    su_raw_table_free(raw);
    *cpu = su_clock_cpu();
    return m;
}

static void touch(void *arg, const su_combination *c) { *(uint64_t *)arg += c->count; }

static void count(su_context *ctx, const char *file, uint32_t length)
{
    su_schema *schema = NULL;
    double start = 0;
    su_code_matrix *m = matrix_of(ctx, file, &schema, &start);
    su_count_options options = { .length = length, .min_count = 1 };
    uint64_t totals[SU_MAX_LENGTH] = { 0 }, sum = 0;
    check(ctx, su_count_combinations(ctx, m, &options, touch, &sum, totals));
    double cpu = su_clock_cpu() - start;
    char more[128];
    snprintf(more, sizeof more, ", \"length\": %u, \"combinations\": %llu", length, (unsigned long long)totals[length - 1]);
    report("count", cpu, more);
    su_code_matrix_free(m);
    su_schema_free(schema);
}

static void noise(su_context *ctx, size_t n)
{
    enum { CHUNK = 1 << 16 };
    su_random random;
    int64_t *values = su_alloc_array(CHUNK, sizeof *values);
    check(ctx, su_random_system(ctx, &random));
    double start = su_clock_cpu();
    for (size_t done = 0; done < n; done += CHUNK)
        su_sample_discrete_gaussian_fill(&random, (su_variance) { 200, 1 }, values, n - done < CHUNK ? n - done : CHUNK);
    report("noise", su_clock_cpu() - start, "");
    free(values);
}

static su_status note_time(void *arg)
{
    *(double *)arg = su_clock_cpu();
    return SU_OK;
}

/* Measuring and making records, without reading the file and writing the release. measured: CPU seconds until the data were last read. */
static void release(su_context *ctx, const char *file, const char *mechanism, uint32_t length, const char *budget)
{
    su_release_options options = { .length = length };
    if (!su_mechanism_parse(mechanism, &options.mechanism)) check(ctx, su_fail(ctx, SU_USAGE, "no mechanism %s", mechanism));
    if (su_mechanism_bound(options.mechanism))
        options.epsilon = strtod(budget, NULL);
    else
        options.k = strtoull(budget, NULL, 10);
    su_schema *schema = NULL;
    su_release *r = NULL;
    su_random random;
    double start = 0, measured = 0;
    su_code_matrix *m = matrix_of(ctx, file, &schema, &start);
    check(ctx, su_random_system(ctx, &random));
    check(ctx, su_release_plan(ctx, schema, m->columns, m->column_count, &options, &r));
    check(ctx, su_release_run(ctx, r, m, &random, note_time, &measured));
    double cpu = su_clock_cpu() - start;
    char more[160];
    snprintf(more, sizeof more, ", \"measured_seconds\": %.4f, \"aggregates\": %zu, \"records\": %llu", measured - start,
             r->aggregate_count, (unsigned long long)r->record_count);
    report(mechanism, cpu, more);
    su_release_free(r);
    su_code_matrix_free(m);
    su_schema_free(schema);
}

/* All noisy tables of the default mechanism and their generalised least squares, without records. */
static void estimate(su_context *ctx, const char *file, uint32_t length, const char *epsilon)
{
    su_release_options options = { .length = length, .epsilon = strtod(epsilon, NULL) };
    su_schema *schema = NULL;
    su_release *r = NULL;
    su_measurement *noisy = NULL;
    su_random random;
    su_lattice lattice;
    su_estimates estimates;
    double start = 0;
    su_code_matrix *m = matrix_of(ctx, file, &schema, &start);
    check(ctx, su_random_system(ctx, &random));
    check(ctx, su_release_plan(ctx, schema, m->columns, m->column_count, &options, &r));
    check(ctx, su_release_measure(ctx, r, m, &random, &noisy));
    su_lattice_init(&lattice, r);
    su_estimates_init(&estimates, r, &lattice, noisy);
    double cpu = su_clock_cpu() - start;
    char more[64];
    snprintf(more, sizeof more, ", \"tables\": %zu, \"cells\": %zu", r->table_count, lattice.cells);
    report("estimate", cpu, more);
    su_estimates_free(&estimates);
    su_lattice_free(&lattice);
    su_measurement_free(noisy);
    su_release_free(r);
    su_code_matrix_free(m);
    su_schema_free(schema);
}

int main(int argc, char **argv)
{
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = 1;
    if (argc == 3 && strcmp(argv[1], "load") == 0)
        load(&ctx, argv[2]);
    else if (argc == 4 && strcmp(argv[1], "count") == 0)
        count(&ctx, argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
    else if (argc == 3 && strcmp(argv[1], "noise") == 0)
        noise(&ctx, strtoull(argv[2], NULL, 10));
    else if (argc == 5 && strcmp(argv[1], "estimate") == 0)
        estimate(&ctx, argv[2], (uint32_t)strtoul(argv[3], NULL, 10), argv[4]);
    else if ((argc == 6 || argc == 7) && strcmp(argv[1], "release") == 0) {
        if (argc == 7) ctx.threads = (unsigned)strtoul(argv[6], NULL, 10);
        release(&ctx, argv[2], argv[3], (uint32_t)strtoul(argv[4], NULL, 10), argv[5]);
    } else
        return fputs("usage: bench_kernels load FILE | count FILE R | noise N | estimate FILE R EPSILON | "
                     "release FILE MECHANISM R EPSILON-OR-K [THREADS]\n",
                     stderr),
               2;
    return 0;
}
