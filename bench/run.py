#!/usr/bin/env python3
"""Measures the jobs of the goal table on generated data: CPU seconds, one thread, and peak memory, beside the goal. Median of three runs.

usage: bench/run.py [BUILD]        prints a table; bench/RESULTS.md holds what was measured, with the machine
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build"))
SUHA, KERNELS = os.path.join(BUILD, "suha"), os.path.join(BUILD, "bench_kernels")
ENV = dict(os.environ, SUHA_PASSPHRASE="a passphrase for the benchmark")


def process(*args):
    """CPU seconds (user and system) and peak MiB of one whole process."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execve(args[0], list(map(str, args)), ENV)
    _, status, use = os.wait4(pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, args))} failed")
    return use.ru_utime + use.ru_stime, use.ru_maxrss / 1024


def kernel(*args):
    done = json.loads(subprocess.run([KERNELS, *map(str, args)], check=True, capture_output=True, text=True).stdout)
    return done["cpu_seconds"], done["peak_mib"]


def stages(*args):
    """A release in two: until the data were last read, and the rest (records, for mechanisms that make them from aggregates)."""
    done = json.loads(subprocess.run([KERNELS, "release", *map(str, args)], check=True, capture_output=True, text=True).stdout)
    return (done["measured_seconds"], done["peak_mib"]), (done["cpu_seconds"] - done["measured_seconds"], done["peak_mib"])


def row(name, goal, runs):
    seconds, memory = statistics.median(r[0] for r in runs), max(r[1] for r in runs)
    print(f"| {name} | {goal} | {seconds:.2f} | {memory:.0f} |", flush=True)


def main():
    work = tempfile.mkdtemp(prefix="suha-bench-")
    c206k, c17k = os.path.join(work, "c206k.csv"), os.path.join(work, "c17k.csv")
    for shape, path in (("c206k", c206k), ("c17k", c17k)):
        subprocess.run([SUHA, "generate", "--shape", shape, "--seed", "1", "--out", path], check=True, stderr=subprocess.DEVNULL)
    cpu = next((line.split(": ", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown processor")
    print(f"{cpu}, one thread, CPU seconds (user + system), median of 3; peak MiB of the process\n")
    print("| job | goal | CPU s | peak MiB |\n|---|---|---|---|")
    row("load and encode 206,000 x 26 CSV", "<= 0.5 s", [kernel("load", c206k) for _ in range(3)])
    row("all counts c206k, R = 3", "<= 0.5 s, <= 64 MiB", [kernel("count", c206k, 3) for _ in range(3)])
    row("all counts c206k, R = 4", "<= 2 s", [kernel("count", c206k, 4) for _ in range(3)])
    m1x40 = os.path.join(work, "m1x40.csv")
    subprocess.run([SUHA, "generate", "--shape", "m1x40", "--seed", "1", "--out", m1x40], check=True, stderr=subprocess.DEVNULL)
    row("all counts 1,000,000 x 40, R = 3", "<= 6 s, <= 256 MiB", [kernel("count", m1x40, 3) for _ in range(3)])
    os.remove(m1x40)
    row("residual c17k, R = 3: all noisy tables and least squares", "<= 0.3 s", [kernel("estimate", c17k, 3, 4) for _ in range(3)])
    row("10 million discrete Gaussian samples", "<= 2 s", [kernel("noise", 10000000) for _ in range(3)])
    for length, goal in ((3, "<= 0.1 s"), (4, "<= 0.5 s")):
        runs = [stages(c17k, "sds", length, 4) for _ in range(3)]
        row(f"sds DP aggregates c17k, R = {length}, epsilon 4", goal, [r[0] for r in runs])
    row("sds aggregate-seeded records c17k, R = 4, epsilon 4", "<= 1 s", [r[1] for r in runs])
    c50k = os.path.join(work, "c50k.csv")
    subprocess.run([SUHA, "generate", "--shape", "c50k", "--seed", "1", "--out", c50k], check=True, stderr=subprocess.DEVNULL)
    for mode, path, name, goal in (("row-seeded", c17k, "c17k", "<= 0.5 s"), ("row-seeded", c50k, "c50k", "<= 3 s"), ("row-seeded", c206k, "c206k", "<= 30 s"),
                                   ("value-seeded", c17k, "c17k", "<= 1 s"), ("unseeded", c17k, "c17k", "-")):
        row(f"{mode} {name}, K = 10", goal, [kernel("release", path, mode, 3, 10) for _ in range(3)])
    imports = []
    for i in range(3):
        vault = os.path.join(work, f"vault{i}")
        process(SUHA, "vault", "init", vault)
        process(SUHA, "org", "add", vault, "org", "--name", "Org")
        imports.append(process(SUHA, "import", c206k, "--vault", vault, "--org", "org", "--schema", "c206k", "--threads", 1))
    row("import of 206,000 records into the vault (whole process, key derivation included)", "<= 5 s", imports)
    row("release c17k, epsilon 4, R = 3 (whole process)", "<= 30 s",
        [process(SUHA, "release", c17k, "--schema", "c17k", "--epsilon", 4, "--no-evaluation", "--threads", 1, "--out", os.path.join(work, f"r{i}")) for i in range(3)])
    shutil.rmtree(work)


main()
