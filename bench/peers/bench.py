#!/usr/bin/env python3
"""Runs Suha and its peers on the same files with the same (epsilon, delta) and judges all by metrics.py. Appends to results.csv; what is there is not run again.

usage: bench.py BUILD [--only tool,tool] [--again tool] [--minutes M]

One run at a time, one thread where the tool has a switch for it. CPU seconds are user + system of the tool's process and its children, peak memory the kernel's.
A seed is the seed of the generated file; every release draws fresh noise, so a row is not repeatable to the digit. Adult is read from ../shared if it is there.
"""
import csv
import datetime
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time

import metrics

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.environ.get("SUHA_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
WORK, RESULTS = os.path.join(HERE, "work"), os.path.join(HERE, "results.csv")
PYTHON = os.path.join(HERE, ".venv", "bin", "python")
ADULT = os.path.join(SHARED, "data", "adult", "adult_encoded_private-pgm.csv")
FIELDS = ["day", "tool", "version", "data", "epsilon", "delta", "length", "seed", "what", "at", "error_common", "error_union", "suppressed", "fabricated", "tv",
          "records", "cpu_s", "cpu_stage_s", "peak_mib"]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu",
              "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
DELTA, LENGTH = {"nb6k": "1.9e-5", "c17k": "5.8e-6", "adult": "1e-9"}, {"nb6k": 4, "c17k": 3, "adult": 3}
COUNTS = ["c17k", "c50k", "c206k"]
AIM_80 = ["--mechanism", "aim", "--model-mib", 80]


def plan(mechanisms):
    """(tool, data, epsilon, seed), the most wanted first: what is interrupted is still a table."""
    sweep, ten, three = [4, 12, 1, 8, 2, 0.5], range(1, 11), range(1, 4)
    named = [f"suha-{m}" for m in mechanisms]
    jobs = [(tool, data, 4, s) for tool in named if not in_k_mode(tool) for data in ("c17k", "nb6k") for s in three]
    jobs += [(tool, "adult", 1, s) for tool in ["suha"] + named if tool in ("suha", "suha-mst", "suha-aim") for s in three]
    jobs += [(tool, "c17k", 0, s) for tool in named if in_k_mode(tool) for s in three]
    jobs += [("suha-aim-80mb", "adult", 1, s) for s in three]
    jobs += [("suha", data, e, s) for s in three for data in ("c17k", "nb6k") for e in sweep]
    jobs += [("suha", data, e, s) for s in ten for data, e in (("c17k", 4), ("c17k", 12), ("nb6k", 4))]
    jobs += [("suha", data, e, s) for s in ten for data in ("c17k", "nb6k") for e in sweep] + [("suha", "adult", 1, s) for s in ten]
    jobs += [(tool, data, 0, 1) for tool in ("suha-count", "sds-count") for data in COUNTS]
    jobs += [("sds", "nb6k", e, s) for e in sweep for s in ten]
    jobs += [("mst-as-installed", data, e, 1) for data, e in (("c17k", 4), ("nb6k", 4), ("adult", 1))]
    jobs += [("sds", "c17k", e, 1) for e in sweep] + [("mst", "c17k", 4, 1), ("mst", "nb6k", 4, 1), ("mst", "adult", 1, 1), ("aim-1mb", "adult", 1, 1)]
    jobs += [("sds", "c17k", e, s) for s in (2, 3) for e in sweep]
    jobs += [("mst", "c17k", e, 1) for e in sweep] + [("mst", "nb6k", 4, s) for s in three]
    jobs += [("mst", "c17k", e, s) for s in (2, 3) for e in sweep] + [("mst", "adult", 1, s) for s in (2, 3)]
    jobs += [("sds", "c17k", e, s) for e in (4, 12) for s in range(4, 11)]
    jobs += [(tool, data, 4, s) for tool in named if not in_k_mode(tool) for data in ("c17k", "nb6k") for s in ten]
    return list(dict.fromkeys(jobs))


def in_k_mode(tool):
    return tool in ("suha-row-seeded", "suha-value-seeded", "suha-unseeded")


def process(command, log):
    """CPU seconds with children, peak MiB."""
    result = log + ".json"
    subprocess.run([sys.executable, "-S", "-E", os.path.join(HERE, "measure.py"), result, log, *map(str, command)], check=True,
                   env=dict(os.environ, **ONE_THREAD))
    with open(result, encoding="utf-8") as f:
        use = json.load(f)
    return use["ok"], use["cpu_s"], use["peak_mib"]


class Bench:
    def __init__(self, build):
        self.suha = os.path.join(os.path.abspath(build), "suha")
        if not os.path.exists(self.suha):
            sys.exit(f"{self.suha} is not there: make builds it")
        os.makedirs(WORK, exist_ok=True)
        self.versions = {}

    def output(self, *command):
        return os.popen(" ".join(command)).read()

    def version(self, tool):
        if tool.startswith("suha"):
            return self.output(self.suha, "--version").split("\n")[0].replace("suha ", "").strip() or "?"
        if not self.versions:
            lines = self.output(PYTHON, "-m", "pip", "list", "--format=freeze", "2>/dev/null").split()
            self.versions = dict(line.split("==", 1) for line in lines if "==" in line)
        v = self.versions
        return f"pac-synth {v['pac-synth']}" if tool.startswith("sds") else f"smartnoise-synth {v['smartnoise-synth']}, mbi {v['mbi']}"

    def mechanisms(self):
        """Mechanisms with a guarantee besides the default that `suha release` offers, by its help."""
        for line in self.output(self.suha, "release", "--help").split("\n"):
            if line.strip().startswith("--mechanism"):
                return [m for m in ("mst", "aim", "sds", "row-seeded", "value-seeded", "unseeded") if m in line.replace("|", " ").replace(",", " ").split()]
        return []

    def read(self):
        if not os.path.exists(RESULTS):
            return []
        with open(RESULTS, newline="", encoding="utf-8") as f:
            return list(csv.DictReader(f))

    def forget(self, tool):
        with self.locked():
            kept = [r for r in self.read() if r["tool"] != tool]
            with open(RESULTS + ".new", "w", newline="", encoding="utf-8") as f:
                writer = csv.DictWriter(f, FIELDS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(kept)
            os.replace(RESULTS + ".new", RESULTS)

    @staticmethod
    def locked():
        """Two benches may run side by side on different tools."""
        f = open(os.path.join(WORK, "lock"), "w", encoding="utf-8")
        fcntl.flock(f, fcntl.LOCK_EX)
        return f

    def append(self, rows):
        with self.locked():
            fresh = not os.path.exists(RESULTS)
            with open(RESULTS, "a", newline="", encoding="utf-8") as f:
                writer = csv.DictWriter(f, FIELDS, lineterminator="\n")
                if fresh:
                    writer.writeheader()
                writer.writerows(rows)

    def has(self, tool, data, epsilon, seed):
        return any((r["tool"], r["data"], float(r["epsilon"]), int(r["seed"])) == (tool, data, float(epsilon), seed) for r in self.read())

    def file(self, data, seed):
        if data == "adult":
            return ADULT
        path = os.path.join(WORK, f"{data}-{seed}.csv")
        if not os.path.exists(path):
            self.output(self.suha, "generate", "--shape", data, "--seed", str(seed), "--out", path, "2>&1")
        return path

    def schema(self, data):
        """The instrument's name; for Adult a folder made from its public domain file."""
        if data != "adult":
            return data
        folder = os.path.join(WORK, "adult")
        os.makedirs(os.path.join(folder, "codelists"), exist_ok=True)
        with open(os.path.join(os.path.dirname(ADULT), "adult-domain.json"), encoding="utf-8") as f:
            cards = json.load(f)
        fields = []
        for card in set(cards.values()):
            with open(os.path.join(folder, "codelists", f"codes-{card}.csv"), "w", encoding="utf-8") as f:
                f.write("code,label_en\n" + "".join(f"{i},Code {i}\n" for i in range(card)))
        for name, card in cards.items():
            fields.append({"name": name, "title": name, "type": "string", "suha:type": "code", "suha:role": "quasi-identifier", "suha:codelist": f"codes-{card}",
                           "missingValues": [{"value": "", "label": "not recorded"}]})
        with open(os.path.join(folder, "schema.json"), "w", encoding="utf-8") as f:
            json.dump({"$schema": "https://datapackage.org/profiles/2.0/tableschema.json", "name": "adult", "title": "Adult, integer-coded", "version": "1",
                       "suha:groups": [], "suha:recordRules": [], "missingValues": [{"value": "", "label": "not recorded"}], "fields": fields}, f)
        return folder

    def domain(self, data):
        """Public values per column, from the codelists."""
        folder = self.schema(data) if data == "adult" else os.path.join(ROOT, "instruments", data)
        with open(os.path.join(folder, "schema.json"), encoding="utf-8") as f:
            fields = json.load(f)["fields"]
        out = {}
        for field in fields:
            name = field["suha:codelist"] + ".csv"
            path = os.path.join(folder, "codelists", name)
            if not os.path.exists(path):
                path = os.path.join(ROOT, "instruments", "codelists", name)
            with open(path, newline="", encoding="utf-8") as f:
                out[field["name"]] = [row["code"] for row in csv.DictReader(f)]
        return out

    def coding(self, data):
        """Adult's zeros are values; a zero of the others is a no, which is no attribute of a person."""
        domain, absent = self.domain(data), [""] if data == "adult" else ["", "0"]
        return metrics.Coding({c: [v for v in values if v not in absent] for c, values in domain.items()}, absent)

    def peer_domain(self, data):
        path = os.path.join(WORK, f"{data}-domain.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({c: sorted(set(values) | (set() if data == "adult" else {"", "0"} if data == "nb6k" else {""})) for c, values in self.domain(data).items()}, f)
        return path

    def command(self, tool, data, epsilon, seed, out):
        path, delta, length = self.file(data, seed), DELTA.get(data), LENGTH.get(data)
        if tool == "suha-count":
            return [self.suha, "count", path, "--schema", data, "--length", 3, "--threads", 1, "--out", os.path.join(out, "counts.tsv")]
        if tool == "sds-count":
            return [PYTHON, os.path.join(HERE, "sds.py"), "count", path, 3, out]
        if in_k_mode(tool):
            return [self.suha, "release", path, "--schema", data, "--mechanism", tool[5:], "--k", 10, "--no-evaluation", "--threads", 1, "--out", os.path.join(out, "bundle")]
        if tool.startswith("suha"):
            mechanism = AIM_80 if tool == "suha-aim-80mb" else ["--mechanism", tool[5:]] if tool != "suha" else []
            return [self.suha, "release", path, "--schema", self.schema(data), "--epsilon", epsilon, "--delta", delta, "--length", length, "--cap-epsilon", 100,
                    "--no-evaluation", "--threads", 1, *mechanism, "--out", os.path.join(out, "bundle")]
        if tool == "sds":
            return [PYTHON, os.path.join(HERE, "sds.py"), "release", path, epsilon, delta, length, out] + (["--zeros"] if data == "adult" else [])
        options = {"mst": ["mst"], "mst-as-installed": ["mst", "--as-installed"], "aim-1mb": ["aim", "--model-mb", 1]}[tool]
        return [PYTHON, os.path.join(HERE, "smartnoise.py"), *options[:1], path, self.peer_domain(data), epsilon, delta, out, *options[1:]]

    def published(self, tool, out):
        """Files of synthetic records and of counts (in metrics.py's form) that a run left."""
        if not tool.startswith("suha"):
            found = [os.path.join(out, name) for name in ("records.csv", "aggregates.csv")]
            return [p if os.path.exists(p) else None for p in found]
        bundle, counts = os.path.join(out, "bundle", "data"), os.path.join(out, "aggregates.csv")
        if not os.path.exists(os.path.join(bundle, "aggregates.csv")):
            return os.path.join(bundle, "microdata.csv"), None
        with open(os.path.join(bundle, "aggregates.csv"), newline="", encoding="utf-8") as f, open(counts, "w", newline="", encoding="utf-8") as g:
            writer = csv.writer(g, lineterminator="\n")
            for row in csv.DictReader(f):
                writer.writerow([row["count"]] + [part for pair in row["combination"].split(";") for part in pair.split("=", 1)])
        return os.path.join(bundle, "microdata.csv"), counts

    def run(self, tool, data, epsilon, seed):
        out = os.path.join(WORK, f"run-{tool}")
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        started, log = time.time(), os.path.join(WORK, f"{tool}-{data}-{epsilon}-{seed}.log")
        ok, cpu, peak = process(self.command(tool, data, epsilon, seed, out), log)
        base = {"day": datetime.date.today().isoformat(), "tool": tool, "version": self.version(tool), "data": data, "epsilon": epsilon,
                "delta": DELTA.get(data, ""), "length": LENGTH.get(data, 3), "seed": seed, "cpu_s": f"{cpu:.2f}", "peak_mib": f"{peak:.0f}"}
        if not ok:
            print(f"FAILED {tool} {data} epsilon {epsilon} seed {seed}: {log}", flush=True)
            return
        if epsilon == 0:
            self.append([dict(base, what="records" if in_k_mode(tool) else "counts")])
        else:
            self.append(self.judge(base, out, data, tool, seed))
        print(f"{tool} {data} epsilon {epsilon} seed {seed}: {cpu:.1f} CPU s, {peak:.0f} MiB, {time.time() - started:.0f} s in all", flush=True)

    def judge(self, base, out, data, tool, seed):
        records, counts = self.published(tool, out)
        coding, stages = self.coding(data), {}
        if os.path.exists(os.path.join(out, "stages.json")):
            with open(os.path.join(out, "stages.json"), encoding="utf-8") as f:
                stages = json.load(f)
        cells = [len(v) for v in self.domain(data).values()] if data == "adult" else None
        result = metrics.evaluate(coding, self.file(data, seed), records, counts, LENGTH[data], cells)
        rows = []
        for what in ("aggregates", "records"):
            for at, level in result.get(what, {}).items():
                row = dict(base, what=what, at=at, records=result.get("record_count", ""), cpu_stage_s=f"{stages[what]:.2f}" if what in stages else "")
                rows.append(dict(row, **{k: f"{v:.5g}" for k, v in level.items()}))
        return rows


def option(name, default):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def main():
    bench, until = Bench(sys.argv[1]), time.time() + 60 * float(option("--minutes", "100000"))
    only, again = option("--only", None), option("--again", None)
    if again:
        bench.forget(again)
    for tool, data, epsilon, seed in plan(bench.mechanisms()):
        if time.time() > until:
            print("out of time; run again to go on where it stopped")
            break
        if (only and tool not in only.split(",")) or bench.has(tool, data, epsilon, seed):
            continue
        if data == "adult" and not os.path.exists(ADULT):
            print(f"skipped {tool} on Adult: {ADULT} is not there")
            continue
        bench.run(tool, data, epsilon, seed)


if __name__ == "__main__":
    main()
