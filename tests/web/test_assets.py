#!/usr/bin/env python3
"""What browsers load: types, sizes, no third party, the same bytes twice, a map without holes, packages that are what the lock file says.

SUHA_BUILD: a build folder. Sizes are of the precompressed files, as they are sent.
"""
import csv
import gzip
import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import traceback

SOURCE = os.environ["SUHA_SOURCE"]
BUILT = os.path.join(os.environ["SUHA_BUILD"], "src", "portal", "web")
WEB = os.path.join(SOURCE, "web")
KIB = 1024
BUDGET_SCRIPT, BUDGET_STYLE, BUDGET_MAP = 60 * KIB, 15 * KIB, 90 * KIB
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(SOURCE, "tools"), WEB]


def fetcher():
    spec = importlib.util.spec_from_file_location("npm_fetch", os.path.join(SOURCE, "tools", "npm_fetch.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path):
    with open(path, "rb") as f:
        return f.read()


def meta():
    return json.loads(read(os.path.join(BUILT, "meta.json")))["outputs"]


def output(entry):
    return next(name for name, of in meta().items() if of.get("entryPoint") == entry)


def closure(name, seen=None):
    """An output and everything that it imports at once."""
    seen = set() if seen is None else seen
    if name not in seen:
        seen.add(name)
        for i in meta()[name]["imports"]:
            if i["kind"] == "import-statement":
                closure(i["path"], seen)
    return seen


def sent(names):
    return sum(os.path.getsize(os.path.join(BUILT, "assets", os.path.basename(n)) + ".gz") for n in names)


def test_types():
    """TypeScript strict; its compiler is a program of its own."""
    fetcher().ensure(tests=True, say=lambda text: None)
    import platform
    cpu = fetcher().CPU.get(platform.machine(), platform.machine())
    done = subprocess.run([os.path.join(WEB, "node_modules", "@typescript", f"typescript-linux-{cpu}", "lib", "tsc"), "-p", WEB],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_budget_script():
    first = closure(output("src/app.tsx")) | closure(output("src/explore.tsx"))
    size = sent(first)
    print(f"  first load of Explore: {size / KIB:.1f} KiB of script, {len(first)} files; budget {BUDGET_SCRIPT // KIB}")
    assert size <= BUDGET_SCRIPT
    everything = sent(n for n in meta() if n.endswith(".js"))
    print(f"  all scripts together: {everything / KIB:.1f} KiB")


def test_budget_style():
    size = sent([output("styles/portal.css")])
    print(f"  style sheet: {size / KIB:.1f} KiB; budget {BUDGET_STYLE // KIB}")
    assert size <= BUDGET_STYLE


def test_budget_map():
    base = closure(output("src/app.tsx")) | closure(output("src/explore.tsx"))
    world = [n for n in os.listdir(os.path.join(BUILT, "assets")) if re.fullmatch(r"world\.[0-9A-F]{8}\.json", n)]
    size = sent(closure(output("src/places.tsx")) - base) + sent(world)
    print(f"  map: {size / KIB:.1f} KiB with its shapes; budget {BUDGET_MAP // KIB}")
    assert len(world) == 1 and size <= BUDGET_MAP
    assert not any(output("src/places.tsx") in closure(n) for n in base), "the map is part of the first load"


def test_no_third_party():
    """No address of another site but namespaces; nothing that a strict Content-Security-Policy forbids."""
    for folder, _, names in os.walk(BUILT):
        for name in names:
            if not name.endswith((".js", ".css", ".svg", ".webmanifest")):
                continue
            text = read(os.path.join(folder, name)).decode()
            for address in re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[\w/.-]*", text):
                assert re.match(r"https?://www\.w3\.org/(1998|1999|2000)/", address), f"{name}: {address}"
            assert not re.search(r"\beval\(|new Function\(|@import|\bstyle=\"|javascript:", text), name


def test_nothing_of_this_machine():
    for folder, _, names in os.walk(BUILT):
        for name in names:
            if not name.endswith(".gz") and not name.startswith("meta"):
                data = read(os.path.join(folder, name))
                assert SOURCE.encode() not in data and os.environ["SUHA_BUILD"].encode() not in data, name


def test_precompressed():
    """What is sent compressed is what is sent plain."""
    seen = 0
    for folder, _, names in os.walk(BUILT):
        for name in (n for n in names if n.endswith(".gz")):
            seen += 1
            assert gzip.decompress(read(os.path.join(folder, name))) == read(os.path.join(folder, name[:-3])), name
    assert seen >= 10


def test_same_bytes_twice():
    with tempfile.TemporaryDirectory() as scratch:
        trees = []
        for n in ("a", "b"):
            folder = os.path.join(scratch, n)
            subprocess.run([sys.executable, os.path.join(WEB, "build.py"), folder, os.path.join(scratch, n + ".c")], check=True)
            trees.append({os.path.relpath(os.path.join(d, f), folder): read(os.path.join(d, f)) for d, _, fs in os.walk(folder) for f in fs
                          if not f.startswith("meta")})
        assert trees[0] == trees[1]
        assert read(os.path.join(scratch, "a.c")).replace(b"/a/", b"/b/") == read(os.path.join(scratch, "b.c"))


def test_worker_knows_every_file():
    worker = read(os.path.join(BUILT, "sw.js")).decode()
    table = read(os.path.join(os.path.dirname(BUILT), "portal_assets.c")).decode()
    addresses = set(re.findall(r'"(/assets/[^"]+)"', table))
    assert addresses == {"/assets/" + n for n in os.listdir(os.path.join(BUILT, "assets")) if not n.endswith(".gz")}
    assert addresses == set(re.findall(r'"(/assets/[^"]+)"', worker))


def world():
    name = next(n for n in os.listdir(os.path.join(BUILT, "assets")) if re.fullmatch(r"world\.[0-9A-F]{8}\.json", n))
    return json.loads(read(os.path.join(BUILT, "assets", name)))


def test_map_has_every_country():
    drawn = world()
    with open(os.path.join(SOURCE, "instruments", "codelists", "iso-3166-1.csv"), encoding="utf-8", newline="") as f:
        codes = {row["code"] for row in csv.DictReader(f)}
    missing = codes - set(drawn["shapes"]) - set(drawn["points"])
    assert missing == {"ATA"}, missing
    for small in ("MLT", "BHR", "COM", "SGP", "MDV", "MUS", "SYC", "CPV", "STP", "HKG", "LUX", "TON"):
        assert small in drawn["points"], small
    for large in ("RUS", "USA", "FRA", "AUS", "CHN"):
        assert large in drawn["shapes"] and large not in drawn["points"], large
    for x, y in drawn["points"].values():
        assert 0 <= x <= drawn["width"] and 0 <= y <= drawn["height"]


def rings(path):
    for part in path.split("M")[1:]:
        start, _, moves = part.rstrip("z").partition("l")
        x, y = map(int, start.split())
        points = [(x, y)]
        numbers = [int(n) for n in re.findall(r"-?\d+", moves)]
        for dx, dy in zip(numbers[::2], numbers[1::2]):
            x, y = x + dx, y + dy
            points.append((x, y))
        yield points


def test_map_areas_are_true():
    """The projection is equal-area: a country's share of the drawing is its share of the globe. Areas in km2: CIA World Factbook, total."""
    drawn = world()
    half = math.pi / (math.sqrt(3) / 2 * 1.340264)
    km2 = (2 * half * 6371.0088 / drawn["width"]) ** 2     # of a square unit
    for code, true in (("BRA", 8515770), ("DZA", 2381740), ("AUS", 7741220), ("MNG", 1564116), ("COD", 2344858), ("UKR", 603550),
                       ("RUS", 17098242)):
        area = 0
        for ring in rings(drawn["shapes"][code]):
            for (x, y) in ring:
                assert -1 <= x <= drawn["width"] + 1, (code, x)
            area += abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1]))) / 2
        assert abs(area * km2 / true - 1) < 0.04, (code, area * km2, true)


def test_packages_are_checked():
    """An archive that is not the one of the lock file is refused, by name, and nothing of it stays."""
    npm = fetcher()
    lock = json.loads(read(os.path.join(WEB, "package-lock.json")))
    with tempfile.TemporaryDirectory() as scratch:
        npm.TARGET = os.path.join(scratch, "node_modules")
        shelf = os.path.join(scratch, "shelf")
        os.makedirs(shelf)
        for _, name, version, _ in npm.wanted(lock, False):
            file = os.path.join(shelf, name.lstrip("@").replace("/", "-") + f"-{version}.tgz")
            with tarfile.open(file, "w:gz") as archive:
                archive.add(__file__, "package/index.js")
        os.environ["SUHA_NPM_ARCHIVES"] = shelf
        try:
            npm.ensure(say=lambda text: None)
        except SystemExit as refused:
            assert "sha512 differs" in str(refused) and "SUHA_NPM_ARCHIVES" in str(refused), refused
        else:
            raise AssertionError("a wrong archive was taken")
        finally:
            del os.environ["SUHA_NPM_ARCHIVES"]
        assert not [n for n in os.listdir(npm.TARGET) if n != ".suha-lock"], os.listdir(npm.TARGET)


def test_without_a_network():
    npm = fetcher()
    kept = {k: os.environ.get(k) for k in ("NPM_CONFIG_REGISTRY",)}
    with tempfile.TemporaryDirectory() as scratch:
        npm.TARGET = os.path.join(scratch, "node_modules")
        os.environ["NPM_CONFIG_REGISTRY"] = "http://127.0.0.1:9/"
        try:
            npm.ensure(say=lambda text: None)
        except SystemExit as refused:
            for word in ("What you can do", "NPM_CONFIG_REGISTRY", "web/node_modules", "preact-"):
                assert word in str(refused), (word, refused)
        else:
            raise AssertionError("no message")
        finally:
            for k, v in kept.items():
                os.environ.pop(k) if v is None else os.environ.update({k: v})


def test_archive_that_leaves_its_folder():
    npm = fetcher()
    with tempfile.TemporaryDirectory() as scratch:
        file = os.path.join(scratch, "bad.tgz")
        with tarfile.open(file, "w:gz") as archive:
            archive.add(__file__, "package/../../escaped.txt")
        try:
            npm.unpack(read(file), os.path.join(scratch, "in"))
        except npm.Missing as refused:
            assert "leaves its folder" in str(refused)
        else:
            raise AssertionError("unpacked outside")
        assert not os.path.exists(os.path.join(scratch, "escaped.txt"))


def test_units():
    """The parts that compute, in node: bundled by the same esbuild."""
    node = shutil.which("node") or shutil.which("nodejs")
    if not node:
        if os.environ.get("CI"):
            raise AssertionError("nodejs is missing; tools/deps.sh test installs it")
        print("  skipped: nodejs is not installed (tools/deps.sh test brings it)")
        return "skipped"
    import build
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "units.mjs")
        subprocess.run([build.ESBUILD, os.path.join(SOURCE, "tests", "web", "units.ts"), "--bundle", "--format=esm", "--platform=node",
                        f"--outfile={out}", "--log-level=warning", "--jsx=automatic", "--jsx-import-source=preact", "--define:MESSAGES={}",
                        '--define:WORLD="/w.json"', "--external:./picture"], check=True, env=dict(os.environ, NODE_PATH=build.PACKAGES))
        done = subprocess.run([node, out], capture_output=True, text=True)
        print(done.stdout.rstrip())
        assert done.returncode == 0, done.stderr[-3000:]
    return None


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, test in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
        try:
            result = "skipped" if test() == "skipped" else "passed"
        except BaseException:
            result = "failed"
            traceback.print_exc()
        counts[result] += 1
        print(f"{'ok' if result != 'failed' else 'not ok'} {name}", flush=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed" + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
    sys.exit(1 if counts["failed"] else 0)


main()
