/* evaluate: a release beside the truth (docs/methods/evaluation.md). Outside the guarantee: the numbers themselves say something about the data. */
#include "evaluate.h"
#include "variation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void su_tally_meet(su_tallies *all, const su_meeting *m)
{
    su_tally *t = &all->level[m->length];
    if (m->aggregate && !isnan(m->aggregate->ci_low)) {
        t->intervals++;
        t->held += m->aggregate->ci_low <= (double)m->truly && (double)m->truly <= m->aggregate->ci_high;
    }
    if (!m->truly && !m->released) return;
    double error = m->truly > m->released ? (double)(m->truly - m->released) : (double)(m->released - m->truly);
    t->unions++;
    t->error_union += error;
    if (error > t->max_error) t->max_error = error;
    if (m->truly) t->truly++;
    if (m->released) t->released++;
    if (m->truly && m->released) {
        t->common++;
        t->true_sum += (double)m->truly;
        t->error_common += error;
    }
}

static double share(double part, double whole) { return whole > 0 ? part / whole : NAN; }

static void summarise(const su_tally *t, su_evaluation_level *out)
{
    out->combinations_true = t->truly;
    out->combinations_released = t->released;
    out->common = t->common;
    out->mean_count = share(t->true_sum, (double)t->common);
    out->error_common = share(t->error_common, (double)t->common);
    out->error_union = share(t->error_union, (double)t->unions);
    out->suppressed = share((double)(t->truly - t->common), (double)t->truly);
    out->fabricated = share((double)(t->released - t->common), (double)t->truly);
    out->max_error = t->max_error;
    out->coverage = share((double)t->held, (double)t->intervals);
    out->total_variation = NAN;
}

void su_tallies_summarise(su_tallies *tallies, uint32_t length, su_evaluation_level *out)
{
    su_tally *all = &tallies->level[0];
    for (uint32_t l = 1; l <= length; l++) {
        const su_tally *t = &tallies->level[l];
        all->truly += t->truly;
        all->released += t->released;
        all->common += t->common;
        all->unions += t->unions;
        all->intervals += t->intervals;
        all->held += t->held;
        all->true_sum += t->true_sum;
        all->error_common += t->error_common;
        all->error_union += t->error_union;
        if (t->max_error > all->max_error) all->max_error = t->max_error;
        summarise(t, &out[l]);
    }
    summarise(all, &out[0]);
}

static void meet(void *arg, const su_meeting *m) { su_tally_meet(arg, m); }

static su_status total_variations(su_context *ctx, const su_release *r, const su_code_matrix *truth, su_evaluation *out)
{
    su_code_matrix records = su_record_matrix(r);
    su_status status = SU_OK;
    for (uint32_t l = 1; status == SU_OK && l <= out->length; l++) {
        su_variations v;
        su_progress(ctx, "comparing with the data", (double)l / out->length);
        su_variations_of(ctx, truth, &records, l, &v);
        out->records[l].total_variation = su_variations_mean(&v);
        su_variations_free(&v);
        if (su_cancelled(ctx)) status = su_fail(ctx, SU_CANCELLED, "stopped while comparing the release with the data");
    }
    free(records.columns);
    return status;
}

su_status su_release_evaluate(su_context *ctx, const su_release *r, const su_code_matrix *m, su_evaluation *out)
{
    su_combinations truths[SU_MAX_LENGTH + 1];
    su_tallies aggregates = { 0 }, records = { 0 };
    memset(out, 0, sizeof *out);
    su_status status = su_compare_columns(ctx, r, m);
    if (status != SU_OK) return status;
    out->length = su_compare_length(r);
    out->record_expansion = m->row_count ? (double)r->record_count / (double)m->row_count - 1 : NAN;
    status = su_true_combinations(ctx, m, out->length, truths);
    if (status == SU_OK) status = su_compare_aggregates(ctx, r, truths, meet, &aggregates);
    if (status == SU_OK) status = su_compare_records(ctx, r, truths, meet, &records);
    if (status == SU_OK) {
        su_tallies_summarise(&aggregates, out->length, out->aggregates);
        su_tallies_summarise(&records, out->length, out->records);
        status = total_variations(ctx, r, m, out);
    }
    su_true_free(truths);
    return status;
}
