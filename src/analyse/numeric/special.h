/* special: distributions. Accuracy 1e-12 relative in the bodies and 1e-10 in tails down to 1e-300, tested against the spot values of two
 * other programs. Quantiles are the smallest x with cdf(x) >= p, by Newton with bisection as a net. Domain errors give NaN.
 * DLMF chapters 7, 8, 26; AS 241 (doi:10.2307/2347330) for the normal quantile; DiDonato and Morris 1992 (doi:10.1145/131766.131776). */
#ifndef SU_ANALYSE_SPECIAL_H
#define SU_ANALYSE_SPECIAL_H

#include <stddef.h>
#include <stdint.h>

double su_lgamma(double x); /* x > 0; thread-safe */
double su_lbeta(double a, double b);
double su_digamma(double x); /* x > 0 */
double su_trigamma(double x);
double su_gamma_p(double a, double x); /* regularised lower incomplete gamma */
double su_gamma_q(double a, double x); /* upper, without cancellation */
double su_beta_i(double x, double a, double b); /* regularised incomplete beta; a, b >= 0, the limits at 0 included */

double su_normal_density(double z);
double su_normal_cdf(double z);
double su_normal_upper(double z); /* 1 - cdf, without cancellation */
double su_normal_quantile(double p);
double su_t_cdf(double t, double df); /* df > 0, infinite = normal */
double su_t_two_sided(double t, double df); /* P(|T| >= |t|) */
double su_t_quantile(double p, double df);
double su_chi2_upper(double x, double df);
double su_chi2_quantile(double p, double df);
double su_f_upper(double f, double df1, double df2);
double su_f_quantile(double p, double df1, double df2);
/* P(sum of l_i chi2_1 > x chi2_nu / nu), nu may be infinite: saddlepoint approximation, Kuonen 1999 (doi:10.1093/biomet/86.4.929). NaN at the
 * mean, where the approximation has no value. */
double su_weighted_chi2_upper(const double *l, size_t m, double x, double nu);
double su_beta_quantile(double p, double a, double b); /* a = 0 gives 0, b = 0 gives 1 */
double su_gamma_quantile(double p, double shape);      /* scale 1 */
double su_binomial_cdf(int64_t k, int64_t n, double p);
double su_binomial_log(int64_t k, int64_t n, double p); /* log density */
double su_poisson_cdf(int64_t k, double mean);
double su_poisson_upper(int64_t k, double mean); /* P(X >= k) */
double su_poisson_log(int64_t k, double mean);

/* Gauss-Hermite nodes and weights for the weight exp(-x^2), n <= 64, ascending. Golub and Welsch 1969 (doi:10.1090/S0025-5718-69-99647-1). */
void su_gauss_hermite(unsigned n, double *nodes, double *weights);

#endif
