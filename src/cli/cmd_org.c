#include "cli.h"

const su_option su_options_org_add[] = { SU_OPTION_PASSPHRASE,
                                         { "name", "NAME", "name in words" },
                                         { "kind", "K", "case-management, hotline, state or other; default case-management" },
                                         { NULL, NULL, NULL } };
const su_option su_options_org_list[] = { { NULL, NULL, NULL } };

su_status su_command_org_add(su_cli *cli)
{
    const char *name = NULL, *kind = su_cli_option(cli, "kind");
    su_vault *v = NULL;
    su_status st = su_cli_positionals(cli, 2, 2);
    if (!st) st = su_cli_need(cli, "name", &name);
    for (const char *c = name; !st && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) st = su_fail(&cli->ctx, SU_USAGE, "--name holds a control character; give a plain name");
    if (!st) st = su_cli_vault_open(cli, cli->positional[0], &v);
    if (!st) st = su_vault_org_add(&cli->ctx, v, cli->positional[1], name, kind ? kind : "case-management");
    su_vault_close(v);
    if (st) return st;
    su_log(&cli->ctx, "organisation %s (%s) added, with a key of its own", cli->positional[1], name);
    if (cli->json) {
        su_json j;
        su_json_init(&j, &cli->out);
        su_json_object(&j);
        su_json_kv_text(&j, "organisation", cli->positional[1]);
        su_json_kv_text(&j, "name", name);
        su_json_end(&j);
        su_buf_char(&cli->out, '\n');
    }
    return SU_OK;
}

su_status su_command_org_list(su_cli *cli)
{
    su_vault *v = NULL;
    su_org *orgs = NULL;
    size_t count = 0;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_vault_open_public(&cli->ctx, cli->positional[0], &v);
    if (!st) st = su_vault_orgs(&cli->ctx, v, &cli->arena, &orgs, &count);
    su_json j;
    su_json_init(&j, &cli->out);
    if (!st && cli->json) su_json_array(&j);
    for (size_t i = 0; !st && i < count; i++) {
        if (cli->json) {
            su_json_object(&j);
            su_json_kv_text(&j, "organisation", orgs[i].id);
            su_json_kv_text(&j, "name", orgs[i].name);
            su_json_kv_text(&j, "kind", orgs[i].kind);
            su_json_kv_int(&j, "batches", (int64_t)orgs[i].batches);
            su_json_kv_int(&j, "records", (int64_t)orgs[i].records);
            su_json_kv_int(&j, "withdrawn", (int64_t)orgs[i].withdrawn);
            su_json_end(&j);
        } else {
            su_buf_printf(&cli->out, "%-16s %-16s batches %llu  records %llu  withdrawn %llu  %s\n", orgs[i].id, orgs[i].kind,
                          (unsigned long long)orgs[i].batches, (unsigned long long)orgs[i].records, (unsigned long long)orgs[i].withdrawn,
                          orgs[i].name);
        }
    }
    if (!st && cli->json) {
        su_json_end(&j);
        su_buf_char(&cli->out, '\n');
    }
    su_vault_close(v);
    return st;
}
