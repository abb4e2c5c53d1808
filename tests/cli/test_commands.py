"""Help, usage and the small commands: every command explains itself, says no with the right exit status, and keeps stdout for results."""
import json
import math
import re

import harness
from harness import path, suha, write


def commands():
    return re.findall(r"^  (\w+(?: \w+)?)  +\S", suha("--help").out, re.M)


def test_every_command_has_help_with_an_example():
    assert len(commands()) > 15
    for command in commands():
        done = suha(*command.split(), "--help")
        assert "example:\n  suha " in done.out, command
        assert "--json" in done.out, command


def test_usage_errors_exit_2():
    suha(code=2)
    assert "did you mean 'release'" in suha("relaese", code=2).err
    assert "did you mean --epsilon" in suha("release", "--epsilom", "4", code=2).err
    assert suha("vault", code=2).err.count("suha vault") >= 3
    for command in commands():
        suha(*command.split(), "--no-such-option", code=2)
    suha("count", code=2)
    suha("check", "a", "b", "--schema", "ctdc-2024", code=2)
    suha("check", "a", "--schema", code=2)
    suha("privacy", "rho", "--epsilon", "4", "--epsilon", "5", "--delta", "1e-6", code=2)


def test_schemas():
    rows = {r["name"]: r["fields"] for r in suha("schemas", "--json").json()}
    assert rows["ctdc-2024"] == 27 and rows["ctdc-v6"] == 62 and rows["htcds-2.0"] == 84, rows
    fields = suha("schemas", "ctdc-2024", "--json").json()["fields"]
    assert fields[0]["name"] == "yearOfRegistration" and fields[26]["name"] == "recruiterRelationOther"
    assert "unknown schema" in suha("schemas", "nothing", code=1).err


def test_generate_is_repeatable_and_overwrites_nothing():
    for shape in ("nb6k", "c17k"):
        suha("generate", "--shape", shape, "--rows", 500, "--seed", 5, "--out", path(shape + "1.csv"))
        suha("generate", "--shape", shape, "--rows", 500, "--seed", 5, "--out", path(shape + "2.csv"))
        suha("generate", "--shape", shape, "--rows", 500, "--seed", 6, "--out", path(shape + "3.csv"))
        one, two, three = (open(path(f"{shape}{i}.csv"), "rb").read() for i in (1, 2, 3))
        assert one == two and one != three
        done = suha("check", path(shape + "1.csv"), "--schema", shape, "--strict", "--json").json()
        assert done["rows_out"] == 500, done
    suha("generate", "--shape", "nb6k", "--out", path("nb6k1.csv"), code=1)
    suha("generate", "--shape", "nothing", "--out", path("x.csv"), code=2)


KNOWN = {  # 50-digit arithmetic
    ("delta", "--rho", "0.1", "--epsilon", "1"): ("delta", 0.0089332457718183618, +1),
    ("delta", "--rho", "0.5", "--epsilon", "4"): ("delta", 0.0001957954169577216, +1),
    ("delta", "--rho", "1", "--epsilon", "8"): ("delta", 4.3453415166484502e-7, +1),
    ("delta", "--rho", "0.05", "--epsilon", "0.5"): ("delta", 0.023031697736737616, +1),
    ("delta", "--sigma", "1", "--epsilon", "1"): ("delta", 0.12693673750664395, +1),
    ("delta", "--sigma", "2", "--epsilon", "1"): ("delta", 0.0068295949831145754, +1),
    ("delta", "--sigma", "5", "--epsilon", "0.5"): ("delta", 0.00051253608315833247, +1),
    ("delta", "--sigma", "10", "--epsilon", "1"): ("delta", 1.2308359836427042e-25, +1),
    ("rho", "--epsilon", "1", "--delta", "1e-9"): ("rho", 0.0149730576735885, -1),
    ("rho", "--epsilon", "4", "--delta", "1e-6"): ("rho", 0.311064954940835, -1),
    ("rho", "--epsilon", "1", "--delta", "1e-6"): ("rho", 0.0243559703595384, -1),
    ("rho", "--epsilon", "2", "--delta", "1e-6"): ("rho", 0.0881526883799463, -1),
}


def test_accounting_values_to_1e_9_and_never_on_the_unsafe_side():
    for args, (name, value, safe) in KNOWN.items():
        got = suha("privacy", *args, "--json").json()[name]
        assert abs(got / value - 1) < 1e-9, (args, got, value)
        assert (got - value) * safe >= -5e-15 * value, (args, got, value)   # the known values have 15 digits
    got = suha("privacy", "rho", "--epsilon", 4, "--delta", "1e-6", "--json").json()
    assert abs(got["rho_gaussian_exact"] / 0.351003648416198 - 1) < 1e-9
    sigma = suha("privacy", "sigma", "--epsilon", 4, "--delta", "1e-6", "--json").json()
    assert abs(sigma["sigma"] - 1 / math.sqrt(2 * sigma["rho"])) < 1e-12


def test_noise_needs_no_seed_and_stamps_one():
    assert len(suha("privacy", "noise", "--variance", "1/4", "--n", 100).out.split()) == 100
    suha("privacy", "noise", "--variance", "4", "--seed", 3, code=1)
    one = suha("privacy", "noise", "--variance", "4", "--n", 50, "--test-mode", "--seed", 3)
    two = suha("privacy", "noise", "--variance", "4.0", "--n", 50, "--test-mode", "--seed", 3)
    assert one.out == two.out and "NOT PRIVATE" in one.err
    suha("privacy", "noise", "--variance", "0", code=2)
    suha("privacy", "noise", "--variance", "-1", code=2)
    pmf = suha("privacy", "noise", "--variance", "1/4", "--pmf", "--n", 2, "--json").json()
    assert abs(pmf["pmf"]["0"] - 0.7865707070419479) < 1e-14 and abs(pmf["variance"] - 0.21501267508813849) < 1e-14


def chi_square_limit(k):
    """Upper 1e-6 point of chi-square with k degrees of freedom (Wilson and Hilferty 1931)."""
    z = 4.753424308822899
    return k * (1 - 2 / (9 * k) + z * math.sqrt(2 / (9 * k))) ** 3


def test_a_million_samples_follow_the_stated_probabilities():
    n = 1000000
    for variance in ("1/4", "1", "4", "100"):
        seen = {}
        for line in suha("privacy", "noise", "--variance", variance, "--n", n).out.split():
            seen[int(line)] = seen.get(int(line), 0) + 1
        reach = 60
        pmf = {int(k): p for k, p in suha("privacy", "noise", "--variance", variance, "--pmf", "--n", reach, "--json").json()["pmf"].items()}
        cells = [x for x in pmf if pmf[x] * n >= 20]
        statistic = sum((seen.get(x, 0) - n * pmf[x]) ** 2 / (n * pmf[x]) for x in cells)
        rest = n * (1 - sum(pmf[x] for x in cells))
        if rest >= 1:
            statistic += (n - sum(seen.get(x, 0) for x in cells) - rest) ** 2 / rest
        assert statistic < chi_square_limit(len(cells)), (variance, statistic, len(cells))


def test_count_equals_a_naive_oracle_at_any_thread_count():
    import itertools
    import random
    seed = 20261121
    print("seed", seed)
    draw = random.Random(seed)
    for case in range(6):
        columns = draw.randint(1, 6)
        rows = [[draw.choice(["", "a", "b", "c", "d"][: draw.randint(1, 5)]) for _ in range(columns)] for _ in range(draw.randint(1, 120))]
        csv = ",".join(f"k{c}" for c in range(columns)) + "\n" + "".join(",".join(f'"{v}"' for v in r) + "\n" for r in rows)
        file = write(f"naive{case}.csv", csv)
        length, least = draw.randint(1, 4), draw.randint(1, 3)
        counts = {}
        for row in rows:
            attributes = [f"k{c}={v}" for c, v in enumerate(row) if v]
            for size in range(1, length + 1):
                for combination in itertools.combinations(attributes, size):
                    counts[combination] = counts.get(combination, 0) + 1
        want = {";".join(c): n for c, n in counts.items() if n >= least}
        for threads in (1, 2, 3):
            suha("count", file, "--schema", "auto", "--length", length, "--min", least, "--threads", threads, "--out", path("counts.tsv"))
            lines = open(path("counts.tsv"), encoding="utf-8").read().splitlines()
            assert lines[0] == "combination\tlength\tcount"
            got = {c: int(n) for c, _, n in (line.split("\t") for line in lines[1:])}
            assert got == want, (case, threads)


def test_json_results_are_json_and_alone_on_stdout():
    file = write("mini.csv", "gender,ageBroad\nWoman,18--20\nMan,30--38\n")
    for args in (["check", file, "--schema", "ctdc-2024"], ["tabulate", file, "--schema", "ctdc-2024", "--by", "gender"],
                 ["count", file, "--schema", "ctdc-2024", "--length", "2"], ["map", "suggest", file, "--schema", "ctdc-2024"]):
        json.loads(suha(*args, "--json").out)


def test_percentage_rule_of_the_codebook():
    file = write("five.csv", "isForcedLabour,isSexualExploit,isOtherExploit\n1,,\n,1,\n,,1\n,,\n1,1,\n")
    rows = suha("tabulate", file, "--schema", "ctdc-2024", "--group", "typeOfExploit", "--json", code=None)
    if rows.code:
        groups = {f["group"] for f in suha("schemas", "ctdc-2024", "--json").json()["fields"] if f["name"] == "isForcedLabour"}
        rows = suha("tabulate", file, "--schema", "ctdc-2024", "--group", groups.pop(), "--json")
    assert sorted(r["percent"] for r in rows.json()) == [25, 50, 50], rows.out
    assert {r["denominator"] for r in rows.json()} == {4}


harness.main()
