/* Measures the counting kernels: CPU seconds and peak memory on the shapes c17k and c206k. */
#include "shape.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t checksum;

static void take(void *arg, const su_combination *c)
{
    (void)arg;
    checksum = checksum * 31 + c->count + c->at[c->length - 1].value;
}

static double peak_mib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

static void combinations(su_context *ctx, const su_code_matrix *m, uint32_t length, uint64_t min_count, bool sink)
{
    uint64_t totals[SU_MAX_LENGTH] = { 0 };
    double before = su_clock_cpu();
    su_count_options o = { length, min_count };
    if (su_count_combinations(ctx, m, &o, sink ? take : NULL, NULL, totals) != SU_OK) printf("%s\n", ctx->message);
    double seconds = su_clock_cpu() - before;
    printf("combinations R=%u K=%llu %s: %.3f CPU s, peak %.0f MiB, totals", length, (unsigned long long)min_count,
           sink ? "with sink" : "count only", seconds, peak_mib());
    for (uint32_t k = 0; k < length; k++) printf(" %llu", (unsigned long long)totals[k]);
    printf(" (check %016llx)\n", (unsigned long long)checksum);
}

/* All tables of 1..length columns: one by one, and as a workload. */
static void contingency(su_context *ctx, const su_code_matrix *m, uint32_t length)
{
    su_contingency_request *tables = NULL;
    size_t count = 0, capacity = 0;
    uint64_t cells = 0;
    for (uint32_t mask = 1; mask < 1u << m->column_count; mask++) {
        if ((uint32_t)__builtin_popcount(mask) > length) continue;
        uint32_t *columns = su_alloc_array(length, sizeof *columns), n = 0;
        size_t size = 1;
        for (uint32_t c = 0; c < m->column_count; c++) {
            if (!(mask >> c & 1)) continue;
            columns[n++] = c;
            size *= m->columns[c].card;
        }
        tables = su_grow(tables, &capacity, count + 1, sizeof *tables);
        tables[count++] = (su_contingency_request) { n, columns, su_alloc_array(size, sizeof(int64_t)) };
        cells += size;
    }
    double start = su_clock_cpu();
    for (size_t i = 0; i < count; i++) su_contingency(m, tables[i].columns, tables[i].n, tables[i].out);
    double middle = su_clock_cpu();
    if (su_contingency_many(ctx, m, tables, count) != SU_OK) printf("%s\n", ctx->message);
    double end = su_clock_cpu();
    printf("contingency: %zu tables, %llu cells: one by one %.3f CPU s, as a workload %.3f CPU s, peak %.0f MiB\n", count,
           (unsigned long long)cells, middle - start, end - middle, peak_mib());
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)tables[i].columns);
        free(tables[i].out);
    }
    free(tables);
}

static void measure(const char *name, const shape *s, uint32_t longest, uint64_t min_count, unsigned threads)
{
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = threads;
    su_random r;
    su_random_seeded(&r, 1);
    su_code_matrix *m = shape_new(&r, s);
    uint64_t filled = 0;
    for (uint32_t c = 0; c < m->column_count; c++) {
        for (uint64_t i = 0; i < m->row_count; i++) filled += m->columns[c].codes[i] != 0;
    }
    printf("%s: %llu rows, %u columns, %.1f filled cells per row, peak after loading %.0f MiB\n", name, (unsigned long long)s->rows,
           s->columns, (double)filled / (double)m->row_count, peak_mib());
    for (uint32_t length = 3; length <= longest; length++) combinations(&ctx, m, length, min_count, true);
    if (name[0] == 'c' && min_count == 1) contingency(&ctx, m, 3);
    shape_free(m);
}

/* bench_count [c17k|c206k|c206k-k10|m1|wide] [threads]; without a name all of them, each in a process of its own for its peak memory. */
int main(int argc, char **argv)
{
    static const uint32_t wide[] = { 21, 249, 249, 9, 4, 249, 600, 1500, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    static uint32_t forty[40];
    for (uint32_t c = 0; c < 40; c++) forty[c] = c < 8 ? 4 * (c + 1) * (c + 1) : 1;
    const struct {
        const char *name;
        shape s;
        uint32_t longest;
        uint64_t min_count;
    } all[] = {
        { "c17k", { 17000, 26, shape_case_values, 1 }, 4, 1 },
        { "c206k", { 206000, 26, shape_case_values, 1 }, 4, 1 },
        { "c206k-k10", { 206000, 26, shape_case_values, 1 }, 4, 10 },
        { "m1", { 1000000, 40, forty, 0.94 }, 3, 1 },
        { "wide", { 50000, 26, wide, 1 }, 3, 1 },
    };
    int64_t threads = 1;
    if (argc > 2) su_parse_i64(su_str_of(argv[2]), &threads);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (argc > 1 && strcmp(argv[1], all[i].name) != 0) continue;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            measure(all[i].name, &all[i].s, all[i].longest, all[i].min_count, (unsigned)threads);
            fflush(stdout);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}
