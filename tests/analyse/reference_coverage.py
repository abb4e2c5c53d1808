#!/usr/bin/env python3
"""Every number of the shared reference files is compared by a test within the file's stated tolerance, or stands in reference_leaves.txt
with the reason why not.

usage: reference_coverage.py PROGRAM...      test programs; they are run with SUHA_REFERENCE_LOG and must pass
       --list                                also print every number that is left
"""
import collections
import fnmatch
import json
import math
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("SUHA_SOURCE") or os.path.dirname(os.path.dirname(HERE))
SHARED = os.environ.get("SUHA_SHARED") or os.path.join(SOURCE, "..", "shared")


def leaves(value, path):
    if isinstance(value, dict):
        for key, child in value.items():
            yield from leaves(child, f"{path}/{key}")
    elif isinstance(value, list):
        for i, child in enumerate(value):
            yield from leaves(child, f"{path}/{i}")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, float(value)


class Rule:
    """A line of reference_leaves.txt."""
    def __init__(self, line, number):
        words = line.split(None, 2)
        if len(words) != 3:
            sys.exit(f"reference_leaves.txt, line {number}: pattern, kind or tolerance, reason")
        self.pattern, self.kind, self.reason = words
        self.number, self.used = number, 0
        self.tolerance = None if self.kind in ("input", "absent") else float(self.kind.lstrip("±"))
        self.absolute = self.kind.startswith("±")
        # * is any text without a slash, ** any text
        parts = re.split(r"(\*\*|\*)", self.pattern)
        self.match = re.compile("".join({"**": ".*", "*": "[^/]*"}.get(p, re.escape(p)) for p in parts) + "$").match


def rules():
    out = []
    with open(os.path.join(HERE, "reference_leaves.txt"), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if line.strip() and not line.startswith("#"):
                out.append(Rule(line.strip(), number))
    return out


def run(programs):
    """(path -> smallest distance found in a comparison), and the paths that were read. A comparison belongs to the number of its value that
    was read last and not yet compared."""
    compared, read = {}, set()
    for program in programs:
        with open(program, "rb") as f:
            if b"SUHA_REFERENCE_LOG" not in f.read():         # it reads no reference
                continue
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log")
            env = dict(os.environ, SUHA_REFERENCE_LOG=log, SUHA_SOURCE=SOURCE, CMOCKA_MESSAGE_OUTPUT="TAP")
            done = subprocess.run([program], env=env, capture_output=True, text=True)
            if done.returncode:
                print(f"not ok - {os.path.basename(program)} fails\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
                sys.exit(1)
            if not os.path.exists(log):
                continue
            waiting = collections.defaultdict(list)       # value -> paths read with this value, latest last
            with open(log, encoding="utf-8") as f:
                for line in f:
                    kind, _, rest = line.rstrip("\n").partition(" ")
                    if kind == "read":
                        path, _, value = rest.rpartition(" ")
                        read.add(path)
                        waiting[float(value)].append(path)
                    else:
                        want, got, _ = (float(x) for x in rest.split())
                        if waiting[want]:
                            path = waiting[want].pop()
                            compared[path] = min(abs(got - want), compared.get(path, math.inf))
    return compared, read


def main():
    build = os.environ.get("SUHA_BUILD", "")      # meson names programs as seen from the build folder
    programs = [os.path.join(build, a) for a in sys.argv[1:] if not a.startswith("--")]
    folder = os.path.join(SHARED, "reference")
    if not os.path.isdir(folder):
        print(f"ok 1 - reference coverage # SKIP no {folder}")
        print("1..1")
        return
    compared, read = run(programs)
    known, left, loose = rules(), [], []
    counts = collections.OrderedDict()
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            for path, value in leaves(json.load(f), name):
                count = counts.setdefault(name, collections.Counter())
                count["all"] += 1
                rule = next((r for r in known if r.match(path)), None)
                if rule and rule.tolerance is None:
                    rule.used += 1
                    count[rule.kind] += 1
                elif path not in compared:
                    left.append(f"{path} = {value!r}{' (read, not compared)' if path in read else ''}")
                    count["left"] += 1
                elif not rule:
                    left.append(f"{path}: the file has no stated tolerance in reference_leaves.txt")
                    count["left"] += 1
                else:
                    rule.used += 1
                    count["compared"] += 1
                    allowed = rule.tolerance if rule.absolute else rule.tolerance * abs(value)
                    if not compared[path] <= max(allowed, 1e-9 if abs(value) < 1e-12 else 0):
                        loose.append(f"{path} = {value!r}: found {compared[path]:.2g} away, stated {rule.kind}")
    for name, count in counts.items():
        print(f"# {name}: {count['all']} numbers, {count['compared']} compared, {count['input']} inputs, {count['absent']} not compared "
              f"(reason in reference_leaves.txt), {count['left']} left")
    idle = [f"line {r.number}: {r.pattern}" for r in known if not r.used]
    for number, (what, lines) in enumerate((("every number is compared or has its reason", left), ("within the stated tolerance", loose),
                                            ("no idle line in reference_leaves.txt", idle)), 1):
        for line in lines if "--list" in sys.argv else lines[:20]:
            print(f"# {line}")
        print(f"{'not ok' if lines else 'ok'} {number} - {what}{f': {len(lines)}' if lines else ''}")
    print("1..3")
    sys.exit(1 if left or loose or idle else 0)


main()
