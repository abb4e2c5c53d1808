/* auto: residual measures every table and is best while the noise on each is small beside the counts; aim measures few tables and fills the
 * rest by a model, and is best when the noise on all tables would be large. Where the line lies was measured on
 * generated and public data (docs/methods/aim.md); nothing here is learned from the data to be released. */
#include "auto.h"
#include "dp/residual.h"
#include "pgm/submap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOISY_RECORDS 3500.0          /* the line, in records misplaced by noise in the mean table of two columns */
#define NOISE_MEAN 0.7978845608028654 /* mean of |x| for a standard normal x */

/* Mean over the tables of two columns of half the expected sum of |noise| after least squares: records that noise alone would move. */
static double noisy_records(const su_release *plan)
{
    su_lattice lattice;
    su_estimates estimates;
    su_measurement zero = { .table_count = plan->table_count, .cells = su_alloc_array(plan->table_count, sizeof *zero.cells) };
    double sum = 0;
    for (size_t t = 0; t < plan->table_count; t++)
        zero.total_cells = plan->tables[t].cells > zero.total_cells ? (size_t)plan->tables[t].cells : zero.total_cells;
    int64_t *none = su_alloc_array(zero.total_cells, sizeof *none);
    for (size_t t = 0; t < plan->table_count; t++) zero.cells[t] = none;
    su_lattice_init(&lattice, plan);
    su_estimates_init(&estimates, plan, &lattice, &zero);
    uint32_t pairs = lattice.length >= 2 ? lattice.first[3] - lattice.first[2] : 0;
    for (uint32_t i = 0; i < pairs; i++) {
        uint32_t set = lattice.first[2] + i;
        sum += 0.5 * NOISE_MEAN * (double)lattice.sets[set].cells * sqrt(estimates.variance[set]);
    }
    su_estimates_free(&estimates);
    su_lattice_free(&lattice);
    free(none);
    free(zero.cells);
    return pairs ? sum / pairs : 0;
}

void su_mechanism_choose(su_release *r)
{
    su_release *plan = NULL;
    su_context quiet;
    su_context_init(&quiet);
    su_release_options options = r->options;
    options.mechanism = SU_MECHANISM_RESIDUAL;
    options.mechanism_auto = false;
    bool small = r->column_count <= SU_MODEL_COLUMNS;
    r->options.mechanism = SU_MECHANISM_RESIDUAL;
    if (r->options.prior) {
        r->mechanism_reason = "Chosen: residual. It is the one that can use an earlier release.";
        return;
    }
    if (r->options.length == 1 || r->column_count == 1) {
        r->mechanism_reason = "Chosen: residual. Only single columns are published, and no other mechanism measures them with less noise.";
        return;
    }
    if (su_release_plan(&quiet, r->schema, r->columns, r->column_count, &options, &plan)) {
        r->options.mechanism = small ? SU_MECHANISM_AIM : SU_MECHANISM_RESIDUAL;
        r->mechanism_reason = small ? "Chosen: aim. All tables together are too many or too large for the mechanism residual."
                                    : "Chosen: residual. There are too many columns for a graphical model.";
        return;
    }
    double moved = noisy_records(plan);
    bool noisy = small && moved > NOISY_RECORDS;
    if (noisy) r->options.mechanism = SU_MECHANISM_AIM;
    r->mechanism_reason = su_arena_printf(
        &r->arena,
        "Chosen: %s. By the lists of codes and the budget alone, noise on all tables of the mechanism residual would move about %.0f "
        "records in the mean table of two columns; aim is chosen above %.0f%s.",
        su_mechanism_name(r->options.mechanism), moved, NOISY_RECORDS,
        moved > NOISY_RECORDS && !small ? ", but not for more than 128 columns" : "");
    su_release_free(plan);
}
