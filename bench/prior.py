#!/usr/bin/env python3
"""What an earlier release is worth to the next one (suha release --public; docs/methods/public-prior.md): union error of the new year's counts
and records with and without it, mean and standard deviation over seeds.

usage: bench/prior.py [BUILD] [SEEDS] [LENGTH]

Years of the generated shape c17k: the first is released at epsilon 4 or 1, the second at epsilon 1. "alike": 90 % of the second year's records
are the first year's. "others": none are, of the same population. "drifted": none are, and each code of every column means another (codes are
turned round), so that relations seen before do not hold.
"""
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUHA = os.path.join(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build")), "suha")
SEEDS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
LENGTH = sys.argv[3] if len(sys.argv) > 3 else "2"
VALUES = {"c01": 21, "c02": 4, "c03": 9, "c04": 60, "c05": 4, "c06": 60}


def generate(folder, seed):
    name = os.path.join(folder, f"{seed}.csv")
    subprocess.run([SUHA, "generate", "--shape", "c17k", "--seed", str(seed), "--out", name], check=True, stderr=subprocess.DEVNULL)
    with open(name, newline="") as f:
        return list(csv.reader(f))


def turned(header, row):
    """Values counted from the other end; a flag that was there is not, and the other way round for every fifth."""
    out = []
    for name, cell in zip(header, row):
        if name in VALUES:
            out.append(f"v{VALUES[name] + 1 - int(cell[1:]):02d}" if cell else "")
        else:
            out.append(cell if int(name[1:]) % 5 else "" if cell else "1")
    return out


def write(folder, name, rows):
    full = os.path.join(folder, name)
    with open(full, "w", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows(rows)
    return full


def release(data, out, epsilon, prior=None):
    command = [SUHA, "release", data, "--schema", "c17k", "--epsilon", str(epsilon), "--length", LENGTH, "--out", out]
    subprocess.run(command + (["--public", prior] if prior else []), check=True, capture_output=True)
    with open(out + ".evaluation-NOT-FOR-PUBLICATION.json", encoding="utf-8") as f:
        e = json.load(f)
    return [e[side][str(k)]["error_union"] for side in ("aggregates", "records") for k in range(1, int(LENGTH) + 1)]


def main():
    runs = {}
    for seed in range(1, SEEDS + 1):
        with tempfile.TemporaryDirectory() as folder:
            first, other = generate(folder, seed), generate(folder, seed + 1000)
            header, n = first[0], len(first) - 1
            years = {"alike": [header] + first[1:1 + n * 9 // 10] + other[1 + n * 9 // 10:], "others": other,
                     "drifted": [header] + [turned(header, row) for row in other[1:]]}
            one = write(folder, "first.csv", first)
            for epsilon in (4, 1):
                release(one, os.path.join(folder, f"first{epsilon}"), epsilon)
            for name, rows in years.items():
                data = write(folder, name + ".csv", rows)
                runs.setdefault((name, "without"), []).append(release(data, os.path.join(folder, name), 1))
                for epsilon in (4, 1):
                    got = release(data, os.path.join(folder, f"{name}{epsilon}"), 1, os.path.join(folder, f"first{epsilon}"))
                    runs.setdefault((name, f"prior of epsilon {epsilon}"), []).append(got)
    lengths = range(1, int(LENGTH) + 1)
    print("| second year | | " + " | ".join(f"{s} L{k}" for s in ("counts", "records") for k in lengths) + " |")
    print("|---|---|" + "---|" * (2 * len(lengths)))
    for (name, how), got in runs.items():
        cells = [f"{statistics.mean(c):.2f} ± {statistics.stdev(c) if len(c) > 1 else 0:.2f}" for c in zip(*got)]
        print(f"| {name} | {how} | " + " | ".join(cells) + " |")


main()
