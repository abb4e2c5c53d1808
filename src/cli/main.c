#include "cli.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SU_COMMAND(id, name, arguments, summary, example) { name, arguments, summary, example, su_options_##id, su_command_##id },
static const su_command commands[] = {
#include "commands.def"
};
#undef SU_COMMAND

const su_command *su_commands(size_t *count)
{
    *count = sizeof commands / sizeof commands[0];
    return commands;
}

static void print_options(const su_option *o, FILE *to)
{
    for (; o && o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        fprintf(to, "  %-26s %s\n", left, o->help);
    }
}

void su_cli_help(const su_command *c, FILE *to)
{
    fprintf(to, "suha %s: %s\n\nusage: suha %s %s\n\noptions:\n", c->name, c->summary, c->name, c->arguments);
    print_options(c->options, to);
    print_options(su_options_common, to);
    fprintf(to, "\nexample:\n  %s\n", c->example);
}

static void overview(FILE *to)
{
    fputs("suha " SU_VERSION
          ": case files of trafficking survivors in, safe open data out\n\nusage: suha COMMAND ... (suha COMMAND --help explains one)\n\n",
          to);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) fprintf(to, "  %-16s %s\n", commands[i].name, commands[i].summary);
    fputs("\nexit status: 0 done, 1 refused or failed, 2 wrong usage\nexample:\n  suha demo\n", to);
}

/* The command whose words begin argv; *words tells how many they are. */
static const su_command *find_command(int argc, char **argv, int *words)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const char *space = strchr(commands[i].name, ' ');
        size_t first = space ? (size_t)(space - commands[i].name) : strlen(commands[i].name);
        if (strlen(argv[0]) != first || memcmp(argv[0], commands[i].name, first) != 0) continue;
        if (!space) {
            *words = 1;
            return &commands[i];
        }
        if (argc > 1 && strcmp(argv[1], space + 1) == 0) {
            *words = 2;
            return &commands[i];
        }
    }
    return NULL;
}

/* "vault" alone, or "vault --help": the commands of that family. */
static int family(const char *word, bool wrong)
{
    FILE *to = wrong ? stderr : stdout;
    size_t n = strlen(word), found = 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strncmp(commands[i].name, word, n) == 0 && commands[i].name[n] == ' ') {
            if (!found++) fprintf(to, "usage:\n");
            fprintf(to, "  suha %s %s\n      %s; example: %s\n", commands[i].name, commands[i].arguments, commands[i].summary,
                    commands[i].example);
        }
    if (found) return wrong ? 2 : 0;
    const char *nearest = NULL;
    size_t best = 4;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        size_t d = su_text_distance(su_str_of(word), su_str_of(commands[i].name), best);
        if (d < best) {
            best = d;
            nearest = commands[i].name;
        }
    }
    fprintf(stderr, "suha: there is no command '%s'%s%s%s; suha --help lists them\n", word, nearest ? "; did you mean '" : "",
            nearest ? nearest : "", nearest ? "'?" : "");
    return 2;
}

su_status su_cli_print(su_cli *cli)
{
    bool good = true;
    if (cli->out.n && isatty(STDOUT_FILENO))
        good = su_terminal_put(stdout, cli->out.p, cli->out.n);
    else if (cli->out.n)
        good = fwrite(cli->out.p, 1, cli->out.n, stdout) == cli->out.n;
    good = fflush(stdout) == 0 && good;
    su_wipe(cli->out.p, cli->out.n);
    cli->out.n = 0;
    return good ? SU_OK : su_fail(&cli->ctx, SU_IO, "the result could not be written to stdout");
}

static void complain(const su_cli *cli, const char *reason)
{
    fprintf(stderr, "suha %s: ", cli->command->name);
    su_terminal_put(stderr, reason, strlen(reason));
    fputc('\n', stderr);
}

static int finish(su_cli *cli, su_status st)
{
    char reason[sizeof cli->ctx.message];
    memcpy(reason, cli->ctx.message, sizeof reason);
    su_terminal_line_end();
    su_status printed = su_cli_print(cli);
    if (st)
        complain(cli, reason[0] ? reason : "failed");
    else if (printed)
        complain(cli, cli->ctx.message);
    if (!st) st = printed;
    int code = st == SU_OK ? 0 : st == SU_USAGE ? 2 : 1;
    su_buf_free(&cli->out);
    su_arena_free(&cli->arena);
    return code;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        overview(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--version") == 0) return puts("suha " SU_VERSION) < 0;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        overview(stdout);
        return 0;
    }
    int words = 0;
    const su_command *command = find_command(argc - 1, argv + 1, &words);
    if (!command) return family(argv[1], argc < 3 || strcmp(argv[2], "--help") != 0);

    su_cli cli = { .command = command };
    su_context_init(&cli.ctx);
    su_arena_init(&cli.arena);
    su_terminal_attach(&cli.ctx);
    su_status st = su_process_harden(&cli.ctx);
    if (!st) st = su_cli_parse(&cli, argc - 1 - words, argv + 1 + words);
    if (!st && su_cli_switch(&cli, "help")) {
        su_cli_help(command, stdout);
        return finish(&cli, SU_OK);
    }
    if (!st) st = command->run(&cli);
    return finish(&cli, st);
}
