#!/usr/bin/env python3
"""Checks metrics.py against sets and dictionaries on small random files, and, given a build of Suha, against Suha's own evaluation of a release.

usage: check_metrics.py [BUILD] [SEED]      prints the seed; exit status 1 when a figure differs
"""
import collections
import csv
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile

import metrics

DOMAIN = {"a": ["x", "y", "z"], "b": ["1"], "c": ["p", "q"], "d": ["1", "2", "3", "4"]}


def counts(rows, length):
    found = collections.Counter()
    for row in rows:
        attributes = [(name, value) for name, value in zip(DOMAIN, row) if value]
        for at in range(1, length + 1):
            found.update(itertools.combinations(attributes, at))
    return found


def slow(true, published, at):
    a, b = ({c: n for c, n in t.items() if len(c) == at} for t in (true, published))
    common, union = set(a) & set(b), set(a) | set(b)
    return {"error_common": sum(abs(a[c] - b[c]) for c in common) / len(common) if common else None,
            "error_union": sum(abs(a.get(c, 0) - b.get(c, 0)) for c in union) / len(union),
            "suppressed": len(set(a) - set(b)) / len(a), "fabricated": len(set(b) - set(a)) / len(a)}


def slow_variation(true, records, at):
    sums = []
    for columns in itertools.combinations(range(len(DOMAIN)), at):
        p, q = (collections.Counter(tuple(row[c] for c in columns) for row in rows) for rows in (true, records))
        sums.append(0.5 * sum(abs(p[k] / len(true) - q[k] / len(records)) for k in set(p) | set(q)))
    return sum(sums) / len(sums)


def differ(what, ours, theirs, tolerance=1e-9):
    if theirs is None or abs(ours - theirs) <= tolerance * max(1, abs(theirs)):
        return 0
    print(f"{what}: {ours} but should be {theirs}")
    return 1


def against_sets(folder, seed):
    rng, wrong = random.Random(seed), 0
    for trial in range(40):
        def draw(n):
            return [[rng.choice([""] + values) for values in DOMAIN.values()] for _ in range(n)]
        true, records = draw(rng.randint(5, 60)), draw(rng.randint(1, 60))
        counted = {c: n + rng.randint(-2, 3) for c, n in counts(draw(30), 3).items()}
        paths = [os.path.join(folder, name) for name in ("true.csv", "records.csv", "counts.csv")]
        for path, rows in zip(paths, ([list(DOMAIN)] + true, [list(DOMAIN)[::-1]] + [r[::-1] for r in records],
                                      [[n] + [part for pair in c for part in pair] for c, n in counted.items()])):
            with open(path, "w", newline="", encoding="utf-8") as f:
                csv.writer(f).writerows(rows)
        metrics.DENSE = 1_000_000 if trial % 2 else 20
        result = metrics.evaluate(metrics.Coding(DOMAIN, [""]), *paths, 3)
        metrics.DENSE, truth = 1_000_000, counts(true, 3)
        for at in (1, 2, 3):
            for what, published in (("aggregates", counted), ("records", counts(records, 3))):
                for name, value in slow(truth, published, at).items():
                    wrong += differ(f"trial {trial} {what} {at} {name}", result[what][at][name], value)
            if trial % 2:
                wrong += differ(f"trial {trial} tv {at}", result["records"][at]["tv"], slow_variation(true, records, at))
    return wrong


def against_suha(folder, build):
    import bench
    b, out, wrong = bench.Bench(build), os.path.join(folder, "run"), 0
    os.makedirs(out)
    data, bundle = b.file("nb6k", 1), os.path.join(out, "bundle")
    subprocess.run([b.suha, "release", data, "--schema", "nb6k", "--epsilon", "1", "--length", "4", "--out", bundle], check=True, capture_output=True)
    with open(bundle + ".evaluation-NOT-FOR-PUBLICATION.json", encoding="utf-8") as f:
        own = json.load(f)
    result = metrics.evaluate(b.coding("nb6k"), data, *b.published("suha", out), 4)
    for what in ("aggregates", "records"):
        for at in range(1, 5):
            for name, value in result[what][at].items():
                if name != "tv":
                    wrong += differ(f"Suha's evaluation, {what} {at} {name}", value, own[what][str(at)][name], 1e-6)
    return wrong


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 30)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="suha-metrics-") as folder:
        wrong = against_sets(folder, seed) + (against_suha(folder, sys.argv[1]) if len(sys.argv) > 1 else 0)
    print("metrics.py differs" if wrong else "metrics.py agrees with the slow way" + (" and with Suha's own evaluation" if len(sys.argv) > 1 else ""))
    sys.exit(1 if wrong else 0)


main()
