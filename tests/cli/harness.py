"""Runs the shipped program and checks what it says. Each test is a function named test_*; the file ends with harness.main()."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

SUHA = os.path.join(os.environ["SUHA_BUILD"], "suha")
SOURCE = os.environ["SUHA_SOURCE"]
SHARED = os.environ.get("SUHA_SHARED", os.path.join(SOURCE, "..", "shared"))
WORK = tempfile.mkdtemp(prefix="suha-test-")
PASS = "correct horse battery staple"
WAIT = 1800        # seconds until something counts as hung: on a slow and busy machine nothing here takes so long


class Skip(Exception):
    pass


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)


def suha(*args, code=0, passphrase=PASS, env=None, stdin=b"", timeout=WAIT):
    """Runs suha; fails unless it exits with `code` (None: any)."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUHA_INSTR")}
    environment.update(env or {})
    if passphrase is not None:
        environment["SUHA_PASSPHRASE"] = passphrase
    else:
        environment.pop("SUHA_PASSPHRASE", None)
    done = Result(subprocess.run([SUHA, *map(str, args)], input=stdin, capture_output=True, env=environment, timeout=timeout))
    if code is not None and done.code != code:
        raise AssertionError(f"suha {' '.join(map(str, args))}: exit {done.code}, expected {code}\n{done.out[-2000:]}\n{done.err[-3000:]}")
    return done


def path(*parts):
    return os.path.join(WORK, *parts)


def write(name, content):
    full = path(name)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return full


def shared(*parts):
    full = os.path.join(SHARED, *parts)
    if not os.path.exists(full):
        raise Skip(f"{full} is not there")
    return full


def tree(folder):
    """Every file below folder with its bytes; what disappears meanwhile is left out."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(where, name)
            try:
                with open(full, "rb") as f:
                    found[os.path.relpath(full, folder)] = f.read()
            except FileNotFoundError:
                pass
    return found


def main():
    caller = sys.modules["__main__"]
    passed = failed = skipped = 0
    for name in [n for n in vars(caller) if n.startswith("test_")]:
        try:
            getattr(caller, name)()
            passed += 1
        except Skip as why:
            skipped += 1
            print(f"{name} skipped: {why}")
        except Exception:
            failed += 1
            print(f"{name} FAILED")
            traceback.print_exc(file=sys.stdout)
    shutil.rmtree(WORK, ignore_errors=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)
