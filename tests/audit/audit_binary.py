#!/usr/bin/env python3
"""Layers 5, 7 and 8 of the tests of privacy (docs/methods/audit.md) through the shipped program: what two neighbouring tables' releases show in their
files, the K-anonymous modes, two releases compared, and `suha attack`. Needs SUHA_BUILD. Ends with `N passed, N failed[, N skipped]`.

usage: audit_binary.py [quick]     quick: few runs, for a build with a bug planted
"""
import atexit
import concurrent.futures
import csv
import io
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

import bounds
import kanon

SUHA = os.path.join(os.environ["SUHA_BUILD"], "suha")
QUICK = "quick" in sys.argv[1:]
ALPHA = 1e-6
WORK = tempfile.mkdtemp(prefix="suha-audit-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
COLUMNS = {"a": ["1"], "b": ["1"], "c": ["1"]}
atexit.register(shutil.rmtree, WORK, ignore_errors=True)
results = {"passed": 0, "failed": 0, "skipped": 0}


def verdict(good, text):
    results["passed" if good else "failed"] += 1
    print(f"{'ok    ' if good else 'FAILED'} {text}", flush=True)


def skip(text):
    results["skipped"] += 1
    print(f"skipped: {text}", flush=True)


def suha(*arguments):
    done = subprocess.run([SUHA, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"suha {' '.join(map(str, arguments))}\n{done.stderr[-2000:]}")
    return done.stdout


def make_schema(columns):
    folder = os.path.join(tempfile.mkdtemp(prefix="schema-", dir=WORK), "world")
    os.makedirs(os.path.join(folder, "codelists"))
    fields = []
    for name, values in columns.items():
        with open(os.path.join(folder, "codelists", f"list-{name}.csv"), "w", encoding="utf-8") as f:
            f.write("code,label_en\n" + "".join(f"{v},value {v}\n" for v in values))
        fields.append({"name": name, "title": name, "type": "string", "suha:type": "code", "suha:codelist": f"list-{name}"})
    with open(os.path.join(folder, "schema.json"), "w", encoding="utf-8") as f:
        json.dump({"name": "world", "title": "World", "version": "1", "suha:recordRules": [], "suha:groups": [],
                   "missingValues": [{"value": "", "label": "not recorded"}], "fields": fields}, f)
    return folder


def make_table(rows, columns):
    fd, path = tempfile.mkstemp(suffix=".csv", dir=WORK)
    with os.fdopen(fd, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(columns)
        out.writerows([dict(row).get(c, "") for c in columns] for row in rows)
    return path


class Release:
    """A bundle, read as its readers read it."""

    def __init__(self, table, schema, *options):
        folder = tempfile.mkdtemp(prefix="release-", dir=WORK)
        out = os.path.join(folder, "out")
        suha("release", table, "--schema", schema, "--no-evaluation", "--out", out, *options)
        self.files = {}
        for where, _, names in os.walk(out):
            for name in names:
                with open(os.path.join(where, name), "rb") as f:
                    self.files[os.path.relpath(os.path.join(where, name), out)] = f.read()
        shutil.rmtree(folder)
        self.report = json.loads(self.files["protection/report.json"])
        rows = list(csv.reader(io.StringIO(self.files["data/microdata.csv"].decode())))
        self.header, self.cells = rows[0], rows[1:]
        self.records = [frozenset((c, v) for c, v in zip(self.header, row) if v) for row in self.cells]
        self.counts = {}
        for row in csv.DictReader(io.StringIO(self.files["data/aggregates.csv"].decode())):
            self.counts[frozenset(tuple(part.split("=")) for part in row["combination"].split(";"))] = int(row["count"])


# ---- layer 5 through the files ----

def small_world():
    """Twenty people, and one more who alone has all three values: the worlds of audit_worlds.c."""
    rows = [frozenset((c, "1") for at, c in enumerate(COLUMNS) if i % 7 != at and (i + at) % 3 == 0) for i in range(20)]
    return rows, rows + [frozenset((c, "1") for c in COLUMNS)]


def look(task):
    table, schema, epsilon, delta = task
    r = Release(table, schema, "--epsilon", epsilon, "--delta", delta, "--length", 2)
    her = frozenset((c, "1") for c in COLUMNS)
    return (json.dumps([sorted(r.files), r.header, r.files["data/aggregates.csv"].split(b"\n")[0].decode()]),
            {"printed number of records": r.report["records"]["estimated"],
             "printed count of one of her values": r.counts.get(frozenset({("a", "1")}), 0),
             "printed count of two of her values": r.counts.get(frozenset({("a", "1"), ("b", "1")}), 0),
             "printed counts of all her values": sum(r.counts.get(frozenset({(c, "1")}), 0) for c in COLUMNS),
             "synthetic records equal to her": r.records.count(her),
             "synthetic records": len(r.records),
             "combinations printed": len(r.counts),
             "bytes of the bundle": sum(map(len, r.files.values()))})


def audit_files(epsilon, delta, runs):
    schema = make_schema(COLUMNS)
    tables = [make_table(rows, COLUMNS) for rows in small_world()]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = [list(pool.map(look, [(t, schema, epsilon, delta)] * runs)) for t in tables]
    shapes = {shape for side in seen for shape, _ in side}
    verdict(len(shapes) == 1, f"epsilon {epsilon}: names of files and columns are the same in {2 * runs} releases")
    for name in seen[0][0][1]:
        values = [[statistic[name] for _, statistic in side] for side in seen]
        bound = bounds.best_epsilon(values, delta, ALPHA / 8)
        verdict(bound <= epsilon, f"epsilon {epsilon} delta {delta}: at least {bound:.3f} by the {name} ({runs} releases a world)")


# ---- layer 8: two releases compared ----

CODED = {"gender": ["1", "2", "3"], "age": ["1", "2", "3", "4"], "country": [str(i) for i in range(1, 9)], "control": ["1", "2"]}
K = 10


def joined(task):
    """One round of the differencing game against a differentially private mode: does the second release hold one person more?"""
    schema, before, after, person, did, options = task
    first, second = (Release(t, schema, *options) for t in (before, after))
    parts = [frozenset({a}) for a in person]
    gain = sum(second.counts.get(p, 0) - first.counts.get(p, 0) for p in parts)
    gain += second.report["records"]["estimated"] - first.report["records"]["estimated"]
    return (gain > len(parts) / 2) == did


def audit_differencing():
    truth = kanon.imaginary(400, CODED, 11)
    people = [p for p in kanon.imaginary(200, CODED, 12) if len(p) == 4]
    certain = sum(kanon.differencing(truth, p, 3, K) for p in people)
    verdict(certain > len(people) // 2,
            f"rounded counts, K = {K}: two releases show for certain that a person joined for {certain} of {len(people)} people")
    schema, epsilon, rounds = make_schema(CODED), 1, 400
    before, options = make_table(truth, CODED), ("--epsilon", epsilon, "--delta", "1e-6", "--length", 2)
    tasks = []
    for i in range(rounds):
        person, did = people[i % len(people)], i % 2 == 0
        tasks.append((schema, before, make_table(truth + [person] if did else truth, CODED), person, did, options))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        right = sum(pool.map(joined, tasks))
    most = 1 / (1 + math.exp(-epsilon))
    sure = bounds.lower(right, rounds, ALPHA)
    verdict(sure <= most, f"epsilon {epsilon}: the same attack on two private releases is right {100 * right / rounds:.1f} % of {rounds} times; "
            f"epsilon allows {100 * most:.1f} %")
    verdict(bounds.upper(right, rounds, ALPHA) < 0.9, "and so does not work")


# ---- layer 8: the K-anonymous modes ----

def audit_k_mode(mode):
    truth = kanon.imaginary(800, CODED, 21)
    schema, length = make_schema(CODED), 3
    options = ("--mechanism", mode, "--k", K, "--length", length)
    r = Release(make_table(truth, CODED), schema, *options)
    leaking = kanon.leaks(r.records, truth, K)
    if mode == "row-seeded":
        verdict(not leaking, f"{mode}: the attributes of each of {len(r.records)} records are those of at least {K} people; {len(leaking)} are not")
    elif leaking:
        print(f"note   {mode}: {len(leaking)} of {len(set(r.records))} different records combine what fewer than {K} people have")
    breaches = kanon.rounding_breaches(r.counts, truth, length, K)
    verdict(not breaches, f"{mode}: {len(r.counts)} printed counts are the true ones rounded down to multiples of {K}; {len(breaches)} are not")
    small = kanon.small_remainders(r.counts, CODED, K)
    people = kanon.Rows(truth)
    real = sum(1 for p, c in small if 0 < people.count(p) - sum(people.count(p | {(c, v)}) for v in CODED[c]) < K)
    alike, looked = kanon.homogeneous(r.counts)
    print(f"note   {mode}: by subtraction {len(small)} remainders of fewer than {K} people are known, {real} of them not empty; "
          f"{alike} of {looked} printed combinations may have one value in common")
    person = next(p for p in kanon.imaginary(200, CODED, 22) if len(p) == 4 and kanon.differencing(truth, p, length, K))
    again = Release(make_table(truth + [person], CODED), schema, *options)
    verdict(again.counts != r.counts, f"{mode}: differencing two releases shows that a person joined, as the documentation warns")
    same = Release(make_table(truth, CODED), schema, *options)
    verdict(same.counts == r.counts, f"{mode}: and two releases of the same people have the same counts")
    verdict("k-anonym" in json.dumps(r.report).lower() and not r.report["guarantee"].get("holds", False),
            f"{mode}: the report claims no differential privacy")


# ---- layer 7 ----

def audit_attack(epsilon):
    """The attacks and their positive controls are suha's; what counts here is that they work where they must and not on what we publish."""
    people = os.path.join(tempfile.mkdtemp(prefix="attack-", dir=WORK), "people.csv")
    suha("generate", "--shape", "nb6k", "--rows", 2000, "--out", people)
    found = json.loads(suha("attack", people, "--schema", "nb6k", "--epsilon", epsilon, "--length", 3, "--rounds", 200, "--json"))
    release = {name: a for name, a in found["results"]["release"].items() if a["ran"]}
    controls = {name: one["succeeded"] for name, one in found["results"].items() if name != "release"}
    most = max(a["epsilon_at_least"] for a in release.values())
    best = max(release, key=lambda name: release[name]["auc"])
    verdict(not found["contradicted"] and most <= epsilon,
            f"epsilon {epsilon}: {len(release)} attacks on {found['targets']} isolated people, {found['rounds']} releases: epsilon at least {most:.3f}; "
            f"largest AUC {release[best]['auc']:.3f} ({best})")
    answers = ", ".join(f"{name} {'yes' if ok else 'NO'}" for name, ok in controls.items())
    verdict(not found["vacuous"] and controls and all(controls.values()), f"epsilon {epsilon}: the attacks succeed on the controls: {answers}")


def modes():
    help_text = subprocess.run([SUHA, "release", "--help"], capture_output=True, text=True).stdout
    return [m for m in ("row-seeded", "value-seeded", "unseeded") if "--mechanism" in help_text and m in help_text]


def main():
    kanon.self_test()
    verdict(abs(bounds.lower(50, 50, 0.01) - 0.01 ** (1 / 50)) < 1e-9 and abs(bounds.upper(0, 50, 0.01) - 1 + 0.01 ** (1 / 50)) < 1e-9,
            "the checks themselves catch what they should and pass what they should")
    audit_files(4, 1e-3, 100 if QUICK else 3000)
    if not QUICK:
        audit_files(1, 1e-3, 1500)
        audit_differencing()
        for mode in modes():
            audit_k_mode(mode)
        if not modes():
            skip("suha release has no K-anonymous mode: its checks were only tried on rows made here")
        if subprocess.run([SUHA, "attack", "--help"], capture_output=True).returncode == 0:
            for epsilon in (1, 4):
                audit_attack(epsilon)
        else:
            skip("suha has no command attack: layer 7 was not run")
    print(f"{results['passed']} passed, {results['failed']} failed" + (f", {results['skipped']} skipped" if results["skipped"] else ""))
    sys.exit(1 if results["failed"] else 0)


main()
