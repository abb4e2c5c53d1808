#!/usr/bin/env python3
"""Releases by the mechanisms of Synthetic Data Showcase: what they say about themselves."""
import csv
import json
import os

import harness
from harness import path, suha

LABEL = "no differential privacy bound"


def data():
    if not os.path.exists(path("nb6k.csv")):
        suha("generate", "--shape", "nb6k", "--seed", "1", "--out", path("nb6k.csv"))
    return path("nb6k.csv")


def text(*parts):
    with open(path(*parts), encoding="utf-8") as f:
        return f.read()


def rows(*parts):
    with open(path(*parts), newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def test_k_modes_are_labelled_everywhere():
    for mode in ("row-seeded", "value-seeded", "unseeded"):
        done = suha("release", data(), "--schema", "nb6k", "--mechanism", mode, "--k", "10", "--length", "2", "--out", path(mode))
        assert LABEL in done.out.lower(), done.out
        for name in ("README.md", "NOT-PRIVATE.txt", "protection/report.html", "protection/report.json", "datapackage.json", "CITATION.cff", "codebook.html"):
            assert LABEL in text(mode, name).lower(), (mode, name)
        report = json.loads(text(mode, "protection/report.json"))
        guarantee = report["guarantee"]
        assert guarantee["mechanism"] == mode and guarantee["differential_privacy"] is False and guarantee["holds"] is False
        assert guarantee["epsilon"] is None and guarantee["rho"] is None and guarantee["noise"] == "none", guarantee
        assert report["population"]["stated"] is False
        words = " ".join(guarantee["promise"] + guarantee["not_protected"])
        assert "Differencing" in words and ("Rows are real" in words) == (mode == "row-seeded"), words
        counts = rows(mode, "data/aggregates.csv")
        assert counts and all(int(c["count"]) % 10 == 0 and c["ci_low"] == "" and c["ci_high"] == "" for c in counts)
        assert int(report["records"]["estimated"]) % 10 == 0


def test_the_ledger_knows_them():
    done = suha("ledger", path("row-seeded"))
    assert LABEL in done.out and "no total holds" in done.out, done.out
    ledger = suha("ledger", path("row-seeded"), "--json").json()
    assert ledger["spent_rho"] == 0 and ledger["releases_without_bound"] == 1
    assert ledger["entries"][0]["bounded"] is False and ledger["entries"][0]["epsilon"] is None and "K=10" in ledger["entries"][0]["mechanism"]


def test_sds_states_what_it_spent():
    suha("release", data(), "--schema", "nb6k", "--mechanism", "sds", "--epsilon", "4", "--delta", "1e-6", "--length", "3", "--out", path("sds"))
    report = json.loads(text("sds", "protection/report.json"))
    guarantee = report["guarantee"]
    assert guarantee["holds"] and 3 < guarantee["epsilon"] < 4 and guarantee["delta_beside_rho"] == 5e-7, guarantee
    assert all(level["contribution_bound"] > 0 and level["sigma"] > 0 for level in report["combinations"])
    assert report["population"]["delta"] == 1.5e-6
    counts = rows("sds", "data/aggregates.csv")
    assert counts and all(c["ci_low"] == "" for c in counts) and LABEL not in text("sds", "README.md").lower()
    ledger = suha("ledger", path("sds"), "--json").json()
    assert ledger["delta_beside_rho"] == 5e-7 and ledger["releases_without_bound"] == 0


def test_wrong_use():
    base = ("release", data(), "--schema", "nb6k", "--out", path("wrong"))
    assert "residual" in suha(*base, "--mechanism", "best", "--epsilon", "1", code=2).err
    assert "--k" in suha(*base, "--mechanism", "unseeded", code=2).err
    assert "--epsilon" in suha(*base, "--mechanism", "unseeded", "--k", "10", "--epsilon", "1", code=2).err
    suha(*base, "--mechanism", "unseeded", "--k", "1", code=2)
    suha(*base, "--mechanism", "sds", code=2)
    assert not os.path.exists(path("wrong")) and not os.path.exists(path("wrong.ledger.db"))


harness.main()
