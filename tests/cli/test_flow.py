"""suha trend and suha flow: the stored series of another program, real files, refusals, JSON and pages."""
import json
import os
import xml.dom.minidom

import harness
from harness import path, shared, suha, write


def near(a, b, relative=1e-6):
    assert abs(a - b) <= relative * max(abs(b), 1e-12), (a, b)


def whole(done, *facts):
    """What every result must carry."""
    result = done.json()
    assert result["warnings"] and all(w["code"].startswith("W_") and w["text"] for w in result["warnings"]) or result["warnings"] == []
    assert len(result["hash"]) == 64 and "n" in result and "method" in result, result.keys()
    for fact in facts:
        assert fact in result, fact
    return result


def monthly(name="monthly.csv", shift=0.7):
    rows = ["month,people,days"]
    for k in range(48):
        season = [0.7, 0.6, 0.8, 1, 1.4, 1, 1.3, 1.6, 1.5, 0.7, 0.6, 0.7][k % 12]
        rows.append(f"{2018 + k // 12}-{k % 12 + 1:02},{round(200 * season * (shift if k >= 30 else 1) * (1 + 0.1 * ((k * 7919) % 11 - 5) / 5))},{[31, 28, 31, 30][k % 4]}")
    return write(name, "\n".join(rows) + "\n")


def test_trend_agrees_with_the_stored_fit():
    reference = json.load(open(shared("reference", "trend_flow.json"), encoding="utf-8"))
    file = shared("data", "statistics", "monthly_arrivals.csv")
    result = whole(suha("trend", file, "--count", "arrivals", "--time", "t", "--season", "month", "--exposure", "days", "--shift", "post", "--json"), "theta")
    for row, b, se in zip(result["tables"]["coefficients"], reference["negbin"]["coef"], reference["negbin"]["se"]):
        near(row["estimate"], b)
        near(row["se"], se)
    near(result["theta"], reference["negbin"]["theta"], 1e-5)
    shift = result["tables"]["changes"][-1]
    near(100 * shift["change"], reference["negbin"]["pct_change_post"]["est"])
    assert 100 * shift["low"] < reference["negbin"]["pct_change_post"]["lo"]     # t with 55 df, where the stored one has the normal quantile
    newey = suha("trend", file, "--count", "arrivals", "--time", "t", "--season", "month", "--exposure", "days", "--shift", "post", "--model", "poisson", "--se",
                 "newey-west", "--lag", 3, "--json").json()
    for row, se in zip(newey["tables"]["coefficients"], reference["poisson"]["NeweyWest_lag3"]):
        near(row["se"], se)


def test_trend_finds_a_break_and_forecasts():
    file = monthly()
    page = path("trend.html")
    result = whole(suha("trend", file, "--time", "month", "--count", "people", "--break", "2020-07", "--forecast", 6, "--decompose", "--report", page, "--json"))
    change = next(r for r in result["tables"]["changes"] if r["what"].startswith("shift"))
    assert change["low"] < -0.3 < change["high"] and change["p"] < 0.01, change
    assert [r["period"] for r in result["tables"]["forecast"]] == ["2022-01", "2022-02", "2022-03", "2022-04", "2022-05", "2022-06"]
    august = [r["stl"] for r in result["tables"]["seasons"]]
    assert august[7] > 50 and august[1] < -40 and abs(sum(august)) < 10
    html = open(page, encoding="utf-8").read()
    assert "<svg" in html and "negative binomial" in html and "<script" not in html
    smooth = suha("trend", file, "--time", "month", "--count", "people", "--forecast", 3, "--holt-winters", "--json").json()
    assert len(smooth["tables"]["forecast"]) == 3 and 0 <= smooth["alpha"] <= 1


def test_trend_on_real_files():
    frontex = shared("data", "flows", "frontex.csv")
    result = whole(suha("trend", frontex, "--time", "t", "--count", "n", "--where", "route=western balkan route", "--absent", "zero", "--json"))
    assert result["n"] > 100
    missing = shared("data", "mmp", "iom_mmp_2025-06.csv")
    assert whole(suha("trend", missing, "--time", "t", "--count", "dead", "--json"))["n"] > 1000
    done = suha("trend", shared("data", "nrm", "nrm_referrals_longitudinal.csv"), "--time", "Year,Quarter", "--count", "NRM referrals", code=1)
    assert "sums of other rows" in done.err and "--margins exclude" in done.err
    totals = suha("trend", shared("data", "nrm", "nrm_referrals_longitudinal.csv"), "--time", "Year,Quarter", "--count", "NRM referrals", "--margins", "exclude",
                  "--series", "--json").json()
    assert totals["tables"]["series"][-1] | {"fitted": 0} == totals["tables"]["series"][-1] | {"fitted": 0} and totals["tables"]["series"][-1]["count"] == 4142


def test_trend_refuses_by_name():
    file = monthly()
    for words, code, arguments in [(("--time",), 2, []), (("nearest", "did you mean"), 1, ["--time", "mnth"]), (("no period",), 1, ["--time", "people,days"]),
                                   (("not a number",), 2, ["--time", "month", "--level", "high"]), (("0.5",), 1, ["--time", "month", "--level", "95"]),
                                   (("outside the series",), 1, ["--time", "month", "--count", "people", "--break", "2031-01"]),
                                   (("is not known",), 2, ["--time", "month", "--model", "gamma"]), (("no value",), 1, ["--time", "month", "--where", "month=1900-01"])]:
        done = suha("trend", file, *arguments, code=code)
        assert any(w in done.err for w in words), (arguments, done.err)
    zero = write("zero.csv", "month,n\n2024-01,0\n2024-02,0\n2024-03,0\n2024-04,0\n")
    assert "every count is zero" in suha("trend", zero, "--time", "month", "--count", "n", code=1).err
    assert "odd.csv: line 3: 'soon' is no period" in suha("trend", write("odd.csv", "month,n\n2024-01,4\nsoon,5\n2024-03,6\n"), "--time", "month", "--count", "n", code=1).err
    assert "at least three" in suha("trend", write("two.csv", "month,n\n2024-01,4\n2024-02,5\n"), "--time", "month", "--count", "n", code=1).err


POINTS = "fmp,week,people,days\n" + "".join(f"{p},2024-W{w:02},{'' if (p, w) == ('Gao', 3) else 10 * w * k},{0 if (p, w) == ('Gao', 3) else 7}\n"
                                            for p, k in (("Agadez", 5), ("Gao", 3), ("Sebha", 1)) for w in range(1, 7))


def test_flow_points():
    result = whole(suha("flow", "points", write("points.csv", POINTS), "--point", "fmp", "--period", "week", "--count", "people", "--active", "days", "--weeks", "--json"))
    gao = result["tables"]["points"][1]
    near(gao["flow"], 30 * 21, 1e-4)
    assert gao["filled"] == 1 and {"W_DOUBLE_COUNTING"} <= {w["code"] for w in result["warnings"]}
    assert not any(r["point"] == "all" for r in result["tables"]["points"])
    bad = write("bad.csv", POINTS.replace("Gao,2024-W02,60,7", "Gao,2024-W02,60,9"))
    assert "longer than the period" in suha("flow", "points", bad, "--point", "fmp", "--period", "week", "--count", "people", "--active", "days", code=1).err


def test_flow_od_fits_totals():
    trips = write("trips.csv", "from,to,n\n" + "".join(f"{a},{b},{n}\n" for a, row in zip("ABC", [[10, 5, 0], [20, 8, 3], [7, 15, 4]]) for b, n in zip("xyz", row)))
    rows, columns = write("rows.csv", "place,total\nA,120\nB,200\nC,180\n"), write("columns.csv", "place,total\nx,210\ny,160\nz,130\n")
    result = whole(suha("flow", "od", trips, "--from", "from", "--to", "to", "--count", "n", "--from-totals", rows, "--to-totals", columns, "--json"))
    near(result["tables"]["pairs"][0]["people"], 78.0071218837583)
    assert len(result["tables"]["pairs"]) == 8
    short = write("short.csv", "place,total\nA,120\nB,200\n")
    assert "no total for 'C'" in suha("flow", "od", trips, "--from", "from", "--to", "to", "--count", "n", "--from-totals", short, "--to-totals", columns, code=1).err
    plain = whole(suha("flow", "od", shared("data", "flows", "frontex.csv"), "--from", "nat", "--to", "route", "--count", "n", "--json"))
    assert len(plain["tables"]["pairs"]) > 100


def test_flow_numbers():
    chapman = whole(suha("flow", "overlap", "--first", 420, "--second", 310, "--both", 38, "--json"))["tables"]["estimate"][0]
    near(chapman["estimate"], 3356.20512820513, 1e-12)
    near(chapman["se"], 472.871100803397, 1e-12)
    near(whole(suha("flow", "overlap", "--seen", 2744, "--once", 2492, "--twice", 241, "--json"))["tables"]["estimate"][0]["estimate"], 15627.9502074689, 1e-12)
    change = whole(suha("flow", "change", "--before", 4120, "--after", 5230, "--dispersion", 12, "--json"))["tables"]["change"][0]
    assert change["low"] < change["estimate"] < change["high"]
    near(whole(suha("flow", "rate", "--count", 0, "--population", 250, "--per", 1, "--json"))["tables"]["rates"][0]["high"], 0.0147555178164557, 1e-12)
    for count, few in ((9, True), (10, False)):
        codes = [w["code"] for w in whole(suha("flow", "rate", "--count", count, "--population", 1000, "--json"))["warnings"]]
        assert ("W_FEW_CASES" in codes) == few, codes
        codes = [w["code"] for w in whole(suha("flow", "change", "--before", 40, "--after", count, "--json"))["warnings"]]
        assert ("W_FEW_CASES" in codes) == few, codes
    groups = write("groups.csv", "place,n,people\nNorth,3,40000\nSouth,0,12000\n")
    assert len(whole(suha("flow", "rate", groups, "--count", "n", "--population", "people", "--by", "place", "--json"))["tables"]["rates"]) == 2
    assert "38 people" in suha("flow", "overlap", "--first", 20, "--second", 310, "--both", 38, code=1).err
    assert "not a number" in suha("flow", "overlap", "--first", "many", "--second", 310, "--both", 38, code=2).err
    assert "--both" in suha("flow", "overlap", "--first", 420, "--second", 310, code=2).err
    assert "above zero" in suha("flow", "rate", "--count", 3, "--population", 0, code=1).err


harness.main()
