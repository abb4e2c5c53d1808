#!/usr/bin/env python3
"""The portal in a real browser (Debian's Chromium, driven by playwright-core, checked by axe-core): tests/web/browser.mjs.

Makes the example release, puts an older version of it beside, serves both, runs the suite with node. Skipped with a reason when node or
Chromium is missing, unless CI=true. SUHA_BUILD: a build folder; SUHA_SHOTS: a folder that gets screenshots for docs/img.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["SUHA_SOURCE"]
SUHA = os.path.join(os.environ["SUHA_BUILD"], "suha")
CHROMIUM = os.environ.get("SUHA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""


def leave(why):
    print(f"browser suite skipped: {why}")
    must = os.environ.get("CI") == "true"
    print("0 passed, 1 failed" if must else "0 passed, 0 failed, 1 skipped")
    sys.exit(1 if must else 0)


def older_version(release, target):
    """The same bundle as it might have been a year before: other day and version, sums made anew."""
    shutil.copytree(release, target)
    for path in ("datapackage.json", "protection/report.json"):
        full = os.path.join(target, path)
        with open(full, encoding="utf-8") as f:
            document = json.load(f)
        document["version"] = "2025.1"
        document["created"] = "2025-01-01T00:00:00Z"
        with open(full, "w", encoding="utf-8") as f:
            json.dump(document, f)
    lines = []
    with open(os.path.join(target, "SHA256SUMS"), encoding="ascii") as f:
        for line in f.read().splitlines():
            path = line[66:]
            with open(os.path.join(target, path), "rb") as one:
                lines.append(f"{hashlib.sha256(one.read()).hexdigest()}  {path}\n")
    with open(os.path.join(target, "SHA256SUMS"), "w", encoding="ascii") as f:
        f.writelines(lines)


def main():
    node = shutil.which("node")
    if not node:
        leave("node is not installed (tools/deps.sh test)")
    if not CHROMIUM:
        leave("Chromium is not installed (tools/deps.sh test)")
    fetched = subprocess.run([sys.executable, os.path.join(SOURCE, "tools", "npm_fetch.py"), "test"], capture_output=True, text=True)
    if fetched.returncode:
        leave(f"playwright-core and axe-core could not be fetched: {(fetched.stdout + fetched.stderr).strip()[-300:]}")
    work = tempfile.mkdtemp(prefix="suha-web-")
    server = None
    try:
        demo = os.path.join(work, "demo")
        subprocess.run([SUHA, "demo", "--dir", demo, "--once"], check=True, capture_output=True, timeout=1800)
        release, old = os.path.join(demo, "release"), os.path.join(work, "old")
        older_version(release, old)
        server = subprocess.Popen([SUHA, "serve", "--json", "--port", "0", old, release], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = json.loads(server.stdout.readline())["port"]
        environment = dict(os.environ, SUHA_BASE=f"http://127.0.0.1:{port}", SUHA_RELEASE=release, SUHA_WEB=os.path.join(SOURCE, "web"),
                           SUHA_CHROMIUM=CHROMIUM, SUHA_WORK=work)
        done = subprocess.run([node, os.path.join(SOURCE, "tests", "web", "browser.mjs"), *sys.argv[1:]], env=environment, timeout=2700)
        sys.exit(done.returncode)
    finally:
        if server:
            server.terminate()
            server.wait()
        shutil.rmtree(work, ignore_errors=True)


main()
