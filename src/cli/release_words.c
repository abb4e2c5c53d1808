#include "release_words.h"

#include <math.h>
#include <string.h>

enum { SHOWN_VALUES = 3, SHOWN_COLUMNS = 5, SHOWN_TABLES = 5 };

/* ---- values that the codelists do not have ------------------------------------------------------------------------------------------- */

/* The first coded column that the source column fills, and its code for what fits no other. */
static const char *other_code(const su_schema *schema, const char *targets)
{
    size_t n = strcspn(targets, ",");
    int field = su_schema_field(schema, (su_str) { targets, n });
    const su_codelist *list = field < 0 ? NULL : schema->fields[field].codelist;
    uint16_t value = list ? su_codelist_find(list, SU_STR("other")) : 0;
    return value ? list->codes[value - 1].code : NULL;
}

static void unmapped_column(su_cli *cli, const su_schema *schema, const su_column_report *c)
{
    su_buf text = { 0 };
    const char *other = other_code(schema, c->targets);
    for (size_t i = 0; i < c->unmapped_count && i < SHOWN_VALUES; i++) {
        const su_value_note *v = &c->unmapped[i];
        su_buf_printf(&text, "%s\"%.60s\"", i ? ", " : "", v->value);
        if (v->suggestion) su_buf_printf(&text, " (perhaps %s)", v->suggestion);
    }
    if (c->unmapped_count > SHOWN_VALUES) su_buf_printf(&text, " and %zu more", c->unmapped_count - SHOWN_VALUES);
    su_log(&cli->ctx, "column \"%s\", %llu row%s: %s %s in no codelist and will count as not recorded%s%s", c->source,
           (unsigned long long)c->rows_unmapped, c->rows_unmapped == 1 ? "" : "s", text.n ? text.p : "values that are not shown",
           c->unmapped_count == 1 ? "is" : "are", other ? "; what fits no code can be mapped to " : "", other ? other : "");
    su_buf_free(&text);
}

void su_cli_unmapped_words(su_cli *cli, const su_source *s)
{
    size_t columns = 0;
    for (size_t i = 0; i < s->report->column_count; i++) {
        const su_column_report *c = &s->report->columns[i];
        if (c->rows_unmapped == 0) continue;
        if (columns++ < SHOWN_COLUMNS) unmapped_column(cli, s->schema, c);
    }
    if (columns > SHOWN_COLUMNS) su_log(&cli->ctx, "and values of %zu more columns", columns - SHOWN_COLUMNS);
    if (columns) su_log(&cli->ctx, "suha check lists them all; say what they mean in a mapping (suha map suggest drafts one)");
}

/* ---- the plan ------------------------------------------------------------------------------------------------------------------------ */

static void name_table(const su_release *r, const su_dropped_table *t, size_t shown, su_buf *text)
{
    if (shown) su_buf_text(text, ", ");
    for (uint32_t k = 0; k < t->length; k++) su_buf_printf(text, "%s%s", k ? " x " : "", r->columns[t->columns[k]].name);
    su_buf_printf(text, " (%llu cells)", (unsigned long long)t->cells);
}

void su_cli_release_plan_words(su_cli *cli, const su_release *r)
{
    if (!r->table_count) {
        su_log(&cli->ctx, "plan: %s", su_mechanism_about(r->options.mechanism));
        return;
    }
    su_log(&cli->ctx, "plan: %zu tables of up to %u columns, %zu left out because of their size; rho %.6g", r->table_count,
           r->options.length, r->dropped_count, r->rho);
    if (r->dropped_count == 0) return;
    su_buf text = { 0 };
    size_t shown = 0;
    for (uint32_t l = 1; l <= r->options.length; l++) /* short ones first: they are missed most */
        for (size_t i = 0; i < r->dropped_count && shown < SHOWN_TABLES; i++)
            if (r->dropped[i].length == l) name_table(r, &r->dropped[i], shown++, &text);
    if (r->dropped_count > SHOWN_TABLES) su_buf_printf(&text, " and %zu more", r->dropped_count - SHOWN_TABLES);
    su_log(&cli->ctx, "left out: %s; protection/report.json lists all", text.p);
    su_buf_free(&text);
}

/* ---- the end ------------------------------------------------------------------------------------------------------------------------- */

static bool prints(const su_release *r, uint32_t length)
{
    for (size_t i = 0; i < r->aggregate_count; i++)
        if (r->aggregates[i].length == length) return true;
    return false;
}

/* What of the combinations printed nobody is expected to have, where a replay estimated it (docs/methods/invented.md). */
static void say_invented(su_cli *cli, const su_release *r)
{
    bool any = false;
    for (uint32_t l = 2; l <= r->options.length; l++) {
        if (!isfinite(r->expected_invented[l]) || !prints(r, l)) continue;
        su_buf_printf(&cli->out, any ? "; %u columns %.1f %%" : "  expected invented  %u columns %.1f %%", l,
                      100 * r->expected_invented[l]);
        any = true;
    }
    if (any) su_buf_text(&cli->out, " of the combinations printed (docs/methods/invented.md)\n");
}

/* Per length from 1 on; null where it is not known. */
static void json_invented(su_json *j, const su_release *r)
{
    su_json_key(j, "expected_invented");
    su_json_array(j);
    for (uint32_t l = 1; l <= r->options.length; l++) su_json_real(j, r->expected_invented[l]);
    su_json_end(j);
}

void su_cli_release_summary(su_cli *cli, const su_release_job *job, const su_release *r, const su_bundle_info *info, uint64_t cap,
                            uint64_t spent)
{
    const char *whose =
        job->unit ? su_arena_printf(&cli->arena, "%s, at most %u records each", info->unit, r->options.contribution) : "person's record";
    if (!cli->json) {
        su_buf_printf(&cli->out, "release written to %s\n  synthetic records  %llu\n  aggregates         %zu\n", job->out,
                      (unsigned long long)r->record_count, r->aggregate_count);
        say_invented(cli, r);
        if (r->record_count == 0 && r->aggregate_count == 0)
            su_buf_text(&cli->out,
                        "  nothing printed    no value stands out of the noise: too few people for this epsilon, or too many columns; "
                        "what was measured is charged all the same\n");
        if (!su_mechanism_bound(r->options.mechanism))
            su_buf_printf(&cli->out,
                          "  guarantee          NO DIFFERENTIAL PRIVACY BOUND: groups of %llu and more are shown as they are%s\n",
                          (unsigned long long)r->options.k, r->private_noise ? "" : "; NOT PRIVATE: seeded, for tests only");
        else if (r->options.domain_from_data)
            su_buf_text(&cli->out, "  guarantee          NONE: the domain was taken from the data\n");
        else if (!r->private_noise)
            su_buf_text(&cli->out, "  guarantee          NOT PRIVATE: seeded noise, for tests only\n");
        else
            su_buf_printf(&cli->out, "  guarantee          epsilon %.6g at delta %.3g per %s (rho %.6g, accountant %s)\n",
                          r->epsilon_stated, r->options.delta, whose, r->rho, su_accountant_name(r->accountant));
        su_buf_printf(&cli->out, "  ledger             %.6g of %.6g rho spent; %s\n", (double)spent * 1e-12, (double)cap * 1e-12,
                      job->ledger_note);
        return;
    }
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_object(&j);
    su_json_kv_text(&j, "out", job->out);
    su_json_kv_text(&j, "schema", r->schema->name);
    su_json_kv_text(&j, "mechanism", su_mechanism_name(r->options.mechanism));
    su_json_kv_real(&j, "epsilon", r->epsilon_stated);
    su_json_kv_real(&j, "delta", r->options.delta);
    su_json_kv_real(&j, "rho", r->rho);
    su_json_kv_text(&j, "accountant", su_accountant_name(r->accountant));
    su_json_kv_text(&j, "unit", job->unit ? info->unit : "record");
    su_json_kv_int(&j, "contribution", r->options.contribution);
    su_json_kv_bool(&j, "private", r->private_noise && !r->options.domain_from_data && su_mechanism_bound(r->options.mechanism));
    su_json_kv_int(&j, "tables", (int64_t)r->table_count);
    su_json_kv_int(&j, "tables_dropped", (int64_t)r->dropped_count);
    su_json_kv_int(&j, "records", (int64_t)r->record_count);
    su_json_kv_int(&j, "aggregates", (int64_t)r->aggregate_count);
    json_invented(&j, r);
    su_json_kv_real(&j, "ledger_spent_rho", (double)spent * 1e-12);
    su_json_kv_real(&j, "ledger_cap_rho", (double)cap * 1e-12);
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
}
