"""Two inputs that differ in one record give outputs of one shape: files, headers, columns, code lists, labels."""
import csv
import io
import json
import os
import re

import harness
from harness import path, suha, tree, write

ROWS = ["gender,ageBroad,citizenship,meansThreats"] + [f"{'Woman' if i % 2 else 'Man'},18--20,UKR,{1 if i % 5 == 0 else ''}" for i in range(400)]


def release(name, rows, schema="ctdc-2024", more=()):
    file = write(name + ".csv", "\n".join(rows) + "\n")
    suha("release", file, "--schema", schema, "--epsilon", 2, "--length", 2, "--out", path(name), *more)
    return tree(path(name))


def shape(files):
    """What must not depend on the rows: names of files, headers, whole code lists, the package without sizes, times and hashes."""
    seen = {}
    for name, content in files.items():
        text = content.decode("utf-8-sig")
        if name.startswith("codelists/"):
            seen[name] = text
        elif name.endswith(".csv"):
            seen[name] = next(csv.reader(io.StringIO(text)))
        elif name in ("codebook.md", "codebook.html"):
            seen[name] = re.sub(r"[\d.,]+", "#", text)
        elif name == "datapackage.json":
            package = json.loads(text)
            seen[name] = [(r["name"], r["path"], r.get("schema")) for r in package["resources"]]
        elif name == "protection/report.json":
            report = json.loads(text)
            seen[name] = [keys(report), report["guarantee"]["rho"]] + [report[k] for k in ("k", "length", "tables", "tables_left_out")]
        else:
            seen[name] = True
    return seen


def keys(value):
    if isinstance(value, dict):
        return {k: keys(v) for k, v in value.items()}
    if isinstance(value, list):
        return [keys(v) for v in value]
    return type(value).__name__ if not isinstance(value, (int, float)) else "number"


def test_one_record_more():
    assert shape(release("a", ROWS)) == shape(release("b", ROWS + ["Woman,9--17,UKR,1"]))


def test_one_value_that_no_other_record_has():
    assert shape(release("c", ROWS)) == shape(release("d", ROWS[:-1] + ["Trans/Transgender/NonConforming,48+,TUV,1"]))


def test_one_member_of_a_code_set_that_no_other_record_has():
    rows = ["prs_Gender,vic_MethodsOfControl"] + ["Feminine,DebtBondage;FalsePromises"] * 200
    one = release("e", rows, "htcds-2.0")
    two = release("f", rows[:-1] + ["Feminine,WithholdsDocuments"], "htcds-2.0")
    assert shape(one) == shape(two)


def test_one_record_and_two_records():
    assert shape(release("g", ROWS[:2])) == shape(release("h", ROWS[:3]))


harness.main()
