#include "replay.h"

#include "../dp/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Expected share of invented combinations among those reported, per length: fixed in advance. */
static const double TARGET[SU_RELEASE_LENGTH_MAX + 1] = { 0, 0, 0.01, 0.05, 0.05 };
/* The largest share at any one sum, however many sure combinations there are to make up for it: what is printed is more likely true than not, by
 * far. Not used when the replay is refuted, whose shares are too large already. */
static const double MOST[SU_RELEASE_LENGTH_MAX + 1] = { 0, 0, 0.12, 0.2, 0.2 };
#define MOST_SHOWN 0.4 /* the same for what records may show from three columns on */
/* Of what the records may show from three columns on, as a public function of the noise: a share of SHOWN / sqrt(sd), between the target
 * above and SHOWN_MOST. */
#define SHOWN 0.42
#define SHOWN_MOST 0.12
#define LEAST_PEOPLE 1.25 /* in the mean of the searches, however sure the replay is */

typedef struct replay {
    su_release release; /* the real one's columns, rules and tables, with the known people's records */
    su_matrix_column *columns;
    su_code_matrix people;
    const uint16_t **codes;  /* the known people */
    uint32_t *truth, *count; /* per cell of the lattice */
    float *mean;
} replay;

static void replay_init(replay *x, const su_release *r, const su_lattice *l, const uint32_t *count)
{
    memset(x, 0, sizeof *x);
    x->release = *r;
    x->release.records = su_alloc_array(r->column_count, sizeof *x->release.records);
    x->columns = su_alloc_array(r->column_count, sizeof *x->columns);
    x->codes = su_alloc_array(r->column_count, sizeof *x->codes);
    for (uint32_t c = 0; c < r->column_count; c++) {
        uint16_t *codes = su_alloc_array(r->record_count, sizeof *codes);
        memcpy(codes, r->records[c], r->record_count * sizeof *codes);
        x->columns[c] = r->columns[c];
        x->columns[c].codes = x->codes[c] = codes;
        x->release.records[c] = su_alloc_array(r->record_count, sizeof *x->release.records[c]);
    }
    x->people = (su_code_matrix) { .row_count = r->record_count, .column_count = r->column_count, .columns = x->columns };
    x->truth = su_alloc_array(l->cells, sizeof *x->truth);
    x->mean = su_alloc_array(l->cells, sizeof *x->mean);
    x->count = su_alloc_array(l->cells, sizeof *x->count);
    memcpy(x->count, count, l->cells * sizeof *count); /* single values are reported as in the release */
}

static void replay_free(replay *x)
{
    for (uint32_t c = 0; c < x->release.column_count; c++) {
        free((void *)x->codes[c]);
        free(x->release.records[c]);
    }
    free(x->release.records);
    free(x->columns);
    free(x->codes);
    free(x->truth);
    free(x->mean);
    free(x->count);
}

/* Measures the known people and fits them. */
static su_status replay_run(su_context *ctx, replay *x, const su_lattice *l, su_random *random)
{
    su_context quiet, fit_context;
    su_fit_part part;
    su_context_init(&quiet);
    quiet.cancel = ctx->cancel;
    quiet.threads = ctx->threads;
    su_measurement *noisy = NULL;
    su_status status = su_fit_count(&quiet, &x->release, l, x->codes, x->truth);
    if (!status) status = su_release_measure(&quiet, &x->release, &x->people, random, &noisy);
    if (status) return su_fail(ctx, status, "%s", quiet.message);
    su_estimates e;
    su_targets t;
    su_estimates_init(&e, &x->release, l, noisy);
    su_measurement_free(noisy);
    su_targets_init(&t, &x->release, l, &e, x->count);
    su_estimates_free(&e);
    su_fit_context(&fit_context, &part, ctx, SU_FIT_PART / 2, 0.5);
    status = su_fit_tables(&fit_context, &x->release, l, &t, random, x->mean);
    su_targets_free(&t);
    return status ? su_fail(ctx, status, "%s", fit_context.message) : SU_OK;
}

typedef struct tally {
    su_share share;
    const float *mean;
    const uint32_t *truth; /* NULL: of the release */
    unsigned searches;
    double target_shown;
} tally;

static void see(void *arg, size_t cell)
{
    tally *y = arg;
    uint32_t bin = su_share_bin((uint64_t)llrint((double)y->mean[cell] * y->searches));
    if (!y->truth) {
        y->share.seen[bin]++;
        return;
    }
    y->share.replayed[bin]++;
    y->share.empty[bin] += y->truth[cell] == 0;
    y->share.small[bin] += y->truth[cell] < SU_SHARE_FLOOR;
}

/* Sums are whole, so anything between two of them is a threshold that no rounding can miss. SU_SHARE_BINS: more people than there are. */
static double least_mean(const su_release *r, uint32_t bin, unsigned searches)
{
    return bin < SU_SHARE_BINS ? ((double)su_share_least(bin) - 0.5) / searches : (double)r->record_count + 1;
}

static void choose(su_release *r, su_release *shown, const tally *y, uint32_t length, bool small)
{
    double curve[SU_SHARE_BINS], unstated;
    uint32_t from = su_share_bin((uint64_t)ceil(LEAST_PEOPLE * y->searches));
    su_share_curve(&y->share, small, curve);
    r->gate[length] = shown->gate[length] = 0;
    uint32_t first = su_share_choose(&y->share, curve, from, TARGET[length], small ? 1 : MOST[length], &r->expected_invented[length]);
    uint32_t loose = length == 2 ? first : su_share_choose(&y->share, curve, from, y->target_shown, small ? 1 : MOST_SHOWN, &unstated);
    r->least_count[length] = least_mean(r, first, y->searches);
    shown->least_count[length] = least_mean(r, loose, y->searches);
}

su_status su_replay_gate(su_context *ctx, su_release *r, const su_lattice *l, const su_estimates *e, const su_targets *t, const float *mean,
                         su_random *random, uint32_t *count, uint32_t *shown)
{
    bool replayed = su_fit_replayed(t), small = false;
    su_status status = SU_OK;
    su_random stream;
    replay x;
    double most = fmin(SHOWN_MOST, SHOWN / sqrt(su_estimates_deviation(e, l, l->length)));
    su_release loose = *r;
    su_random_split(random, su_random_u64(random), &stream);
    if (replayed) {
        replay_init(&x, r, l, count);
        status = replay_run(ctx, &x, l, &stream);
    }
    memcpy(shown, count, l->cells * sizeof *shown);
    for (uint32_t k = 2; k <= l->length && status == SU_OK; k++) {
        if (replayed) {
            tally y = { .mean = mean, .searches = su_fit_searches(t), .target_shown = fmax(TARGET[k], most) };
            su_gate_candidates(r, l, k, count, see, &y);
            y.mean = x.mean;
            y.truth = x.truth;
            su_gate_candidates(r, l, k, x.count, see, &y);
            small = k == 2 ? su_share_distance(&y.share) > SU_SHARE_REFUTED : small;
            choose(r, &loose, &y, k, small);
            x.release.gate[k] = r->gate[k];
            x.release.least_count[k] = r->least_count[k];
            su_gate_length(&x.release, l, e, k, x.mean, x.count, x.release.suppressed_by_gate);
        }
        su_gate_length(r, l, e, k, mean, count, r->suppressed_by_gate);
        su_gate_length(&loose, l, e, k, mean, shown, loose.suppressed_by_gate);
    }
    if (replayed) replay_free(&x);
    su_random_wipe(&stream);
    return status;
}
