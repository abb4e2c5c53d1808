#include "assets.h"

#include <stdlib.h>
#include <string.h>

static int by_path(const void *path, const void *asset) { return strcmp(path, ((const su_asset *)asset)->path); }

const su_asset *su_asset_at(const char *path) { return bsearch(path, su_assets, su_asset_count, sizeof *su_assets, by_path); }

const char *su_asset_path(const char *name)
{
    for (size_t i = 0; i < su_asset_count; i++)
        if (strcmp(su_assets[i].name, name) == 0) return su_assets[i].path;
    return NULL;
}
