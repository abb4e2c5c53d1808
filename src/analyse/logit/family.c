#include "logit/family.h"

#include <math.h>

#include "numeric/special.h"

/* Means this near 0 and 1 keep a probit's weights finite. */
static const double EDGE = 1e-15;

static su_mean logit_mean(double eta)
{
    double e = exp(-fabs(eta)), small = e / (1 + e), large = 1 / (1 + e);
    return (su_mean) { eta >= 0 ? large : small, small * large, small * large };
}

su_mean su_family_mean(su_family family, double eta)
{
    switch (family) {
    case SU_FAMILY_PROBIT: {
        double p = fmin(fmax(su_normal_cdf(eta), EDGE), 1 - EDGE), q = fmax(su_normal_upper(eta), EDGE);
        return (su_mean) { p, su_normal_density(eta), p * q };
    }
    case SU_FAMILY_POISSON: {
        double mu = exp(fmin(eta, 700));
        return (su_mean) { mu, mu, mu };
    }
    case SU_FAMILY_LINEAR:
        return (su_mean) { eta, 1, 1 };
    default:
        return logit_mean(eta);
    }
}

double su_family_curvature(su_family family, double eta)
{
    switch (family) {
    case SU_FAMILY_PROBIT:
        return -eta * su_normal_density(eta);
    case SU_FAMILY_POISSON:
        return exp(fmin(eta, 700));
    case SU_FAMILY_LINEAR:
        return 0;
    default: {
        su_mean m = logit_mean(eta);
        return m.slope * (1 - 2 * m.mu);
    }
    }
}

double su_family_link(su_family family, double mu)
{
    switch (family) {
    case SU_FAMILY_PROBIT:
        return su_normal_quantile(mu);
    case SU_FAMILY_POISSON:
        return log(mu);
    case SU_FAMILY_LINEAR:
        return mu;
    default:
        return log(mu / (1 - mu));
    }
}

double su_family_loglik(su_family family, double y, double eta)
{
    switch (family) {
    case SU_FAMILY_PROBIT:
        return (y > 0 ? y * log(fmax(su_normal_cdf(eta), 1e-300)) : 0) + (y < 1 ? (1 - y) * log(fmax(su_normal_upper(eta), 1e-300)) : 0);
    case SU_FAMILY_POISSON:
        return y * eta - exp(fmin(eta, 700));
    case SU_FAMILY_LINEAR:
        return -(y - eta) * (y - eta) / 2;
    default:
        return (eta > 0 ? (y - 1) * eta : y * eta) - log1p(exp(-fabs(eta)));
    }
}

double su_family_saturated(su_family family, double y)
{
    if (family == SU_FAMILY_POISSON) return y > 0 ? y * log(y) - y : 0;
    if (family == SU_FAMILY_LINEAR || y <= 0 || y >= 1) return 0;
    return y * log(y) + (1 - y) * log(1 - y);
}
