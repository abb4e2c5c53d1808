/* plan: which tables are measured and with how much noise (docs/methods/noise.md). Reads public facts only: names and numbers of
 * codes of the columns, and the options. Two data sets of one schema and mapping get the same plan, byte for byte. */
#include "../auto.h"
#include "../pgm/pgm.h"
#include "../sds/sds.h"
#include "budget.h"
#include "lattice.h"
#include "spend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DELTA 1e-9
#define DEFAULT_SECONDS 20.0
#define DEFAULT_TABLE_CELLS (UINT64_C(1) << 16) /* two country columns fit as a pair and not with a third: docs/methods/noise.md */
/* theta per length, in standard deviations; theta_1 is at least this and grows with the codelists (single_value_gate). Longer combinations
 * also need all their parts reported. Measured in docs/methods/noise.md; fixed before any data are seen. */
static const double GATE[SU_RELEASE_LENGTH_MAX + 1] = { 0, 3, 1.4, 0, 0 };
/* Where longer combinations are judged by fitted tables (synth/fit.h), which are several times more exact than the deviation of one
 * estimate says: theta, and the least number of people there. Measured in docs/methods/projection.md. */
static const double GATE_FITTED[SU_RELEASE_LENGTH_MAX + 1] = { 0, 3, 0.15, 0.05, 0.05 };
static const double LEAST_FITTED[SU_RELEASE_LENGTH_MAX + 1] = { 0, 1, 2.5, 1.25, 1.25 };
#define INVENTED_VALUES 0.01 /* expected number, per release, of reported values that nobody has */

#define ACCOUNTANT_STEPS 8  /* of the search for the noise; two or three do */
#define ACCOUNTANT_GAP 2e-4 /* ln delta left unused; a tenth of that in ln sigma, or less */

#define MAX_SETS (UINT64_C(1) << 22)
#define MAX_CELLS (UINT64_C(1) << 26)

static su_status check_options(su_context *ctx, const su_release_options *o, const su_matrix_column *columns, uint32_t column_count)
{
    if (su_mechanism_bound(o->mechanism) && !(o->epsilon > 0 && o->epsilon <= 100)) {
        return su_fail(ctx, SU_USAGE, "epsilon is %g; it must be above 0 and at most 100. Smaller protects more; 1 to 4 is usual.",
                       o->epsilon);
    }
    if (!(o->delta >= 0 && o->delta <= 1e-3)) {
        return su_fail(ctx, SU_USAGE, "delta is %g; it must be above 0 and at most 0.001. Leave it out for 1e-9.", o->delta);
    }
    if (!(o->rho_most >= 0)) {
        return su_fail(ctx, SU_USAGE, "The most that may be spent is %g; it must not be negative. 0 sets no limit.", o->rho_most);
    }
    if (o->length < 1 || o->length > SU_RELEASE_LENGTH_MAX) {
        return su_fail(ctx, SU_USAGE, "length is %u; combinations of 1 to %u attributes can be released.", o->length,
                       SU_RELEASE_LENGTH_MAX);
    }
    if (!(o->seconds >= 0) || isinf(o->seconds)) {
        return su_fail(ctx, SU_USAGE, "the time for synthesis is %g seconds; give 0 for the default or a positive number.", o->seconds);
    }
    if (o->contribution > SU_MAX_CONTRIBUTION) {
        return su_fail(ctx, SU_USAGE, "A person may have at most %u records in a release, not %u.", SU_MAX_CONTRIBUTION, o->contribution);
    }
    if (o->prior && o->mechanism != SU_MECHANISM_RESIDUAL) {
        return su_fail(ctx, SU_USAGE, "An earlier release can help the mechanism residual only, not %s.", su_mechanism_name(o->mechanism));
    }
    if (column_count == 0) {
        return su_fail(ctx, SU_REFUSED,
                       "There is no column to release: no column of the schema is both marked for release and filled by "
                       "the mapping.");
    }
    if (column_count > UINT16_MAX) {
        return su_fail(ctx, SU_REFUSED, "There are %u columns; at most 65,535 can be released.", column_count);
    }
    for (uint32_t c = 0; c < column_count; c++) {
        if (columns[c].card == 0 || columns[c].card > 65536) {
            return su_fail(ctx, SU_USAGE, "Column %s has %u codes; 1 to 65,536 are possible, the absent code included.", columns[c].name,
                           columns[c].card);
        }
    }
    return SU_OK;
}

/* ---- workload ---------------------------------------------------------------------------------------------------- */

enum { LEFT_OUT, INSIDE_LARGER, MEASURED };

typedef struct workload {
    su_ranking ranking;
    uint8_t *state[SU_RELEASE_LENGTH_MAX + 1]; /* [length][rank of the set] */
    size_t table_count, inside_count, dropped_count;
    uint64_t cells;
} workload;

/* True when a set with one column more is measured or lies inside a measured one. */
static bool inside_larger(const workload *w, const uint32_t *set, uint32_t length, uint32_t top)
{
    if (length == top) {
        return false;
    }
    uint32_t larger[SU_RELEASE_LENGTH_MAX];
    for (uint32_t c = 0, at = 0; c < w->ranking.column_count; c++) {
        if (at < length && set[at] == c) {
            at++;
            continue;
        }
        memcpy(larger, set, at * sizeof *set);
        larger[at] = c;
        memcpy(larger + at + 1, set + at, (length - at) * sizeof *set);
        if (w->state[length + 1][su_ranking_of(&w->ranking, larger, length + 1)] != LEFT_OUT) {
            return true;
        }
    }
    return false;
}

/* All sets of `top` columns whose table is small enough; then, length by length, the sets that no table chosen so far holds. The sets inside
 * them are listed too: a part of the budget may go to them (budget.h). */
static void choose_tables(workload *w, const su_release *r, uint32_t top)
{
    for (uint32_t k = top; k > 0; k--) {
        uint32_t set[SU_RELEASE_LENGTH_MAX] = { 0, 1, 2, 3 };
        do {
            uint8_t *state = &w->state[k][su_ranking_of(&w->ranking, set, k)];
            uint64_t cells = su_subset_cells(r->columns, set, k);
            if (inside_larger(w, set, k, top)) {
                *state = INSIDE_LARGER;
                w->inside_count++;
            } else if (cells <= r->options.max_table_cells) {
                *state = MEASURED;
                w->table_count++;
                if (__builtin_add_overflow(w->cells, cells, &w->cells)) {
                    w->cells = UINT64_MAX;
                }
            } else {
                w->dropped_count++;
            }
        } while (su_subset_next(set, k, r->column_count));
    }
}

static void list_tables(const workload *w, su_release *r, uint32_t top)
{
    r->tables = su_arena_array(&r->arena, w->table_count + w->inside_count, sizeof *r->tables);
    r->dropped = su_arena_array(&r->arena, w->dropped_count, sizeof *r->dropped);
    for (uint32_t k = top; k > 0; k--) {
        uint32_t set[SU_RELEASE_LENGTH_MAX] = { 0, 1, 2, 3 };
        do {
            uint8_t state = w->state[k][su_ranking_of(&w->ranking, set, k)];
            uint64_t cells = su_subset_cells(r->columns, set, k);
            if (state == MEASURED || state == INSIDE_LARGER) {
                su_release_table *t = &r->tables[r->table_count++];
                t->length = k;
                t->cells = cells;
                t->inside_larger = state == INSIDE_LARGER;
                memcpy(t->columns, set, k * sizeof *set);
            } else if (state == LEFT_OUT) {
                su_dropped_table *t = &r->dropped[r->dropped_count++];
                t->length = k;
                t->cells = cells;
                memcpy(t->columns, set, k * sizeof *set);
            }
        } while (su_subset_next(set, k, r->column_count));
    }
}

static su_status plan_workload(su_context *ctx, su_release *r)
{
    workload w = { .table_count = 0 };
    uint32_t top = r->options.length < r->column_count ? r->options.length : r->column_count;
    su_status status = SU_OK;
    su_ranking_init(&w.ranking, r->column_count);
    if (su_ranking_count(&w.ranking, top) > MAX_SETS) {
        status = su_fail(ctx, SU_REFUSED,
                         "%u columns have too many combinations of %u columns to release them all. Choose a smaller "
                         "length.",
                         r->column_count, top);
        goto out;
    }
    for (uint32_t k = 1; k <= top; k++) {
        w.state[k] = su_alloc(su_ranking_count(&w.ranking, k));
    }
    choose_tables(&w, r, top);
    if (w.table_count == 0) {
        status = su_fail(ctx, SU_REFUSED,
                         "No table has at most %llu cells, so there is nothing to release. Raise the limit on table "
                         "cells.",
                         (unsigned long long)r->options.max_table_cells);
        goto out;
    }
    if (w.cells > MAX_CELLS) {
        status = su_fail(ctx, SU_REFUSED,
                         "The tables to release have %llu cells in all; at most %llu are possible. "
                         "Choose a smaller length or a smaller limit on table cells.",
                         (unsigned long long)w.cells, (unsigned long long)MAX_CELLS);
        goto out;
    }
    list_tables(&w, r, top);
out:
    for (uint32_t k = 1; k <= top; k++) {
        free(w.state[k]);
    }
    su_ranking_free(&w.ranking);
    return status;
}

/* ---- budget ------------------------------------------------------------------------------------------------------ */

/* sigma_t^2 = 1/(2 rho share_t) rounded up, rho the part of the budget that one record of a person may cost; what that spends is compared
 * with rho in integers. False: more than rho, or a sigma above a million. */
static bool set_variances(su_release *r, double rho)
{
    su_spending spending;
    double people = (double)r->options.contribution * r->options.contribution;
    su_spending_init(&spending, rho);
    su_spending_group(&spending, r->options.contribution);
    double record = su_spending_left(&spending);
    for (size_t i = 0; i < r->table_count; i++) {
        double s2 = (1 + 1e-12) / (2 * record * r->tables[i].share);
        if (!(s2 <= 1e12)) {
            return false;
        }
        r->tables[i].variance = su_variance_above(s2);
        if (!su_spend_table(&spending, r->tables[i].variance)) {
            return false;
        }
    }
    r->rho = nextafter(people * su_spending_used(&spending), INFINITY);
    return r->rho <= rho;
}

static void list_noise(const su_release *r, su_noise *noise)
{
    for (size_t i = 0; i < r->table_count; i++) {
        noise[i] = (su_noise) { .variance = r->tables[i].variance, .tables = 1 };
    }
}

static double delta_of(const su_release *r, su_noise *noise)
{
    list_noise(r, noise);
    return su_noise_delta(noise, r->table_count, r->options.epsilon);
}

/* Largest rho found, above `least` and up to `most`, at which the variances themselves keep delta. Starts where continuous noise would be
 * and follows the slope of ln delta, about -(epsilon - rho)^2 / 4 rho, in ln rho. Every rho returned was checked with the variances it
 * gives. */
static double largest_rho(su_release *r, double least, double most, su_noise *noise)
{
    double epsilon = r->options.epsilon, delta = r->options.delta, best = least;
    double rho = fmin(su_gaussian_rho(epsilon, delta), most);
    for (int i = 0; i < ACCOUNTANT_STEPS && rho > best; i++) {
        double gap = set_variances(r, rho) ? log(delta) - log(delta_of(r, noise)) : -1;
        if (gap >= 0) {
            best = rho;
        }
        if (gap >= 0 && (gap < 5 * ACCOUNTANT_GAP || rho == most)) {
            break;
        }
        double slope = fmax((epsilon * epsilon / rho - rho) / 4, 1);
        rho = fmin(rho * exp(fmin((gap - 2 * ACCOUNTANT_GAP) / slope, 1)), most);
    }
    return best;
}

/* The epsilon that is quoted: the smallest of what both accountants find and, where the search checked it, the one asked for. The privacy
 * loss distribution is that of one record; for a person of several, group privacy of zCDP is what holds. */
static void state_epsilon(su_release *r, const su_noise *noise, bool checked)
{
    double delta = r->options.delta, zcdp = su_zcdp_epsilon(r->rho, delta);
    r->accountant = SU_ACCOUNTANT_ZCDP;
    r->epsilon_stated = zcdp;
    if (r->options.contribution > 1) {
        return;
    }
    double pld = fmin(su_noise_epsilon(noise, r->table_count, delta), checked ? r->options.epsilon : INFINITY);
    r->accountant = pld < zcdp ? SU_ACCOUNTANT_PLD : SU_ACCOUNTANT_ZCDP;
    r->epsilon_stated = fmin(pld, zcdp);
}

static su_status plan_noise(su_context *ctx, su_release *r)
{
    double most = r->options.rho_most > 0 ? r->options.rho_most : INFINITY;
    double rho = fmin(su_zcdp_rho(r->options.epsilon, r->options.delta), most);
    su_noise *noise = su_alloc_array(r->table_count, sizeof *noise);
    bool zcdp = set_variances(r, rho);
    double best = zcdp && r->options.contribution == 1 ? largest_rho(r, rho, most, noise) : rho;
    bool good = set_variances(r, best);
    if (good) {
        list_noise(r, noise);
        state_epsilon(r, noise, best > rho);
    }
    free(noise);
    if (!good) {
        return su_fail(ctx, SU_REFUSED,
                       "epsilon %g over %zu tables would need noise with a standard deviation above a million. "
                       "Choose a larger epsilon or a smaller length.",
                       r->options.epsilon, r->table_count);
    }
    if (!(r->epsilon_stated <= r->options.epsilon)) {
        return su_fail(ctx, SU_INTERNAL, "The noise planned would spend more than its budget. Nothing was measured; please report this.");
    }
    return SU_OK;
}

/* ---- gate -------------------------------------------------------------------------------------------------------- */

/* Smallest theta at which normal noise alone would let at most INVENTED_VALUES of all codes of all columns through, were all of them
 * absent: a country that no record has must not appear. A function of the codelists' lengths. */
static double single_value_gate(const su_release *r)
{
    double codes = 0, low = GATE[1], high = 40;
    for (uint32_t c = 0; c < r->column_count; c++) {
        codes += r->columns[c].card - 1;
    }
    while (high - low > 1e-6) {
        double middle = (low + high) / 2;
        if (codes * erfc(middle / sqrt(2)) / 2 > INVENTED_VALUES) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

/* ---- plan -------------------------------------------------------------------------------------------------------- */

static void copy_columns(su_release *r, const su_matrix_column *columns, uint32_t column_count)
{
    r->column_count = column_count;
    r->columns = su_arena_array(&r->arena, column_count, sizeof *r->columns);
    for (uint32_t c = 0; c < column_count; c++) {
        r->columns[c] = columns[c];
        r->columns[c].name = columns[c].name ? su_arena_strndup(&r->arena, columns[c].name, strlen(columns[c].name)) : "";
        r->columns[c].codes = NULL;
        r->columns[c].bytes = NULL;
    }
}

/* What the mechanism measures and how much noise it adds. */
static su_status plan_mechanism(su_context *ctx, su_release *r)
{
    switch (r->options.mechanism) {
    case SU_MECHANISM_MST:
    case SU_MECHANISM_AIM:
        return su_pgm_plan(ctx, r);
    case SU_MECHANISM_SDS:
        return su_sds_plan(ctx, r);
    case SU_MECHANISM_ROW_SEEDED:
    case SU_MECHANISM_VALUE_SEEDED:
    case SU_MECHANISM_UNSEEDED:
        return su_k_plan(ctx, r);
    default: {
        for (uint32_t k = 0; k <= SU_MAX_LENGTH; k++) {
            r->prior_weight[k] = 1;
        }
        memcpy(r->gate + 2, GATE_FITTED + 2, sizeof GATE_FITTED - 2 * sizeof *GATE_FITTED);
        memcpy(r->least_count, LEAST_FITTED, sizeof LEAST_FITTED);
        su_status status = plan_workload(ctx, r);
        if (status) {
            return status;
        }
        su_budget_divide(r);
        return plan_noise(ctx, r);
    }
    }
}

su_status su_release_plan(su_context *ctx, const su_schema *schema, const su_matrix_column *columns, uint32_t column_count,
                          const su_release_options *opts, su_release **out)
{
    *out = NULL;
    su_status status = check_options(ctx, opts, columns, column_count);
    if (status) {
        return status;
    }
    su_release *r = su_alloc(sizeof *r);
    su_arena_init(&r->arena);
    r->schema = schema;
    r->options = *opts;
    r->options.delta = opts->delta > 0 ? opts->delta : DEFAULT_DELTA;
    r->options.max_table_cells = opts->max_table_cells ? opts->max_table_cells : DEFAULT_TABLE_CELLS;
    r->options.seconds = opts->seconds > 0 ? opts->seconds : DEFAULT_SECONDS;
    r->options.contribution = opts->contribution ? opts->contribution : 1;
    copy_columns(r, columns, column_count);
    status = su_rules_of(ctx, &r->arena, schema, r->columns, column_count, &r->rules);
    if (status) {
        su_release_free(r);
        return status;
    }
    memcpy(r->gate, GATE, sizeof GATE);
    r->gate[1] = single_value_gate(r);
    for (uint32_t k = 0; k <= SU_MAX_LENGTH; k++) {
        r->expected_invented[k] = NAN;
    }
    if (opts->mechanism_auto) {
        su_mechanism_choose(r);
    }
    status = plan_mechanism(ctx, r);
    if (status) {
        su_release_free(r);
        return status;
    }
    *out = r;
    return SU_OK;
}

void su_release_free(su_release *r)
{
    if (r) {
        su_arena_free(&r->arena);
        free(r);
    }
}
