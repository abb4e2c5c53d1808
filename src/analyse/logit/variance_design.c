/* The covariance of a fit under a survey design: B C B, C the design's covariance of the totals of the scores. A column of scores is the
 * residual times a column of the model matrix; both are made when a row is read, so that no table of rows x columns is held. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/variance.h"
#include "numeric/matrix.h"

typedef struct score_column {
    const su_predictors *x;
    const double *residual; /* one per row of the frame; NaN = not used */
    uint32_t column;
} score_column;

static void read_scores(const void *arg, uint64_t from, uint32_t n, double *y)
{
    const score_column *c = arg;
    for (uint32_t i = 0; i < n; i++) {
        double residual = c->residual[from + i];
        y[i] = isnan(residual) ? NAN : residual * su_predictors_value(c->x, (uint32_t)(from + i), c->column);
    }
}

/* Per unit of the design's weight; the fit may have had it times a constant. */
static double *residuals(const su_variance_input *in, const su_design *design)
{
    uint64_t rows = in->x->frame->rows;
    double *out = su_alloc_array(rows, sizeof *out), scale = 1;
    for (uint64_t i = 0; i < in->x->row_count; i++) {
        double w = su_design_weights(design)[in->x->rows[i]];
        if (w <= 0) continue;
        scale = in->weight ? in->weight[in->x->rows[i]] / w : 1 / w;
        break;
    }
    for (uint64_t r = 0; r < rows; r++) out[r] = NAN;
    su_variance_input plain = *in;
    plain.weight = NULL;
    su_sparse s = su_sparse_new(in->x);
    for (uint64_t i = 0; i < in->x->row_count; i++) out[in->x->rows[i]] = scale * su_row_score_of(&plain, i, &s).residual;
    su_sparse_free(&s);
    return out;
}

/* B (all columns x kept) C (kept x kept) B'. */
static void sandwich(const su_fit *f, const uint32_t *column, uint32_t kept, const double *c, double *v)
{
    uint32_t p = f->columns;
    double *bread = su_alloc_array((size_t)p * kept, sizeof *bread), *half = su_alloc_array((size_t)p * kept, sizeof *half);
    double *across = su_alloc_array((size_t)p * kept, sizeof *across);
    for (uint32_t a = 0; a < p; a++)
        for (uint32_t k = 0; k < kept; k++) bread[(size_t)a * kept + k] = across[(size_t)k * p + a] = f->bread[(size_t)a * p + column[k]];
    su_multiply(bread, c, p, kept, kept, half);
    su_multiply(half, across, p, kept, p, v);
    free(bread);
    free(half);
    free(across);
}

su_status su_covariance_of_design(su_context *ctx, const su_variance_input *in, const su_design *design, su_covariance *out)
{
    uint32_t p = in->x->columns, kept = 0, *column = su_alloc_array(p, sizeof *column);
    for (uint32_t j = 0; j < p; j++)
        if (in->fit->kept[j]) column[kept++] = j;
    score_column *scores = su_alloc_array(kept, sizeof *scores);
    su_estimand *what = su_alloc_array(kept, sizeof *what);
    su_estimate *estimates = su_alloc_array(kept, sizeof *estimates);
    double *covariance = su_alloc_array((size_t)kept * kept, sizeof *covariance), *residual = residuals(in, design);
    for (uint32_t k = 0; k < kept; k++) {
        scores[k] = (score_column) { in->x, residual, column[k] };
        what[k] = (su_estimand) { .statistic = SU_TOTAL, .read = read_scores, .arg = &scores[k] };
    }
    su_status st = su_design_estimate(ctx, design, what, kept, estimates, covariance);
    double df = kept ? estimates[0].df + 1 - in->fit->rank : 0;
    if (st == SU_OK) sandwich(in->fit, column, kept, covariance, out->v);
    for (uint32_t k = 0; st == SU_OK && k < kept; k++) out->df[column[k]] = df;
    snprintf(out->label, sizeof out->label, "survey design (Taylor linearisation), t with %g df", df);
    free(scores);
    free(what);
    free(estimates);
    free(covariance);
    free(residual);
    free(column);
    return st;
}
