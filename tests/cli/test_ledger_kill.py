"""No release without a charge, whatever happens: the shipped program is killed at every step of a release, interrupted, and run twice at once.

Killing uses ptrace, so the program needs no hook: it is stopped before each system call that changes a file, and killed at a chosen one."""
import ctypes
import json
import os
import platform
import signal
import subprocess
import time

import harness
from harness import PASS, SUHA, Skip, path, suha, write

PTRACE_TRACEME, PTRACE_PEEKUSER, PTRACE_SYSCALL, PTRACE_SETOPTIONS, PTRACE_O_EXITKILL = 0, 3, 24, 0x4200, 0x100000
ORIG_RAX, RDI, RSI, RDX = 120, 112, 104, 96
# write, pwrite64, fsync, fdatasync, ftruncate, rename, mkdir, rmdir, unlink, openat, renameat, renameat2, unlinkat, mkdirat, getrandom
CHANGES = {1, 18, 74, 75, 77, 82, 83, 84, 87, 257, 264, 316, 263, 258, 318}
MEASURING = b"measuring with exact"
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def arguments(out, *more):
    return ["release", path("kill.csv"), "--schema", "ctdc-2024", "--epsilon", "1", "--length", "1", "--threads", "1", "--no-evaluation", "--out", out, *more]


def run_until(out, stop):
    """Runs a release and kills it before its file-changing system call number `stop` (None: never). Returns what stderr held, and the number of
    such calls made."""
    errors = path("stderr.txt")
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.environ["ASAN_OPTIONS"] = "detect_leaks=0"           # the leak finder wants to be the tracer itself
            if libc.ptrace(PTRACE_TRACEME, 0, None, None) == 0:
                os.execv(SUHA, [SUHA, *arguments(out)])
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    if not os.WIFSTOPPED(status):
        raise Skip("ptrace is not allowed here")
    libc.ptrace(PTRACE_SETOPTIONS, child, None, PTRACE_O_EXITKILL)
    calls, entering, deliver = 0, True, 0
    while True:
        libc.ptrace(PTRACE_SYSCALL, child, None, deliver)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            break
        deliver = os.WSTOPSIG(status) if os.WSTOPSIG(status) != signal.SIGTRAP else 0
        if deliver:
            continue
        if entering and libc.ptrace(PTRACE_PEEKUSER, child, ctypes.c_void_p(ORIG_RAX), None) in CHANGES:
            if calls == stop:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                break
            calls += 1
        entering = not entering
    with open(errors, "rb") as f:
        return f.read(), calls


def charges(out):
    """Entries of the ledger beside `out`: None when there is no ledger that could be read."""
    if not os.path.exists(out + ".ledger.db"):
        return None
    done = suha("ledger", out, "--json", code=None)
    return done.json()["entries"] if done.code == 0 else None


def made(out):
    """Files of a bundle, finished or not, anywhere beside `out`. (An empty folder is the probe of a disk that can be written.)"""
    return [os.path.join(where, n) for where, _, names in os.walk(os.path.dirname(out)) for n in names if ".ledger.db" not in n]


def check(out, err, point):
    entries = charges(out)
    charged = [e for e in entries or [] if e["state"] in ("reserved", "measured", "released", "failed") and e["rho"] > 0]
    if MEASURING in err or made(out):
        assert charged, (point, entries, err, made(out))
    if os.path.exists(os.path.join(out, "SHA256SUMS")):
        assert charged[-1]["state"] in ("measured", "released"), (point, entries)
    return entries


def test_killed_before_every_change_of_a_file():
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        raise Skip("the system call numbers here are those of x86-64 Linux")
    write("kill.csv", "gender\n" + "Woman\n" * 40 + "Man\n" * 20)
    out = path("whole", "r")
    os.makedirs(path("whole"))
    err, total = run_until(out, None)
    assert MEASURING in err and check(out, err, "whole")[-1]["state"] == "released"
    assert total > 60, total
    step = max(1, total // int(os.environ.get("SUHA_KILL_POINTS", "90")))
    states = set()
    for point in range(0, total, step):
        folder = path(f"kill{point}")
        os.makedirs(folder)
        out = os.path.join(folder, "r")
        err, _ = run_until(out, point)
        entries = check(out, err, point)
        states.add(entries[-1]["state"] if entries else None)
        if point % (3 * step) == 0:
            again(out, entries)
    assert {None, "reserved", "measured"} <= states, states


def again(out, before):
    """A new try after the kill: a new charge, never the old one again; or a plain refusal because the bundle is there."""
    done = suha(*arguments(out), code=None)
    entries = charges(out)
    if done.code == 0:
        assert len(entries) == len(before or []) + 1 and entries[-1]["state"] == "released", (before, entries)
        assert all(e["state"] != "released" for e in before or [])
    else:
        assert done.code == 1 and (before is None or len(entries) >= len(before)), (done.err, before, entries)


def start(args, env=None):
    return subprocess.Popen([SUHA, *map(str, args)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})))


def killed_at_line(args, line, sig, env=None):
    """Sends `sig` as soon as stderr says `line`. Returns the exit code and all of stderr."""
    process, seen = start(args, env), b""
    os.set_blocking(process.stderr.fileno(), False)
    limit = time.monotonic() + harness.WAIT
    while line not in seen and process.poll() is None and time.monotonic() < limit:
        seen += process.stderr.read() or b""
        time.sleep(0.001)
    process.send_signal(sig)
    code = process.wait(harness.WAIT)
    os.set_blocking(process.stderr.fileno(), True)
    seen += process.stderr.read() or b""
    process.stderr.close()
    assert line in seen, seen
    return code, seen


def vault():
    if not os.path.exists(path("kv")):
        suha("generate", "--shape", "nb6k", "--rows", 3000, "--out", path("kv.csv"))
        suha("vault", "init", path("kv"), "--cap-epsilon", 30)
        suha("org", "add", path("kv"), "a", "--name", "A")
        suha("import", path("kv.csv"), "--vault", path("kv"), "--org", "a", "--schema", "nb6k")
    return path("kv")


def test_killed_at_the_lines_it_prints():
    v = vault()
    common = ["release", "--vault", v, "--schema", "nb6k", "--epsilon", 1, "--length", 3]
    for i, line in enumerate((b"plan:", MEASURING, b"measured; building")):
        for delay in (0, 1):
            before = suha("ledger", v, "--json").json()
            out = path(f"line{i}{delay}")
            code, err = killed_at_line([*common, "--out", out], line, signal.SIGKILL, {"SUHA_PASSPHRASE": PASS})
            after = suha("ledger", v, "--json").json()
            assert code in (-signal.SIGKILL, 0), code
            if MEASURING in err or os.path.exists(out):
                assert after["spent_rho"] > before["spent_rho"] and len(after["entries"]) == len(before["entries"]) + 1, (line, after["entries"])
            assert not os.path.exists(out) or after["entries"][-1]["state"] in ("measured", "released")
    assert suha("vault", "verify", v, "--json").json()["bad"] == 0


def test_interrupted_synthesis_ends_clean_and_stays_charged():
    v = vault()
    for i, line in enumerate((MEASURING, b"measured; building")):
        before, out = suha("ledger", v, "--json").json(), path(f"interrupted{i}")
        code, err = killed_at_line(["release", "--vault", v, "--schema", "nb6k", "--epsilon", 1, "--length", 3, "--out", out], line, signal.SIGINT,
                                   {"SUHA_PASSPHRASE": PASS})
        after = suha("ledger", v, "--json").json()
        assert len(after["entries"]) == len(before["entries"]) + 1 and after["spent_rho"] > before["spent_rho"]
        if code == 0:           # it was done before the signal was seen
            assert after["entries"][-1]["state"] == "released" and os.path.exists(out)
        else:
            assert code == 1 or code == 130, (code, err)
            assert after["entries"][-1]["state"] == "failed" and b"stays spent" in err, (after["entries"][-1], err)
            assert not [n for n in os.listdir(harness.WORK) if n.startswith(f"interrupted{i}")]


def test_two_releases_at_once_with_budget_for_one():
    suha("vault", "init", path("two"), "--cap-epsilon", 1)
    suha("org", "add", path("two"), "a", "--name", "A")
    write("two.csv", "gender\n" + "Woman\n" * 80)
    suha("import", path("two.csv"), "--vault", path("two"), "--org", "a", "--schema", "ctdc-2024")
    common = ["release", "--vault", path("two"), "--schema", "ctdc-2024", "--epsilon", 0.9, "--length", 1]
    both = [start([*common, "--out", path(f"two{i}")], {"SUHA_PASSPHRASE": PASS}) for i in range(2)]
    errors = [p.communicate(timeout=harness.WAIT)[1].decode() for p in both]
    assert sorted(p.returncode for p in both) == [0, 1], errors
    assert "budget" in errors[0 if both[0].returncode else 1].lower(), errors
    assert sorted(os.path.exists(path(f"two{i}")) for i in range(2)) == [False, True]
    ledger = suha("ledger", path("two"), "--json").json()
    assert [e["state"] for e in ledger["entries"]] == ["released"] and ledger["spent_rho"] <= ledger["cap_rho"], json.dumps(ledger)


harness.main()
