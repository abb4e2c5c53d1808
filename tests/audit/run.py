#!/usr/bin/env python3
"""`make audit`: attacks on what we ship (docs/methods/audit.md). Under 15 minutes on two free cores. Builds what it
needs in build-test and ends with one line: N passed, N failed[, N skipped]."""
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build-test")
PARTS = [
    ("products that do not fit", [os.path.join(BUILD, "tests/audit/audit_products")]),
    ("contribution bounds", [os.path.join(BUILD, "tests/audit/audit_bounds")]),
    ("two worlds, a million runs each", [os.path.join(BUILD, "tests/audit/audit_worlds")]),
    ("a thousand canaries, one run", [os.path.join(BUILD, "tests/audit/audit_canaries"), "10"]),
    ("the shipped program, from its files", [sys.executable, os.path.join(ROOT, "tests/audit/audit_binary.py")]),
]


def build():
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.run(["meson", "setup", BUILD], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    programs = [f"tests/audit/audit_{name}" for name in ("products", "bounds", "worlds", "canaries")]
    done = subprocess.run(["ninja", "-C", BUILD, "suha", *programs], capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-8000:], done.stderr[-2000:])
        sys.exit("the build failed")


def main():
    build()
    env = dict(os.environ, SUHA_BUILD=BUILD, SUHA_SOURCE=ROOT)
    total = [0, 0, 0]
    start = time.monotonic()
    for title, command in PARTS:
        print(f"== {title}", flush=True)
        began, last = time.monotonic(), ""
        run = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in run.stdout:
            summary = re.match(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", line)
            last = summary or last
            if not summary:
                print(line, end="", flush=True)
        code = run.wait()
        numbers = [int(n or 0) for n in last.groups()] if last else [0, 1, 0]
        if not last or (code and not numbers[1]):
            numbers[1] = numbers[1] or 1
            print(f"FAILED it ended early, exit {code}")
        total = [a + b for a, b in zip(total, numbers)]
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
    print(f"audit: {time.monotonic() - start:.0f} s on {os.cpu_count()} cores")
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    sys.exit(1 if total[1] or not total[0] else 0)


main()
