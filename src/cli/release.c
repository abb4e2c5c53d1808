#include "cli.h"

#include <suha/publish.h>

#include <math.h>
#include <string.h>

#define NOT_PUBLIC "NOT FOR PUBLICATION: computed from the true records, outside the privacy guarantee"

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

static su_status reserve(su_cli *cli, const su_release_job *job, const su_release *r, charge *c)
{
    su_ledger_entry entry = { .operator_ = su_cli_who(cli),
                              .mechanism = su_arena_printf(&cli->arena, "%s " SU_VERSION, su_mechanism_name(r->options.mechanism)),
                              .unit = "one record, add or remove",
                              .public_inputs = job->mechanism_inputs,
                              .output = job->out,
                              .rho_pico = su_rho_pico(r->rho),
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

static void evaluation_level(su_json *j, const su_evaluation_level *e)
{
    su_json_object(j);
    su_json_kv_int(j, "combinations_true", (int64_t)e->combinations_true);
    su_json_kv_int(j, "combinations_released", (int64_t)e->combinations_released);
    su_json_kv_int(j, "common", (int64_t)e->common);
    su_json_kv_real(j, "mean_count", e->mean_count);
    su_json_kv_real(j, "error_common", e->error_common);
    su_json_kv_real(j, "error_union", e->error_union);
    su_json_kv_real(j, "suppressed", e->suppressed);
    su_json_kv_real(j, "fabricated", e->fabricated);
    su_json_kv_real(j, "max_error", e->max_error);
    su_json_kv_real(j, "coverage", e->coverage);
    su_json_kv_real(j, "total_variation", e->total_variation);
    su_json_end(j);
}

static void evaluation_json(su_json *j, const su_release *r, const su_evaluation *e)
{
    su_json_object(j);
    su_json_kv_text(j, "notice", NOT_PUBLIC);
    su_json_kv_text(j, "schema", r->schema->name);
    su_json_kv_real(j, "epsilon", r->epsilon_stated);
    su_json_kv_real(j, "record_expansion", e->record_expansion);
    const char *names[2] = { "aggregates", "records" };
    const su_evaluation_level *levels[2] = { e->aggregates, e->records };
    for (int k = 0; k < 2; k++) {
        su_json_key(j, names[k]);
        su_json_object(j);
        for (uint32_t l = 1; l <= e->length; l++) {
            char key[8];
            snprintf(key, sizeof key, "%u", l);
            su_json_key(j, key);
            evaluation_level(j, &levels[k][l]);
        }
        su_json_end(j);
    }
    su_json_end(j);
}

/* Beside the bundle, never in it. */
static su_status write_evaluation(su_cli *cli, const su_release_job *job, const su_release *r, const su_code_matrix *truth)
{
    su_evaluation e;
    su_status st = su_release_evaluate(&cli->ctx, r, truth, &e);
    if (st) return st;
    su_buf text = { 0 };
    su_json j;
    su_json_init(&j, &text);
    evaluation_json(&j, r, &e);
    su_buf_char(&text, '\n');
    char *path = su_arena_printf(&cli->arena, "%s.evaluation-NOT-FOR-PUBLICATION.json", job->out);
    st = su_file_write(&cli->ctx, path, text.p, text.n, 0600);
    su_buf_free(&text);
    if (!st) su_log(&cli->ctx, "evaluation against the true records (%s): %s", NOT_PUBLIC, path);
    return st;
}

static void summary(su_cli *cli, const su_release_job *job, const su_release *r, uint64_t cap, uint64_t spent)
{
    if (!cli->json) {
        su_buf_printf(&cli->out, "release written to %s\n  synthetic records  %llu\n  aggregates         %zu\n", job->out,
                      (unsigned long long)r->record_count, r->aggregate_count);
        if (r->options.domain_from_data)
            su_buf_text(&cli->out, "  guarantee          NONE: the domain was taken from the data\n");
        else if (!r->private_noise)
            su_buf_text(&cli->out, "  guarantee          NOT PRIVATE: seeded noise, for tests only\n");
        else
            su_buf_printf(&cli->out, "  guarantee          epsilon %.6g at delta %.3g per person's record (rho %.6g)\n", r->epsilon_stated,
                          r->options.delta, r->rho);
        su_buf_printf(&cli->out, "  ledger             %.6g of %.6g rho spent; %s\n", (double)spent * 1e-12, (double)cap * 1e-12,
                      job->ledger_note);
        return;
    }
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_object(&j);
    su_json_kv_text(&j, "out", job->out);
    su_json_kv_text(&j, "schema", r->schema->name);
    su_json_kv_real(&j, "epsilon", r->epsilon_stated);
    su_json_kv_real(&j, "delta", r->options.delta);
    su_json_kv_real(&j, "rho", r->rho);
    su_json_kv_bool(&j, "private", r->private_noise && !r->options.domain_from_data);
    su_json_kv_int(&j, "tables", (int64_t)r->table_count);
    su_json_kv_int(&j, "tables_dropped", (int64_t)r->dropped_count);
    su_json_kv_int(&j, "records", (int64_t)r->record_count);
    su_json_kv_int(&j, "aggregates", (int64_t)r->aggregate_count);
    su_json_kv_real(&j, "ledger_spent_rho", (double)spent * 1e-12);
    su_json_kv_real(&j, "ledger_cap_rho", (double)cap * 1e-12);
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
}

/* What has to be noted when the data have been read for the last time. */
typedef struct note {
    su_cli *cli;
    charge *c;
} note;

static su_status measured(void *arg)
{
    note *n = arg;
    su_status st = su_ledger_advance(&n->cli->ctx, n->c->ledger, n->c->id, SU_LEDGER_MEASURED, NULL);
    if (!st) su_log(&n->cli->ctx, "measured; building synthetic records");
    return st;
}

static su_status draw(su_cli *cli, const su_release_job *job, const su_code_matrix *m, su_release *r, charge *c)
{
    su_random random;
    su_status st = SU_OK;
    if (job->has_seed)
        su_random_seeded(&random, job->seed);
    else
        st = su_random_system(&cli->ctx, &random);
    if (st) return st;
    c->drawn = true;
    su_log(&cli->ctx, "measuring with exact discrete Gaussian noise");
    st = su_release_run(&cli->ctx, r, m, &random, measured, &(note) { cli, c });
    su_random_wipe(&random);
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
    for (size_t i = 0; i < count; i++) info->releases_before += entries[i].state == SU_LEDGER_RELEASED;
    info->population_delta = r->options.delta;
    info->population_epsilon = su_zcdp_epsilon((double)*spent * 1e-12, r->options.delta);
    return st;
}

su_status su_cli_release(su_cli *cli, const su_release_job *job)
{
    su_code_matrix *m = NULL;
    su_release *r = NULL;
    charge c = { 0 };
    uint64_t cap = 0, spent = 0;
    su_bundle_info info = { .title = job->title, .publisher = job->publisher, .created = su_clock_unix(), .ledger_note = job->ledger_note };
    su_status st = su_bundle_can_write(&cli->ctx, job->out);
    if (!st) st = su_code_matrix_of(&cli->ctx, job->cases, &m);
    if (!st) st = su_release_plan(&cli->ctx, job->cases->schema, m->columns, m->column_count, job->options, &r);
    if (st) goto out;
    su_log(&cli->ctx, "plan: %zu tables of up to %u columns, %zu left out because of their size; rho %.6g", r->table_count,
           r->options.length, r->dropped_count, r->rho);
    st = reserve(cli, job, r, &c);
    if (!st) st = draw(cli, job, m, r, &c);
    if (!st) st = population(cli, job, r, &info, &cap, &spent);
    if (!st) st = su_bundle_write(&cli->ctx, r, &info, job->out);
    if (!st) st = su_ledger_advance(&cli->ctx, job->ledger, c.id, SU_LEDGER_RELEASED, job->out);
    c.settled = !st;
    if (!st && job->evaluate) st = write_evaluation(cli, job, r, m);
    if (!st) summary(cli, job, r, cap, spent);
out:
    if (st) settle(cli, &c);
    su_release_free(r);
    su_code_matrix_free(m);
    return st;
}
