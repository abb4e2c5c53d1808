#include "cli.h"

#include <pwd.h>
#include <unistd.h>

const su_option su_options_import[] = { SU_OPTIONS_SOURCE,
                                        { "vault", "DIR", "the vault" },
                                        { "org", "O", "organisation the file comes from (suha org add)" },
                                        { "resume", NULL, "go on with an import of this file that was interrupted" },
                                        { "skip-known", NULL,
                                          "a full export: leave out records that are in the vault already, and those that were withdrawn" },
                                        { "who", "NAME", "who imports; default: the user's login name" },
                                        SU_OPTION_PASSPHRASE,
                                        { NULL, NULL, NULL } };

const char *su_cli_who(const su_cli *cli)
{
    const char *who = su_cli_option(cli, "who");
    struct passwd *user = who ? NULL : getpwuid(getuid());
    return who ? who : user ? user->pw_name : "unknown";
}

su_status su_cli_import(su_cli *cli, su_vault *v, const char *org, const su_source *s, const char *who, unsigned how, uint64_t *batch,
                        su_import_counts *counts)
{
    if (s->cases->row_count == 0)
        return su_fail(&cli->ctx, SU_INPUT, "%s: no row to import (%llu read, %llu rejected); see suha check", s->raw->source,
                       (unsigned long long)s->report->rows_in, (unsigned long long)s->report->rows_rejected);
    su_batch_info info = { .source_name = su_path_base(s->raw->source),
                           .source = s->raw->fingerprint,
                           .schema = s->schema->fingerprint,
                           .schema_name = s->schema->name,
                           .who = who,
                           .rows_in = s->report->rows_in,
                           .rejected = s->report->rows_rejected };
    if (s->mapping) info.mapping = su_mapping_fingerprint(s->mapping);
    return su_vault_import(&cli->ctx, v, org, s->cases, &info, how, batch, counts);
}

static void say(su_cli *cli, const su_source *s, const char *org, uint64_t batch, const su_import_counts *n)
{
    su_log(&cli->ctx, "batch %llu: %llu record%s of %s sealed", (unsigned long long)batch, (unsigned long long)n->sealed,
           n->sealed == 1 ? "" : "s", org);
    if (n->known || n->withdrawn)
        su_log(&cli->ctx, "left out: %llu records that are in the vault already (they stay as they are), %llu that were withdrawn",
               (unsigned long long)n->known, (unsigned long long)n->withdrawn);
    if (s->report->rows_rejected)
        su_log(&cli->ctx, "%llu of %llu rows were rejected and are not in the vault: the report names them",
               (unsigned long long)s->report->rows_rejected, (unsigned long long)s->report->rows_in);
}

static void result(su_cli *cli, const su_source *s, const char *org, uint64_t batch, const su_import_counts *n)
{
    say(cli, s, org, batch, n);
    if (!cli->json) {
        su_harmonise_report_text(s->report, &cli->out);
        return;
    }
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_object(&j);
    su_json_kv_int(&j, "batch", (int64_t)batch);
    su_json_kv_text(&j, "organisation", org);
    su_json_kv_int(&j, "records", (int64_t)n->sealed);
    su_json_kv_int(&j, "known", (int64_t)n->known);
    su_json_kv_int(&j, "withdrawn", (int64_t)n->withdrawn);
    su_json_kv_int(&j, "returned", (int64_t)n->returned);
    su_json_key(&j, "report");
    su_harmonise_report_json(s->report, &j);
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
}

su_status su_command_import(su_cli *cli)
{
    const char *dir = NULL, *org = NULL;
    su_source s = { 0 };
    su_vault *v = NULL;
    uint64_t batch = 0;
    su_import_counts counts = { 0 };
    unsigned how = (su_cli_switch(cli, "resume") ? SU_IMPORT_RESUME : 0) | (su_cli_switch(cli, "skip-known") ? SU_IMPORT_SKIP_KNOWN : 0);
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_need(cli, "vault", &dir);
    if (!st) st = su_cli_need(cli, "org", &org);
    if (!st) st = su_cli_vault_open(cli, dir, &v);
    if (!st) st = su_source_load(cli, cli->positional[0], &s);
    if (!st && s.domain_from_data)
        st = su_fail(&cli->ctx, SU_REFUSED, "a vault needs a real schema: --schema auto is for looking at a file, not for storing it");
    if (!st) st = su_cli_import(cli, v, org, &s, su_cli_who(cli), how, &batch, &counts);
    if (!st)
        result(cli, &s, org, batch, &counts);
    else if (s.report && !cli->json)
        su_harmonise_report_text(s.report, &cli->out);
    su_source_free(&s);
    su_vault_close(v);
    return st;
}
