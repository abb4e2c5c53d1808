#include "cli.h"

#include <math.h>

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

/* What a next release at one of these epsilons (delta 1e-9) may cost: its charge, and the total for the population after it. The charge is
 * what continuous noise would spend; discrete noise on more than a few tables spends the same to a part in 1000. */
static const double candidates[] = { 0.5, 1, 2, 4, 8 };
enum { CANDIDATES = sizeof candidates / sizeof candidates[0] };

typedef struct next_release {
    double epsilon, rho;
    bool granted;
    double total[2], more[2]; /* at delta 1e-9 and 1e-6 */
} next_release;

static next_release next_of(double epsilon, double cap, double spent)
{
    static const double deltas[2] = { 1e-9, 1e-6 };
    double left = cap > spent ? cap - spent : 0;
    next_release n = { .epsilon = epsilon, .rho = su_gaussian_rho(epsilon, SU_DEFAULT_DELTA) };
    n.granted = su_zcdp_rho(epsilon, SU_DEFAULT_DELTA) <= left;
    if (n.granted && n.rho > left) n.rho = left;
    for (int d = 0; d < 2; d++) {
        n.total[d] = su_zcdp_epsilon(spent + n.rho, deltas[d]);
        n.more[d] = n.total[d] - su_zcdp_epsilon(spent, deltas[d]);
    }
    return n;
}

static void next_json(su_json *j, double cap, double spent)
{
    su_json_key(j, "next_releases");
    su_json_array(j);
    for (int i = 0; i < CANDIDATES; i++) {
        next_release n = next_of(candidates[i], cap, spent);
        su_json_object(j);
        su_json_kv_real(j, "epsilon", n.epsilon);
        su_json_kv_real(j, "rho", n.rho);
        su_json_kv_bool(j, "granted", n.granted);
        su_json_kv_real(j, "total_epsilon_at_1e-9", n.total[0]);
        su_json_kv_real(j, "total_epsilon_at_1e-6", n.total[1]);
        su_json_kv_real(j, "more_epsilon_at_1e-9", n.more[0]);
        su_json_kv_real(j, "more_epsilon_at_1e-6", n.more[1]);
        su_json_end(j);
    }
    su_json_end(j);
}

static void next_text(su_buf *b, double cap, double spent)
{
    su_buf_text(b, "next   a release at epsilon (delta 1e-9) costs about, and brings this population to a total epsilon of\n");
    for (int i = 0; i < CANDIDATES; i++) {
        next_release n = next_of(candidates[i], cap, spent);
        su_buf_printf(b, "       %-4.3g rho %-9.4g %-15s %-7.4g (+%.3g) at delta 1e-9, %-7.4g (+%.3g) at delta 1e-6\n", n.epsilon, n.rho,
                      n.granted ? "granted" : "over the budget", n.total[0], n.more[0], n.total[1], n.more[1]);
    }
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
    su_json_kv_bool(j, "bounded", isfinite(e->epsilon));
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
    su_ledger_beside beside = su_ledger_beside_of(entries, count);
    su_json_kv_int(&j, "releases_without_bound", (int64_t)beside.unbounded);
    su_json_kv_real(&j, "delta_beside_rho", beside.delta);
    su_json_kv_real(&j, "left_rho", cap - spent);
    su_json_kv_real(&j, "next_epsilon_at_1e-9", su_zcdp_epsilon(cap > spent ? cap - spent : 0, 1e-9));
    next_json(&j, cap, spent);
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
        if (isinf(entries[i].epsilon)) {
            su_buf_printf(&cli->out, "%4llu  %s  %-9s  %s: unbounded  %s\n", (unsigned long long)entries[i].id, when,
                          su_ledger_state_name(entries[i].state), entries[i].mechanism, entries[i].output ? entries[i].output : "");
            continue;
        }
        su_buf_printf(&cli->out, "%4llu  %s  %-9s  epsilon %-8.5g delta %-8.3g rho %-12.6g %s\n", (unsigned long long)entries[i].id, when,
                      su_ledger_state_name(entries[i].state), entries[i].epsilon, entries[i].delta, (double)entries[i].rho_pico * 1e-12,
                      entries[i].output ? entries[i].output : "");
    }
    double left = cap > spent ? cap - spent : 0;
    su_ledger_beside beside = su_ledger_beside_of(entries, count);
    if (beside.unbounded)
        su_buf_printf(&cli->out,
                      "%llu release%s without a differential privacy bound: no total holds for this population; below are the others\n",
                      (unsigned long long)beside.unbounded, beside.unbounded == 1 ? "" : "s");
    if (beside.delta > 0)
        su_buf_printf(&cli->out, "beside rho stands delta %.3g of the mechanism sds: add it to the deltas below\n", beside.delta);
    su_buf_printf(&cli->out, "spent  rho %.6g = epsilon %.5g at delta 1e-9, %.5g at delta 1e-6, over all releases of this population\n",
                  spent, su_zcdp_epsilon(spent, 1e-9), su_zcdp_epsilon(spent, 1e-6));
    su_buf_printf(&cli->out, "left   rho %.6g of %.6g: one more release of at most epsilon %.5g at delta 1e-9\n", left, cap,
                  su_zcdp_epsilon(left, 1e-9));
    next_text(&cli->out, cap, spent);
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
    if (!st) st = su_cli_cap_epsilon(cli, &epsilon);
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
