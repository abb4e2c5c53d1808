/* cli: the only place that knows argv, the terminal, the environment and the file system's layout of instruments. */
#ifndef SU_CLI_H
#define SU_CLI_H

#include <suha/harmonise.h>
#include <suha/portal.h>
#include <suha/protect.h>
#include <suha/vault.h>

enum { SU_CLI_MAX_OPTIONS = 64 };

typedef struct su_option {
    const char *name;  /* without dashes */
    const char *value; /* what the value is called in help; NULL for a switch */
    const char *help;
} su_option;

typedef struct su_cli su_cli;
typedef struct su_command {
    const char *name;      /* "vault init": one or two words */
    const char *arguments; /* as shown in help: "FILE --schema S" */
    const char *summary;
    const char *example;
    const su_option *options; /* ends with a NULL name; --json and --help are everyone's */
    su_status (*run)(su_cli *cli);
} su_command;

struct su_cli {
    su_context ctx;
    su_arena arena; /* lives as long as the command */
    const su_command *command;
    const char *values[SU_CLI_MAX_OPTIONS];
    const char **positional;
    int positional_count;
    bool json;
    su_buf out; /* the result; printed on stdout at the end */
};

/* ---- arguments (args.c) ---- */
extern const su_option su_options_common[];
/* Parses argv after the command's words. SU_USAGE with a message on unknown or repeated options and missing values. */
su_status su_cli_parse(su_cli *cli, int argc, char **argv);
const char *su_cli_option(const su_cli *cli, const char *name); /* NULL when not given */
bool su_cli_switch(const su_cli *cli, const char *name);
su_status su_cli_need(su_cli *cli, const char *name, const char **out); /* SU_USAGE when not given */
su_status su_cli_positionals(su_cli *cli, int least, int most);
su_status su_cli_integer(su_cli *cli, const char *name, int64_t least, int64_t most, int64_t otherwise, int64_t *out);
su_status su_cli_real(su_cli *cli, const char *name, double otherwise, double *out); /* finite numbers only */
/* A positional or option value as a number, with its name in the message. */
su_status su_cli_number(su_cli *cli, const char *what, const char *text, double *out);

/* ---- commands (main.c) ---- */
const su_command *su_commands(size_t *count);
void su_cli_help(const su_command *command, FILE *to);

/* Prints what the command has said so far on stdout and empties it. */
su_status su_cli_print(su_cli *cli);

/* ---- terminal (terminal.c) ---- */
void su_terminal_attach(su_context *ctx); /* log and progress on stderr; Ctrl-C sets ctx->cancel */
/* Text with '?' for every control character but tab and line feed: a cell or a file's name must not command the terminal of who reads it.
 * For messages always; for results where stdout is a terminal (in a file or a pipe they stay as they are). */
bool su_terminal_put(FILE *to, const char *p, size_t n);
void su_terminal_wait(void);              /* until Ctrl-C or SIGTERM */
void su_terminal_line_end(void);          /* ends a progress bar that is on screen */

/* ---- secrets (secret.c) ---- */
typedef struct su_cli_secret {
    char *p;
    size_t n;
} su_cli_secret; /* locked memory */
/* --passphrase-file, then $SUHA_PASSPHRASE, then a prompt (twice when `twice`). */
su_status su_cli_passphrase(su_cli *cli, bool twice, su_cli_secret *out);
void su_cli_secret_free(su_cli_secret *s);
#define SU_OPTION_PASSPHRASE                                                                                                               \
    {                                                                                                                                      \
        "passphrase-file", "FILE", "read the passphrase from FILE (its first line); else $SUHA_PASSPHRASE, else a prompt"                  \
    }

/* ---- instruments (instruments.c) ---- */
/* Looks in $SUHA_INSTRUMENTS, then in what is built into the program. */
bool su_instrument_resource(void *arg, const char *path, su_str *bytes);
/* A shipped instrument's name, or a folder with a schema.json; "auto" reads the schema off `raw`. */
su_status su_cli_schema(su_cli *cli, const char *name, const su_raw_table *raw, su_schema **out);

/* ---- sources (source.c) ---- */
typedef struct su_source {
    su_raw_table *raw;
    su_schema *schema;
    su_mapping *mapping; /* NULL: by name */
    su_case_table *cases;
    su_harmonise_report *report;
    bool domain_from_data;
    bool nameless; /* set before reading: the cases are only counted: they need no record ids, and a byte a cell is enough */
    bool emptied;  /* set before reading: nobody reads the cells of `raw` once they are mapped */
} su_source;
#define SU_OPTIONS_SOURCE                                                                                                                  \
    { "schema", "S", "schema: a shipped instrument (suha schemas), a folder with a schema.json, or auto" },                                \
        { "map", "M", "mapping CSV (see suha map suggest); without it columns are matched by name; also NAME of a shipped mapping" },      \
        { "sheet", "NAME", "sheet of a workbook; default: the first with rows" },                                                          \
        { "header-rows", "N", "1, or 2 for two merged header rows" },                                                                      \
    {                                                                                                                                      \
        "margins", "refuse|exclude", "what to do with rows that are totals of other rows; default refuse"                                  \
    }
/* Reads FILE (by --sheet, --header-rows); then the schema. Fills raw and schema. */
su_status su_source_read(su_cli *cli, const char *path, const char *schema, su_source *s);
/* Reads, maps (map NULL: by name) and harmonises FILE. The report is there even when it refuses. */
su_status su_source_open(su_cli *cli, const char *path, const char *schema, const char *map, su_margins margins, su_source *s);
su_status su_source_margins(su_cli *cli, su_margins *out); /* --margins */
/* su_source_open by --schema, --map and --margins. */
su_status su_source_load(su_cli *cli, const char *path, su_source *s);
void su_source_free(su_source *s);

/* ---- the release, step by step (release.c) ---- */
typedef struct su_release_job {
    su_case_table *cases; /* these two are taken: freed as soon as the records are coded, or the release has failed */
    su_raw_table *raw;    /* the cases' file; NULL from a vault */
    const char *unit;        /* --unit; NULL = each record is a person */
    const char *prior;       /* --public: folder of an earlier release; NULL = none */
    const su_release_options *options;
    su_ledger *ledger;
    const char *ledger_note, *mechanism_inputs;
    const char *out, *title, *publisher, *supersedes;
    bool evaluate;
    bool has_seed;
    uint64_t seed;
} su_release_job;
su_status su_cli_release(su_cli *cli, su_release_job *job);
/* Which rows are one person's (unit.c): numbers in the command's arena, and what one of them is called, "one victim". Cells without a value
 * are persons of their own. */
su_status su_cli_units(su_cli *cli, const su_release_job *job, const uint32_t **units, const char **noun);
/* An earlier release as records in the columns of m (prior.c), all in the command's arena. Refuses one without a promise of its own. */
typedef struct su_cli_prior {
    su_public_records records;
    const char *title, *sha256; /* of its protection/report.json, in hexadecimal */
    double epsilon, delta;
} su_cli_prior;
su_status su_cli_prior_load(su_cli *cli, const char *dir, const su_code_matrix *m, su_cli_prior *out);
#define SU_OPTIONS_SDS                                                                                                                     \
    { "percentile-percentage", "P", "sds: records in a hundred that keep all their combinations; default 99" },                            \
        { "percentile-epsilon-proportion", "S", "sds: share of the budget for the bounds; default 0.01" },                                 \
        { "number-of-records-epsilon-proportion", "S", "sds: share of epsilon for the number of records; default 0.005" },                 \
        { "sigma-proportions", "P1,P2,..", "sds: noise by length, relative; goes before --accuracy-mode" },                                \
        { "accuracy-mode", "MODE", "sds: prioritize_long_combinations (default), prioritize_short_combinations or balanced" },              \
        { "fabrication-mode", "MODE", "sds: uncontrolled (default), balanced, progressive or minimize" },                                  \
        { "adaptive-thresholds", "E2,E3,..", "sds: eta by length from 2 on, in (0, 1]; goes before --fabrication-mode" },                   \
        { "fixed-thresholds", "T2,T3,..", "sds: noisy counts by length from 2 on, above which a combination is reported" },                 \
        { "weight-selection-percentile", "P", "sds: of the counts that weigh an attribute in long records; default 95" },                   \
        { "use-synthetic-counts", NULL, "sds: weights less what was made already" },                                                       \
        { "sample-size", "N", "sds: synthetic records to make; default: until the counts are used up" },                                   \
        { "codelist-candidates", NULL, "sds: look for single values in the codelist, not in the data (costs no delta; not SDS)" },         \
    {                                                                                                                                      \
        "tight-accounting", NULL, "sds: noise by this program's accounting instead of the looser one of SDS"                               \
    }
uint64_t su_rho_pico(double rho); /* rounded up; saturates */
/* What the charge does not show: charged releases without a differential privacy bound, and the parts of delta that stand beside rho. */
typedef struct su_ledger_beside {
    uint64_t unbounded;
    double delta;
} su_ledger_beside;
su_ledger_beside su_ledger_beside_of(const su_ledger_entry *entries, size_t count);
#define SU_DEFAULT_CAP_EPSILON 12.0
#define SU_DEFAULT_DELTA 1e-9

/* ---- the vault and the portal, as several commands use them ---- */
su_status su_cli_vault_open(su_cli *cli, const char *dir, su_vault **out); /* cmd_vault.c: asks for the passphrase */
su_status su_cli_vault_new(su_cli *cli, const char *dir, su_passphrase pass, double cap_epsilon, su_vault **out);
su_status su_cli_vault_budget(su_cli *cli, su_vault *v, double cap_epsilon); /* the first budget, where there is none yet */
su_status su_cli_cap_epsilon(su_cli *cli, double *out); /* --cap-epsilon, above 0 and at most 1000; cmd_vault.c */
const char *su_cli_who(const su_cli *cli); /* --who, else the login name; cmd_import.c */
su_status su_cli_import(su_cli *cli, su_vault *v, const char *org, const su_source *s, const char *who, unsigned how, uint64_t *batch,
                        su_import_counts *counts);
su_status su_cli_release_options(su_cli *cli, su_release_options *o); /* --mechanism, --epsilon, ...; release_options.c */
su_status su_cli_release_vault(su_cli *cli, su_vault *v, const char *schema, su_release_job *job); /* cmd_release.c */
su_status su_cli_serve(su_cli *cli, const char *const *dirs, size_t count, const su_portal_options *options);       /* until Ctrl-C */

/* ---- the commands ---- */
#define SU_COMMAND(id, name, arguments, summary, example)                                                                                  \
    extern const su_option su_options_##id[];                                                                                              \
    su_status su_command_##id(su_cli *cli);
#include "commands.def"
#undef SU_COMMAND

#endif
