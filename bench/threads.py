#!/usr/bin/env python3
"""What a second thread gives: least wall time of a few runs with one thread and with two, and their ratio, phase by phase and for whole releases.

usage: bench/threads.py [BUILD] [REPEATS] [WORD]      WORD: only rows with it in their name (machine, counting, measuring, model, projection, whole)

The rows of the machine say what two threads give at most, in arithmetic and in reading memory: the others are to be read against them.
Generated data: c17k is the smaller file, c206k the larger. Wall time: run it on a machine that has nothing else to do, or the ratios mean nothing.
That two threads give the bytes of one is checked by the tests.
"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build"))
REPEATS = sys.argv[2] if len(sys.argv) > 2 else "3"


def main():
    if not os.path.exists(os.path.join(BUILD, "bench_threads")):
        sys.exit(f"{__doc__}\n{BUILD}/bench_threads is not there: make, then ninja -C {os.path.relpath(BUILD)} bench_threads")
    with tempfile.TemporaryDirectory(prefix="suha-threads-") as work:
        files = [os.path.join(work, shape + ".csv") for shape in ("c17k", "c206k")]
        for path in files:
            shape = os.path.basename(path)[:-4]
            subprocess.run([os.path.join(BUILD, "suha"), "generate", "--shape", shape, "--seed", "1", "--out", path], check=True, stderr=subprocess.DEVNULL)
        print("| phase | one thread, s | two threads, s | ratio |\n|---|---|---|---|", flush=True)
        subprocess.run([os.path.join(BUILD, "bench_threads"), *files, REPEATS, *sys.argv[3:4]], check=True)


main()
