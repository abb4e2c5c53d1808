/* plant: bugs put in on purpose, to see that the tests notice them (docs/methods/audit.md).
 *
 *   SU_PLANT(NAME, wrong, right)     the tokens `right`; the tokens `wrong` in a build made with -Dplant=name
 *
 * The names are the choices of the option `plant` in meson_options.txt; tests/audit/mutants.py says which tests must catch each. A build
 * without the option holds nothing of this: what is not chosen never reaches the compiler. Commas in `wrong` and `right` stand in
 * parentheses. */
#ifndef SUHA_PLANT_H
#define SUHA_PLANT_H

#ifdef SU_PLANT_BUILD
#include "su_planted.h" /* defines at most one SU_PLANTED_NAME as 1 */
#endif

/* SU_PLANT_HIT_1 is a comma after something: it moves `wrong` to the second place. For any other name nothing moves. */
#define SU_PLANT_HIT_1 ~,
#define SU_PLANT_SECOND(first, second, ...) second
#define SU_PLANT_CHOOSE(hit, wrong, right) SU_PLANT_SECOND(hit wrong, right, ~)
#define SU_PLANT_JOIN(flag, wrong, right) SU_PLANT_CHOOSE(SU_PLANT_HIT_##flag, wrong, right)
#define SU_PLANT_FLAG(flag, wrong, right) SU_PLANT_JOIN(flag, wrong, right)
#define SU_PLANT(name, wrong, right) SU_PLANT_FLAG(SU_PLANTED_##name, wrong, right)

#ifdef SU_PLANT_BUILD
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* A normal number from two words, rounded: what noise made of floating point looks like. */
static inline int64_t su_planted_float_noise(uint64_t a, uint64_t b, uint64_t num, uint64_t den)
{
    double u = ((double)(a >> 11) + 1) * 0x1p-53, w = (double)(b >> 11) * 0x1p-53;
    return llround(sqrt((double)num / (double)den) * sqrt(-2 * log(u)) * cos(6.283185307179586 * w));
}

static inline uint32_t su_planted_largest(const uint16_t *codes, uint64_t n)
{
    uint32_t largest = 0;
    for (uint64_t i = 0; i < n; i++) largest = codes[i] > largest ? codes[i] : largest;
    return largest;
}

/* The longest of n lists that stand one behind the other. */
static inline uint64_t su_planted_longest(const uint64_t *first, uint64_t n)
{
    uint64_t longest = 0;
    for (uint64_t i = 0; i < n; i++) longest = first[i + 1] - first[i] > longest ? first[i + 1] - first[i] : longest;
    return longest;
}
#endif

#endif
