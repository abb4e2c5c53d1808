#include "cli.h"

#include <math.h>
#include <string.h>

const su_option su_options_vault_init[] = { SU_OPTION_PASSPHRASE,
                                            { "cap-epsilon", "E",
                                              "privacy budget of this population over all releases, as epsilon at delta 1e-9; default 12" },
                                            { "who", "NAME", "who makes the vault; default: the user's login name" },
                                            { NULL, NULL, NULL } };
const su_option su_options_vault_status[] = { { NULL, NULL, NULL } };
const su_option su_options_vault_verify[] = { SU_OPTION_PASSPHRASE, { NULL, NULL, NULL } };
const su_option su_options_batches[] = { { NULL, NULL, NULL } };
const su_option su_options_withdraw[] = { SU_OPTION_PASSPHRASE,
                                          { "org", "O", "organisation the record came from" },
                                          { "record", "R", "the record's identifier in that organisation" },
                                          { NULL, NULL, NULL } };

static void done(su_cli *cli, const char *key, const char *value)
{
    if (!cli->json) return;
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_object(&j);
    su_json_kv_text(&j, key, value);
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
}

su_status su_cli_vault_open(su_cli *cli, const char *dir, su_vault **out)
{
    su_cli_secret secret = { NULL, 0 };
    su_status st = su_cli_passphrase(cli, false, &secret);
    if (!st) st = su_vault_open(&cli->ctx, dir, (su_passphrase) { secret.p, secret.n }, out);
    su_cli_secret_free(&secret);
    return st;
}

su_status su_cli_cap_epsilon(su_cli *cli, double *out)
{
    su_status st = su_cli_real(cli, "cap-epsilon", SU_DEFAULT_CAP_EPSILON, out);
    if (st || (*out > 0 && *out <= 1000)) return st;
    return su_fail(&cli->ctx, SU_REFUSED, "--cap-epsilon %s must be above 0 and at most 1000 (12 is usual here; smaller is safer)",
                   su_cli_option(cli, "cap-epsilon"));
}

su_status su_cli_vault_budget(su_cli *cli, su_vault *v, double cap_epsilon)
{
    su_ledger *ledger = NULL;
    uint64_t cap = 0, spent = 0;
    su_status st = su_vault_ledger(&cli->ctx, v, &ledger);
    if (!st) st = su_ledger_cap(&cli->ctx, ledger, &cap, &spent);
    if (!st && cap == 0)
        st = su_ledger_cap_set(&cli->ctx, ledger, su_rho_pico(su_zcdp_rho(cap_epsilon, SU_DEFAULT_DELTA)), su_cli_who(cli), "first budget");
    su_ledger_close(ledger);
    return st;
}

su_status su_cli_vault_new(su_cli *cli, const char *dir, su_passphrase pass, double cap_epsilon, su_vault **out)
{
    su_status st = su_vault_init(&cli->ctx, dir, pass);
    if (!st) st = su_vault_open(&cli->ctx, dir, pass, out);
    return st ? st : su_cli_vault_budget(cli, *out, cap_epsilon);
}

su_status su_command_vault_init(su_cli *cli)
{
    double cap = SU_DEFAULT_CAP_EPSILON;
    su_vault *v = NULL;
    su_cli_secret secret = { NULL, 0 };
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_cap_epsilon(cli, &cap);
    if (!st) st = su_cli_passphrase(cli, true, &secret);
    if (!st) st = su_cli_vault_new(cli, cli->positional[0], (su_passphrase) { secret.p, secret.n }, cap, &v);
    su_cli_secret_free(&secret);
    su_vault_close(v);
    if (st) return st;
    su_log(&cli->ctx, "vault made in %s; without its passphrase nobody can read it, not even you: keep it safe and apart",
           cli->positional[0]);
    done(cli, "vault", cli->positional[0]);
    return SU_OK;
}

su_status su_command_vault_status(su_cli *cli)
{
    su_vault *v = NULL;
    su_vault_status s;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_vault_open_public(&cli->ctx, cli->positional[0], &v);
    if (!st) st = su_vault_status_get(&cli->ctx, v, &s);
    if (!st) {
        char when[21];
        su_clock_iso(s.created, when);
        if (cli->json) {
            su_json j;
            su_json_init(&j, &cli->out);
            su_json_object(&j);
            su_json_kv_text(&j, "vault", s.vault_id);
            su_json_kv_int(&j, "format", s.format);
            su_json_kv_text(&j, "created", when);
            su_json_kv_int(&j, "organisations", (int64_t)s.organisations);
            su_json_kv_int(&j, "batches", (int64_t)s.batches);
            su_json_kv_int(&j, "records", (int64_t)s.records);
            su_json_kv_int(&j, "withdrawn", (int64_t)s.withdrawn);
            su_json_kv_int(&j, "audit_entries", (int64_t)s.audit_entries);
            su_json_end(&j);
            su_buf_char(&cli->out, '\n');
        } else {
            su_buf_printf(&cli->out,
                          "vault %s (format %u), made %s\n  organisations %llu\n  batches       %llu\n  records       %llu\n  withdrawn    "
                          " %llu\n  audit entries %llu\n",
                          s.vault_id, s.format, when, (unsigned long long)s.organisations, (unsigned long long)s.batches,
                          (unsigned long long)s.records, (unsigned long long)s.withdrawn, (unsigned long long)s.audit_entries);
        }
    }
    su_vault_close(v);
    return st;
}

su_status su_command_vault_verify(su_cli *cli)
{
    su_vault *v = NULL;
    su_ledger *ledger = NULL;
    uint64_t checked = 0, bad = 0, ledger_checked = 0, ledger_bad = 0;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_vault_open(cli, cli->positional[0], &v);
    if (!st) st = su_vault_verify(&cli->ctx, v, &checked, &bad);
    if (!st) st = su_vault_ledger(&cli->ctx, v, &ledger);
    if (!st) st = su_ledger_verify(&cli->ctx, ledger, &ledger_checked, &ledger_bad);
    su_ledger_close(ledger);
    su_vault_close(v);
    if (st) return st;
    if (cli->json) {
        su_json j;
        su_json_init(&j, &cli->out);
        su_json_object(&j);
        su_json_kv_int(&j, "checked", (int64_t)(checked + ledger_checked));
        su_json_kv_int(&j, "bad", (int64_t)(bad + ledger_bad));
        su_json_end(&j);
        su_buf_char(&cli->out, '\n');
    } else {
        su_buf_printf(&cli->out, "%llu records and entries checked, %llu do not hold\n", (unsigned long long)(checked + ledger_checked),
                      (unsigned long long)(bad + ledger_bad));
    }
    if (bad + ledger_bad)
        return su_fail(&cli->ctx, SU_CRYPTO,
                       "the vault is damaged or was changed behind its back: %llu places; restore a backup and compare",
                       (unsigned long long)(bad + ledger_bad));
    return SU_OK;
}

static void batch_json(su_json *j, const su_batch *b)
{
    char when[21], hex[65];
    su_clock_iso(b->when, when);
    su_json_object(j);
    su_json_kv_int(j, "batch", (int64_t)b->number);
    su_json_kv_text(j, "organisation", b->org);
    su_json_kv_text(j, "when", when);
    su_json_kv_text(j, "who", b->info.who);
    su_json_kv_text(j, "source", b->info.source_name);
    su_hex(b->info.source.bytes, 32, hex);
    su_json_kv_text(j, "source_sha256", hex);
    su_hex(b->info.mapping.bytes, 32, hex);
    su_json_kv_text(j, "mapping_sha256", hex);
    su_json_kv_text(j, "schema", b->info.schema_name);
    su_json_kv_int(j, "rows_in", (int64_t)b->info.rows_in);
    su_json_kv_int(j, "rejected", (int64_t)b->info.rejected);
    su_json_kv_int(j, "records", (int64_t)b->records);
    su_json_kv_text(j, "state", b->state);
    su_json_end(j);
}

su_status su_command_batches(su_cli *cli)
{
    su_vault *v = NULL;
    su_batch *batches = NULL;
    size_t count = 0;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_vault_open_public(&cli->ctx, cli->positional[0], &v);
    if (!st) st = su_vault_batches(&cli->ctx, v, &cli->arena, &batches, &count);
    if (!st && cli->json) {
        su_json j;
        su_json_init(&j, &cli->out);
        su_json_array(&j);
        for (size_t i = 0; i < count; i++) batch_json(&j, &batches[i]);
        su_json_end(&j);
        su_buf_char(&cli->out, '\n');
    }
    for (size_t i = 0; !st && !cli->json && i < count; i++) {
        char when[21], hex[65];
        su_clock_iso(batches[i].when, when);
        su_hex(batches[i].info.source.bytes, 32, hex);
        su_buf_printf(&cli->out, "%4llu  %-16s %s  %-7s rows %llu  records %llu  rejected %llu  %s  sha256 %.16s\n",
                      (unsigned long long)batches[i].number, batches[i].org, when, batches[i].state,
                      (unsigned long long)batches[i].info.rows_in, (unsigned long long)batches[i].records,
                      (unsigned long long)batches[i].info.rejected, batches[i].info.source_name, hex);
    }
    su_vault_close(v);
    return st;
}

/* A row that counted several people was sealed as R#1, R#2, ...: withdrawing R means all of them. */
static su_status withdraw_all(su_cli *cli, su_vault *v, const char *org, const char *record, uint64_t *count)
{
    enum { MISSES = 64 }; /* a person taken out before leaves a gap */
    su_status st = su_vault_withdraw(&cli->ctx, v, org, record);
    *count = !st;
    if (st != SU_INPUT || strchr(record, '#')) return st;
    char *reason = su_arena_strndup(&cli->arena, cli->ctx.message, strlen(cli->ctx.message));
    for (unsigned k = 1, missed = 0; missed < MISSES && !su_cancelled(&cli->ctx); k++) {
        st = su_vault_withdraw(&cli->ctx, v, org, su_arena_printf(&cli->arena, "%s#%u", record, k));
        if (st && st != SU_INPUT) return st;
        missed = st ? missed + 1 : 0;
        *count += !st;
    }
    return *count ? SU_OK : su_fail(&cli->ctx, SU_INPUT, "%s", reason);
}

su_status su_command_withdraw(su_cli *cli)
{
    const char *org = NULL, *record = NULL;
    uint64_t count = 0;
    su_vault *v = NULL;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_need(cli, "org", &org);
    if (!st) st = su_cli_need(cli, "record", &record);
    if (!st) st = su_cli_vault_open(cli, cli->positional[0], &v);
    if (!st) st = withdraw_all(cli, v, org, record, &count);
    su_vault_close(v);
    if (st) return st;
    su_log(&cli->ctx, "%llu record%s of %s withdrawn: later releases leave them out; releases already published cannot be called back",
           (unsigned long long)count, count == 1 ? "" : "s", org);
    done(cli, "withdrawn", org);
    return SU_OK;
}
