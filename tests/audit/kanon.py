"""Checks and attacks on the K-anonymous modes, on published files and the true rows only (docs/methods/audit.md, layer 8). Rows are
frozensets of (column, value); absent cells are in no set."""
import itertools
import random


class Rows:
    """Who has a set of attributes: one bit per person."""

    def __init__(self, rows):
        self.n = len(rows)
        self.who = {}
        for i, row in enumerate(rows):
            for a in row:
                self.who[a] = self.who.get(a, 0) | 1 << i

    def count(self, attributes):
        left = (1 << self.n) - 1
        for a in attributes:
            left &= self.who.get(a, 0)
        return bin(left).count("1")


def leaks(records, truth, k):
    """Records whose attributes together are those of fewer than k people. What holds of all attributes of a record holds of every part of
    it, since a part is had by no fewer people: so this looks at every combination of every record up to full width."""
    people = Rows(truth)
    return [r for r in set(records) if people.count(r) < k]


def combinations(rows, length):
    """Every combination up to `length` with its count, by brute force."""
    counts = {}
    for row in rows:
        for size in range(1, length + 1):
            for c in itertools.combinations(sorted(row), size):
                counts[frozenset(c)] = counts.get(frozenset(c), 0) + 1
    return counts


def rounded(truth, length, k):
    """The aggregates of a K-anonymous release: counts rounded down to a multiple of K, zeros left out."""
    return {c: n // k * k for c, n in combinations(truth, length).items() if n >= k}


def rounding_breaches(published, truth, length, k):
    """Combinations whose printed count is not floor(count / K) K, and those left out that have K people or more."""
    right = rounded(truth, length, k)
    return [c for c in set(right) | set(published) if right.get(c, 0) != published.get(c, 0)]


def small_remainders(published, columns, k):
    """The complementary count attack: of the people with combination P, those without a value of column c are P less all values of c. A printed
    count stands for [count, count + K - 1], so the remainder is at most total + K - 1 - sum of the counts of the values. Returns the pairs
    (P, c) where that is below K: anyone known to be in P is known to have a value of c, or to be one of fewer than K. The rounding keeps the
    attacker from being sure that the group is not empty."""
    found = []
    for parent, total in published.items():
        held = {column for column, _ in parent}
        for column, values in columns.items():
            if column not in held and total <= sum(published.get(parent | {(column, v)}, 0) for v in values):
                found.append((parent, column))
    return found


def homogeneous(published):
    """Printed combinations of which one longer combination holds the same number of people, within rounding: who is known to be in the
    shorter one is known to have the rest. Returns (such combinations, combinations looked at)."""
    sure = set()
    looked = set()
    longest = max((len(c) for c in published), default=0)
    for c, n in published.items():
        if len(c) < longest:
            looked.add(c)
        for a in c:
            if len(c) > 1 and published.get(c - {a}) == n:
                sure.add(c - {a})
    return len(sure), len(looked)


def differencing(truth, person, length, k):
    """The attacker knows the others, sees the K-anonymous counts of two releases and asks whether this person joined in between. True when
    the answer is certain: a count crossed a multiple of K."""
    return rounded(truth, length, k) != rounded(truth + [person], length, k)


def imaginary(n, columns, seed):
    """People in three groups, some cells absent."""
    r = random.Random(seed)
    people = []
    for _ in range(n):
        group = r.randrange(3)
        cells = []
        for c, values in columns.items():
            v = values[(group + len(c)) % len(values)] if r.random() < 0.6 else r.choice(values)
            if r.random() < 0.7:
                cells.append((c, v))
        people.append(frozenset(cells))
    return people


def seeded_rows(truth, k, seed):
    """A slow, obvious row-seeded synthesis for the checks to be tried on: each record is built from the attributes of one person, each
    added attribute shared by at least k people together with those before."""
    r = random.Random(seed)
    people = Rows(truth)
    records = []
    for row in truth:
        made, left = frozenset(), sorted(row)
        while left:
            weights = [(people.count(made | {a}), a) for a in left]
            weights = [(w, a) for w, a in weights if w >= k]
            if not weights:
                break
            at = r.randrange(sum(w for w, _ in weights))
            for w, a in weights:
                at -= w
                if at < 0:
                    made, left = made | {a}, [b for b in left if b[0] != a[0]]
                    break
        if made:
            records.append(made)
    return records


def self_test():
    """The checker must pass what is right and catch what is wrong."""
    columns = {"a": ["1", "2", "3"], "b": ["1", "2"], "c": ["1"], "d": ["1", "2", "3", "4"]}
    truth = imaginary(300, columns, 5)
    k = 10
    good = seeded_rows(truth, k, 6)
    assert good and not leaks(good, truth, k), "a right synthesis was called leaking"
    rare = min(set(truth), key=Rows(truth).count)
    assert Rows(truth).count(rare) < k and leaks(good + [rare], truth, k) == [rare], "a rare record went unseen"
    assert leaks(truth, truth, k), "the raw rows went unseen"
    printed = rounded(truth, 2, k)
    assert not rounding_breaches(printed, truth, 2, k)
    one = next(iter(printed))
    assert rounding_breaches({**printed, one: printed[one] + 1}, truth, 2, k) == [one], "a count that is no multiple of K went unseen"
    assert rounding_breaches({c: n for c, n in printed.items() if c != one}, truth, 2, k) == [one], "a missing count went unseen"
    tight = {frozenset({("x", "1")}): 20, frozenset({("x", "1"), ("y", "1")}): 20}
    assert small_remainders(tight, {"y": ["1"]}, 10) == [(frozenset({("x", "1")}), "y")], "a small remainder went unseen"
    assert not small_remainders({**tight, frozenset({("x", "1")}): 40}, {"y": ["1"]}, 10), "a remainder of 20 was called small"
    assert homogeneous(tight) == (1, 1), "people who all have one value went unseen"
