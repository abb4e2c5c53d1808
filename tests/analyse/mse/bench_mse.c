/* CPU seconds of single fits, of all models and of the average over graphs on the table named. Prints one JSON object; bench/stats_mse.py
 * sets the goals. */
#include <stdio.h>
#include <stdlib.h>

#include "mse/dga.h"
#include "mse/search.h"

enum { FITS = 100000 };

static void stop(const su_context *ctx)
{
    fprintf(stderr, "%s\n", ctx->message);
    exit(1);
}

int main(int argc, char **argv)
{
    su_context ctx;
    su_raw_table *raw = NULL;
    su_overlaps *o = NULL;
    su_overlap_options options = { 0 };
    su_space space;
    su_mse_lattice l;
    su_dga d;
    double sum = 0;
    su_context_init(&ctx);
    ctx.threads = 1;
    if (argc < 2 || su_table_read(&ctx, argv[1], NULL, &raw) || su_overlaps_of_table(&ctx, raw, &options, &o)) stop(&ctx);
    su_mse_lattice_init(&l, o->lists);
    su_model m = su_model_main(o->lists);
    double started = su_clock_cpu();
    for (int i = 0; i < FITS; i++) {
        su_mse_lattice_set_integers(&l, o->counts);
        sum += su_fit_fast(&l, &m, NULL).N;
    }
    printf("{\"fit\": %.9f, \"N\": %.6f", (su_clock_cpu() - started) / FITS, sum / FITS);
    if (su_space_init(&space, o->lists, 0, 40000)) {
        su_ranked *ranked = su_alloc_array(space.count, sizeof *ranked);
        started = su_clock_cpu();
        size_t found = su_space_rank(&ctx, &space, o, ranked);
        printf(", \"models\": %.6f, \"models_count\": %zu", su_clock_cpu() - started, found);
        free(ranked);
        su_space_free(&space);
    }
    su_dga_options grid = { .least = 1, .most = 37256, .step = 1 };
    started = su_clock_cpu();
    if (su_dga_run(&ctx, o, &grid, &d)) stop(&ctx);
    printf(", \"dga\": %.6f}\n", su_clock_cpu() - started);
    su_dga_free(&d);
    su_mse_lattice_free(&l);
    su_overlaps_free(o);
    su_raw_table_free(raw);
    return 0;
}
