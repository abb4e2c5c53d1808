#!/usr/bin/env python3
"""Messages of the portal. The source language is English and an id is the English text; translations are web/po/<lang>.po.

usage: po.py check             every message of the sources has a translation in every language, with the same words in braces; nothing is left over
       po.py missing LANG      prints what a translator has still to do, as .po
       po.py c OUT.c           the table that src/portal/i18n.c searches
       po.py json OUTDIR       messages.<lang>.json for the browser: {"English": "translation"}; English is empty
       po.py --list            the files a build depends on

Messages are found in src/portal/*.c as su_tr(l, "..."), su_say(out, l, "..."), say(p, "..."), tag(p, "element", "...") and T("..."), and in web/src/**/*.ts(x) as t("..."). Titles of
question groups come from instruments/*/schema.json (suha:titles) and need no .po. Only the Python standard library.
"""
import glob
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LANGUAGES = ["fr", "es", "ar"]
BRACES = re.compile(r"\{/?[A-Za-z_][A-Za-z0-9_]*\}")
STRING = r'"(?:[^"\\\n]|\\.)*"'
C_STRINGS = rf"({STRING}(?:\s*{STRING})*)"
C_CALLS = re.compile(rf"\bT\(\s*{C_STRINGS}\s*\)|\bsu_tr\(\s*[^,\"()]+,\s*{C_STRINGS}|\b(?:su_say|say)\(\s*[^\"()]*?,\s*{C_STRINGS}"
                     rf"|\btag\(\s*p,\s*{STRING},\s*{C_STRINGS}")
TS_CALLS = re.compile(rf"(?<![\w.])t\(\s*(?:({STRING})|'((?:[^'\\\n]|\\.)*)'|`([^`$]*)`)")
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "'": "'"}


def unescape(text):
    def one(m):
        s = m.group(1)
        return chr(int(s[1:], 16)) if s[0] == "u" else ESCAPES.get(s, s)
    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", one, text)


def joined(literals):
    return "".join(unescape(s[1:-1]) for s in re.findall(STRING, literals))


def sources():
    web = [f for pattern in ("*.ts", "*.tsx") for f in glob.glob(os.path.join(ROOT, "web", "src", "**", pattern), recursive=True)]
    return sorted(glob.glob(os.path.join(ROOT, "src", "portal", "*.c"))), sorted(web)


def without_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def messages():
    """English text -> (places, seen by the server, seen by the browser), in order of first appearance."""
    found = {}
    server, browser = sources()
    for path in server + browser:
        text = open(path, encoding="utf-8").read()
        calls = C_CALLS if path.endswith(".c") else TS_CALLS
        text = without_comments(text) if path.endswith(".c") else re.sub(r"^\s*//.*$", "", text, flags=re.M)
        for m in calls.finditer(text):
            if path.endswith(".c"):
                english = joined(next(g for g in m.groups() if g))
            else:
                english = joined(m.group(1)) if m.group(1) else unescape(m.group(2) or m.group(3) or "")
            if not english:
                continue
            entry = found.setdefault(english, {"places": [], "server": False, "browser": False})
            place = f"{os.path.relpath(path, ROOT)}:{text.count(chr(10), 0, m.start()) + 1}"
            entry["places"].append(place)
            entry["server" if path.endswith(".c") else "browser"] = True
    return found


def read_po(lang):
    """id -> translation. Refuses what is no .po of ours, with file and line."""
    path = os.path.join(ROOT, "web", "po", f"{lang}.po")
    out, current, key, values, line_of = {}, None, None, {}, 0

    def flush():
        if "msgid" in values and values["msgid"]:
            if values["msgid"] in out:
                raise SystemExit(f"{path}:{line_of}: the message stands here twice: {values['msgid'][:60]}")
            out[values["msgid"]] = values.get("msgstr", "")
        values.clear()

    for n, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        m = re.fullmatch(rf"(?:(msgid|msgstr)\s+)?({STRING})", line)
        if not m:
            raise SystemExit(f"{path}:{n}: neither msgid, msgstr, a string nor a comment: {line[:60]}")
        if m.group(1) == "msgid":
            flush()
            line_of = n
        if m.group(1):
            key = m.group(1)
            values[key] = ""
        if key is None:
            raise SystemExit(f"{path}:{n}: a string before the first msgid")
        values[key] += joined(m.group(2))
    flush()
    return out


def group_titles():
    """English title -> {lang: title} of question groups of the shipped instruments."""
    out = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "instruments", "*", "schema.json"))):
        for group in json.load(open(path, encoding="utf-8")).get("suha:groups", []):
            if group.get("title") and group.get("suha:titles"):
                out.setdefault(group["title"], group["suha:titles"])
    return out


def faults(wanted, catalogues):
    for lang, catalogue in catalogues.items():
        for english, entry in wanted.items():
            other = catalogue.get(english, "")
            if not other:
                yield f"{entry['places'][0]}: no {lang} for: {english}"
            elif sorted(BRACES.findall(english)) != sorted(BRACES.findall(other)):
                yield f"web/po/{lang}.po: other words in braces than in: {english}"
            elif (english[:1].isspace(), english[-1:].isspace()) != (other[:1].isspace(), other[-1:].isspace()):
                yield f"web/po/{lang}.po: other blanks at the ends than in: {english}"
        for english in catalogue:
            if english not in wanted:
                yield f"web/po/{lang}.po: no source says any more: {english}"


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def write_c(out, wanted, catalogues):
    rows = {e: [catalogues[lang].get(e) for lang in LANGUAGES] for e, entry in wanted.items() if entry["server"]}
    for english, titles in group_titles().items():
        rows.setdefault(english, [titles.get(lang) for lang in LANGUAGES])
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "i18n.h"\n\nconst su_message su_messages[] = {\n')
        for english in sorted(rows, key=lambda s: s.encode()):
            others = ", ".join(quoted(x) if x else "NULL" for x in rows[english])
            f.write(f"    {{ {quoted(english)}, {{ {others} }} }},\n")
        f.write("    { NULL, { NULL } }\n};\n" + f"const size_t su_message_count = {len(rows)};\n")


def write_json(folder, wanted, catalogues):
    os.makedirs(folder, exist_ok=True)
    for lang in ["en"] + LANGUAGES:
        rows = {e: catalogues[lang][e] for e, entry in wanted.items() if entry["browser"] and lang != "en" and catalogues[lang].get(e)}
        with open(os.path.join(folder, f"messages.{lang}.json"), "w", encoding="utf-8") as f:
            json.dump(rows, f, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    command = sys.argv[1]
    if command == "--list":
        server, browser = sources()
        schemas = sorted(glob.glob(os.path.join(ROOT, "instruments", "*", "schema.json")))
        print("\n".join(server + browser + schemas + [os.path.join(ROOT, "web", "po", f"{lang}.po") for lang in LANGUAGES]))
        return
    wanted, catalogues = messages(), {lang: read_po(lang) for lang in LANGUAGES}
    if command == "check":
        found = list(faults(wanted, catalogues))
        print("\n".join(found + [f"po: {len(wanted)} messages in {len(LANGUAGES) + 1} languages, {len(found)} faults"]))
        print("0 passed, 1 failed" if found else "1 passed, 0 failed")
        raise SystemExit(1 if found else 0)
    if command == "missing":
        for english, entry in wanted.items():
            if not catalogues[sys.argv[2]].get(english):
                print(f"#: {' '.join(entry['places'][:3])}\nmsgid {quoted(english)}\nmsgstr \"\"\n")
    elif command == "c":
        write_c(sys.argv[2], wanted, catalogues)
    elif command == "json":
        write_json(sys.argv[2], wanted, catalogues)
    else:
        raise SystemExit(__doc__)


main()
