#include "cli.h"

#include <suha/generate.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEMO_SCHEMA "ctdc-2024"
enum { DEMO_PEOPLE = 20000, DEMO_SEED = 7 };

const su_option su_options_demo[] = { { "dir", "D", "folder of the example; default demo" },
                                      { "once", NULL, "end after the bundle, without the web page" },
                                      { "port", "P", "port of the web page; default 8080" },
                                      { NULL, NULL, NULL } };

static const struct demo_org {
    const char *id, *name, *kind, *file;
} orgs[] = {
    { "harbour", "Harbour House (imaginary)", "case-management", "harbour.csv" },
    { "hotline", "Open Line (imaginary)", "hotline", "hotline.xlsx" },
    { "refuge", "Refuge Lumière (imaginary)", "case-management", "refuge.csv" },
};
enum { ORGS = sizeof orgs / sizeof orgs[0] };

/* The example's vault has a passphrase like any other; it lies beside it because nobody in it is real. */
static su_status demo_passphrase(su_cli *cli, const char *path, su_buf *out)
{
    if (su_path_exists(path)) return su_file_read(&cli->ctx, path, 1024, out);
    su_random random;
    su_status st = su_random_system(&cli->ctx, &random);
    if (st) return st;
    uint8_t bytes[16];
    char hex[33];
    su_random_bytes(&random, bytes, sizeof bytes);
    su_random_wipe(&random);
    su_hex(bytes, sizeof bytes, hex);
    su_buf_text(out, hex);
    return su_file_write(&cli->ctx, path, hex, 32, 0600);
}

static su_status demo_vault(su_cli *cli, const char *dir, su_vault **out)
{
    su_buf pass = { 0 };
    char *vault = su_path_join(&cli->arena, dir, "vault");
    bool there = su_path_exists(su_path_join(&cli->arena, vault, "vault.db"));
    su_status st = demo_passphrase(cli, su_path_join(&cli->arena, dir, "passphrase"), &pass);
    su_passphrase phrase = { pass.p, pass.n };
    if (!st && there)
        st = su_vault_open(&cli->ctx, vault, phrase, out);
    else if (!st)
        st = su_cli_vault_new(cli, vault, phrase, SU_DEFAULT_CAP_EPSILON, out);
    if (!st && there) st = su_cli_vault_budget(cli, *out, SU_DEFAULT_CAP_EPSILON); /* stopped between the vault and its budget */
    su_buf_free(&pass);
    return st;
}

static uint64_t batches_of(const su_org *known, size_t count, const char *id, bool *exists)
{
    *exists = false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(known[i].id, id) == 0) {
            *exists = true;
            return known[i].batches;
        }
    return 0;
}

/* An example interrupted in the middle of an import goes on with it. */
static su_status has_open_batch(su_cli *cli, su_vault *v, const char *org, bool *open)
{
    su_batch *batches = NULL;
    size_t count = 0;
    su_status st = su_vault_batches(&cli->ctx, v, &cli->arena, &batches, &count);
    *open = false;
    for (size_t i = 0; i < count; i++) *open |= strcmp(batches[i].org, org) == 0 && strcmp(batches[i].state, "open") == 0;
    return st;
}

static uint64_t cells_unmapped(const su_harmonise_report *r)
{
    uint64_t cells = 0;
    for (size_t c = 0; c < r->column_count; c++) cells += r->columns[c].rows_unmapped;
    return cells;
}

static su_status demo_import(su_cli *cli, const char *dir, su_vault *v, const struct demo_org *org, const su_org *known, size_t count)
{
    bool exists, resume = false;
    uint64_t batch = 0, before = batches_of(known, count, org->id, &exists);
    su_status st = exists ? SU_OK : su_vault_org_add(&cli->ctx, v, org->id, org->name, org->kind);
    if (st || before) return st;
    su_source s = { 0 };
    char *raw = su_path_join(&cli->arena, dir, "raw"), *path = su_path_join(&cli->arena, raw, org->file);
    st = su_source_open(cli, path, DEMO_SCHEMA, su_arena_printf(&cli->arena, "example-%s", org->id), SU_MARGINS_REFUSE, &s);
    if (!st) st = has_open_batch(cli, v, org->id, &resume);
    if (!st) st = su_cli_import(cli, v, org->id, &s, "demo", resume ? SU_IMPORT_RESUME : 0, &batch, NULL);
    if (!st)
        su_log(&cli->ctx, "   %-12s %-9s %6llu rows -> %6llu records sealed (batch %llu), %llu rejected, %llu cells not mapped", org->file,
               s.raw->encoding, (unsigned long long)s.report->rows_in, (unsigned long long)s.report->rows_out, (unsigned long long)batch,
               (unsigned long long)s.report->rows_rejected, (unsigned long long)cells_unmapped(s.report));
    su_source_free(&s);
    return st;
}

/* The raw exports are there whole or not at all: made beside, renamed when complete. */
static su_status demo_generate(su_cli *cli, const char *raw)
{
    char *part = su_arena_printf(&cli->arena, "%s.part", raw);
    for (size_t i = 0; i < ORGS; i++) unlink(su_path_join(&cli->arena, part, orgs[i].file));
    su_status st = su_generate(&cli->ctx, "orgs3", DEMO_PEOPLE, DEMO_SEED, part);
    if (!st && rename(part, raw) != 0) st = su_fail(&cli->ctx, SU_IO, "%s cannot be renamed to %s: %s", part, raw, strerror(errno));
    return st;
}

/* A folder is the example's when it is new, empty, or has the example's mark. */
static su_status demo_folder(su_cli *cli, const char *dir)
{
    char *mark = su_path_join(&cli->arena, dir, "SUHA-EXAMPLE.txt");
    bool made = mkdir(dir, 0700) == 0;
    if (!made) {
        struct dirent **names = NULL;
        int count = errno == EEXIST ? scandir(dir, &names, NULL, NULL) : -1;
        for (int i = 0; i < count; i++) free(names[i]);
        free(names);
        if (count < 0) return su_fail(&cli->ctx, SU_IO, "the folder %s cannot be made or read: %s", dir, strerror(errno));
        if (su_path_exists(mark)) return SU_OK;
        if (count > 2) return su_fail(&cli->ctx, SU_REFUSED, "%s holds other things; name another folder with --dir", dir);
    }
    const char text[] =
        "The example of suha demo: imaginary people, and a vault whose passphrase lies beside it. Remove the folder to start over.\n";
    su_status st = su_file_write(&cli->ctx, mark, text, sizeof text - 1, 0644);
    if (st && made) rmdir(dir);
    return st;
}

static su_status demo_build(su_cli *cli, const char *dir, const char *release)
{
    char *raw = su_path_join(&cli->arena, dir, "raw");
    su_vault *v = NULL;
    su_org *known = NULL;
    size_t count = 0;
    su_status st = SU_OK;
    if (!su_path_exists(raw)) {
        su_log(&cli->ctx, "1. raw exports of three imaginary organisations, %d people -> %s", DEMO_PEOPLE, raw);
        st = demo_generate(cli, raw);
    }
    if (!st) su_log(&cli->ctx, "2. encrypted vault -> %s", su_path_join(&cli->arena, dir, "vault"));
    if (!st) st = demo_vault(cli, dir, &v);
    if (!st) st = su_vault_orgs(&cli->ctx, v, &cli->arena, &known, &count);
    if (!st) su_log(&cli->ctx, "3. harmonise to %s, seal", DEMO_SCHEMA);
    for (size_t i = 0; i < ORGS && !st; i++) st = demo_import(cli, dir, v, &orgs[i], known, count);
    if (!st) su_log(&cli->ctx, "4. differentially private release at epsilon 4 -> %s", release);
    su_release_options options = { .epsilon = 4, .delta = SU_DEFAULT_DELTA, .length = 3 };
    su_release_job job = { .options = &options,
                           .out = release,
                           .evaluate = true,
                           .title = "Example dataset of three imaginary organisations",
                           .publisher = "Suha example" };
    if (!st) st = su_cli_release_vault(cli, v, DEMO_SCHEMA, &job);
    su_vault_close(v);
    return st;
}

su_status su_command_demo(su_cli *cli)
{
    const char *dir = su_cli_option(cli, "dir");
    int64_t port = 8080;
    su_status st = su_cli_positionals(cli, 0, 0);
    if (!st) st = su_cli_integer(cli, "port", 0, 65535, 8080, &port);
    if (!dir) dir = "demo";
    if (!st) st = demo_folder(cli, dir);
    if (st) return st;
    char *release = su_path_join(&cli->arena, dir, "release");
    bool there = su_path_exists(su_path_join(&cli->arena, release, "SHA256SUMS"));
    if (there && cli->json) su_buf_printf(&cli->out, "{\"out\": \"%s\", \"existing\": true}\n", "release");
    if (there)
        su_log(&cli->ctx, "the release in %s is there already; remove %s to start over", release, dir);
    else
        st = demo_build(cli, dir, release);
    if (st || su_cli_switch(cli, "once")) return st;
    su_cli_print(cli);
    const char *dirs[] = { release };
    su_portal_options options = { .port = (uint16_t)port };
    su_log(&cli->ctx, "5. web page");
    return su_cli_serve(cli, dirs, 1, &options);
}
