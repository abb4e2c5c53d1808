#include "cli.h"
#include "embedded.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RESOURCE_LIMIT = 16 << 20 };

/* A resource read from disk lives as long as the command. `dir` is $SUHA_INSTRUMENTS or the folder given as --schema. */
static bool from_folder(su_cli *cli, const char *dir, const char *path, su_str *bytes)
{
    if (strstr(path, "..")) return false;
    char *full = su_path_join(&cli->arena, dir, path);
    struct stat info;
    if (stat(full, &info) != 0 || !S_ISREG(info.st_mode)) return false;
    su_buf read = { 0 };
    if (su_file_read(&cli->ctx, full, RESOURCE_LIMIT, &read)) return false;
    *bytes = (su_str) { su_arena_strndup(&cli->arena, read.p ? read.p : "", read.n), read.n };
    su_buf_free(&read);
    return true;
}

bool su_instrument_resource(void *arg, const char *path, su_str *bytes)
{
    su_cli *cli = arg;
    const char *dir = getenv("SUHA_INSTRUMENTS");
    if (dir && *dir && from_folder(cli, dir, path, bytes)) return true;
    for (const su_embedded *e = su_embedded_instruments; e->path; e++)
        if (strcmp(e->path, path) == 0) {
            *bytes = (su_str) { e->begin, (size_t)(e->end - e->begin) };
            return true;
        }
    return false;
}

typedef struct folder_source {
    su_cli *cli;
    const char *parent;
} folder_source;

static bool folder_resource(void *arg, const char *path, su_str *bytes)
{
    folder_source *f = arg;
    return from_folder(f->cli, f->parent, path, bytes) || su_instrument_resource(f->cli, path, bytes);
}

static su_status unknown_schema(su_cli *cli, const char *name)
{
    su_buf known = { 0 };
    for (const su_embedded *e = su_embedded_instruments; e->path; e++) {
        const char *slash = strchr(e->path, '/');
        if (slash && strcmp(slash, "/schema.json") == 0)
            su_buf_printf(&known, "%s%.*s", known.n ? ", " : "", (int)(slash - e->path), e->path);
    }
    su_status st = su_fail(&cli->ctx, SU_REFUSED, "unknown schema '%s'; shipped are %s; or name a folder that holds a schema.json", name,
                           known.p ? known.p : "none");
    su_buf_free(&known);
    return st;
}

su_status su_cli_schema(su_cli *cli, const char *name, const su_raw_table *raw, su_schema **out)
{
    if (strcmp(name, "auto") == 0) {
        if (!raw) return su_fail(&cli->ctx, SU_USAGE, "--schema auto needs a FILE to read the columns from");
        return su_schema_from_table(&cli->ctx, raw, out);
    }
    if (strchr(name, '/')) {
        size_t n = strlen(name);
        while (n > 1 && name[n - 1] == '/') n--;
        char *folder = su_arena_strndup(&cli->arena, name, n), *slash = strrchr(folder, '/');
        folder_source source = { cli, slash == folder ? "/" : folder };
        *slash = '\0';
        return su_schema_load(&cli->ctx, slash + 1, folder_resource, &source, out);
    }
    su_str bytes;
    if (!su_instrument_resource(cli, su_arena_printf(&cli->arena, "%s/schema.json", name), &bytes)) return unknown_schema(cli, name);
    return su_schema_load(&cli->ctx, name, su_instrument_resource, cli, out);
}
