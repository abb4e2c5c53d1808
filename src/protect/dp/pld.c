/* pld: pessimistic privacy-loss-distribution accountant for discrete Gaussian noise on tables of sensitivity 1.
 *
 * One record moves one cell of table i by 1, so what an observer can tell apart is x_i ~ N_Z(0, v_i) from x_i ~ N_Z(1, v_i), all tables
 * together. With P the first and Q the second law and y = Q/P the ratio at the outcome, delta(epsilon) = E_P max(0, 1 - e^epsilon y), and
 * y is a product of one factor e^-L_i, L_i = (1 - 2 x_i)/(2 v_i), per table. x -> 1 - x swaps P and Q: adding and removing a record cost
 * the same.
 *
 * Grid: delta is convex in each factor, so replacing a factor by a random one of the same mean can only raise it. A loss between two grid
 * points is split between both so that the mean of e^-L stays (Doroshenko, Ghazi, Kamath, Kumar, Manurangsi 2022, arXiv 2207.04380): the
 * error is of second order in the step, where rounding up would cost first order once per table.
 *
 * Sum: by Fourier series on the grid, wrapped round `count` points. Only frequencies at which the product of the characteristic functions
 * is not negligible are kept; they are few, so sums are taken directly and bounded term by term. The law is first tilted by e^(theta L),
 * theta chosen so that its mean is epsilon: then delta is no small difference in the tail but a sum over the bulk, with the same number of
 * correct digits at delta 1e-30 as at 1e-3. Wrapping adds mass and removes none. Every approximation is bounded and the bound added; the
 * list is in docs/methods/accounting.md. */
#include "pld.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define PI 3.141592653589793238462643383279502884L
#define UNIT (DBL_EPSILON / 2)
#define SLACK (LDBL_MANT_DIG >= 64 ? 0x1p-40 : 0x1p-30) /* added to every mass, relative to its table: rounding is below */
#define REACH 14                                        /* standard deviations of a table's noise that are summed up: e^-98 is left */
#define RUN 32                                          /* outcomes in one recurrence: its rounding stays below SLACK / 4 */
#define SMALLEST_DELTA 1e-38
#define MOST_ATOMS 5e7
#define HALF_WINDOW 8.5 /* standard deviations of the tilted loss on each side of epsilon */
#define FEWEST_POINTS 1024.0
#define MOST_POINTS 131072.0
#define POINTS_PER_ROOT 220.0          /* the splits then add at most 1e-3 to the variance of the loss: 5e-4 to sigma */
#define NEGLIGIBLE (-22.0)             /* logarithm of the size at which a frequency is dropped */
#define DROPPED 2.7894680928689277e-10 /* e^NEGLIGIBLE, rounded up */

/* One distinct variance: masses of the loss on the grid under P, then tilted. */
typedef struct group {
    su_variance parameter;
    long double variance;
    uint64_t tables;
    int64_t first; /* grid index of mass[0] */
    size_t count;
    double *mass;    /* upper bounds of P */
    uint32_t *where; /* of those above 0, when most are 0; else NULL */
    size_t filled;
    double *tilted;
    long double log_norm; /* logarithm of sum of mass e^(theta l) */
    double deviation;     /* of the tilted law, in steps: mean distance from its mean, an upper bound */
} group;

typedef struct frequency {
    uint32_t at;
    double log_size, angle, error; /* logarithm of the product so far, and a bound on the relative error of the product */
} frequency;

typedef struct work {
    group *groups;
    size_t group_count;
    uint64_t tables;
    double rho;
    long double step, offset; /* loss = offset + step * index */
    bool lattice;             /* one variance only: its own lattice is the grid, nothing is split */
    double above;
    double theta;
    size_t count;          /* odd */
    int64_t first;         /* index of the window's first point */
    double *cosine, *sine; /* of 2 pi i / count */
    frequency *alive;
    size_t alive_count;
    double lost; /* sum over dropped frequencies of a bound on their size */
} work;

static void work_free(work *w)
{
    for (size_t i = 0; i < w->group_count; i++) {
        free(w->groups[i].mass);
        free(w->groups[i].tilted);
        free(w->groups[i].where);
    }
    free(w->groups);
    free(w->cosine);
    free(w->sine);
    free(w->alive);
}

/* ---- one table ------------------------------------------------------------------------------------------------------ */

static int by_variance(const void *a, const void *b)
{
    const group *x = a, *y = b;
    return x->variance < y->variance ? -1 : x->variance > y->variance;
}

static bool gather(work *w, const su_noise *noise, size_t count)
{
    w->groups = su_alloc_array(count ? count : 1, sizeof *w->groups);
    for (size_t i = 0; i < count; i++) {
        if (noise[i].variance.num == 0 || noise[i].variance.den == 0) {
            return false;
        }
        if (noise[i].tables) {
            w->groups[w->group_count++] = (group) { .parameter = noise[i].variance,
                                                    .variance = (long double)noise[i].variance.num / (long double)noise[i].variance.den,
                                                    .tables = noise[i].tables };
        }
    }
    qsort(w->groups, w->group_count, sizeof *w->groups, by_variance);
    size_t kept = 0;
    double atoms = 0;
    for (size_t i = 0; i < w->group_count; i++) {
        group *g = &w->groups[i];
        w->tables += g->tables;
        w->rho += (double)((long double)g->tables / (2 * g->variance));
        if (kept && w->groups[kept - 1].variance == g->variance) {
            w->groups[kept - 1].tables += g->tables;
        } else {
            atoms += 2 * REACH * sqrt((double)g->variance) + 3;
            w->groups[kept++] = *g;
        }
    }
    w->group_count = kept;
    return kept > 0 && w->tables < UINT64_C(1) << 32 && atoms < MOST_ATOMS;
}

/* The lattice of a single variance has step 1/v; else a step that keeps the splits harmless. */
static void choose_grid(work *w)
{
    double width = 2 * HALF_WINDOW * sqrt(2 * w->rho);
    if (w->group_count == 1 && width * (double)w->groups[0].variance <= MOST_POINTS) {
        w->lattice = true;
        w->step = 1 / w->groups[0].variance;
        w->offset = (long double)w->tables / (2 * w->groups[0].variance);
    } else {
        double points = fmin(fmax(FEWEST_POINTS, POINTS_PER_ROOT * sqrt((double)w->tables)), MOST_POINTS);
        w->step = width / points;
    }
}

static double log_mass(const group *g, int64_t x) { return (double)(-(long double)x * (long double)x / (2 * g->variance)); }

/* (1 - e^-part)/(1 - e^-step): the share of a loss `part` above a grid point that goes to the next one. */
static double upper_share(double part, double step)
{
    if (step > 1e-3) {
        return expm1(-part) / expm1(-step);
    }
    double p = 1 - part / 2 * (1 - part / 3 * (1 - part / 4)), s = 1 - step / 2 * (1 - step / 3 * (1 - step / 4));
    return part / step * (p / s); /* the next term is below step^4 / 120 = 1e-14 */
}

/* Masses of the outcomes x in from..to, which are so few that recurrences lose nothing: p(x+1)/p(x) falls by e^(-1/v) each time. */
static void split_run(const work *w, group *g, double peak, int64_t from, int64_t to)
{
    long double gap = 1 / g->variance, loss = (1 - 2 * (long double)from) * gap / 2, floor_ = floorl(loss / w->step);
    double p = peak * exp(log_mass(g, from)) * (1 + SLACK), ratio = exp((double)(-(2 * (long double)from + 1) * gap / 2));
    double fall = exp((double)-gap), step = (double)w->step, part = (double)(loss - floor_ * w->step);
    int64_t at = (int64_t)floor_ - g->first;
    for (int64_t x = from; x <= to; x++) {
        double share = upper_share(part, step);
        share = share < 0 ? 0 : share > 1 ? 1 : share;
        g->mass[at] += p * (1 - share + SLACK);
        g->mass[at + 1] += p * (share + SLACK);
        p *= ratio;
        ratio *= fall;
        part -= (double)gap;
        if (part < 0) {
            double down = ceil(-part / step);
            part += down * step;
            at -= (int64_t)down;
        }
    }
}

/* Probabilities of the losses of one table on the grid. Outcomes above `reach` have the smallest losses and are moved up to the last one
 * kept; those below -reach are counted as an infinite loss. */
static void table_masses(work *w, group *g)
{
    int64_t reach = (int64_t)ceill(REACH * sqrtl(g->variance)) + 1;
    long double half = 1 / (2 * g->variance);
    int64_t low = w->lattice ? -reach : (int64_t)floorl((1 - 2 * (long double)reach) * half / w->step) - 1;
    int64_t high = w->lattice ? reach : (int64_t)floorl((1 + 2 * (long double)reach) * half / w->step) + 2;
    double peak = su_discrete_gaussian_pmf(g->parameter, 0);
    double beyond = peak * exp(log_mass(g, reach + 1)) / -expm1((double)(-(long double)reach / g->variance)) * (1 + SLACK);
    g->first = low;
    g->count = (size_t)(high - low + 1);
    g->mass = su_alloc_array(g->count, sizeof *g->mass);
    g->tilted = su_alloc_array(g->count, sizeof *g->tilted);
    for (int64_t x = -reach; w->lattice && x <= reach; x++) {
        g->mass[-x - low] = peak * exp(log_mass(g, x)) * (1 + SLACK);
    }
    int64_t run = 1 / g->variance > w->step ? 1 : RUN;
    for (int64_t x = -reach; !w->lattice && x <= reach; x += run) {
        split_run(w, g, peak, x, x + run - 1 < reach ? x + run - 1 : reach);
    }
    g->mass[w->lattice ? 0 : 2] += beyond;
    w->above += (double)g->tables * beyond;
}

/* ---- tilt ----------------------------------------------------------------------------------------------------------- */

/* e^(tilt * loss) at a table's grid points in order: exactly at every 64th, by a product in between. */
typedef struct climb {
    const work *w;
    double tilt;
    long double factor, now;
    int64_t next;
} climb;

static climb climb_from(const work *w, double tilt, int64_t first)
{
    return (climb) { w, tilt, expl(tilt * w->step), expl(tilt * (w->step * (long double)(first - 1))), first };
}

static long double climb_next(climb *c)
{
    c->now = c->next % 64 ? c->now * c->factor : expl(c->tilt * (c->w->step * (long double)c->next));
    c->next++;
    return c->now;
}

static long double norm_at(const work *w, const group *g, double tilt)
{
    long double sum = 0;
    climb c = climb_from(w, tilt, g->first);
    for (size_t k = 0; k < g->count; k++) {
        sum += g->mass[k] * climb_next(&c);
    }
    return sum * (1 + SLACK);
}

static void tilt(const work *w, group *g)
{
    long double norm = norm_at(w, g, w->theta), sum = 0, first = 0, distance = 0;
    climb c = climb_from(w, w->theta, g->first);
    g->log_norm = logl(norm);
    for (size_t k = 0; k < g->count; k++) {
        g->tilted[k] = (double)(g->mass[k] * climb_next(&c) / norm * (1 + SLACK));
        sum += g->tilted[k];
        first += g->tilted[k] * (long double)k;
    }
    for (size_t k = 0; k < g->count; k++) {
        distance += g->tilted[k] * fabsl((long double)k - first / sum);
    }
    g->deviation = (double)distance * (1 + SLACK) + SLACK;
}

/* HALF_WINDOW standard deviations on each side of epsilon, which is the mean of the tilted law. The chance of a loss above the window, by
 * Chernoff's bound, is added to `above`; what lies below it wraps round and only adds. */
static bool choose_window(work *w, double epsilon)
{
    double middle = fmax(epsilon, w->rho), half = HALF_WINDOW * sqrt(2 * w->rho);
    double low = floor((double)((fmin(epsilon, middle - half) - w->offset) / w->step)) - 4;
    double high = ceil((double)((middle + half - w->offset) / w->step)) + 4;
    if (!(high - low < 8 * MOST_POINTS) || !(fabs(low) < 1e15)) {
        return false;
    }
    w->first = (int64_t)low;
    w->count = (size_t)(high - low) | 1;
    long double top = w->step * (long double)(w->first + (int64_t)w->count - 1);
    double slope = (double)((top + w->offset - w->rho) / (2 * w->rho));
    long double exponent = -slope * top;
    for (size_t i = 0; i < w->group_count; i++) {
        exponent += (long double)w->groups[i].tables * logl(norm_at(w, &w->groups[i], slope));
    }
    w->above += exponent < 0 ? (double)expl(exponent) * (1 + SLACK) : 1;
    return true;
}

/* ---- sum ------------------------------------------------------------------------------------------------------------ */

static void turn(work *w)
{
    w->cosine = su_alloc_array(w->count, sizeof *w->cosine);
    w->sine = su_alloc_array(w->count, sizeof *w->sine);
    w->cosine[0] = 1;
    for (size_t i = 1; i <= w->count / 2; i++) {
        long double angle = 2 * PI * (long double)i / (long double)w->count, cosine, sine;
        sincosl(angle, &sine, &cosine);
        w->cosine[i] = w->cosine[w->count - i] = (double)cosine;
        w->sine[i] = (double)sine;
        w->sine[w->count - i] = -w->sine[i];
    }
}

/* f * index modulo count. */
static size_t wrapped(const work *w, uint32_t f, int64_t index)
{
    int64_t n = (int64_t)w->count, rest = index % n;
    return (size_t)((unsigned __int128)f * (uint64_t)(rest < 0 ? rest + n : rest) % (uint64_t)n);
}

/* A narrow table has few losses, far apart on a grid made for the sum. */
static void list_filled(group *g)
{
    g->where = su_alloc_array(g->count, sizeof *g->where);
    for (size_t k = 0; k < g->count; k++) {
        g->where[g->filled] = (uint32_t)k;
        g->filled += g->mass[k] > 0;
    }
    if (g->filled > g->count / 6) {
        free(g->where);
        g->where = NULL;
    }
}

/* Characteristic function of one tilted table: size and angle, and a bound on the error of the complex value. */
static double transform(const work *w, const group *g, uint32_t f, double *size, double *angle)
{
    double re = 0, im = 0;
    size_t start = wrapped(w, f, g->first), at = start;
    for (size_t i = 0; g->where && i < g->filled; i++) {
        at = (size_t)((start + (uint64_t)f * g->where[i]) % w->count);
        re += g->tilted[g->where[i]] * w->cosine[at];
        im -= g->tilted[g->where[i]] * w->sine[at];
    }
    for (size_t k = 0; !g->where && k < g->count; k++) {
        re += g->tilted[k] * w->cosine[at];
        im -= g->tilted[k] * w->sine[at];
        at += f;
        at -= at >= w->count ? w->count : 0;
    }
    *size = hypot(re, im);
    *angle = atan2(im, re);
    return DBL_EPSILON * (4 + (double)g->count); /* the sum of all sizes is 1: half a unit each for its rounding, in both parts */
}

/* Multiplies the product at a frequency by g's characteristic function to the power of its number of tables. False: it is negligible now,
 * and is dropped. */
static bool multiply(work *w, const group *g, frequency *f, double size, double angle, double error)
{
    double n = (double)g->tables, most = f->log_size + f->error + n * log(size + error);
    if (most < NEGLIGIBLE || size <= 4 * error) {
        w->lost += exp(fmin(most, 0)) * 1.1;
        return false;
    }
    f->log_size += n * log(size);
    f->angle = remainder(f->angle + remainder(n * angle, 2 * (double)PI), 2 * (double)PI);
    f->error += n * (error / (size - error) + 16 * UNIT * (1 + fabs(log(size)) + fabs(angle))) + 512 * UNIT;
    return true;
}

/* All frequencies. Where g's function is far below what is dropped, it stays below for as many more as its slope allows, which is at most
 * 2 pi / count times the mean distance from the mean. */
static void first_group(work *w, const group *g)
{
    size_t last = w->count / 2, capacity = 0;
    double least = exp(NEGLIGIBLE / (double)g->tables), slope = 2 * (double)PI / (double)w->count * g->deviation;
    for (size_t f = 0; f <= last; f++) {
        frequency here = { .at = (uint32_t)f };
        double size, angle, error = transform(w, g, here.at, &size, &angle);
        if (multiply(w, g, &here, size, angle, error)) {
            w->alive = su_grow(w->alive, &capacity, w->alive_count + 1, sizeof *w->alive);
            w->alive[w->alive_count++] = here;
        } else if (size + error < least) {
            double skip = fmin(floor((least - size - error) / slope), (double)(last - f));
            w->lost += skip * DROPPED * 1.1;
            f += (size_t)skip;
        }
    }
}

static void next_group(work *w, const group *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->alive_count; i++) {
        frequency here = w->alive[i];
        double size, angle, error = transform(w, g, here.at, &size, &angle);
        if (multiply(w, g, &here, size, angle, error)) {
            w->alive[kept++] = here;
        }
    }
    w->alive_count = kept;
}

/* Groups that rule out most frequencies for the least work come first. */
static int by_use(const void *a, const void *b)
{
    const group *x = a, *y = b;
    double use_x = (double)(x->tables / x->variance) / (double)x->count, use_y = (double)(y->tables / y->variance) / (double)y->count;
    return use_x > use_y ? -1 : use_x < use_y;
}

/* Back to the law of the total loss; untilted, with all errors added. */
static void invert(const work *w, su_pld *d)
{
    double size = 0, error = 0;
    long double log_norm = 0;
    for (size_t i = 0; i < w->alive_count; i++) {
        const frequency *f = &w->alive[i];
        double now = exp(f->log_size), times = f->at ? 2 : 1, re = times * now * cos(f->angle), im = times * now * sin(f->angle);
        size_t at = wrapped(w, f->at, w->first);
        for (size_t j = 0; j < w->count; j++) {
            d->mass[j] += re * w->cosine[at] - im * w->sine[at];
            at += f->at;
            at -= at >= w->count ? w->count : 0;
        }
        size += 2 * now;
        error += 2 * now * expm1(f->error + 8 * UNIT);
    }
    error += 2 * w->lost + 4 * UNIT * (double)(w->alive_count + 4) * size;
    for (size_t i = 0; i < w->group_count; i++) {
        log_norm += (long double)w->groups[i].tables * w->groups[i].log_norm;
    }
    for (size_t j = 0; j < w->count; j++) {
        long double at = w->theta * (w->step * (long double)(w->first + (int64_t)j));
        double tilted = (fmax(d->mass[j], 0) + error) / (double)w->count;
        d->mass[j] = (double)(tilted * expl(log_norm - at) * (1 + SLACK));
    }
}

bool su_pld_init(su_pld *d, const su_noise *noise, size_t count, double epsilon)
{
    work w = { .groups = NULL };
    *d = (su_pld) { .mass = NULL };
    bool good = epsilon >= 0 && gather(&w, noise, count) && su_zcdp_delta(w.rho, epsilon) >= SMALLEST_DELTA;
    if (good) {
        choose_grid(&w);
        w.theta = fmax(0, (epsilon / w.rho - 1) / 2);
        for (size_t i = 0; i < w.group_count; i++) {
            table_masses(&w, &w.groups[i]);
        }
        good = choose_window(&w, epsilon);
    }
    if (good) {
        turn(&w);
        for (size_t i = 0; i < w.group_count; i++) {
            tilt(&w, &w.groups[i]);
            list_filled(&w.groups[i]);
        }
        qsort(w.groups, w.group_count, sizeof *w.groups, by_use);
        first_group(&w, &w.groups[0]);
        for (size_t i = 1; i < w.group_count; i++) {
            next_group(&w, &w.groups[i]);
        }
        *d = (su_pld) { .first = w.offset + w.step * (long double)w.first, .step = w.step, .count = w.count, .above = w.above };
        d->mass = su_alloc_array(d->count, sizeof *d->mass);
        invert(&w, d);
    }
    work_free(&w);
    return good;
}

double su_pld_delta(const su_pld *d, double epsilon)
{
    long double from = (long double)epsilon - 1e-14L * (1 + (long double)epsilon), sum = d->above;
    if (!(epsilon >= 0) || from < d->first) {
        return 1;
    }
    for (size_t j = d->count; j-- > 0;) {
        long double over = d->first + d->step * (long double)j - from;
        if (over <= 0) {
            break;
        }
        sum += d->mass[j] * -expm1((double)-over);
    }
    return fmin((double)(sum * (1 + SLACK)), 1);
}

void su_pld_free(su_pld *d)
{
    free(d->mass);
    *d = (su_pld) { .mass = NULL };
}

/* ---- answers -------------------------------------------------------------------------------------------------------- */

static double rho_of(const su_noise *noise, size_t count)
{
    long double rho = 0;
    for (size_t i = 0; i < count; i++) {
        rho += (long double)noise[i].tables * (long double)noise[i].variance.den / (2 * (long double)noise[i].variance.num);
    }
    return (double)(rho * (1 + 0x1p-50L));
}

double su_noise_delta(const su_noise *noise, size_t count, double epsilon)
{
    su_pld d;
    double delta = su_zcdp_delta(rho_of(noise, count), epsilon);
    if (su_pld_init(&d, noise, count, epsilon)) {
        delta = fmin(delta, su_pld_delta(&d, epsilon));
        su_pld_free(&d);
    }
    return delta;
}

/* Where the answer is for continuous noise of the same rho. */
static double gaussian_epsilon(double rho, double delta, double high)
{
    double low = 0, sigma = 1 / sqrt(2 * rho);
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (su_gaussian_delta(sigma, middle) > delta) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

double su_noise_epsilon(const su_noise *noise, size_t count, double delta)
{
    su_pld d;
    double rho = rho_of(noise, count), high = su_zcdp_epsilon(rho, delta), low = 0;
    if (!isfinite(high) || high == 0 || !su_pld_init(&d, noise, count, gaussian_epsilon(rho, delta, high))) {
        return high;
    }
    if (su_pld_delta(&d, high) <= delta) {
        for (int i = 0; i < 32; i++) {
            double middle = low + (high - low) / 2;
            if (su_pld_delta(&d, middle) <= delta) {
                high = middle;
            } else {
                low = middle;
            }
        }
    }
    su_pld_free(&d);
    return high;
}
