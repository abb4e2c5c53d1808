"""Writes a C file with the bytes of an asset: embed.py INPUT OUTPUT SYMBOL. Deterministic."""
import sys

source, target, symbol = sys.argv[1:4]
data = open(source, "rb").read()
lines = []
for start in range(0, len(data), 24):
    lines.append("    " + ",".join(str(b - 256 if b > 127 else b) for b in data[start:start + 24]) + ",")
with open(target, "w", encoding="ascii") as out:
    out.write("#include <stddef.h>\n\n")
    out.write(f"extern const char {symbol}[];\nextern const size_t {symbol}_size;\n\n")
    out.write(f"const char {symbol}[] = {{\n" + "\n".join(lines) + "\n    0 };\n")
    out.write(f"const size_t {symbol}_size = {len(data)};\n")
