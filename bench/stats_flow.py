"""Sections of bench/stats.py: imputation, trend, simulation of an estimate."""
import os
import random
import shutil
import subprocess
import tempfile


def survey_with_gaps(bench, rows):
    """Seven columns, three of them with about a tenth of the values missing: a flag, a number, a category of four."""
    path = bench.path(f"gaps_{rows}.csv")
    if not os.path.exists(path):
        r = random.Random(7)
        school = ["none", "primary", "secondary", "tertiary"]
        with open(path, "w", encoding="ascii") as f:
            f.write("any_ind,route,sex,age,conflict,months,edu\n")
            for _ in range(rows):
                route, conflict, months = r.choice(["EMR", "CMR"]), int(r.random() < 0.45), round(r.expovariate(0.2), 1)
                y = int(r.random() < (0.55 if route == "CMR" else 0.15) + 0.01 * min(months, 20))
                f.write(f"{y},{route},{r.choice(['male', 'female'])},{r.randint(14, 60)},{'' if r.random() < 0.1 else conflict},"
                        f"{'' if r.random() < 0.13 else months},{'' if r.random() < 0.08 else r.choices(school, [2, 3, 4, 1])[0]}\n")
    return path


R_MICE = """
a <- commandArgs(TRUE); suppressMessages(library(mice)); d <- read.csv(a[1], na.strings = "", stringsAsFactors = TRUE)
d$conflict <- factor(d$conflict)
cat("mice", sum(system.time(mice(d, m = 5, maxit = 5, printFlag = FALSE, seed = 1))[1:2]), "\\n")
"""


def mice_seconds(path):
    """R's mice on the same file, or None where R or mice is absent."""
    if not shutil.which("Rscript"):
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".R") as f:
        f.write(R_MICE)
        f.flush()
        done = subprocess.run(["Rscript", f.name, path], capture_output=True, text=True)
    return float(done.stdout.split()[1]) if done.returncode == 0 and len(done.stdout.split()) == 2 else None


def impute(bench):
    path = survey_with_gaps(bench, 20000)
    seconds, peak, _ = bench.run("impute", path, "--m", 5, "--rounds", 5)
    yield "suha impute, 20,000 x 7, m = 5, 5 rounds, file included", seconds, peak, 1.0, mice_seconds(path)
    seconds, peak, _ = bench.run("impute", survey_with_gaps(bench, bench.rows), "--m", 1, "--rounds", 1)
    yield f"suha impute, {bench.rows:,} x 7, m = 1, 1 round", seconds, peak, None, None


def trend(bench):
    path = bench.path("days.csv")
    r = random.Random(3)
    with open(path, "w", encoding="ascii") as f:
        f.write("day,people\n")
        for year in range(2015, 2023):
            for month in range(1, 13):
                for day in range(1, 29):
                    f.write(f"{year}-{month:02}-{day:02},{max(0, int(r.gauss(120 + 3 * month, 25)))}\n")
    seconds, peak, _ = bench.run("trend", path, "--time", "day", "--count", "people", "--break", "2019-06-01")
    yield "suha trend, 2,688 days, negative binomial and Sen's slope", seconds, peak, None, None


def estimate(bench):
    path = bench.path("recipe.csv")
    with open(path, "w", encoding="ascii") as f:
        f.write("id,value,se,distribution,formula\n")
        for k in range(60):
            f.write(f"a{k},{100 + k},{10 + k / 10},lognormal,\n")
        f.write("total,,,," + " + ".join(f"a{k} * a{k + 1} / 100" for k in range(0, 60, 2)) + "\n")
    seconds, peak, _ = bench.run("estimate", path)
    yield "suha estimate, 60 inputs, 10,000 draws", seconds, peak, None, None


SECTIONS = [impute, trend, estimate]
