#!/usr/bin/env python3
"""Releases of real files, where ../shared has them, Suha's own evaluation of each, and its attack report: appends to real.csv and real_attacks.csv what is not in them. Nothing of
the files themselves is kept. nrm counts people; the mapping makes a record of each.

usage: real.py BUILD [--again] [--attacks-only] [--quick]

--quick: attacks of 20 releases of each kind with a quarter of a second for the records of each, instead of 40 with a second.
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
ROUNDS, SECONDS = (20, 0.25) if "--quick" in sys.argv else (40, 1)
ATTACKED = [(CTDC, 1), (CTDC, 4), (CTDC, 12), (FLAGS, 4), (NRM, 4), (ADULT, 1)]
WORLDS = ["release", "bootstrap copy", "exact half", "row-seeded K=2"]
ATTACK_KEYS = ["auc", "auc_se", "true_positive_rate", "false_positive_rate", "bound", "epsilon_at_least"]
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


def attack(b, folder, job, epsilon):
    """The strongest attack on the release and on each control. Exit 1 with a report is a finding (vacuous, or the promise broken), and is kept as one."""
    (path, schema, mapping), log = job, os.path.join(folder, "log")
    command = [b.suha, "attack", os.path.join(bench.SHARED, "data", path), "--schema", schema or b.schema("adult"), "--epsilon", epsilon, "--length", 3, "--rounds", ROUNDS,
               "--seconds", SECONDS, "--test-mode", "--seed", 1, "--threads", 1, "--json"] + (["--map", mapping] if mapping else [])
    _, cpu, peak = bench.process(command, log)
    with open(log, encoding="utf-8") as f:
        text = f.read()
    if "\n{" not in "\n" + text:
        sys.exit(f"{path}: the attack failed: {text}")
    start = ("\n" + text).index("\n{")
    report, _ = json.JSONDecoder().raw_decode(text[start:])
    verdict = "broken" if report["contradicted"] else "vacuous" if report["vacuous"] else "holds"
    for world in WORLDS:
        found = {name: r for name, r in report["results"][world].items() if isinstance(r, dict) and r["ran"]}
        name = max(found, key=lambda a: found[a]["auc"])
        row = {"file": os.path.basename(path), "records": report["records"], "epsilon": epsilon, "world": world, "attack": name, "verdict": verdict, "rounds": report["rounds"], "seconds": report["seconds"],
               "targets": report["targets"], "cpu_s": f"{cpu:.1f}", "peak_mib": f"{peak:.0f}"}
        strongest = max(r["true_positive_rate"] for r in found.values())
        yield dict(row, tpr_most=f"{strongest:.5g}", **{k: f"{found[name][k]:.5g}" if k in found[name] else "" for k in ATTACK_KEYS})


def append(name, jobs, fields, make, what):
    out = os.path.join(bench.HERE, name)
    if "--again" in sys.argv and os.path.exists(out):
        os.remove(out)
    done = set()
    if os.path.exists(out):
        with open(out, newline="", encoding="utf-8") as f:
            done = {(r["file"], float(r["epsilon"])) for r in csv.DictReader(f)}
    for job, epsilon in jobs:
        if (os.path.basename(job[0]), float(epsilon)) in done:
            continue
        if not os.path.exists(os.path.join(bench.SHARED, "data", job[0])):
            print(f"skipped {job[0]}: not in {bench.SHARED}")
            continue
        with tempfile.TemporaryDirectory(prefix="suha-real-") as folder:
            rows = list(make(folder, job, epsilon))
        fresh = not os.path.exists(out)
        with open(out, "a", newline="", encoding="utf-8") as f:
            writer = csv.DictWriter(f, fields, lineterminator="\n")
            if fresh:
                writer.writeheader()
            writer.writerows(rows)
        print(f"{job[0]} epsilon {epsilon}: {what} done", flush=True)


def main():
    b = bench.Bench(sys.argv[1])
    if "--attacks-only" not in sys.argv:
        append("real.csv", JOBS, ["file", "records", "epsilon", "what", "at"] + KEYS + ["cpu_s", "peak_mib"], lambda *a: release(b, *a), "release")
    append("real_attacks.csv", ATTACKED, ["file", "records", "epsilon", "rounds", "seconds", "targets", "world", "attack"] + ATTACK_KEYS + ["tpr_most", "verdict", "cpu_s", "peak_mib"],
           lambda *a: attack(b, *a), "attack")


main()
