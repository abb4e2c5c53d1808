/* libFuzzer target: any bytes as schema.json. What is accepted must be usable: every field by its name, every codelist there, a table
 * through it. */
#include <suha/harmonise.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bytes {
    const uint8_t *p;
    size_t n;
} bytes;

static bool resource(void *arg, const char *path, su_str *out)
{
    const bytes *schema = arg;
    if (strstr(path, "..") != NULL) abort(); /* no name may climb out of its folder */
    if (strcmp(path, "fuzz/schema.json") == 0)
        *out = (su_str) { (const char *)schema->p, schema->n };
    else if (strcmp(path, "codelists/flag.csv") == 0)
        *out = SU_STR("code,label_en\n1,Yes\n0,No\n");
    else if (strcmp(path, "codelists/l.csv") == 0)
        *out = SU_STR("code,label_en,min,max\na,Alpha,0,9\nb,Beta,10,\n");
    else
        return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bytes given = { data, size };
    su_context ctx;
    su_schema *s = NULL;
    su_buf header = { 0 };
    su_context_init(&ctx);
    su_status st = su_schema_load(&ctx, "fuzz", resource, &given, &s);
    if ((st == SU_OK) != (s != NULL)) abort();
    if (s == NULL) return 0;
    for (uint32_t f = 0; f < s->field_count; f++) {
        const su_field *field = &s->fields[f];
        bool coded =
            field->type == SU_TYPE_CODE || field->type == SU_TYPE_CODE_SET || field->type == SU_TYPE_FLAG || field->type == SU_TYPE_YEAR;
        if (su_schema_field(s, su_str_of(field->name)) != (int)f || coded != (field->codelist != NULL)) abort();
        if (field->released && field->role == SU_ROLE_IDENTIFIER) abort();
        if (field->negative > 0 && (field->codelist == NULL || field->negative > field->codelist->count)) abort();
        if (f > 0) su_buf_char(&header, ',');
        su_buf_csv(&header, su_str_of(field->name), ',');
    }
    su_buf_text(&header, "\n1\n");
    su_raw_table *raw = NULL;
    su_case_table *t = NULL;
    su_harmonise_report *r = NULL;
    su_read_options opts = { .delimiter = ',' };
    if (su_csv_parse(&ctx, "fuzz.csv", (su_str) { header.p, header.n }, &opts, &raw) == SU_OK &&
        su_harmonise(&ctx, raw, s, NULL, NULL, &t, &r) == SU_OK)
        if (r->rows_out + r->rows_rejected + r->rows_blank != raw->row_count) abort();
    su_case_table_free(t);
    su_harmonise_report_free(r);
    su_raw_table_free(raw);
    su_schema_free(s);
    su_buf_free(&header);
    return 0;
}
