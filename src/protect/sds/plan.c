/* plan: what the mechanisms of Synthetic Data Showcase spend and how much noise they add (docs/methods/sds.md, Aggregates). Public facts
 * only. */
#include "../dp/spend.h"
#include "sds.h"

#include <math.h>
#include <string.h>

#define GRID_MAX (UINT64_C(1) << 20)
#define LARGEST_VARIANCE 1e12
#define INVENTED_VALUES 0.01 /* candidates from the codelist: expected number of reported values that nobody has, as in dp/plan.c */

double su_sds_normal_upper(double tail)
{
    double low = -40, high = 40;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2;
        if (erfc(middle / sqrt(2)) / 2 * (1 + 1e-12) > tail)
            low = middle;
        else
            high = middle;
    }
    return high + 1e-12;
}

static su_status check_attributes(su_context *ctx, const su_release *r)
{
    if (r->options.contribution > 1)
        return su_fail(ctx, SU_USAGE,
                       "The mechanism %s protects one record, not a person with up to %u of them. Use residual, mst or aim, or a contribution "
                       "of 1.",
                       su_mechanism_name(r->options.mechanism), r->options.contribution);
    uint64_t attributes = 0;
    for (uint32_t c = 0; c < r->column_count; c++) attributes += r->columns[c].card - 1;
    if (attributes > SU_ATTRIBUTES_MAX)
        return su_fail(
            ctx, SU_REFUSED,
            "The columns have %llu values in all; %s works with at most %u. Release fewer columns, or use the mechanism residual.",
            (unsigned long long)attributes, su_mechanism_name(r->options.mechanism), SU_ATTRIBUTES_MAX);
    return SU_OK;
}

su_status su_sds_same_columns(su_context *ctx, const su_release *r, const su_code_matrix *m)
{
    if (m->column_count != r->column_count)
        return su_fail(ctx, SU_USAGE, "The data have %u columns, the plan of the release %u. Plan again with the columns of these data.",
                       m->column_count, r->column_count);
    for (uint32_t c = 0; c < m->column_count; c++)
        if (m->columns[c].card != r->columns[c].card)
            return su_fail(ctx, SU_USAGE,
                           "Column %s has %u codes in the data and %u in the plan of the release. Plan again with these columns.",
                           r->columns[c].name, m->columns[c].card, r->columns[c].card);
    return SU_OK;
}

/* ---- K-anonymous modes -------------------------------------------------------------------------------------------- */

su_status su_k_plan(su_context *ctx, su_release *r)
{
    if (r->options.k < 2)
        return su_fail(ctx, SU_USAGE, "The mechanism %s needs K, the smallest group it may show: at least 2 (10 is usual).",
                       su_mechanism_name(r->options.mechanism));
    r->options.epsilon = r->epsilon_stated = r->rho = INFINITY;
    r->options.delta = 1;
    memset(r->gate, 0, sizeof r->gate);
    return check_attributes(ctx, r);
}

/* ---- aggregates with differential privacy ------------------------------------------------------------------------- */

static su_status fill_defaults(su_context *ctx, su_release *r)
{
    su_sds_options *o = &r->options.sds;
    if (o->record_share == 0) o->record_share = 0.005;
    if (o->percentile_share == 0) o->percentile_share = 0.01;
    if (o->percentile == 0) o->percentile = 99;
    if (o->weight_percentile == 0) o->weight_percentile = 95;
    if (!(o->record_share > 0 && o->record_share < 1 && o->percentile_share > 0 && o->percentile_share < 1))
        return su_fail(ctx, SU_USAGE,
                       "The shares of the budget for the number of records (%g) and the contribution bounds (%g) must lie between 0 and 1.",
                       o->record_share, o->percentile_share);
    if (o->percentile > 100 || o->weight_percentile > 100)
        return su_fail(ctx, SU_USAGE, "Percentiles must be 1 to 100, not %u and %u.", o->percentile, o->weight_percentile);
    for (uint32_t k = 1; k <= SU_MAX_LENGTH; k++)
        if (!(o->sigma_proportion[k] >= 0 && o->sigma_proportion[k] <= 1000 && o->adaptive[k] >= 0 && o->adaptive[k] <= 1 &&
              o->fixed[k] >= 0 && o->fixed[k] <= 1e9))
            return su_fail(ctx, SU_USAGE,
                           "For combinations of %u: a sigma proportion must be above 0 and at most 1000, an adaptive threshold above 0 and at "
                           "most 1, a fixed one at least 0.",
                           k);
    if (o->priority > SU_SDS_EVEN || o->fabrication > SU_SDS_MINIMISED)
        return su_fail(ctx, SU_USAGE, "The priority or the fabrication mode of sds is not one of the list.");
    return SU_OK;
}

/* p_k: sigma_k = p_k sigma. */
static double proportion(su_sds_priority p, uint32_t k, uint32_t top)
{
    switch (p) {
    case SU_SDS_LONG:
        return 1.0 / k;
    case SU_SDS_SHORT:
        return 1.0 / (top - k + 1);
    case SU_SDS_EVEN:
        break;
    }
    return 1;
}

static double proportion_of(const su_sds_options *o, uint32_t k, uint32_t top)
{
    return o->sigma_proportion[k] > 0 ? o->sigma_proportion[k] : proportion(o->priority, k, top);
}

/* eta_k, k >= 2. */
static double fabrication(su_sds_fabrication f, uint32_t k, uint32_t top)
{
    switch (f) {
    case SU_SDS_UNCONTROLLED:
        break;
    case SU_SDS_BALANCED:
        return k == 2 ? 0.55 : 1;
    case SU_SDS_PROGRESSIVE:
        return top == 2 ? 0.1 : 0.1 + 0.9 * (k - 2) / (top - 2);
    case SU_SDS_MINIMISED:
        return 0.01;
    }
    return 1;
}

/* C(n, k), at most `most`. */
static uint64_t choose(uint64_t n, uint32_t k, uint64_t most)
{
    if (k > n) return 0;
    uint64_t c = 1;
    for (uint32_t i = 1; i <= k; i++) {
        c = c * (n - k + i) / i; /* most and n are below 2^21 and 2^16: no overflow before the cut */
        if (c > most) return most;
    }
    return c;
}

/* The zCDP budget for bounds and noise. As SDS: (sqrt(epsilon_M + ln 2/delta) - sqrt(ln 2/delta))^2, which leaves some of epsilon unspent;
 * tight: all that Canonne, Kamath, Steinke allow, less the number of records. */
static double budget(const su_release *r, double delta, double record_rho)
{
    const su_sds_options *o = &r->options.sds;
    double most = r->options.rho_most > 0 ? r->options.rho_most * (1 - 1e-9) - record_rho : INFINITY;
    if (o->tight) return fmin(su_zcdp_rho(r->options.epsilon, delta) * (1 - 1e-9) - record_rho, most);
    double l = log(2 / r->options.delta), e = (1 - o->record_share) * r->options.epsilon;
    double root = sqrt(e + l) - sqrt(l);
    return fmin(root * root, most);
}

static su_status plan_lengths(su_context *ctx, su_release *r, double rho, uint32_t top)
{
    const su_sds_options *o = &r->options.sds;
    double s = 0;
    for (uint32_t k = 1; k <= top; k++) s += pow(proportion_of(o, k, top), -2);
    for (uint32_t k = 1; k <= top; k++) {
        su_sds_length *l = &r->sds.length[k];
        double s2 = pow(proportion_of(o, k, top), 2) * s / (2 * rho * (1 - o->percentile_share)) * (1 + 1e-12);
        if (!(s2 <= LARGEST_VARIANCE))
            return su_fail(ctx, SU_REFUSED,
                           "epsilon %g would need noise with a standard deviation above a million. Choose a larger epsilon.",
                           r->options.epsilon);
        l->unit = su_variance_above(s2);
        uint64_t affordable = (uint64_t)(LARGEST_VARIANCE * (double)l->unit.den / (double)l->unit.num);
        uint64_t most = affordable < GRID_MAX ? affordable : GRID_MAX;
        l->grid = choose(r->column_count, k, most);
        double eta = o->adaptive[k] > 0 ? o->adaptive[k] : fabrication(o->fabrication, k, top);
        if (k > 1 && o->fixed[k] == 0) r->gate[k] = fmax(0, su_sds_normal_upper(eta / 2) - 1e-9);
    }
    return SU_OK;
}

su_status su_sds_plan(su_context *ctx, su_release *r)
{
    su_status status = fill_defaults(ctx, r);
    if (!status) status = check_attributes(ctx, r);
    if (status) return status;
    const su_sds_options *o = &r->options.sds;
    su_sds_facts *f = &r->sds;
    memset(r->gate, 0, sizeof r->gate);
    f->lengths = r->options.length < r->column_count ? r->options.length : r->column_count;
    f->delta_threshold = o->codelist_candidates ? 0 : r->options.delta / 2;
    double delta = r->options.delta - f->delta_threshold; /* halving is exact */
    double scale = ceil(0x1p20 / (o->record_share * r->options.epsilon));
    f->record_scale_den = UINT64_C(1) << 20;
    f->record_scale_num = scale < 0x1p50 ? (uint64_t)scale : 0;
    if (f->record_scale_num == 0)
        return su_fail(ctx, SU_REFUSED, "epsilon %g leaves too little for the number of records. Choose a larger epsilon.",
                       r->options.epsilon);
    double record_epsilon = 0x1p20 / scale, record_rho = record_epsilon * record_epsilon / 2;
    double rho = budget(r, delta, record_rho);
    if (!(rho > 0)) return su_fail(ctx, SU_USAGE, "The number of records would use up the whole budget. Give it a smaller share.");
    f->percentile_epsilon_32 = (uint64_t)(sqrt(8 * rho * o->percentile_share / f->lengths) * 0x1p32);
    status = plan_lengths(ctx, r, rho, f->lengths);
    if (status) return status;
    double percentile_epsilon = (double)f->percentile_epsilon_32 * 0x1p-32;
    double spent = record_rho + f->lengths * percentile_epsilon * percentile_epsilon / 8;
    for (uint32_t k = 1; k <= f->lengths; k++) spent += (double)f->length[k].unit.den / (2 * (double)f->length[k].unit.num);
    r->rho = spent * (1 + 1e-14); /* above the rounding of these dozen operations */
    r->epsilon_stated = su_zcdp_epsilon(r->rho, delta);
    if (!(r->epsilon_stated <= r->options.epsilon))
        return su_fail(ctx, SU_INTERNAL, "The noise planned would spend more than its budget. Nothing was measured; please report this.");
    double codes = 0;
    for (uint32_t c = 0; c < r->column_count; c++) codes += r->columns[c].card - 1;
    r->gate[1] = o->codelist_candidates ? su_sds_normal_upper(fmin(0.5, INVENTED_VALUES / fmax(codes, 1))) : 0;
    return SU_OK;
}
