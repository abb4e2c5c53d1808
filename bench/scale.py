#!/usr/bin/env python3
"""Time and memory of a whole release against the number of people: one schema (26 columns, R = 3), fresh processes, CPU seconds and peak memory.

usage: bench/scale.py [BUILD] [--schema S] [--evaluation] [--no-vault] [ROWS ...]        rows: default 50000 100000 200000 500000 1000000
       (S: c206k; m1x40 has 40 columns)

`more` is what the step from the row above cost for each person more: a straight line has the same number everywhere. Memory has a part that goes with the tables and not with the people,
so it is the steps that count. A release from a FILE holds a byte a cell while it is mapped (ARCHITECTURE.md, "What is in memory"); a vault decrypts a record at a time. --evaluation lets
the release compare itself with the true records, which then stay in memory (a byte a cell).
"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ARGUMENTS = sys.argv[1:]
SCHEMA = "c206k"
if "--schema" in ARGUMENTS:
    at = ARGUMENTS.index("--schema")
    SCHEMA = ARGUMENTS[at + 1]
    del ARGUMENTS[at:at + 2]
WORDS = [a for a in ARGUMENTS if not a.startswith("--") and not a.isdigit()]
SUHA = os.path.join(os.path.abspath(WORDS[0] if WORDS else os.path.join(ROOT, "build")), "suha")
ROWS = [int(a) for a in ARGUMENTS if a.isdigit()] or [50000, 100000, 200000, 500000, 1000000]
EVALUATION = [] if "--evaluation" in ARGUMENTS else ["--no-evaluation"]


def process(*args):
    """CPU seconds (user and system) and peak MiB of one whole process."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execv(args[0], list(map(str, args)))
    _, status, use = os.wait4(pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, args))} failed")
    return use.ru_utime + use.ru_stime, use.ru_maxrss / 1024


def into_vault(folder, data):
    vault = os.path.join(folder, "vault")
    for command in (["vault", "init", vault], ["org", "add", vault, "a", "--name", "A"], ["import", data, "--vault", vault, "--org", "a", "--schema", SCHEMA]):
        subprocess.run([SUHA, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return vault


def step(before, now):
    """People, CPU seconds, MiB: what each person more cost."""
    if not before:
        return "", ""
    people = now[0] - before[0]
    return f"{1e6 * (now[1] - before[1]) / people:.0f}", f"{1048576 * (now[2] - before[2]) / people:.0f}"


def main():
    os.environ.setdefault("SUHA_PASSPHRASE", "a passphrase for nobody")
    ways = ["file"] + ([] if "--no-vault" in ARGUMENTS else ["vault"])
    print(f"{SCHEMA}, epsilon 4, R = 3{'' if EVALUATION else ', with the evaluation'}, one thread\n")
    print("| people | from | CPU s | microseconds per person more | peak MiB | bytes per person more | bytes per person in all |\n|---|---|---|---|---|---|---|")
    before = {}
    for rows in ROWS:
        with tempfile.TemporaryDirectory(prefix="suha-scale-") as folder:
            data = os.path.join(folder, "people.csv")
            subprocess.run([SUHA, "generate", "--shape", SCHEMA, "--rows", str(rows), "--seed", "1", "--out", data], check=True, stderr=subprocess.DEVNULL)
            for way in ways:
                source = [data] if way == "file" else ["--vault", into_vault(folder, data)]
                now = (rows, *process(SUHA, "release", *source, "--schema", SCHEMA, "--epsilon", 4, *EVALUATION, "--threads", 1, "--out", os.path.join(folder, f"release-{way}")))
                more, room = step(before.get(way), now)
                print(f"| {rows:,} | {way} | {now[1]:.1f} | {more} | {now[2]:.0f} | {room} | {1048576 * now[2] / rows:.0f} |", flush=True)
                before[way] = now


main()
