/* The last table of the panel: every number it gives is one end of a range. */
#include <math.h>

#include "mse/panel.h"

static void range_row(su_panel *p, su_result_table *t, const char *what, double from, double to, bool widens)
{
    bool open = to > SU_RANGE_NO_LIMIT * (double)p->o->n;
    if (!isfinite(from) || isnan(to)) return;
    su_result_text(t, what);
    su_result_number(t, from);
    su_result_number(t, open ? NAN : to);
    su_result_number(t, open ? NAN : to / from);
    su_result_text(t, open ? "no upper limit" : "");
    if (!widens) return;
    p->range_low = fmin(p->range_low, from);
    p->range_high = fmax(p->range_high, to);
}

void su_panel_range(su_panel *p)
{
    p->range_low = INFINITY;
    p->range_high = 0;
    if (!p->methods) return;
    su_result_table *t = su_result_table_add(p->result, "range", "What these lists can bear: a range of people, not a number");
    su_result_column(t, "what", "", SU_COLUMN_TEXT);
    su_result_column(t, "from", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "to", "to", SU_COLUMN_NUMBER);
    su_result_column(t, "factor", "factor", SU_COLUMN_NUMBER);
    su_result_column(t, "note", "", SU_COLUMN_TEXT);
    range_row(p, t, "estimates of the methods", p->least, p->most, true);
    range_row(p, t, "estimates with lists left out or merged", p->sensitive_least, p->sensitive_most, true);
    range_row(p, t, "intervals of the methods, each if it is right", p->low, fmax(p->high, p->bound_high), true);
    range_row(p, t, "intervals of models in which people differ", p->unlike_low, p->unlike_high, true);
    range_row(p, t, "all of it", p->range_low, p->range_high, false);
    su_result_fact(p->result, "range_low", "all of it: from", p->range_low);
    if (p->range_high <= SU_RANGE_NO_LIMIT * (double)p->o->n)
        su_result_fact(p->result, "range_high", "  to", p->range_high);
    else
        su_result_fact_text(p->result, "range_high_none", "  to", "no upper limit");
}
