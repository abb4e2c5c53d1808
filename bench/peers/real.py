#!/usr/bin/env python3
"""Releases of real files, where ../shared has them, and Suha's own evaluation of each: appends to real.csv what is not in it. Nothing of the files themselves is kept.

usage: real.py BUILD [--again]
"""
import csv
import json
import os
import sys
import tempfile

import bench

CTDC, NRM = ("ctdc/ctdc2020_joined_48801x12.csv", "ctdc-v6", "ctdc2020-joined"), ("nrm/nrm_leaf_2022q2_2023q4.csv", "uk-nrm", "nrm-leaf")
FLAGS = ("ctdc/final_data.csv", "ctdc-2025-flags", None)
ADULT = ("adult/adult_encoded_private-pgm.csv", None, None)
JOBS = [(CTDC, 4), (NRM, 4), (CTDC, 1), (CTDC, 12), (NRM, 1), (NRM, 12), (FLAGS, 4), (ADULT, 1)]
KEYS = ["error_common", "error_union", "suppressed", "fabricated", "coverage", "total_variation"]


def release(b, folder, job, epsilon):
    (path, schema, mapping), out = job, os.path.join(folder, "release")
    command = [b.suha, "release", os.path.join(bench.SHARED, "data", path), "--schema", schema or b.schema("adult"), "--epsilon", epsilon, "--delta", "1e-9", "--length", 3,
               "--cap-epsilon", 100, "--threads", 1, "--out", out] + (["--map", mapping] if mapping else [])
    log = os.path.join(folder, "log")
    ok, cpu, peak = bench.process(command, log)
    if not ok:
        with open(log, encoding="utf-8") as f:
            sys.exit(f"{path} at epsilon {epsilon} failed: {f.read()}")
    with open(out + ".evaluation-NOT-FOR-PUBLICATION.json", encoding="utf-8") as f:
        own = json.load(f)
    with open(os.path.join(out, "data", "microdata.csv"), encoding="utf-8") as f:
        records = sum(1 for _ in f) - 1
    for what in ("aggregates", "records"):
        for at, level in own[what].items():
            row = {"file": os.path.basename(path), "records": records, "epsilon": epsilon, "what": what, "at": at, "cpu_s": f"{cpu:.2f}", "peak_mib": f"{peak:.0f}"}
            yield dict(row, **{k: "" if level.get(k) is None else f"{level[k]:.5g}" for k in KEYS})


def main():
    b, out = bench.Bench(sys.argv[1]), os.path.join(bench.HERE, "real.csv")
    if "--again" in sys.argv and os.path.exists(out):
        os.remove(out)
    done = set()
    if os.path.exists(out):
        with open(out, newline="", encoding="utf-8") as f:
            done = {(r["file"], float(r["epsilon"])) for r in csv.DictReader(f)}
    for job, epsilon in JOBS:
        if (os.path.basename(job[0]), float(epsilon)) in done:
            continue
        if not os.path.exists(os.path.join(bench.SHARED, "data", job[0])):
            print(f"skipped {job[0]}: not in {bench.SHARED}")
            continue
        with tempfile.TemporaryDirectory(prefix="suha-real-") as folder:
            rows = list(release(b, folder, job, epsilon))
        fresh = not os.path.exists(out)
        with open(out, "a", newline="", encoding="utf-8") as f:
            writer = csv.DictWriter(f, ["file", "records", "epsilon", "what", "at"] + KEYS + ["cpu_s", "peak_mib"], lineterminator="\n")
            if fresh:
                writer.writeheader()
            writer.writerows(rows)
        print(f"{job[0]} epsilon {epsilon}: done", flush=True)


main()
