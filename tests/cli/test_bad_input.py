"""Bad input is normal: each gets exit 1 or 2, a message that names the place and a way forward, and leaves nothing behind."""
import os
import pty
import subprocess
import zipfile

import harness
from harness import PASS, SUHA, Skip, path, suha, tree, write

GOOD = "gender,ageBroad,citizenship\nWoman,18--20,NAM\nMan,30--38,UKR\n"


def refused(file, *words, schema="ctdc-2024", code=1, more=()):
    done = suha("check", file, "--schema", schema, *more, code=code)
    for word in words:
        assert word.lower() in done.err.lower(), (file, word, done.err)


def test_broken_csv_files():
    refused(write("empty.csv", ""), "empty.csv", "empty")
    refused(write("nul.csv", b"gender\nWo\0man\n"), "nul.csv", "line 2")
    refused(write("utf8.csv", "gender,note\nWoman,é\nMan,é\nMan,".encode() + b"\xff\xfe\xe9\n"), "utf8.csv", "line 4")
    refused(write("quote.csv", 'gender,note\nWoman,"open\nMan,x\n'), "quote.csv", "line 2", "quote")
    refused(write("twice.csv", "gender,age,gender\nWoman,1,Man\n"), "twice.csv", "gender")
    refused(write("ragged.csv", "gender,ageBroad\nWoman,18--20\nMan,18--20,extra\n"), "ragged.csv", "line 3")
    refused(write("wide.csv", "gender," + "x" * 10_000_000 + "\n"), "wide.csv")
    refused(path("absent.csv"), "absent.csv")
    refused(write("folder/a.csv", GOOD).rsplit("/", 1)[0], "folder")


def test_header_only_has_nothing_to_release_or_import():
    file = write("header.csv", "gender,ageBroad\n")
    suha("vault", "init", path("v0"))
    suha("org", "add", path("v0"), "a", "--name", "A")
    assert "no row" in suha("import", file, "--vault", path("v0"), "--org", "a", "--schema", "ctdc-2024", code=1).err
    refused(file, "no row")
    assert "no row" in suha("release", file, "--schema", "ctdc-2024", "--epsilon", 1, "--out", path("h0"), code=1).err
    assert "no record" in suha("release", "--vault", path("v0"), "--schema", "ctdc-2024", "--epsilon", 1, "--out", path("h0"), code=1).err
    assert not os.path.exists(path("h0")) and not os.path.exists(path("h0.ledger.db"))


def xlsx(name, sheet, more=()):
    full = path(name)
    with zipfile.ZipFile(full, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>")
        z.writestr("_rels/.rels", "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
                   "<Relationship Id='rId1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' "
                   "Target='xl/workbook.xml'/></Relationships>")
        z.writestr("xl/workbook.xml", "<workbook xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' "
                   "xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'>"
                   "<sheets><sheet name='Cases' sheetId='1' r:id='rId1'/></sheets></workbook>")
        z.writestr("xl/_rels/workbook.xml.rels", "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
                   "<Relationship Id='rId1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' "
                   "Target='worksheets/sheet1.xml'/></Relationships>")
        z.writestr("xl/worksheets/sheet1.xml", sheet)
        for inner, content in more:
            z.writestr(inner, content)
    return full


def sheet(rows):
    cells = "".join("<row>" + "".join(f"<c t='inlineStr'><is><t>{v}</t></is></c>" for v in r) + "</row>" for r in rows)
    return f"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>{cells}</sheetData></worksheet>"


def test_workbooks():
    good = xlsx("good.xlsx", sheet([["gender", "citizenship"], ["Woman", "NA"], ["Man", "Namibia"]]))
    rows = suha("tabulate", good, "--schema", "ctdc-2024", "--by", "citizenship", "--json").json()
    assert rows == [{"citizenship": "NAM", "count": 2}], rows
    refused(good, "Cases", more=("--sheet", "Other"))
    refused(xlsx("bomb.xlsx", sheet([["gender"]]) + " " * 1_500_000_000), "bomb.xlsx")
    with open(good, "rb") as f:
        refused(write("cut.xlsx", f.read()[:600]), "cut.xlsx")
    refused(write("locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1024 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 4096),
            "locked.xlsx", "password")


def test_mappings():
    file = write("good.csv", GOOD)
    header = "source_column,source_value,target_column,target_value,rule,coverage,note\n"

    def mapping(name, rows, *words, code=1):
        refused(file, *words, code=code, more=("--map", write(name, header + rows)))

    mapping("absent.map.csv", "nowhere,,gender,,rename,exact,\n", "nowhere")
    mapping("target.map.csv", "gender,,nowhere,,rename,exact,\n", "nowhere", "line 2")
    mapping("rule.map.csv", "gender,,gender,,wish,exact,\n", "wish", "line 2")
    mapping("twice.map.csv", "gender,,gender,,rename,exact,\nageBroad,,gender,,rename,exact,\n", "gender", "line 3")
    mapping("cell.map.csv", "gender,Woman,gender,Woman,value,exact,\ngender,woman,gender,Man,value,exact,\n", "line 3")
    mapping("cycle.map.csv", "@citizenship,,CountryOfExploitation,,rename,exact,\n@CountryOfExploitation,,citizenship,,rename,exact,\n", "cycle")
    refused(file, "unknown schema", schema="no-such")


def test_namibia_and_dashes_and_blanks():
    file = write("na.csv", "\ufeffcitizenship;ageBroad\r\n NA ;9--17\r\nna;09–17\r\nNamibia;9 — 17\r\nNAM;9-17\r\n".encode())
    rows = suha("tabulate", file, "--schema", "ctdc-2024", "--by", "citizenship,ageBroad", "--json").json()
    assert rows == [{"citizenship": "NAM", "ageBroad": "09--17", "count": 4}], rows


def test_release_options_out_of_range():
    file = write("good2.csv", GOOD)
    for option, value in (("--epsilon", "0"), ("--epsilon", "-1"), ("--epsilon", "nan"), ("--epsilon", "1e9"), ("--epsilon", "inf"), ("--epsilon", "four")):
        suha("release", file, "--schema", "ctdc-2024", option, value, "--out", path("r0"), code=2 if value == "four" else 1)
    for length in ("0", "9", "-1", "x"):
        suha("release", file, "--schema", "ctdc-2024", "--epsilon", 1, "--length", length, "--out", path("r0"), code=2 if length == "x" else 1)
    suha("release", file, "--schema", "ctdc-2024", "--epsilon", 1, "--seed", 1, "--out", path("r0"), code=1)
    assert "guarantee" in suha("release", file, "--schema", "auto", "--epsilon", 1, "--out", path("r0"), code=1).err
    assert not os.path.exists(path("r0")) and not os.path.exists(path("r0.ledger.db"))


def test_outputs_that_cannot_be_written():
    file = write("good3.csv", GOOD)
    write("taken/x", "mine")
    suha("release", file, "--schema", "ctdc-2024", "--epsilon", 1, "--out", path("taken"), code=1)
    assert tree(path("taken")) == {"x": b"mine"}
    small = path("small")
    os.makedirs(small)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode:
        raise Skip("no right to mount a small tmpfs")
    try:
        suha("release", file, "--schema", "ctdc-2024", "--epsilon", 1, "--length", 1, "--out", os.path.join(small, "r"), code=1)
        assert not os.path.exists(os.path.join(small, "r"))
    finally:
        subprocess.run(["umount", small], check=True)


def test_what_fails_leaves_no_folder():
    small = path("tiny")
    os.makedirs(small)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode:
        raise Skip("no right to mount a small tmpfs")
    try:
        with open(os.path.join(small, "fill"), "wb") as f:
            f.write(bytes(56 * 1024))
        for command in (["vault", "init", os.path.join(small, "v")], ["generate", "--shape", "orgs3", "--rows", 3000, "--out", os.path.join(small, "o")]):
            said = suha(*command, code=1).err
            assert "space" in said or "room" in said, said
            assert os.listdir(small) == ["fill"], (command, os.listdir(small))
    finally:
        subprocess.run(["umount", small], check=True)


def on_terminal(*args):
    """What a terminal is sent by suha: standard output and messages."""
    ours, its = pty.openpty()
    process = subprocess.Popen([SUHA, *args], stdin=its, stdout=its, stderr=its)
    os.close(its)
    seen = b""
    try:
        while block := os.read(ours, 65536):
            seen += block
    except OSError:             # Linux says so when the other end is closed
        pass
    os.close(ours)
    process.wait()
    return seen.replace(b"\r\n", b"\n")


def test_cells_and_names_do_not_command_the_terminal():
    hostile = "C\x1b[31mR\x07\x9b1m"
    file = write("hostile\x1b[2J.csv", f"route,forced\n{hostile},1\nEMR,0\n{hostile},0\n")
    seen = on_terminal("rates", file, "--outcome", "forced", "--by", "route") + on_terminal("rates", file, "--outcome", "no\x1b[1m") + on_terminal("check", file, "--schema", "ctdc-2024")
    assert b"C?[31mR??1m" in seen and b"hostile?[2J.csv" in seen, seen
    assert not [c for c in seen.decode() if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160], seen
    with open(path("piped"), "wb") as f:
        subprocess.run([SUHA, "rates", file, "--outcome", "forced", "--by", "route"], stdout=f, check=True)
    with open(path("piped"), "rb") as f:
        assert hostile.encode() in f.read()         # a file gets the value as it is


def test_vault_says_no_and_changes_nothing():
    suha("vault", "init", path("v1"))
    before = tree(path("v1"))
    suha("vault", "init", path("v1"), code=1)
    assert "passphrase" in suha("vault", "verify", path("v1"), passphrase="not the right one", code=1).err
    suha("org", "add", path("v1"), "Bad Id!", "--name", "x", code=None).code in (1, 2)
    assert tree(path("v1")) == before
    write("v2/vault.db", "this is no database, and it is long enough to look at" * 10)
    suha("vault", "status", path("v2"), code=1)
    suha("vault", "status", path("nowhere"), code=1)
    suha("vault", "init", path("v3"), passphrase="", code=2)
    assert PASS.encode() not in b"".join(before.values())


def test_margins_are_refused_or_left_out():
    file = write("margin.csv", "gender,citizenship,n\nFemale,UKR,3\nMale,UKR,2\nTotal,UKR,5\n")
    mapping = write("margin.map.csv", "source_column,source_value,target_column,target_value,rule,coverage,note\n"
                    "gender,,gender,,rename,exact,\ncitizenship,,citizenship,,rename,exact,\nn,,,,weight,exact,\n")
    refused(file, "total", more=("--map", mapping))
    rows = suha("tabulate", file, "--schema", "ctdc-2024", "--map", mapping, "--margins", "exclude", "--by", "gender", "--json").json()
    assert {r["gender"]: r["count"] for r in rows} == {"Woman": 3, "Man": 2}, rows


harness.main()
