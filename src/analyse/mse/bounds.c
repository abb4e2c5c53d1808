#include <suha/flow.h>

#include <math.h>

#include "mse/panel.h"

static su_bound bound_of(su_status status, const su_flow_estimate *e)
{
    return status ? (su_bound) { NAN, NAN, NAN } : (su_bound) { e->estimate, e->low, e->high };
}

su_bound su_chao_bound(const su_overlaps *o, double level)
{
    double once = 0, twice = 0;
    su_flow_estimate e;
    for (size_t w = 1; w < o->cells; w++) {
        int lists = __builtin_popcountll(w);
        once += lists == 1 ? (double)o->counts[w] : 0;
        twice += lists == 2 ? (double)o->counts[w] : 0;
    }
    return bound_of(su_seen_once_twice(NULL, (double)o->n, once, twice, level, &e), &e);
}

su_bound su_chapman(const su_overlaps *o, double level)
{
    double both = (double)o->counts[3];
    su_flow_estimate e;
    return bound_of(su_two_points(NULL, (double)o->counts[1] + both, (double)o->counts[2] + both, both, level, &e), &e);
}

void su_panel_chao(su_panel *p)
{
    su_bound b = su_chao_bound(p->o, p->opt.level);
    su_panel_add(p, &(su_panel_row) { .id = "chao",
                                      .method = "Chao's lower bound",
                                      .N = b.N,
                                      .low = b.low,
                                      .high = b.high,
                                      .interval = "log-normal",
                                      .note = "a lower bound if lists are independent for each person; lists that share people lower it" });
    su_result_method(
        p->result, "Chao's lower bound (1987) uses only the numbers of people on exactly one and on exactly two lists; it allows people to "
                   "differ in how easily they are found.");
}
