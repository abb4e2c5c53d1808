"""suha estimate, stock and smallarea: arithmetic, what drives a total, labels, refusals with line and caret."""
import math
import json
import os

import harness
from harness import path, shared, suha, write

RECIPE = """id,label,value,se,distribution,cases,of,dispersion,basis,source,adjustment,alternative,alternative_source,formula
flow,Five-year flow,52000,6100,lognormal,,,,survey,invented,multiplicity,,,
duration,Months,11.4,0.9,,,,,survey,invented,cut to 60,,,
labour,,,,,,,,,,,,,flow * duration / 60
odds,Sexual per labour,,,,4820,9310,2,case files,invented,,0.9,invented police file,
total,All,,,,,,,,,,,,labour + labour * odds
"""


def test_recipe():
    page = path("estimate.html")
    result = suha("estimate", write("recipe.csv", RECIPE), "--report", page, "--json").json()
    assert len(result["hash"]) == 64 and result["n"] == 3 and result["draws"] == 10000
    labour, total = result["tables"]["results"]
    assert abs(labour["value"] - 9880) < 1e-9 and labour["note"] == "" and total["note"] == "case files count assisted persons"
    assert [r["input"] for r in result["tables"]["tornado"]] == ["Five-year flow", "Months", "Sexual per labour"]
    assert abs(sum(r["share"] for r in result["tables"]["tornado"]) - 1) < 1e-9
    assert result["tables"]["alternatives"][0]["change"] > 0.2
    assert {r["id"] for r in result["tables"]["inputs"]} == {"flow", "duration", "labour", "odds", "total"}
    assert "<svg" in open(page, encoding="utf-8").read()
    same = suha("estimate", write("recipe.csv", RECIPE), "--json").json()
    assert same["tables"] == result["tables"]
    other = suha("estimate", write("recipe.csv", RECIPE), "--seed", 2, "--json").json()
    assert other["tables"]["results"][0]["low"] != labour["low"] and abs(other["tables"]["results"][0]["low"] / labour["low"] - 1) < 0.03
    # the published total is the sum of its published parts (spec: 24.9 + 15.4 = 40.3 million; 16.0 + 4.8 + 4.1 = 24.9)
    parts = "id,value,formula\nprivate,16.0,\nsexual,4.8,\nstate,4.1,\nmarriage,15.4,\nlabour,,private + sexual + state\ntotal,,labour + marriage\n"
    rows = suha("estimate", write("parts.csv", parts), "--json").json()["tables"]["results"]
    assert abs(rows[0]["value"] - 24.9) < 1e-9 and abs(rows[1]["value"] - 40.3) < 1e-9


def test_recipe_refusals():
    done = suha("estimate", write("broken.csv", RECIPE.replace("labour + labour * odds", "labour + labour * ods")), code=1)
    assert "broken.csv, line 6, column 'formula'" in done.err and "no row has this id" in done.err and "^" in done.err
    done = suha("estimate", write("text.csv", RECIPE.replace("6100", "about 6100")), code=1)
    assert "line 2, column 'se'" in done.err
    assert "--draws" in suha("estimate", write("recipe.csv", RECIPE), "--draws", "many", code=2).err


def test_odds_of_a_case_file():
    rows = "kind,org,region,n\n" + "".join(f"{kind},{org},{region},{n}\n" for org, pair in (("A", (40, 100)), ("B", (90, 60)), ("C", (20, 80))) for region in ("north", "south")
                                           for kind, n in zip(("sexual", "labour"), pair))
    file = write("cases.csv", rows)
    result = suha("odds", file, "--kind", "kind", "--numerator", "sexual", "--denominator", "labour", "--by", "region", "--organisation", "org", "--count", "n", "--json").json()
    north = result["tables"]["odds"][0]
    share = 150 / 390
    dispersion = sum((a - (a + b) * share) ** 2 / ((a + b) * share * (1 - share)) for a, b in ((40, 100), (90, 60), (20, 80))) / 2
    assert abs(north["odds"] - 150 / 240) < 1e-12 and abs(north["dispersion"] - dispersion) < 1e-9
    assert abs(north["log_se"] - (dispersion * (1 / 150 + 1 / 240)) ** 0.5) < 1e-9
    assert abs(north["low"] / (north["odds"] * math.exp(-4.302652729911275 * north["log_se"])) - 1) < 1e-9  # t of 2 df: three organisations
    assert abs(north["without_low"] - 60 / 180) < 1e-12 and abs(north["without_high"] - 130 / 160) < 1e-12
    assert any(w["code"] == "W_ASSISTED" for w in result["warnings"]) and len(result["hash"]) == 64 and result["n"] == 12
    assert "did you mean 'sexual'" in suha("odds", file, "--kind", "kind", "--numerator", "sexal", "--denominator", "labour", code=1).err
    assert "--denominator" in suha("odds", file, "--kind", "kind", "--numerator", "sexual", code=2).err


def test_stock():
    file = write("people.csv", "case,months,family,w,psu\n" + "".join(f"{int(k % 9 == 0)},{k % 70 if k % 9 == 0 else ''},{1 + k % 4},{1 + k % 3},u{k % 20}\n" for k in range(400)))
    result = suha("stock", file, "--case", "case", "--duration", "months", "--family", "family", "--weight", "w", "--psu", "psu", "--json").json()
    rows = {r["what"]: r for r in result["tables"]["estimates"]}
    people = [(1 + k % 3, min(k % 70, 60), 1 + k % 4) for k in range(400) if k % 9 == 0]
    flow = sum(w / m for w, _, m in people)
    stock = sum(w * d / 60 / m for w, d, m in people)
    assert abs(rows["flow over the window"]["estimate"] - flow) < 1e-9 and abs(rows["stock on a day"]["estimate"] - stock) < 1e-9
    assert rows["stock on a day"]["df"] == 19 and rows["stock on a day"]["low"] < stock < rows["stock on a day"]["high"]
    assert "needs a duration" in suha("stock", write("no.csv", "case,months\n1,\n0,3\n"), "--case", "case", "--duration", "months", code=1).err


def test_small_areas():
    reference = json.load(open(shared("reference", "small_area.json"), encoding="utf-8"))["interior"]
    file = shared("data", "statistics", "fay_herriot_interior.csv")
    arguments = ["--area", "area", "--estimate", "rate", "--variance", "psi", "--predictors", "vuln"]
    result = suha("smallarea", file, *arguments, "--json").json()
    assert abs(result["a"] - reference["REML"]["A"]) < 1e-5 * reference["REML"]["A"]
    for row, value in zip(result["tables"]["areas"], reference["REML"]["eblup"]):
        assert abs(row["estimate"] - value) < 1e-5 * abs(value)
    more = write("more.csv", open(file, encoding="utf-8").read().rstrip() + "\nX1,A,65,,,,,\n")
    extra = suha("smallarea", more, *arguments, "--json").json()
    last = extra["tables"]["areas"][-1]
    assert last["kind"] == "extrapolated" and abs(last["estimate"] - 14.4285530754087) < 1e-5 and abs(last["mse"] - 49.4176316652336) < 1e-4
    codes = {w["code"] for w in extra["warnings"]}
    assert {"W_EXTRAPOLATED", "W_NO_RANKING"} <= codes
    edge = suha("smallarea", shared("data", "statistics", "fay_herriot_boundary.csv"), *arguments, "--json").json()
    assert edge["a"] == 0 and edge["a_adjusted"] > 0 and any(w["code"] == "W_BOUNDARY" for w in edge["warnings"])


def test_small_area_refusals():
    file = write("areas.csv", "area,y,v,n,x\n" + "".join(f"a{k},{k % 5},{0 if k == 3 else 1 + k % 2},{100 + k},{k}\n" for k in range(12)))
    arguments = ["smallarea", file, "--area", "area", "--estimate", "y", "--variance", "v", "--predictors", "x"]
    assert "areas.csv: line 5" in suha(*arguments, code=1).err
    assert any(w["code"] == "W_SMOOTHED" for w in suha(*arguments, "--size", "n", "--json").json()["warnings"])
    assert "--method" in suha(*arguments, "--method", "bayes", code=2).err
    assert "one of them" in suha("smallarea", file, "--area", "area", "--estimate", "y", code=2).err


harness.main()
