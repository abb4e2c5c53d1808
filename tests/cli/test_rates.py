"""suha rates, compare, weight: numbers against a slow recomputation, R's printed numbers where the shared files are, refusals, pages."""
import csv
import json
import math
import random
import xml.dom.minidom

import harness
from harness import path, shared, suha, write


def close(a, b, relative=1e-9):
    assert abs(a - b) <= relative * max(abs(b), 1e-12), (a, b)


def people(seed=1, n=600):
    r = random.Random(seed)
    rows = []
    for i in range(n):
        site = r.randrange(24)
        rows.append({"id": f"p{i}", "stratum": "north" if site % 3 else "south", "site": f"s{site}", "weight": round(0.5 + 2 * r.random(), 2), "sex": r.choice(["female", "male"]),
                     "age": r.randrange(14, 60), "route": r.choice(["CMR", "EMR", "WMR"]), "forced": int(r.random() < 0.15 + 0.02 * site % 0.3), "never": 0})
    rows[3]["forced"] = ""
    rows[5]["route"] = ""
    return rows


def survey(name="survey.csv", rows=None):
    rows = rows or people()
    lines = [",".join(rows[0])] + [",".join(str(v) for v in row.values()) for row in rows]
    return write(name, "\n".join(lines) + "\n")


DESIGN = ["--weight", "weight", "--strata", "stratum", "--psu", "site"]


def linearised(rows, inside, y):
    """Weighted mean of y over the rows inside, its variance between sites within strata, and the degrees of freedom: the textbook, row by row."""
    use = [r for r in rows if inside(r) and y(r) is not None]
    total = sum(r["weight"] for r in use)
    mean = sum(r["weight"] * y(r) for r in use) / total
    z = {(r["stratum"], r["site"]): 0.0 for r in rows}
    for r in use:
        z[r["stratum"], r["site"]] += r["weight"] * (y(r) - mean) / total
    variance = 0
    for stratum in {s for s, _ in z}:
        units = [v for (s, _), v in z.items() if s == stratum]
        centre = sum(units) / len(units)
        variance += len(units) / (len(units) - 1) * sum((v - centre) ** 2 for v in units)
    seen = {(r["stratum"], r["site"]) for r in use}
    return mean, variance, len(seen) - len({s for s, _ in seen}), len(use)


def test_rates_against_a_slow_recomputation():
    rows, file = people(), survey()
    got = suha("rates", file, "--outcome", "forced,age", "--by", "sex", *DESIGN, "--json").json()
    answer = lambda r: None if r["forced"] == "" else r["forced"]
    for line in got["tables"]["rates"]:
        inside = lambda r: line["group"] in ("all", r["sex"])
        mean, variance, df, n = linearised(rows, inside, answer)
        close(line["estimate"], mean)
        close(line["se"], math.sqrt(variance))
        assert (line["df"], line["n"]) == (df, n)
        close(line["unweighted"], line["cases"] / line["n"])
        assert 0 <= line["low"] < line["estimate"] < line["high"] <= 1
    for line in got["tables"]["means"]:
        inside = lambda r: line["group"] in ("all", r["sex"])
        ages = [r["age"] for r in rows if inside(r)]
        close(line["unweighted"], sum(ages) / len(ages))
        mean, variance, df, n = linearised(rows, inside, lambda r: r["age"])
        close(line["estimate"], mean)
        close(line["se"], math.sqrt(variance))
    assert any(w["code"] == "W_MISSING" and "forced" in w["text"] for w in got["warnings"])
    within = suha("rates", file, "--outcome", "forced", "--within", "sex=female,age>=18,route=CMR|EMR", *DESIGN, "--json").json()["tables"]["rates"][0]
    mean, variance, df, n = linearised(rows, lambda r: r["sex"] == "female" and r["age"] >= 18 and r["route"] in ("CMR", "EMR"), answer)
    close(within["estimate"], mean)
    close(within["se"], math.sqrt(variance))
    assert (within["df"], within["n"]) == (df, n)


def test_compare_agrees_with_rates():
    file = survey()
    rates = {r["group"]: r for r in suha("rates", file, "--outcome", "forced", "--by", "sex", *DESIGN, "--json").json()["tables"]["rates"]}
    got = suha("compare", file, "--outcome", "forced", "--by", "sex", *DESIGN, "--json").json()
    by = {c["measure"]: c for c in got["tables"]["comparisons"]}
    m, f = rates["male"]["estimate"], rates["female"]["estimate"]
    close(by["difference"]["estimate"], m - f)
    close(by["ratio"]["estimate"], m / f)
    close(by["odds ratio"]["estimate"], m / (1 - m) / (f / (1 - f)))
    assert by["difference"]["low"] < m - f < by["difference"]["high"]
    assert any("Rao-Scott" in t["test"] for t in got["tables"]["tests"])
    swapped = suha("compare", file, "--outcome", "forced", "--by", "sex", "--reference", "male", *DESIGN, "--json").json()
    close({c["measure"]: c for c in swapped["tables"]["comparisons"]}["difference"]["estimate"], f - m)
    assert "--stratify" in suha("compare", file, "--outcome", "forced", "--by", "route", "--stratify", "sex", code=1).err
    mh = suha("compare", file, "--outcome", "forced", "--by", "sex", "--stratify", "route", "--trend", "--json").json()
    assert any(c["measure"] == "common odds ratio" for c in mh["tables"]["comparisons"])
    assert any("Cochran-Armitage" in t["test"] for t in mh["tables"]["tests"])


def test_nobody_affected_still_has_an_interval():
    for design in ([], DESIGN):
        got = suha("rates", survey(), "--outcome", "never=0", "--by", "sex", *design, "--json").json()
        for line in got["tables"]["rates"]:
            assert line["high"] == 1 and 0.9 < line["low"] < 1, line
        assert any(w["code"] == "W_ZERO_COUNT" for w in got["warnings"])
    assert "nothing to compare" in suha("compare", survey(), "--outcome", "never", "--by", "sex", code=1).err


def test_small_groups_can_be_hidden():
    rows = people()
    for i, r in enumerate(rows):
        r["route"] = "rare" if i in (7, 9) else r["route"]
    got = suha("rates", survey("rare.csv", rows), "--outcome", "forced", "--by", "route", "--min-cell", "5", "--json").json()
    hidden = [r for r in got["tables"]["rates"] if "suppressed" in r["flag"]]
    assert len(hidden) >= 2 and all(r["estimate"] is None and r["cases"] is None for r in hidden), "one alone could be subtracted"
    assert any(w["code"] == "W_SUPPRESSED" for w in got["warnings"])


def test_every_json_carries_n_warnings_and_hash():
    file = survey()
    margins = write("margins.csv", "variable,level,total\nsex,female,5000\nsex,male,4000\n")
    for command in (["rates", file, "--outcome", "forced"], ["compare", file, "--outcome", "forced", "--by", "sex"], ["weight", file, "--margins", margins]):
        a, b = suha(*command, "--json").json(), suha(*command, "--json", "--threads", "2").json()
        assert a["n"] > 0 and isinstance(a["warnings"], list) and len(a["hash"]) == 64 and a["method"] and "effective_n" in a and "deff" in a and "df" in a
        assert a == b
    assert suha("rates", file, "--outcome", "forced", "--level", "0.9", "--json").json()["hash"] != suha("rates", file, "--outcome", "forced", "--json").json()["hash"]


def test_weights_meet_their_margins():
    rows, file = people(), survey()
    margins = write("margins.csv", "variable,level,total\nsex,female,5000\nsex,male,4000\nstratum,north,6500\nstratum,south,2500\nage,,300000\n")
    raked = write("rake.csv", "variable,level,total\nsex,female,5000\nsex,male,4000\nstratum,north,6500\nstratum,south,2500\n")
    cells = write("cells.csv", "variable,level,total\nsex*stratum,female*north,3000\nsex*stratum,male*north,3500\nsex*stratum,female*south,2000\nsex*stratum,male*south,500\n")
    for how, file_of_margins, more in (("rake", raked, []), ("poststratify", cells, []), ("linear", margins, []), ("raking", margins, []), ("logit", margins, ["--bounds", "0.2,30"])):
        out = path("weights.csv")
        suha("weight", file, "--weight", "weight", "--margins", file_of_margins, "--calibrate", how, "--out", out, "--id", "id", *more)
        with open(out, newline="") as f:
            weights = {r["id"]: float(r["weight"]) for r in csv.DictReader(f)}
        close(sum(weights[r["id"]] for r in rows), 9000, 1e-7)
        close(sum(weights[r["id"]] for r in rows if r["sex"] == "male"), 4000, 1e-7)
    got = suha("rates", file, "--outcome", "sex", "--total", "--margins", raked, *DESIGN, "--json").json()["tables"]["totals"]
    close(got[0]["estimate"], 5000, 1e-7)
    assert got[0]["se"] < 1e-6, "a known total has no sampling error"
    trimmed = suha("weight", file, "--weight", "weight", "--trim", "2", "--json").json()
    assert trimmed["weight_max"] <= 2 + 1e-12 and trimmed["trimmed"] > 0
    close(trimmed["weight_sum"], sum(r["weight"] for r in rows), 1e-9)


def test_refusals_say_what_and_where():
    file = survey()
    wrong = write("wrong.csv", "variable,level,total\nsex,female,5000\nsex,male,4000\nstratum,north,1\nstratum,south,2\n")
    stranger = write("stranger.csv", "variable,level,total\nsex,female,5000\nsex,male,4000\nsex,other,30\n")
    for arguments, code, words in (
            (["rates", file], 2, "--outcome is needed"),
            (["rates", file, "--outcome", "forcd"], 1, "did you mean 'forced'"),
            (["rates", file, "--outcome", "sex=girl"], 1, "its values are 'female', 'male'"),
            (["rates", file, "--outcome", "id"], 1, "different values"),
            (["rates", file, "--outcome", "forced", "--ci", "wild"], 2, "--ci 'wild' is not known"),
            (["rates", file, "--outcome", "forced", "--ci", "jeffreys", "--psu", "site"], 1, "without weights"),
            (["rates", file, "--outcome", "forced", "--level", "1.5"], 1, "--level 1.5"),
            (["rates", file, "--outcome", "forced", "--level", "high"], 2, "is not a number"),
            (["rates", file, "--outcome", "forced", "--within", "age"], 2, "write a condition"),
            (["rates", file, "--outcome", "forced", "--within", "age>99"], 1, "leaves no row"),
            (["rates", file, "--outcome", "forced", "--strata", "site"], 0, ""),
            (["rates", file, "--outcome", "forced", "--strata", "site", "--psu", "stratum"], 1, "stratum '"),
            (["rates", file, "--outcome", "forced", "--strata", "id"], 1, "600 strata have only one primary sampling unit"),
            (["rates", file, "--outcome", "forced", "--weight", "sex"], 1, "must be numbers; 'female' is not one"),
            (["rates", file, "--outcome", "forced", "--weight", "never"], 1, "all weights of column 'never' are zero"),
            (["rates", file, "--outcome", "forced", "--psu", "route"], 1, "row 6 has no primary sampling unit"),
            (["rates", file, "--outcome", "forced", "--lone", "average", "--quantile", "0.5"], 1, "no quantiles"),
            (["rates", file, "--outcome", "age", "--quantile", "50"], 1, "between 0 and 1"),
            (["rates", file, "--outcome", "forced", "--psu", "site", "--replicates", "BRR"], 1, "exactly two primary sampling units"),
            (["rates", file, "--outcome", "forced", "--replicates", "JK7"], 2, "must be JK1"),
            (["compare", file, "--outcome", "route", "--by", "sex"], 1, "choose the one to compare"),
            (["compare", file, "--outcome", "forced", "--by", "sex", "--reference", "x"], 1, "was to be the reference"),
            (["weight", file], 2, "say what to do"),
            (["weight", file, "--margins", wrong], 1, "the margins disagree: 'sex' sums to 9000, 'stratum' to 3"),
            (["weight", file, "--margins", stranger], 1, "'other' of 'sex' has a population of 30 and is not in the sample"),
            (["weight", file, "--weight", "weight", "--trim", "0.1"], 1, "their mean is"),
            (["rates", "--release", path("nothing"), "--outcome", "gender"], 1, "SHA256SUMS"),
            (["rates", "--release", path("nothing"), "--outcome", "gender", "--weight", "w"], 2, "--weight needs the rows"),
            (["rates", file, "--release", path("nothing"), "--outcome", "gender"], 2, "unexpected")):
        done = suha(*arguments, code=code)
        assert words in done.err, (arguments, done.err)
        assert "nan" not in done.err.lower(), done.err


def test_codes_that_look_missing_are_pointed_out():
    rows = people()
    for i in range(0, 600, 50):
        rows[i]["age"] = -99
    file = survey("coded.csv", rows)
    assert "--missing -99" in suha("rates", file, "--outcome", "age").err
    done = suha("rates", file, "--outcome", "age", "--missing", "-99=refused", "--json")
    assert done.json()["tables"]["means"][0]["n"] == 588
    assert any("12 refused" in w["text"] for w in done.json()["warnings"])


def test_report_is_a_page_of_its_own():
    out = path("report.html")
    suha("rates", survey(), "--outcome", "forced", "--by", "route", *DESIGN, "--report", out)
    with open(out, encoding="utf-8") as f:
        page = f.read()
    body = page.replace("<!DOCTYPE html>", "")
    document = xml.dom.minidom.parseString(body)
    assert not document.getElementsByTagName("script")
    assert len(document.getElementsByTagName("svg")) == 1
    assert "Methods" in page and "linearised" in page and "src=" not in page and "href=" not in page


def test_rates_of_a_release():
    cases, release, plain = path("cases.csv"), path("release"), path("kanon")
    suha("generate", "--shape", "nb6k", "--rows", 3000, "--seed", "1", "--out", cases)
    suha("release", cases, "--schema", "nb6k", "--epsilon", "4", "--length", "2", "--out", release)
    got = suha("rates", "--release", release, "--outcome", "H3", "--by", "H1", "--json").json()
    lines = [r for r in got["tables"]["rates"] if r["estimate"] is not None]
    assert len(lines) >= 6 and got["n"] > 0 and len(got["hash"]) == 64
    with open(cases, newline="") as f:
        truth = list(csv.DictReader(f))
    held = 0
    for line in lines:
        close(line["estimate"], min(1, line["count"] / line["n"]), 2e-3)  # n is an estimate, printed whole
        assert line["low"] < line["estimate"] < line["high"] and line["records_low"] < line["estimate"] < line["records_high"]
        group = [r for r in truth if line["group"] in ("all", f"H1={r['H1']}")]
        true = sum(f"H3={r['H3']}" == line["outcome"] for r in group) / len(group)
        held += line["records_low"] <= true <= line["records_high"]
    assert held >= 0.75 * len(lines), (held, len(lines))
    assert any(w["code"] == "W_CASES_NOT_POPULATION" for w in got["warnings"])
    one = suha("rates", "--release", release, "--outcome", "H3=1", "--json").json()["tables"]["rates"]
    assert len(one) == 1 and one[0]["outcome"] == "H3=1"
    assert "no published count of 'H77'" in suha("rates", "--release", release, "--outcome", "H77", code=1).err
    suha("release", cases, "--schema", "nb6k", "--mechanism", "row-seeded", "--k", "10", "--length", "2", "--out", plain)
    got = suha("rates", "--release", plain, "--outcome", "H3", "--json").json()
    assert any(w["code"] == "W_SELECTION_BY_K" for w in got["warnings"])


def test_numbers_of_r():
    file = shared("data", "statistics", "svy_apistrat.csv")
    with open(shared("reference", "survey_api.json"), encoding="utf-8") as f:
        reference = json.load(f)["apistrat"]
    design = ["--weight", "pw", "--strata", "stype", "--fpc", "fpc"]
    got = suha("rates", file, "--outcome", "api00", *design, "--json").json()["tables"]["means"][0]
    close(got["estimate"], reference["mean_api00_enroll"]["est"][0], 1e-9)
    close(got["se"], reference["mean_api00_enroll"]["se"][0], 1e-9)
    close(got["low"], reference["mean_ci_t"]["lo"][0], 1e-9)
    close(got["deff"], reference["mean_api00_enroll"]["deff"][0], 1e-8)
    for method, name in (("beta", "beta"), ("logit", "xlogit"), ("asin", "asin"), ("mean", "mean"), ("wilson", "wilson_v45")):
        got = suha("rates", file, "--outcome", "sch.wide=No", "--ci", method, *design, "--json").json()["tables"]["rates"][0]
        close(got["low"], reference["ciprop"][name]["lo"], 1e-8)
        close(got["high"], reference["ciprop"][name]["hi"], 1e-8)


harness.main()
