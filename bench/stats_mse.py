"""Multiple systems estimation against its goals; a section of bench/stats.py.

The R column holds what R took when the reference numbers were made (R 4.2.2, SparseMSE 2.0.1, MultipleSystemsEstimation 1.2.0, dga 2.0.2, LCMCR 0.4.14; one
thread, two-core machine): these packages are rarely installed. Where dga is, it is run here instead."""
import json
import os
import subprocess
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
UK = os.path.join(SOURCE, "examples", "mse", "uk-2013.csv")
R_WHEN_REFERENCES_WERE_MADE = {"fit": 0.00037, "models": 11.9, "dga": 1.35, "stepwise six": 267, "stepwise five": 86, "downhill six": 193, "best five": 6120,
                               "latent": 1.39 * 2.4}
R_DGA = """
suppressMessages(library(dga)); data(graphs5); a <- commandArgs(TRUE); d <- read.csv(a[1]); Y <- rep(0, 32)
Y[1 + as.matrix(d[, 1:5]) %*% c(1, 2, 4, 8, 16)] <- d[, 6]
cat("dga", sum(system.time(bma.cr(array(Y, rep(2, 5)), 1:37256, 2^-5, graphs5))[1:2]), "\\n")
"""


def five_lists(folder):
    """The published table with PF and NCA made one list, as its author also publishes it."""
    path = os.path.join(folder, "uk5.csv")
    counts = {}
    with open(UK, encoding="ascii") as f:
        for line in f.read().split("\n")[1:]:
            if line:
                la, ng, pf, go, gp, nca, n = map(int, line.split(","))
                key = (la, ng, pf | nca, go, gp)
                counts[key] = counts.get(key, 0) + n
    with open(path, "w", encoding="ascii") as f:
        f.write("LA,NG,PFNCA,GO,GP,count\n" + "".join(",".join(map(str, (*k, n))) + "\n" for k, n in counts.items()))
    return path


def live_dga(path):
    try:
        if subprocess.run(["Rscript", "-e", "quit(status = !requireNamespace('dga', quietly = TRUE))"], capture_output=True, check=False).returncode:
            return None
    except FileNotFoundError:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".R") as f:
        f.write(R_DGA)
        f.flush()
        return float(subprocess.run(["Rscript", f.name, path], capture_output=True, text=True, check=True).stdout.split()[1])


def mse(bench):
    r = dict(R_WHEN_REFERENCES_WERE_MADE)
    five = five_lists(bench.folder)
    r["dga"] = live_dga(five) or r["dga"]
    kernel = os.path.join(bench.build, "tests/analyse/mse/bench_mse")
    if os.path.exists(kernel):
        for table, wanted in ((UK, {"fit": ("mse: one Poisson fit, 63 cells x 7", 10e-6)}),
                              (five, {"models": ("mse: all 6,893 models of five lists by BIC", 0.3), "dga": ("mse: dga, 822 graphs x 37,256", 0.2)})):
            done = subprocess.run([kernel, table], capture_output=True, text=True, check=True)
            for name, (title, goal) in wanted.items():
                yield title, json.loads(done.stdout)[name], 0, goal, r[name]
    alone = ["--coverage", 0, "--no-sensitivity"]
    for name, table, goal, options in (
            ("stepwise six", UK, 2, ["--methods", "stepwise", "--replicates", 1000]),
            ("stepwise five", five, 1, ["--methods", "stepwise", "--replicates", 1000]),
            ("downhill six", UK, 2, ["--methods", "downhill", "--replicates", 1000]),
            ("best five", five, 600, ["--methods", "best", "--best-replicates", 1000]),
            ("latent", five, 2 * 2.4, ["--methods", "latent", "--sweeps", 20000])):
        seconds, peak, _ = bench.run("mse", table, *options, *alone)
        title = "mse: latent classes, 8 chains of 30,000 sweeps" if name == "latent" else f"mse: {name.split()[0]} search, BCa 1,000, {name.split()[1]} lists"
        yield title, seconds, peak, goal, r[name]
    seconds, peak, _ = bench.run("mse", UK)
    yield "suha mse examples/mse/uk-2013.csv, everything", seconds, peak, 60, None
