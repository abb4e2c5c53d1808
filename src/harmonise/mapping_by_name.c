/* The mapping that needs no file: it is written out as CSV and parsed like any other, so that it obeys the same rules and has a
 * fingerprint. */
#include <stdlib.h>
#include <string.h>

#include "mapping.h"

su_status su_mapping_by_name(su_context *ctx, const su_raw_table *raw, const su_schema *schema, su_mapping **out)
{
    su_status st = SU_OK;
    su_buf csv = { 0 }, name = { 0 };
    uint32_t *taken = su_alloc_array(schema->field_count, sizeof *taken); /* column + 1 that fills a field */
    bool *exact = su_alloc_array(schema->field_count, sizeof *exact);
    size_t found = 0;

    *out = NULL;
    for (uint32_t c = 0; c < raw->column_count && st == SU_OK; c++) {
        const char *column = raw->columns[c].name;
        int field = su_schema_field(schema, su_str_of(column));
        if (field < 0) continue;
        bool own = strcmp(column, schema->fields[field].name) == 0;
        if (taken[field] != 0 && own == exact[field])
            st = su_fail(ctx, SU_INPUT, "%s: the columns \"%s\" and \"%s\" are both %s; write a mapping that says which one counts",
                         raw->source, raw->columns[taken[field] - 1].name, column, schema->fields[field].name);
        if (taken[field] != 0 && !own) continue;
        taken[field] = c + 1;
        exact[field] = own;
    }
    su_buf_text(&csv, "source_column,source_value,target_column,target_value,rule,coverage,note\n");
    for (uint32_t f = 0; f < schema->field_count && st == SU_OK; f++) {
        if (taken[f] == 0) continue;
        found++;
        su_buf_csv(&csv, su_str_of(raw->columns[taken[f] - 1].name), ',');
        su_buf_text(&csv, ",,");
        su_buf_csv(&csv, su_str_of(schema->fields[f].name), ',');
        su_buf_text(&csv, ",,rename,exact,same name\n");
    }
    if (st == SU_OK && found == 0)
        st = su_fail(ctx, SU_INPUT,
                     "%s: none of its %u columns has the name of a column of %s; write a mapping (suha map suggest drafts one)",
                     raw->source, raw->column_count, schema->name);
    su_buf_printf(&name, "mapping by column names of %s", raw->source);
    if (st == SU_OK) st = su_mapping_parse(ctx, name.p, (su_str) { csv.p, csv.n }, schema, out);
    su_buf_free(&csv);
    su_buf_free(&name);
    free(taken);
    free(exact);
    return st;
}
