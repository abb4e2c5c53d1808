/* Estimates that another program made in each completion. */
#include <math.h>
#include <stdlib.h>

#include "impute/pool_table.h"

su_status su_pool_estimates(su_context *ctx, su_frame *f, const su_variable *term, const su_variable *estimate, const su_variable *error,
                            double complete_df, double level, su_result *out)
{
    const su_variable *factor = NULL;
    su_status st = su_frame_as_factor(ctx, f, term, &factor);
    if (st) return st;
    if (estimate->kind != SU_VARIABLE_NUMBER || error->kind != SU_VARIABLE_NUMBER)
        return su_fail(ctx, SU_INPUT, "'%s' holds text; numbers are needed",
                       estimate->kind != SU_VARIABLE_NUMBER ? estimate->name : error->name);
    double *q = su_alloc_array(f->rows, sizeof *q), *u = su_alloc_array(f->rows, sizeof *u);
    su_result_table *t = su_pool_table(out, false);
    for (uint32_t k = 1; !st && k <= factor->level_count; k++) {
        size_t m = 0;
        for (uint64_t row = 0; !st && row < f->rows; row++) {
            if (su_frame_level(factor, row) != k) continue;
            q[m] = su_frame_number(estimate, row);
            double se = su_frame_number(error, row);
            if (!(se >= 0) || isnan(q[m]))
                st = su_fail(ctx, SU_INPUT, "data row %llu: an estimate and a standard error of zero or more are needed",
                             (unsigned long long)row + 1);
            u[m++] = se * se;
        }
        if (!st && m < 2) st = su_fail(ctx, SU_REFUSED, "'%s' has one estimate; pooling needs two or more", factor->levels[k - 1]);
        if (st) break;
        su_pooled one = su_pool(q, u, m, complete_df);
        su_pool_row(t, factor->levels[k - 1], &one, level, false);
    }
    free(q);
    free(u);
    if (st) return st;
    su_result_fact(out, "n", "Estimates", (double)f->rows);
    su_result_fact_text(out, "method", "Method", "Rubin's rules, Barnard-Rubin df");
    if (isinf(complete_df))
        su_result_warn(out, "W_NO_COMPLETE_DF",
                       "without --complete-df the intervals are those of an endless sample: too narrow for a small one");
    su_result_method(out, "Estimates of the completions were pooled by Rubin's rules.");
    return SU_OK;
}
