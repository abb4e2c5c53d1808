"""Puts the API's description and the stories of the instruments into the program.

usage: texts.py ROOT OUT.c DEPFILE     ROOT/web/openapi.json, ROOT/instruments/<instrument>/stories/<name>.<lang>.md; src/portal/texts.h

Deterministic; the openapi.json is checked to be JSON and written without blanks.
"""
import glob
import json
import os
import re
import sys

LANGUAGES = {"en": "SU_LOCALE_EN", "fr": "SU_LOCALE_FR", "es": "SU_LOCALE_ES", "ar": "SU_LOCALE_AR"}


def array(c, symbol, data):
    c.write(f"const char {symbol}[] = {{\n")
    for start in range(0, len(data), 24):
        c.write("    " + ",".join(str(b - 256 if b > 127 else b) for b in data[start:start + 24]) + ",\n")
    c.write("    0\n};\n")


def main():
    root, out, depfile = sys.argv[1:4]
    openapi = os.path.join(root, "web", "openapi.json")
    stories = sorted(glob.glob(os.path.join(root, "instruments", "*", "stories", "*.*.md")))
    with open(openapi, encoding="utf-8") as f:
        api = json.dumps(json.load(f), ensure_ascii=False, separators=(",", ":")).encode()
    with open(out, "w", encoding="utf-8") as c:
        c.write('#include "texts.h"\n\n')
        array(c, "su_text_openapi", api)
        c.write(f"const size_t su_text_openapi_size = {len(api)};\n\n")
        entries = []
        for i, path in enumerate(stories):
            with open(path, "rb") as f:
                data = f.read()
            data.decode("utf-8")
            name, lang = re.fullmatch(r"([a-z0-9-]+)\.([a-z]{2})\.md", os.path.basename(path)).groups()
            instrument = os.path.basename(os.path.dirname(os.path.dirname(path)))
            c.write("static ")
            array(c, f"story_{i}", data)
            entries.append(f'    {{ "{instrument}", "{name}", {LANGUAGES[lang]}, {{ story_{i}, {len(data)} }} }},\n')
        c.write("\nconst su_site_story su_text_stories[] = {\n" + "".join(entries) + "    { 0 }\n};\n")
        c.write(f"const size_t su_text_story_count = {len(stories)};\n")
    folders = glob.glob(os.path.join(root, "instruments", "*", "stories"))
    with open(depfile, "w", encoding="utf-8") as d:
        d.write(" ".join([f"{out}:", openapi, *stories, *folders, os.path.join(root, "instruments")]) + "\n")


main()
