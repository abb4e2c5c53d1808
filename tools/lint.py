#!/usr/bin/env python3
"""House rules a machine can check. Prints file:line for each breach and exits 1 if there is one."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(ROOT, ".gitignore"), encoding="utf-8") as ignored:
    MADE = tuple(line.strip().strip("/") for line in ignored if line.startswith("/") and "*" not in line)
BANNED_CALLS = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atof|strtok)\s*\(")
FLOATING = re.compile(r"\b(double|float|_Float\w*|__float128|_Complex)\b|<(math|tgmath|float|complex|fenv)\.h>"
                      r"|\b(log|exp|sqrt|cbrt|pow|floor|ceil|round|rint|nearbyint|trunc|fabs|fmin|fmax|fma|ldexp|frexp|hypot|erf|l?lround|l?lrint)"
                      r"(1p|m1|c|2|10)?[fl]?\s*\("
                      r"|(?<![\w.])(\d+\.\d*|\.\d+|\d+[eE][+-]?\d+)([eE][+-]?\d+)?[fFlL]?(?![\w.])")
# The path from counting to noise is in whole numbers. Functions named here may use floating point: they plan, or look at what is noisy by then.
EXACT = {
    "src/base/random.c": (),
    "src/count/contingency.c": ("combination_increments", "combinations_pay"),
    "src/protect/dp/measure.c": (),
    "src/protect/dp/sample.c": (),
    "src/protect/pgm/select.c": (),
    "src/protect/sds/level.c": ("threshold", "report"),
    "src/protect/sds/percentile.c": (),
}
DRAWS = re.compile(r"\bsu_sample_(discrete|bernoulli|geometric)")
DRAWING = {*EXACT, "src/protect/sds/sds.c", "src/protect/pgm/pgm.c", "src/cli/cmd_privacy.c"}      # noise is drawn nowhere else
DEFINITION = re.compile(r"^[A-Za-z_][\w\s\*]*?\b(\w+)\s*\(")
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
WARNING = re.compile(r"W_[A-Z0-9_]+")
DOI = re.compile(r"\bdoi:\s*(\S*)|doi\.org/(\S*)")
DOI_FORM = re.compile(r"10\.\d{4,9}/[^\s\"{}`|]*[\w)]$")
ARXIV = re.compile(r"arXiv[:\s]+([\d.]+\d|\S+)", re.I)
ARXIV_FORM = re.compile(r"(0[7-9]|1[0-4])(0[1-9]|1[0-2])\.\d{4}$|(1[5-9]|[2-9]\d)(0[1-9]|1[0-2])\.\d{5}$")
# A page of docs/methods says where the method ends, how it is tested, where it is from and what it costs. These are about something else.
SECTIONS = ("Limits", "Tests")
NO_METHOD = {"warnings.md": SECTIONS, "coverage.md": ("Tests",), "audit.md": ("Tests",)}
NAMED = re.compile(r"(?<![\w/.-])(?:docs|src|include|tests|fuzz|bench|tools|instruments|examples|web)/[\w./-]*\w|\]\(([^)#:\s]+)(?:#[^)]*)?\)")
SENSITIVE = re.compile(r"su_(vault|case_table|raw_table)\b|suha/vault\.h")


def listed():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [f for f in out.split("\n") if f and os.path.exists(os.path.join(ROOT, f))]


def sources():
    return [f for f in listed() if f.endswith((".c", ".h", ".def"))]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def functions(code):
    """For each line the function it stands in, or None."""
    inside, pending = None, None
    for line in code:
        started = DEFINITION.match(line)
        if started and not line.rstrip().endswith(";"):
            pending = started.group(1)
        if line.startswith("{"):
            inside = pending
        yield inside or pending
        if line.startswith("}"):
            inside = pending = None


def check_exact(path, code):
    names = list(functions(code))
    for name in EXACT[path]:
        if name not in names:
            yield 1, f"tools/lint.py allows floating point in {name}, which is not here"
    plain = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', "\n".join(code)).split("\n")
    for n, (line, name) in enumerate(zip(plain, names), 1):
        if FLOATING.search(line) and name not in EXACT[path] and not (EXACT[path] and line.startswith("#include")):
            yield n, "floating point between counting and noise"


def check(path, text):
    lines, code = text.split("\n"), without_comments(text).split("\n")
    if len(lines) > 640:
        yield len(lines), "a file above 600 lines: does it hold one idea?"
    for n, line in enumerate(lines, 1):
        if len(line) > 160:
            yield n, "a line above 160 characters"
        if line.rstrip() != line:
            yield n, "blanks at the end of the line"
        if LEFTOVER.search(line):
            yield n, "a leftover"
    for n, line in enumerate(code, 1):
        if path.startswith(("src/", "include/")) and BANNED_CALLS.search(line):
            yield n, "a call that the conventions rule out"
        if path.startswith("src/") and path not in DRAWING and DRAWS.search(line):
            yield n, "noise drawn in a file that tools/lint.py does not know to keep free of floating point"
        if path.startswith(("src/publish/", "src/portal/", "include/publish/", "include/portal/")) and SENSITIVE.search(line):
            yield n, "case data on the public side"
        if "microhttpd.h" in line and not path.startswith("src/portal/"):
            yield n, "HTTP outside the portal"
    yield from check_references(text)
    if path in EXACT:
        yield from check_exact(path, code)


def check_warnings(texts):
    """A warning's code and its paragraph in docs/methods/warnings.md: one does not come without the other."""
    page = "docs/methods/warnings.md"
    with open(os.path.join(ROOT, page), encoding="utf-8") as f:
        explained = set(WARNING.findall(" ".join(re.findall(r"\*\*[^*]+\*\*", f.read()))))
    given = {code: path for path, text in texts.items() if path.startswith("src/") for code in re.findall(r'"(W_[A-Z0-9_]+)"', text)}
    yield from ((given[code], f"{page} does not explain {code}") for code in sorted(given.keys() - explained))
    yield from ((page, f"no result has the warning {code}") for code in sorted(explained - given.keys()))


def closed(doi):
    """Without what the sentence around it adds: a stop, a comma, a bracket that was opened before."""
    doi = doi.rstrip(".,;:*`'\"")
    while doi.endswith(")") and doi.count("(") < doi.count(")"):
        doi = doi[:-1].rstrip(".,;:")
    return doi


def check_references(text):
    for n, line in enumerate(text.split("\n"), 1):
        for found in DOI.finditer(line):
            doi = closed(re.split(r"[\s,]|\)[,;:.]?$|\);", found.group(1) or found.group(2) or "")[0])
            if not DOI_FORM.match(doi) or doi.count("(") != doi.count(")"):
                yield n, f"no DOI has the form {doi}"
        for found in ARXIV.finditer(line):
            if not ARXIV_FORM.match(found.group(1).rstrip("`")):
                yield n, f"no paper of arXiv has the number {found.group(1)}"


def check_page(path, text):
    """Documents: references, files that they name, and what a page of methods must have."""
    yield from check_references(text)
    for n, line in enumerate(text.split("\n"), 1):
        for found in NAMED.finditer(re.sub(r"`\[[^`]*`", "", line)):
            name = found.group(1) or found.group(0)
            near = os.path.join(ROOT, os.path.dirname(path), name)
            if not os.path.exists(near) and not os.path.exists(os.path.join(ROOT, name)) and not known_stem(name) and not made(name):
                yield n, f"{name} is not there"
    if not path.startswith("docs/methods/"):
        return
    name = os.path.basename(path)
    headings = set(re.findall(r"^## (.+)$", text, re.M))
    for section in SECTIONS:
        if section not in headings and section not in NO_METHOD.get(name, ()):
            yield 1, f"a page of methods has a section \"{section}\""
    if name in NO_METHOD:
        return
    if "Sources" not in headings and "doi:" not in text and "arXiv" not in text:
        yield 1, "a page of methods names its sources"
    if "Cost" not in headings and not re.search(r"\bO\(|CPU s", text):
        yield 1, "a page of methods says what the method costs"


def known_stem(name):
    """test_pgm stands for test_pgm.c and test_pgm_fit.c; src/analyse/rates for the folder."""
    folder, stem = os.path.split(os.path.join(ROOT, name))
    return os.path.isdir(folder) and any(f.startswith(stem) for f in os.listdir(folder))


def made(name):
    """What tools make, such as web/node_modules: not in a fresh clone."""
    return any(name.startswith(p) for p in MADE)


def pages():
    return [f for f in listed() if f.endswith(".md") and "/stories/" not in f]


def main():
    breaches = 0
    for path in pages():
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            for n, what in check_page(path, f.read()):
                breaches += 1
                print(f"{path}:{n}: {what}")
    for path in EXACT:
        if not os.path.exists(os.path.join(ROOT, path)):
            breaches += 1
            print(f"{path}:1: is to be kept free of floating point, and is not there")
    texts = {}
    for path in sources():
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            texts[path] = f.read()
        for n, what in check(path, texts[path]):
            breaches += 1
            print(f"{path}:{n}: {what}")
    for path, what in check_warnings(texts):
        breaches += 1
        print(f"{path}:1: {what}")
    print(f"lint: {breaches} breaches")
    sys.exit(1 if breaches else 0)


main()
