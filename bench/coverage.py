#!/usr/bin/env python3
"""Simulated coverage of the intervals that suha prints, as tables in Markdown.

    bench/coverage.py [--build DIR] [--draws N] [--seed S]

Build the simulator first: ninja -C build tests/analyse/rates/coverage_rates. 4,000 draws take some 15 seconds; the Monte Carlo error of a
coverage of 95 % is then 0.3 points. Default intervals outside 93 to 97 % are marked."""
import argparse
import json
import os
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS = {"simple": ["wilson"], "clustered": ["korn-graubard", "half of the people", "difference"], "two groups": ["difference", "ratio", "odds ratio"], "noisy counts": ["ours"]}


def cell(family, key, value):
    if not isinstance(value, float) or key == "p":
        return str(value)
    outside = key in OURS[family] and not 0.93 <= value <= 0.97
    return f"{100 * value:.1f}{'*' if outside else ''}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=os.path.join(SOURCE, "build"))
    arguments.add_argument("--draws", type=int, default=4000)
    arguments.add_argument("--seed", type=int, default=20260607)
    given = arguments.parse_args()
    program = os.path.join(given.build, "tests/analyse/rates/coverage_rates")
    if not os.path.exists(program):
        sys.exit(f"{program} is not there; build it: ninja -C {given.build} tests/analyse/rates/coverage_rates")
    out = subprocess.run([program, str(given.draws), str(given.seed)], capture_output=True, text=True, check=True).stdout
    family, low, high, count, outside = None, 1.0, 0.0, 0, 0
    for line in map(json.loads, out.splitlines()):
        if line["family"] != family:
            family = line["family"]
            keys = [k for k in line if k != "family"]
            print(f"\n{family} ({given.draws:,} draws)\n")
            print("| " + " | ".join(keys) + " |\n|" + "---|" * len(keys))
        print("| " + " | ".join(cell(family, k, line[k]) for k in keys) + " |")
        for key in OURS[family]:
            low, high, count = min(low, line[key]), max(high, line[key]), count + 1
            outside += not 0.93 <= line[key] <= 0.97
    print(f"\n{count} settings of default intervals: coverage from {100 * low:.1f} to {100 * high:.1f} %; {outside} outside 93 to 97 % (marked *)")


main()
