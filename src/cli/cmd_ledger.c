#include "cli.h"

const su_option su_options_ledger[] = { { "cap-epsilon", "E", "set the budget, as epsilon at delta 1e-9; needs --why" },
                                        { "why", "TEXT", "the reason for a new budget, kept in the ledger" },
                                        { "who", "NAME", "who sets the budget; default: the user's login name" },
                                        SU_OPTION_PASSPHRASE,
                                        { NULL, NULL, NULL } };

/* A vault, a ledger file, or a release folder with its ledger beside it. A vault's ledger is written under its passphrase only. */
static su_status open_ledger(su_cli *cli, const char *dir, bool write, su_vault **v, su_ledger **l)
{
    char *in_vault = su_path_join(&cli->arena, dir, "vault.db"), *beside = su_arena_printf(&cli->arena, "%s.ledger.db", dir);
    if (su_path_exists(in_vault)) {
        su_status st = write ? su_cli_vault_open(cli, dir, v) : su_vault_open_public(&cli->ctx, dir, v);
        return st ? st : su_vault_ledger(&cli->ctx, *v, l);
    }
    if (su_path_exists(beside)) return su_ledger_open(&cli->ctx, beside, 0, l);
    if (su_path_exists(dir)) return su_ledger_open(&cli->ctx, dir, 0, l);
    return su_fail(&cli->ctx, SU_INPUT, "%s: neither a vault nor a release with a ledger beside it", dir);
}

static void entry_json(su_json *j, const su_ledger_entry *e)
{
    char when[21];
    su_clock_iso(e->when, when);
    su_json_object(j);
    su_json_kv_int(j, "id", (int64_t)e->id);
    su_json_kv_text(j, "when", when);
    su_json_kv_text(j, "state", su_ledger_state_name(e->state));
    su_json_kv_text(j, "who", e->operator_);
    su_json_kv_text(j, "mechanism", e->mechanism);
    su_json_kv_text(j, "unit", e->unit);
    su_json_kv_text(j, "public_inputs", e->public_inputs);
    su_json_kv_text(j, "output", e->output);
    su_json_kv_real(j, "rho", (double)e->rho_pico * 1e-12);
    su_json_kv_real(j, "epsilon", e->epsilon);
    su_json_kv_real(j, "delta", e->delta);
    su_json_end(j);
}

static void print_json(su_cli *cli, const su_ledger_entry *entries, size_t count, double cap, double spent)
{
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_object(&j);
    su_json_kv_real(&j, "cap_rho", cap);
    su_json_kv_real(&j, "spent_rho", spent);
    su_json_kv_real(&j, "spent_epsilon_at_1e-9", su_zcdp_epsilon(spent, 1e-9));
    su_json_kv_real(&j, "spent_epsilon_at_1e-6", su_zcdp_epsilon(spent, 1e-6));
    su_json_kv_real(&j, "left_rho", cap - spent);
    su_json_kv_real(&j, "next_epsilon_at_1e-9", su_zcdp_epsilon(cap > spent ? cap - spent : 0, 1e-9));
    su_json_key(&j, "entries");
    su_json_array(&j);
    for (size_t i = 0; i < count; i++) entry_json(&j, &entries[i]);
    su_json_end(&j);
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
}

static void print_text(su_cli *cli, const su_ledger_entry *entries, size_t count, double cap, double spent)
{
    for (size_t i = 0; i < count; i++) {
        char when[21];
        su_clock_iso(entries[i].when, when);
        su_buf_printf(&cli->out, "%4llu  %s  %-9s  epsilon %-8.5g delta %-8.3g rho %-12.6g %s\n", (unsigned long long)entries[i].id, when,
                      su_ledger_state_name(entries[i].state), entries[i].epsilon, entries[i].delta, (double)entries[i].rho_pico * 1e-12,
                      entries[i].output ? entries[i].output : "");
    }
    double left = cap > spent ? cap - spent : 0;
    su_buf_printf(&cli->out, "spent  rho %.6g = epsilon %.5g at delta 1e-9, %.5g at delta 1e-6, over all releases of this population\n",
                  spent, su_zcdp_epsilon(spent, 1e-9), su_zcdp_epsilon(spent, 1e-6));
    su_buf_printf(&cli->out, "left   rho %.6g of %.6g: one more release of at most epsilon %.5g at delta 1e-9\n", left, cap,
                  su_zcdp_epsilon(left, 1e-9));
}

su_status su_command_ledger(su_cli *cli)
{
    su_vault *v = NULL;
    su_ledger *l = NULL;
    su_ledger_entry *entries = NULL;
    size_t count = 0;
    uint64_t cap = 0, spent = 0, checked = 0, bad = 0;
    double epsilon = 0;
    const char *why = su_cli_option(cli, "why");
    bool change = su_cli_option(cli, "cap-epsilon") != NULL;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_real(cli, "cap-epsilon", 0, &epsilon);
    if (!st && change && !(epsilon > 0 && epsilon <= 1000))
        st = su_fail(&cli->ctx, SU_USAGE, "--cap-epsilon must be above 0 and at most 1000");
    if (!st && change && !why) st = su_fail(&cli->ctx, SU_USAGE, "a new budget needs a reason: --why TEXT");
    if (!st) st = open_ledger(cli, cli->positional[0], change, &v, &l);
    if (!st && change) st = su_ledger_cap_set(&cli->ctx, l, su_rho_pico(su_zcdp_rho(epsilon, SU_DEFAULT_DELTA)), su_cli_who(cli), why);
    if (!st) st = su_ledger_verify(&cli->ctx, l, &checked, &bad);
    if (!st && bad)
        st = su_fail(&cli->ctx, SU_CRYPTO, "%llu of %llu ledger entries do not fit their chain: the ledger was changed",
                     (unsigned long long)bad, (unsigned long long)checked);
    if (!st) st = su_ledger_cap(&cli->ctx, l, &cap, &spent);
    if (!st) st = su_ledger_entries(&cli->ctx, l, &cli->arena, &entries, &count);
    if (!st) (cli->json ? print_json : print_text)(cli, entries, count, (double)cap * 1e-12, (double)spent * 1e-12);
    su_ledger_close(l);
    su_vault_close(v);
    return st;
}
