"""Exact binomial bounds, in plain Python: an implementation apart from attack.c."""
import math


def tail(k, n, p):
    """P(Binomial(n, p) >= k)"""
    if k <= 0 or p >= 1:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    logs = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p) for i in range(k, n + 1)]
    top = max(logs)
    return min(1.0, math.exp(top) * math.fsum(math.exp(x - top) for x in logs))


def lower(k, n, alpha):
    """Clopper-Pearson: the chance of success is below this with probability at most alpha."""
    low, high = 0.0, k / n
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(k, n, middle) <= alpha else (low, middle)
    return low


def upper(k, n, alpha):
    return 1 - lower(n - k, n, alpha)


def epsilon(one, other, n, delta, alpha):
    p, q = lower(one, n, alpha / 2) - delta, upper(other, n, alpha / 2)
    return math.log(p / q) if p > q else 0.0


def best_epsilon(values, delta, alpha):
    """values: a list of numbers for each of two worlds. Best lower bound over the events "at least t" and "below t" both ways; alpha is
    divided by their number. Which events are looked at closely is a guess that does not touch the bound."""
    n = min(len(values[0]), len(values[1]))
    thresholds = sorted(set(values[0]) | set(values[1]))[1:]
    candidates = []
    for t in thresholds:
        hits = [sum(v >= t for v in side[:n]) for side in values]
        for one, other in ((hits[0], hits[1]), (hits[1], hits[0]), (n - hits[0], n - hits[1]), (n - hits[1], n - hits[0])):
            sure, spare = (one - 6 * math.sqrt(one + 1)) / n - delta, (other + 6 * math.sqrt(other) + 16) / n
            candidates.append((sure / spare, one, other))
    candidates.sort(reverse=True)
    return max([epsilon(one, other, n, delta, alpha / (4 * len(thresholds))) for _, one, other in candidates[:4]], default=0.0)
