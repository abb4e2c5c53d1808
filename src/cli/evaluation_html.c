/* One page that needs nothing else: tables, and plots as inline SVG. */
#include "evaluation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem;color:#1a2036;background:#fff}"
    ".stamp{background:#8d1420;color:#fff;padding:.6rem 1rem;font-weight:700;position:sticky;top:0}"
    "table{border-collapse:collapse;margin:0 0 1.5rem;font-size:.9rem}th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid "
    "#dcdde6}"
    "th:first-child,td:first-child{text-align:left}td small{color:#565d75}figure{margin:1rem 0 2rem}figcaption{font-weight:600}"
    "svg{width:100%;height:auto;max-width:56rem}svg text{font:12px system-ui,sans-serif;fill:#1a2036}"
    ".a{fill:#4c5bc4;stroke:#4c5bc4}.b{fill:#d98a1f;stroke:#d98a1f}.axis{stroke:#565d75;stroke-width:1}.grid{stroke:#dcdde6}"
    ".wrap{overflow-x:auto}";

static void html(su_buf *b, const char *text) { su_buf_html(b, su_str_of(text)); }

static void value_cell(su_buf *b, su_metric_unit unit, double x)
{
    if (!isfinite(x))
        su_buf_text(b, "<td>-</td>");
    else if (unit == SU_METRIC_COUNT)
        su_buf_printf(b, "<td>%.0f</td>", x);
    else if (unit == SU_METRIC_PERCENT)
        su_buf_printf(b, "<td>%.2f&nbsp;%%</td>", 100 * x);
    else
        su_buf_printf(b, "<td>%.4g</td>", x);
}

static void metrics_table(const su_utility *u, bool records, su_buf *b)
{
    su_metric m[SU_METRICS_MOST];
    size_t n = su_utility_metrics(u, records, m);
    su_buf_printf(b, "<h2>%s</h2>\n<div class=\"wrap\"><table><tr><th>by length of the combination</th>",
                  records ? "Synthetic records" : "Published counts");
    for (uint32_t l = 1; l <= u->basic.length; l++) su_buf_printf(b, "<th>%u</th>", l);
    su_buf_text(b, "<th>all</th></tr>\n");
    for (size_t i = 0; i < n; i++) {
        su_buf_text(b, "<tr><td>");
        html(b, m[i].name);
        su_buf_text(b, m[i].meaning[0] ? "<br><small>" : "<small>");
        html(b, m[i].meaning);
        su_buf_text(b, "</small></td>");
        for (uint32_t l = 1; l <= u->basic.length; l++) value_cell(b, m[i].unit, m[i].value[l]);
        value_cell(b, m[i].unit, m[i].value[0]);
        su_buf_text(b, "</tr>\n");
    }
    su_buf_text(b, "</table></div>\n");
}

/* ---- bars: groups of two (published counts, synthetic records) ---- */

typedef struct bar_group {
    char label[40];
    double value[2]; /* NaN: no bar */
} bar_group;

enum { PLOT_WIDTH = 860, PLOT_HEIGHT = 260, LEFT = 60, BOTTOM = 40, TOP = 16 };

/* A round number at or above x, for the top of the axis. */
static double round_up(double x)
{
    if (!(x > 0)) return 1;
    double unit = pow(10, floor(log10(x)));
    double steps[] = { 1, 2, 5, 10 };
    for (int i = 0; i < 4; i++)
        if (steps[i] * unit >= x * (1 - 1e-12)) return steps[i] * unit;
    return 10 * unit;
}

static void axes(su_buf *b, double top)
{
    double plot = PLOT_HEIGHT - TOP - BOTTOM;
    for (int i = 0; i <= 4; i++) {
        double y = TOP + plot * (1 - i / 4.0);
        su_buf_printf(
            b,
            "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>\n",
            i ? "grid" : "axis", LEFT, PLOT_WIDTH, y, y, LEFT - 6, y + 4, top * i / 4);
    }
}

static void bars(su_buf *b, const char *title, const char *below, const bar_group *g, size_t n, bool two)
{
    double top = 0, plot = PLOT_HEIGHT - TOP - BOTTOM;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 2; k++)
            if (isfinite(g[i].value[k]) && g[i].value[k] > top) top = g[i].value[k];
    top = round_up(top);
    su_buf_text(b, "<figure><figcaption>");
    html(b, title);
    su_buf_printf(b, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", PLOT_WIDTH, PLOT_HEIGHT);
    axes(b, top);
    double slot = n ? (double)(PLOT_WIDTH - LEFT) / (double)n : 1;
    for (size_t i = 0; i < n; i++) {
        double x = LEFT + slot * (double)i, width = slot * (two ? 0.38 : 0.76);
        for (int k = 0; k < (two ? 2 : 1); k++) {
            if (!isfinite(g[i].value[k])) continue;
            double height = plot * g[i].value[k] / top;
            su_buf_printf(b, "<rect class=\"%c\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>", "ab"[two ? k : 1],
                          x + slot * 0.1 + k * width, TOP + plot - height, width, height);
            html(b, g[i].label);
            su_buf_printf(b, ": %.4g</title></rect>\n", g[i].value[k]);
        }
        if (n > 20 && i % (1 + n / 20)) continue;
        su_buf_printf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x + slot / 2, PLOT_HEIGHT - BOTTOM + 16);
        html(b, g[i].label);
        su_buf_text(b, "</text>\n");
    }
    su_buf_printf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", PLOT_WIDTH / 2, PLOT_HEIGHT - 4);
    html(b, below);
    su_buf_text(b, "</text>\n</svg>");
    if (two) su_buf_text(b, "<br><small>blue: published counts; orange: synthetic records</small>");
    su_buf_text(b, "</figure>\n");
}

static void plot_lengths(const su_utility *u, su_buf *b)
{
    bar_group g[SU_MAX_LENGTH];
    for (uint32_t l = 1; l <= u->basic.length; l++) {
        snprintf(g[l - 1].label, sizeof g->label, "%u", l);
        g[l - 1].value[0] = u->basic.aggregates[l].error_union;
        g[l - 1].value[1] = u->basic.records[l].error_union;
    }
    bars(b, "Mean error over all combinations (union, missing = 0)", "length of the combination", g, u->basic.length, true);
}

static void band_label(bar_group *g, uint64_t most)
{
    snprintf(g->label, sizeof g->label, most ? "%s%llu" : "%s0", most ? "≤ " : "", (unsigned long long)most);
}

static void plot_bands(const su_utility *u, su_buf *b)
{
    bar_group g[SU_UTILITY_BINS];
    const su_utility_side *s[2] = { &u->aggregates, &u->records };
    size_t n = s[0]->band_count > s[1]->band_count ? s[0]->band_count : s[1]->band_count;
    for (size_t i = 0; i < n; i++) {
        band_label(&g[i], s[i < s[0]->band_count ? 0 : 1]->band[i].most);
        for (int k = 0; k < 2; k++) g[i].value[k] = i < s[k]->band_count ? s[k]->band[i].error_union : NAN;
    }
    bars(b, "Mean error by true count (0: fabricated)", "true count of the combination", g, n, true);
    n = s[0]->bin_count > s[1]->bin_count ? s[0]->bin_count : s[1]->bin_count;
    for (size_t i = 0; i < n; i++) {
        band_label(&g[i], s[i < s[0]->bin_count ? 0 : 1]->by_count[i].most);
        for (int k = 0; k < 2; k++) g[i].value[k] = i < s[k]->bin_count && s[k]->by_count[i].n ? 100 * s[k]->by_count[i].preservation : NAN;
    }
    bars(b, "Preservation by count, percent (SDS: mean of min(released / true, 1))", "released count of the combination", g, n, true);
}

static int by_distance(const void *x, const void *y)
{
    const su_table_variation *a = x, *b = y;
    if (a->total_variation != b->total_variation) return a->total_variation > b->total_variation ? -1 : 1;
    return memcmp(a->columns, b->columns, sizeof a->columns);
}

static void plot_variation(const su_utility *u, su_buf *b)
{
    size_t one = 0;
    bar_group *g = su_alloc_array(u->variation_count + 1, sizeof *g);
    for (; one < u->variation_count && u->variations[one].length == 1; one++) {
        snprintf(g[one].label, sizeof g->label, "%.16s", u->release->columns[u->variations[one].columns[0]].name);
        g[one].value[0] = u->variations[one].total_variation;
        g[one].value[1] = NAN;
    }
    if (one) bars(b, "Total variation of each column: synthetic against true records", "column", g, one, false);
    free(g);
    size_t two = u->variation_count - one;
    if (!two) return;
    su_table_variation *worst = su_alloc_array(two, sizeof *worst);
    memcpy(worst, u->variations + one, two * sizeof *worst);
    qsort(worst, two, sizeof *worst, by_distance);
    su_buf_text(b, "<h3>The pairs of columns that fit worst</h3>\n<table><tr><th>columns</th><th>total variation</th></tr>\n");
    for (size_t i = 0; i < two && i < 10; i++) {
        su_buf_text(b, "<tr><td>");
        html(b, u->release->columns[worst[i].columns[0]].name);
        su_buf_text(b, " and ");
        html(b, u->release->columns[worst[i].columns[1]].name);
        su_buf_printf(b, "</td><td>%.4f</td></tr>\n", worst[i].total_variation);
    }
    su_buf_text(b, "</table>\n");
    free(worst);
}

/* ---- records at risk, regression ---- */

static void risk_table(const su_utility *u, su_buf *b)
{
    su_buf_printf(
        b,
        "<h2>True records at risk</h2>\n<p>Records that a combination singles out (unique) or shares with fewer than %llu (rare), at "
        "the shortest length that does.</p>\n<table><tr><th>length</th><th>unique</th><th>of all</th><th>rare</th><th>of "
        "all</th><th>unique combinations</th><th>rare combinations</th></tr>\n",
        (unsigned long long)u->k);
    for (uint32_t i = 1; i <= u->basic.length + 1; i++) {
        uint32_t l = i <= u->basic.length ? i : 0;
        const su_utility_risk *r = &u->risk[l];
        su_buf_text(b, "<tr><td>");
        if (l)
            su_buf_printf(b, "%u</td>", l);
        else
            su_buf_text(b, "all</td>");
        value_cell(b, SU_METRIC_COUNT, (double)r->unique_records);
        value_cell(b, SU_METRIC_PERCENT, (double)r->unique_records / (double)u->true_records);
        value_cell(b, SU_METRIC_COUNT, (double)r->rare_records);
        value_cell(b, SU_METRIC_PERCENT, (double)r->rare_records / (double)u->true_records);
        value_cell(b, SU_METRIC_COUNT, (double)r->unique_combinations);
        value_cell(b, SU_METRIC_COUNT, (double)r->rare_combinations);
        su_buf_text(b, "</tr>\n");
    }
    su_buf_text(b, "</table>\n");
}

static void zeros_line(const su_utility *u, su_buf *b)
{
    const su_utility_zeros *z = &u->zeros;
    if (!z->any) return;
    su_buf_printf(
        b,
        "<h2>Structural zeros</h2>\n<p>The schema's rules make %llu pairs of values impossible. Published combinations with such a "
        "pair: %llu (error on structural zeros %.4g). Records that break a rule: %llu synthetic, %llu true.</p>\n",
        (unsigned long long)z->pairs, (unsigned long long)z->aggregates, z->error, (unsigned long long)z->records,
        (unsigned long long)z->truth);
}

/* Coefficients with their 95 % intervals, one line per term, true above synthetic. */
static void plot_terms(const su_utility *u, su_buf *b)
{
    const su_utility_regression *g = &u->regression;
    double least = 0, most = 0;
    char name[512];
    for (size_t t = 1; t < g->term_count; t++)
        for (int k = 0; k < 2; k++) {
            if (!isfinite(g->terms[t].b[k])) continue;
            least = fmin(least, g->terms[t].b[k] - 2 * g->terms[t].se[k]);
            most = fmax(most, g->terms[t].b[k] + 2 * g->terms[t].se[k]);
        }
    double from = 300, width = PLOT_WIDTH - from, scale = most > least ? width / (most - least) : 1;
    size_t height = 22 * g->term_count + 10;
    su_buf_printf(b, "<figure><figcaption>Coefficients with 95 %% intervals</figcaption>\n<svg viewBox=\"0 0 %d %zu\" role=\"img\">\n",
                  PLOT_WIDTH, height);
    su_buf_printf(b, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%zu\"/>\n", from - least * scale, from - least * scale,
                  height);
    for (size_t t = 1; t < g->term_count; t++) {
        double y = 22 * (double)t;
        su_buf_printf(b, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">", from - 8, y + 4);
        html(b, su_term_name(u, &g->terms[t], name, sizeof name));
        su_buf_text(b, "</text>\n");
        for (int k = 0; k < 2; k++) {
            const su_utility_term *x = &g->terms[t];
            if (!isfinite(x->b[k])) continue;
            double at = from + (x->b[k] - least) * scale, half = 1.959963984540054 * x->se[k] * scale, line = y - 4 + 8 * k;
            su_buf_printf(b,
                          "<line class=\"%c\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><circle class=\"%c\" cx=\"%.1f\" "
                          "cy=\"%.1f\" r=\"3\"/>\n",
                          "ab"[k], at - half, at + half, line, line, "ab"[k], at, line);
        }
    }
    su_buf_text(b, "</svg><br><small>blue: true records; orange: synthetic records</small></figure>\n");
}

static void regression(const su_utility *u, su_buf *b)
{
    const su_utility_regression *g = &u->regression;
    char name[512];
    if (!g->tried) return;
    su_buf_text(b, "<h2>Logistic model of ");
    html(b, su_term_name(u, &(su_utility_term) { .column = g->outcome, .value = g->outcome_value }, name, sizeof name));
    su_buf_text(b,
                "</h2>\n<p>The same unpenalised model fitted to the true and to the synthetic records. What an analyst would conclude from "
                "either should be the same.</p>\n");
    for (int k = 0; k < 2; k++) {
        if (!g->note[k]) continue;
        su_buf_printf(b, "<p>No fit on the %s records: ", k ? "synthetic" : "true");
        html(b, g->note[k]);
        su_buf_text(b, ".</p>\n");
    }
    if (g->fitted[0] || g->fitted[1]) plot_terms(u, b);
    su_buf_text(b, "<div class=\"wrap\"><table><tr><th>term</th><th>true</th><th>se</th><th>synthetic</th><th>se</th></tr>\n");
    for (size_t t = 0; t < g->term_count; t++) {
        su_buf_text(b, "<tr><td>");
        html(b, su_term_name(u, &g->terms[t], name, sizeof name));
        su_buf_text(b, "</td>");
        for (int k = 0; k < 2; k++) {
            value_cell(b, SU_METRIC_REAL, g->terms[t].b[k]);
            value_cell(b, SU_METRIC_REAL, g->terms[t].se[k]);
        }
        su_buf_text(b, "</tr>\n");
    }
    su_buf_text(b, "</table></div>\n");
    if (isfinite(g->mean_difference))
        su_buf_printf(b, "<p>Mean difference of the coefficients %.3g; same sign %.0f %%; 95 %% intervals meet %.0f %%.</p>\n",
                      g->mean_difference, 100 * g->sign_agreement, 100 * g->ci_overlap);
    if (!g->left_out) return;
    su_buf_text(b, "<p><small>Left out: ");
    html(b, g->left_out);
    su_buf_text(b, "</small></p>\n");
}

void su_utility_html(const su_utility *u, const char *title, su_buf *b)
{
    su_buf_text(b,
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                "<meta name=\"robots\" content=\"noindex\"><title>" SU_NOT_PUBLIC "</title><style>");
    su_buf_text(b, style);
    su_buf_text(b, "</style></head><body>\n<div class=\"stamp\">" SU_NOT_PUBLIC "</div>\n<h1>Evaluation of ");
    html(b, title);
    su_buf_printf(
        b,
        "</h1>\n<p>Schema %s, epsilon %.6g, K %llu. True records %llu, synthetic records %llu (expansion %+.2f %%). Whoever reads these "
        "numbers learns something about the people in the data: keep this page as the data are kept.</p>\n",
        u->release->schema->name, u->release->epsilon_stated, (unsigned long long)u->k, (unsigned long long)u->true_records,
        (unsigned long long)u->release->record_count, 100 * u->basic.record_expansion);
    plot_lengths(u, b);
    metrics_table(u, false, b);
    metrics_table(u, true, b);
    plot_bands(u, b);
    plot_variation(u, b);
    zeros_line(u, b);
    risk_table(u, b);
    regression(u, b);
    su_buf_text(b, "<div class=\"stamp\">" SU_NOT_PUBLIC "</div>\n</body></html>\n");
}
