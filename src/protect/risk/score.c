#include "score.h"

#include <math.h>
#include <stdlib.h>

enum { JACKKNIFE_BLOCKS = 10 };
#define FALSE_POSITIVES 0.01
#define ALPHA 1e-6

static int by_score(const void *x, const void *y)
{
    const su_try *a = x, *b = y;
    return a->score > b->score ? -1 : a->score < b->score;
}

double su_auc(su_try *tries, size_t n)
{
    double won = 0, members = 0, others = 0;
    qsort(tries, n, sizeof *tries, by_score);
    for (size_t i = 0; i < n;) {
        double m = 0, o = 0;
        size_t end = i;
        for (; end < n && tries[end].score == tries[i].score; end++) *(tries[end].member ? &m : &o) += 1;
        won += o * (members + m / 2); /* members above this score beat the others at it */
        members += m;
        others += o;
        i = end;
    }
    return members > 0 && others > 0 ? won / (members * others) : NAN;
}

void su_tpr_at(su_try *tries, size_t n, double most, double *tpr, double *fpr, uint64_t *positives, uint64_t *negatives)
{
    uint64_t members = 0, others = 0, hit = 0, wrong = 0;
    for (size_t i = 0; i < n; i++) *(tries[i].member ? &members : &others) += 1;
    qsort(tries, n, sizeof *tries, by_score);
    *tpr = *fpr = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i;
        for (; end < n && tries[end].score == tries[i].score; end++) *(tries[end].member ? &hit : &wrong) += 1;
        if ((double)wrong > most * (double)others) break;
        *tpr = members ? (double)hit / (double)members : 0;
        *fpr = others ? (double)wrong / (double)others : 0;
        i = end;
    }
    *positives = members;
    *negatives = others;
}

static double divergence(double a, double b)
{
    double sum = 0;
    if (a > 0) sum += a * log(a / b);
    if (a < 1) sum += (1 - a) * log((1 - a) / (1 - b));
    return sum;
}

/* The end is searched between what was seen and `far`; the answer is the side that the bound does not exclude. */
static double chernoff(uint64_t k, uint64_t n, double alpha, double far)
{
    if (n == 0) return far;
    double seen = (double)k / (double)n, near = seen, limit = log(1 / alpha) / (double)n;
    if (seen == far) return far;
    for (int i = 0; i < 100; i++) {
        double middle = (near + far) / 2;
        if (divergence(seen, middle) > limit)
            far = middle;
        else
            near = middle;
    }
    return far;
}

double su_chernoff_low(uint64_t k, uint64_t n, double alpha) { return chernoff(k, n, alpha, 0); }
double su_chernoff_high(uint64_t k, uint64_t n, double alpha) { return chernoff(k, n, alpha, 1); }

/* Mean over the targets of the area of each, without the runs of one block (blocks: none). */
static double mean_auc(const su_try *tries, size_t n, su_try *some, uint32_t targets, uint32_t without, uint32_t blocks)
{
    double sum = 0, counted = 0;
    for (uint32_t t = 0; t < targets; t++) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
            if (tries[i].target == t && (without == blocks || tries[i].run % blocks != without)) some[kept++] = tries[i];
        double auc = su_auc(some, kept);
        if (isnan(auc)) continue;
        sum += auc;
        counted++;
    }
    return counted > 0 ? sum / counted : NAN;
}

su_attack_result su_score(su_try *tries, size_t n, uint32_t runs, uint32_t targets, double epsilon, double delta, bool bound)
{
    su_attack_result r = { .ran = true };
    su_try *some = su_alloc_array(n + 1, sizeof *some);
    uint32_t blocks = runs < JACKKNIFE_BLOCKS ? runs : JACKKNIFE_BLOCKS;
    double sum = 0, squares = 0;
    r.auc = mean_auc(tries, n, some, targets, blocks, blocks);
    for (uint32_t b = 0; b < blocks; b++) {
        double without = mean_auc(tries, n, some, targets, b, blocks);
        sum += without;
        squares += without * without;
    }
    double variance = squares - sum * sum / blocks;
    r.auc_se = variance > 0 ? sqrt(variance * (blocks - 1) / blocks) : variance <= 0 ? 0 : NAN;
    su_tpr_at(tries, n, FALSE_POSITIVES, &r.tpr, &r.fpr, &r.positives, &r.negatives);
    r.ran = r.positives && r.negatives && !isnan(r.auc);
    r.bound = bound ? fmin(1, exp(epsilon) * r.fpr + delta) : 1;
    double low = su_chernoff_low((uint64_t)llround(r.tpr * (double)r.positives), r.positives, ALPHA) - delta;
    double high = su_chernoff_high((uint64_t)llround(r.fpr * (double)r.negatives), r.negatives, ALPHA);
    r.epsilon_low = low > high ? log(low / high) : 0;
    free(some);
    return r;
}
