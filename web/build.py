#!/usr/bin/env python3
"""Builds what browsers load, and the C table that puts it into the program. Deterministic; writes nothing but the folder it is given
(and web/node_modules, through tools/npm_fetch.py). No nodejs: esbuild is a program.

usage: build.py FOLDER TABLE.c [DEPFILE]

  src/app.ts, styles/portal.css    -> bundled, cut into parts that load when needed, a hash of the content in the name
  po/<lang>.po                     -> messages.<lang>.json
  world-atlas                      -> world.json (map.py)
  src/worker.ts                    -> sw.js, which knows the names of all of the above
"""
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys

WEB = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(WEB)
sys.path[:0] = [WEB, os.path.join(ROOT, "tools")]
import embed        # noqa: E402
import npm_fetch    # noqa: E402

PACKAGES = os.path.join(WEB, "node_modules")
ESBUILD = os.path.join(PACKAGES, "@esbuild", "linux-" + npm_fetch.CPU.get(platform.machine(), platform.machine()), "bin", "esbuild")
ATLAS = os.path.join(PACKAGES, "world-atlas", "countries-{}m.json")
ISO = os.path.join(ROOT, "instruments", "codelists", "iso-3166-1.csv")
TARGETS = "--target=chrome87,firefox78,safari14.1"      # phones of 2020 and later; older ones get the server's pages


def esbuild(folder, report, entries, options):
    """Runs esbuild; gives its report of what came from what."""
    meta = os.path.join(folder, report)
    done = subprocess.run([ESBUILD, *entries, "--bundle", "--minify", "--charset=utf8", "--legal-comments=none", "--log-level=warning", TARGETS,
                           f"--metafile={meta}", *options], cwd=WEB, env=dict(os.environ, NODE_PATH=PACKAGES), check=False)
    if done.returncode:
        sys.exit("web/build.py: esbuild refused the sources of web/; its message is above.")
    with open(meta, encoding="utf-8") as f:
        return json.load(f)


def put_hashed(folder, name, data):
    """Writes messages.fr.json as assets/messages.fr.1A2B3C4D.json and gives the address."""
    stem, ending = name.rsplit(".", 1)
    address = f"assets/{stem}.{hashlib.sha256(data).hexdigest()[:8].upper()}.{ending}"
    with open(os.path.join(folder, address), "wb") as f:
        f.write(data)
    return "/" + address


def messages(folder):
    """{language: address}; English is what the scripts themselves say."""
    made, found = os.path.join(folder, "messages"), {}
    subprocess.run([sys.executable, os.path.join(ROOT, "tools", "po.py"), "json", made], check=True)
    for file in sorted(os.listdir(made)):
        language = file.split(".")[1]
        if language != "en":
            with open(os.path.join(made, file), "rb") as f:
                found[language] = put_hashed(folder, file, f.read())
    return found


def world(folder):
    made = os.path.join(folder, "world.json")
    subprocess.run([sys.executable, os.path.join(WEB, "map.py"), ATLAS.format(50), ATLAS.format(10), ISO, made], check=True)
    with open(made, "rb") as f:
        return put_hashed(folder, "world.json", f.read())


def sources(endings):
    for folder, _, names in sorted(os.walk(os.path.join(WEB, "src"))):
        yield from (os.path.join(folder, n) for n in sorted(names) if n.endswith(endings))


def name_of(output, of):
    """What the C side calls an output: app.js for the script made of src/app.tsx, part-... for parts that have no name of their own."""
    entry = of.get("entryPoint")
    base = os.path.basename(output)
    if entry:
        return os.path.basename(entry).rsplit(".", 1)[0] + os.path.splitext(output)[1]
    return re.sub(r"\.[A-Z0-9]{8}(\.\w+)$", r"\1", base)


def scripts(folder, known):
    defines = [f"--define:{name}={json.dumps(value)}" for name, value in known.items()]
    out = os.path.join(folder, "assets")
    report = esbuild(folder, "meta.json", ["src/app.tsx", "styles/portal.css"],
                     ["--splitting", "--format=esm", f"--outdir={out}", "--entry-names=[name].[hash]", "--chunk-names=[name].[hash]",
                      "--jsx=automatic", "--jsx-import-source=preact", *defines])
    found = {}
    for output, of in sorted(report["outputs"].items()):
        found["/assets/" + os.path.basename(output)] = name_of(output, of)
    inputs = [os.path.join(WEB, p) for p in report["inputs"] if not p.startswith("<")]
    return found, inputs


def worker(folder, addresses):
    """The service worker's name must not change: its content does, with the list of addresses."""
    defines = [f"--define:ADDRESSES={json.dumps(sorted(addresses))}",
               f"--define:BUILD={json.dumps(hashlib.sha256(json.dumps(sorted(addresses)).encode()).hexdigest()[:12])}"]
    esbuild(folder, "meta-worker.json", ["src/worker.ts"], ["--format=iife", f"--outfile={os.path.join(folder, 'sw.js')}", *defines])


def main():
    folder, table = os.path.abspath(sys.argv[1]), sys.argv[2]
    npm_fetch.ensure()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "assets"))
    languages, map_address = messages(folder), world(folder)
    found, inputs = scripts(folder, {"MESSAGES": languages, "WORLD": map_address})
    found.update({address: f"messages.{language}.json" for language, address in languages.items()})
    found[map_address] = "world.json"
    worker(folder, found)
    for file in ("icon.svg", "manifest.webmanifest"):
        shutil.copyfile(os.path.join(WEB, file), os.path.join(folder, file))
        found["/" + file] = file
    found["/sw.js"] = "sw.js"
    embed.table(folder, found, table)
    if len(sys.argv) > 3:
        own = [os.path.join(WEB, n) for n in ("build.py", "embed.py", "map.py", "package-lock.json", "icon.svg", "manifest.webmanifest", "po")]
        own += [os.path.join(WEB, "po", n) for n in os.listdir(os.path.join(WEB, "po"))] + [ISO]
        own += [os.path.join(ROOT, "tools", n) for n in ("npm_fetch.py", "po.py")] + list(sources((".ts", ".tsx"))) + inputs
        with open(sys.argv[3], "w", encoding="utf-8") as f:
            f.write(f"{table}: " + " ".join(p.replace(" ", "\\ ") for p in sorted(set(map(os.path.normpath, own)))) + "\n")


if __name__ == "__main__":
    main()
