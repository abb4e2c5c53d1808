"""Section of bench/stats.py: logistic models in memory against R's glm, sandwich and lme4, and the whole command."""
import json
import os
import random
import shutil
import subprocess
import tempfile

R_MODELS = """
set.seed(1); time <- function(name, e) cat(name, sum(system.time(e)[1:2]), "\\n"); n <- 1e6
has <- function(p) requireNamespace(p, quietly = TRUE)
d <- as.data.frame(matrix(runif(n * 8, -1, 1), n)); for (k in 1:4) d[[paste0("f", k)]] <- factor(sample(c(2, 5, 5, 3)[k], n, TRUE))
d$g <- sample(1000, n, TRUE); d$y <- rbinom(n, 1, plogis(-1 + .2 * rowSums(d[1:8])))
time("fit", m <- glm(y ~ . - g, binomial, d))
if (has("sandwich")) { time("hc0", sandwich::vcovHC(m, "HC0")); time("cluster", sandwich::vcovCL(m, d$g, type = "HC1")) }
if (has("lme4")) { r <- d[1:5e4, ]; r$g <- sample(200, 5e4, TRUE); u <- rnorm(200, 0, .5); r$y <- rbinom(5e4, 1, plogis(-1 + .2 * rowSums(r[1:7]) + u[r$g]))
  time("random_1", lme4::glmer(y ~ V1 + V2 + V3 + V4 + V5 + V6 + V7 + (1 | g), r, binomial)) }
"""


def r_seconds():
    """Seconds by name, empty where R is absent."""
    if not shutil.which("Rscript"):
        return {}
    with tempfile.NamedTemporaryFile("w", suffix=".R") as f:
        f.write(R_MODELS)
        f.flush()
        out = subprocess.run(["Rscript", f.name], capture_output=True, text=True).stdout
    return {line.split()[0]: float(line.split()[1]) for line in out.splitlines() if len(line.split()) == 2}


def model_file(bench):
    path = bench.path("model.csv")
    if not os.path.exists(path):
        r = random.Random(1)
        with open(path, "w", encoding="ascii") as f:
            f.write("y,site,a,b,c,d,e,u,v,w,x,z\n")
            for _ in range(bench.rows):
                codes = [r.randrange(k) for k in (2, 3, 5, 4, 3)]
                numbers = [r.gauss(0, 1) for _ in range(5)]
                y = int(r.random() < 1 / (1 + 2.718281828 ** (1 - 0.5 * codes[0] - 0.2 * codes[1] + 0.1 * codes[2] - 0.3 * numbers[0])))
                f.write(f"{y},s{r.randrange(1000)},{','.join(f'{n}{k}' for n, k in zip('abcde', codes))},{','.join(f'{x:.4f}' for x in numbers)}\n")
    return path


def logit(bench):
    """Goals of the models alone, measured inside the library; then whole commands, reading the file included."""
    goals = {"fit": ("logit, 1,000,000 x 20", 0.6), "hc0": ("  + HC0", 0.1), "cluster": ("  + 1,000 clusters, HC1", 0.1),
             "random_1": ("random intercept, Laplace, 50,000 x 8, 200 groups", 1.0), "random_15": ("  the same, 15 nodes", 1.0)}
    kernel = os.path.join(bench.build, "tests/analyse/logit/bench_logit")
    if os.path.exists(kernel):
        done = subprocess.Popen([kernel], stdout=subprocess.PIPE, text=True)
        out, _ = done.communicate()
        times, r = json.loads(out), r_seconds()
        for name, (what, goal) in goals.items():
            yield what + " in memory", times[name], 0, goal, r.get(name)
    path, formula = model_file(bench), "y ~ a+b+c+d+e+u+v+w+x+z"
    for what, more in {"": [], " --cluster site": ["--cluster", "site"], " --psu site": ["--psu", "site"]}.items():
        seconds, peak, _ = bench.run("logit", path, "--formula", formula, *more)
        yield f"suha logit{what}, {bench.rows:,} x 18 from CSV", seconds, peak, None, None


SECTIONS = [logit]
