"""Odd files through the statistics commands: what is refused is named by file, line and column; nothing prints nan or inf as a result."""
import re

import harness
from harness import suha, write

CODES = ["NA", "KE", "UG", "ET", "SD", "DZ"] * 10


def said(done, *words):
    for word in words:
        assert word in done.err, (word, done.err)


def test_namibia_is_a_country_unless_said_otherwise():
    file = write("na.csv", "country,y\n" + "".join(f"{c},{i % 4 == 0:d}\n" for i, c in enumerate(CODES)))
    done = suha("rates", file, "--outcome", "y=1", "--by", "country")
    assert re.search(r"\bNA\s+10\b", done.out), done.out
    said(done, "NA is read as Namibia", "--missing NA")
    done = suha("rates", file, "--outcome", "y=1", "--by", "country", "--missing", "NA")
    assert not re.search(r"\bNA\s+10\b", done.out) and "W_MISSING" in done.out
    words = write("words.csv", "sex,y\n" + "".join(f"{c},{i % 3 == 0:d}\n" for i, c in enumerate(["M", "F", "NA"] * 10)))
    assert "W_MISSING" in suha("rates", words, "--outcome", "y=1", "--by", "sex").out


def test_byte_order_mark_and_windows_1252():
    plain = "country,y\n" + "".join(f"{c},{i % 4 == 0:d}\n" for i, c in enumerate(["Côte d’Ivoire", "Kenya"] * 30))
    answers = {suha("rates", write(name, content), "--outcome", "y=1", "--by", "country").out.split("hash")[0]
               for name, content in (("utf8.csv", plain.encode()), ("bom.csv", b"\xef\xbb\xbf" + plain.encode()), ("latin.csv", plain.encode("cp1252")))}
    assert len(answers) == 1 and "Côte" in answers.pop()


def test_ragged_rows_are_named():
    for name, row, line in (("short.csv", "1,2\n", 3), ("long.csv", "1,2,3,4\n", 3)):
        file = write(name, "y,x,w\n1,2,3\n" + row)
        for command in (["rates", file, "--outcome", "y=1"], ["logit", file, "--formula", "y ~ x"], ["impute", file], ["trend", file, "--time", "x"],
                        ["mse", file], ["smallarea", file, "--area", "x", "--estimate", "y", "--se", "w"], ["flow", "points", file, "--point", "x", "--period", "y", "--count", "w"]):
            said(suha(*command, code=1), f"line {line}", "column")


def test_one_stray_word_in_a_column_of_numbers_is_named():
    rows = "".join(f"{i % 2},{i}.5\n" for i in range(40))
    file = write("stray.csv", "y,x\n" + rows + "1,inf\n0,7.5\n")
    done = suha("logit", file, "--formula", "y ~ x", code=None)
    said(done, "column 'x' is read as text because of 'inf' (line 42)", "--missing 'inf'")
    assert suha("logit", file, "--formula", "y ~ x", "--missing", "inf").out
    series = write("series.csv", "month,n\n2020-01,3\n2020-02,4\n2020-03,x\n2020-04,4\n")
    said(suha("trend", series, "--time", "month", "--count", "n", code=1), "series.csv, line 4, column 'n'", "'x' is no number")


def test_numbers_too_large_are_refused_by_name():
    huge = write("huge.csv", "y,x,g\n" + "".join(f"{i % 2},{('1e308', '-1e308', '5')[i % 3]},p{i % 2}\n" for i in range(60)))
    said(suha("logit", huge, "--formula", "y ~ ns(x, 3)", code=1), "too large a number", "Divide x")
    lists = write("many.csv", "A,B,n\n1,0,3000000000000\n0,1,4\n1,1,2\n")
    said(suha("mse", lists, code=1), "3000000000000", "is the most")
    points = write("points.csv", "p,w,n\na,2020-01,1e300\na,2020-02,3\nb,2020-01,4\n")
    said(suha("flow", "points", points, "--point", "p", "--period", "w", "--count", "n", code=1), "not that many people")


def test_what_a_comparison_or_model_cannot_do_says_what_to_do():
    file = write("plain.csv", "y,x,g,s\n" + "".join(f"{i % 2},{i % 11},{'ab'[i % 2]},{i % 3}\n" for i in range(60)))
    said(suha("compare", file, "--outcome", "x", "--by", "g", "--stratify", "s", code=1), "compares rates", "--outcome COL=VALUE")
    said(suha("logit", file, "--formula", "y ~ x", "--random", "g/s", code=1), "nested", "--random SITE", "formula as a category")


def test_no_nan_or_inf_in_any_answer():
    survey = write("some.csv", "y,x,g,w,s,u\n" + "".join(f"{int(i % 7 == 0)},{i % 11},{'abc'[i % 3]},{1 + i % 4},{i % 2},{i % 10 + 10 * (i % 2)}\n" for i in range(120)))
    area = write("areas.csv", "a,e,v,z\n" + "".join(f"a{i},{i % 5 + i / 9},{1 + i % 3},{i * i % 7}\n" for i in range(12)) + "b,,,3\n")
    lists = write("lists.csv", "A,B,C,n\n1,0,0,9\n0,1,0,4\n0,0,1,3\n1,1,0,1\n1,0,1,0\n0,1,1,0\n1,1,1,1\n")
    months = write("months.csv", "m,n\n" + "".join(f"202{i // 12}-{i % 12 + 1:02},{i % 5}\n" for i in range(30)))
    fast = ["--replicates", 50, "--best-replicates", 10, "--coverage", 3, "--sweeps", 1000]
    for command in (["rates", survey, "--outcome", "y=1", "--by", "g", "--weight", "w", "--strata", "s", "--psu", "u"], ["rates", survey, "--outcome", "y=1", "--by", "x"],
                    ["compare", survey, "--outcome", "y=1", "--by", "g"], ["logit", survey, "--formula", "y ~ x + g"], ["logit", survey, "--formula", "y ~ x", "--random", "g"],
                    ["smallarea", area, "--area", "a", "--estimate", "e", "--variance", "v", "--predictors", "z"], ["mse", lists, *fast],
                    ["trend", months, "--time", "m", "--count", "n", "--forecast", 3], ["flow", "change", "--before", 0, "--after", 3], ["flow", "rate", "--count", 0, "--population", 100]):
        for more in ([], ["--json"]):
            done = suha(*command, *more, code=None)
            assert done.code in (0, 1), (command, done.err)
            assert not re.search(r"(?<![A-Za-z_'])-?(nan|inf|infinity)(?![A-Za-z_'])", done.out, re.I), (command, re.search(r".*(?<![A-Za-z_'])(nan|inf|infinity)(?![A-Za-z_']).*", done.out, re.I).group())


harness.main()
