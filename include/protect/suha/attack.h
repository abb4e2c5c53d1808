/* attack: what somebody who knows nearly everything could still learn from a release (docs/methods/attacks.md).
 *
 * The mechanism is run in memory many times on the data with and without the most isolated records, and attackers who are told all other
 * records, the mechanism and its options guess which were in. Nothing is published and nothing is charged, but the results are computed
 * from true data: not for publication. Attacks that fail prove nothing by themselves, so the same attacks are run on releases that protect
 * nobody (positive controls); unless they succeed there, the whole run says nothing. No I/O. */
#ifndef SUHA_ATTACK_H
#define SUHA_ATTACK_H

#include <suha/protect.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SU_ATTACK_LIST(X)                                                                                                                  \
    X(LINKAGE, "linkage", "the target's whole record stands among the synthetic records")                                                  \
    X(CLOSEST, "closest", "some synthetic record is close to the target's")                                                                \
    X(INFERENCE, "inference", "the records closest to the target's have its sensitive value")                                              \
    X(SHADOW_NAIVE, "shadow naive", "shadow model on the size, the filled share and the variety of each column")                           \
    X(SHADOW_HISTOGRAM, "shadow histogram", "shadow model on the frequencies of all values")                                               \
    X(SHADOW_CORRELATION, "shadow correlation", "shadow model on the correlations of all pairs of columns")                                \
    X(QUERIES, "queries", "shadow model on how many synthetic records match parts of the target's")                                        \
    X(COUNTS, "counts", "shadow model on the published counts of the target's rarest combinations")                                        \
    X(DIFFERENCING, "differencing", "what the counts and matches of the target gained from one release to the next")

#define SU_ATTACK_ENUM(id, name, about) SU_ATTACK_##id,
typedef enum su_attack { SU_ATTACK_LIST(SU_ATTACK_ENUM) SU_ATTACK_COUNT } su_attack;
#undef SU_ATTACK_ENUM
const char *su_attack_name(su_attack a);

/* The release under attack, and the controls: a sample with replacement as large as the data; half of the records as they are; the
 * K-anonymous mechanism row-seeded with K = 2. */
#define SU_ATTACKED_LIST(X) X(RELEASE, "release") X(BOOTSTRAP, "bootstrap copy") X(SUBSAMPLE, "exact half") X(ROW_SEEDED, "row-seeded K=2")
#define SU_ATTACKED_ENUM(id, name) SU_ATTACKED_##id,
typedef enum su_attacked { SU_ATTACKED_LIST(SU_ATTACKED_ENUM) SU_ATTACKED_COUNT } su_attacked;
#undef SU_ATTACKED_ENUM
const char *su_attacked_name(su_attacked w);

typedef struct su_attack_result {
    bool ran;           /* false: the data are too wide for this attack, or no pair of releases could be formed */
    double auc, auc_se; /* mean over the targets of the area under the ROC curve; 0.5 = a guess; jackknife over runs */
    double tpr, fpr;    /* over all targets, at the threshold with the most true positives and at most 1 % false ones */
    double bound;       /* min(1, e^epsilon * fpr + delta) at that fpr; 1 where no bound is promised */
    double epsilon_low; /* what this attack shows epsilon to be at least, by Chernoff bounds at 1e-6 a side; 0 = nothing */
    uint64_t positives, negatives;
} su_attack_result;

typedef struct su_attack_report {
    uint32_t targets, rounds;
    uint32_t sensitive; /* column of the inference */
    double epsilon, delta;
    bool bound_promised;
    su_attack_result result[SU_ATTACKED_COUNT][SU_ATTACK_COUNT];
    bool control_succeeded[SU_ATTACKED_COUNT]; /* of the controls: some attack has AUC - 2 se > 0.6 */
    bool vacuous;                              /* some control did not succeed: nothing follows from the failure of the attacks */
    bool contradicted;                         /* epsilon_low > epsilon in some attack: the promise is broken */
} su_attack_report;

typedef struct su_attack_options {
    uint32_t rounds, targets; /* 0 = 200 runs of each, 50 targets; at most 10,000 and 50 */
    int64_t sensitive;        /* column, or -1 = the first that the schema calls sensitive, else the last */
} su_attack_options;

/* Each run leaves out each target with probability 1/2 and releases the rest; shadow models are trained on one half of the runs and tried
 * on the other. The targets are the records with the rarest attributes and pairs of attributes. `random` is advanced by nobody: all streams
 * are split from it. Deterministic in (m, release, options, random) on any number of threads. SU_REFUSED with fewer than 20 records; the
 * errors of su_release_plan and su_release_run. O(rounds * (a release + targets * records * columns)). */
su_status su_attack_run(su_context *ctx, const su_code_matrix *m, const su_release_options *release, const su_attack_options *opts,
                        const su_random *random, su_attack_report *out) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
