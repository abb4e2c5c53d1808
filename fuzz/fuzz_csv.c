/* libFuzzer target: any bytes as CSV, under every option, must be read or refused; what is read must be whole. */
#include <suha/table.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_whole(const su_raw_table *t)
{
    for (uint32_t c = 0; c < t->column_count; c++) {
        uint32_t distinct = su_dict_count(t->columns[c].values);
        if (t->columns[c].name == NULL || t->columns[c].name[0] == '\0') abort();
        for (uint64_t r = 0; r < t->row_count; r++)
            if (su_raw_id(&t->columns[c], r) >= distinct) abort();
        for (uint32_t i = 0; i < distinct; i++) {
            su_str value = su_dict_get(t->columns[c].values, i);
            if (value.n > SU_MAX_CELL_BYTES || !su_utf8_valid(value.p, value.n, NULL)) abort();
        }
    }
    for (uint64_t r = 1; r < t->row_count; r++)
        if (t->row_line[r] <= t->row_line[r - 1]) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = { 0, ',', ';', '\t', '|' };
    if (size == 0) return 0;
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    su_read_options opts = { .header_rows = data[0] % 3, .delimiter = delimiters[data[0] / 3 % sizeof delimiters] };
    opts.narrow = data[0] / 15 % 2;
    su_status status = su_csv_parse(&ctx, "fuzz.csv", (su_str) { (const char *)data + 1, size - 1 }, &opts, &t);
    if ((status == SU_OK) != (t != NULL) || (status != SU_OK && ctx.message[0] == '\0')) abort();
    if (t != NULL) check_whole(t);
    su_raw_table_free(t);
    return 0;
}
