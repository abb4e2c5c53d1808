#include <math.h>

#include "mse/panel.h"
#include "numeric/special.h"

static double normal_of(double level) { return su_normal_quantile(1 - (1 - level) / 2); }

/* The unseen are log-normal: n + f0 / C to n + f0 * C (Chao 1987). */
static su_bound log_normal(double n, double unseen, double variance, double level)
{
    double c = unseen > 0 ? exp(normal_of(level) * sqrt(log(1 + variance / (unseen * unseen)))) : 1;
    return (su_bound) { n + unseen, n + unseen / c, n + unseen * c };
}

su_bound su_chao_bound(const su_overlaps *o, double level)
{
    double once = 0, twice = 0, n = (double)o->n;
    for (size_t w = 1; w < o->cells; w++) {
        int lists = __builtin_popcountll(w);
        once += lists == 1 ? (double)o->counts[w] : 0;
        twice += lists == 2 ? (double)o->counts[w] : 0;
    }
    if (twice > 0) {
        double r = once / twice;
        return log_normal(n, once * once / (2 * twice), twice * (r * r * r * r / 4 + r * r * r + r * r / 2), level);
    }
    double unseen = once * (once - 1) / 2;
    double variance = once * (once - 1) / 2 + once * (2 * once - 1) * (2 * once - 1) / 4 - once * once * once * once / (4 * (n + unseen));
    return log_normal(n, unseen, fmax(variance, 0), level);
}

su_bound su_chapman(const su_overlaps *o, double level)
{
    double both = (double)o->counts[3], a = (double)o->counts[1] + both, b = (double)o->counts[2] + both, n = (double)o->n;
    double N = (a + 1) * (b + 1) / (both + 1) - 1;
    double variance = (a + 1) * (b + 1) * (a - both) * (b - both) / ((both + 1) * (both + 1) * (both + 2));
    return log_normal(n, N - n, variance, level);
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
                                      .low_error = NAN,
                                      .high_error = NAN,
                                      .bic = NAN,
                                      .note = "a lower bound if lists are independent for each person; lists that share people lower it" });
    su_result_method(
        p->result, "Chao's lower bound (1987) uses only the numbers of people on exactly one and on exactly two lists; it allows people to "
                   "differ in how easily they are found.");
}
