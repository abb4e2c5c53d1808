#include "cli.h"

#include <stdlib.h>
#include <string.h>

const su_option su_options_serve[] = { { "port", "P", "default 8080; 0 takes any free one" },
                                       { "address", "A", "default 127.0.0.1: this computer only" },
                                       { "listen", "A:P", "address and port in one word: 127.0.0.1:8080, [::1]:8080" },
                                       { "unix", "PATH", "listen on a Unix socket, for a reverse proxy on this computer" },
                                       { "access-log", "FILE",
                                         "append one line per request: time, method, path, status, bytes, milliseconds" },
                                       { "log-addresses", NULL, "write the address of the client on each line: personal data" },
                                       { NULL, NULL, NULL } };

static void say_where(su_cli *cli, const su_portal *portal, const su_portal_options *o)
{
    if (o->unix_socket) {
        su_log(&cli->ctx, "listening on the socket %s; Ctrl-C ends", o->unix_socket);
        return;
    }
    bool v6 = o->address && strchr(o->address, ':');
    su_log(&cli->ctx, "open http://%s%s%s:%u in a browser on this computer; Ctrl-C ends", v6 ? "[" : "",
           o->address ? o->address : "127.0.0.1", v6 ? "]" : "", su_portal_port(portal));
}

su_status su_cli_serve(su_cli *cli, const char *const *dirs, size_t count, const su_portal_options *options)
{
    su_portal *portal = NULL;
    su_status st = su_portal_start(&cli->ctx, dirs, count, options, &portal);
    if (st) return st;
    say_where(cli, portal, options);
    if (cli->json) {
        printf("{\"port\": %u, \"releases\": %zu}\n", su_portal_port(portal), su_portal_releases(portal));
        fflush(stdout);
    }
    su_terminal_wait();
    su_portal_stop(portal);
    su_log(&cli->ctx, "stopped");
    return SU_OK;
}

/* 127.0.0.1:8080, [::1]:8080. */
static su_status parse_listen(su_cli *cli, const char *text, su_portal_options *o)
{
    const char *colon = strrchr(text, ':');
    int64_t port;
    if (!colon || colon == text || !su_parse_i64(su_str_of(colon + 1), &port))
        return su_fail(&cli->ctx, SU_USAGE, "--listen is an address and a port: 127.0.0.1:8080 or [::1]:8080, not \"%.100s\"", text);
    if (port < 0 || port > 65535)
        return su_fail(&cli->ctx, SU_REFUSED, "--listen: a port is a number from 0 to 65535, not %.20s", colon + 1);
    size_t n = (size_t)(colon - text);
    bool brackets = text[0] == '[' && text[n - 1] == ']';
    if (!brackets && memchr(text, ':', n))
        return su_fail(&cli->ctx, SU_USAGE, "--listen: an IPv6 address stands in brackets: [%.*s]:%s", (int)n, text, colon + 1);
    o->address = brackets ? su_arena_strndup(&cli->arena, text + 1, n - 2) : su_arena_strndup(&cli->arena, text, n);
    o->port = (uint16_t)port;
    return SU_OK;
}

su_status su_command_serve(su_cli *cli)
{
    int64_t port = 8080;
    const char *listen = su_cli_option(cli, "listen"), *path = su_cli_option(cli, "unix");
    bool by_port = su_cli_option(cli, "port") || su_cli_option(cli, "address");
    su_status st = su_cli_positionals(cli, 1, 64);
    if (!st) st = su_cli_integer(cli, "port", 0, 65535, 8080, &port);
    if (!st && (listen != NULL) + (path != NULL) + by_port > 1)
        st = su_fail(&cli->ctx, SU_USAGE, "give one place to listen: --listen, or --unix, or --address and --port");
    su_portal_options options = { .address = su_cli_option(cli, "address"), .port = (uint16_t)port, .unix_socket = path };
    options.access_log = su_cli_option(cli, "access-log");
    options.log_addresses = su_cli_switch(cli, "log-addresses");
    options.threads = cli->ctx.threads;
    if (!st && options.log_addresses && !options.access_log) st = su_fail(&cli->ctx, SU_USAGE, "--log-addresses needs --access-log FILE");
    if (!st && listen) st = parse_listen(cli, listen, &options);
    return st ? st : su_cli_serve(cli, cli->positional, (size_t)cli->positional_count, &options);
}
