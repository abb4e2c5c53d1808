"""suha mse: the panel on a published table, what it refuses, and what it says while refusing."""
import json
import math
import os

import harness
from harness import SOURCE, path, suha, write

UK = os.path.join(SOURCE, "examples", "mse", "uk-2013.csv")
FAST = ["--replicates", 100, "--best-replicates", 20, "--sweeps", 1000, "--coverage", 5]


def rows(answer, table, key):
    return {row[key]: row for row in answer["tables"][table]} if "tables" in answer else {row[key]: row for row in answer[table]}


def test_panel_is_never_one_number():
    text = suha("mse", UK, *FAST).out
    for word in ("independent lists", "stepwise", "downhill", "Chao's lower bound", "latent classes", "decomposable graphs", "threshold", "no estimate is recommended"):
        assert word in text.replace("\n", " ") or word in " ".join(text.split()), word


def test_json_has_n_warnings_and_hash():
    answer = suha("mse", UK, "--json", *FAST).json()
    text = json.dumps(answer)
    for word in ('"hash"', '"warnings"', '"n"', "W_MSE_", '"verdict"'):
        assert word in text, word
    panel = rows(answer, "panel", "id")
    assert abs(panel["main"]["N"] - 12213.9951246007) < 1e-6
    assert abs(panel["stepwise"]["N"] - 11417.9910915046) < 1e-6
    assert abs(panel["chao"]["N"] - 15627.95) < 0.01
    assert abs(rows(answer, "sensitivity", "change")["PF and NCA as one"]["best_bic"] - 25311.29) < 0.01



def test_the_last_table_is_a_range():
    r = suha("mse", UK, "--methods", "main,stepwise,chao", "--replicates", "50", "--coverage", "0", "--no-sensitivity", "--json").json()
    rows = {x["what"]: x for x in r["tables"]["range"]}
    whole, people = rows["all of it"], [x for x in r["tables"]["catchability"] if x["model"].startswith("Mth ")]
    lows = [x["low"] for x in r["tables"]["panel"] if x["id"] != "chao"] + [x["low"] for x in people]
    highs = [x["high"] for x in r["tables"]["panel"] + people]
    assert len(people) == 4 and whole["from"] == min(lows) == r["range_low"] and whole["to"] == max(highs) == r["range_high"]
    assert list(r["tables"])[-1] == "range" and list(rows)[-1] == "all of it" and whole["factor"] > 2
    main = next(x for x in r["tables"]["panel"] if x["id"] == "main")
    unseen, se = main["N"] - r["n"], next(x["se"] for x in r["tables"]["catchability"] if x["model"] == "Mt")  # the same model, fitted by other code
    for limit, z in ((main["low"], -1.959963984540054), (main["high"], 1.959963984540054)):
        assert abs(limit - (r["n"] + unseen * math.exp(z * se / unseen))) < 1e-4 * limit
    assert "chance of who is seen" in main["interval"]
    few = write("few.csv", "A,B,C,n\n1,0,0,400\n0,1,0,300\n0,0,1,200\n1,1,0,1\n1,0,1,0\n0,1,1,1\n1,1,1,0\n")
    text = suha("mse", few, "--replicates", "0", "--best-replicates", "0", "--coverage", "0", "--sweeps", "1000").out
    assert "no number" not in text and "a range of people, not a number" in text and "inf" not in text.replace("information", "")


def test_same_seed_same_answer_on_any_threads():
    one = suha("mse", UK, "--json", "--threads", 1, "--seed", 5, *FAST).out
    assert one == suha("mse", UK, "--json", "--threads", 3, "--seed", 5, *FAST).out
    assert one != suha("mse", UK, "--json", "--threads", 3, "--seed", 6, *FAST).out


def test_order_of_rows_does_not_matter():
    lines = open(UK, encoding="ascii").read().split("\n")
    turned = write("turned.csv", "\n".join([lines[0]] + list(reversed(lines[1:]))).strip() + "\n")
    quick = ["--json", "--methods", "main,stepwise", "--replicates", 50, "--coverage", 0]
    assert suha("mse", UK, *quick).out == suha("mse", turned, *quick).out


def test_person_rows_equal_the_table():
    people = ["A,B,C,id"] + [f"{w & 1},{w >> 1 & 1},{w >> 2},p{w}.{i}" for w, n in enumerate([0, 40, 30, 9, 25, 8, 7, 2]) for i in range(n)]
    table = ["A,B,C,n"] + [f"{w & 1},{w >> 1 & 1},{w >> 2},{n}" for w, n in enumerate([0, 40, 30, 9, 25, 8, 7, 2]) if n]
    quick = ["--json", "--methods", "main,chao", "--coverage", 0]
    a = suha("mse", write("people.csv", "\n".join(people) + "\n"), "--lists", "A,B,C", "--people", *quick).json()
    b = suha("mse", write("table.csv", "\n".join(table) + "\n"), *quick).json()
    assert rows(a, "panel", "id") == rows(b, "panel", "id")
    assert rows(a, "panel", "id")["main"]["N"] > 121


def test_traits_give_estimates_by_them():
    table = ["A,B,C,sex,n"] + [f"{w & 1},{w >> 1 & 1},{w >> 2},{s},{n * k}" for s, k in (("F", 2), ("M", 1)) for w, n in enumerate([0, 40, 30, 9, 25, 8, 7, 2]) if n]
    answer = suha("mse", write("traits.csv", "\n".join(table) + "\n"), "--covariates", "sex", "--json", "--methods", "main", "--coverage", 0).json()
    by = {r["value"]: r for r in (answer.get("tables") or answer)["by_trait"]}
    assert abs(by["F"]["N"] / by["M"]["N"] - 2) < 1e-6


def test_own_model_and_report():
    out = path("mse.html")
    text = suha("mse", UK, "--model", "[12,13,4]", "--methods", "main", "--coverage", 0, "--report", out).out
    assert "your model" in text and "[12,13,4,5,6]" in text
    page = open(out, encoding="utf-8").read()
    assert "<svg" in page and "<script" not in page


def test_merged_lists_double_the_answer():
    answer = suha("mse", UK, "--merge", "PF+NCA", "--json", "--methods", "best", "--best-replicates", 0, "--coverage", 0, "--no-sensitivity").json()
    assert abs(rows(answer, "panel", "id")["best_bic"]["N"] - 25311.29) < 0.01


def refused(code, words, *arguments):
    done = suha("mse", *arguments, code=code)
    assert words in done.err, done.err
    assert done.out == ""


def test_refusals():
    small = "A,B,C,n\n1,0,0,40\n0,1,0,30\n0,0,1,20\n1,1,0,6\n"
    refused(1, "not identifiable", write("a.csv", small), "--model", "[12,13,23]")
    refused(1, "no maximum likelihood estimate", write("a.csv", small), "--model", "[12,3]")
    refused(2, "^", write("a.csv", small), "--model", "[12,19]")
    refused(1, "nobody is on two lists", write("b.csv", "A,B,n\n1,0,4\n0,1,3\n"))
    refused(1, "one list alone", write("c.csv", "A,n\n1,4\n"))
    refused(1, "line 3, column 'B'", write("d.csv", "A,B,n\n1,0,4\n0,x,3\n"))
    refused(1, "on no list", write("e.csv", "A,B,n\n1,0,4\n0,0,3\n"))
    refused(1, "no column 'Q'", write("a.csv", small), "--lists", "A,Q")
    refused(1, "no list 'XX'", UK, "--merge", "PF+XX")
    refused(2, "names one list", UK, "--merge", "PF")
    refused(2, "is no method", UK, "--methods", "magic")
    refused(2, "--replicates", UK, "--replicates", "many")
    refused(1, "--replicates", UK, "--replicates", "-4")
    refused(1, "--chains", UK, "--chains", "2")
    refused(1, "--level", UK, "--level", "1.5")
    refused(1, "--bound", UK, "--bound", "1000", "--methods", "dga")
    refused(2, "exclude each other", UK, "--people", "--count", "count")


NOISED = "A,B,C,n\n1,0,0,118\n0,1,0,84\n1,1,0,31\n0,0,1,61\n1,0,1,22\n0,1,1,-2\n1,1,1,7\n"


def test_counts_with_noise_go_one_way_only():
    table = write("noised.csv", NOISED)
    answer = suha("mse", table, "--noise", "geometric:0.4", "--json").json()
    panel = rows(answer, "panel", "id")
    assert list(panel) == ["dga_noised"] and panel["dga_noised"]["low"] < panel["dga_noised"]["N"] < panel["dga_noised"]["high"]
    counts = rows(answer, "overlaps", "lists")
    assert any(r["published"] == -2 and 0 <= r["low"] <= r["people"] <= r["high"] for r in counts.values()), counts
    text = suha("mse", table, "--noise", "geometric:0.4", "--threads", 1).out
    assert text == suha("mse", table, "--noise", "geometric:0.4", "--threads", 3).out and "W_MSE_NOISED" in text
    wide, narrow = (rows(suha("mse", table, "--noise", f"gaussian:{s}", "--json").json(), "overlaps", "lists")["A"] for s in (12, 0.5))
    assert wide["high"] - wide["low"] > 4 * (narrow["high"] - narrow["low"]), (wide, narrow)
    refused(1, "--noise gaussian:SIGMA", table)
    refused(1, "minus infinity", table, "--noise", "gaussian:4", "--methods", "main")
    refused(1, "no row for people on exactly", write("hole.csv", NOISED.replace("0,1,1,-2\n", "")), "--noise", "gaussian:4")
    refused(1, "have a row already", write("twice.csv", NOISED + "1,1,1,7\n"), "--noise", "gaussian:4")
    refused(1, "merged before", table, "--noise", "gaussian:4", "--merge", "A+B")
    refused(1, "scale must lie above 0", table, "--noise", "gaussian:-4")
    refused(2, "number must follow", table, "--noise", "gaussian:many")
    refused(2, "is not known", table, "--noise", "uniform:3")


def test_traits_that_a_list_does_not_record():
    # a trait that A alone records and that goes with nothing leaves the estimate of the lists as it is
    table = write("incomplete.csv", "A,B,C,sex,n\n1,0,0,F,220\n1,0,0,M,140\n1,1,0,F,40\n1,1,0,M,15\n0,1,0,,150\n0,0,1,,300\n1,0,1,F,42\n1,0,1,M,27\n0,1,1,,22\n1,1,1,F,9\n1,1,1,M,3\n")
    answer = suha("mse", table, "--covariates", "sex", "--incomplete", "--json", "--methods", "best", "--best-replicates", 0, "--coverage", 0, "--no-sensitivity").json()
    panel = rows(answer, "panel", "id")
    assert abs(panel["covariates"]["N"] / panel["best_bic"]["N"] - 1) < 0.01
    assert "A:sex" in json.dumps(answer) and "W_MSE_INCOMPLETE" in json.dumps(answer)
    by = {r["value"]: r for r in (answer.get("tables") or answer)["by_trait"]}
    assert abs(by["F"]["N"] + by["M"]["N"] - panel["covariates"]["N"]) < 1e-6
    refused(1, "--incomplete", table, "--covariates", "sex")
    refused(2, "--covariates", UK, "--incomplete")


def test_a_slip_in_the_model_is_said_at_once():
    refused(2, "closing bracket", UK, "--model", "[12,13")


def test_two_lists_are_flagged():
    text = suha("mse", write("two.csv", "A,B,n\n1,0,382\n0,1,272\n1,1,38\n")).out
    assert "W_MSE_TWO_LISTS" in text and "Chapman" in text


harness.main()
