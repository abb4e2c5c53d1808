/* libFuzzer target: any bytes as an overlap table or person rows must be read or refused; what is read must add up, survive merging and
 * leaving lists out, and be fitted without a number that lies. What follows the first zero byte is a model of its lists: one that is read
 * prints to a text that reads as the same model. */
#include <suha/mse.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/lattice.h"
#include "mse/model.h"
#include "mse/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sums(const su_overlaps *o, bool noised)
{
    int64_t n = 0;
    if (o->counts[0] != 0) abort();
    for (size_t w = 1; w < o->cells; w++) {
        int64_t strata = 0;
        if (o->counts[w] < 0 && !noised) abort();
        n += o->counts[w];
        for (size_t s = 0; o->covariates && s < o->strata; s++) strata += o->stratum_counts[s * o->cells + w];
        for (size_t i = 0; i < o->partials; i++) strata += o->partial[i].cell == w ? o->partial[i].people : 0;
        if (o->covariates && strata != o->counts[w]) abort();
    }
    if (n != o->n) abort();
}

static void check_fit(const su_overlaps *o)
{
    su_mse_lattice l;
    su_model m;
    su_mse_lattice_init(&l, o->lists);
    su_mse_lattice_set_integers(&l, o->counts);
    su_fit f = su_stepwise_p(&l, 0.02, &m, NULL);
    if (!f.code && !(f.N >= (double)o->n)) abort();
    su_mse_lattice_free(&l);
}

static void check_model(su_context *ctx, const su_overlaps *o, const uint8_t *text, size_t n)
{
    su_model m, again;
    char printed[SU_MODEL_TEXT], *copy = su_alloc(n + 1);
    memcpy(copy, text, n);
    su_status status = su_model_parse(ctx, o, copy, &m);
    free(copy);
    if (status != SU_OK) {
        if (ctx->message[0] == '\0') abort();
        return;
    }
    su_model_print(&m, o->lists, printed);
    if (strlen(printed) + 1 >= sizeof printed) return; /* cut short */
    if (su_model_parse(ctx, o, printed, &again) != SU_OK || again.count != m.count) abort();
    for (unsigned i = 0; i < m.count; i++)
        if (!su_model_has(&again, m.term[i])) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const traits[] = { "T" };
    if (size == 0) return 0;
    su_context ctx;
    su_raw_table *raw = NULL;
    su_overlaps *o = NULL;
    su_context_init(&ctx);
    su_overlap_options options = { .person_rows = data[0] & 1, .covariates = traits, .covariate_count = data[0] >> 1 & 1 };
    options.noised = data[0] >> 2 & 1;
    options.incomplete = data[0] >> 3 & 1;
    const uint8_t *model = memchr(data + 1, 0, size - 1);
    size_t table = model ? (size_t)(model - data) - 1 : size - 1;
    if (su_csv_parse(&ctx, "fuzz.csv", (su_str) { (const char *)data + 1, table }, NULL, &raw)) return 0;
    su_status status = su_overlaps_of_table(&ctx, raw, &options, &o);
    su_raw_table_free(raw);
    if ((status == SU_OK) != (o != NULL) || (status != SU_OK && ctx.message[0] == '\0')) abort();
    if (!o) return 0;
    check_sums(o, options.noised);
    if (o->lists >= 2) {
        if (model) check_model(&ctx, o, model + 1, size - table - 2);
        su_overlaps *less = su_overlaps_without(o, data[0] % o->lists), *merged = su_overlaps_merged(o, 0, 1 + data[0] % (o->lists - 1));
        check_sums(less, options.noised);
        check_sums(merged, options.noised);
        if (merged->n != o->n || (!options.noised && less->n > o->n)) abort();
        su_overlaps_free(less);
        su_overlaps_free(merged);
        if (!options.noised && o->n > 0 && o->n < 1000000 && o->lists <= 5) check_fit(o);
    }
    su_overlaps_free(o);
    return 0;
}
