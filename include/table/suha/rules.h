/* rules: what public rules about a record (su_schema.rules) make impossible: structural zeros (docs/methods/structural-zeros.md).
 *
 * A rule that is not soft relates two columns of codes: a in S implies b in T, or excludes it. What follows from several rules together is
 * found by propagation; the answer "impossible" is never wrong, "possible" may be where it takes three values at once to contradict the
 * rules. Everything here is a function of schema and columns, never of data. */
#ifndef SUHA_RULES_H
#define SUHA_RULES_H

#include <suha/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Pairs of codes of columns a < b that no record can hold together. */
typedef struct su_rule_pair {
    uint32_t a, b;
    uint8_t *impossible; /* card[a] * card[b], b fastest; code 0 (absent) included */
} su_rule_pair;

/* One rule between two columns: a code of column a with when[code] needs a code of column b with then[code]. */
typedef struct su_rule_step {
    uint32_t a, b, rule; /* rule: index in schema->rules */
    bool excludes;
    uint8_t *when, *then; /* card[a], card[b] */
    uint16_t only;        /* the one code that then allows, 0 when there are several or it excludes */
} su_rule_step;

typedef struct su_rules {
    uint32_t column_count;
    uint32_t *card;
    su_rule_step *steps;
    size_t step_count; /* in the order of the rules */
    su_rule_pair *pairs;
    size_t pair_count; /* ascending by a, then b */
} su_rules;

/* The rules of the schema that speak of these columns, in `arena`; *out is NULL when there are none (and when schema is NULL). A rule on a
 * column that is not there says nothing. A code set's condition holds for each of its codes. SU_INPUT: the rules together leave no record
 * that could have some code (named, with the last rule that did it); SU_REFUSED: more than 2^26 pairs of codes, 20,000 steps or 2^31 codes
 * to be read. O(codes * rules * codes of a column). */
su_status su_rules_of(su_context *ctx, su_arena *arena, const su_schema *schema, const su_matrix_column *columns, uint32_t column_count,
                      const su_rules **out) SU_MUST_CHECK;
/* False when no record can hold code va in column a and vb in column b. rules may be NULL. O(log pairs). */
bool su_rules_allow(const su_rules *rules, uint32_t a, uint32_t va, uint32_t b, uint32_t vb);
/* impossible[cell] = 1 for the cells of the table of n ascending columns (last fastest) that no record can be in, else 0. Returns how many
 * there are. rules may be NULL. O(cells * n^2). */
uint64_t su_rules_mark(const su_rules *rules, const su_matrix_column *columns, const uint32_t *table, uint32_t n, uint8_t *impossible);
/* The rules for columns whose codes were merged and reordered: to[c] says where column c went (its place, its new number of codes, the new
 * code of each code). A pair of new codes is impossible when all pairs that it stands for are. Has no steps. */
typedef struct su_rules_merge {
    uint32_t to, card;
    const uint16_t *code;
} su_rules_merge;
const su_rules *su_rules_merged(su_arena *arena, const su_rules *rules, const su_rules_merge *to);

/* True when record `row` of codes[column][row] holds an impossible pair. */
bool su_rules_broken(const su_rules *rules, uint16_t *const *codes, uint64_t row);
/* Changes records until all rules hold. Each record by itself, by the rules alone: first, where a rule asks for one code and the column is
 * absent, that code is put in (only if may_fill[column] allows it: NULL = everything); then, until nothing is broken, what a rule speaks of
 * is taken out: the condition's code, or the excluded one. Ends, since a step of the second kind only empties cells and the empty record
 * breaks nothing. Returns the records changed. O(rows * rules). */
uint64_t su_rules_repair(const su_rules *rules, uint16_t *const *codes, uint64_t row_count, const uint8_t *const *may_fill);

/* "a = x or y implies b = z", in the words of a schema's rule. Appends. */
void su_record_rule_text(const su_schema *schema, const su_record_rule *rule, su_buf *out);

#ifdef __cplusplus
}
#endif
#endif
