#include "cli.h"
#include "evaluation.h"
#include "release_words.h"

#include <suha/publish.h>

#include <math.h>
#include <string.h>

uint64_t su_rho_pico(double rho)
{
    double pico = ceil(rho * 1e12 * (1 + 4e-16));
    return pico < 1.8e19 ? (uint64_t)pico : UINT64_MAX;
}

/* The reservation, and what becomes of it: nothing drawn yet -> cancelled, noise drawn -> failed (and still charged). */
typedef struct charge {
    su_ledger *ledger;
    uint64_t id;
    bool reserved, drawn, settled;
} charge;

static bool charged(const su_ledger_entry *e) { return e->state != SU_LEDGER_CANCELLED; }

su_ledger_beside su_ledger_beside_of(const su_ledger_entry *entries, size_t count)
{
    su_ledger_beside b = { 0 };
    char sds[32];
    snprintf(sds, sizeof sds, "%s ", su_mechanism_name(SU_MECHANISM_SDS));
    for (size_t i = 0; i < count; i++) {
        if (!charged(&entries[i])) continue;
        b.unbounded += isinf(entries[i].epsilon);
        if (strncmp(entries[i].mechanism, sds, strlen(sds)) == 0) b.delta += entries[i].delta / 2; /* su_sds_plan: at most half */
    }
    return b;
}

static const char *mechanism_words(su_cli *cli, const su_release *r)
{
    const char *name = su_mechanism_name(r->options.mechanism);
    if (su_mechanism_bound(r->options.mechanism)) return su_arena_printf(&cli->arena, "%s " SU_VERSION, name);
    return su_arena_printf(&cli->arena, "%s " SU_VERSION " K=%llu: no differential privacy bound", name, (unsigned long long)r->options.k);
}

static const char *unit_words(su_cli *cli, const su_release_job *job, const su_release *r, const su_bundle_info *info)
{
    if (!job->unit) return "one record, add or remove";
    return su_arena_printf(&cli->arena, "one %s (%s), up to %u records, add or remove", info->unit, job->unit, r->options.contribution);
}

static su_status reserve(su_cli *cli, const su_release_job *job, const su_release *r, const su_bundle_info *info, charge *c)
{
    su_ledger_entry entry = { .operator_ = su_cli_who(cli),
                              .mechanism = mechanism_words(cli, r),
                              .unit = unit_words(cli, job, r, info),
                              .public_inputs = job->mechanism_inputs,
                              .output = job->out,
                              .rho_pico = su_mechanism_bound(r->options.mechanism) ? su_rho_pico(r->rho) : 0,
                              .epsilon = r->epsilon_stated,
                              .delta = r->options.delta };
    su_status st = su_ledger_reserve(&cli->ctx, job->ledger, &entry, &c->id);
    c->ledger = job->ledger;
    c->reserved = !st;
    return st;
}

static void settle(su_cli *cli, charge *c)
{
    if (!c->reserved || c->settled) return;
    su_context quiet;
    su_context_init(&quiet);
    su_status st = su_ledger_advance(&quiet, c->ledger, c->id, c->drawn ? SU_LEDGER_FAILED : SU_LEDGER_CANCELLED, NULL);
    su_log(&cli->ctx,
           c->drawn ? "the release failed after noise was drawn: its budget stays spent" : "nothing was drawn: the budget is free again");
    if (st) su_log(&cli->ctx, "the ledger could not note that (%s); the charge stays", quiet.message);
}

/* Beside the bundle, never in it. */
static su_status write_evaluation(su_cli *cli, const su_release_job *job, const su_release *r, const su_code_matrix *truth)
{
    su_evaluation e;
    su_random random;
    su_code_matrix *bounded = NULL;
    su_status st = truth->units ? su_random_system(&cli->ctx, &random) : SU_OK;
    if (!st && truth->units) {
        st = su_contribution_bound(&cli->ctx, truth, r->options.contribution, &random, &bounded);
        su_random_wipe(&random);
    }
    if (!st) st = su_release_evaluate(&cli->ctx, r, bounded ? bounded : truth, &e);
    su_code_matrix_free(bounded);
    if (st) return st;
    su_buf text = { 0 };
    su_json j;
    su_json_init(&j, &text);
    su_evaluation_json(&j, r, &e);
    su_buf_char(&text, '\n');
    char *path = su_arena_printf(&cli->arena, "%s.evaluation-NOT-FOR-PUBLICATION.json", job->out);
    st = su_file_write(&cli->ctx, path, text.p, text.n, 0600);
    su_buf_free(&text);
    if (!st) su_log(&cli->ctx, "evaluation against the true records (%s): %s", SU_NOT_PUBLIC, path);
    return st;
}

/* What has to be noted when the data have been read for the last time. */
typedef struct note {
    su_cli *cli;
    charge *c;
    su_code_matrix **truth; /* NULL: still needed */
} note;

static su_status measured(void *arg)
{
    note *n = arg;
    su_status st = su_ledger_advance(&n->cli->ctx, n->c->ledger, n->c->id, SU_LEDGER_MEASURED, NULL);
    if (n->truth) { /* nobody compares anything with the records: they go before the synthetic ones come */
        su_code_matrix_free(*n->truth);
        *n->truth = NULL;
    }
    if (!st) su_log(&n->cli->ctx, "measured; building synthetic records");
    return st;
}

static su_status draw(su_cli *cli, const su_release_job *job, su_code_matrix **m, su_release *r, charge *c)
{
    su_random random;
    su_status st = SU_OK;
    if (job->has_seed)
        su_random_seeded(&random, job->seed);
    else
        st = su_random_system(&cli->ctx, &random);
    if (st) return st;
    c->drawn = true;
    su_log(&cli->ctx, su_mechanism_bound(r->options.mechanism) ? "measuring with exact discrete Gaussian noise"
                                                               : "counting groups: no differential privacy bound");
    bool done = !job->evaluate && r->options.mechanism == SU_MECHANISM_RESIDUAL;
    st = su_release_run(&cli->ctx, r, *m, &random, measured, &(note) { cli, c, done ? m : NULL });
    su_random_wipe(&random);
    return st;
}

/* Exact accounting lets a release spend more rho for the same epsilon. One that the zCDP bound alone would have had granted is not refused
 * for that: it spends what is left, and states the smaller epsilon. */
static su_status hold_back(su_cli *cli, const su_release_job *job, su_release_options *o)
{
    uint64_t cap = 0, spent = 0;
    *o = *job->options;
    su_status st = su_ledger_cap(&cli->ctx, job->ledger, &cap, &spent);
    double left = (double)(cap > spent ? cap - spent : 0) * 1e-12 * (1 - 1e-12);
    if (!st && left > 0 && su_zcdp_rho(o->epsilon, o->delta) <= left * (1 + 1e-9)) o->rho_most = left;
    return st;
}

/* Reads what the population has spent so far, this release included (it is reserved by now). */
static su_status population(su_cli *cli, const su_release_job *job, const su_release *r, su_bundle_info *info, uint64_t *cap,
                            uint64_t *spent)
{
    su_status st = su_ledger_cap(&cli->ctx, job->ledger, cap, spent);
    if (st) return st;
    su_ledger_entry *entries = NULL;
    size_t count = 0;
    st = su_ledger_entries(&cli->ctx, job->ledger, &cli->arena, &entries, &count);
    size_t charges = 0;
    for (size_t i = 0; i < count; i++) info->releases_before += entries[i].state == SU_LEDGER_RELEASED, charges += charged(&entries[i]);
    su_ledger_beside beside = su_ledger_beside_of(entries, count);
    info->releases_unbounded = beside.unbounded;
    info->population_delta = r->options.delta + beside.delta;
    info->population_epsilon = beside.unbounded ? 0 : su_zcdp_epsilon((double)*spent * 1e-12, r->options.delta);
    if (charges == 1 && r->accountant == SU_ACCOUNTANT_PLD) info->population_epsilon = r->epsilon_stated;
    return st;
}

/* The codes of the records, and whose they are. From here on nothing else of them is in memory. */
static su_status code(su_cli *cli, su_release_job *job, su_bundle_info *info, su_code_matrix **m)
{
    const uint32_t *units = NULL;
    su_status st = SU_OK;
    if (job->unit) {
        st = su_cli_units(cli, job, &units, &info->unit);
        info->unit_column = job->unit;
    }
    su_raw_table_free(job->raw);
    job->raw = NULL;
    if (!st) st = su_code_matrix_take(&cli->ctx, job->cases, m);
    if (!st) (*m)->units = units;
    su_case_table_free(job->cases);
    job->cases = NULL;
    su_memory_return();
    return st;
}

/* What was published before is known before anything is planned. */
static su_status load_prior(su_cli *cli, const su_release_job *job, const su_code_matrix *m, su_cli_prior *prior, su_release_options *o,
                            su_bundle_info *info)
{
    if (!job->prior) return SU_OK;
    su_status st = su_cli_prior_load(cli, job->prior, m, prior);
    if (st) return st;
    o->prior = &prior->records;
    info->prior_title = prior->title;
    info->prior_sha256 = prior->sha256;
    info->prior_epsilon = prior->epsilon;
    info->prior_delta = prior->delta;
    su_log(&cli->ctx, "public prior: %s, %llu synthetic records, free of charge", prior->title,
           (unsigned long long)prior->records.record_count);
    return SU_OK;
}

su_status su_cli_release(su_cli *cli, su_release_job *job)
{
    su_code_matrix *m = NULL;
    su_release *r = NULL;
    charge c = { 0 };
    uint64_t cap = 0, spent = 0;
    su_release_options options = { 0 };
    su_cli_prior prior = { 0 };
    su_bundle_info info = { .title = job->title, .publisher = job->publisher, .created = su_clock_unix(), .ledger_note = job->ledger_note };
    const su_schema *schema = job->cases->schema;
    su_status st = su_bundle_can_write(&cli->ctx, job->out);
    if (!st && job->cases->row_count == 0)
        st = su_fail(&cli->ctx, SU_REFUSED, "there is no record in the schema %s to release", schema->name);
    info.supersedes = job->supersedes;
    if (!st) st = code(cli, job, &info, &m);
    if (!st) st = hold_back(cli, job, &options);
    if (!st) st = load_prior(cli, job, m, &prior, &options, &info);
    if (!st) st = su_release_plan(&cli->ctx, schema, m->columns, m->column_count, &options, &r);
    if (st) goto out;
    if (r->mechanism_reason) su_log(&cli->ctx, "%s", r->mechanism_reason);
    su_cli_release_plan_words(cli, r);
    st = reserve(cli, job, r, &info, &c);
    if (!st) st = draw(cli, job, &m, r, &c);
    if (!st) st = population(cli, job, r, &info, &cap, &spent);
    if (!st) st = su_bundle_write(&cli->ctx, r, &info, job->out);
    if (!st) st = su_ledger_advance(&cli->ctx, job->ledger, c.id, SU_LEDGER_RELEASED, job->out);
    c.settled = !st;
    if (!st && job->evaluate && (st = write_evaluation(cli, job, r, m)))
        su_fail_prefix(&cli->ctx, "the release in %s is complete, only its evaluation is missing: ", job->out);
    if (!st) su_cli_release_summary(cli, job, r, &info, cap, spent);
out:
    if (st) settle(cli, &c);
    su_release_free(r);
    su_code_matrix_free(m);
    su_raw_table_free(job->raw);
    su_case_table_free(job->cases);
    job->raw = NULL;
    job->cases = NULL;
    return st;
}
