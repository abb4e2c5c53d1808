#!/usr/bin/env python3
"""Statistics side by side with R: the same files, one process a job, one thread, CPU seconds and peak memory of each, and how far the results differ.

    bench/peers/stats_peers.py BUILD [--rows N] [--only JOB] [--write]

Files are generated here with a seed. R is used where Rscript and the package of the job are installed; what is missing is printed with how to get it.
--write puts the table between the markers of bench/RESULTS.md. Exit status 1 when a result differs by more than the job's tolerance."""
import argparse
import datetime
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
UK = os.path.join(SOURCE, "examples", "mse", "uk-2013.csv")
RESULTS, START, END = os.path.join(SOURCE, "bench", "RESULTS.md"), "<!-- stats peers: written by bench/peers/stats_peers.py -->", "<!-- end of stats peers -->"
SCRIPT = os.path.join(HERE, "stats_peers.R")
DEBIAN = {"survey": "r-cran-survey", "lme4": "r-cran-lme4", "sandwich": "r-cran-sandwich", "mice": "r-cran-mice", "nnet": "r-cran-nnet", "clubSandwich": "r-cran-clubsandwich", "MASS": "r-cran-mass"}
PACKAGE = {"hc0": "sandwich", "cluster": "sandwich", "svyglm": "survey", "svymean": "survey", "svyby": "survey", "svyciprop": "survey", "svychisq": "survey",
           "svyquantile": "survey", "glmer": "lme4", "mice": "mice nnet", "cr2": "clubSandwich", "glm.nb": "MASS"}
DESIGN = ["--weight", "weight", "--strata", "stratum", "--psu", "psu"]
FORMULA = "y ~ a+b+c+d+u+v+w+x+z+s+t+q"


# ---- files -------------------------------------------------------------------------------------------------------------------------------


def model_file(path, rows):
    """1,000 units in 50 strata, four categories of 2, 5, 5 and 3 levels, eight numbers: 20 columns with the constant. Units differ."""
    r = random.Random(1)
    with open(path, "w", encoding="ascii") as f:
        f.write("y,weight,stratum,psu,group,quarter,a,b,c,d,u,v,w,x,z,s,t,q\n")
        for _ in range(rows):
            unit, codes = r.randrange(1000), [r.randrange(k) for k in (2, 5, 5, 3)]
            numbers = [2 * r.random() - 1 for _ in range(8)]
            y = int(r.random() < 1 / (1 + 2.718281828 ** (1 - 0.2 * sum(numbers) - 0.1 * sum(codes) - 0.001 * unit)))
            f.write(f"{y},{0.5 + r.random():.3f},{unit % 50},{unit},g{r.randrange(10)},q{r.randrange(4)},"
                    + ",".join(f"{n}{k}" for n, k in zip("abcd", codes)) + "," + ",".join(f"{x:.4f}" for x in numbers) + "\n")


def random_file(path, rows):
    """Seven numbers, 200 groups with a standard deviation of 0.5."""
    r = random.Random(2)
    effect = [r.gauss(0, 0.5) for _ in range(200)]
    with open(path, "w", encoding="ascii") as f:
        f.write("y,g,x1,x2,x3,x4,x5,x6,x7\n")
        for _ in range(rows):
            g, x = r.randrange(200), [2 * r.random() - 1 for _ in range(7)]
            f.write(f"{int(r.random() < 1 / (1 + 2.718281828 ** (1 - 0.3 * sum(x) - effect[g])))},g{g},{','.join(f'{v:.4f}' for v in x)}\n")


def site_file(path, rows):
    """40 sites of unlike size that differ."""
    r = random.Random(3)
    effect = [r.gauss(0, 0.5) for _ in range(40)]
    with open(path, "w", encoding="ascii") as f:
        f.write("y,site,a,b,u,v\n")
        for _ in range(rows):
            g, a, b = min(r.randrange(40), r.randrange(40)), r.randrange(3), r.randrange(4)
            u, v = r.gauss(0, 1), r.gauss(0, 1)
            f.write(f"{int(r.random() < 1 / (1 + 2.718281828 ** (1 - 0.4 * a + 0.2 * b - 0.3 * u - effect[g])))},s{g},a{a},b{b},{u:.4f},{v:.4f}\n")


def gaps_file(path, rows):
    """A flag, a number and a category of four with a tenth missing, and four complete columns."""
    r = random.Random(4)
    with open(path, "w", encoding="ascii") as f:
        f.write("any_ind,route,sex,age,conflict,months,edu\n")
        for _ in range(rows):
            months = round(r.expovariate(0.2), 1)
            f.write(f"{r.randrange(2)},{r.choice(['EMR', 'CMR'])},{r.choice(['male', 'female'])},{r.randint(14, 60)},{'' if r.random() < 0.1 else r.choice(['no', 'yes'])},"
                    f"{'' if r.random() < 0.13 else months},{'' if r.random() < 0.08 else r.choices(['none', 'primary', 'secondary', 'tertiary'], [2, 3, 4, 1])[0]}\n")


def days_file(path, rows):
    """Daily counts, over-dispersed, with a slow rise; time in years as Suha counts it is compared by its theta."""
    r = random.Random(5)
    day = datetime.date(2015, 1, 1)
    with open(path, "w", encoding="ascii") as f:
        f.write("day,time,n\n")
        for k in range(rows):
            mean = r.gammavariate(4, 5) * 2.718281828 ** (0.0002 * k)
            n, product = 0, r.random()
            while product > 2.718281828 ** -mean:
                product *= r.random()
                n += 1
            f.write(f"{day + datetime.timedelta(days=k)},{k / 365.25:.17g},{n}\n")


# ---- one run -----------------------------------------------------------------------------------------------------------------------------


def process(command):
    """(CPU seconds, peak megabytes, stdout) of a whole process."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            sys.exit(f"{' '.join(map(str, command))}\n{err.read().decode()}")
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read().decode()


def r_run(job, path):
    seconds, peak, out = process(["Rscript", SCRIPT, job, path])
    values, alone = {}, None
    for line in out.splitlines():
        word = line.split()
        if word and word[0] == "seconds":
            alone = float(word[1])
        if word and word[0] == "value":
            values[word[1]] = float(word[2])
    return seconds, peak, alone, values


def r_packages():
    if not shutil.which("Rscript"):
        return {}
    return dict(line.split() for line in process(["Rscript", SCRIPT, "packages"])[2].splitlines() if len(line.split()) == 2)


# ---- what Suha's tables say, under R's names -----------------------------------------------------------------------------------------------


def coefficients(out, more=()):
    found = {}
    for row in out["tables"]["coefficients"]:
        name = row["term"].replace("=" + row["term"].split("=")[0] if "=" in row["term"] else "\0", "=")
        name = name.replace("=", row["term"].split("=")[0] if "=" in row["term"] else "")
        found["coef:" + name], found["se:" + name] = row["estimate"], row["se"]
        if "df" in more:
            found["df:" + name] = row["df"]
    return found


def rates_of(out):
    rows = out["tables"]["rates" if "rates" in out["tables"] else "means"]
    found = {"estimate": rows[0]["estimate"], "se": rows[0]["se"], "low": rows[0]["low"], "high": rows[0]["high"]}
    for row in rows[1:]:
        found["estimate:" + row["group"]], found["se:" + row["group"]] = row["estimate"], row["se"]
    return found


def theta(out):
    return {"theta": out.get("theta")}


# job: what, file, R's job, Suha's arguments after the file, how its answer is read, tolerance of the relative difference
def jobs(rows):
    logit, rates = ["--formula", FORMULA], ["--outcome", "x"]
    site = ["--formula", "y ~ a+b+u+v", "--cluster", "site"]
    return [
        (f"logit, {rows:,} x 20", "model", "logit", ["logit", *logit], coefficients, 1e-6),
        ("  + HC0", "model", "hc0", ["logit", *logit, "--variance", "hc0"], coefficients, 1e-6),
        ("  + 1,000 clusters, HC1", "model", "cluster", ["logit", *logit, "--cluster", "psu"], coefficients, 1e-6),
        (f"survey logit, {rows:,} x 20, 1,000 units", "model", "svyglm", ["logit", *logit, *DESIGN], coefficients, 1e-6),
        ("survey mean", "model", "svymean", ["rates", *rates, *DESIGN], rates_of, 1e-8),
        ("survey mean of 10 groups", "model", "svyby", ["rates", *rates, "--by", "group", *DESIGN], rates_of, 1e-8),
        ("survey rate, Korn-Graubard", "model", "svyciprop", ["rates", "--outcome", "y", "--ci", "beta", *DESIGN], rates_of, 1e-8),
        ("Rao-Scott test, 2 x 4", "model", "svychisq", ["compare", "--outcome", "y", "--by", "quarter", *DESIGN],
         lambda out: {"statistic": out["tables"]["tests"][0]["statistic"]}, 1e-8),
        ("survey median", "model", "svyquantile", ["rates", *rates, "--quantile", "0.5", *DESIGN], lambda out: {"estimate": out["tables"]["quantiles"][0]["estimate"]}, 1e-8),
        ("random intercept, Laplace, 50,000 x 8, 200 groups", "random", "glmer",
         ["logit", "--formula", "y ~ x1+x2+x3+x4+x5+x6+x7", "--random", "g", "--nodes", "1"], coefficients, 1e-3),
        ("CR2, 4,000 rows, 40 sites", "site", "cr2", ["logit", *site], lambda out: coefficients(out, ["df"]), 1e-6),
        ("imputation, 20,000 x 7, m = 5, 5 rounds", "gaps", "mice", ["impute", "--m", "5", "--rounds", "5", "--out", "{out}"], None, None),
        ("negative binomial, 2,688 days (Suha: and Sen's slope over all pairs)", "days", "glm.nb", ["trend", "--time", "day", "--count", "n", "--harmonics", "0"], theta, 1e-3),
        ("people outside six lists, independent", "uk", "main", ["mse", "--methods", "main", "--coverage", "0", "--no-sensitivity"],
         lambda out: {"people": out["tables"]["panel"][0]["N"]}, 1e-6),
    ]


# What R took when the specification's figures were made (R 4.2.2 on another machine, alone on it): packages that Debian does not have.
ELSEWHERE = [
    ("stepwise, BCa 1,000, UK six lists", "SparseMSE 2.0.1", 267, [UK, "--methods", "stepwise", "--replicates", "1000"]),
    ("downhill, 1,000 resamples, UK six lists", "MultipleSystemsEstimation 1.2.0", 193, [UK, "--methods", "downhill", "--replicates", "1000"]),
    ("all 6,893 models by BIC and 1,000 resamples of them, five lists", "MultipleSystemsEstimation 1.2.0, from 3 resamples", 6120,
     ["{five}", "--methods", "best", "--best-replicates", "1000"]),
    ("Bayesian average over 822 graphs, five lists", "dga 2.0.2", 1.35, ["{five}", "--methods", "dga"]),
]


def five_lists(path):
    counts = {}
    with open(UK, encoding="ascii") as f:
        for line in f.read().split()[1:]:
            la, ng, pf, go, gp, nca, n = map(int, line.split(","))
            counts[la, ng, pf | nca, go, gp] = counts.get((la, ng, pf | nca, go, gp), 0) + n
    with open(path, "w", encoding="ascii") as f:
        f.write("LA,NG,PFNCA,GO,GP,count\n" + "".join(",".join(map(str, (*k, n))) + "\n" for k, n in counts.items()))


def difference(ours, theirs):
    """Largest relative difference over what R printed; standard errors and coefficients near zero count against the standard error."""
    worst, at = 0.0, "nothing compared"
    for name, r in theirs.items():
        if name not in ours or ours[name] is None:
            if name.split(":")[0] in ("sd", "coef") and name not in ours and name != "coef:(Intercept)":
                continue
            return float("inf"), f"{name} is missing"
        scale = max(abs(r), abs(theirs.get("se:" + name[5:], 0)) if name.startswith("coef:") else 0)
        gap = abs(ours[name] - r) / scale if scale else abs(ours[name] - r)
        if gap >= worst:
            worst, at = gap, name
    return worst, at


def number(x, digits):
    return "-" if x is None else f"{x:,.{digits}f}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("build")
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--only", help="R's name of one job")
    arguments.add_argument("--write", action="store_true")
    given = arguments.parse_args()
    suha, packages = os.path.join(given.build, "suha"), r_packages()
    missing = sorted(p for p in DEBIAN if packages.get(p, "missing") == "missing")
    if not packages:
        print("R is not installed: no column of R. Debian: apt-get install r-base-core " + " ".join(DEBIAN.values()))
    elif missing:
        print("R packages that are not here, so no column of R for them: " + ", ".join(missing) + ". Debian: apt-get install " + " ".join(DEBIAN[p] for p in missing))
    lines, wrong = [], 0
    with tempfile.TemporaryDirectory(prefix="suha-stats-") as folder:
        paths = {"uk": UK}
        makers = {"model": (model_file, given.rows), "random": (random_file, 50_000), "site": (site_file, 4_000), "gaps": (gaps_file, 20_000), "days": (days_file, 2_688)}
        for what, file, job, command, read, tolerance in jobs(given.rows):
            if given.only and given.only != job:
                continue
            if file not in paths:
                paths[file] = os.path.join(folder, file + ".csv")
                makers[file][0](paths[file], makers[file][1])
            command = [command[0], paths[file], *[c.replace("{out}", os.path.join(folder, "out.csv")) for c in command[1:]]]
            seconds, peak, out = process([suha, *command, "--json", "--threads", "1"])
            r_seconds = r_peak = alone = None
            agree = "R not here"
            if packages and not set(PACKAGE.get(job, "").split()) & set(missing):
                r_seconds, r_peak, alone, values = r_run(job, paths[file])
                agree = "random"
                if read:
                    gap, at = difference(read(json.loads(out)), values)
                    agree = f"{gap:.0e}" if gap else "0"
                    if not gap <= tolerance:
                        agree += f" ({at}): **above {tolerance:g}**"
                        wrong += 1
            lines.append(f"| {what} | {number(seconds, 2)} | {number(peak, 0)} | {number(r_seconds, 2)} | {number(alone, 2)} | {number(r_peak, 0)} | "
                         f"{number(r_seconds and r_seconds / max(seconds, 0.01), 0)} | {number(alone and alone / max(seconds, 0.01), 0)} | {agree} |")
            print(lines[-1], flush=True)
        five = os.path.join(folder, "five.csv")
        five_lists(five)
        for what, package, r_seconds, command in ELSEWHERE if not given.only else []:
            command = [c.replace("{five}", five) for c in command]
            seconds, peak, _ = process([suha, "mse", *command, "--coverage", "0", "--no-sensitivity", "--json", "--threads", "1"])
            lines.append(f"| {what} | {number(seconds, 2)} | {number(peak, 0)} | | {number(r_seconds, 2)} | | | {number(r_seconds / max(seconds, 0.01), 0)} | {package}, other machine |")
            print(lines[-1], flush=True)
    if given.write and not given.only and not packages:
        print("bench/RESULTS.md is left as it is: its table is from where R is")
    elif given.write and not given.only:
        write(lines, packages, given.rows)
    sys.exit(1 if wrong else 0)


def write(lines, packages, rows):
    version = process(["Rscript", "-e", "cat(R.version$major, R.version$minor, sep = '.')"])[2] if packages else None
    head = [START, "", "## Statistics beside R", "",
            f"`make bench-peers` (bench/peers/stats_peers.py), {datetime.date.today()}, one run each, one thread, the same generated files ({rows:,} rows where the job does not say). "
            "CPU seconds and peak megabytes of the whole process, the CSV read; \"alone\" is R's computation without starting and reading. The last column is the largest relative "
            "difference of estimates, standard errors, degrees of freedom and limits (coefficients: of the larger of coefficient and standard error). "
            + ("R " + version + ", " + ", ".join(f"{p} {v}" for p, v in packages.items()) + "." if version else "R was not installed."), "",
            "| job | Suha s | MB | R s | R alone s | R MB | R / Suha | alone / Suha | differ by |", "|---|---|---|---|---|---|---|---|---|"]
    with open(RESULTS, encoding="utf-8") as f:
        text = f.read()
    block = "\n".join(head + lines + ["", END])
    if START in text:
        text = text[:text.index(START)] + block + text[text.index(END) + len(END):]
    else:
        at = text.index("<!-- peers: written by")
        text = text[:at] + block + "\n\n" + text[at:]
    with open(RESULTS, "w", encoding="utf-8") as f:
        f.write(text)


main()
