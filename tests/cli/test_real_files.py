"""The shared real files: CTDC copies A to D agree, the NRM leaf becomes people, the cube with margins is caught. Skipped where they are absent."""
import csv
import itertools
import os

import harness
from harness import SOURCE, path, shared, suha


def mapping(schema, name):
    return os.path.join(SOURCE, "instruments", schema, "mappings", name + ".csv")


def table(file, map_name, by=("gender", "ageBroad", "citizenship"), schema="ctdc-v6", more=()):
    rows = suha("tabulate", file, "--schema", schema, "--map", mapping(schema, map_name), "--by", ",".join(by), "--json", *more).json()
    return {tuple(r[b] for b in by): r["count"] for r in rows}


def minus_2019(file):
    out = path("a-without-2019.csv")
    with open(file, encoding="utf-8", newline="") as f, open(out, "w", encoding="utf-8", newline="") as g:
        reader, writer = csv.reader(f), csv.writer(g, lineterminator="\n")
        header = next(reader)
        writer.writerow(header)
        writer.writerows(r for r in reader if not r[header.index("yearOfRegistration")].startswith("2019"))
    return out


def test_copies_a_and_b_are_the_same_people():
    a, b = shared("data", "ctdc", "clear_48801x10.csv"), shared("data", "ctdc", "dados_app.csv")
    one, two = table(minus_2019(a), "copy-a"), table(b, "copy-b")
    assert sum(one.values()) == sum(two.values()) == 48773
    assert one == two
    assert sum(table(a, "copy-a").values()) == 48801


def test_copy_c_agrees_where_it_holds_the_same_rows():
    c, joined = table(shared("data", "ctdc", "trafficking_cleaned_14299.csv"), "copy-c"), table(shared("data", "ctdc", "ctdc2020_joined_48801x12.csv"), "ctdc2020-joined")
    assert sum(c.values()) == 14299
    assert all(joined.get(k, 0) >= n for k, n in c.items()), [(k, n, joined.get(k)) for k, n in c.items() if joined.get(k, 0) < n][:5]


def test_copy_d_imports_with_its_code_lists():
    for name, file in (("copy-d", "sample_raw_schema.csv"), ("copy-d-mrm", "sample_raw_schema_mrm.csv")):
        report = suha("check", shared("data", "ctdc", file), "--schema", "ctdc-v6", "--map", mapping("ctdc-v6", name), "--json").json()
        assert report["rows_out"] == 104 and report["rows_rejected"] == 0, report["rows_out"]
        assert all(not c["unmapped"] for c in report["columns"]), name


def test_nrm_leaf_becomes_people():
    file = shared("data", "nrm", "nrm_leaf_2022q2_2023q4.csv")
    with open(file, encoding="utf-8", newline="") as f:
        people = sum(int(r["people"]) for r in csv.DictReader(f))
    report = suha("check", file, "--schema", "uk-nrm", "--map", mapping("uk-nrm", "nrm-leaf"), "--json").json()
    assert report["rows_out"] == people, (report["rows_out"], people)
    provided = {f["field"] for f in report["fields"] if f["provided"]}
    assert {"firstResponderType", "isLabour", "isSexual", "majorityStatusAtExploit", "citizenship"} <= provided, provided
    for column in report["columns"]:
        if column["source"] in ("nationality", "exploitation_type"):
            assert column["rows_mapped"] + column["rows_missing"] + column["rows_unmapped"] >= report["rows_in"], column


def test_nrm_cube_with_margins_is_caught():
    file = shared("data", "nrm", "nrm_cube_with_margins_2023q4_nonzero.csv")
    done = suha("check", file, "--schema", "uk-nrm", code=None)
    assert done.code == 1 and "Total" in done.err, done.err
    report = suha("check", file, "--schema", "uk-nrm", "--map", mapping("uk-nrm", "nrm-cube"), "--margins", "exclude", "--json").json()
    leaf = shared("data", "nrm", "nrm_leaf_2022q2_2023q4.csv")
    with open(leaf, encoding="utf-8", newline="") as f:
        quarter = sum(int(r["people"]) for r in csv.DictReader(f) if r["quarter"] == "2023-Q4")
    assert report["rows_margin"] > 0 and report["rows_out"] == quarter, (report["rows_out"], quarter)


def test_count_equals_a_naive_oracle_on_the_joined_copy():
    file = shared("data", "ctdc", "ctdc2020_joined_48801x12.csv")
    counts = {}
    with open(file, encoding="utf-8", newline="") as f:
        reader = csv.reader(f)
        header = next(reader)
        for row in reader:
            attributes = [f"{h}={v}" for h, v in zip(header, row) if v]
            for size in (1, 2, 3):
                for combination in itertools.combinations(attributes, size):
                    counts[combination] = counts.get(combination, 0) + 1
    for threads in (1, 2):
        suha("count", file, "--schema", "auto", "--length", 3, "--min", 1, "--threads", threads, "--out", path("joined.tsv"))
        with open(path("joined.tsv"), encoding="utf-8") as f:
            got = {tuple(c.split(";")): int(n) for c, _, n in (line.rstrip("\n").split("\t") for line in itertools.islice(f, 1, None))}
        assert got == counts, (len(got), len(counts))


def test_release_of_the_joined_copy():
    file = shared("data", "ctdc", "ctdc2020_joined_48801x12.csv")
    done = suha("release", file, "--schema", "ctdc-v6", "--map", mapping("ctdc-v6", "ctdc2020-joined"), "--epsilon", 4, "--out", path("joined"), "--json").json()
    assert done["private"] and done["epsilon"] <= 4 and 40000 < done["records"] < 58000, done
    assert os.path.exists(path("joined", "SHA256SUMS"))


harness.main()
