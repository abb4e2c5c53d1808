#include "cli.h"

const su_option su_options_check[] = { SU_OPTIONS_SOURCE,
                                       { "strict", NULL, "exit 1 when a value is not mapped, a row is rejected or a rule contradicted" },
                                       { NULL, NULL, NULL } };

static uint64_t unmapped_rows(const su_harmonise_report *r)
{
    uint64_t rows = 0;
    for (size_t c = 0; c < r->column_count; c++) rows += r->columns[c].rows_unmapped;
    return rows;
}

static uint64_t contradictions(const su_harmonise_report *r)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < r->rule_count; i++) rows += r->rules[i].soft ? 0 : r->rules[i].against;
    return rows;
}

su_status su_command_check(su_cli *cli)
{
    su_source s = { 0 };
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_source_load(cli, cli->positional[0], &s);
    if (s.report && cli->json) {
        su_json j;
        su_json_init(&j, &cli->out);
        su_harmonise_report_json(s.report, &j);
        su_buf_char(&cli->out, '\n');
    } else if (s.report) {
        su_harmonise_report_text(s.report, &cli->out);
    }
    if (!st && su_cli_switch(cli, "strict") && (unmapped_rows(s.report) || s.report->rows_rejected || contradictions(s.report)))
        st = su_fail(&cli->ctx, SU_REFUSED,
                     "%llu cells are not mapped, %llu rows are rejected and %llu contradict a rule of the schema (see the report); mend them "
                     "or leave --strict out",
                     (unsigned long long)unmapped_rows(s.report), (unsigned long long)s.report->rows_rejected,
                     (unsigned long long)contradictions(s.report));
    su_source_free(&s);
    return st;
}
