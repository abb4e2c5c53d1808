/* Plots as inline SVG: intervals, forests, curves, bars. Colours come from the page's style, so that they follow light and dark. */
#include "frame/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 760, LABELS = 230, RIGHT = 20, ROW = 22, AXIS = 34, CURVE_HEIGHT = 320, MOST_ROWS = 200, SERIES = 8 };

typedef struct axis {
    double low, high; /* in data, or in log10 of it */
    double from, to;  /* in pixels */
    bool logarithmic;
} axis;

static double place(const axis *a, double x)
{
    double v = a->logarithmic ? log10(x) : x;
    double at = a->from + (v - a->low) / (a->high - a->low) * (a->to - a->from);
    double first = fmin(a->from, a->to), last = fmax(a->from, a->to);
    return fmin(fmax(at, first), last);
}

static double cell(const su_result_plot_entry *p, size_t row, int column)
{
    return column < 0 ? NAN : p->table->cells[row * p->table->column_count + (size_t)column].number;
}

static const char *text_at(const su_result_plot_entry *p, size_t row, int label)
{
    int column = label < p->label_count ? p->labels[label] : -1;
    const char *text = column < 0 ? NULL : p->table->cells[row * p->table->column_count + (size_t)column].text;
    return text ? text : "";
}

static const char *label_of(const su_result_plot_entry *p, size_t row) { return text_at(p, row, 0); }

static void stretch(axis *a, double x)
{
    if (a->logarithmic) x = x > 0 ? log10(x) : NAN;
    if (!isfinite(x)) return;
    a->low = fmin(a->low, x);
    a->high = fmax(a->high, x);
}

/* Ends of an odds ratio's interval may be infinite or immense: the axis stays within five powers of ten of the estimates. */
static bool finish_axis(axis *a, double middle_low, double middle_high)
{
    if (a->logarithmic && isfinite(middle_low)) {
        a->low = fmax(a->low, middle_low - 2);
        a->high = fmin(a->high, middle_high + 2);
    }
    if (!(a->low <= a->high)) return false;
    if (a->high - a->low < 1e-12 * fmax(1, fabs(a->high))) {
        double room = a->low != 0 ? fabs(a->low) * 0.1 : 1;
        a->low -= room;
        a->high += room;
    }
    double room = 0.04 * (a->high - a->low);
    if (a->low != 0 || a->logarithmic) a->low -= room;
    a->high += room;
    return true;
}

static double step_of(double range, int wanted)
{
    double raw = range / wanted, ten = pow(10, floor(log10(raw))), unit = raw / ten;
    return ten * (unit <= 1 ? 1 : unit <= 2 ? 2 : unit <= 5 ? 5 : 10);
}

static void tick_text(double x, bool percent, su_buf *out)
{
    if (percent)
        su_buf_printf(out, "%.3g %%", 100 * x);
    else if (fabs(x) >= 1e6)
        su_buf_printf(out, "%.4g million", x / 1e6);
    else
        su_buf_printf(out, "%.6g", x);
}

static void tick(const axis *a, double x, bool vertical, bool percent, double end, su_buf *out)
{
    double at = place(a, x);
    if (vertical)
        su_buf_printf(out,
                      "<line class=\"grid\" x1=\"%d\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" "
                      "text-anchor=\"end\">",
                      60, end, at, at, 54, at + 4);
    else
        su_buf_printf(out,
                      "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"4\" y2=\"%.1f\"/><text class=\"tick\" x=\"%.1f\" y=\"%.1f\" "
                      "text-anchor=\"middle\">",
                      at, at, end, at, end + 16);
    tick_text(x, percent, out);
    su_buf_text(out, "</text>");
}

static void ticks(const axis *a, bool vertical, bool percent, double end, su_buf *out)
{
    if (a->logarithmic) {
        static const double steps[] = { 1, 2, 5 };
        int count = a->high - a->low > 2.5 ? 1 : 3;
        for (int decade = (int)floor(a->low); decade <= (int)ceil(a->high); decade++)
            for (int i = 0; i < count; i++) {
                double x = steps[i] * pow(10, decade);
                if (log10(x) >= a->low && log10(x) <= a->high) tick(a, x, vertical, false, end, out);
            }
        return;
    }
    double step = step_of(a->high - a->low, 6);
    for (double x = ceil(a->low / step) * step; x <= a->high + 1e-9 * step; x += step)
        tick(a, fabs(x) < 1e-9 * step ? 0 : x, vertical, percent, end, out);
}

static bool percent_axis(const su_result_plot_entry *p)
{
    return p->estimate >= 0 && p->table->columns[p->estimate].kind == SU_COLUMN_PERCENT;
}

static void row_label(const char *text, double y, su_buf *out)
{
    enum { MOST = 34 };
    size_t n = 0, shown = 0;
    while (text[n] && shown < MOST) {
        n++;
        while (((unsigned char)text[n] & 0xC0) == 0x80) n++;
        shown++;
    }
    su_buf_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LABELS - 10, y + 4);
    su_buf_html(out, (su_str) { text, n });
    su_buf_printf(out, "%s</text>", text[n] ? "…" : "");
}

static void open_svg(const char *title, double height, su_buf *out)
{
    su_buf_printf(
        out, "<figure><svg role=\"img\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" xmlns=\"http://www.w3.org/2000/svg\"><title>",
        WIDTH, height, WIDTH, height);
    su_buf_html(out, su_str_of(title));
    su_buf_text(out, "</title>");
}

static void close_svg(const char *title, size_t left_out, su_buf *out)
{
    su_buf_text(out, "</svg><figcaption>");
    su_buf_html(out, su_str_of(title));
    if (left_out) su_buf_printf(out, " (the first %d rows; %zu more are in the table)", MOST_ROWS, left_out);
    su_buf_text(out, "</figcaption></figure>\n");
}

static void interval_mark(const su_result_plot_entry *p, const axis *a, size_t row, double y, su_buf *out)
{
    double x = cell(p, row, p->estimate), low = cell(p, row, p->low), high = cell(p, row, p->high);
    bool valid = isfinite(x) && (!a->logarithmic || x > 0);
    if (p->kind == SU_PLOT_BARS) {
        if (valid)
            su_buf_printf(out, "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\"/>", fmin(place(a, 0), place(a, x)),
                          y - 7, fabs(place(a, x) - place(a, 0)));
        return;
    }
    if (a->logarithmic && !(low > 0)) low = isnan(low) ? NAN : 1e-300;
    if (!isnan(low) && !isnan(high))
        su_buf_printf(out, "<line class=\"interval\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", place(a, low), place(a, high), y,
                      y);
    if (valid) su_buf_printf(out, "<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", place(a, x), y);
}

static void rows_plot(const su_result_plot_entry *p, su_buf *out)
{
    size_t all = su_result_table_rows(p->table), rows = all > MOST_ROWS ? MOST_ROWS : all;
    axis a = { INFINITY, -INFINITY, LABELS, WIDTH - RIGHT, p->kind == SU_PLOT_FOREST }, middle = a;
    for (size_t i = 0; i < rows; i++) {
        stretch(&a, cell(p, i, p->estimate));
        stretch(&a, cell(p, i, p->low));
        stretch(&a, cell(p, i, p->high));
        stretch(&middle, cell(p, i, p->estimate));
    }
    if (p->kind == SU_PLOT_FOREST) stretch(&a, 1);
    if (p->kind == SU_PLOT_BARS) stretch(&a, 0);
    if (!rows || !finish_axis(&a, fmin(middle.low, 0), fmax(middle.high, 0))) return;
    double bottom = 8.0 + (double)rows * ROW;
    open_svg(p->title, bottom + AXIS, out);
    ticks(&a, false, percent_axis(p), bottom, out);
    if (p->kind == SU_PLOT_FOREST)
        su_buf_printf(out, "<line class=\"one\" x1=\"%.1f\" x2=\"%.1f\" y1=\"4\" y2=\"%.1f\"/>", place(&a, 1), place(&a, 1), bottom);
    for (size_t i = 0; i < rows; i++) {
        double y = 8 + ((double)i + 0.5) * ROW;
        su_buf label = { 0 };
        for (int k = 0; k < p->label_count; k++) su_buf_printf(&label, "%s%s", label.n && *text_at(p, i, k) ? ", " : "", text_at(p, i, k));
        row_label(label.n ? label.p : "", y, out);
        su_buf_free(&label);
        interval_mark(p, &a, i, y, out);
    }
    close_svg(p->title, all - rows, out);
}

static bool in_series(const su_result_plot_entry *p, size_t row, const char *series)
{
    return strcmp(label_of(p, row), series) == 0 && isfinite(cell(p, row, p->x)) && isfinite(cell(p, row, p->estimate));
}

static void draw_series(const su_result_plot_entry *p, const axis *h, const axis *v, const char *series, int number, su_buf *out)
{
    size_t rows = su_result_table_rows(p->table);
    bool band = p->low >= 0 && p->high >= 0;
    if (band) {
        su_buf_printf(out, "<polygon class=\"band s%d\" points=\"", number);
        for (size_t i = 0; i < rows; i++)
            if (in_series(p, i, series) && isfinite(cell(p, i, p->low)))
                su_buf_printf(out, "%.1f,%.1f ", place(h, cell(p, i, p->x)), place(v, cell(p, i, p->low)));
        for (size_t i = rows; i-- > 0;)
            if (in_series(p, i, series) && isfinite(cell(p, i, p->high)))
                su_buf_printf(out, "%.1f,%.1f ", place(h, cell(p, i, p->x)), place(v, cell(p, i, p->high)));
        su_buf_text(out, "\"/>");
    }
    su_buf_printf(out, "<polyline class=\"curve s%d\" points=\"", number);
    for (size_t i = 0; i < rows; i++)
        if (in_series(p, i, series)) su_buf_printf(out, "%.1f,%.1f ", place(h, cell(p, i, p->x)), place(v, cell(p, i, p->estimate)));
    su_buf_text(out, "\"/>");
}

static void curve_plot(const su_result_plot_entry *p, su_buf *out)
{
    size_t rows = su_result_table_rows(p->table);
    axis h = { INFINITY, -INFINITY, 60, WIDTH - RIGHT, false }, v = { INFINITY, -INFINITY, CURVE_HEIGHT, 8, false };
    const char *names[SERIES];
    int count = 0;
    for (size_t i = 0; i < rows; i++) {
        stretch(&h, cell(p, i, p->x));
        stretch(&v, cell(p, i, p->estimate));
        stretch(&v, cell(p, i, p->low));
        stretch(&v, cell(p, i, p->high));
        bool known = false;
        for (int s = 0; s < count; s++) known |= strcmp(names[s], label_of(p, i)) == 0;
        if (!known && count < SERIES) names[count++] = label_of(p, i);
    }
    if (!rows || !finish_axis(&h, NAN, NAN) || !finish_axis(&v, NAN, NAN)) return;
    open_svg(p->title, CURVE_HEIGHT + AXIS + (count > 1 ? 20 * count : 0), out);
    ticks(&h, false, false, CURVE_HEIGHT, out);
    ticks(&v, true, percent_axis(p), WIDTH - RIGHT, out);
    for (int s = 0; s < count; s++) draw_series(p, &h, &v, names[s], s, out);
    for (int s = 0; count > 1 && s < count; s++) {
        double y = CURVE_HEIGHT + AXIS + 20.0 * s + 6;
        su_buf_printf(out, "<line class=\"curve s%d\" x1=\"60\" x2=\"90\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"98\" y=\"%.1f\">", s, y, y,
                      y + 4);
        su_buf_html(out, su_str_of(names[s]));
        su_buf_text(out, "</text>");
    }
    close_svg(p->title, 0, out);
}

void su_result_plot_svg(const su_result_plot_entry *p, su_buf *out)
{
    if (p->estimate < 0) return;
    if (p->kind == SU_PLOT_CURVE && p->x >= 0)
        curve_plot(p, out);
    else if (p->kind != SU_PLOT_CURVE)
        rows_plot(p, out);
}
