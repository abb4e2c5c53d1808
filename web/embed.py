"""Puts bytes into the program.

As a program: embed.py INPUT OUTPUT SYMBOL writes a C array of one small file. table() writes the table of src/portal/assets.h, by .incbin.
Deterministic.
"""
import gzip
import hashlib
import os
import sys

MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
               ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json"}
WORTH = 0.9       # gzip is kept when it is this much smaller, or more


def array(source, target, symbol):
    with open(source, "rb") as f:
        data = f.read()
    lines = []
    for start in range(0, len(data), 24):
        lines.append("    " + ",".join(str(b - 256 if b > 127 else b) for b in data[start:start + 24]) + ",")
    with open(target, "w", encoding="ascii") as out:
        out.write("#include <stddef.h>\n\n")
        out.write(f"extern const char {symbol}[];\nextern const size_t {symbol}_size;\n\n")
        out.write(f"const char {symbol}[] = {{\n" + "\n".join(lines) + "\n    0 };\n")
        out.write(f"const size_t {symbol}_size = {len(data)};\n")


def included(c, symbol, path):
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    c.write(f'__asm__(".section .rodata\\n{symbol}: .incbin \\"{quoted}\\"\\n.byte 0\\n.previous\\n");\nextern const char {symbol}[];\n')


def table(folder, names, target):
    """names: {address: name}; the file of an address lies at its path below `folder`. Writes the gzip copies beside the files."""
    entries = []
    with open(target, "w", encoding="utf-8") as c:
        c.write('#include "assets.h"\n\n')
        for i, address in enumerate(sorted(names)):
            path = os.path.join(folder, address.lstrip("/"))
            with open(path, "rb") as f:
                data = f.read()
            packed = gzip.compress(data, 9, mtime=0)
            included(c, f"su_asset_bytes_{i}", path)
            zipped = "{ NULL, 0 }"
            if len(packed) <= WORTH * len(data):
                with open(path + ".gz", "wb") as f:
                    f.write(packed)
                included(c, f"su_asset_gzip_{i}", path + ".gz")
                zipped = f"{{ su_asset_gzip_{i}, {len(packed)} }}"
            media_type = MEDIA_TYPES[os.path.splitext(address)[1]]
            etag = hashlib.sha256(data).hexdigest()[:32]
            immutable = "true" if address.startswith("/assets/") else "false"
            entries.append(f'    {{ "{names[address]}", "{address}", "{media_type}", "\\"{etag}\\"", {{ su_asset_bytes_{i}, {len(data)} }}, '
                           f"{zipped}, {immutable} }},\n")
        c.write("\nconst su_asset su_assets[] = {\n" + "".join(entries) + f"}};\nconst size_t su_asset_count = {len(entries)};\n")


if __name__ == "__main__":
    array(*sys.argv[1:4])
