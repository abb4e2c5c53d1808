#!/usr/bin/env python3
"""Puts files into the program: writes a C file that holds every file below DIR with one of the given endings, by .incbin.

usage: embed.py SYMBOL DIR OUT.c ENDING...     writes OUT.c: `const su_embedded SYMBOL[]`, ended by a NULL path, sorted by path
       embed.py --list DIR ENDING...           prints the files, one a line (for the build's dependencies)
"""
import os
import sys


def files(root, endings):
    found = []
    for folder, _, names in os.walk(root):
        found += [os.path.join(folder, n) for n in names if n.endswith(tuple(endings))]
    return sorted(found)


def main():
    if sys.argv[1] == "--list":
        print("\n".join(os.path.abspath(f) for f in files(sys.argv[2], sys.argv[3:])))
        return
    symbol, root, out, endings = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    with open(out, "w", encoding="utf-8") as c:
        c.write('#include "embedded.h"\n#include <stddef.h>\n')
        entries = []
        for i, path in enumerate(files(root, endings)):
            name = f"{symbol}_{i}"
            quoted = os.path.abspath(path).replace("\\", "\\\\").replace('"', '\\"')
            c.write(f'__asm__(".section .rodata\\n{name}: .incbin \\"{quoted}\\"\\n{name}_end: .byte 0\\n.previous\\n");\n')
            c.write(f"extern const char {name}[], {name}_end[];\n")
            entries.append((os.path.relpath(path, root).replace(os.sep, "/"), name))
        c.write(f"const su_embedded {symbol}[] = {{\n")
        for rel, name in entries:
            c.write(f'    {{ "{rel}", {name}, {name}_end }},\n')
        c.write("    { NULL, NULL, NULL }\n};\n")


main()
