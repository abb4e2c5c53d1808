#!/usr/bin/env python3
"""Statistics against their goals, with R beside them where Rscript and the package are there.

    bench/stats.py [--build DIR] [--only NAME] [--rows N] [--json FILE]

Every section is a function that yields measures (name, seconds of CPU, megabytes at the peak, goal in seconds, what R took or None).
Data are generated here, with a seed; nothing real is read. One thread, CPU seconds, one run each."""
import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile

import stats_flow
import stats_logit
import stats_mse

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEMORY_GOAL = 300      # megabytes for a million rows


def measured(command, **options):
    """Runs a command; returns (CPU seconds, peak megabytes, stdout). Stops with its message when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, **options)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}\n{err.read().decode()}")
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read().decode()


def r_has(package):
    if not shutil.which("Rscript"):
        return False
    return subprocess.run(["Rscript", "-e", f"quit(status = !requireNamespace('{package}', quietly = TRUE))"], capture_output=True).returncode == 0


def r_times(script, *arguments):
    """An R script prints 'name seconds' lines; returns them as a dictionary."""
    with tempfile.NamedTemporaryFile("w", suffix=".R") as f:
        f.write(script)
        f.flush()
        out = subprocess.run(["Rscript", f.name, *map(str, arguments)], capture_output=True, text=True, check=True).stdout
    return {line.split()[0]: float(line.split()[1]) for line in out.splitlines() if len(line.split()) == 2}


class Bench:
    def __init__(self, build, rows, folder):
        self.suha, self.build, self.rows, self.folder = os.path.join(build, "suha"), build, rows, folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments):
        return measured([self.suha, *map(str, arguments), "--threads", "1"])


# ---- rates over a survey's design ------------------------------------------------------------------------------------------------------

R_SURVEY = """
a <- commandArgs(TRUE); d <- read.csv(a[1]); suppressMessages(library(survey)); options(survey.lonely.psu = "fail")
time <- function(name, e) cat(name, sum(system.time(e)[1:2]), "\\n")
time("index", s <- svydesign(ids = ~psu, strata = ~stratum, weights = ~weight, data = d))
time("mean", svymean(~x, s)); time("by_10_groups", svyby(~x, ~group, s, svymean))
time("proportion", svyciprop(~y, s, method = "beta")); time("rao_scott_2x4", svychisq(~y + quarter, s)); time("median", svyquantile(~x, s, .5))
"""


def survey_file(bench):
    path = bench.path("survey.csv")
    if not os.path.exists(path):
        r = random.Random(1)
        with open(path, "w", encoding="ascii") as f:
            f.write("weight,stratum,psu,group,quarter,x,y\n")
            for _ in range(bench.rows):
                u = r.randrange(1000)
                f.write(f"{0.5 + r.random():.3f},{u % 50},{u},g{r.randrange(10)},{r.randrange(4)},{r.gauss(0, 1) + 0.001 * u:.3f},{int(r.random() < 0.1 + 0.0002 * u)}\n")
    return path


def rates(bench):
    """Goals of the estimates alone, measured inside the library; then whole commands, reading the file included."""
    goals = {"index": 0.15, "mean": 0.02, "by_10_groups": 0.04, "proportion": 0.04, "rao_scott_2x4": 0.10, "median": 0.25}
    path = survey_file(bench)
    r = r_times(R_SURVEY, path) if r_has("survey") else {}
    kernel = os.path.join(bench.build, "tests/analyse/rates/bench_rates")
    if os.path.exists(kernel):
        _, peak, out = measured([kernel])
        times = json.loads(out)
        for name, goal in goals.items():
            yield f"rates: {name}, 1,000,000 rows in memory", times[name], peak, goal, r.get(name)
    else:
        print("rates in memory: skipped, this build has no tests; --build build-test has them", file=sys.stderr)
    design = ["--weight", "weight", "--strata", "stratum", "--psu", "psu"]
    for name, arguments in {"rates --outcome x": ["rates", path, "--outcome", "x", *design],
                            "rates --outcome y --by group": ["rates", path, "--outcome", "y", "--by", "group", *design],
                            "compare --outcome y --by quarter": ["compare", path, "--outcome", "y", "--by", "quarter", *design]}.items():
        seconds, peak, _ = bench.run(*arguments)
        yield f"suha {name}, {bench.rows:,} rows from CSV", seconds, peak, None, None


SECTIONS = [rates, stats_mse.mse, *stats_logit.SECTIONS, *stats_flow.SECTIONS]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=os.path.join(SOURCE, "build"))
    arguments.add_argument("--only", help="name of one section")
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--json", help="also write the measures here")
    given = arguments.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found, missed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(given.build, given.rows, folder)
        print(f"{'what':66} {'CPU s':>8} {'goal':>7} {'MB':>6} {'R s':>8} {'R / suha':>9}")
        for section in SECTIONS:
            if given.only and section.__name__ != given.only:
                continue
            for name, seconds, peak, goal, r in section(bench):
                late = goal is not None and seconds > goal
                heavy = given.rows <= 1_000_000 and peak > MEMORY_GOAL
                missed += late + heavy
                found.append({"name": name, "seconds": seconds, "megabytes": peak, "goal": goal, "r_seconds": r})
                print(f"{name:66} {seconds:8.3f} {goal if goal is not None else '':>7} {peak:6.0f} {'' if r is None else f'{r:.2f}':>8} "
                      f"{'' if r is None else f'{r / max(seconds, 1e-4):.0f}':>9}{'  MISSED' if late else ''}{'  ABOVE THE MEMORY GOAL' if heavy else ''}", flush=True)
    if not shutil.which("Rscript"):
        print("R is not installed here: no column of R")
    if given.json:
        with open(given.json, "w", encoding="utf-8") as f:
            json.dump(found, f, indent=1)
    print(f"{missed} goals missed")


main()
