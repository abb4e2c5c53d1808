#!/usr/bin/env python3
"""Writes the sections "Peers" and "Real data" of bench/RESULTS.md from results.csv, real.csv and real_attacks.csv. Every figure in them is a mean or a median over rows of those files.

usage: tables.py      replaces what stands between the markers in bench/RESULTS.md; adds the sections at the end when there are none
"""
import csv
import os
import re
import statistics

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS_MD = os.path.join(os.path.dirname(HERE), "RESULTS.md")
NAMES = {"suha": "Suha", "suha-mst": "Suha, mst", "suha-aim": "Suha, aim", "suha-aim-80mb": "Suha, aim, 80 MiB", "suha-sds": "Suha, sds",
         "suha-row-seeded": "Suha, row-seeded", "suha-value-seeded": "Suha, value-seeded", "suha-unseeded": "Suha, unseeded", "sds": "SDS", "mst": "MST (SmartNoise)",
         "mst-as-installed": "MST (SmartNoise) as installed", "aim-1mb": "AIM, 1 MB (SmartNoise)"}
SHOWN = [("c17k", 4), ("c17k", 12), ("nb6k", 4)]
METRICS = [("error_union", "error, union", 1, 1), ("error_common", "error, common", 1, 1), ("suppressed", "suppressed %", 100, 1), ("fabricated", "fabricated %", 100, 1)]


def rows_of(name):
    path = os.path.join(HERE, name)
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


ROWS = rows_of("results.csv")
TOOLS = [t for t in NAMES if any(r["tool"] == t for r in ROWS)]


def values(tool, data, epsilon, what, at, key, seeds=None):
    return [float(r[key]) for r in ROWS if r["tool"] == tool and r["data"] == data and float(r["epsilon"]) == epsilon and r["what"] == what and r["at"] == str(at)
            and r[key] not in ("", "nan") and (seeds is None or r["seed"] in seeds)]


def seeds_of(tool, data, epsilon):
    return {r["seed"] for r in ROWS if r["tool"] == tool and r["data"] == data and float(r["epsilon"]) == epsilon}


def lengths(data):
    return range(1, max((int(r["length"]) for r in ROWS if r["data"] == data), default=0) + 1)


def spread(found, scale, digits):
    if not found:
        return "-"
    mean = f"{statistics.mean(found) * scale:.{digits}f}"
    return mean + (f"±{statistics.stdev(found) * scale:.{digits}f}" if len(found) > 1 else "")


def accuracy(tools, whats):
    """One row per tool; a cell holds the lengths 1, 2, ... in turn."""
    out = ["| data, epsilon | what | tool (seeds) | " + " | ".join(m[1] for m in METRICS) + " |", "|---" * (3 + len(METRICS)) + "|"]
    for data, epsilon in SHOWN:
        for what in whats:
            for tool in tools:
                if values(tool, data, epsilon, what, 1, "error_union"):
                    cells = [" / ".join(spread(values(tool, data, epsilon, what, at, key), scale, digits) for at in lengths(data)) for key, _, scale, digits in METRICS]
                    out.append(f"| {data}, {epsilon} | {what} | {NAMES[tool]} ({len(seeds_of(tool, data, epsilon))}) | " + " | ".join(cells) + " |")
    return out


def mean(*key):
    found = values(*key)
    return statistics.mean(found) if found else None


def ratios():
    """Suha's union error over SDS's on the same files."""
    out = ["| data, epsilon | what | same files | length 1 | length 2 | length 3 | length 4 |", "|---|---|---|---|---|---|---|"]
    for data, epsilon in SHOWN:
        seeds = seeds_of("suha", data, epsilon) & seeds_of("sds", data, epsilon)
        for what in ("aggregates", "records"):
            cells = []
            for at in range(1, 5):
                ours, theirs = (mean(tool, data, epsilon, what, at, "error_union", seeds) for tool in ("suha", "sds"))
                cells.append(f"{ours / theirs:.2f}" if ours and theirs else "-")
            if seeds:
                out.append(f"| {data}, {epsilon} | {what} | {len(seeds)} | " + " | ".join(cells) + " |")
    return out


PEERS = ("sds", "mst", "aim-1mb")


def lower(peer, data, epsilon, what, key, name, scale, digits):
    found = []
    for at in lengths(data):
        ours, theirs = mean("suha", data, epsilon, what, at, key), mean(peer, data, epsilon, what, at, key)
        if ours is not None and theirs is not None and theirs * 1.01 + 0.0005 < ours:
            found.append(f"length {at}: {theirs * scale:.{digits}f} against {ours * scale:.{digits}f}")
    return [f"- {NAMES[peer]}, {what} of {data} at epsilon {epsilon:g}, {name}: " + "; ".join(found)] if found else []


def peer_wins():
    """Means only, and only where the peer's is lower by more than one part in a hundred."""
    out = []
    others = sorted({(r["data"], float(r["epsilon"])) for r in ROWS if r["data"] != "adult" and float(r["epsilon"]) > 0} - {(d, float(e)) for d, e in SHOWN})
    for peer in PEERS:
        for what in ("aggregates", "records"):
            for data, epsilon in SHOWN:
                for metric in METRICS:
                    out += lower(peer, data, epsilon, what, *metric)
            for data, epsilon in others:
                out += lower(peer, data, epsilon, what, *METRICS[0])
        for at in (2, 3):
            theirs = mean(peer, "adult", 1, "records", at, "tv")
            ours = [(mean(t, "adult", 1, "records", at, "tv"), NAMES[t]) for t in TOOLS if t.startswith("suha")]
            worse = [f"{v:.4f} ({name})" for v, name in ours if v is not None and theirs is not None and theirs < v]
            if worse:
                out.append(f"- {NAMES[peer]}, Adult at epsilon 1, mean total variation {at}-way: {theirs:.4f} against {', '.join(worse)}")
    return out or ["- nowhere in these tables"]


def adult():
    out = ["| tool (runs) | two-way | three-way | CPU s | peak MiB |", "|---|---|---|---|---|"]
    for tool in TOOLS:
        two, three = (values(tool, "adult", 1, "records", at, "tv") for at in (2, 3))
        if two:
            cpu, peak = use(tool, "adult", 1)
            out.append(f"| {NAMES[tool]} ({len(two)}) | {spread(two, 1, 4)} | {spread(three, 1, 4)} | {cpu} | {peak} |")
    return out if len(out) > 2 else []


def use(tool, data, epsilon):
    runs = {r["seed"]: r for r in ROWS if r["tool"] == tool and r["data"] == data and float(r["epsilon"]) == epsilon}.values()
    if not runs:
        return None, None
    return f"{statistics.median(float(r['cpu_s']) for r in runs):.2f}", f"{max(float(r['peak_mib']) for r in runs):.0f}"


def stage(tool, data, epsilon, what):
    found = {r["seed"]: float(r["cpu_stage_s"]) for r in ROWS if r["tool"] == tool and r["data"] == data and float(r["epsilon"]) == epsilon and r["what"] == what and r["cpu_stage_s"]}
    return f", {'counts' if what == 'aggregates' else 'records'} {statistics.median(found.values()):.1f}" if found else ""


def speed():
    out = ["| job | tool | CPU s | peak MiB |", "|---|---|---|---|"]
    for data in ("c17k", "c50k", "c206k"):
        for tool, name in (("suha-count", "Suha"), ("sds-count", "SDS")):
            cpu, peak = use(tool, data, 0)
            if cpu:
                out.append(f"| all counts up to length 3, {data} | {name} | {cpu} | {peak} |")
    for tool in ("suha-row-seeded", "suha-value-seeded", "suha-unseeded"):
        cpu, peak = use(tool, "c17k", 0)
        if cpu:
            out.append(f"| K-anonymous release of c17k, K = 10 | {NAMES[tool]} | {cpu} | {peak} |")
    for data, epsilon in SHOWN + [("adult", 1)]:
        for tool in TOOLS:
            cpu, peak = use(tool, data, epsilon)
            if cpu:
                out.append(f"| release of {data}, epsilon {epsilon} | {NAMES[tool]} | {cpu}{stage(tool, data, epsilon, 'aggregates')}{stage(tool, data, epsilon, 'records')} | {peak} |")
    return out


def goal(name, tool, data, epsilon, what, key, limits, scale=1):
    got = [mean(tool, data, epsilon, what, at, key) for at, _ in limits]
    if any(g is None for g in got):
        return None
    met = all(round(g * scale, 2) <= limit for g, (_, limit) in zip(got, limits))
    return f"| {name} | {' / '.join(f'{limit:g}' for _, limit in limits)} | {' / '.join(f'{g * scale:.3g}' for g in got)} | {'yes' if met else '**no**'} |"


def goals():
    rows = [goal("A1 nb6k, 4: counts, error (common), length 1 to 4", "suha", "nb6k", 4, "aggregates", "error_common", [(1, 8), (2, 6), (3, 6), (4, 7)]),
            goal("A1 nb6k, 4: counts, suppressed %", "suha", "nb6k", 4, "aggregates", "suppressed", [(a, 1) for a in (1, 2, 3, 4)], 100),
            goal("A1 nb6k, 4: counts, fabricated %", "suha", "nb6k", 4, "aggregates", "fabricated", [(a, 1) for a in (1, 2, 3, 4)], 100),
            goal("A2 nb6k, 4: records, error (common), length 1 to 4", "suha", "nb6k", 4, "records", "error_common", [(1, 7), (2, 6), (3, 6), (4, 6)]),
            goal("A4 c17k, 4: records, error (union), length 1 to 3", "suha", "c17k", 4, "records", "error_union", [(1, 8), (2, 7), (3, 4)]),
            goal("A5 c17k, 12: counts, error (common)", "suha", "c17k", 12, "aggregates", "error_common", [(1, 3), (2, 4), (3, 6.5)]),
            goal("A5 c17k, 12: counts, suppressed %", "suha", "c17k", 12, "aggregates", "suppressed", [(1, 3), (2, 32), (3, 47)], 100),
            goal("A5 c17k, 12: counts, fabricated %", "suha", "c17k", 12, "aggregates", "fabricated", [(1, 0), (2, 3), (3, 18)], 100),
            goal("A5 c17k, 12: records, error (union)", "suha", "c17k", 12, "records", "error_union", [(1, 4), (2, 3), (3, 3)])]
    for tool in [t for t in TOOLS if t.startswith("suha")]:
        both = [mean(tool, "adult", 1, "records", at, "tv") for at in (2, 3)]
        if None not in both:
            met = both[0] <= 0.042 and both[1] <= 0.068
            rows.append(f"| A6 Adult, 1: mean total variation two-way / three-way, {NAMES[tool]} | 0.042 / 0.068 | {both[0]:.4f} / {both[1]:.4f} | {'yes' if met else '**no**'} |")
    rows += beside_sds()
    for name, tool, data, epsilon, limit in (("4 row-seeded c17k, K = 10, whole process, CPU s", "suha-row-seeded", "c17k", 0, 0.5),
                                             ("5 value-seeded c17k, K = 10, whole process, CPU s", "suha-value-seeded", "c17k", 0, 1),
                                             ("9 release of c17k at 4 with records, whole process, CPU s", "suha", "c17k", 4, 20),
                                             ("10 MST, Adult, whole process, CPU s", "suha-mst", "adult", 1, 2), ("10 MST, c17k, whole process, CPU s", "suha-mst", "c17k", 4, 3),
                                             ("11 AIM with 1 MB, Adult, whole process, CPU s", "suha-aim", "adult", 1, 20),
                                             ("11 AIM with 80 MB, Adult, whole process, CPU s", "suha-aim-80mb", "adult", 1, 600)):
        cpu, _ = use(tool, data, epsilon)
        if cpu:
            rows.append(f"| {name} | {limit:g} | {cpu} | {'yes' if float(cpu) <= limit else '**no**'} |")
    return ["| goal (\"must\") | limit | measured | met |", "|---|---|---|---|"] + [r for r in rows if r]


def beside_sds():
    rows = []
    for key, name, scale, digits in METRICS:
        pairs = [(mean("suha", "c17k", 4, "aggregates", at, key), mean("sds", "c17k", 4, "aggregates", at, key)) for at in (1, 2, 3)]
        if all(None not in p for p in pairs):
            rows.append(f"| A3 c17k, 4: counts better than SDS, {name} | {' / '.join(f'{p[1] * scale:.{digits}f}' for p in pairs)} | {' / '.join(f'{p[0] * scale:.{digits}f}' for p in pairs)} "
                        f"| {'yes' if all(p[0] <= p[1] for p in pairs) else '**no**'} |")
    fabricated = [(mean("suha", "c17k", 4, "records", at, "fabricated"), mean("sds", "c17k", 4, "records", at, "fabricated")) for at in (1, 2, 3)]
    if all(None not in p for p in fabricated):
        rows.append(f"| c17k, 4: records fabricate no more than SDS, % | {' / '.join(f'{p[1] * 100:.1f}' for p in fabricated)} | {' / '.join(f'{p[0] * 100:.1f}' for p in fabricated)} "
                    f"| {'yes' if all(p[0] <= p[1] for p in fabricated) else '**no**'} |")
    ratio = [(mean("suha", "c17k", 4, "records", at, "error_union"), mean("sds", "c17k", 4, "records", at, "error_union"), limit) for at, limit in ((1, 1 / 3), (2, 1 / 5), (3, 1 / 3))]
    if all(None not in r for r in ratio):
        rows.append(f"| c17k, 4: records, share of SDS's union error, length 1 to 3 | 0.33 / 0.20 / 0.33 | {' / '.join(f'{r[0] / r[1]:.2f}' for r in ratio)} "
                    f"| {'yes' if all(r[0] <= r[1] * r[2] for r in ratio) else '**no**'} |")
    for what in ("aggregates", "records"):
        cross = [(mean("suha", "c17k", 4, what, at, "error_union"), mean("sds", "c17k", 12, what, at, "error_union")) for at in (1, 2, 3)]
        if all(None not in p for p in cross):
            rows.append(f"| A7 c17k: {what} at epsilon 4 at least as accurate as SDS's at 12, error (union) | {' / '.join(f'{p[1]:.1f}' for p in cross)} "
                        f"| {' / '.join(f'{p[0]:.1f}' for p in cross)} | {'yes' if all(p[0] <= p[1] for p in cross) else '**no**'} |")
    return rows


def sweep():
    epsilons = sorted({float(r["epsilon"]) for r in ROWS if r["data"] == "c17k" and float(r["epsilon"]) > 0})
    out = ["| what | tool | length | " + " | ".join(f"{e:g}" for e in epsilons) + " |", "|---" * (3 + len(epsilons)) + "|"]
    for what in ("aggregates", "records"):
        for tool in ("suha", "sds", "mst"):
            for at in (1, 2, 3):
                cells = [values(tool, "c17k", e, what, at, "error_union") for e in epsilons]
                if any(cells):
                    out.append(f"| {what} | {NAMES[tool]} | {at} | " + " | ".join(f"{statistics.mean(c):.1f} ({len(c)})" if c else "-" for c in cells) + " |")
    return out


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        return next((line.split(": ", 1)[1].strip() for line in f if line.startswith("model name")), "unknown processor")


def versions():
    return "; ".join(sorted({r["version"] if r["version"][0].isalpha() else "suha " + r["version"] for r in ROWS}))


def days():
    found = sorted({r["day"] for r in ROWS})
    return found[0] if len(found) == 1 else f"{found[0]} to {found[-1]}"


def peers():
    parts = ["## Peers", "", "`make bench-peers`; every run is a row of bench/peers/results.csv, judged by bench/peers/metrics.py, one script for all tools, which is checked against Suha's own evaluation.",
             f"{machine()}, 2 cores shared with other work, {days()}; {versions()}. One thread each; CPU seconds are user + system of the whole process with the start of its",
             "interpreter (median), peak memory is its maximum. A seed is a generated file, released with fresh noise; the same files and the same (epsilon, delta) for all tools: delta 5.8e-6 on",
             "c17k, 1.9e-5 on nb6k, 1e-9 on Adult. Mean±standard deviation over the seeds, whose number is in brackets: a peer with one seed has no spread.", "",
             "**SDS** is Synthetic Data Showcase as pac-synth, with its defaults; it takes its values from the data. **MST** and **AIM** are smartnoise-synth's on mbi, told the public values, as",
             "Suha is. mbi 1.1.0 draws wrong records from a right model (bench/peers/mbi_records.py shows it), so our script draws them as the authors meant; \"as installed\" is without that.",
             "Not compared: private-pgm's own mechanisms (not a package; its library is mbi), and SDS's row-seeded, value-seeded and unseeded modes (in no registry)."
             + ("" if "aim-1mb" in TOOLS else " AIM of smartnoise-synth has not finished a run yet."), "",
             "### Goals", "", "Limits beside SDS are its means over the seeds given in the table after this one. Goals 1 to 3, 6 to 8 and 12 are in the first table of this page, P1 (intervals) is the column `covered` under Accuracy, P2 (sigma over that of exact accounting, 1.0005 of 1.10) stands in docs/methods/accounting.md. A goal that is listed nowhere was not measured.", ""] + goals() + ["", "### Error, suppression, fabrication: lengths 1 / 2 / 3 (/ 4)", ""] + accuracy(["suha", "sds", "mst", "mst-as-installed"], ("aggregates", "records"))
    parts += ["", "Suha's union error as a share of SDS's on the same files:", ""] + ratios()
    if any(t in TOOLS for t in ("suha-mst", "suha-aim", "suha-sds")):
        parts += ["", "Suha's other mechanisms on the same files:", ""] + accuracy(["suha-mst", "suha-aim", "suha-sds"], ("aggregates", "records"))
    parts += ["", "### Where a peer wins", "", "By the means above, Suha with its default mechanism. A tool that prints fewer combinations has a lower common error and fabricates less; the union error counts both.", ""] + peer_wins()
    if adult():
        parts += ["", "### Adult, epsilon 1, delta 1e-9: mean total variation of records", "", "48,842 records, 14 columns; all 91 two-way and the 210 three-way tables of at most 10,000 cells.", ""] + adult()
    parts += ["", "### Union error against epsilon, c17k (seeds)", "", "Drawn in docs/img/error-epsilon.svg.", ""] + sweep() + ["", "### CPU and memory", ""] + speed()
    return "\n".join(parts)


def real():
    rows = rows_of("real.csv")
    if not rows:
        return ""
    out = ["## Real data", "", "From `bench/peers/real.py` on files of ../shared that are not ours to ship; Suha's own evaluation of the harmonised records. delta 1e-9, combinations to length 3, one release each.", "",
           "| file | records | epsilon | what | length | error, common | error, union | suppressed % | fabricated % | covered % | mean total variation | CPU s | peak MiB |", "|---" * 13 + "|"]
    for r in rows:
        def cell(key, scale, digits):
            return f"{float(r[key]) * scale:.{digits}f}" if r[key] else "-"
        out.append(f"| {r['file']} | {r['records']} | {r['epsilon']} | {r['what']} | {r['at']} | {cell('error_common', 1, 2)} | {cell('error_union', 1, 2)} | {cell('suppressed', 100, 1)} "
                   f"| {cell('fabricated', 100, 1)} | {cell('coverage', 100, 1)} | {cell('total_variation', 1, 4)} | {r['cpu_s']} | {r['peak_mib']} |")
    return "\n".join(out)


WORDS = {"holds": "not contradicted", "vacuous": "vacuous", "broken": "PROMISE BROKEN"}


def attacks():
    rows = rows_of("real_attacks.csv")
    if not rows:
        return ""
    out = ["", "### Attacks on releases of the same files", "",
           f"From the same command (`suha attack`, docs/methods/attacks.md; {rows[0]['rounds']} releases of each kind in memory, {rows[0]['seconds']} CPU seconds for the records of each; up to {rows[0]['targets']} of the most isolated records looked for). A cell holds "
           "the strongest attack by AUC, its AUC ± standard error; TPR is its share of targets found at no more than 1 % false positives, and what epsilon allows at the false positives it had. Controls protect nobody: attacks must succeed there, or "
           "their failure on the release says nothing: the run is then vacuous. That attacks fail proves nothing; one that is above its bound for sure would prove a bug. Shares of a few hundred tries vary by some points (Adult: 3.1 beside 2.1 is within that); `shows epsilon` takes this into account at one in a million. ctdc2020_joined is k-anonymous already (no "
           "combination of its columns has a count below 11): nobody in it stands alone, so nobody can be found there in a copy either.", "",
           "| file | records | epsilon | release: AUC | TPR % (bound %) | shows epsilon ≥ | bootstrap copy | exact half | row-seeded K=2 | verdict | CPU s |", "|---" * 11 + "|"]
    keys = list(dict.fromkeys((r["file"], r["epsilon"]) for r in rows))
    for key in keys:
        w = {r["world"]: r for r in rows if (r["file"], r["epsilon"]) == key}
        cells = [f"{w[k]['attack']} {float(w[k]['auc']):.2f}±{float(w[k]['auc_se']):.2f}" for k in ("release", "bootstrap copy", "exact half", "row-seeded K=2")]
        r = w["release"]
        out.append(f"| {r['file']} | {r['records']} | {r['epsilon']} | {cells[0]} | {100 * float(r['true_positive_rate']):.1f} ({100 * float(r['bound']):.1f}) | {float(r['epsilon_at_least']):.2f} "
                   f"| {cells[1]} | {cells[2]} | {cells[3]} | {WORDS[r['verdict']]} | {r['cpu_s']} |")
    return "\n".join(out)


def put(text, name, body):
    begin, end = f"<!-- {name}: written by bench/peers/tables.py -->", f"<!-- end of {name} -->"
    block = f"{begin}\n{body}\n{end}"
    if begin in text:
        return re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda m: block, text, flags=re.S)
    return text.rstrip("\n") + "\n\n" + block + "\n"


def main():
    with open(RESULTS_MD, encoding="utf-8") as f:
        text = f.read()
    for name, body in (("peers", peers() if ROWS else ""), ("real data", real() + attacks())):
        if body:
            text = put(text, name, body)
    with open(RESULTS_MD + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(RESULTS_MD + ".new", RESULTS_MD)
    print(RESULTS_MD)


main()
