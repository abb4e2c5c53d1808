#!/usr/bin/env python3
"""Installs the man pages, written from the program's own help: suha(1) and one page a command. Called by meson install."""
import os
import re
import subprocess
import sys


def roff(text):
    return text.replace("\\", "\\\\").replace("-", "\\-").replace("\n.", "\n\\&.")


def page(name, summary, body):
    return f'.TH {name.upper()} 1\n.SH NAME\n{roff(name)} \\- {roff(summary)}\n.SH DESCRIPTION\n.nf\n{roff(body)}\n.fi\n'


def main():
    suha = os.path.join(os.environ["MESON_BUILD_ROOT"], sys.argv[1])
    folder = os.path.join(os.environ["MESON_INSTALL_DESTDIR_PREFIX"], "share", "man", "man1")
    os.makedirs(folder, exist_ok=True)
    overview = subprocess.run([suha, "--help"], check=True, capture_output=True, text=True).stdout
    with open(os.path.join(folder, "suha.1"), "w", encoding="utf-8") as f:
        f.write(page("suha", overview.splitlines()[0].split(": ", 1)[1], overview))
    for command in re.findall(r"^  (\w+(?: \w+)?)  +\S", overview, re.M):
        text = subprocess.run([suha, *command.split(), "--help"], check=True, capture_output=True, text=True).stdout
        name = "suha-" + command.replace(" ", "-")
        with open(os.path.join(folder, name + ".1"), "w", encoding="utf-8") as f:
            f.write(page(name, text.splitlines()[0].split(": ", 1)[1], text))


main()
