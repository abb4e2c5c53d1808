/* The normal distribution, the quantile solver, Gauss-Hermite nodes. */
#include "numeric/saddle.h"
#include "numeric/special.h"

#include <math.h>

double su_normal_density(double z) { return 0.39894228040143267794 * exp(-0.5 * z * z); }

double su_normal_cdf(double z) { return 0.5 * erfc(-z * 0.70710678118654752440); }

double su_normal_upper(double z) { return 0.5 * erfc(z * 0.70710678118654752440); }

/* P7 / Q7 with the constant terms first. */
static double rational(const double top[8], const double bottom[8], double r)
{
    double a = top[7], b = bottom[7];
    for (int k = 6; k >= 0; k--) {
        a = a * r + top[k];
        b = b * r + bottom[k];
    }
    return a / b;
}

/* Wichura's PPND16 (AS 241). */
double su_normal_quantile(double p)
{
    static const double middle_top[8] = { 3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                          1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                          3.3430575583588128105e+4, 2.5090809287301226727e+3 };
    static const double middle_bottom[8] = { 1,
                                             4.2313330701600911252e+1,
                                             6.8718700749205790830e+2,
                                             5.3941960214247511077e+3,
                                             2.1213794301586595867e+4,
                                             3.9307895800092710610e+4,
                                             2.8729085735721942674e+4,
                                             5.2264952788528545610e+3 };
    static const double near_top[8] = { 1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                        3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                        2.27238449892691845833e-2, 7.74545014278341407640e-4 };
    static const double near_bottom[8] = { 1,
                                           2.05319162663775882187e0,
                                           1.67638483018380384940e0,
                                           6.89767334985100004550e-1,
                                           1.48103976427480074590e-1,
                                           1.51986665636164571966e-2,
                                           5.47593808499534494600e-4,
                                           1.05075007164441684324e-9 };
    static const double far_top[8] = { 6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                       2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                       2.71155556874348757815e-5, 2.01033439929228813265e-7 };
    static const double far_bottom[8] = { 1,
                                          5.99832206555887937690e-1,
                                          1.36929880922735805310e-1,
                                          1.48753612908506148525e-2,
                                          7.86869131145613259100e-4,
                                          1.84631831751005468180e-5,
                                          1.42151175831644588870e-7,
                                          2.04426310338993978564e-15 };
    if (!(p >= 0 && p <= 1)) return NAN;
    if (p == 0 || p == 1) return p == 0 ? -INFINITY : INFINITY;
    double q = p - 0.5;
    if (fabs(q) <= 0.425) return q * rational(middle_top, middle_bottom, 0.180625 - q * q);
    double r = sqrt(-log(q < 0 ? p : 1 - p));
    double z = r <= 5 ? rational(near_top, near_bottom, r - 1.6) : rational(far_top, far_bottom, r - 5);
    return q < 0 ? -z : z;
}

double su_tail_solve(su_tail_at *tail, const void *arg, double p, double q, double start)
{
    bool upper = p > q;
    double target = upper ? q : p, sign = upper ? -1 : 1, low = -INFINITY, high = INFINITY, u = start;
    for (int round = 0; round < 400; round++) {
        double density, t = tail(arg, u, upper, &density);
        double miss = sign * (t - target), next;
        if (miss == 0) return u;
        if (miss < 0)
            low = u;
        else
            high = u;
        /* near the root log1p keeps the digits that the quotient's logarithm loses */
        double step = fabs(miss) < 0.1 * target ? sign * log1p((t - target) / target) * t / density : sign * log(t / target) * t / density;
        next = u - step;
        if (!(t > 0) || !(density > 0) || !(next > low) || !(next < high)) {
            if (isinf(low))
                next = high - 1 - 2 * fabs(high - start);
            else if (isinf(high))
                next = low + 1 + 2 * fabs(low - start);
            else
                next = 0.5 * (low + high);
        }
        if (next == u || fabs(next - u) <= 2e-16 * fabs(u)) return next;
        u = next;
    }
    return u;
}

/* How many eigenvalues of the Jacobi matrix of the Hermite polynomials (diagonal 0, off-diagonal sqrt(k / 2)) are below x (Sturm). */
static unsigned nodes_below(unsigned n, double x)
{
    unsigned count = 0;
    double d = -x;
    for (unsigned k = 0; k < n; k++) {
        if (k) d = -x - (k / 2.0) / d;
        if (d == 0) d = -1e-300;
        count += d < 0;
    }
    return count;
}

/* The orthonormal Hermite polynomials of degree n and n - 1 at x. */
static double hermite(unsigned n, double x, double *below)
{
    double before = 0, now = 0.75112554446494248286; /* pi^(-1/4) */
    for (unsigned j = 0; j < n; j++) {
        double next = x * sqrt(2.0 / (j + 1)) * now - sqrt((double)j / (j + 1)) * before;
        before = now;
        now = next;
    }
    *below = before;
    return now;
}

void su_gauss_hermite(unsigned n, double *nodes, double *weights)
{
    double edge = sqrt(2.0 * n + 1) + 1, below;
    for (unsigned i = 0; i < n; i++) {
        double low = -edge, high = edge;
        for (int k = 0; k < 40; k++) {
            double middle = 0.5 * (low + high);
            if (nodes_below(n, middle) > i)
                high = middle;
            else
                low = middle;
        }
        double x = 0.5 * (low + high);
        for (int k = 0; k < 3; k++) {
            double value = hermite(n, x, &below);
            x -= value / (sqrt(2.0 * n) * below);
        }
        if (n % 2 == 1 && i == n / 2) x = 0;
        (void)hermite(n, x, &below);
        nodes[i] = x;
        weights[i] = 1 / (n * below * below);
    }
}
