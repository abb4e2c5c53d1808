#!/usr/bin/env python3
"""Accuracy of releases of generated data against the true data, over seeds of the generator and fresh noise: mean and standard deviation.

usage: bench/accuracy.py [BUILD] [SEEDS]

error (common)  mean |published - true| over combinations present in both (the metric of Synthetic Data Showcase)
error (union)   mean |published - true| over the union of both, missing = 0
suppressed      combinations of the true data that are not published, share of the true ones
fabricated      published combinations that the true data do not have, share of the true ones
covered         share of the published 95 % intervals that hold the true count
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUHA = os.path.join(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build")), "suha")
SEEDS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
CASES = [("c17k", 4, "1e-9", 3), ("c17k", 4, "5.8e-6", 3), ("c17k", 12, "5.8e-6", 3), ("nb6k", 4, "1e-9", 4)]


def release(shape, epsilon, delta, length, seed, folder):
    data, out = os.path.join(folder, f"{shape}-{seed}.csv"), os.path.join(folder, f"{shape}-{seed}-{epsilon}-{delta}")
    if not os.path.exists(data):
        subprocess.run([SUHA, "generate", "--shape", shape, "--seed", str(seed), "--out", data], check=True, stderr=subprocess.DEVNULL)
    subprocess.run([SUHA, "release", data, "--schema", shape, "--epsilon", str(epsilon), "--delta", delta, "--length", str(length), "--cap-epsilon", "100",
                    "--out", out], check=True, capture_output=True)
    with open(out + ".evaluation-NOT-FOR-PUBLICATION.json", encoding="utf-8") as f:
        return json.load(f)


def cell(runs, what, length, key, scale=1):
    values = [r[what][str(length)][key] for r in runs]
    if None in values:
        return "-"
    mean, sd = statistics.mean(values) * scale, statistics.stdev(values) * scale
    return f"{mean:.2f} ± {sd:.2f}"


def main():
    with tempfile.TemporaryDirectory(prefix="suha-accuracy-") as folder:
        print("| data | epsilon, delta | what | length | error (common) | error (union) | suppressed % | fabricated % | covered % |")
        print("|---|---|---|---|---|---|---|---|---|")
        for shape, epsilon, delta, length in CASES:
            runs = [release(shape, epsilon, delta, length, seed, folder) for seed in range(1, SEEDS + 1)]
            for what in ("aggregates", "records"):
                for at in range(1, length + 1):
                    print(f"| {shape} | {epsilon}, {delta} | {what} | {at} | {cell(runs, what, at, 'error_common')} | {cell(runs, what, at, 'error_union')} "
                          f"| {cell(runs, what, at, 'suppressed', 100)} | {cell(runs, what, at, 'fabricated', 100)} | {cell(runs, what, at, 'coverage', 100)} |",
                          flush=True)


main()
