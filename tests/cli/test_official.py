"""suha official: published tables as data, checked against the numbers their bulletins print."""
import harness
from harness import shared, suha, write


def nrm(name):
    return shared("data", "nrm", name)


def whole(done):
    result = done.json()
    assert len(result["hash"]) == 64 and "n" in result and "method" in result and isinstance(result["warnings"], list)
    return result


def test_series_of_the_bulletin():
    result = whole(suha("official", "series", nrm("nrm_referrals_longitudinal.csv"), "--time", "Year,Quarter", "--count", "NRM referrals", "--by", "Age at exploitation", "--json"))
    year = {(r["year"], r["group"]): r for r in result["tables"]["years"]}
    assert year[2023, "all"]["count"] == 17004 and year[2022, "all"]["count"] == 16921 and abs(year[2023, "all"]["change"] - 0.0049) < 1e-4
    assert year[2023, "Child (17 or under)"]["count"] == 7432 and year[2023, "Adult (18 or over)"]["count"] == 8622
    assert round(100 * year[2023, "Child (17 or under)"]["share"]) == 44 and year[2018, "all"]["count"] > 6000
    last = [r for r in result["tables"]["periods"] if r["group"] == "all"][-1]
    assert last["period"] == "2023-Q4" and last["count"] == 4142
    notify = whole(suha("official", "series", nrm("nrm_duty_to_notify_longitudinal.csv"), "--time", "Year,Quarter", "--count", "Total", "--json"))
    assert notify["tables"]["periods"][-1]["count"] == 1044
    totals = {r["year"]: r for r in notify["tables"]["published_totals"]}
    assert totals[2023]["published"] == 4929 and totals[2023]["difference"] == 0


def test_positive_rates():
    rg = whole(suha("official", "decisions", nrm("nrm_reasonable_grounds.csv"), "--time", "Year,Quarter", "--json"))
    last = [r for r in rg["tables"]["periods"] if r["group"] == "all"][-1]
    assert last["period"] == "2023-Q4" and last["positive"] + last["negative"] == 4705 and round(100 * last["rate"]) == 55
    year = next(r for r in rg["tables"]["years"] if r["year"] == "2023" and r["group"] == "all")
    assert year["positive"] + year["negative"] == 15247
    cg = whole(suha("official", "decisions", nrm("nrm_conclusive_grounds.csv"), "--time", "Year,Quarter", "--json"))
    last = [r for r in cg["tables"]["periods"] if r["group"] == "all"][-1]
    assert last["positive"] + last["negative"] == 3148 and round(100 * last["rate"]) == 54
    wide = write("wide.csv", "t,grounds positive,grounds negative\n2023,30,10\n2024,20,20\n")
    long = write("long.csv", "t,decision,n\n2023,yes,30\n2023,no,10\n2024,yes,20\n2024,no,20\n")
    a = whole(suha("official", "decisions", wide, "--time", "t", "--json"))["tables"]["years"]
    b = whole(suha("official", "decisions", long, "--time", "t", "--count", "n", "--outcome", "decision", "--positive", "yes", "--negative", "no", "--json"))["tables"]["years"]
    assert a == b and a[1]["rate"] == 0.5 and a[1]["change_points"] == -25
    assert "positive / negative" in suha("official", "decisions", long, "--time", "t", code=1).err


def test_shares_leave_totals_out():
    cube, leaf = nrm("nrm_cube_with_margins_2023q4_nonzero.csv"), nrm("nrm_leaf_2022q2_2023q4.csv")
    a = whole(suha("official", "shares", cube, "--by", "Exploitation type", "--count", "People", "--json"))
    b = whole(suha("official", "shares", leaf, "--by", "exploitation_type", "--count", "people", "--where", "quarter=2023-Q4", "--json"))
    assert a["margins"] > 5000 and 4100 < a["total"] < 4200, a["total"]
    counts = [{r["value"]: r["count"] for r in x["tables"]["shares"]} for x in (a, b)]
    assert abs(a["total"] - b["total"]) <= 1 and abs(counts[0]["Criminal"] - counts[1]["Criminal"]) <= 1
    assert any(w["code"] == "W_MARGINS" for w in a["warnings"])


def test_backlog():
    result = whole(suha("official", "backlog", nrm("nrm_referrals_longitudinal.csv"), nrm("nrm_reasonable_grounds.csv"), "--time", "Year,Quarter", "--count", "NRM referrals",
                        "--decided", "Total", "--json"))
    rows = result["tables"]["periods"]
    assert rows[-1]["received"] == 4142 and rows[-1]["decided"] == 4705 and rows[-1]["backlog"] == rows[-2]["backlog"] - 563
    assert any(w["code"] == "W_NO_OPENING" for w in result["warnings"])


def test_delays_and_revisions():
    cases = write("cases.csv", "referred,decided,authority\n" + "".join(f"2024-01-{1 + k:02},{'' if k % 5 == 4 else f'2024-02-{1 + k:02}'},{'AB'[k % 2]}\n" for k in range(20)))
    result = whole(suha("official", "delays", cases, "--received", "referred", "--decided", "decided", "--by", "authority", "--until", "2024-03-31", "--target", 45, "--json"))
    assert [r["median"] for r in result["tables"]["delays"]] == [31, 31] and result["tables"]["delays"][0]["open"] == 2
    assert "before it was received" in suha("official", "delays", write("wrong.csv", "a,b\n2024-02-01,2024-01-01\n"), "--received", "a", "--decided", "b", code=1).err
    assert "no date" in suha("official", "delays", write("text.csv", "a,b\nspring,2024-01-01\n"), "--received", "a", "--decided", "b", code=1).err
    old, new = write("old.csv", "Year,Quarter,n\n2023,Q1,4746\n2023,Q2,4033\n"), write("new.csv", "Year,Quarter,n\n2023,Q1,4738\n2023,Q2,4033\n2023,Q3,4138\n")
    result = whole(suha("official", "revisions", old, new, "--key", "Year,Quarter", "--json"))
    assert result["changed"] == 1 and result["added"] == 1 and result["removed"] == 0 and len(result["version"]) == len(result["supersedes"]) == 64
    assert result["tables"]["changed"][0]["difference"] == -8
    assert "two rows" in suha("official", "revisions", old, new, "--key", "Year", code=1).err
    assert "--key" in suha("official", "revisions", old, new, code=2).err


harness.main()
