"""Data flows one way: an include that runs back, or past a neighbour, does not compile. Tried with each reach's own compiler flags."""
import json
import os
import shlex
import subprocess
import sys
import tempfile

BUILD = os.environ["SUHA_BUILD"]
ALLOWED = {
    "base": ["base"],
    "table": ["base", "table"],
    "count": ["base", "table", "count"],
    "harmonise": ["base", "table", "count", "harmonise"],
    "vault": ["base", "table", "vault"],
    "protect": ["base", "table", "count", "protect"],
    "publish": ["base", "table", "count", "protect", "publish"],
    "portal": ["base", "portal"],
    "generate": ["base", "table", "generate"],
}


def flags(reach):
    """Include flags with which a source of this reach is compiled."""
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as f:
        for entry in json.load(f):
            if f"/src/{reach}/" in os.path.realpath(os.path.join(entry["directory"], entry["file"])):
                return [w for w in shlex.split(entry["command"]) if w.startswith("-I")], entry["directory"]
    sys.exit(f"no source of {reach} in compile_commands.json")


def compiles(reach, header):
    include, folder = flags(reach)
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        source.write(f"#include <suha/{header}.h>\n")
        source.flush()
        return subprocess.run(["cc", "-std=gnu17", "-fsyntax-only", *include, source.name], cwd=folder, capture_output=True).returncode == 0


def main():
    passed = failed = 0
    for reach, allowed in ALLOWED.items():
        for header in ALLOWED:
            if compiles(reach, header) == (header in allowed):
                passed += 1
            else:
                failed += 1
                print(f"{reach} and <suha/{header}.h>: {'must' if header in allowed else 'must not'} compile")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
