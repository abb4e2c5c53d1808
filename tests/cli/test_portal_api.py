"""The API of suha serve: every answer against web/openapi.json, every number against the bundle's own files read with the csv module."""
import csv
import gzip
import hashlib
import io
import itertools
import json
import os
import random
import re
import xml.dom.minidom
import zipfile

import harness
from harness import suha
from portal import API, Portal, check_contract, ctdc_release, query, small_release

SEED = int(os.environ.get("SUHA_TEST_SEED", 20260607))


class Bundle:
    """The files of a release, read in the obvious way."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "datapackage.json"), encoding="utf-8") as f:
            package = json.load(f)
        with open(os.path.join(folder, "protection", "report.json"), encoding="utf-8") as f:
            self.report = json.load(f)
        self.id = package["name"]
        micro = next(r for r in package["resources"] if r["name"] == "microdata")
        self.fields = {f["name"]: f for f in micro["schema"]["fields"]}
        self.codes = {name: [c["value"] for c in f["categories"]] if "categories" in f else self.listed(f) for name, f in self.fields.items() if f["suha:provided"]}
        with open(os.path.join(folder, "data", "microdata.csv"), encoding="utf-8", newline="") as f:
            self.rows = list(csv.DictReader(f))
        self.counts = {}
        with open(os.path.join(folder, "data", "aggregates.csv"), encoding="utf-8", newline="") as f:
            for r in csv.DictReader(f):
                self.counts[frozenset(self.parse(r["combination"]))] = (int(r["count"]), float(r["ci_low"]), float(r["ci_high"]))
        self.tables = [frozenset(t["columns"]) for t in self.report["tables"]]
        self.length = self.report["length"]

    def listed(self, field):
        with open(os.path.join(self.folder, field["suha:codelist"]), encoding="utf-8", newline="") as f:
            return [r["code"] for r in csv.DictReader(f)]

    @staticmethod
    def parse(combination):
        parts = re.findall(r"((?:\\.|[^;=\\])+)=((?:\\.|[^;\\])*)", combination)
        return [(re.sub(r"\\(.)", r"\1", a), re.sub(r"\\(.)", r"\1", b)) for a, b in parts]

    def matching(self, attributes):
        return sum(all(r[c] in ([v] if isinstance(v, str) else v) for c, v in attributes) for r in self.rows)

    def together(self, columns):
        return len(columns) == 1 or any(set(columns) <= t for t in self.tables)

    def expected(self, attributes):
        """(state, count, low, high) of a set of single attributes."""
        columns = {c for c, _ in attributes}
        if len(attributes) > self.length or not self.together(columns):
            n = self.matching(attributes)
            return ("estimated", n, None, None) if n else ("absent", None, None, None)
        found = self.counts.get(frozenset(attributes))
        if not found:
            return ("suppressed", None, None, None)
        count, low, high = found
        return ("uncertain" if (high - low) / 2 > count / 2 else "ok", count, low, high)


bundles = {}
portal = None


def start():
    global portal
    if portal is None:
        for folder in (small_release(), ctdc_release()):
            b = Bundle(folder)
            bundles[b.id] = b
        portal = Portal(*(b.folder for b in bundles.values())).__enter__()
    return portal


def small():
    start()
    return next(b for b in bundles.values() if b.id.startswith("c17k"))


def ctdc():
    start()
    return next(b for b in bundles.values() if b.id.startswith("ctdc"))


def ask(target, status=200, **headers):
    answer = start().get(target, **headers)
    assert answer.status == status, f"{target}: {answer.status} {answer.body[:300]}"
    check_contract(target, answer)
    return answer


def tabulate(bundle, **parameters):
    return ask(f"/api/v1/releases/{bundle.id}/tabulate" + query(**parameters)).json()


def same(cell, expected, what):
    got = (cell["state"], cell["count"], cell["low"], cell["high"])
    assert got == expected, f"{what}: {got}, should be {expected} (seed {SEED})"
    assert cell["state"] != "suppressed" or cell["count"] is None, what
    assert (cell["reason"] is None) == (cell["state"] == "ok"), what


def test_every_address_of_the_contract():
    for b in (small(), ctdc()):
        for target in ("/api/v1/releases", f"/api/v1/releases/{b.id}", f"/api/v1/releases/{b.id}/files", "/api/v1/openapi.json", "/catalog.jsonld",
                       f"/api/v1/releases/{b.id}/tabulate", f"/api/v1/releases/{b.id}/files/SHA256SUMS"):
            answer = portal.get(target)
            assert answer.status == (404 if target.endswith("SHA256SUMS") else 200), target
            check_contract(target, answer)
            assert answer.headers["Access-Control-Allow-Origin"] == "*", target
            assert portal.get(target, method="HEAD").body == b""
    assert ask("/api/v1/openapi.json").json() == API


def test_numbers_of_random_questions_are_those_of_the_files():
    dice = random.Random(SEED)
    print(f"seed {SEED}")
    for n in range(120):
        b = dice.choice((small(), ctdc()))
        columns = list(b.codes)
        by = dice.sample(columns, dice.choice((0, 1, 1, 2)))
        where = [(c, dice.choice(b.codes[c] if len(b.codes[c]) < 50 else sorted({r[c] for r in b.rows if r[c]}))) for c in dice.sample([c for c in columns if c not in by], dice.choice((0, 1, 2, 3)))]
        t = tabulate(b, by=",".join(by), where=[f"{c}:{v}" for c, v in where])
        if where:
            same(t["total"], b.expected(where), f"total of {where}")
        cells = {tuple(c["codes"]): c for c in t["cells"]}
        if not by:
            continue
        every = list(itertools.product(*(b.codes[c] for c in by)))
        assert len(cells) + t["not_listed"]["count"] == len(every)
        for codes in dice.sample(every, min(len(every), 40)):
            expected = b.expected(list(zip(by, codes)) + where)
            if codes in cells:
                same(cells[codes], expected, f"{by} {codes} {where}")
            else:
                assert expected[1] is None, f"{codes} is left out, and has the number {expected}"


def test_filters_with_several_codes():
    b = small()
    column = max((c for c in b.codes if len(b.codes[c]) <= 12), key=lambda c: len(b.codes[c]))
    other = next(c for c in b.codes if c != column and len(b.codes[c]) > 1)
    for code in b.codes[other]:
        parts = [b.counts.get(frozenset([(column, v), (other, code)])) for v in b.codes[column]]
        t = tabulate(b, where=[f"{column}:" + "|".join(b.codes[column]), f"{other}:{code}"])["total"]
        known = [p for p in parts if p]
        if not known:
            assert t["state"] == "suppressed" and t["count"] is None, t
            continue
        assert t["count"] == sum(p[0] for p in known), t
        assert abs(t["low"] - sum(p[1] for p in known)) < 0.06
        if len(known) < len(parts):
            assert t["state"] == "uncertain" and t["reason_code"] == "parts" and t["high"] is None, t
        else:
            assert abs(t["high"] - sum(p[2] for p in known)) < 0.06


def test_group_percentages_follow_the_ctdc_rule():
    b = ctdc()
    flags = [n for n, f in b.fields.items() if f.get("suha:group") == "meansOfControl"]
    t = tabulate(b, group="meansOfControl")
    answered = sum(any(r[f] == "1" for f in flags) for r in b.rows)
    assert t["denominator"]["count"] == answered and t["denominator"]["low"] is None
    stated = next(g for g in b.report["groups"] if g["name"] == "meansOfControl")["synthetic_records_with_an_answer"]
    assert answered == stated
    assert [c["codes"] for c in t["cells"]] == [[f] for f in flags]
    for c in t["cells"]:
        if c["count"] is not None:
            assert abs(c["percent"] - min(100, 100 * c["count"] / answered)) < 0.006, c
            assert abs(c["percent_low"] - min(100, 100 * c["low"] / answered)) < 0.006, c
    t = tabulate(b, by="gender", group="meansOfControl", where="yearOfRegistration:2019")
    per = [sum(r["gender"] == g and r["yearOfRegistration"] == "2019" and any(r[f] == "1" for f in flags) for r in b.rows) for g in b.codes["gender"]]
    assert t["denominators"] == per
    for i, c in enumerate(t["cells"]):
        if c["count"] is not None and per[i // len(flags)]:
            assert abs(c["percent"] - min(100, 100 * c["count"] / per[i // len(flags)])) < 0.006, c


def test_combinations():
    b = small()
    pair = max((k for k in b.counts if len(k) == 2), key=lambda k: b.counts[k][0])
    answer = ask(f"/api/v1/releases/{b.id}/combinations" + query(attr=[f"{c}:{v}" for c, v in sorted(pair)], most=1000)).json()
    same(answer["figure"], b.expected(list(pair)), str(pair))
    taken = {c for c, _ in pair}
    should = {(c, v): b.expected([*pair, (c, v)]) for c in b.codes if c not in taken for v in b.codes[c]}
    got = {(w["column"], w["code"]): w for w in answer["with"]}
    assert set(got) == {k for k, e in should.items() if e[1] is not None}
    for key, one in got.items():
        same(one, should[key], str(key))
    counts = [w["count"] for w in answer["with"]]
    assert counts == sorted(counts, reverse=True) and answer["hidden"] == len(should) - len(got)


def test_the_people_and_the_promise_are_the_reports():
    b = ctdc()
    r = ask(f"/api/v1/releases/{b.id}").json()
    assert r["people"]["estimate"] == round(b.report["records"]["estimated"]) and r["people"]["synthetic_records"] == len(b.rows)
    assert r["guarantee"]["holds"] is True and abs(r["guarantee"]["epsilon"] - b.report["guarantee"]["epsilon"]) < 1e-9
    assert r["length"] == 2
    assert r["title"] == "A <b>title</b> & more"
    year = next(c for c in r["columns"] if c["name"] == "yearOfRegistration")
    published = [c["code"] for c in year["codes"] if c["published"]]
    assert set(published) >= {"2018", "2019", "2020"} and published == [y for y in b.codes["yearOfRegistration"] if frozenset([("yearOfRegistration", y)]) in b.counts]
    assert r["period"] == {"from": published[0], "to": published[-1]}      # one release in a few hundred lets a year through that nobody has


def test_languages():
    b = ctdc()
    labels = {}
    for lang in ("en", "fr", "es", "ar"):
        by_parameter = ask(f"/api/v1/releases/{b.id}/tabulate?by=gender&lang={lang}").json()
        by_header = ask(f"/api/v1/releases/{b.id}/tabulate?by=gender", Accept_Language=f"{lang};q=0.9, en;q=0.1").json()
        assert by_parameter == by_header
        labels[lang] = (by_parameter["dimensions"][0]["title"], by_parameter["cells"][0]["labels"][0], by_parameter["note"])
        assert [c["codes"] for c in by_parameter["cells"]] == [["Man"], ["Woman"], ["Trans/Transgender/NonConforming"]]
    assert labels["fr"][:2] == ("Genre", "Homme") and labels["es"][0] == "Género" and labels["ar"][0] == "النوع الاجتماعي"


def test_tables_for_spreadsheets():
    b = ctdc()
    target = f"/api/v1/releases/{b.id}/tabulate?by=gender,ageBroad"
    cells = ask(target).json()["cells"]
    for name, lines in (("csv", 1), ("hxl", 2)):
        answer = ask(f"{target}&format={name}")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8" and ".csv" in answer.headers["Content-Disposition"]
        rows = list(csv.reader(io.StringIO(answer.body.decode())))
        assert rows[0][:2] == ["gender", "gender_label"] and len(rows) == len(cells) + lines
        if name == "hxl":
            assert all(re.fullmatch(r"#[a-z]+(\+[a-z0-9_]+)*", tag) for tag in rows[1]), rows[1]
        for row, cell in zip(rows[lines:], cells):
            assert [row[0], row[2]] == cell["codes"] and row[4] == ("" if cell["count"] is None else str(cell["count"])), row
            assert row[10] == cell["state"]
    assert ask(target, Accept="text/csv").body == ask(f"{target}&format=csv").body
    answer = ask(f"{target}&format=xlsx")
    book = zipfile.ZipFile(io.BytesIO(answer.body))
    sheet = xml.dom.minidom.parseString(book.read("xl/worksheets/sheet1.xml"))
    rows = sheet.getElementsByTagName("row")
    assert len(rows) == len(cells) + 1
    numbers = [[c.getElementsByTagName("v")[0].firstChild.data for c in r.getElementsByTagName("c") if c.getAttribute("r").startswith("E")] for r in rows[1:]]
    assert [n[0] if n else None for n in numbers] == [None if c["count"] is None else str(c["count"]) for c in cells]
    assert ask(f"/api/v1/releases/{b.id}/combinations?attr=gender:Woman&format=csv").body.startswith(b"column,column_title,code,label,count")


def test_files_are_the_bundles_bytes():
    b = ctdc()
    listed = ask(f"/api/v1/releases/{b.id}/files").json()["files"]
    on_disk = harness.tree(b.folder)
    assert {f["path"] for f in listed} == set(on_disk) - {"SHA256SUMS"}
    for f in listed:
        body = ask(f["href"]).body
        assert body == on_disk[f["path"]] and len(body) == f["bytes"] and hashlib.sha256(body).hexdigest() == f["sha256"], f["path"]
    part = portal.get(listed[0]["href"], Range="bytes=5-14")
    assert part.status == 206 and part.body == on_disk[listed[0]["path"]][5:15]
    beyond = portal.get(listed[0]["href"], Range="bytes=999999999-")
    assert beyond.status == 416 and "lies outside the file" in beyond.json()["detail"]
    check_contract(listed[0]["href"], beyond)
    packed = portal.get(f"/r/{b.id}/data/microdata.csv", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.body) == on_disk["data/microdata.csv"]


def test_unchanged_answers_are_not_sent_again():
    target = f"/api/v1/releases/{small().id}/tabulate" + query(by=list(small().codes)[0])
    first = ask(target)
    again = portal.get(target, If_None_Match=first.headers["ETag"])
    assert again.status == 304 and again.body == b"" and again.headers["ETag"] == first.headers["ETag"]
    packed = portal.get(target, Accept_Encoding="gzip")
    assert gzip.decompress(packed.body) == first.body and packed.headers["ETag"] != first.headers["ETag"]
    assert portal.get(target, If_None_Match=packed.headers["ETag"]).status == 304
    assert portal.get(target + "&lang=fr", If_None_Match=first.headers["ETag"]).status == 200


def test_catalogue():
    graph = ask("/catalog.jsonld").json()
    assert graph["@type"] == "dcat:Catalog" and len(graph["dcat:dataset"]) == 2
    for d in graph["dcat:dataset"]:
        assert d["dct:title"] and d["dct:description"] and d["dct:publisher"]["foaf:name"]
        for one in d["dcat:distribution"]:
            body = portal.get(one["dcat:downloadURL"]["@id"]).body
            assert len(body) == one["dcat:byteSize"] and hashlib.sha256(body).hexdigest() == one["spdx:checksum"]["spdx:checksumValue"]


def test_wrong_questions_name_the_parameter():
    b = small()
    column = next(iter(b.codes))
    base = f"/api/v1/releases/{b.id}"
    for target, status, parameter, words in (
            ("/api/v1/releases/other", 404, "id", "no release of this id"),
            ("/api/v1/releases/../../etc/passwd", 404, "id", "no release of this id"),
            ("/api/v1/other", 404, None, "not part of the API"),
            ("/api/", 404, None, "not part of the API"),
            (f"{base}/other", 404, None, "not part of the API"),
            (f"{base}/files/other.csv", 404, None, "no such file"),
            (f"{base}/files/../../../etc/passwd", 404, None, "no such file"),
            (f"{base}/tabulate?by=nothing", 400, "by", 'no column "nothing"'),
            (f"{base}/tabulate?by={column[:-1]}x", 400, "by", "Did you mean"),
            (f"{base}/tabulate?by={','.join(list(b.codes)[:4])}", 400, "by", "At most 3 columns"),
            (f"{base}/tabulate?where={column}:nothing", 400, "where", 'has no code "nothing"'),
            (f"{base}/tabulate?where={column}", 400, "where", "not of the form column:code"),
            (f"{base}/tabulate?group=nothing", 400, "group", "no question group"),
            (f"{base}/tabulate?format=pdf", 400, "format", "json, csv, hxl and xlsx"),
            (f"{base}/tabulate?lang=de", 400, "lang", "en, fr, es and ar"),
            (f"{base}/tabulate?bye=gender", 400, "bye", 'no parameter "bye"'),
            (f"{base}/combinations", 400, "attr", "at least one attribute"),
            (f"{base}/combinations?attr={column}:{b.codes[column][0]}&most=0", 400, "most", "1 to 1000"),
            (f"{base}/tabulate?where=%ff:1", 400, "where", "no text"),
            (f"{base}/tabulate?" + "&".join(["by="] * 70), 400, None, "more than 64 parameters"),
            (f"{base}/tabulate?by=" + "x" * 5000, 414, None, "too long"),
            (f"/api/v1/releases/{ctdc().id}/tabulate?by=citizenship,CountryOfExploitation,ageBroad", 400, "by", "cells; at most 100000")):
        answer = ask(target, status)
        problem = answer.json()
        assert problem.get("parameter") == parameter and words in problem["detail"], f"{target[:100]}: {problem}"


def test_fuzzed_questions():
    dice = random.Random(SEED)
    b = ctdc()
    words = [*b.codes, "by", "where", "group", "attr", "lang", "format", "meansOfControl", "Woman", "UKR", "1", ":", "|", ",", "=", "&", "%", "%zz", "%00", "%C3%28", "\\", "+",
             "[[", "]]", "../", "null", "-1", "99999999999999999999", "%F0%9F%8C%9F", "*"]
    for _ in range(400):
        target = f"/api/v1/releases/{b.id}/" + dice.choice(("tabulate?", "tabulate?by=", "tabulate?where=", "combinations?attr=", "files/"))
        target += "".join(dice.choice(words) for _ in range(dice.randrange(12)))
        answer = portal.get(target)
        assert answer.status in (200, 400, 404), f"{target}: {answer.status} (seed {SEED})"
        check_contract(target, answer)
    assert portal.get("/healthz").body == b"ok\n"


def test_deep_filters():
    b = ctdc()
    where = [f"{c}:{b.codes[c][0]}" for c in list(b.codes)[:16]]
    assert tabulate(b, where=where)["source"] == "records"
    ask(f"/api/v1/releases/{b.id}/tabulate" + query(where=[f"{c}:{b.codes[c][0]}" for c in list(b.codes)[:17]]), 400)
    assert tabulate(b, by="CountryOfExploitation", where=["citizenship:" + "|".join(b.codes["citizenship"][:200])])["cells"]


def test_versions():
    first, out = small(), harness.path("second")
    small_release("second", 4000, 6, "--supersedes", f"{first.id}@{ask(f'/api/v1/releases/{first.id}').json()['version']}")
    with Portal(first.folder, out) as p:
        for answer in p.get("/api/v1/releases").json()["releases"]:
            newer = answer["supersedes"] is not None
            assert (answer["supersedes_id"] == first.id) == newer and (answer["superseded_by"] == f"{first.id}-2") == (not newer), answer
    bad = suha("release", harness.path("small.csv"), "--schema", "c17k", "--epsilon", 1, "--out", harness.path("third"), "--supersedes", "A B", code=2)
    assert "not the name of a release" in bad.err


def test_a_release_without_noise():
    """K-anonymous: no interval anywhere, and what is hidden is hidden by K."""
    small()
    out = harness.path("rows")
    suha("release", harness.path("small.csv"), "--schema", "c17k", "--mechanism", "row-seeded", "--k", 10, "--no-evaluation", "--out", out)
    with Portal(out) as p:
        release = p.get("/api/v1/releases").json()["releases"][0]
        assert release["guarantee"]["stamp"] == "NO DIFFERENTIAL PRIVACY BOUND" and release["guarantee"]["epsilon"] is None
        target = f"/api/v1/releases/{release['id']}/tabulate?by=c02,c03"
        answer = p.get(target)
        check_contract(target, answer)
        states = {(c["state"], c["reason_code"]) for c in answer.json()["cells"]}
        assert states == {("ok", None), ("suppressed", "k")}, states
        assert all(c["low"] is None and c["high"] is None for c in answer.json()["cells"]) and "no intervals" in answer.json()["note"]
        assert p.get(target + "&format=csv").headers["Content-Disposition"].startswith('attachment; filename="NOT-PRIVATE-')


def test_end():
    assert start().stop() == 0 and "stopped" in portal.said


harness.main()
