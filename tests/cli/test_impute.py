"""suha impute and suha pool: reasons counted, files completed, mice's numbers, refusals."""
import csv
import json
import random

import harness
from harness import path, shared, suha, write


def survey():
    r = random.Random(5)
    rows = ["id,forced,route,age,band,months"]
    for i in range(300):
        cmr, months = r.random() < 0.5, round(r.expovariate(0.2), 1)
        forced = int(r.random() < (0.6 if cmr else 0.2))
        band = ["under 18", "18 to 29", "30 and above"][min(2, int(r.random() * 3))]
        rows.append(",".join([f"p{i}", "-99" if r.random() < 0.1 else "-98" if r.random() < 0.05 else str(forced), "CMR" if cmr else "EMR", str(r.randint(14, 50)),
                              "-99" if r.random() < 0.1 else band, "-97" if i % 30 == 0 else "-99" if r.random() < 0.15 else str(months)]))
    return write("survey.csv", "\n".join(rows) + "\n")


CODES = ["--missing", "-99,-98=refused,-97=not applicable"]


def test_impute_then_pool():
    out = path("completed.csv")
    done = suha("impute", survey(), *CODES, "--m", 6, "--rounds", 4, "--out", out, "--json")
    result = done.json()
    assert len(result["hash"]) == 64 and result["n"] == 300 and result["imputations"] == 6
    missing = {r["variable"]: r for r in result["tables"]["missing"]}
    assert missing["forced"]["method"] == "logit" and missing["forced"]["refused"] > 0 and missing["months"]["not_applicable"] == 10
    assert missing["id"]["method"] == "not used" and missing["band"]["method"] == "multinomial" and missing["months"]["method"] == "pmm"
    codes = {w["code"] for w in result["warnings"]}
    assert {"W_MISSING_AT_RANDOM", "W_NOT_APPLICABLE"} <= codes
    rows = list(csv.DictReader(open(out, encoding="utf-8")))
    assert len(rows) == 6 * 300
    assert all(r["forced"] in ("0", "1") and r["band"] not in ("", "-99") for r in rows)
    assert sum(r["months"] == "-97" for r in rows) == 60 and all(r["months"] != "-99" for r in rows)
    again = path("again.csv")
    suha("impute", survey(), *CODES, "--m", 6, "--rounds", 4, "--out", again, "--threads", 1)
    assert open(out, "rb").read() == open(again, "rb").read()
    pooled = suha("pool", out, "--formula", "forced ~ route + age + band", "--test", "band", "--json").json()
    route = next(r for r in pooled["tables"]["coefficients"] if r["term"].startswith("route"))
    assert abs(route["estimate"]) > 1 and route["p"] < 0.001 and 0 < route["lambda"] < 0.5 and pooled["tables"]["tests"][0]["df1"] == 2
    assert "completed file" in suha("impute", out, code=1).err


def test_pool_agrees_with_mice():
    reference = json.load(open(shared("reference", "multiple_imputation.json"), encoding="utf-8"))["nhanes_lm"]
    result = suha("pool", shared("data", "statistics", "mi_nhanes_imputed_m5.csv"), "--formula", "bmi ~ age + chl", "--linear", "--json").json()
    for row, q, df in zip(result["tables"]["coefficients"], reference["qbar"], reference["df"]):
        assert abs(row["estimate"] - q) < 1e-9 * abs(q) and abs(row["df"] - df) < 1e-9 * df
    lines = ["term,estimate,se"] + [f"{t},{one['coef'][k]!r},{one['se'][k]!r}" for one in reference["per_imputation"] for k, t in enumerate("abc")]
    result = suha("pool", write("estimates.csv", "\n".join(lines) + "\n"), "--term", "term", "--estimate", "estimate", "--se", "se", "--complete-df", 22, "--json").json()
    for row, df in zip(result["tables"]["coefficients"], reference["df"]):
        assert abs(row["df"] - df) < 1e-9 * df
    assert len(result["hash"]) == 64 and result["n"] == 15


def test_ordered_and_slider():
    file = survey()
    plain = suha("impute", file, *CODES, "--m", 4, "--rounds", 3, "--json").json()
    moved = suha("impute", file, *CODES, "--m", 4, "--rounds", 3, "--delta", "forced=2", "--ordered", "band", "--json").json()
    share = [next(r["imputed"] for r in x["tables"]["imputed"] if r["variable"] == "forced") for x in (plain, moved)]
    assert share[1] > share[0] + 0.1
    assert any(w["code"] == "W_MNAR" for w in moved["warnings"])
    assert any(r["variable"] == "band" and r["method"] == "ordered" for r in moved["tables"]["missing"])


def test_refusals():
    file = survey()
    for words, code, arguments in [("whole number", 2, ["--m", "many"]), ("did you mean", 1, ["--exclude", "bnd"]), ("is no method", 2, ["--method", "band=forest"]),
                                   ("write COLUMN=VALUE", 2, ["--delta", "forced"]), ("several categories", 2, ["--delta", "band=1"])]:
        done = suha("impute", file, *CODES, *arguments, code=code)
        assert words in done.err, (arguments, done.err)
    assert "nothing is missing" in suha("impute", write("full.csv", "a,b\n1,2\n2,3\n3,5\n"), code=1).err
    assert "^" in suha("pool", shared("data", "statistics", "mi_nhanes_imputed_m5.csv"), "--formula", "bmi ~ age +", "--linear", code=2).err
    assert "two or more" in suha("pool", write("one.csv", ".imp,y,x\n1,0,2\n1,1,3\n1,0,4\n"), "--formula", "y ~ x", code=1).err


harness.main()
