/* libFuzzer target: any CSV as a recipe of an estimate, and any text as a formula and as a period. What is accepted must be evaluated without
 * harm; a period that is read must print to one that reads the same. */
#include <suha/estimate.h>
#include <suha/flow.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void period(su_str text)
{
    su_period p, q;
    char printed[24];
    if (!su_period_parse(text, &p)) return;
    su_period_print(p.kind, p.ordinal, printed);
    if (p.kind != 'n' && (!su_period_parse(su_str_of(printed), &q) || q.kind != p.kind || q.ordinal != p.ordinal)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_estimate_options o = { 100, 1, 0.95 };
    su_context_init(&ctx);
    su_str text = { (const char *)data, size };
    period(text);
    if (size > 20000) return 0;
    if (su_csv_parse(&ctx, "fuzz.csv", text, NULL, &t) == SU_OK && t->row_count < 40) {
        su_result *r = su_result_new("estimate", "");
        (void)!su_estimate_recipe(&ctx, t, &o, r);
        su_result_free(r);
    }
    su_raw_table_free(t);
    return 0;
}
