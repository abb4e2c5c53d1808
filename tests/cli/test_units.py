#!/usr/bin/env python3
"""Whom a release protects and what it may lean on: --unit, --contribution, --public, rules of the schema, the parameters of sds."""
import csv
import json
import os
import shutil

import harness
from harness import SOURCE, path, suha, write


def report(name):
    with open(path(name, "protection", "report.json"), encoding="utf-8") as f:
        return json.load(f)


def rows(*parts):
    with open(path(*parts), newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def pairs(victims=1500):
    if not os.path.exists(path("pairs.csv")):
        suha("generate", "--shape", "vp17k", "--rows", str(victims), "--seed", "3", "--out", path("pairs.csv"))
    return path("pairs.csv")


def test_pairs_of_victim_and_perpetrator():
    have = rows(pairs())
    assert len({r["victimID"] for r in have}) == 1500 and 2000 < len(have) < 4000
    assert any(";" in r["IP_citizen_UNRegion"] for r in have)
    suha("check", pairs(), "--schema", "ctdc-vp-2022", "--strict")
    release = ("release", pairs(), "--schema", "ctdc-vp-2022", "--epsilon", "4", "--unit", "victimID", "--contribution", "3", "--no-evaluation")
    done = suha(*release, "--out", path("vp"), "--json").json()
    assert done["unit"] == "victim" and done["contribution"] == 3 and done["accountant"] == "zcdp" and done["epsilon"] <= 4, done
    guarantee = report("vp")["guarantee"]
    assert guarantee["unit"].startswith("one victim (all records with one value in the column victimID; at most 3"), guarantee["unit"]
    assert guarantee["records_per_unit"] == 3 and guarantee["neighbouring"] == "add or remove all records of one victim"
    words = " ".join(guarantee["promise"] + guarantee["not_protected"])
    assert "What is protected is one victim" in words and "promise is per record" not in words, words
    entry = suha("ledger", path("vp"), "--json").json()["entries"][0]
    assert entry["unit"] == "one victim (victimID), up to 3 records, add or remove", entry
    made = rows("vp", "data/microdata.csv")
    assert "victimID" not in made[0] and made and "IP_Relation" in made[0]
    kept = suha("evaluate", "--true", pairs(), "--release", path("vp"), "--schema", "ctdc-vp-2022", "--json").json()
    assert kept["true_records"] == len(have) and kept["structural_zeros"] is None
    as_counted = suha("evaluate", "--true", pairs(), "--release", path("vp"), "--schema", "ctdc-vp-2022", "--unit", "victimID", "--json").json()
    per_victim = {}
    for r in have:
        per_victim[r["victimID"]] = min(3, per_victim.get(r["victimID"], 0) + 1)
    assert as_counted["true_records"] == sum(per_victim.values()) < len(have)
    coverage = as_counted["aggregates"]["all"]["coverage"]
    assert coverage > 0.9, coverage
    # rho of the person is nine times that of a record: sigma^2 = 9 / (2 rho share) for each table
    tables = report("vp")["tables"]
    spent = sum(9 / (2 * t["sigma"] ** 2) for t in tables)
    assert 0.99 * done["rho"] < spent <= done["rho"] * (1 + 1e-9), (spent, done["rho"])


def test_a_column_of_the_file_says_who_is_who():
    write("people.csv", "who,H1,H2,H4\n" + "".join(f"p{i // 3},{i % 2 + 1},{i % 6 + 1},{i % 2}\n" for i in range(600)))
    base = ("release", path("people.csv"), "--schema", "nb6k", "--epsilon", "8", "--length", "2", "--no-evaluation")
    one = suha(*base, "--unit", "who", "--out", path("one"))
    assert "400 records of people with more than 1 were left out" in one.err, one.err
    total = report("one")["records"]
    assert total["ci_low"] - 20 < 200 < total["ci_high"] + 20, total
    three = suha(*base, "--unit", "who", "--contribution", "3", "--out", path("three"), "--json").json()
    assert "left out" not in json.dumps(three) and three["unit"] == "person"
    assert report("three")["guarantee"]["unit"].startswith("one person (all records with one value in the column who")
    assert "no column of the schema nb6k, and not one column of the file" in suha(*base, "--unit", "nobody", "--out", path("x"), code=2).err
    assert "needs --unit" in suha(*base, "--contribution", "2", "--out", path("x"), code=2).err
    suha(*base, "--unit", "who", "--contribution", "0", "--out", path("x"), code=1)
    suha(*base, "--unit", "who", "--contribution", "5000", "--out", path("x"), code=1)
    suha(*base, "--unit", "who", "--contribution", "few", "--out", path("x"), code=2)
    refused = suha("release", path("people.csv"), "--schema", "nb6k", "--mechanism", "sds", "--epsilon", "4", "--unit", "who", "--contribution", "2",
                   "--out", path("x"), code=2)
    assert "protects one record" in refused.err
    assert not os.path.exists(path("x"))


def test_an_earlier_release_helps_free_of_charge():
    for year in (1, 2):
        suha("generate", "--shape", "nb6k", "--rows", "4000", "--seed", str(year), "--out", path(f"year{year}.csv"))
    suha("release", path("year1.csv"), "--schema", "nb6k", "--epsilon", "4", "--title", "The first year", "--out", path("first"), "--no-evaluation")
    base = ("release", path("year2.csv"), "--schema", "nb6k", "--epsilon", "0.5", "--length", "2")
    alone = suha(*base, "--out", path("alone"), "--json").json()
    helped = suha(*base, "--public", path("first"), "--out", path("helped"), "--json").json()
    assert abs(helped["rho"] / alone["rho"] - 1) < 0.01 and helped["epsilon"] <= 0.5
    prior = report("helped")["public_prior"]
    assert prior["title"] == "The first year" and prior["epsilon"] <= 4 and len(prior["report_sha256"]) == 64
    assert all(0 <= w <= 1 for w in prior["weight_of_the_new_tables"].values()) and prior["weight_of_the_new_tables"]["2"] < 0.9, prior
    assert "public_prior" not in report("alone")
    assert "costs nothing more" in " ".join(report("helped")["guarantee"]["promise"])
    ledger = suha("ledger", path("helped"), "--json").json()
    assert "public prior" in ledger["entries"][0]["public_inputs"], ledger

    def error(name):
        with open(path(f"{name}.evaluation-NOT-FOR-PUBLICATION.json"), encoding="utf-8") as f:
            return json.load(f)["aggregates"]["2"]["error_union"]
    assert error("helped") < error("alone"), (error("helped"), error("alone"))


def test_what_promised_nothing_is_no_prior():
    base = ("release", path("year2.csv"), "--schema", "nb6k", "--epsilon", "1", "--length", "2", "--out", path("x"), "--no-evaluation")
    year = ("release", path("year1.csv"), "--schema", "nb6k", "--length", "2", "--no-evaluation")
    suha(*year, "--epsilon", "1", "--test-mode", "--seed", "1", "--out", path("stamped"))
    assert "NOT PRIVATE" in suha(*base, "--public", path("stamped"), code=1).err
    suha(*year, "--mechanism", "row-seeded", "--k", "10", "--out", path("grouped"))
    assert "without a differential privacy bound" in suha(*base, "--public", path("grouped"), code=1).err
    suha("release", path("year1.csv"), "--schema", "auto", "--domain-from-data", "--epsilon", "1", "--length", "2", "--out", path("own"), "--no-evaluation")
    assert "promises nothing" in suha(*base, "--public", path("own"), code=1).err
    assert "schema" in suha(*base, "--public", path("vp"), code=1).err
    assert "not a release" in suha(*base, "--public", path(), code=1).err
    assert "residual only" in suha(*base, "--mechanism", "aim", "--public", path("first"), code=2).err
    shutil.copytree(path("first"), path("forged"))
    with open(path("forged", "data", "microdata.csv"), "ab") as f:
        f.write(b"1,1,1,1,1,1,1,1,1,1\n")
    assert "not the file that was published" in suha(*base, "--public", path("forged"), code=1).err
    assert not os.path.exists(path("x"))


def ruled_schema(name, rules):
    shutil.copytree(os.path.join(SOURCE, "instruments", "nb6k"), path("own", name), dirs_exist_ok=True)
    shutil.copytree(os.path.join(SOURCE, "instruments", "codelists"), path("own", "codelists"), dirs_exist_ok=True)
    with open(path("own", name, "schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    schema["name"] = name
    schema["suha:recordRules"] = rules
    with open(path("own", name, "schema.json"), "w", encoding="utf-8") as f:
        json.dump(schema, f)
    return {"SUHA_INSTRUMENTS": path("own")}


def side(column, *codes):
    return {"column": column, "codes": list(codes)}


def test_rules_of_the_schema():
    rules = [{"name": "fourth", "if": side("H4", "1"), "then": side("H5", "1")}, {"name": "first", "if": side("H1", "1"), "exclude": side("H6", "1")}]
    env = ruled_schema("ruled", rules)
    write("ruled.csv", "H1,H2,H3,H4,H5,H6\n" + "".join(f"{i % 2 + 1},{i % 6 + 1},{i % 10 + 1},{i // 3 % 2},{i // 7 % 2},{i // 5 % 2}\n" for i in range(3000)))
    found = {r["name"]: r for r in suha("check", path("ruled.csv"), "--schema", "ruled", "--json", env=env).json()["rules"]}
    # the 0 of H5 is a known no
    assert found["fourth"]["rows"] == 1500 and found["fourth"]["missing"] == 0 and found["fourth"]["against"] > 500, found
    assert "contradict a rule" in suha("check", path("ruled.csv"), "--schema", "ruled", "--strict", env=env, code=1).err
    suha("release", path("ruled.csv"), "--schema", "ruled", "--epsilon", "2", "--out", path("ruled"), "--no-evaluation", env=env)
    told = report("ruled")
    assert told["record_rules"] == ["H4 = 1 implies H5 = 1", "H1 = 1 excludes H6 = 1"], told["record_rules"]
    assert any(t["impossible_cells"] > 0 for t in told["tables"]) and "impossible" in " ".join(told["guarantee"]["promise"])
    for r in rows("ruled", "data/microdata.csv"):
        assert not (r["H4"] == "1" and r["H5"] != "1") and not (r["H1"] == "1" and r["H6"] == "1"), r
    for a in rows("ruled", "data/aggregates.csv"):
        assert not {"H1=1", "H6=1"} <= set(a["combination"].split(";")), a
    truth = suha("evaluate", "--true", path("ruled.csv"), "--release", path("ruled"), "--schema", "ruled", "--json", env=env).json()["structural_zeros"]
    assert truth["synthetic_records_breaking_a_rule"] == 0 and truth["impossible_combinations_published"] == 0 and truth["error"] == 0, truth
    assert truth["true_records_breaking_a_rule"] > 1000 and truth["impossible_pairs"] == 1
    text = suha("evaluate", "--true", path("ruled.csv"), "--release", path("ruled"), "--schema", "ruled", env=env).out
    assert "error on structural zeros 0" in text


def test_rules_that_contradict_each_other():
    env = ruled_schema("torn", [{"if": side("H4", "1"), "then": side("H5", "1")}, {"name": "no", "if": side("H4", "1"), "exclude": side("H5", "1")}])
    done = suha("check", path("ruled.csv"), "--schema", "torn", env=env, code=1)
    assert "torn/schema.json" in done.err and "H4 = 1" in done.err and '"no"' in done.err, done.err


def test_parameters_of_sds():
    def sds(name, *options, code=0):
        return suha("release", path("year1.csv"), "--schema", "nb6k", "--mechanism", "sds", "--epsilon", "4", "--delta", "1e-6", "--length", "3",
                    "--no-evaluation", "--out", path(name), *options, code=code)
    sds("plain")
    sds("tuned", "--percentile-percentage", "90", "--percentile-epsilon-proportion", "0.05", "--number-of-records-epsilon-proportion", "0.01",
        "--accuracy-mode", "prioritize_short_combinations", "--fixed-thresholds", "40,30", "--sample-size", "500", "--weight-selection-percentile", "80",
        "--use-synthetic-counts", "--codelist-candidates", "--tight-accounting")
    plain, tuned = report("plain"), report("tuned")
    level = {n: [c["sigma"] for c in r["combinations"]] for n, r in (("plain", plain), ("tuned", tuned))}
    assert tuned["guarantee"]["delta_beside_rho"] == 0 and plain["guarantee"]["delta_beside_rho"] > 0
    assert [c["reported_above"] for c in tuned["combinations"]][1:] == [40, 30]
    assert tuned["records"]["synthetic"] <= 500 < plain["records"]["synthetic"]
    assert level["tuned"][0] < level["plain"][0], level
    sds("shaped", "--sigma-proportions", "1,1,1", "--fabrication-mode", "minimize")
    sds("adaptive", "--adaptive-thresholds", "0.01,0.01")
    assert report("shaped")["combinations"][1]["gate_threshold"] == report("adaptive")["combinations"][1]["gate_threshold"] > 2
    assert "none of" in sds("x", "--fabrication-mode", "some", code=2).err
    assert "not a number" in sds("x", "--sigma-proportions", "1,many", code=2).err
    sds("x", "--percentile-percentage", "101", code=1)
    assert "--mechanism sds only" in suha("release", path("year1.csv"), "--schema", "nb6k", "--epsilon", "1", "--sample-size", "5", "--out", path("x"),
                                          code=2).err
    assert not os.path.exists(path("x"))


def test_comparing_with_a_vault_is_noted():
    vault = path("vault")
    suha("vault", "init", vault)
    suha("org", "add", vault, "o1", "--name", "One")
    suha("import", path("year1.csv"), "--vault", vault, "--org", "o1", "--schema", "nb6k")
    before = suha("vault", "status", vault, "--json").json()["audit_entries"]
    suha("release", "--vault", vault, "--schema", "nb6k", "--epsilon", "1", "--length", "2", "--out", path("sealed"), "--no-evaluation")
    released = suha("vault", "status", vault, "--json").json()["audit_entries"]
    suha("evaluate", "--vault", vault, "--release", path("sealed"), "--who", "Ada")
    after = suha("vault", "status", vault, "--json").json()["audit_entries"]
    assert before <= released and after == released + 1, (before, released, after)
    suha("vault", "verify", vault)
    with open(os.path.join(vault, "vault.db"), "rb") as f:
        assert b"what=evaluation release=" in f.read()


harness.main()
