#!/usr/bin/env python3
"""MST and AIM on Adult, as their papers measure them: mean total variation over all two-way tables and the three-way ones of at most 10,000 cells.

usage: bench/adult.py ADULT.csv DOMAIN.json [BUILD] [SEEDS] [EPSILON] [MECHANISM...]

ADULT.csv and DOMAIN.json: data/adult.csv and data/adult-domain.json of ryan112358/private-pgm. Prints mean and standard deviation over seeds; CPU seconds
are those of the whole command (reading, measuring, records, files), one thread. "invented values": values in the records that nobody in the file has.
"""
import collections
import csv
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA, DOMAIN = sys.argv[1:3]
SUHA = os.path.join(os.path.abspath(sys.argv[3] if len(sys.argv) > 3 else os.path.join(ROOT, "build")), "suha")
SEEDS = int(sys.argv[4]) if len(sys.argv) > 4 else 10
EPSILON = sys.argv[5] if len(sys.argv) > 5 else "1"
MECHANISMS = sys.argv[6:] or ["mst", "aim"]


def columns(path, names):
    with open(path, encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    return [[r[n] for r in rows] for n in names]


def counts(data, sets):
    return [collections.Counter(zip(*(data[c] for c in s))) for s in sets]


def mean_variation(truth, made, n, m):
    total = 0
    for a, b in zip(truth, made):
        total += sum(abs(a[k] / n - b[k] / m) for k in a.keys() | b.keys()) / 2
    return total / len(truth)


def main():
    with open(DOMAIN, encoding="utf-8") as f:
        domain = json.load(f)
    names, cards = list(domain), list(domain.values())
    pairs = list(itertools.combinations(range(len(names)), 2))
    triples = [t for t in itertools.combinations(range(len(names)), 3) if cards[t[0]] * cards[t[1]] * cards[t[2]] <= 10000]
    data = columns(DATA, names)
    truth = counts(data, pairs), counts(data, triples)
    print(f"epsilon {EPSILON}, delta 1e-9; {len(pairs)} two-way and {len(triples)} three-way tables; {SEEDS} runs")
    print("| mechanism | records show | two-way | three-way | CPU s | invented values |\n|---|---|---|---|---|---|")
    for mechanism in MECHANISMS:
        for shown in (["--rare-values"], []):
            results = []
            for _ in range(SEEDS):
                with tempfile.TemporaryDirectory(prefix="suha-adult-") as folder:
                    out = os.path.join(folder, "release")
                    before = resource.getrusage(resource.RUSAGE_CHILDREN)
                    subprocess.run([SUHA, "release", DATA, "--schema", "adult", "--mechanism", mechanism, "--epsilon", EPSILON, "--length", "2",
                                    "--cap-epsilon", "100", "--no-evaluation", "--out", out, *shown], check=True, capture_output=True)
                    after = resource.getrusage(resource.RUSAGE_CHILDREN)
                    made = columns(os.path.join(out, "data", "microdata.csv"), names)
                    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                    two, three = (mean_variation(t, counts(made, s), len(data[0]), len(made[0])) for t, s in zip(truth, (pairs, triples)))
                    invented = sum(len(set(m) - set(t) - {""}) for t, m in zip(data, made))
                    results.append((two, three, seconds, invented))
            cells = [f"{statistics.mean(v):.4f} ± {statistics.stdev(v) if len(v) > 1 else 0:.4f}" for v in zip(*results)]
            print(f"| {mechanism} | {'all values' if shown else 'reported values'} | {cells[0]} | {cells[1]} | {cells[2]} | {cells[3]} |", flush=True)


main()
