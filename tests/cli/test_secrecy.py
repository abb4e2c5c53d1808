"""A string planted in identifier columns is found nowhere on disk after import, kill -9, resume, release and serve."""
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request

import harness
from harness import PASS, SUHA, path, suha, write

NEEDLE = "Zyxwvut-Planted-Name"
RECORD = "PLANTED-RECORD-ID"
HEADER = "source_column,source_value,target_column,target_value,rule,coverage,note\n"


def needles():
    for text in (NEEDLE, RECORD):
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.lower().encode()


def assert_absent(folder, when):
    for name, content in harness.tree(folder).items():
        for needle in needles():
            assert needle not in content, f"{when}: {needle} is in {name}"


def cores():
    """Memory dumps that can be read, where the system puts them by default (in the working folder they are seen by assert_absent)."""
    folder = tempfile.gettempdir()
    return {full for full in (os.path.join(folder, n) for n in os.listdir(folder) if n.startswith("core")) if os.path.isfile(full) and os.access(full, os.R_OK)}


def import_args(file, mapping, more=()):
    return ["import", file, "--vault", path("safe", "vault"), "--org", "org", "--schema", "htcds-2.0", "--map", mapping, *more]


def test_planted_strings_never_reach_the_disk():
    rows = "".join(f"{RECORD}-{i},{NEEDLE} {i},{NEEDLE},+4477009{i:05d},Feminine\n" for i in range(40000))
    file = write("in/cases.csv", "id,first,second,phone,gender\n" + rows)
    mapping = write("in/map.csv", HEADER + "id,,,,record,exact,\nfirst,,prs_FirstName,,rename,exact,\nsecond,,prs_SecondName,,rename,exact,\n"
                    "phone,,prs_MobilePhone,,rename,exact,\ngender,,prs_Gender,,rename,exact,\n")
    os.makedirs(path("safe", "tmp"))
    before = cores()
    env = dict(os.environ, SUHA_PASSPHRASE=PASS, TMPDIR=path("safe", "tmp"), SQLITE_TMPDIR=path("safe", "tmp"))
    suha("vault", "init", path("safe", "vault"))
    suha("org", "add", path("safe", "vault"), "org", "--name", "Org")
    killed = 0
    for pause in (0.15, 0.35, 0.6, 0.9):
        with open(path("safe", "log"), "ab") as log:
            process = subprocess.Popen([SUHA, *import_args(file, mapping)], stdout=log, stderr=log, env=env, cwd=path("safe"))
            time.sleep(pause)
            assert_absent(path("safe"), f"{pause} s into the import")
            killed += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert_absent(path("safe"), "after kill -9")
        records = suha("vault", "status", path("safe", "vault"), "--json").json()["records"]
        assert records in (0, 40000), records
        if records:
            break
    print("killed in the middle:", killed)
    if not records:
        suha(*import_args(file, mapping, ["--resume"]), env={"TMPDIR": path("safe", "tmp")})
    assert suha("vault", "status", path("safe", "vault"), "--json").json()["records"] == 40000
    assert suha("vault", "verify", path("safe", "vault"), "--json").json()["bad"] == 0
    suha("withdraw", path("safe", "vault"), "--org", "org", "--record", RECORD + "-5")
    assert_absent(path("safe"), "after resume and withdrawal")
    suha("release", "--vault", path("safe", "vault"), "--schema", "htcds-2.0", "--epsilon", 1, "--length", 1, "--out", path("safe", "release"))
    assert_absent(path("safe"), "after the release")
    process = subprocess.Popen([SUHA, "serve", path("safe", "release"), "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    port = json.loads(process.stdout.readline())["port"]
    page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=harness.WAIT).read()
    process.send_signal(signal.SIGINT)
    process.wait(harness.WAIT)
    assert all(n not in page for n in needles())
    assert_absent(path("safe"), "after serving")
    for name in cores() - before:            # of other programs, perhaps: none holds what was planted
        with open(name, "rb") as f:
            content = f.read()
        assert not any(n in content for n in needles()), name


harness.main()
