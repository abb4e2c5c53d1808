#include "cli.h"

#include "release_words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const su_option su_options_release[] = { SU_OPTIONS_SOURCE,
                                         { "vault", "DIR", "release the records of a vault instead of a FILE" },
                                         { "epsilon", "E", "privacy budget of this release, above 0 and at most 100; smaller is safer" },
                                         { "delta", "D", "default 1e-9; at most 1e-3" },
                                         { "length", "R", "longest combination measured and published, 1 to 4; default 3" },
                                         { "mechanism", "NAME",
                                           "default residual; mst, aim, or auto to let public facts decide; sds, row-seeded, value-seeded "
                                           "or unseeded for comparison (the last three: "
                                           "--k in the place of --epsilon, and no differential privacy bound)" },
                                         { "model-mib", "N", "aim: memory of the model's tables; default 1" },
                                         { "rare-values", NULL, "mst, aim: records show values too rare to be reported, by noisy counts" },
                                         { "k", "K", "print no count below K, on top of differential privacy" },
                                         { "unit", "COLUMN",
                                           "records with the same value here are one person's, who is then what is protected: a column of the "
                                           "schema, or of FILE; default: each record is a person" },
                                         { "contribution", "M", "with --unit: use up to M records of a person; default 1. Noise grows with M" },
                                         { "public", "DIR", "residual: an earlier release of the same schema helps this one, free of charge" },
                                         SU_OPTIONS_SDS,
                                         { "out", "DIR", "folder for the release; must not exist, or be empty" },
                                         { "title", "TEXT", "title of the dataset" },
                                         { "publisher", "TEXT", "who publishes" },
                                         { "supersedes", "NAME", "name, or name@version, of the release that this one replaces" },
                                         { "cap-epsilon", "E", "FILE only: budget of a new ledger, as epsilon at delta 1e-9; default 12" },
                                         { "domain-from-data", NULL, "with --schema auto: go on although no guarantee holds" },
                                         { "no-evaluation", NULL, "do not write the comparison with the true records" },
                                         { "test-mode", NULL, "allow --seed; the release is stamped NOT PRIVATE" },
                                         { "seed", "S", "repeatable noise, only with --test-mode" },
                                         { "who", "NAME", "who releases, for the ledger; default: the user's login name" },
                                         SU_OPTION_PASSPHRASE,
                                         { NULL, NULL, NULL } };

static su_status seed_option(su_cli *cli, su_release_job *job)
{
    int64_t seed = 0;
    job->has_seed = su_cli_option(cli, "seed") != NULL;
    if (job->has_seed && !su_cli_switch(cli, "test-mode"))
        return su_fail(&cli->ctx, SU_REFUSED,
                       "--seed makes noise that can be taken off again: only with --test-mode, and never for publication");
    su_status st = su_cli_integer(cli, "seed", 0, INT64_MAX, 0, &seed);
    job->seed = (uint64_t)seed;
    return st;
}

/* What of this release is public, in one line for the ledger. */
static const char *public_inputs(su_cli *cli, const su_schema *schema, const su_release_options *o)
{
    char hex[65];
    su_hex(schema->fingerprint.bytes, 32, hex);
    const char *prior = su_cli_option(cli, "public");
    return su_arena_printf(&cli->arena, "schema %s sha256 %.16s mechanism %s length %u k %llu%s%s", schema->name, hex,
                           o->mechanism_auto ? "auto" : su_mechanism_name(o->mechanism), o->length, (unsigned long long)o->k,
                           prior ? " public prior " : "", prior ? prior : "");
}

su_status su_cli_release_vault(su_cli *cli, su_vault *v, const char *schema_name, su_release_job *job)
{
    su_schema *schema = NULL;
    su_case_table *cases = NULL;
    su_status st = su_cli_schema(cli, schema_name, NULL, &schema);
    if (!st) st = su_vault_read_cells(&cli->ctx, v, NULL, schema, &cases);
    if (!st) st = su_vault_ledger(&cli->ctx, v, &job->ledger);
    if (!st) {
        job->cases = cases; /* taken */
        job->mechanism_inputs = public_inputs(cli, schema, job->options);
        job->ledger_note = "the ledger is in the vault";
        cases = NULL;
        st = su_cli_release(cli, job);
    }
    su_case_table_free(cases);
    su_ledger_close(job->ledger);
    su_schema_free(schema);
    return st;
}

static su_status from_vault(su_cli *cli, const char *dir, su_release_job *job)
{
    const char *schema = NULL;
    su_vault *v = NULL;
    su_status st = su_cli_positionals(cli, 0, 0);
    if (!st) st = su_cli_need(cli, "schema", &schema);
    if (!st) st = su_cli_vault_open(cli, dir, &v);
    if (!st) st = su_cli_release_vault(cli, v, schema, job);
    su_vault_close(v);
    return st;
}

/* A ledger made for a release that never drew noise would only fix a budget nobody chose. */
static void forget_unused_ledger(su_cli *cli, const char *path, su_ledger *l)
{
    su_context quiet;
    uint64_t cap = 0, spent = 1;
    su_context_init(&quiet);
    bool unused = su_ledger_cap(&quiet, l, &cap, &spent) == SU_OK && spent == 0;
    su_ledger_close(l);
    if (!unused) return;
    unlink(path);
    unlink(su_arena_printf(&cli->arena, "%s-wal", path));
    unlink(su_arena_printf(&cli->arena, "%s-shm", path));
}

static su_status from_file(su_cli *cli, su_release_job *job)
{
    double cap = SU_DEFAULT_CAP_EPSILON;
    su_source s = { .nameless = true, .emptied = !job->unit };
    const char *schema = su_cli_option(cli, "schema");
    bool automatic = schema && strcmp(schema, "auto") == 0;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_cap_epsilon(cli, &cap);
    if (!st && automatic && !job->options->domain_from_data)
        st = su_fail(
            &cli->ctx, SU_REFUSED,
            "with --schema auto the list of values comes from the data and no guarantee can hold; use a schema, or say --domain-from-data");
    if (!st && !automatic && job->options->domain_from_data)
        st = su_fail(&cli->ctx, SU_USAGE, "--domain-from-data goes with --schema auto only");
    if (!st) st = su_source_load(cli, cli->positional[0], &s);
    if (!st) su_cli_unmapped_words(cli, &s);
    char *ledger = su_arena_printf(&cli->arena, "%s.ledger.db", job->out);
    bool fresh = !su_path_exists(ledger);
    if (!st) st = su_bundle_can_write(&cli->ctx, job->out);
    if (!st) st = su_ledger_open(&cli->ctx, ledger, su_rho_pico(su_zcdp_rho(cap, SU_DEFAULT_DELTA)), &job->ledger);
    if (!st) {
        job->cases = s.cases;
        job->raw = s.raw;
        s.cases = NULL; /* taken */
        s.raw = NULL;
        job->mechanism_inputs = public_inputs(cli, s.schema, job->options);
        job->ledger_note =
            "the ledger lies beside the output and knows only releases written to that place; a vault's ledger follows the population";
        su_log(&cli->ctx, "no vault: %s (%s)", job->ledger_note, ledger);
        st = su_cli_release(cli, job);
    }
    if (st && fresh && job->ledger)
        forget_unused_ledger(cli, ledger, job->ledger);
    else
        su_ledger_close(job->ledger);
    su_source_free(&s);
    return st;
}

su_status su_command_release(su_cli *cli)
{
    su_release_options options = { .domain_from_data = su_cli_switch(cli, "domain-from-data") };
    su_release_job job = { .options = &options,
                           .title = su_cli_option(cli, "title"),
                           .publisher = su_cli_option(cli, "publisher"),
                           .supersedes = su_cli_option(cli, "supersedes"),
                           .evaluate = !su_cli_switch(cli, "no-evaluation") };
    const char *vault = su_cli_option(cli, "vault"), *out = NULL;
    su_status st = su_cli_need(cli, "out", &out);
    if (!st) st = su_cli_release_options(cli, &options);
    if (!st) st = seed_option(cli, &job);
    job.unit = su_cli_option(cli, "unit");
    job.prior = su_cli_option(cli, "public");
    if (!st && options.contribution > 1 && !job.unit)
        st = su_fail(&cli->ctx, SU_USAGE, "--contribution %u needs --unit COLUMN: which records are one person's?", options.contribution);
    if (st) return st;
    size_t n = strlen(out);
    while (n > 1 && out[n - 1] == '/') n--;
    job.out = su_arena_strndup(&cli->arena, out, n);
    return vault ? from_vault(cli, vault, &job) : from_file(cli, &job);
}
