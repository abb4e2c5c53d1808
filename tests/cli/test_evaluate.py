"""suha evaluate and suha attack: numbers against a naive count, the page, what is refused, and what must not be published."""
import csv
import itertools
import json
import os
import stat
from collections import Counter

import harness
from harness import path, suha, write


def columns_of(name):
    with open(name, encoding="utf-8-sig", newline="") as f:
        return list(csv.DictReader(f))


def combinations(rows, length):
    counts = Counter()
    for row in rows:
        filled = [(k, v) for k, v in row.items() if v not in ("", "0")]  # a known no is not counted
        for l in range(1, length + 1):
            counts.update(itertools.combinations(filled, l))
    return counts


def made():
    if not os.path.exists(path("e/release")):
        os.makedirs(path("e"), exist_ok=True)
        suha("generate", "--shape", "nb6k", "--rows", 1500, "--out", path("e/true.csv"))
        suha("release", path("e/true.csv"), "--schema", "nb6k", "--epsilon", 1, "--length", 2, "--out", path("e/release"))
    return path("e/true.csv"), path("e/release")


def test_numbers_are_those_of_a_naive_count():
    truth, release = made()
    got = suha("evaluate", "--true", truth, "--release", release, "--k", 10, "--json").json()
    assert "NOT FOR PUBLICATION" in got["notice"]
    a, b = combinations(columns_of(truth), 2), combinations(columns_of(os.path.join(release, "data/microdata.csv")), 2)
    for l in (1, 2):
        ours = got["records"][str(l)]
        A, B = ({c: n for c, n in x.items() if len(c) == l} for x in (a, b))
        both, union = A.keys() & B.keys(), A.keys() | B.keys()
        expected = {
            "combinations_true": len(A), "combinations_released": len(B), "common": len(both),
            "error_common": sum(abs(A[c] - B[c]) for c in both) / len(both),
            "error_union": sum(abs(A.get(c, 0) - B.get(c, 0)) for c in union) / len(union),
            "suppressed": len(A.keys() - B.keys()) / len(A), "fabricated": len(B.keys() - A.keys()) / len(A),
            "fabricated_of_released": len(B.keys() - A.keys()) / len(B), "mean_count_true": sum(A.values()) / len(A),
            "leakage": sum(A[c] < 10 and B[c] < 10 for c in both) / len(A),
            "max_error": max(abs(A.get(c, 0) - B.get(c, 0)) for c in union),
        }
        for key, value in expected.items():
            assert abs(ours[key] - value) < 1e-9 * (1 + abs(value)), (l, key, ours[key], value)
    published = {}
    with open(os.path.join(release, "data/aggregates.csv"), encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            key = tuple(tuple(p.split("=")) for p in row["combination"].split(";"))
            published[key] = (int(row["count"]), float(row["ci_low"]), float(row["ci_high"]))
    covered = [low <= a.get(c, 0) <= high for c, (n, low, high) in published.items() if len(c) == 2]
    assert abs(got["aggregates"]["2"]["coverage"] - sum(covered) / len(covered)) < 1e-12
    assert got["regression"]["true"]["records"] == 1500 and got["records_at_risk"]["all"]["unique_records"] >= 0


def test_same_numbers_as_the_release_wrote():
    truth, release = made()
    written = json.load(open(release + ".evaluation-NOT-FOR-PUBLICATION.json", encoding="utf-8"))
    got = suha("evaluate", "--true", truth, "--release", release, "--json").json()
    for side in ("aggregates", "records"):
        for l in ("1", "2"):
            for key, value in written[side][l].items():
                if key != "coverage":  # intervals are printed to one decimal, widened
                    assert got[side][l][key] == value, (side, l, key)


def test_page_is_alone_private_and_stamped():
    truth, release = made()
    before = harness.tree(release)
    suha("evaluate", "--true", truth, "--release", release, "--out", path("e/page.html"), "--rare", path("e/rare.tsv"))
    assert stat.S_IMODE(os.stat(path("e/page.html")).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path("e/rare.tsv")).st_mode) == 0o600
    text = open(path("e/page.html"), encoding="utf-8").read()
    assert text.count("NOT FOR PUBLICATION") >= 3 and text.count("<svg") >= 4
    for word in ("http:", "https:", "src=", "<script", "url(", "@import"):
        assert word not in text, word
    assert before == harness.tree(release)
    head = open(path("e/rare.tsv"), encoding="utf-8").readline().rstrip("\n").split("\t")
    assert head == ["combo_length", "combo", "record_id", "syn_count", "sen_count"]


def test_nothing_true_goes_into_the_release_folder():
    truth, release = made()
    done = suha("evaluate", "--true", truth, "--release", release, "--out", os.path.join(release, "data", "page.html"), code=1)
    assert "publish" in done.err and not os.path.exists(os.path.join(release, "data", "page.html"))


def test_wrong_inputs_are_refused():
    truth, release = made()
    suha("evaluate", "--release", release, code=2)
    suha("evaluate", "--true", truth, "--vault", path("v"), "--release", release, code=2)
    assert "SHA256SUMS" in suha("evaluate", "--true", truth, "--release", path("e"), code=1).err
    suha("evaluate", "--true", truth, "--release", release, "--schema", "c17k", code=1)
    assert "no column" in suha("evaluate", "--true", truth, "--release", release, "--outcome", "H99", code=2).err
    fewer = write("e/fewer.csv", "H1,H2\n1,1\n")
    assert "H3" in suha("evaluate", "--true", fewer, "--release", release, code=2).err


def test_evaluation_of_a_vault():
    write("ev/cases.csv", "gender,isForcedLabour\n" + "Woman,1\nMan,\n" * 60)
    suha("vault", "init", path("evv"))
    suha("org", "add", path("evv"), "a", "--name", "A")
    suha("import", path("ev/cases.csv"), "--vault", path("evv"), "--org", "a", "--schema", "ctdc-2024")
    suha("release", "--vault", path("evv"), "--schema", "ctdc-2024", "--epsilon", 4, "--length", 2, "--out", path("evr"), "--no-evaluation")
    got = suha("evaluate", "--vault", path("evv"), "--release", path("evr"), "--json").json()
    assert got["true_records"] == 120 and got["schema"] == "ctdc-2024"
    assert got["regression"]["outcome"] == "isForcedLabour" and got["regression"]["left_out"]  # gender tells every yes from every no


def test_attack_says_what_is_learnt():
    truth, _ = made()
    args = ["attack", truth, "--schema", "nb6k", "--length", 2, "--rounds", 40, "--targets", 20, "--test-mode", "--seed", 3, "--json"]
    got = suha(*args, "--epsilon", 0.5).json()
    assert "NOT FOR PUBLICATION" in got["notice"] and got["bound_promised"] and not got["vacuous"] and not got["contradicted"]
    results = got["results"]
    assert all(results[c]["succeeded"] for c in results if c != "release")
    assert max(r["auc"] for r in results["release"].values() if r["ran"]) < 0.66
    for r in results["release"].values():
        assert 0 <= r["false_positive_rate"] <= 0.01 and r["bound"] <= 1
    assert suha(*args, "--epsilon", 0.5, "--threads", 1).out == suha(*args, "--epsilon", 0.5, "--threads", 2).out
    seeded = suha("attack", truth, "--schema", "nb6k", "--epsilon", 1, "--seed", 3, code=1)
    assert "--test-mode" in seeded.err


def test_an_attack_that_cannot_work_is_vacuous():
    write("e/twins.csv", "gender\n" + "Woman\nMan\n" * 100)
    done = suha("attack", path("e/twins.csv"), "--schema", "ctdc-2024", "--epsilon", 1, "--length", 1, "--rounds", 20, code=1)
    assert "DOES NOT SUCCEED" in done.out and "says nothing" in done.err
    write("e/few.csv", "gender\nWoman\n")
    assert "1 records" in suha("attack", path("e/few.csv"), "--schema", "ctdc-2024", "--epsilon", 1, code=1).err


harness.main()
