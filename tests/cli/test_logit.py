"""suha logit: real data to every printed digit, exit codes, messages, JSON, the page, what is refused."""
import json
import os
import random

import harness
from harness import path, shared, suha, write

# A published fit, first column: isForcedLabour on all others but isSexualExploit; coefficient and standard error as printed there.
GOLDEN = [("-0.228568", "0.019422"), ("-0.035790", "0.003872"), ("-0.927224", "0.307928"), ("1.200328", "0.029274"), ("0.586177", "0.025553"),
          ("0.068575", "0.026503"), ("0.907636", "0.052823"), ("-1.066985", "0.037971"), ("0.532397", "0.027176"), ("2.311782", "0.071789"),
          ("0.530246", "0.052863"), ("-0.385682", "0.042054"), ("-0.345524", "0.059239"), ("-0.048140", "0.037853"), ("0.987045", "0.031241"),
          ("-1.376902", "0.160903"), ("-2.002096", "0.021304"), ("-0.428423", "0.033868")]


def survey(n=600, name="survey.csv"):
    rng = random.Random(11)
    lines = ["id,route,sex,age,nationality,site,answer,weight"]
    for i in range(n):
        route, sex = rng.choice(["CMR", "EMR"]), rng.choice(["female", "male"])
        yes = rng.random() < (0.7 if route == "CMR" else 0.2)
        age = "" if i % 50 == 7 else str(rng.randrange(14, 60))
        lines.append(f"{i},{route},{sex},{age},{rng.choice(['AAA', 'BBB', 'CCC'])},s{i % 15},{int(yes)},{rng.choice([1, 2])}")
    return write(name, "\n".join(lines) + "\n")


def test_golden():
    file = shared("data", "ctdc", "final_data.csv")
    r = suha("logit", file, "--formula", "isForcedLabour ~ . - isSexualExploit", "--json").json()
    rows = r["tables"]["coefficients"]
    assert [(f"{c['estimate']:.6f}", f"{c['se']:.6f}") for c in rows] == GOLDEN, rows
    assert f"{r['loglik']:.6f}" == "-33965.560349" and r["n"] == 91043 and r["events"] == 23682


def test_names_with_blanks():
    file = shared("data", "ctdc", "final_data.csv")
    r = suha("logit", file, "--formula", "isForcedLabour ~ `Age Band` + Woman*`Means Threats`", "--json").json()
    assert [c["term"] for c in r["tables"]["coefficients"]] == ["(Intercept)", "Age Band", "Woman", "Means Threats", "Woman:Means Threats"]


def test_json_and_page():
    page = path("logit.html")
    r = suha("logit", survey(), "--formula", "answer ~ route*sex + age", "--ref", "route=EMR", "--cluster", "site", "--effects", "--means", "route", "--predict",
             "route=CMR,sex=male,age=16;route=EMR", "--report", page, "--json").json()
    assert r["n"] == 588 and r["rows"] == 600 and len(r["hash"]) == 64 and r["method"].startswith("cluster CR2")
    codes = [w["code"] for w in r["warnings"]]
    assert "W_PROFILE_NOT_PERSON" in codes and "W_PROFILE_AVERAGED" in codes
    assert r["tables"]["missing"] == [{"variable": "age", "reason": "not recorded", "rows": 12}]
    low, high = r["tables"]["profiles"]
    assert low["kind"] == "profile" and high["kind"] == "averaged over the rest" and 0 < high["low"] < high["mean"] < high["high"] < 1
    assert {m["category"] for m in r["tables"]["margins"]} == {"CMR", "EMR"}
    with open(page) as f:
        text = f.read()
    assert "<svg" in text and "Satterthwaite" in text and "<script" not in text


def test_conditional_median_and_splines():
    r = suha("logit", survey(), "--formula", "answer ~ route + sex", "--conditional", "site", "--json").json()
    assert r["method"] == "inverse information of the conditional likelihood" and r["groups"] == 15 and r["informative"] == 600
    assert r["tables"]["coefficients"][0]["note"].startswith("left out") and r["tables"]["coefficients"][1]["odds_ratio"] < 1
    bad = suha("logit", survey(), "--formula", "answer ~ route", "--conditional", "site", "--effects", code=2)
    assert "has no level" in bad.err
    m = suha("logit", survey(), "--formula", "answer ~ route + ns(age, 3)", "--median", "--json").json()
    assert [c["term"] for c in m["tables"]["coefficients"]][2:] == ["ns(age,3)1", "ns(age,3)2", "ns(age,3)3"] and "aic" not in m
    bad = suha("logit", survey(), "--formula", "answer ~ ns(route, 3)", code=1)
    assert "categories" in bad.err
    bad = suha("logit", survey(), "--formula", "answer ~ ns(age)", code=2)
    assert "as in ns(age, 3)" in bad.err and "^" in bad.err


def test_missing_level_and_population_effects():
    file = write("gaps.csv", "y,answer,site\n" + "".join(f"{i * 7 % 10 > 4 and 1 or 0},{['yes', 'no', ''][i % 3]},s{i % 12}\n" for i in range(240)))
    r = suha("logit", file, "--formula", "y ~ answer", "--missing-level", "answer", "--json").json()
    assert r["n"] == 240 and r["tables"]["coefficients"][-1]["term"] == "answer=(missing)"
    assert "W_MISSING_LEVEL" in [w["code"] for w in r["warnings"]]
    page = path("population.html")
    r = suha("logit", survey(), "--formula", "answer ~ route + sex", "--random", "site", "--effects", "--means", "route", "--report", page, "--json").json()
    assert {m["category"] for m in r["tables"]["margins"]} == {"CMR", "EMR"} and len(r["tables"]["effects"]) == 2
    with open(page) as f:
        assert "averaged over the population of groups" in f.read()


def test_rao_scott_and_replicates():
    args = ["logit", survey(), "--formula", "answer ~ route + sex", "--weight", "weight", "--psu", "site", "--json"]
    r = suha(*args, "--lrt").json()
    ratios = r["tables"]["likelihood_ratios"]
    assert [t["term"] for t in ratios] == ["route", "sex"] and ratios[0]["p"] < 1e-4 and ratios[0]["design_effect"] > 0 and ratios[0]["df2"] == 12
    j = suha(*args, "--replicates", "JK1").json()
    assert j["method"].startswith("15 replicates")
    for a, b in zip(r["tables"]["coefficients"], j["tables"]["coefficients"]):
        assert a["estimate"] == b["estimate"] and 0.7 < a["se"] / b["se"] < 1.3
    bad = suha("logit", survey(), "--formula", "answer ~ route", "--replicates", "JK1", code=2)
    assert "needs a survey design" in bad.err


def test_two_ways_of_few_clusters_are_said():
    for columns, few in (("site,age", True), ("site", False)):
        r = suha("logit", survey(), "--formula", "answer ~ route", "--cluster", columns, "--json").json()
        assert any(w["code"] == "W_FEW_CLUSTERS" and "15 clusters in one of two ways" in w["text"] for w in r["warnings"]) == few, r["warnings"]


def test_effects_of_groups_have_honest_intervals():
    r = suha("logit", survey(), "--formula", "answer ~ route", "--random", "site", "--json").json()
    df = {c["term"]: c["df"] for c in r["tables"]["coefficients"]}
    assert df["(Intercept)"] == 14 and df["route=EMR"] is None, df  # 15 sites less the one column that is the same for all people of a site
    assert any(w["code"] == "W_FEW_GROUPS" and "15 groups" in w["text"] for w in r["warnings"])
    known = r["sigma"] > 0
    for g in r["tables"]["groups"]:
        assert (g["low"] is not None) == known and (not known or g["low"] < g["effect"] < g["high"]), g


def test_same_digits_on_any_number_of_threads():
    file, runs = survey(30000, "long.csv"), []
    for cpus in ("one", "all"):
        command = ["logit", file, "--formula", "answer ~ route + sex*age + nationality", "--json"]
        if cpus == "one" and hasattr(os, "sched_setaffinity"):
            before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {min(before)})
            runs.append(suha(*command).out)
            os.sched_setaffinity(0, before)
        else:
            runs.append(suha(*command).out)
    assert runs[0] == runs[-1]


def test_random_intercept():
    r = suha("logit", survey(), "--formula", "answer ~ route + sex", "--random", "site", "--predict", "route=CMR,sex=male", "--json").json()
    assert r["random"] == "site" and r["groups"] == 15 and r["sigma"] >= 0 and 0 <= r["icc"] < 1
    assert [p["kind"] for p in r["tables"]["profiles"]] == ["typical group (u = 0)", "population-averaged"]


def test_separation_and_firth():
    file = write("separated.csv", "y,x,z\n" + "\n".join(f"{1 if x else (i % 3 == 0) * 1},{x},{i % 5}" for i in range(60) for x in [i % 4 == 0 and 1 or 0]) + "\n")
    r = suha("logit", file, "--formula", "y ~ x + z", "--json").json()
    x = [c for c in r["tables"]["coefficients"] if c["term"] == "x"][0]
    assert x["odds_ratio"] is None and x["note"] == "infinite (separation)", x
    assert "W_SEPARATION" in [w["code"] for w in r["warnings"]]
    assert "--firth" in suha("logit", file, "--formula", "y ~ x + z", "--effects", code=1).err
    x = [c for c in suha("logit", file, "--formula", "y ~ x + z", "--firth", "--json").json()["tables"]["coefficients"] if c["term"] == "x"][0]
    assert x["odds_ratio"] > 1 and x["low"] > 1


def test_refusals():
    file = survey()
    for code, words, args in [
        (2, "^", ["--formula", "answer ~ route + + sex"]),
        (2, "--formula", []),
        (2, "--family 'logistic' must be one of", ["--formula", "answer ~ sex", "--family", "logistic"]),
        (2, "must be COLUMN=CATEGORY", ["--formula", "answer ~ sex", "--ref", "sex"]),
        (1, "did you mean 'route'", ["--formula", "answer ~ rout"]),
        (1, "no row used has the category 'XMR' of route; did you mean", ["--formula", "answer ~ route", "--ref", "route=XMR"]),
        (1, "the outcome must be 0 or 1", ["--formula", "age ~ sex"]),
        (1, "never for a person", ["--formula", "answer ~ sex", "--predict", "id=17"]),
        (1, "from nationality alone is refused", ["--formula", "answer ~ sex + nationality", "--predict", "nationality=AAA"]),
        (1, "600 categories", ["--formula", "answer ~ factor(id)"]),
        (2, "do not go with it", ["--formula", "answer ~ sex", "--psu", "site", "--cluster", "site"]),
    ]:
        done = suha("logit", file, *args, code=code)
        assert words in done.err, (args, done.err)


def test_caret_is_under_the_error():
    err = suha("logit", survey(), "--formula", "answer ~ route + (sex", code=2).err.rstrip("\n").split("\n")
    line, caret = err[-2], err[-1]
    assert line.endswith("answer ~ route + (sex") and line[caret.index("^")] == "(", err


def test_release_by_k_is_refused():
    file = write("bundle/data.csv", open(survey()).read())
    write("bundle/datapackage.json", json.dumps({"suha:guarantee": {"mechanism": "row-seeded"}}))
    assert "k-anonymised release" in suha("logit", file, "--formula", "answer ~ sex", code=1).err
    write("bundle/datapackage.json", json.dumps({"suha:guarantee": {"mechanism": "aim"}}))
    assert "W_SYNTHETIC_RECORDS" in suha("logit", file, "--formula", "answer ~ sex", "--json").out


harness.main()
