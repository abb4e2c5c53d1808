/* dga: Bayesian average over all decomposable graphical models, exact (Madigan and York 1997, doi:10.1093/biomet/84.1.19).
 *
 * Lists are vertices; a graph without chordless circles factors into cliques over separators, and with a Dirichlet prior of delta people
 * per cell the probability of the table with m unseen people is a ratio of gamma functions, for every m and graph. Summed over graphs and m
 * it needs no simulation. Graphs: 8, 61, 822, 18,154 for 3 to 6 lists. O(graphs * unseen), streaming over m in blocks; graphs that nowhere
 * come within exp(-50) of the best are left out after a coarse pass. */
#ifndef SU_MSE_DGA_H
#define SU_MSE_DGA_H

#include <suha/mse.h>

enum { SU_DGA_LISTS = 6 };

typedef struct su_graph {
    uint16_t edges; /* bit of pair (i,j) in the order 12, 13, .., 23, .. */
    unsigned cliques, separators;
    uint16_t clique[SU_DGA_LISTS], separator[SU_DGA_LISTS]; /* sets of lists; separators with multiplicity, empty ones included */
} su_graph;
/* All decomposable graphs of 2 to 6 lists; returns the number, *out is the caller's to free. */
size_t su_graphs_enumerate(unsigned lists, su_graph **out);

typedef struct su_dga_options {
    double delta;                                                  /* prior people per cell; 0 = 2^-lists */
    int64_t least, most, step;                                     /* numbers of unseen people considered */
    double (*log_prior)(const void *arg, double unseen, double n); /* NULL: -log(n + unseen) */
    const void *arg;
} su_dga_options;

typedef struct su_dga {
    size_t points; /* of N */
    int64_t first, step;
    double *posterior; /* of N = first + i * step */
    size_t graphs;
    su_graph *graph;
    double *weight; /* posterior of each graph */
    double mean, sd;
    int64_t mode;
    unsigned peaks; /* with a valley below half the smaller one between them */
} su_dga;

/* SU_REFUSED beyond six lists. Freed with su_dga_free. */
su_status su_dga_run(su_context *ctx, const su_overlaps *o, const su_dga_options *options, su_dga *out) SU_MUST_CHECK;
void su_dga_free(su_dga *d);
/* The smallest N with posterior probability p up to it. */
double su_dga_quantile(const su_dga *d, double p);

#endif
