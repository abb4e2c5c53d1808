#include "cli.h"
#include "evaluation.h"

#include <suha/publish.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

const su_option su_options_evaluate[] = {
    { "true", "FILE", "the true records, as they were given to suha release" },
    SU_OPTIONS_SOURCE,
    { "vault", "DIR", "the true records are those of a vault, instead of --true" },
    { "release", "DIR", "folder that suha release wrote" },
    { "k", "K", "reporting resolution of the SDS metrics; default the release's own, or 10" },
    { "unit", "COLUMN", "of a release with --unit: compare with as many records of a person as the release used" },
    { "outcome", "COLUMN", "outcome of the logistic model: a yes/no column, or COLUMN=CODE" },
    { "out", "FILE.html", "also write a page with plots; readable by you only, never to be published" },
    { "rare", "FILE.tsv", "also list the rare combinations of the synthetic records (as SDS does)" },
    { "who", "NAME", "with --vault: who evaluates, for the audit chain; default: the user's login name" },
    SU_OPTION_PASSPHRASE,
    { NULL, NULL, NULL }
};

typedef struct evaluation {
    const char *release, *out, *rare, *title, *schema_name;
    su_arena arena;
    su_bundle_file *files;
    size_t file_count;
    su_source source;
    su_schema *schema; /* vault only; else the source's */
    su_case_table *cases;
    su_code_matrix *truth;
    su_release *r;
    su_utility *u;
} evaluation;

/* What is written here must not end up in the folder that is published. */
static su_status outside_release(su_cli *cli, const evaluation *e, const char *file)
{
    char folder[PATH_MAX], release[PATH_MAX];
    if (!file) return SU_OK;
    const char *slash = strrchr(file, '/');
    const char *parent = slash == file ? "/" : slash ? su_arena_strndup(&cli->arena, file, (size_t)(slash - file)) : ".";
    if (!realpath(parent, folder)) return su_fail(&cli->ctx, SU_IO, "the folder of %s is not there", file);
    if (!realpath(e->release, release)) return SU_OK;
    size_t n = strlen(release);
    if (strncmp(folder, release, n) != 0 || (folder[n] && folder[n] != '/')) return SU_OK;
    return su_fail(&cli->ctx, SU_REFUSED,
                   "%s lies in the release %s, which is there to be published; an evaluation is not. Write it elsewhere.", file,
                   e->release);
}

static su_status read_truth(su_cli *cli, evaluation *e)
{
    const char *file = su_cli_option(cli, "true"), *dir = su_cli_option(cli, "vault");
    if (!file == !dir) return su_fail(&cli->ctx, SU_USAGE, "give the true records: either --true FILE or --vault DIR");
    if (file) {
        su_margins margins;
        su_status st = su_source_margins(cli, &margins);
        if (!st) st = su_source_open(cli, file, e->schema_name, su_cli_option(cli, "map"), margins, &e->source);
        e->cases = e->source.cases;
        return st;
    }
    su_vault *v = NULL;
    su_status st = su_cli_vault_open(cli, dir, &v);
    if (!st) st = su_cli_schema(cli, e->schema_name, NULL, &e->schema);
    if (!st) st = su_vault_read(&cli->ctx, v, NULL, e->schema, &e->cases);
    if (!st) st = su_vault_note_compared(&cli->ctx, v, "evaluation", e->release, su_cli_who(cli));
    su_vault_close(v);
    return st;
}

/* A release of persons counted at most so many records of each; the others are no error of its noise. */
static su_status bound_truth(su_cli *cli, evaluation *e, const su_bundle_facts *facts)
{
    const char *noun = NULL;
    su_release_job who = { .cases = e->cases, .raw = e->source.raw, .unit = su_cli_option(cli, "unit") };
    if (who.unit && !facts->several)
        return su_fail(&cli->ctx, SU_USAGE, "--unit %s: the release protects records, not persons with several of them", who.unit);
    if (!who.unit) {
        if (facts->several) su_log(&cli->ctx, "the release counts %s; without --unit it is compared with all records", facts->unit);
        return SU_OK;
    }
    su_random random;
    su_code_matrix *bounded = NULL;
    su_status st = su_cli_units(cli, &who, &e->truth->units, &noun);
    if (!st) st = su_random_system(&cli->ctx, &random);
    if (st) return st;
    st = su_contribution_bound(&cli->ctx, e->truth, facts->contribution, &random, &bounded);
    su_random_wipe(&random);
    if (st) return st;
    su_code_matrix_free(e->truth);
    e->truth = bounded;
    return SU_OK;
}

static su_status read_both(su_cli *cli, evaluation *e)
{
    su_bundle_facts facts;
    su_status st = su_bundle_load(&cli->ctx, &e->arena, e->release, &e->files, &e->file_count);
    if (!st) st = su_bundle_facts_of(&cli->ctx, &e->arena, e->files, e->file_count, &facts);
    if (st) return st;
    e->title = facts.title ? facts.title : e->release;
    e->schema_name = su_cli_option(cli, "schema") ? su_cli_option(cli, "schema") : facts.domain_from_data ? "auto" : facts.schema;
    if (!e->schema_name) return su_fail(&cli->ctx, SU_USAGE, "the release does not name its schema: say --schema");
    st = read_truth(cli, e);
    if (!st) st = su_code_matrix_of(&cli->ctx, e->cases, &e->truth);
    if (!st) st = bound_truth(cli, e, &facts);
    if (!st) st = su_bundle_parse(&cli->ctx, e->files, e->file_count, e->cases->schema, &e->r);
    return st;
}

/* ---- output ---- */

typedef struct rare_writer {
    const su_release *r;
    su_buf text;
} rare_writer;

static void write_rare(void *arg, const su_rare_combination *c)
{
    rare_writer *w = arg;
    su_buf_printf(&w->text, "%u\t", c->length);
    for (uint32_t i = 0; i < c->length; i++) {
        const su_matrix_column *column = &w->r->columns[c->at[i].column];
        if (i) su_buf_char(&w->text, ';');
        su_buf_escape(&w->text, column->name, ":;");
        su_buf_char(&w->text, ':');
        su_buf_escape(&w->text, su_matrix_column_value(w->r->schema, column, c->at[i].value), ":;");
    }
    su_buf_printf(&w->text, "\t%llu\t%llu\t%llu\n", (unsigned long long)c->record, (unsigned long long)c->released,
                  (unsigned long long)c->truly);
}

static su_status rare_list(su_cli *cli, const evaluation *e)
{
    rare_writer w = { .r = e->r };
    su_buf_text(&w.text, "combo_length\tcombo\trecord_id\tsyn_count\tsen_count\n");
    su_status st = su_utility_rare(&cli->ctx, e->r, e->truth, e->u->k, write_rare, &w);
    if (!st) st = su_file_write(&cli->ctx, e->rare, w.text.p, w.text.n, 0600);
    if (!st) su_log(&cli->ctx, "rare combinations (%s): %s", SU_NOT_PUBLIC, e->rare);
    su_buf_free(&w.text);
    return st;
}

static su_status page(su_cli *cli, const evaluation *e)
{
    su_buf text = { 0 };
    su_utility_html(e->u, e->title, &text);
    su_status st = su_file_write(&cli->ctx, e->out, text.p, text.n, 0600);
    if (!st) su_log(&cli->ctx, "page with plots (%s): %s", SU_NOT_PUBLIC, e->out);
    su_buf_free(&text);
    return st;
}

static void print(su_cli *cli, const evaluation *e)
{
    if (!cli->json) {
        su_utility_text(e->u, &cli->out);
        return;
    }
    su_json j;
    su_json_init(&j, &cli->out);
    su_utility_json(&j, e->u);
    su_buf_char(&cli->out, '\n');
}

su_status su_command_evaluate(su_cli *cli)
{
    evaluation e = { .out = su_cli_option(cli, "out"), .rare = su_cli_option(cli, "rare") };
    su_utility_options options = { .outcome = su_cli_option(cli, "outcome") };
    int64_t k = 0;
    su_arena_init(&e.arena);
    su_status st = su_cli_positionals(cli, 0, 0);
    if (!st) st = su_cli_need(cli, "release", &e.release);
    if (!st) st = su_cli_integer(cli, "k", 1, 1000000, 0, &k);
    options.k = (uint64_t)k;
    if (!st) st = outside_release(cli, &e, e.out);
    if (!st) st = outside_release(cli, &e, e.rare);
    if (!st) st = read_both(cli, &e);
    if (!st) st = su_utility_evaluate(&cli->ctx, e.r, e.truth, &options, &e.u);
    if (!st) print(cli, &e);
    if (!st && e.out) st = page(cli, &e);
    if (!st && e.rare) st = rare_list(cli, &e);
    su_utility_free(e.u);
    su_release_free(e.r);
    su_code_matrix_free(e.truth);
    if (e.cases != e.source.cases) su_case_table_free(e.cases);
    su_source_free(&e.source);
    su_schema_free(e.schema);
    su_arena_free(&e.arena);
    return st;
}
