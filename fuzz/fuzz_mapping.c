/* libFuzzer target: any text as a mapping onto a small schema, then a small table through it. What is accepted must keep the promises of
 * the header: rows are accounted for, the same input gives the same report, and a drafted mapping parses. */
#include <suha/harmonise.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_json[] =
    "{\"missingValues\": [\"\", \"-99\", {\"value\": \"unknown\", \"label\": \"unknown\"}], \"suha:groups\": [{\"name\": \"g\"}], "
    "\"fields\": ["
    "{\"name\": \"c\", \"suha:type\": \"code\", \"suha:codelist\": \"l\"}, {\"name\": \"f\", \"suha:type\": \"flag\", \"suha:group\": "
    "\"g\"},"
    "{\"name\": \"p\", \"suha:type\": \"flag\", \"suha:codelist\": \"present\", \"suha:group\": \"g\"}, {\"name\": \"s\", \"suha:type\": "
    "\"code-set\", \"suha:codelist\": \"l\"},"
    "{\"name\": \"y\", \"suha:type\": \"year\", \"constraints\": {\"minimum\": 2000, \"maximum\": 2005}}, {\"name\": \"n\", \"suha:type\": "
    "\"integer\"},"
    "{\"name\": \"d\", \"suha:type\": \"date\"}, {\"name\": \"t\", \"suha:type\": \"text\", \"constraints\": {\"pattern\": \"[a-z]*\"}}]}";
static const char flag_csv[] = "code,label_en,aliases\n1,Yes,y\n0,No,n\n";
static const char present_csv[] = "code,label_en\n1,Yes\n";
static const char list_csv[] = "code,label_en,aliases,min,max\na,Alpha,,0,9\nb,Beta,bee|b2,10,19\nc,Gamma,,20,\n";
static const char table_csv[] = "A,B,C,D,E\na,1,2004-05-06,3,x\nbeta;c,0,1/2/2004,2.0,y\nunknown,,13/2/"
                                "2001,0,x\nTotal,yes,2003,5,z\nb2,-99,n,-1,all\n\"a;a\",n,12,1.5,\n";

static bool resource(void *arg, const char *path, su_str *bytes)
{
    static const struct {
        const char *path, *text;
    } files[] = { { "z/schema.json", schema_json },
                  { "codelists/flag.csv", flag_csv },
                  { "codelists/present.csv", present_csv },
                  { "codelists/l.csv", list_csv } };
    (void)arg;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(files[i].path, path) != 0) continue;
        *bytes = su_str_of(files[i].text);
        return true;
    }
    return false;
}

static void write_report(const su_harmonise_report *r, su_buf *out)
{
    su_json j;
    su_harmonise_report_text(r, out);
    su_json_init(&j, out);
    su_harmonise_report_json(r, &j);
}

static void go_through(const su_raw_table *raw, const su_schema *schema, const su_mapping *m, su_margins margins, su_buf *report)
{
    su_context ctx;
    su_case_table *t = NULL;
    su_harmonise_report *r = NULL;
    su_tabulation *tab = NULL;
    su_harmonise_options opts = { .margins = margins, .max_rejected = UINT64_MAX };
    su_context_init(&ctx);
    su_status st = su_harmonise(&ctx, raw, schema, m, &opts, &t, &r);
    if ((st == SU_OK) != (t != NULL) || r == NULL) abort();
    write_report(r, report);
    if (t != NULL) {
        if (r->rows_out != t->row_count || r->rows_margin + r->rows_rejected + r->rows_blank > r->rows_in) abort();
        static const char *const by[] = { "c", "s", "n" };
        if (su_tabulate(&ctx, t, by, 3, "g", &tab) != SU_OK) abort();
    }
    su_tabulation_free(tab);
    su_case_table_free(t);
    su_harmonise_report_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    su_context ctx;
    su_schema *schema = NULL;
    su_raw_table *raw = NULL, *given = NULL;
    su_mapping *m = NULL;
    su_buf one = { 0 }, two = { 0 }, draft = { 0 };
    su_str text = { (const char *)data, size };
    su_context_init(&ctx);
    if (su_schema_load(&ctx, "z", resource, NULL, &schema) != SU_OK) abort();
    if (su_csv_parse(&ctx, "table.csv", su_str_of(table_csv), NULL, &raw) != SU_OK) abort();
    if (su_mapping_parse(&ctx, "fuzz.csv", text, schema, &m) == SU_OK) {
        go_through(raw, schema, m, SU_MARGINS_EXCLUDE, &one);
        go_through(raw, schema, m, SU_MARGINS_EXCLUDE, &two);
        if (!su_str_equal((su_str) { one.p, one.n }, (su_str) { two.p, two.n })) abort();
        go_through(raw, schema, m, SU_MARGINS_REFUSE, &two);
    }
    su_mapping_free(m);
    m = NULL;
    /* The same bytes as a table: its draft must parse. */
    if (size < 4096 && su_csv_parse(&ctx, "fuzz.csv", text, NULL, &given) == SU_OK &&
        su_mapping_suggest(&ctx, given, schema, &draft) == SU_OK) {
        if (su_mapping_parse(&ctx, "draft.csv", (su_str) { draft.p, draft.n }, schema, &m) != SU_OK) {
            fprintf(stderr, "%s\n%s\n", ctx.message, draft.p);
            abort();
        }
        go_through(given, schema, m, SU_MARGINS_EXCLUDE, &two);
    }
    su_mapping_free(m);
    su_raw_table_free(given);
    su_raw_table_free(raw);
    su_schema_free(schema);
    su_buf_free(&one);
    su_buf_free(&two);
    su_buf_free(&draft);
    return 0;
}
