"""The main job, end to end: three raw exports -> vault -> release -> bundle -> page; ledger, withdrawal, provenance."""
import csv
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import time
import urllib.request

import harness
from harness import PASS, SUHA, path, suha, write

BUNDLE = ["CITATION.cff", "README.md", "SHA256SUMS", "codebook.html", "codebook.md", "data/aggregates.csv", "data/microdata.csv", "datapackage.json",
          "protection/report.html", "protection/report.json"]


def check_bundle(folder):
    for name in BUNDLE:
        assert os.path.getsize(os.path.join(folder, name)) > 0, name
    with open(os.path.join(folder, "SHA256SUMS"), encoding="utf-8") as f:
        listed = dict(reversed(line.rstrip("\n").split("  ", 1)) for line in f)
    for name, digest in listed.items():
        with open(os.path.join(folder, name), "rb") as f:
            assert hashlib.sha256(f.read()).hexdigest() == digest, name
    found = {os.path.relpath(os.path.join(w, n), folder) for w, _, names in os.walk(folder) for n in names} - {"SHA256SUMS"}
    assert found == set(listed), found ^ set(listed)
    package = json.load(open(os.path.join(folder, "datapackage.json"), encoding="utf-8"))
    for resource in package["resources"]:
        full = os.path.join(folder, resource["path"])
        assert os.path.getsize(full) == resource["bytes"], resource["path"]
        with open(full, encoding="utf-8-sig", newline="") as f:
            header = next(csv.reader(f))
        if "schema" in resource and isinstance(resource["schema"], dict):
            assert header == [x["name"] for x in resource["schema"]["fields"]], resource["path"]
    return package


def changes(folder):
    return {(full, os.stat(full).st_mtime_ns, os.stat(full).st_ino) for full in (os.path.join(w, n) for w, _, names in os.walk(folder) for n in names)}


def page(url):
    with urllib.request.urlopen(url, timeout=harness.WAIT) as answer:
        return answer.read().decode()


def serve(folder):
    process = subprocess.Popen([SUHA, "serve", folder, "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    port = json.loads(process.stdout.readline())["port"]
    return process, f"http://127.0.0.1:{port}"


def test_demo_once_and_again():
    done = suha("demo", "--dir", path("demo"), "--once")
    for words in ("harbour.csv", "hotline.xlsx", "refuge.csv", "records sealed"):
        assert words in done.err, words
    package = check_bundle(path("demo", "release"))
    made = changes(path("demo", "raw")) | changes(path("demo", "release"))
    suha("demo", "--dir", path("demo"), "--once")
    assert changes(path("demo", "raw")) | changes(path("demo", "release")) == made       # what is there is not made again
    status = suha("vault", "status", path("demo", "vault"), "--json").json()
    assert status["organisations"] == 3 and status["batches"] == 3, status
    assert 19000 <= status["records"] <= 20000, status
    assert "imaginary" in package["title"]
    ledger = suha("ledger", path("demo", "vault"), "--json").json()
    assert [e["state"] for e in ledger["entries"]] == ["released"] and ledger["entries"][0]["epsilon"] <= 4
    report = json.load(open(path("demo", "release", "protection", "report.json"), encoding="utf-8"))
    text = json.dumps(report)
    for word in ("epsilon", "delta", "sigma", "unit"):
        assert word in text, word


def test_page_of_the_demo():
    suha("demo", "--dir", path("demo"), "--once")
    process, url = serve(path("demo", "release"))
    try:
        front = page(url + "/")
        release = re.search(r"/r/[\w.-]+/", front)[0]
        assert "<svg" in page(url + release) and "microdata.csv" in page(url + release + "data")
        assert "epsilon" in page(url + release + "protection").lower()
        assert page(url + "/healthz")
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=harness.WAIT)[1]
        assert process.returncode == 0, (process.returncode, said[-2000:])


def test_full_export_every_year():
    """The second export holds the older cases, one who withdrew, a new one, and a row that cannot be used."""
    header = "case_no,gender,ageBroad,citizenship\n"
    old = "".join(f"C-{i},Woman,18--20,UKR\n" for i in range(30))
    mapping = write("year/map.csv", "source_column,source_value,target_column,target_value,rule,coverage,note\ncase_no,,,,record,exact,\n"
                    "gender,,gender,,rename,exact,\nageBroad,,ageBroad,,rename,exact,\ncitizenship,,citizenship,,rename,exact,\n")
    first, second = write("year/2024.csv", header + old), write("year/2025.csv", header + old + "C-30,Man,21--23,UKR\nC-30,Man,21--23,UKR\n")
    suha("vault", "init", path("year", "vault"))
    suha("org", "add", path("year", "vault"), "harbour", "--name", "Harbour House")
    common = ["--vault", path("year", "vault"), "--org", "harbour", "--schema", "ctdc-2024", "--map", mapping]
    suha("import", first, *common)
    suha("withdraw", path("year", "vault"), "--org", "harbour", "--record", "C-7")
    refused = suha("import", second, *common, code=1)
    assert "29 of 31 records are in the vault already" in refused.err and "--skip-known" in refused.err, refused.err
    done = suha("import", second, *common, "--skip-known", "--json")
    said = done.json()
    assert (said["records"], said["known"], said["withdrawn"], said["returned"]) == (1, 29, 1, 0), said
    for words in ("1 record of harbour sealed", "29 records that are in the vault already", "1 that were withdrawn", "1 of 32 rows were rejected"):
        assert words in done.err, (words, done.err)
    assert suha("vault", "status", path("year", "vault"), "--json").json()["records"] == 30
    again = write("year/consent.csv", header + "C-7,Woman,18--20,UKR\n")
    assert "had been withdrawn" in suha("import", again, *common).err


def test_vault_from_the_command_line():
    write("org/cases.csv", "case_no,gender,ageBroad,citizenship\n" + "".join(f"C-{i},{'Woman' if i % 3 else 'Man'},18--20,UKR\n" for i in range(300)))
    suha("map", "suggest", path("org/cases.csv"), "--schema", "ctdc-2024", code=0)
    mapping = write("org/map.csv", "source_column,source_value,target_column,target_value,rule,coverage,note\ncase_no,,,,record,exact,\n"
                    "gender,,gender,,rename,exact,\nageBroad,,ageBroad,,rename,exact,\ncitizenship,,citizenship,,rename,exact,\n")
    suha("vault", "init", path("vault"))
    suha("org", "add", path("vault"), "harbour", "--name", "Harbour House")
    suha("import", path("org/cases.csv"), "--vault", path("vault"), "--org", "nobody", "--schema", "ctdc-2024", "--map", mapping, code=1)
    done = suha("import", path("org/cases.csv"), "--vault", path("vault"), "--org", "harbour", "--schema", "ctdc-2024", "--map", mapping, "--json").json()
    assert done["records"] == 300
    again = suha("import", path("org/cases.csv"), "--vault", path("vault"), "--org", "harbour", "--schema", "ctdc-2024", "--map", mapping, code=1)
    assert "cases.csv" in again.err or "batch" in again.err, again.err
    suha("withdraw", path("vault"), "--org", "harbour", "--record", "C-7")
    suha("withdraw", path("vault"), "--org", "harbour", "--record", "C-7", code=1)
    suha("withdraw", path("vault"), "--org", "harbour", "--record", "C-9999", code=1)
    status = suha("vault", "status", path("vault"), "--json").json()
    assert (status["records"], status["withdrawn"]) == (299, 1), status
    batch = suha("batches", path("vault"), "--json").json()[0]
    with open(path("org/cases.csv"), "rb") as f:
        assert batch["source_sha256"] == hashlib.sha256(f.read()).hexdigest()
    assert suha("vault", "verify", path("vault"), "--json").json()["bad"] == 0
    suha("release", "--vault", path("vault"), "--schema", "ctdc-2024", "--epsilon", 4, "--length", 2, "--out", path("release1"))
    check_bundle(path("release1"))


def test_ledger_refuses_to_overspend():
    write("l/cases.csv", "gender\n" + "Woman\n" * 50)
    suha("vault", "init", path("lv"), "--cap-epsilon", "2")
    suha("org", "add", path("lv"), "a", "--name", "A")
    suha("import", path("l/cases.csv"), "--vault", path("lv"), "--org", "a", "--schema", "ctdc-2024")
    common = ["release", "--vault", path("lv"), "--schema", "ctdc-2024", "--length", 1]
    assert "budget" in suha(*common, "--epsilon", 3, "--out", path("l/r0"), code=1).err.lower()
    assert not os.path.exists(path("l/r0"))
    suha(*common, "--epsilon", 1.9, "--out", path("l/r1"))
    suha(*common, "--epsilon", 1.9, "--out", path("l/r2"), code=1)
    assert not os.path.exists(path("l/r2"))
    suha("ledger", path("lv"), "--cap-epsilon", 12, code=2)
    suha("ledger", path("lv"), "--cap-epsilon", 12, "--why", "decided by the board")
    suha(*common, "--epsilon", 1.9, "--out", path("l/r2"))
    assert len([e for e in suha("ledger", path("lv"), "--json").json()["entries"] if e["state"] == "released"]) == 2


def test_a_refused_release_leaves_no_ledger_and_a_weighted_row_is_withdrawn_whole():
    file = write("w/cases.csv", "id,gender,n\nW1,Woman,3\nW2,Man,2\n")
    suha("release", file, "--schema", "ctdc-2024", "--epsilon", 4, "--cap-epsilon", 0.5, "--out", path("w/r"), code=1)
    assert not os.path.exists(path("w/r.ledger.db"))
    mapping = write("w/map.csv", "source_column,source_value,target_column,target_value,rule,coverage,note\nid,,,,record,exact,\n"
                    "gender,,gender,,rename,exact,\nn,,,,weight,exact,\n")
    suha("vault", "init", path("wv"))
    suha("org", "add", path("wv"), "a", "--name", "A")
    suha("import", file, "--vault", path("wv"), "--org", "a", "--schema", "ctdc-2024", "--map", mapping)
    suha("withdraw", path("wv"), "--org", "a", "--record", "W1")
    assert suha("vault", "status", path("wv"), "--json").json()["records"] == 2


def test_demo_refuses_a_folder_of_other_things():
    write("other/precious.txt", "mine")
    suha("demo", "--dir", path("other"), "--once", code=1)
    assert os.listdir(path("other")) == ["precious.txt"]


def test_an_interrupted_demo_goes_on():
    for pause in (0.05, 0.15, 0.4, 1.2):
        process = subprocess.Popen([SUHA, "demo", "--dir", path("broken"), "--once"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL if pause > 0.3 else signal.SIGINT)
        process.wait()
    suha("demo", "--dir", path("broken"), "--once")
    assert suha("vault", "status", path("broken", "vault"), "--json").json()["records"] > 19000
    check_bundle(path("broken", "release"))


def test_release_without_a_vault_keeps_its_ledger_beside_the_output():
    suha("generate", "--shape", "nb6k", "--rows", 2000, "--out", path("nb.csv"))
    done = suha("release", path("nb.csv"), "--schema", "nb6k", "--epsilon", 4, "--length", 2, "--out", path("nb-release"), "--json")
    assert done.json()["private"] and done.json()["epsilon"] <= 4
    assert "no vault" in done.err
    check_bundle(path("nb-release"))
    assert suha("ledger", path("nb-release"), "--json").json()["entries"][0]["state"] == "released"
    evaluation = json.load(open(path("nb-release.evaluation-NOT-FOR-PUBLICATION.json"), encoding="utf-8"))
    assert "NOT FOR PUBLICATION" in evaluation["notice"]
    with open(path("nb-release", "data", "aggregates.csv"), encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f))
    assert set(rows[0]) == {"combination", "length", "count", "ci_low", "ci_high"}
    assert all(float(r["ci_low"]) <= float(r["count"]) <= float(r["ci_high"]) for r in rows)


def test_seeded_releases_repeat_and_are_stamped():
    suha("generate", "--shape", "nb6k", "--rows", 1000, "--out", path("s.csv"))
    env = {"SOURCE_DATE_EPOCH": "1700000000"}
    for out, threads in (("s1", 1), ("s2", 2)):
        suha("release", path("s.csv"), "--schema", "nb6k", "--epsilon", 4, "--length", 2, "--test-mode", "--seed", 9, "--threads", threads, "--no-evaluation",
             "--out", path(out), env=env)
    one, two = harness.tree(path("s1")), harness.tree(path("s2"))
    assert one.keys() == two.keys()
    different = [n for n in one if one[n].replace(b"s1", b"s2") != two[n].replace(b"s1", b"s2")]
    assert not [n for n in different if n.startswith("data/")], different
    assert b"NOT PRIVATE" in one["README.md"] and b"NOT PRIVATE" in one["protection/report.html"]


def test_k_threshold_holds_for_what_is_printed():
    suha("generate", "--shape", "nb6k", "--rows", 1500, "--out", path("k.csv"))
    suha("release", path("k.csv"), "--schema", "nb6k", "--epsilon", 4, "--length", 2, "--k", 20, "--out", path("k-release"))
    with open(path("k-release", "data", "aggregates.csv"), encoding="utf-8-sig", newline="") as f:
        counts = [float(r["count"]) for r in csv.DictReader(f)]
    assert counts and min(counts) >= 20


harness.main()
