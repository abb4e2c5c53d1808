/* prior: an earlier release, read back to help the next one. */
#include "cli.h"

#include <suha/publish.h>

#include <string.h>

/* What was not protected must not come in as if it were free: the new release would be a function of it. */
static su_status check_promise(su_cli *cli, const char *dir, const su_bundle_facts *f)
{
    const char *why = NULL;
    if (!su_mechanism_bound(f->mechanism))
        why = "it was made without a differential privacy bound";
    else if (f->domain_from_data)
        why = "its lists of codes were read off the data, so it promises nothing";
    else if (!f->private_noise)
        why = "it is stamped NOT PRIVATE: its noise came from a seed";
    return why ? su_fail(&cli->ctx, SU_REFUSED, "--public %s: %s, and what it gives away would be given away again", dir, why) : SU_OK;
}

static bool same_column(const su_matrix_column *a, const su_matrix_column *b)
{
    return a->field == b->field && a->set_value == b->set_value && a->card == b->card;
}

/* The columns of m that the earlier release shows. */
static void pick_columns(su_cli *cli, const su_release *r, const su_code_matrix *m, su_public_records *out)
{
    const uint16_t **codes = su_arena_array(&cli->arena, m->column_count, sizeof *codes);
    for (uint32_t c = 0; c < m->column_count; c++)
        for (uint32_t k = 0; k < r->column_count; k++) {
            if (!same_column(&m->columns[c], &r->columns[k])) continue;
            uint16_t *copy = su_arena_array(&cli->arena, r->record_count, sizeof *copy);
            if (r->record_count) memcpy(copy, r->records[k], r->record_count * sizeof *copy);
            codes[c] = copy;
        }
    *out = (su_public_records) { .record_count = r->record_count, .codes = codes };
}

su_status su_cli_prior_load(su_cli *cli, const char *dir, const su_code_matrix *m, su_cli_prior *out)
{
    su_bundle_file *files = NULL;
    size_t count = 0;
    su_bundle_facts facts;
    su_release *r = NULL;
    su_status st = su_bundle_load(&cli->ctx, &cli->arena, dir, &files, &count);
    if (!st) st = su_bundle_facts_of(&cli->ctx, &cli->arena, files, count, &facts);
    if (!st) st = check_promise(cli, dir, &facts);
    if (!st) st = su_bundle_parse(&cli->ctx, files, count, m->schema, &r);
    if (st) return su_fail_prefix(&cli->ctx, "--public: ");
    pick_columns(cli, r, m, &out->records);
    out->title = facts.title ? facts.title : dir;
    out->epsilon = facts.epsilon;
    out->delta = facts.delta;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].path, "protection/report.json") != 0) continue;
        su_sha256 hash = su_sha256_of(files[i].bytes.p, files[i].bytes.n);
        char *hex = su_arena_alloc(&cli->arena, 65);
        su_hex(hash.bytes, 32, hex);
        out->sha256 = hex;
    }
    su_release_free(r);
    return SU_OK;
}
