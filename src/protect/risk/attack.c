/* attack: many releases with and without the targets, and what each attack makes of them. */
#include "../utility/compare.h"
#include "classify.h"
#include "observe.h"
#include "score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_ROUNDS = 200, MOST_ROUNDS = 10000, FEWEST_RECORDS = 20, BATCH = 16 };
#define SUCCESS_AUC 0.6

#define NAME(id, name, about) name,
#define WORLD(id, name) name,
static const char *const names[] = { SU_ATTACK_LIST(NAME) };
static const char *const worlds[] = { SU_ATTACKED_LIST(WORLD) };
const char *su_attack_name(su_attack a) { return a < SU_ATTACK_COUNT ? names[a] : "unknown"; }
const char *su_attacked_name(su_attacked w) { return w < SU_ATTACKED_COUNT ? worlds[w] : "unknown"; }

/* ---- one run ---- */

typedef struct campaign {
    su_context *ctx;
    const su_code_matrix *m;
    const su_release_options *options;
    const su_random *random;
    su_attacked world;
    su_observations *o;
    uint32_t first; /* run of task 0 */
    su_status *status;
    char (*message)[sizeof((su_context *)0)->message];
} campaign;

/* Rows of m in `rows`, as a matrix of its own. */
static su_code_matrix take_rows(const su_code_matrix *m, const uint64_t *rows, uint64_t n)
{
    su_code_matrix out = { .schema = m->schema, .row_count = n, .column_count = m->column_count };
    out.columns = su_alloc_array(m->column_count, sizeof *out.columns);
    for (uint32_t c = 0; c < m->column_count; c++) {
        uint16_t *codes = su_alloc_array(n + 1, sizeof *codes);
        for (uint64_t r = 0; r < n; r++) codes[r] = m->columns[c].codes[rows[r]];
        out.columns[c] = m->columns[c];
        out.columns[c].codes = codes;
    }
    return out;
}

static void drop_rows(su_code_matrix *m)
{
    for (uint32_t c = 0; c < m->column_count; c++) {
        void *codes = (void *)(uintptr_t)m->columns[c].codes;
        su_wipe(codes, m->row_count * sizeof(uint16_t));
        free(codes);
    }
    free(m->columns);
}

/* Rows of the data without the targets that sit this run out. Draws the same coins in every world. */
static uint64_t choose_rows(const campaign *g, uint32_t run, uint64_t *rows)
{
    su_random coins;
    uint64_t n = 0;
    bool *out = su_alloc_array(g->m->row_count, sizeof *out);
    su_random_split(g->random, run, &coins);
    for (uint32_t t = 0; t < g->o->target_count; t++) {
        bool member = su_random_below(&coins, 2);
        g->o->member[(size_t)t * g->o->runs + run] = member;
        out[g->o->targets[t].row] = !member;
    }
    for (uint64_t r = 0; r < g->m->row_count; r++)
        if (!out[r]) rows[n++] = r;
    free(out);
    su_random_wipe(&coins);
    return n;
}

static uint64_t control_rows(su_attacked world, su_random *random, uint64_t *rows, uint64_t n)
{
    if (world == SU_ATTACKED_BOOTSTRAP) {
        uint64_t *drawn = su_alloc_array(n + 1, sizeof *drawn);
        for (uint64_t i = 0; i < n; i++) drawn[i] = rows[su_random_below(random, n)];
        memcpy(rows, drawn, n * sizeof *rows);
        free(drawn);
        return n;
    }
    for (uint64_t i = 0; i < n / 2; i++) {
        uint64_t other = i + su_random_below(random, n - i), keep = rows[i];
        rows[i] = rows[other];
        rows[other] = keep;
    }
    return n / 2;
}

static su_status observe_release(su_context *ctx, const campaign *g, const su_code_matrix *data, su_random *random, uint32_t run)
{
    su_release *r = NULL;
    su_release_options two = { .mechanism = SU_MECHANISM_ROW_SEEDED, .k = 2, .length = g->options->length };
    const su_release_options *options = g->world == SU_ATTACKED_RELEASE ? g->options : &two;
    su_status st = su_release_plan(ctx, g->m->schema, g->m->columns, g->m->column_count, options, &r);
    if (!st) st = su_release_run(ctx, r, data, random, NULL, NULL);
    if (!st) {
        static const su_aggregate none;
        su_view view = { .records = su_record_matrix(r),
                         .aggregates = r->aggregate_count ? r->aggregates : &none,
                         .aggregate_count = r->aggregate_count };
        static const uint16_t no_codes[1];
        for (uint32_t c = 0; r->record_count == 0 && c < r->column_count; c++) view.records.columns[c].codes = no_codes;
        su_observe(g->o, run, &view);
        free(view.records.columns);
    }
    su_release_free(r);
    return st;
}

static void one_run(void *arg, size_t i, unsigned worker)
{
    const campaign *g = arg;
    uint32_t run = g->first + (uint32_t)i;
    su_context ctx;
    su_random random;
    (void)worker;
    su_context_init(&ctx);
    ctx.threads = 1;
    ctx.cancel = g->ctx->cancel;
    if (su_cancelled(&ctx)) return;
    uint64_t *rows = su_alloc_array(g->m->row_count + 1, sizeof *rows), n = choose_rows(g, run, rows);
    su_random_split(g->random, ((uint64_t)g->world + 1) << 32 | run, &random);
    bool copied = g->world == SU_ATTACKED_BOOTSTRAP || g->world == SU_ATTACKED_SUBSAMPLE;
    if (copied) n = control_rows(g->world, &random, rows, n);
    su_code_matrix data = take_rows(g->m, rows, n);
    if (!copied) {
        g->status[i] = observe_release(&ctx, g, &data, &random, run);
        memcpy(g->message[i], ctx.message, sizeof ctx.message);
    } else {
        su_observe(g->o, run, &(su_view) { .records = data });
    }
    drop_rows(&data);
    su_random_wipe(&random);
    free(rows);
}

static su_status all_runs(campaign *g)
{
    su_status status[BATCH];
    char message[BATCH][sizeof((su_context *)0)->message];
    g->status = status;
    g->message = message;
    for (g->first = 0; g->first < g->o->runs; g->first += BATCH) {
        uint32_t n = g->o->runs - g->first < BATCH ? g->o->runs - g->first : BATCH;
        memset(status, 0, sizeof status);
        su_progress(g->ctx, su_attacked_name(g->world), (double)g->first / g->o->runs);
        su_parallel(g->ctx, n, one_run, g);
        if (su_cancelled(g->ctx)) return su_fail(g->ctx, SU_CANCELLED, "stopped; nothing was published and nothing is charged");
        for (uint32_t i = 0; i < n; i++)
            if (status[i]) return su_fail(g->ctx, status[i], "%s", message[i]);
    }
    su_progress(g->ctx, su_attacked_name(g->world), 1);
    return SU_OK;
}

/* ---- attacks ---- */

typedef struct jury {
    const su_observations *o;
    double epsilon, delta;
    bool bound;
    su_try *tries;
    double *scores;
} jury;

static su_attack_result verdict(jury *j, size_t n)
{
    return su_score(j->tries, n, j->o->runs, j->o->target_count, j->epsilon, j->delta, j->bound);
}

static su_try try_of(const jury *j, uint32_t t, uint32_t run, double score)
{
    return (su_try) { .score = score, .run = run, .target = t, .member = j->o->member[(size_t)t * j->o->runs + run] };
}

static su_attack_result judge_scores(jury *j, const double *scores)
{
    size_t n = 0;
    for (uint32_t t = 0; t < j->o->target_count; t++)
        for (uint32_t run = 0; run < j->o->runs; run++, n++) j->tries[n] = try_of(j, t, run, scores[n]);
    return verdict(j, n);
}

/* Features of the releases (one matrix for all targets) or of the targets (one each). */
static su_attack_result judge_shadow(jury *j, const double *x, size_t features, bool own)
{
    const su_observations *o = j->o;
    if (!x || !features) return (su_attack_result) { 0 };
    for (uint32_t t = 0; t < o->target_count; t++)
        su_cross_classify(x + (own ? (size_t)t * o->runs * features : 0), o->runs, features, o->member + (size_t)t * o->runs,
                          j->scores + (size_t)t * o->runs);
    return judge_scores(j, j->scores);
}

/* Sum over features of what the second release of a pair has more, in standard deviations of that feature over all runs. */
static double gain(const double *x, uint32_t run, const double *sd)
{
    double sum = 0;
    for (size_t q = 0; q < SU_QUERIES; q++)
        if (sd[q] > 0) sum += (x[(size_t)(run + 1) * SU_QUERIES + q] - x[(size_t)run * SU_QUERIES + q]) / sd[q];
    return sum;
}

static void deviations(const double *x, uint32_t runs, double *sd)
{
    for (size_t q = 0; q < SU_QUERIES; q++) {
        double sum = 0, squares = 0;
        for (uint32_t r = 0; r < runs; r++) sum += x[r * SU_QUERIES + q];
        for (uint32_t r = 0; r < runs; r++) squares += pow(x[r * SU_QUERIES + q] - sum / runs, 2);
        sd[q] = sqrt(squares / runs);
    }
}

/* Two releases in a row; the attacker knows that the target was not in the first. */
static su_attack_result judge_differencing(jury *j)
{
    const su_observations *o = j->o;
    size_t n = 0;
    for (uint32_t t = 0; t < o->target_count; t++) {
        const double *match = o->match + (size_t)t * o->runs * SU_QUERIES, *count = o->count + (size_t)t * o->runs * SU_QUERIES;
        double match_sd[SU_QUERIES], count_sd[SU_QUERIES];
        deviations(match, o->runs, match_sd);
        deviations(count, o->runs, count_sd);
        for (uint32_t run = 0; run + 1 < o->runs; run += 2) {
            if (o->member[(size_t)t * o->runs + run]) continue;
            j->tries[n] = try_of(j, t, run + 1, gain(match, run, match_sd) + gain(count, run, count_sd));
            j->tries[n++].run = run / 2; /* the jackknife leaves out pairs */
        }
    }
    return verdict(j, n);
}

static void judge(jury *j, su_attack_result result[SU_ATTACK_COUNT])
{
    const su_observations *o = j->o;
    size_t tries = (size_t)o->target_count * o->runs;
    j->tries = su_alloc_array(tries + 1, sizeof *j->tries);
    j->scores = su_alloc_array(tries + 1, sizeof *j->scores);
    result[SU_ATTACK_LINKAGE] = judge_scores(j, o->linkage);
    result[SU_ATTACK_CLOSEST] = judge_scores(j, o->closest);
    result[SU_ATTACK_INFERENCE] = judge_scores(j, o->inference);
    result[SU_ATTACK_SHADOW_NAIVE] = judge_shadow(j, o->naive, o->naive_n, false);
    result[SU_ATTACK_SHADOW_HISTOGRAM] = judge_shadow(j, o->histogram, o->histogram_n, false);
    result[SU_ATTACK_SHADOW_CORRELATION] = judge_shadow(j, o->correlation, o->correlation_n, false);
    result[SU_ATTACK_QUERIES] = judge_shadow(j, o->match, SU_QUERIES, true);
    result[SU_ATTACK_COUNTS] = judge_shadow(j, o->count, SU_QUERIES, true);
    result[SU_ATTACK_DIFFERENCING] = judge_differencing(j);
    free(j->tries);
    free(j->scores);
}

static bool succeeded(const su_attack_result *r)
{
    for (int a = 0; a < SU_ATTACK_COUNT; a++)
        if (r[a].ran && r[a].auc - 2 * r[a].auc_se > SUCCESS_AUC) return true;
    return false;
}

/* ---- the whole ---- */

static su_status settle(su_context *ctx, const su_code_matrix *m, const su_release_options *release, const su_attack_options *opts,
                        su_attack_report *out)
{
    su_release *plan = NULL;
    *out = (su_attack_report) { .rounds = opts->rounds ? opts->rounds : DEFAULT_ROUNDS,
                                .targets = opts->targets ? opts->targets : SU_MOST_TARGETS };
    if (m->row_count < FEWEST_RECORDS)
        return su_fail(ctx, SU_REFUSED, "with %llu records there is nobody to hide among: at least %d are needed",
                       (unsigned long long)m->row_count, FEWEST_RECORDS);
    if (out->rounds < 20 || out->rounds > MOST_ROUNDS)
        return su_fail(ctx, SU_USAGE, "the number of rounds must be from 20 to %d", MOST_ROUNDS);
    if (out->targets > SU_MOST_TARGETS) return su_fail(ctx, SU_USAGE, "at most %d targets", SU_MOST_TARGETS);
    if (out->targets > m->row_count / 4) out->targets = (uint32_t)(m->row_count / 4);
    out->sensitive = m->column_count - 1;
    for (uint32_t c = m->column_count; opts->sensitive < 0 && m->schema && c-- > 0;)
        if (m->schema->fields[m->columns[c].field].role == SU_ROLE_SENSITIVE) out->sensitive = c;
    if (opts->sensitive >= (int64_t)m->column_count) return su_fail(ctx, SU_USAGE, "there is no column %lld", (long long)opts->sensitive);
    if (opts->sensitive >= 0) out->sensitive = (uint32_t)opts->sensitive;
    su_status st = su_release_plan(ctx, m->schema, m->columns, m->column_count, release, &plan);
    if (st) return st;
    out->epsilon = plan->epsilon_stated;
    out->delta = plan->options.delta;
    out->bound_promised = su_mechanism_bound(plan->options.mechanism) && !plan->options.domain_from_data;
    su_release_free(plan);
    return SU_OK;
}

su_status su_attack_run(su_context *ctx, const su_code_matrix *m, const su_release_options *release, const su_attack_options *opts,
                        const su_random *random, su_attack_report *out)
{
    static const su_attack_options none = { .sensitive = -1 };
    if (!opts) opts = &none;
    su_status st = settle(ctx, m, release, opts, out);
    if (st) return st;
    su_arena arena;
    su_random stream;
    su_arena_init(&arena);
    su_target *targets = su_arena_array(&arena, out->targets, sizeof *targets);
    su_random_split(random, UINT64_MAX, &stream);
    uint32_t length = release->length < 3 ? release->length : 3;
    su_targets_choose(&arena, m, out->targets, length, &stream, targets);
    for (su_attacked w = 0; w < SU_ATTACKED_COUNT && !st; w++) {
        su_observations o;
        su_observations_init(&arena, &o, m, targets, out->targets, out->rounds, out->sensitive);
        campaign g = { .ctx = ctx, .m = m, .options = release, .random = random, .world = w, .o = &o };
        st = all_runs(&g);
        if (st) break;
        jury j = { .o = &o, .epsilon = out->epsilon, .delta = out->delta, .bound = w == SU_ATTACKED_RELEASE && out->bound_promised };
        judge(&j, out->result[w]);
        out->control_succeeded[w] = w != SU_ATTACKED_RELEASE && succeeded(out->result[w]);
        out->vacuous = out->vacuous || (w != SU_ATTACKED_RELEASE && !out->control_succeeded[w]);
    }
    for (int a = 0; a < SU_ATTACK_COUNT && !st && out->bound_promised; a++)
        out->contradicted = out->contradicted || out->result[SU_ATTACKED_RELEASE][a].epsilon_low > out->epsilon;
    su_random_wipe(&stream);
    su_arena_free(&arena);
    return st;
}
