#!/usr/bin/env python3
"""House rules a machine can check. Prints file:line for each breach and exits 1 if there is one."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BANNED_CALLS = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atof|strtok)\s*\(")
FLOATING = re.compile(r"\b(double|float|log|exp|sqrt|pow)\b")
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SENSITIVE = re.compile(r"su_(vault|case_table|raw_table)\b|suha/vault\.h")


def sources():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [f for f in listed if f.endswith((".c", ".h", ".def")) and os.path.exists(os.path.join(ROOT, f))]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def check(path, text):
    lines, code = text.split("\n"), without_comments(text).split("\n")
    if len(lines) > 640:
        yield len(lines), "a file above 600 lines: does it hold one idea?"
    for n, line in enumerate(lines, 1):
        if len(line) > 160:
            yield n, "a line above 160 characters"
        if line.rstrip() != line:
            yield n, "blanks at the end of the line"
        if LEFTOVER.search(line):
            yield n, "a leftover"
    for n, line in enumerate(code, 1):
        if path.startswith(("src/", "include/")) and BANNED_CALLS.search(line):
            yield n, "a call that the conventions rule out"
        if path.startswith("src/protect/dp/sample") and FLOATING.search(line):
            yield n, "floating point between measurement and noise"
        if path.startswith(("src/publish/", "src/portal/", "include/publish/", "include/portal/")) and SENSITIVE.search(line):
            yield n, "case data on the public side"
        if "microhttpd.h" in line and not path.startswith("src/portal/"):
            yield n, "HTTP outside the portal"


def main():
    breaches = 0
    for path in sources():
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            for n, what in check(path, f.read()):
                breaches += 1
                print(f"{path}:{n}: {what}")
    print(f"lint: {breaches} breaches")
    sys.exit(1 if breaches else 0)


main()
