/* A result as a page of its own: no script, no request to anywhere, fit to be printed and kept. */
#include "frame/result.h"

#include <stdlib.h>

static const char style[] =
    ":root{--ink:#1d2733;--soft:#5b6876;--line:#d5dbe2;--paper:#fff;--mark:#0b5c8c;--warn:#8a4b00;--warnbg:#fff4e2}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9fb0c0;--line:#38434f;--paper:#14191f;--mark:#6fb7e0;--warn:#f0c48a;--"
    "warnbg:#33270f}}"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.1rem;margin-top:2rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}"
    "caption{text-align:left;font-weight:600;padding:.3rem 0}th,td{padding:.25rem .7rem .25rem 0;border-bottom:1px solid "
    "var(--line);text-align:right;vertical-align:top;white-space:nowrap}"
    "th{color:var(--soft);font-weight:600}.t{text-align:left;white-space:normal}.wide{overflow-x:auto}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dt{color:var(--soft)}dd{margin:0}"
    ".warnings{background:var(--warnbg);border-left:4px solid var(--warn);padding:.5rem 1rem}.warnings code{color:var(--warn)}"
    "figure{margin:1rem 0}figcaption{color:var(--soft);font-size:.9rem}svg{max-width:100%;height:auto;font:13px "
    "system-ui,sans-serif;fill:var(--ink)}"
    ".grid{stroke:var(--line)}.tick{fill:var(--soft)}.interval{stroke:var(--mark);stroke-width:2}.point,.bar{fill:var(--mark)}"
    ".one{stroke:var(--soft);stroke-dasharray:4 3}.curve{fill:none;stroke-width:2;stroke:var(--mark)}.band{fill:var(--mark);opacity:.15}"
    ".s1{stroke:#b3541e;}.s2{stroke:#3b7d3a}.s3{stroke:#7b4a9e}.s4{stroke:#8c6d00}.s5{stroke:#a02c55}.s6{stroke:#2f7f86}.s7{stroke:#666}"
    ".band.s1{fill:#b3541e;stroke:none}.band.s2{fill:#3b7d3a;stroke:none}.band.s3{fill:#7b4a9e;stroke:none}.band.s4{fill:#8c6d00;stroke:"
    "none}"
    ".band.s5{fill:#a02c55;stroke:none}.band.s6{fill:#2f7f86;stroke:none}.band.s7{fill:#666;stroke:none}"
    "footer{color:var(--soft);font-size:.85rem;margin-top:2rem;overflow-wrap:anywhere}@media print{body{margin:0;max-width:none}}";

static void facts(const su_result *r, su_buf *out)
{
    if (!r->fact_count) return;
    su_buf_text(out, "<dl>\n");
    for (size_t i = 0; i < r->fact_count; i++) {
        su_buf_text(out, "<dt>");
        su_buf_html(out, su_str_of(r->facts[i].title));
        su_buf_text(out, "</dt><dd>");
        if (r->facts[i].text)
            su_buf_html(out, su_str_of(r->facts[i].text));
        else
            su_result_number_text(r->facts[i].number, out);
        su_buf_text(out, "</dd>\n");
    }
    su_buf_text(out, "</dl>\n");
}

static void warnings(const su_result *r, su_buf *out)
{
    if (!r->warning_count) return;
    su_buf_text(out, "<section class=\"warnings\"><h2>Warnings</h2><ul>\n");
    for (size_t i = 0; i < r->warning_count; i++) {
        su_buf_text(out, "<li><code>");
        su_buf_html(out, su_str_of(r->warnings[i].code));
        su_buf_text(out, "</code> ");
        su_buf_html(out, su_str_of(r->warnings[i].text));
        su_buf_text(out, "</li>\n");
    }
    su_buf_text(out, "</ul></section>\n");
}

static void cell(const su_result_cell *c, su_column_kind kind, int decimals, su_buf *out)
{
    su_buf text = { 0 };
    su_result_cell_text(c, kind, decimals, &text);
    su_buf_text(out, kind == SU_COLUMN_TEXT ? "<td class=\"t\">" : "<td>");
    su_buf_html(out, (su_str) { text.p ? text.p : "", text.n });
    su_buf_text(out, "</td>");
    su_buf_free(&text);
}

static void table(const su_result_table *t, su_buf *out)
{
    su_buf_text(out, "<div class=\"wide\"><table><caption>");
    su_buf_html(out, su_str_of(t->title));
    su_buf_text(out, "</caption><thead><tr>");
    for (size_t c = 0; c < t->column_count; c++) {
        su_buf_printf(out, "<th scope=\"col\"%s>", t->columns[c].kind == SU_COLUMN_TEXT ? " class=\"t\"" : "");
        su_buf_html(out, su_str_of(t->columns[c].title));
        su_buf_text(out, "</th>");
    }
    su_buf_text(out, "</tr></thead><tbody>\n");
    int *decimals = su_alloc_array(t->column_count ? t->column_count : 1, sizeof *decimals);
    for (size_t c = 0; c < t->column_count; c++) decimals[c] = su_result_decimals(t, c);
    for (size_t row = 0; row < su_result_table_rows(t); row++) {
        su_buf_text(out, "<tr>");
        for (size_t c = 0; c < t->column_count; c++) cell(&t->cells[row * t->column_count + c], t->columns[c].kind, decimals[c], out);
        su_buf_text(out, "</tr>\n");
    }
    free(decimals);
    su_buf_text(out, "</tbody></table></div>\n");
}

void su_result_print_html(const su_result *r, su_buf *out)
{
    su_buf_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/><title>");
    su_buf_html(out, su_str_of(r->title));
    su_buf_printf(out, "</title><style>%s</style></head><body>\n<h1>", style);
    su_buf_html(out, su_str_of(r->title));
    su_buf_text(out, "</h1>\n");
    facts(r, out);
    warnings(r, out);
    for (size_t i = 0; i < r->plot_count; i++) su_result_plot_svg(&r->plots[i], out);
    for (const su_result_table *t = r->tables; t; t = t->next) table(t, out);
    if (r->method_count) {
        su_buf_text(out, "<h2>Methods</h2>\n<p>");
        for (size_t i = 0; i < r->method_count; i++) {
            if (i) su_buf_char(out, ' ');
            su_buf_html(out, su_str_of(r->methods[i]));
        }
        su_buf_text(out, "</p>\n");
    }
    su_buf_text(out, "<footer>");
    if (r->specification) {
        su_buf_text(out, "Computed by suha " SU_VERSION " from: ");
        su_buf_html(out, su_str_of(r->specification));
    }
    if (r->hash[0]) su_buf_printf(out, "<br/>Hash %s (data, specification, seed, version)", r->hash);
    su_buf_text(out, "</footer>\n</body></html>\n");
}
