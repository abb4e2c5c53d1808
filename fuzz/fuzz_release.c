/* libFuzzer target: any bytes as the two data files of a bundle (split at the first zero byte), read in a small schema. What is accepted
 * must be within the schema: codes below the cards, aggregates in order. */
#include <suha/publish.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char report[] = "{\"schema\":\"f\",\"length\":3,\"k\":1,\"schema_sha256\":"
                             "\"0000000000000000000000000000000000000000000000000000000000000000\"}";
static const char package[] =
    "{\"resources\":[{\"path\":\"data/microdata.csv\",\"schema\":{\"fields\":[{\"name\":\"a\",\"suha:provided\":true},"
    "{\"name\":\"s\",\"suha:provided\":true,\"suha:separator\":\";\"},{\"name\":\"n\",\"suha:provided\":false},"
    "{\"name\":\"=f\"},{\"name\":\"'=f\",\"suha:provided\":true}]}}]}";

static void check(const su_release *r)
{
    for (uint32_t c = 0; c < r->column_count; c++)
        for (uint64_t row = 0; row < r->record_count; row++)
            if (r->records[c][row] >= r->columns[c].card) abort();
    for (size_t i = 0; i < r->aggregate_count; i++) {
        const su_aggregate *g = &r->aggregates[i];
        if (g->length < 1 || g->length > 3) abort();
        for (uint32_t k = 0; k < g->length; k++)
            if (g->at[k].column >= r->column_count || g->at[k].value == 0 || g->at[k].value >= r->columns[g->at[k].column].card) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    su_code codes[3] = { { .code = "x" }, { .code = "=y" }, { .code = "z=;\\" } };
    su_codelist list = { .id = "l", .count = 3, .codes = codes };
    su_field fields[4] = { { .name = "a", .type = SU_TYPE_CODE, .released = true, .codelist = &list, .group = -1, .missing_print = "-99" },
                           { .name = "s", .type = SU_TYPE_CODE_SET, .released = true, .codelist = &list, .group = -1 },
                           { .name = "n", .type = SU_TYPE_INTEGER, .released = true, .group = -1 },
                           { .name = "=f", .type = SU_TYPE_FLAG, .released = true, .codelist = &list, .group = -1, .negative = 2 } };
    su_schema schema = { .name = "f", .fields = fields, .field_count = 4 };
    const uint8_t *split = memchr(data, 0, size);
    size_t first = split ? (size_t)(split - data) : size;
    const char *text = (const char *)data;
    su_bundle_file files[4] = { { "protection/report.json", "", SU_STR(report) },
                                { "datapackage.json", "", SU_STR(package) },
                                { "data/microdata.csv", "", { text, first } },
                                { "data/aggregates.csv", "", { split ? text + first + 1 : text, split ? size - first - 1 : 0 } } };
    su_context ctx;
    su_release *r = NULL;
    su_context_init(&ctx);
    su_status st = su_bundle_parse(&ctx, files, 4, &schema, &r);
    if ((st == SU_OK) != (r != NULL)) abort();
    if (r) check(r);
    su_release_free(r);
    return 0;
}
