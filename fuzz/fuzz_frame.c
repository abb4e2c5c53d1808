/* Arbitrary CSV as a frame, its numbers as factors, a design over it and one estimate: refusals are fine, crashes are not. */
#include <suha/rates.h>

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void estimate(su_context *ctx, su_frame *f)
{
    su_design_options o = { .stages = 1 };
    su_design *d = NULL;
    su_result *r = NULL;
    const su_variable *group = NULL;
    if (f->count < 2 || su_frame_as_factor(ctx, f, &f->variables[1], &group)) return;
    if (f->count > 2) o.weight = &f->variables[2];
    if (f->count > 3) o.psu[0] = &f->variables[3];
    if (f->count > 4) o.strata[0] = &f->variables[4];
    if (f->count > 5) o.fpc[0] = &f->variables[5];
    if (su_design_new(ctx, f, &o, &d)) return;
    su_outcome outcome = { &f->variables[0], NULL };
    su_rates_options rates = { .outcomes = &outcome, .outcome_count = 1, .by = group, .design_given = f->count > 2, .min_cell = 2 };
    su_compare_options compare = { .outcome = outcome, .by = group, .design_given = f->count > 2 };
    for (int i = 0; i < 2; i++) {
        su_buf out = { 0 };
        if ((i ? su_compare_result(ctx, f, d, &compare, &r) : su_rates_result(ctx, f, d, &rates, &r)) == SU_OK) {
            su_result_print_text(r, &out);
            su_result_print_json(r, &out);
            su_result_print_html(r, &out);
            su_result_free(r);
        }
        su_buf_free(&out);
    }
    su_design_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    su_context ctx;
    su_raw_table *table = NULL;
    su_frame *f = NULL;
    su_read_options read = { .delimiter = ',' };
    su_context_init(&ctx);
    if (size > 4096) return 0;
    if (su_csv_parse(&ctx, "fuzz.csv", (su_str) { (const char *)data, size }, &read, &table) == SU_OK &&
        su_frame_of_table(&ctx, table, NULL, &f) == SU_OK)
        estimate(&ctx, f);
    su_frame_free(f);
    su_raw_table_free(table);
    return 0;
}
