#include "cli.h"

#include <math.h>
#include <string.h>

const su_option su_options_common[] = { { "json", NULL, "machine-readable result on stdout" },
                                        { "threads", "N", "worker threads; default one per core" },
                                        { "help", NULL, "this text" },
                                        { NULL, NULL, NULL } };

/* Options of a command come first in cli->values, the common ones behind them. */
static int find_option(const su_command *command, const char *name, size_t n, const su_option **option)
{
    int at = 0;
    const su_option *lists[2] = { command->options, su_options_common };
    for (int l = 0; l < 2; l++)
        for (const su_option *o = lists[l]; o && o->name; o++, at++)
            if (strlen(o->name) == n && memcmp(o->name, name, n) == 0) {
                if (option) *option = o;
                return at;
            }
    return -1;
}

static su_status unknown_option(su_cli *cli, const char *name, size_t n)
{
    const char *nearest = NULL;
    size_t best = 4;
    const su_option *lists[2] = { cli->command->options, su_options_common };
    for (int l = 0; l < 2; l++)
        for (const su_option *o = lists[l]; o && o->name; o++) {
            size_t d = su_text_distance((su_str) { name, n }, su_str_of(o->name), best);
            if (d < best) {
                best = d;
                nearest = o->name;
            }
        }
    if (nearest) return su_fail(&cli->ctx, SU_USAGE, "unknown option --%.*s; did you mean --%s?", (int)n, name, nearest);
    return su_fail(&cli->ctx, SU_USAGE, "unknown option --%.*s; see suha %s --help", (int)n, name, cli->command->name);
}

static su_status take_option(su_cli *cli, const char *word, int argc, char **argv, int *i)
{
    const char *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    const su_option *option = NULL;
    int at = find_option(cli->command, word, n, &option);
    if (at < 0) return unknown_option(cli, word, n);
    if (cli->values[at]) return su_fail(&cli->ctx, SU_USAGE, "option --%s is given twice", option->name);
    if (!option->value) {
        if (equals) return su_fail(&cli->ctx, SU_USAGE, "option --%s takes no value", option->name);
        cli->values[at] = "yes";
    } else if (equals) {
        cli->values[at] = equals + 1;
    } else if (*i + 1 < argc) {
        cli->values[at] = argv[++*i];
    } else {
        return su_fail(&cli->ctx, SU_USAGE, "option --%s needs a value: %s", option->name, option->value);
    }
    return SU_OK;
}

su_status su_cli_parse(su_cli *cli, int argc, char **argv)
{
    cli->positional = su_arena_array(&cli->arena, (size_t)argc + 1, sizeof *cli->positional);
    bool options_over = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (options_over || word[0] != '-' || word[1] == '\0' || (word[1] >= '0' && word[1] <= '9') || word[1] == '.') {
            cli->positional[cli->positional_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            options_over = true;
        } else if (strcmp(word, "-h") == 0) {
            cli->values[find_option(cli->command, "help", 4, NULL)] = "yes";
        } else if (word[1] != '-') {
            return su_fail(&cli->ctx, SU_USAGE, "unknown option %s; options have two dashes, see suha %s --help", word, cli->command->name);
        } else {
            su_status st = take_option(cli, word + 2, argc, argv, &i);
            if (st) return st;
        }
    }
    cli->json = su_cli_switch(cli, "json");
    int64_t threads = 0;
    su_status st = su_cli_integer(cli, "threads", 1, 256, 0, &threads);
    cli->ctx.threads = (unsigned)threads;
    return st;
}

const char *su_cli_option(const su_cli *cli, const char *name)
{
    int at = find_option(cli->command, name, strlen(name), NULL);
    return at < 0 ? NULL : cli->values[at];
}

bool su_cli_switch(const su_cli *cli, const char *name) { return su_cli_option(cli, name) != NULL; }

su_status su_cli_need(su_cli *cli, const char *name, const char **out)
{
    *out = su_cli_option(cli, name);
    if (*out && **out) return SU_OK;
    return su_fail(&cli->ctx, SU_USAGE, "--%s is needed: suha %s %s", name, cli->command->name, cli->command->arguments);
}

su_status su_cli_positionals(su_cli *cli, int least, int most)
{
    if (cli->positional_count < least)
        return su_fail(&cli->ctx, SU_USAGE, "something is missing: suha %s %s", cli->command->name, cli->command->arguments);
    if (cli->positional_count > most)
        return su_fail(&cli->ctx, SU_USAGE, "unexpected '%s': suha %s %s", cli->positional[most], cli->command->name,
                       cli->command->arguments);
    return SU_OK;
}

su_status su_cli_integer(su_cli *cli, const char *name, int64_t least, int64_t most, int64_t otherwise, int64_t *out)
{
    const char *text = su_cli_option(cli, name);
    *out = otherwise;
    if (!text) return SU_OK;
    su_status st = su_parse_i64(su_str_of(text), out) ? SU_REFUSED : SU_USAGE; /* a number out of range is refused; a word is wrong usage */
    if (st == SU_USAGE || *out < least || *out > most) {
        *out = otherwise;
        return su_fail(&cli->ctx, st, "--%s '%s' must be a whole number from %lld to %lld", name, text, (long long)least, (long long)most);
    }
    return SU_OK;
}

su_status su_cli_number(su_cli *cli, const char *what, const char *text, double *out)
{
    if (!text) return su_fail(&cli->ctx, SU_USAGE, "%s is missing: suha %s %s", what, cli->command->name, cli->command->arguments);
    if (!su_parse_f64(su_str_of(text), out)) {
        *out = 0;
        bool endless = strcasecmp(text, "nan") == 0 || strcasecmp(text, "inf") == 0 || strcasecmp(text, "-inf") == 0;
        return su_fail(&cli->ctx, endless ? SU_REFUSED : SU_USAGE, "%s '%s' is not a %snumber", what, text, endless ? "finite " : "");
    }
    return SU_OK;
}

su_status su_cli_real(su_cli *cli, const char *name, double otherwise, double *out)
{
    const char *text = su_cli_option(cli, name);
    *out = otherwise;
    if (!text) return SU_OK;
    char what[64];
    snprintf(what, sizeof what, "--%s", name);
    return su_cli_number(cli, what, text, out);
}
