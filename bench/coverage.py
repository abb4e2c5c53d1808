#!/usr/bin/env python3
"""Simulated coverage of every default interval of the statistics, as docs/methods/coverage.md.

    bench/coverage.py [--build DIR] [--draws N] [--seed S] [--write]

Build the simulators first: ninja -C build-test tests/analyse/rates/coverage_rates tests/analyse/coverage/coverage_models. With the 2,000 draws of the page it takes
some five minutes of CPU, nine tenths of them for lists and the larger models. --write puts the tables between the markers of the page; otherwise they are printed. A coverage
outside 93 to 97 % is marked; the Monte Carlo error is one standard deviation."""
import argparse
import json
import math
import os
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(SOURCE, "docs", "methods", "coverage.md")
START, END = "<!-- tables: written by bench/coverage.py -->", "<!-- end of tables -->"
# families of coverage_rates: default intervals, and others that are shown for comparison
OURS = {"simple": ["wilson"], "clustered": ["korn-graubard", "half of the people", "difference"], "two groups": ["difference", "ratio", "odds ratio"], "noisy counts": ["ours"]}
TITLES = {"simple": "Rates of a simple sample", "clustered": "Rates and a difference in a clustered sample", "two groups": "Two groups without a design", "noisy counts": "Rates of noisy counts"}


def run(build, path, *arguments):
    program = os.path.join(build, path)
    if not os.path.exists(program):
        sys.exit(f"{program} is not there; build it: ninja -C {build} {path}")
    out = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def outside(share):
    return not 0.93 <= share <= 0.97


def rates(lines, draws, tally):
    """One column per interval; those that are no defaults have no mark."""
    family = None
    for line in lines:
        if line["family"] != family:
            family = line["family"]
            keys = [k for k in line if k != "family"]
            yield from ["", f"### {TITLES[family]}", "", "| " + " | ".join(k + (" (default)" if k in OURS[family] else "") for k in keys) + " |", "|" + "---|" * len(keys)]
        cells = []
        for k in keys:
            share = line[k]
            if not isinstance(share, float) or k == "p":
                cells.append(str(share))
                continue
            mark = k in OURS[family] and outside(share)
            cells.append(f"{100 * share:.1f}{'*' if mark else ''}")
            if k in OURS[family]:
                tally.append((share, f"{TITLES[family]}: {line['setting']}, p = {line['p']}: {k}", None))
        yield "| " + " | ".join(cells) + " |"
    yield from ["", f"Monte Carlo error with {draws:,} draws: {100 * math.sqrt(0.05 * 0.95 / draws):.1f} points at 95 %."]


def models(lines, tally):
    """One line per interval. `warned`: how often the command warns there of what the shortfall comes from."""
    family = None
    for line in lines:
        if line["family"] != family:
            family = line["family"]
            yield from ["", f"### {family[0].upper() + family[1:]}", "", "| setting | interval | holds the truth % | ± | no interval % | warned % |", "|---|---|---|---|---|---|"]
        shown, every = line["shown"], line["shown"] + line["none"]
        if not every:
            continue
        share = line["held"] / shown if shown else math.nan
        if shown:
            tally.append((share, f"{line['setting']}: {line['interval']}", line["warned"] / every))
        error = 100 * math.sqrt(max(share * (1 - share), 1 / shown / 4) / shown) if shown else math.nan
        yield (f"| {line['setting']} | {line['interval']} | " + (f"{100 * share:.1f}{'*' if outside(share) else ''} | {error:.1f}" if shown else "- | -")
               + f" | {100 * line['none'] / every:.0f} | {100 * line['warned'] / every:.0f} |")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=os.path.join(SOURCE, "build-test"))
    arguments.add_argument("--draws", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=20260607)
    arguments.add_argument("--write", action="store_true")
    given = arguments.parse_args()
    tally = []
    text = list(rates(run(given.build, "tests/analyse/rates/coverage_rates", 2 * given.draws, given.seed), 2 * given.draws, tally))
    text += models(run(given.build, "tests/analyse/coverage/coverage_models", given.draws, given.seed), tally)
    below, above = [t for t in tally if t[0] < 0.93], [t for t in tally if t[0] > 0.97]
    head = [START, "", f"Seed {given.seed}. {len(tally)} settings of default intervals: {len(tally) - len(below) - len(above)} between 93 and 97 %, {len(above)} above, {len(below)} below (marked *)."]
    text = "\n".join(head + text + ["", END])
    if not given.write:
        print(text)
        return
    with open(PAGE, encoding="utf-8") as f:
        page = f.read()
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(page[:page.index(START)] + text + page[page.index(END) + len(END):])


main()
