#!/usr/bin/env python3
"""Do the tests notice? Plants one bug at a time (meson option `plant`, include/base/suha/plant.h), rebuilds what it touches, and runs tests that
must fail. Ends with `N passed, N failed`; a bug that every test lets through is a failure.

usage: tests/audit/mutants.py [NAME...]      only these bugs; `make audit-mutants` tries all
"""
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build-mutants")

# bug: what is wrong, and the tests of `make test` or `make audit` that are run against it, in this order, until one fails
BUGS = {
    "noise-halved": ("noise of half the scale", ["protect release measure", "protect release audit"]),
    "two-cells": ("a record counted in two cells", ["protect release measure"]),
    "gate-off-by-one": ("threshold of combinations one length off", ["protect release gate"]),
    "k-off-by-one": ("a count of K - 1 printed", ["protect release gate"]),
    "domain-from-data": ("codes read off the data", ["cli shape"]),
    "header-from-data": ("column names left out when nobody has a value", ["audit binary"]),
    "exact-n": ("the exact number of records published", ["audit worlds"]),
    "noise-per-table": ("generator restarted for every table: the same noise twice", ["protect release measure"]),
    "noise-per-measurement": ("generator restarted for every measurement: noise that cancels", ["protect release measure"]),
    "free-retry": ("a failed release gives its budget back", ["vault ledger"]),
    "floor-bias": ("counts rounded down", ["protect release gate"]),
    "float-noise": ("rounded normal noise in floating point", ["protect sample"]),
    "cks-comparison": ("exact comparison off by one", ["protect sample"]),
    "wide-product-wraps": ("128-bit products that wrap", ["audit products"]),
    "sqrt-delta-forgotten": ("noise for one combination where a record may count in several", ["audit bounds"]),
    "grid-from-data": ("contribution bounds tried up to the longest record only", ["audit bounds"]),
    "contribution-forgotten": ("noise for one record of a person who may have several", ["protect contribution"]),
    "rules-forgotten": ("noise published in cells that rules make impossible", ["protect zeros"]),
    "shared-stream": ("workers draw from one stream", ["protect release measure"]),
}
# Tests of `make audit`, shortened: what is built, what is run.
AUDITS = {
    "audit products": ("tests/audit/audit_products", [os.path.join(BUILD, "tests/audit/audit_products")]),
    "audit bounds": ("tests/audit/audit_bounds", [os.path.join(BUILD, "tests/audit/audit_bounds")]),
    "audit worlds": ("tests/audit/audit_worlds", [os.path.join(BUILD, "tests/audit/audit_worlds"), "20000", "2000", "residual"]),
    "audit binary": ("suha", [sys.executable, os.path.join(ROOT, "tests/audit/audit_binary.py"), "quick"]),
}


def meson(*arguments):
    return subprocess.run(["meson", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def plant(name):
    if os.path.exists(os.path.join(BUILD, "build.ninja")):
        meson("configure", BUILD, f"-Dplant={name}")
    else:
        meson("setup", BUILD, f"-Dplant={name}")


def known_tests():
    """name: what to build, what to run, environment."""
    found = {}
    for t in json.loads(meson("introspect", BUILD, "--tests")):
        program = t["cmd"][0]
        target = os.path.relpath(program, BUILD) if program.startswith(BUILD) else "suha"
        found[t["name"]] = (target, t["cmd"], t["env"])
    for name, (target, command) in AUDITS.items():
        found[name] = (target, command, {})
    return found


def build(targets):
    done = subprocess.run(["ninja", "-C", BUILD, *sorted(set(targets))], capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-3000:])
    return done.returncode == 0


def run(test):
    """None when it passes, else what failed in it."""
    _, command, env = test
    environment = {**os.environ, "SUHA_SOURCE": ROOT, "SUHA_ROOT": ROOT, "SUHA_BUILD": BUILD, "SUHA_TEST_SEED": "20261121", **env}
    try:
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, timeout=600)
    except subprocess.TimeoutExpired:
        return "it did not end"
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode == 0:
        return None
    names = re.findall(r"^not ok \d+ - (\S+)", output, re.M) or re.findall(r"^(test_\w+) FAILED", output, re.M)
    names = names or [" ".join(line.split()) for line in re.findall(r"^FAILED (.*)$", output, re.M)]
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "") if names else f"exit {done.returncode}"


def control(tests, used):
    """Without a bug every test used must pass, or failing with one says nothing."""
    if not build(tests[name][0] for name in used):
        sys.exit("the build without a bug failed")
    for name in used:
        why = run(tests[name])
        if why:
            sys.exit(f"{name} fails without any bug planted ({why}): mend that first")
    print(f"without a bug {len(used)} tests pass: {', '.join(used)}", flush=True)


def attempt(name, tests):
    what, order = BUGS[name]
    start = time.monotonic()
    plant(name)
    if not build(tests[t][0] for t in order):
        return False, f"{what}: does not compile"
    for t in order:
        why = run(tests[t])
        if why:
            return True, f"{what}: caught by {t} ({why}), {time.monotonic() - start:.0f} s"
    return False, f"{what}: not noticed by {', '.join(order)}"


def main():
    plant("none")
    option = next(o for o in json.loads(meson("introspect", BUILD, "--buildoptions")) if o["name"] == "plant")
    choices = {c for c in option["choices"] if c not in ("", "none")}
    if choices != set(BUGS):
        sys.exit(f"meson_options.txt and this file differ in: {', '.join(sorted(choices ^ set(BUGS)))}")
    wanted = sys.argv[1:] or list(BUGS)
    tests = known_tests()
    control(tests, sorted({t for name in wanted for t in BUGS[name][1]}))
    passed = failed = 0
    for name in wanted:
        caught, line = attempt(name, tests)
        passed, failed = passed + caught, failed + (not caught)
        print(f"{'caught' if caught else 'MISSED'}  {name:22} {line}", flush=True)
    plant("none")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
