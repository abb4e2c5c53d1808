#!/usr/bin/env python3
"""Known answers for src/protect/dp/pld.c: delta(epsilon) of small compositions of discrete Gaussians, by exact convolution with 40 digits.

    python3 tests/protect/vectors/pld_vectors.py > tests/protect/vectors/pld_vectors.txt       (needs mpmath; about a minute)

One answer a line: epsilon, delta, number of distinct variances, then numerator, denominator and number of tables of each. Nothing here is
approximated but by 40 digits: the sum of the noise of equal tables is convolved over all integers that matter, and delta is the sum of
max(0, P - e^epsilon Q) over all outcomes, with P and Q multiplied out, in no grid.
"""
from mpmath import mp, mpf, exp, inf

mp.dps = 40
EPSILONS = ("0", "0.1", "0.5", "1", "1.5", "2", "4", "8", "12", "20", "40")
CASES = [[(num, den, tables)] for num, den in ((1, 4), (1, 1), (7, 3), (4, 1), (100, 1)) for tables in (1, 2, 10)]
CASES += [[(1, 4, 1), (1, 1, 2)], [(1, 1, 3), (7, 3, 2)], [(4, 1, 5), (10, 1, 5)], [(1, 1, 1), (2, 1, 1), (3, 1, 1)], [(9, 2, 2), (50, 1, 1)]]


def law(v):
    """Probabilities of N_Z(0, v), from -reach to reach."""
    reach = int((mpf(2) * v * 150) ** mpf("0.5")) + 2
    weights = [exp(-mpf(x) * x / (2 * v)) for x in range(-reach, reach + 1)]
    whole = sum(weights)
    return reach, [w / whole for w in weights]


def convolve(a, b):
    out = [mpf(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] += x * y
    return out


def losses(num, den, tables):
    """(loss, probability under P) of so many equal tables; loss = (tables - 2 S) / 2v with S the sum of the noise."""
    v = mpf(num) / den
    reach, one = law(v)
    total = [mpf(1)]
    for _ in range(tables):
        total = convolve(total, one)
    low = -reach * tables
    return [((tables - 2 * mpf(low + i)) / (2 * v), p) for i, p in enumerate(total) if p > mpf("1e-60")]


def main():
    for case in CASES:
        atoms = [(mpf(0), mpf(1))]
        for num, den, tables in case:
            more = losses(num, den, tables)
            atoms = [(a + b, p * q) for a, p in atoms for b, q in more if p * q > mpf("1e-60")]
        for text in EPSILONS:
            epsilon = mpf(text)
            delta = sum(p * (1 - exp(epsilon - loss)) for loss, p in atoms if loss > epsilon)
            if delta > mpf("1e-36"):
                rest = " ".join(f"{num} {den} {tables}" for num, den, tables in case)
                print(text, mp.nstr(delta, 20, min_fixed=inf, max_fixed=-inf), len(case), rest)


main()
