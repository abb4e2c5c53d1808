"""suha indicators: the rule of positive responses against one counted by hand and one counted here, labels, models, messages."""
import random

import harness
from harness import suha, write

# route, unpaid, forced, held, family column of held; by hand: own 1, 2, 5; family only 3, 6; 4 none; 7 has no valid answer; 8 own by 1.
HAND = """id,route,unpaid_work,forced_work,held,held_family
1,CMR,own,no,no,no
2,CMR,no,refused,own,yes
3,CMR,family,no,no,
4,EMR,no,no,others,no
5,EMR,,Own experience,,
6,EMR,no,no,no,yes
7,EMR,refused,-99,,
8,EMR,yes,no,no,no
"""


def rates(r):
    return {(x["outcome"], x.get("route", x.get("group"))): x for x in r["tables"]["rates"]}


def test_by_hand():
    r = suha("indicators", write("hand.csv", HAND), "--instrument", "dtm-fms", "--by", "route", "--json").json()
    got = rates(r)
    own, family = got["own_experience", "all"], got["family_only", "all"]
    assert (own["cases"], own["n"]) == (4, 7) and abs(own["estimate"] - 4 / 7) < 1e-12
    assert (family["cases"], family["n"]) == (2, 7)
    z2, p, n = 1.959963984540054 ** 2, 4 / 7, 7  # Wilson
    width = (z2 * p * (1 - p) / n + z2 * z2 / (4 * n * n)) ** 0.5
    assert abs(own["low"] - (p + z2 / (2 * n) - width) / (1 + z2 / n)) < 1e-9 and abs(own["high"] - (p + z2 / (2 * n) + width) / (1 + z2 / n)) < 1e-9, own
    assert (got["own_experience", "CMR"]["cases"], got["own_experience", "CMR"]["n"]) == (2, 3)
    assert (got["own_held", "all"]["cases"], got["own_held", "all"]["n"]) == (1, 6)
    assert (got["own_forced_or_unpaid_work", "all"]["cases"], got["own_forced_or_unpaid_work", "all"]["n"]) == (3, 7)
    assert r["label"] == "indication, not determination" and r["sample"] == "non-probability sample"
    assert {"W_INDICATION", "W_NOT_PROBABILITY"} <= {w["code"] for w in r["warnings"]} and len(r["hash"]) == 64


def interviews(n=900):
    rng = random.Random(3)
    rows = []
    for i in range(n):
        route = rng.choice(["CMR", "EMR"])
        answers = [rng.choices(["own", "family", "others", "no", "", "refused"], [4 if route == "CMR" else 1, 1, 1, 6, 1, 1])[0] for _ in range(3)]
        rows.append([str(i), route, rng.choice(["female", "male"]), rng.choice(["14-17", "18-24", "25+"]), rng.choice(["SYR", "GMB", "AFG", "NGA", "ERI", "IRQ"]), *answers])
    head = ["id", "route", "sex", "age_group", "departure_country", "unpaid_work", "forced_work", "held"]
    return rows, write("interviews.csv", "\n".join(",".join(r) for r in [head] + rows) + "\n")


def test_against_a_count_of_our_own():
    rows, file = interviews()
    r = rates(suha("indicators", file, "--instrument", "dtm-fms", "--by", "route", "--json").json())
    for group in ("all", "CMR", "EMR"):
        mine = [row[5:] for row in rows if group in ("all", row[1])]
        valid = [a for a in mine if any(x in ("own", "family", "others", "no") for x in a)]
        own = [a for a in valid if "own" in a]
        family = [a for a in valid if "own" not in a and "family" in a]
        assert (r["own_experience", group]["cases"], r["own_experience", group]["n"]) == (len(own), len(valid))
        assert (r["family_only", group]["cases"], r["family_only", group]["n"]) == (len(family), len(valid))


def test_sets_and_columns():
    _, file = interviews()
    one = suha("indicators", file, "--instrument", "dtm-fms", "--set", "2017", "--json").json()
    assert one["set"] == "2017"
    other = write("other.csv", "q1,q2\nyes,no\nno,yes\n0,1\n")
    r = rates(suha("indicators", other, "--instrument", "dtm-fms", "--columns", "held=q1,held_family=q2", "--json").json())
    assert (r["own_experience", "all"]["cases"], r["family_only", "all"]["cases"]) == (1, 2)


def test_models():
    _, file = interviews()
    r = suha("indicators", file, "--instrument", "dtm-fms", "--model", "any", "--json").json()
    assert r["random"] == "departureCountry" and r["formula"].startswith("own_experience ~ 1 + route + sex + ageGroup")
    assert r["label"] == "indication, not determination" and "W_MODEL_INCOMPLETE" in [w["code"] for w in r["warnings"]]
    route = [c for c in r["tables"]["coefficients"] if c["term"] == "route=CMR"][0]
    assert route["odds_ratio"] > 2 and "IOM's" in " ".join(r["methods"] if isinstance(r["methods"], list) else [r["methods"]])
    children = suha("indicators", file, "--instrument", "dtm-fms", "--model", "any-children", "--json").json()
    assert children["n"] < r["n"] and "ageGroup" not in children["formula"]


def test_messages():
    file = write("hand2.csv", HAND)
    empty = write("empty.csv", "a,b\n1,2\n")
    for code, words, args in [
        (2, "--instrument", [file]),
        (1, "has none of the questions", [empty, "--instrument", "dtm-fms"]),
        (1, "has no indicators.csv", [file, "--instrument", "ctdc-2024"]),
        (1, "There is no model 'best'; the instrument has any, work, held", [file, "--instrument", "dtm-fms", "--model", "best"]),
        (2, "must be QUESTION=COLUMN", [file, "--instrument", "dtm-fms", "--columns", "held"]),
        (1, "the answer 'CMR' is not one of own, family, others, no", [file, "--instrument", "dtm-fms", "--columns", "held=route"]),
    ]:
        done = suha("indicators", *args, code=code)
        assert words in done.err, (args, done.err)


harness.main()
