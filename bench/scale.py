#!/usr/bin/env python3
"""Time and memory of a whole release against the number of people: one schema (26 columns, R = 3), fresh processes, CPU seconds and peak memory.

usage: bench/scale.py [BUILD] [ROWS ...]        rows: default 12500 25000 50000 100000 200000

`per row` is what the step from the row above cost for each person more: a straight line has the same number everywhere.
"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUHA = os.path.join(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build")), "suha")
ROWS = [int(a) for a in sys.argv[2:]] or [12500, 25000, 50000, 100000, 200000]


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


def main():
    print("| people | CPU s | microseconds per person more | peak MiB | bytes per person more |\n|---|---|---|---|---|")
    before = None
    with tempfile.TemporaryDirectory(prefix="suha-scale-") as folder:
        for rows in ROWS:
            data, out = os.path.join(folder, f"{rows}.csv"), os.path.join(folder, f"release-{rows}")
            subprocess.run([SUHA, "generate", "--shape", "c206k", "--rows", str(rows), "--seed", "1", "--out", data], check=True, stderr=subprocess.DEVNULL)
            cpu, mib = process(SUHA, "release", data, "--schema", "c206k", "--epsilon", 4, "--no-evaluation", "--threads", 1, "--out", out)
            more = f"{1e6 * (cpu - before[1]) / (rows - before[0]):.0f}" if before else ""
            room = f"{1048576 * (mib - before[2]) / (rows - before[0]):.0f}" if before else ""
            print(f"| {rows:,} | {cpu:.1f} | {more} | {mib:.0f} | {room} |", flush=True)
            before = rows, cpu, mib
            os.remove(data)


main()
