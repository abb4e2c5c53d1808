/* The covariance of a fit under a survey design. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/variance.h"

su_status su_covariance_of_design(su_context *ctx, const su_variance_input *in, const su_design *design, su_covariance *out)
{
    uint32_t p = in->x->columns, kept = 0, *column = su_alloc_array(p, sizeof *column);
    uint64_t rows = in->x->frame->rows;
    for (uint32_t j = 0; j < p; j++)
        if (in->fit->kept[j]) column[kept++] = j;
    double **z = su_alloc_array(kept, sizeof *z), *work = su_alloc_array(p, sizeof *work);
    su_estimand *what = su_alloc_array(kept, sizeof *what);
    su_estimate *estimates = su_alloc_array(kept, sizeof *estimates);
    double *covariance = su_alloc_array((size_t)kept * kept, sizeof *covariance);
    for (uint32_t k = 0; k < kept; k++) {
        z[k] = su_alloc_array(rows, sizeof **z);
        for (uint64_t r = 0; r < rows; r++) z[k][r] = NAN; /* rows that are not used are outside the domain */
        what[k] = (su_estimand) { .statistic = SU_TOTAL, .y = z[k] };
    }
    su_sparse s = su_sparse_new(in->x);
    su_variance_input plain = *in;
    plain.weight = NULL; /* the design has the weights; the fit had them times `scale` */
    double scale = 1;
    for (uint64_t i = 0; i < in->x->row_count; i++) {
        double w = su_design_weights(design)[in->x->rows[i]];
        if (w <= 0) continue;
        scale = in->weight ? in->weight[in->x->rows[i]] / w : 1 / w;
        break;
    }
    for (uint64_t i = 0; i < in->x->row_count; i++) {
        su_row_score r = su_row_score_of(&plain, i, &s);
        memset(work, 0, p * sizeof *work);
        for (uint32_t a = 0; a < s.n; a++)
            for (uint32_t j = 0; j < p; j++) work[j] += scale * r.residual * s.value[a] * in->fit->bread[(size_t)s.column[a] * p + j];
        for (uint32_t k = 0; k < kept; k++) z[k][in->x->rows[i]] = work[column[k]];
    }
    su_status st = su_design_estimate(ctx, design, what, kept, estimates, covariance);
    double df = kept ? estimates[0].df + 1 - in->fit->rank : 0;
    for (uint32_t a = 0; st == SU_OK && a < kept; a++) {
        out->df[column[a]] = df;
        for (uint32_t b = 0; b < kept; b++) out->v[(size_t)column[a] * p + column[b]] = covariance[(size_t)a * kept + b];
    }
    snprintf(out->label, sizeof out->label, "survey design (Taylor linearisation), t with %g df", df);
    su_sparse_free(&s);
    for (uint32_t k = 0; k < kept; k++) free(z[k]);
    free(z);
    free(work);
    free(what);
    free(estimates);
    free(covariance);
    free(column);
    return st;
}
