#include "people.h"
#include "shapes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A worksheet holds 1,048,576 rows and a quarter of the people call the hotline. */
#define ORGS3_MOST 4000000u
#define SHAPE_MOST UINT64_C(1000000000)

static const su_shape shapes[] = {
    { "nb6k", 6000, "10 independent columns, as in the notebooks of the Synthetic Data Showcase" },
    { "c17k", 17000, "26 columns with correlations, mean 9 attributes per person, shaped like case data" },
    { "c50k", 50000, "the same population as c17k, 50,000 people" },
    { "c206k", 206000, "the same population as c17k, 206,000 people" },
    { "m1x40", 1000000, "40 columns, mean 12 attributes per person, a million people" },
    { "vp17k", 17000, "17,000 victims and their perpetrators, one row per pair, in the schema ctdc-vp-2022" },
    { "orgs3", 20000, "a folder with the raw exports of three imaginary organisations: harbour.csv, hotline.xlsx, refuge.csv" },
};

const su_shape *su_shapes(size_t *count)
{
    *count = sizeof shapes / sizeof shapes[0];
    return shapes;
}

static su_status organisations(su_context *ctx, uint64_t rows, uint64_t seed, const char *path)
{
    if (rows > ORGS3_MOST) return su_fail(ctx, SU_USAGE, "orgs3 makes at most %u people: a worksheet cannot hold more calls", ORGS3_MOST);
    bool made = mkdir(path, 0777) == 0;
    if (!made && errno != EEXIST) return su_fail(ctx, SU_IO, "cannot make the folder %s: %s", path, strerror(errno));
    su_arena arena;
    su_arena_init(&arena);
    const char *files[] = { su_path_join(&arena, path, "harbour.csv"), su_path_join(&arena, path, "hotline.xlsx"),
                            su_path_join(&arena, path, "refuge.csv") };
    uint64_t harbour = rows * 9 / 20, hotline = rows / 4;
    /* Three streams, so that one organisation's rows do not depend on the number of another's. */
    su_status status = su_export_harbour(ctx, harbour, seed * 3, files[0]);
    if (status == SU_OK) status = su_export_hotline(ctx, hotline, seed * 3 + 1, files[1]);
    if (status == SU_OK) status = su_export_refuge(ctx, rows - harbour - hotline, seed * 3 + 2, files[2]);
    if (status != SU_OK && made) {
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) unlink(files[i]);
        rmdir(path);
    }
    su_arena_free(&arena);
    return status;
}

su_status su_generate(su_context *ctx, const char *shape, uint64_t rows, uint64_t seed, const char *path)
{
    const su_shape *found = NULL;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcmp(shapes[i].name, shape) == 0) found = &shapes[i];
    if (!found)
        return su_fail(ctx, SU_USAGE, "there is no shape named \"%s\"; the shapes are nb6k, c17k, c50k, c206k, m1x40, vp17k and orgs3",
                       shape);
    if (rows > SHAPE_MOST) return su_fail(ctx, SU_USAGE, "%llu rows are too many: at most 1,000,000,000", (unsigned long long)rows);
    if (rows == 0) rows = found->default_rows;
    if (strcmp(shape, "orgs3") == 0) return organisations(ctx, rows, seed, path);
    if (strcmp(shape, "vp17k") == 0) return su_shape_pairs(ctx, rows, seed, path);
    if (strcmp(shape, "nb6k") == 0) return su_shape_showcase(ctx, rows, seed, path);
    return su_shape_classes(ctx, shape, rows, seed, path);
}
