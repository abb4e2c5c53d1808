"""suha logit --poststratify: against shares that can be counted, against the command's own predictions, and on surveys of a made country."""
import math
import random

import harness
from harness import suha, write

AREAS = 24


def survey(name, rows):
    return write(name, "y,area,sex,age\n" + "".join(f"{y},{a},{s},{g}\n" for y, a, s, g in rows))


def answer(*args):
    return suha("logit", *args, "--json").json()


def table(result, name, key):
    return {row[key]: row for row in result["tables"][name]} if "tables" in result else {row[key]: row for row in result[name]}


def made(seed, sampled, per_area):
    """People of AREAS areas with an effect each; a sample of the first `sampled`. Shares of the population are known by summing."""
    r = random.Random(seed)
    cells, rows, truth = [], [], {}
    for a in range(AREAS):
        effect, name, yes, people = r.gauss(0, 0.7), f"a{a:02}", 0.0, 0
        for s in "FM":
            for g in ("old", "young"):
                population = r.randint(200, 2000)
                p = 1 / (1 + math.exp(1.2 - effect - 0.8 * (s == "M") - 0.5 * (g == "young")))
                cells.append((name, s, g, population))
                yes, people = yes + p * population, people + population
                if a < sampled:
                    rows += [(int(r.random() < p), name, s, g) for _ in range(per_area // 4)]
        truth[name] = yes / people
    return rows, cells, truth


def cells_of(name, cells):
    return write(name, "area,sex,age,population\n" + "".join(",".join(map(str, c)) + "\n" for c in cells))


def test_saturated_model_gives_the_weighted_shares():
    r = random.Random(3)
    rows = [(int(r.random() < (0.2 if s == "F" else 0.45)), "x", s, "old") for s in "FM" for _ in range(300)]
    share = {s: sum(y for y, _, t, _ in rows if t == s) / 300 for s in "FM"}
    data = survey("saturated.csv", rows)
    cells = write("two.csv", "sex,people\nF,900\nM,100\n")
    row = table(answer(data, "--formula", "y ~ sex", "--poststratify", cells, "--population", "people"), "poststratified", "area")["all"]
    assert abs(row["estimate"] - (0.9 * share["F"] + 0.1 * share["M"])) < 1e-8, row
    sd = math.sqrt(sum(w * w * share[s] * (1 - share[s]) / 300 for w, s in ((0.9, "F"), (0.1, "M"))))
    assert abs(row["sd"] / sd - 1) < 0.08, (row["sd"], sd)


def test_area_without_sample_is_the_integral_over_the_intercept():
    rows, cells, _ = made(5, 20, 40)
    data, file = survey("made.csv", rows), cells_of("cells.csv", cells)
    profiles = ";".join(f"sex={s},age={g}" for s in "FM" for g in ("old", "young"))
    result = answer(data, "--formula", "y ~ sex + age", "--random", "area", "--poststratify", file, "--predict", profiles)
    mean = {row["profile"]: row["mean"] for row in (result["tables"] if "tables" in result else result)["profiles"] if row["kind"] == "population-averaged"}
    areas = table(result, "poststratified", "area")
    for name in ("a20", "a23"):
        mine = [(s, g, n) for a, s, g, n in cells if a == name]
        want = sum(n * mean[f"sex={s},age={g}"] for s, g, n in mine) / sum(n for _, _, n in mine)
        assert abs(areas[name]["estimate"] - want) < 1e-6, (name, areas[name], want)
        assert areas[name]["basis"] == "extrapolated" and areas[name]["rows"] == 0
        assert areas[name]["high"] - areas[name]["low"] > areas["a03"]["high"] - areas["a03"]["low"]
    text = suha("logit", data, "--formula", "y ~ sex + age", "--random", "area", "--poststratify", file).out
    assert "W_EXTRAPOLATED" in text and "W_NO_RANKING" in text


def test_intervals_hold_the_shares_of_a_made_country():
    held = tried = beyond = 0
    error = {"model": 0.0, "direct": 0.0}
    for seed in range(8):
        rows, cells, truth = made(100 + seed, 20, 32)
        data, file = survey(f"made{seed}.csv", rows), cells_of(f"cells{seed}.csv", cells)
        areas = table(answer(data, "--formula", "y ~ sex + age", "--random", "area", "--poststratify", file), "poststratified", "area")
        for name, share in truth.items():
            tried += 1
            held += areas[name]["low"] <= share <= areas[name]["high"]
            beyond += areas[name]["basis"] == "extrapolated"
            mine = [y for y, a, _, _ in rows if a == name]
            if mine:
                error["model"] += (areas[name]["estimate"] - share) ** 2
                error["direct"] += (sum(mine) / len(mine) - share) ** 2
    print(f"# held {held} of {tried}; mean squared error {error['model'] / error['direct']:.2f} of the direct shares'")
    assert beyond == 8 * 4
    assert held >= 0.9 * tried, (held, tried)
    assert error["model"] < 0.8 * error["direct"]


def test_few_rows_are_as_no_rows():
    rows, cells, _ = made(7, 20, 40)
    rows += [(1, "a23", "M", "old")] * 3
    areas = table(answer(survey("few.csv", rows), "--formula", "y ~ sex + age", "--random", "area", "--poststratify", cells_of("few_cells.csv", cells)),
                  "poststratified", "area")
    assert areas["a23"]["basis"] == "extrapolated (too few rows)"


def test_same_seed_same_answer():
    rows, cells, _ = made(9, 20, 40)
    args = [survey("seed.csv", rows), "--formula", "y ~ sex + age", "--random", "area", "--poststratify", cells_of("seed_cells.csv", cells)]
    assert suha("logit", *args, "--threads", 1).out == suha("logit", *args, "--threads", 3).out
    assert suha("logit", *args).out != suha("logit", *args, "--seed", 2).out


def refused(code, cells, *words, extra=()):
    rows, _, _ = made(11, 20, 20)
    done = suha("logit", survey("refused.csv", rows), "--formula", "y ~ sex + age", "--random", "area", "--poststratify", write("bad.csv", cells), *extra, code=code)
    for word in words:
        assert word in done.err, done.err


def test_refusals_name_line_and_column():
    refused(1, "area,sex,population\na01,F,3\n", "no column 'age'")
    refused(1, "area,sex,age\na01,F,old\n", "no column 'population'", "--population")
    refused(1, "sex,age,population\nF,old,3\n", "no column 'area'")
    refused(1, "area,sex,age,population\na01,F,old,5\na01,X,old,5\n", "line 3", "column 'sex'", "'X'")
    refused(1, "area,sex,age,population\na01,F,old,many\n", "line 2", "column 'population'", "'many'")
    refused(1, "area,sex,age,population\na01,F,old,-1\n", "line 2", "no number of people")
    refused(1, "area,sex,age,population\na01,F,old,0\n", "nobody lives in 'a01'")
    refused(1, "area,sex,age,population\n,F,old,4\n", "line 2", "column 'area'", "empty")
    rows, _, _ = made(11, 20, 20)
    assert "--poststratify" in suha("logit", survey("alone.csv", rows), "--formula", "y ~ sex", "--areas", "area", code=2).err


harness.main()
