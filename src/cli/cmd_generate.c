#include "cli.h"

#include <suha/generate.h>

#include <string.h>

const su_option su_options_generate[] = { { "shape", "SHAPE", "nb6k, c17k, c50k, c206k, m1x40, vp17k, or orgs3 (three raw exports in a folder)" },
                                          { "rows", "N", "people; default: the shape's own number" },
                                          { "seed", "S", "same seed, same bytes; default 1" },
                                          { "out", "PATH", "file to write, or folder for orgs3" },
                                          { NULL, NULL, NULL } };

su_status su_command_generate(su_cli *cli)
{
    const char *shape = NULL, *out = NULL;
    int64_t rows = 0, seed = 1;
    su_status st = su_cli_positionals(cli, 0, 0);
    if (!st) st = su_cli_need(cli, "shape", &shape);
    if (!st) st = su_cli_need(cli, "out", &out);
    if (!st) st = su_cli_integer(cli, "rows", 1, 100000000, 0, &rows);
    if (!st) st = su_cli_integer(cli, "seed", 0, INT64_MAX, 1, &seed);
    if (!st && su_path_exists(out)) st = su_fail(&cli->ctx, SU_REFUSED, "%s exists; choose another --out, nothing is overwritten", out);
    if (!st) st = su_generate(&cli->ctx, shape, (uint64_t)rows, (uint64_t)seed, out);
    if (st) return st;
    if (cli->json) {
        su_json j;
        su_json_init(&j, &cli->out);
        su_json_object(&j);
        su_json_kv_text(&j, "shape", shape);
        su_json_kv_int(&j, "seed", seed);
        su_json_kv_text(&j, "out", out);
        su_json_end(&j);
        su_buf_char(&cli->out, '\n');
    } else {
        su_log(&cli->ctx, "%s: imaginary people, shape %s, seed %lld", out, shape, (long long)seed);
    }
    return SU_OK;
}
