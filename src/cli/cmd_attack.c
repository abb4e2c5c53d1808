#include "cli.h"
#include "evaluation.h"

#include <suha/attack.h>

#include <math.h>
#include <string.h>

const su_option su_options_attack[] = { SU_OPTIONS_SOURCE,
                                        { "vault", "DIR", "attack releases of the records of a vault instead of a FILE" },
                                        { "epsilon", "E", "privacy budget of the release that is attacked, above 0 and at most 100" },
                                        { "delta", "D", "default 1e-9; at most 1e-3" },
                                        { "length", "R", "longest combination measured and published, 1 to 4; default 3" },
                                        { "mechanism", "NAME", "default residual; see suha release --help" },
                                        { "k", "K", "print no count below K" },
                                        { "rounds", "N", "releases of each kind, 20 to 10000; default 200" },
                                        { "targets", "N", "how many of the most isolated records are looked for, 1 to 50; default 50" },
                                        { "seconds", "S",
                                          "CPU seconds that one release may spend on its records; default as suha release. Fewer: quicker, "
                                          "and records farther from the same noisy tables" },
                                        { "unit", "COLUMN", "refused: these attacks look for single records, not for persons with several" },
                                        { "contribution", "M", "refused above 1, as --unit" },
                                        { "sensitive", "COLUMN",
                                          "what the inference attack wants to know; default the first sensitive column" },
                                        { "who", "NAME", "with --vault: who attacks, for the audit chain; default: the user's login name" },
                                        { "test-mode", NULL, "allow --seed" },
                                        { "seed", "S", "repeatable noise, only with --test-mode" },
                                        SU_OPTION_PASSPHRASE,
                                        { NULL, NULL, NULL } };

typedef struct assault {
    su_source source;
    su_schema *schema; /* vault only */
    su_case_table *cases;
    su_code_matrix *m;
    su_release_options release;
    su_attack_options options;
    su_attack_report report;
} assault;

static su_status random_of(su_cli *cli, su_random *random)
{
    int64_t seed = 0;
    if (!su_cli_option(cli, "seed")) return su_random_system(&cli->ctx, random);
    if (!su_cli_switch(cli, "test-mode")) return su_fail(&cli->ctx, SU_REFUSED, "--seed goes with --test-mode only");
    su_status st = su_cli_integer(cli, "seed", 0, INT64_MAX, 0, &seed);
    su_random_seeded(random, (uint64_t)seed);
    return st;
}

static su_status read_options(su_cli *cli, assault *a)
{
    int64_t rounds = 0, targets = 0;
    su_status st = su_cli_release_options(cli, &a->release);
    if (!st && (su_cli_option(cli, "unit") || a->release.contribution > 1))
        st = su_fail(&cli->ctx, SU_REFUSED,
                     "suha attack looks for single records: of a person with several records it would say less than the truth. Attack a "
                     "file in which a person is one record");
    if (!st) st = su_cli_real(cli, "seconds", 0, &a->release.seconds);
    if (!st && su_cli_option(cli, "seconds") && !(a->release.seconds >= 0.01 && a->release.seconds <= 3600))
        st = su_fail(&cli->ctx, SU_REFUSED, "--seconds %s must be from 0.01 to 3600", su_cli_option(cli, "seconds"));
    if (!st) st = su_cli_integer(cli, "rounds", 20, 10000, 200, &rounds);
    if (!st) st = su_cli_integer(cli, "targets", 1, 50, 50, &targets);
    a->options = (su_attack_options) { .rounds = (uint32_t)rounds, .targets = (uint32_t)targets, .sensitive = -1 };
    return st;
}

static su_status read_records(su_cli *cli, assault *a)
{
    const char *dir = su_cli_option(cli, "vault"), *schema = NULL;
    su_vault *v = NULL;
    su_status st = su_cli_positionals(cli, dir ? 0 : 1, dir ? 0 : 1);
    if (!st) st = su_cli_need(cli, "schema", &schema);
    if (!st && !dir) {
        a->source.nameless = a->source.emptied = true;
        st = su_source_load(cli, cli->positional[0], &a->source);
        a->cases = a->source.cases;
        a->release.domain_from_data = a->source.domain_from_data;
    } else if (!st) {
        st = su_cli_vault_open(cli, dir, &v);
        if (!st) st = su_cli_schema(cli, schema, NULL, &a->schema);
        if (!st) st = su_vault_read(&cli->ctx, v, NULL, a->schema, &a->cases);
        if (!st) st = su_vault_note_compared(&cli->ctx, v, "attack", "made in memory", su_cli_who(cli));
        su_vault_close(v);
    }
    return st ? st : su_code_matrix_of(&cli->ctx, a->cases, &a->m);
}

static su_status sensitive_column(su_cli *cli, assault *a)
{
    const char *name = su_cli_option(cli, "sensitive");
    for (uint32_t c = 0; name && c < a->m->column_count; c++)
        if (strcmp(a->m->columns[c].name, name) == 0) a->options.sensitive = c;
    if (name && a->options.sensitive < 0) return su_fail(&cli->ctx, SU_USAGE, "--sensitive %s is no column of the release", name);
    return SU_OK;
}

/* ---- output ---- */

static void result_json(su_json *j, const su_attack_result *r, bool release)
{
    su_json_object(j);
    su_json_kv_bool(j, "ran", r->ran);
    if (r->ran) {
        su_json_kv_real(j, "auc", r->auc);
        su_json_kv_real(j, "auc_se", r->auc_se);
        su_json_kv_real(j, "true_positive_rate", r->tpr);
        su_json_kv_real(j, "false_positive_rate", r->fpr);
        if (release) su_json_kv_real(j, "bound", r->bound);
        su_json_kv_real(j, "epsilon_at_least", r->epsilon_low);
        su_json_kv_int(j, "positives", (int64_t)r->positives);
        su_json_kv_int(j, "negatives", (int64_t)r->negatives);
    }
    su_json_end(j);
}

static void print_json(su_cli *cli, const assault *a)
{
    const su_attack_report *r = &a->report;
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_object(&j);
    su_json_kv_text(&j, "notice", SU_NOT_PUBLIC);
    su_json_kv_text(&j, "mechanism", su_mechanism_name(a->release.mechanism));
    su_json_kv_bool(&j, "bound_promised", r->bound_promised);
    su_json_kv_real(&j, "epsilon", r->epsilon);
    su_json_kv_real(&j, "delta", r->delta);
    su_json_kv_int(&j, "records", (int64_t)a->m->row_count);
    su_json_kv_int(&j, "targets", r->targets);
    su_json_kv_int(&j, "rounds", r->rounds);
    if (a->release.seconds > 0) su_json_kv_real(&j, "seconds", a->release.seconds);
    su_json_kv_text(&j, "sensitive", a->m->columns[r->sensitive].name);
    su_json_key(&j, "results");
    su_json_object(&j);
    for (int w = 0; w < SU_ATTACKED_COUNT; w++) {
        su_json_key(&j, su_attacked_name((su_attacked)w));
        su_json_object(&j);
        for (int k = 0; k < SU_ATTACK_COUNT; k++) {
            su_json_key(&j, su_attack_name((su_attack)k));
            result_json(&j, &r->result[w][k], w == SU_ATTACKED_RELEASE);
        }
        if (w != SU_ATTACKED_RELEASE) su_json_kv_bool(&j, "succeeded", r->control_succeeded[w]);
        su_json_end(&j);
    }
    su_json_end(&j);
    su_json_kv_bool(&j, "vacuous", r->vacuous);
    su_json_kv_bool(&j, "contradicted", r->contradicted);
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
}

static void print_world(su_buf *b, const su_attack_report *r, su_attacked w)
{
    bool release = w == SU_ATTACKED_RELEASE;
    su_buf_printf(b, "\n%-22s%18s%12s%12s%12s\n", release ? "THE RELEASE" : su_attacked_name(w), "AUC (se)", "TPR", "at FPR",
                  release ? "TPR bound" : "");
    for (int k = 0; k < SU_ATTACK_COUNT; k++) {
        const su_attack_result *x = &r->result[w][k];
        su_buf_printf(b, "  %-20s", su_attack_name((su_attack)k));
        if (!x->ran) {
            su_buf_text(b, "  not run\n");
            continue;
        }
        su_buf_printf(b, "%10.3f (%.3f)%11.1f %%%10.2f %%", x->auc, x->auc_se, 100 * x->tpr, 100 * x->fpr);
        if (release && r->bound_promised) su_buf_printf(b, "%10.1f %%", 100 * x->bound);
        if (release && !r->bound_promised) su_buf_printf(b, "%12s", "none");
        su_buf_char(b, '\n');
    }
    if (!release)
        su_buf_printf(b, "  %s\n",
                      r->control_succeeded[w] ? "succeeds, as it must"
                                              : "DOES NOT SUCCEED: where these attacks fail, nothing follows from it");
}

static void print_text(su_cli *cli, const assault *a)
{
    const su_attack_report *r = &a->report;
    su_buf *b = &cli->out;
    su_buf_printf(b, "%s\n\n  mechanism %s, ", SU_NOT_PUBLIC, su_mechanism_name(a->release.mechanism));
    if (r->bound_promised)
        su_buf_printf(b, "epsilon %.6g, delta %.3g\n", r->epsilon, r->delta);
    else
        su_buf_text(b, "no differential privacy bound\n");
    su_buf_printf(b, "  %llu records, the %u most isolated are looked for in %u releases each with and without half of them\n",
                  (unsigned long long)a->m->row_count, r->targets, r->rounds);
    if (a->release.seconds > 0)
        su_buf_printf(b, "  effort for the records of a release: %g CPU seconds; the noise is that of suha release, the fit is not\n",
                      a->release.seconds);
    su_buf_printf(b, "  inference wants to know %s. Nothing was published, nothing is charged.\n", a->m->columns[r->sensitive].name);
    for (int w = 0; w < SU_ATTACKED_COUNT; w++) print_world(b, r, (su_attacked)w);
    if (r->bound_promised)
        su_buf_text(b, "\n  That these attacks fail proves nothing; the guarantee is the proof. One that beats its bound would prove a bug.");
    su_buf_text(b, "\n  AUC 0.5 is a guess, 1 is certainty. TPR: targets found when at most 1 % of the others are taken for one.\n");
}

su_status su_command_attack(su_cli *cli)
{
    assault a = { 0 };
    su_random random = { 0 };
    su_status st = read_options(cli, &a);
    if (!st) st = random_of(cli, &random);
    if (!st) st = read_records(cli, &a);
    if (!st) st = sensitive_column(cli, &a);
    if (!st) st = su_attack_run(&cli->ctx, a.m, &a.release, &a.options, &random, &a.report);
    if (!st && cli->json) print_json(cli, &a);
    if (!st && !cli->json) print_text(cli, &a);
    if (!st && a.report.contradicted)
        st = su_fail(&cli->ctx, SU_REFUSED,
                     "an attack learns more than epsilon %.4g allows: the promise of this mechanism does not hold. Publish nothing, and "
                     "report this.",
                     a.report.epsilon);
    else if (!st && a.report.vacuous)
        st = su_fail(&cli->ctx, SU_REFUSED,
                     "the attacks do not even succeed where nobody is protected (see the controls), so their failure says nothing: too few "
                     "records stand alone in these data, or --rounds and --targets are too small");
    su_random_wipe(&random);
    su_code_matrix_free(a.m);
    if (a.cases != a.source.cases) su_case_table_free(a.cases);
    su_source_free(&a.source);
    su_schema_free(a.schema);
    return st;
}
