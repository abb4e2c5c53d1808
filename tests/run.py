#!/usr/bin/env python3
"""Builds and runs every test, plain and under ASan+UBSan, and ends with one line: N passed, N failed[, N skipped].

usage: tests/run.py [--plain] [WORD...]      only tests whose name contains a WORD; --plain leaves the sanitizer build out
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILDS = [("build-test", []), ("build-asan", ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1"])]
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


def build(name, options):
    folder = os.path.join(ROOT, name)
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        subprocess.run(["meson", "setup", folder, *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(["ninja", "-C", folder], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-8000:], done.stderr[-2000:])
        sys.exit("the build failed")
    return json.loads(subprocess.run(["meson", "introspect", folder, "--tests"], cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def count(output):
    """Subtests of one program: its own closing line, or TAP."""
    summary = SUMMARY.findall(output)
    if summary:
        passed, failed, skipped = summary[-1]
        return int(passed), int(failed), int(skipped or 0)
    good = len(re.findall(r"^ok\b(?!.*# SKIP)", output, re.M))
    failed = len(re.findall(r"^not ok\b(?!.*# SKIP)", output, re.M))
    return good, failed, len(re.findall(r"^(?:not )?ok\b.*# SKIP", output, re.M))      # cmocka 1.1.5 writes "not ok" before a skipped test


def run(build_name, test):
    env = dict(os.environ, **test["env"], SUHA_BUILD=os.path.join(ROOT, build_name), SUHA_ROOT=ROOT)
    env.setdefault("ASAN_OPTIONS", "detect_leaks=1:allocator_may_return_null=1")
    env.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    start = time.monotonic()
    try:
        done = subprocess.run(test["cmd"], env=env, cwd=test["workdir"] or ROOT, capture_output=True, timeout=max(test["timeout"], 30) * 10)     # slow and busy machines are no defect
        output, code = (done.stdout + done.stderr).decode("utf-8", "replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        output, code = ((late.stdout or b"") + (late.stderr or b"")).decode("utf-8", "replace") + "\ntimed out", 1
    passed, failed, skipped = count(output)
    if code and not failed:
        failed = 1
    if not passed and not failed and not skipped:
        failed = 1
        output += "\nno test was run"
    return build_name, test["name"], passed, failed, skipped, time.monotonic() - start, output


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    builds = BUILDS[:1] if "--plain" in sys.argv else BUILDS
    jobs = []
    for name, options in builds:
        print(f"building {name}", flush=True)
        tests = [t for t in build(name, options) if not words or any(w in t["name"] for w in words)]
        jobs += [(name, t) for t in tests if name == BUILDS[0][0] or "house" not in " ".join(t["suite"])]     # no sanitizer for scripts
    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for b, name, p, f, s, seconds, output in pool.map(lambda j: run(*j), jobs):
            passed, failed, skipped = passed + p, failed + f, skipped + s
            print(f"{'FAIL' if f else 'ok  '} {b:10} {name:44} {p:4} passed {f} failed {s} skipped  {seconds:6.1f} s", flush=True)
            if f:
                print(output[-6000:], flush=True)
            for line in re.findall(r"^.*(?:# SKIP|skipped:).*$", output, re.M):
                print("     ", line.strip())
    print(f"{passed} passed, {failed} failed, {skipped} skipped" if skipped else f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
