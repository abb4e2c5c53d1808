#include "cli.h"

const su_option su_options_serve[] = { { "port", "P", "default 8080; 0 takes any free one" },
                                       { "address", "A", "default 127.0.0.1: this computer only" },
                                       { NULL, NULL, NULL } };

su_status su_cli_serve(su_cli *cli, const char *const *dirs, size_t count, const su_portal_options *options)
{
    su_portal *portal = NULL;
    su_status st = su_portal_start(&cli->ctx, dirs, count, options, &portal);
    if (st) return st;
    su_log(&cli->ctx, "open http://%s:%u in a browser on this computer; Ctrl-C ends", options->address ? options->address : "127.0.0.1",
           su_portal_port(portal));
    if (cli->json) {
        printf("{\"port\": %u}\n", su_portal_port(portal));
        fflush(stdout);
    }
    su_terminal_wait();
    su_portal_stop(portal);
    su_log(&cli->ctx, "stopped");
    return SU_OK;
}

su_status su_command_serve(su_cli *cli)
{
    int64_t port = 8080;
    su_status st = su_cli_positionals(cli, 1, 64);
    if (!st) st = su_cli_integer(cli, "port", 0, 65535, 8080, &port);
    su_portal_options options = { .address = su_cli_option(cli, "address"), .port = (uint16_t)port };
    return st ? st : su_cli_serve(cli, cli->positional, (size_t)cli->positional_count, &options);
}
