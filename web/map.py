"""Draws the world once, at build time: world-atlas (Natural Earth, public domain) becomes finished SVG paths in the Equal Earth projection,
so that a phone neither projects nor decodes anything.

usage: map.py ATLAS_50M ATLAS_10M ISO_CSV OUT.json

Projection: Šavrič, Patterson, Jenny 2018, doi:10.1080/13658816.2018.1504949. Simplification: Visvalingam and Whyatt 1993,
doi:10.1179/000870493786962263, per shared arc, so that neighbours keep one border; areas are true because the projection is equal-area.
A shape without an ISO 3166-1 code is drawn as land and carries no number. Deterministic.
"""
import csv
import heapq
import json
import math
import sys

WIDTH = 10000                 # whole units; a thousandth of the width is 10 of them
SMALLEST_BEND = 14            # square units: a vertex that turns a smaller triangle is left out
SMALLEST_ISLAND = 120         # square units; a country's largest ring always stays
SMALL_COUNTRY = 900           # square units, about 10,000 km2: drawn as a point too
# Codes that the atlas draws as part of another shape, or not at all: degrees east, degrees north, rounded.
PLACES = {"BES": (-68.3, 12.2), "BVT": (3.4, -54.4), "CCK": (96.9, -12.2), "CXR": (105.7, -10.5), "GLP": (-61.6, 16.3), "GUF": (-53.2, 4.0),
          "MTQ": (-61.0, 14.7), "MYT": (45.2, -12.8), "REU": (55.5, -21.1), "SJM": (16.0, 78.5), "TKL": (-171.8, -9.2), "VAT": (12.5, 41.9),
          "XKX": (20.9, 42.6)}
A1, A2, A3, A4 = 1.340264, -0.081106, 0.000893, 0.003796
M = math.sqrt(3) / 2
HALF_X = math.pi / (M * A1)                                      # x of (180 degrees, equator)
TOP = 0.0
SCALE = WIDTH / (2 * HALF_X)
CRIMEA = (34.3, 45.3)         # drawn by the atlas as it is held; here as the United Nations have it (General Assembly resolution 68/262)
NORTH, SOUTH = 84, -57                                          # Antarctica is left out


def project(degrees):
    longitude, latitude = math.radians(max(-180, min(180, degrees[0]))), math.radians(degrees[1])
    theta = math.asin(M * math.sin(latitude))
    t2 = theta * theta
    t6 = t2 ** 3
    x = longitude * math.cos(theta) / (M * (A1 + 3 * A2 * t2 + t6 * (7 * A3 + 9 * A4 * t2)))
    y = theta * (A1 + A2 * t2 + t6 * (A3 + A4 * t2))
    return (HALF_X + x) * SCALE, (TOP - y) * SCALE


TOP = -project((0, NORTH))[1] / SCALE
HEIGHT = round(project((0, SOUTH))[1])


def triangle(a, b, c):
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2


def simplify(degrees):
    """Takes away, smallest triangle on the map first, every inner vertex whose triangle is below SMALLEST_BEND; a ring keeps four points."""
    line = [project(p) for p in degrees]
    before, after = list(range(-1, len(line) - 1)), list(range(1, len(line) + 1))
    area, alive, left = [None] * len(line), [True] * len(line), len(line)
    fewest = 4 if line[0] == line[-1] else 2
    heap = []

    def weigh(i, floor=0.0):
        if 0 < i < len(line) - 1:
            area[i] = max(floor, triangle(line[before[i]], line[i], line[after[i]]))
            heapq.heappush(heap, (area[i], i))

    for i in range(1, len(line) - 1):
        weigh(i)
    while heap and left > fewest:
        size, i = heapq.heappop(heap)
        if not alive[i] or size != area[i]:
            continue
        if size >= SMALLEST_BEND:
            break
        alive[i], left = False, left - 1
        after[before[i]], before[after[i]] = after[i], before[i]
        weigh(before[i], size)
        weigh(after[i], size)
    return [p for p, keep in zip(degrees, alive) if keep]


def arcs_of(atlas):
    scale, translate = atlas["transform"]["scale"], atlas["transform"]["translate"]
    for arc in atlas["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + translate[0], y * scale[1] + translate[1]))
        yield points


def half(ring, limit, side):
    """The part of a ring on one side of a meridian (Sutherland and Hodgman 1974)."""
    kept = []
    for a, b in zip(ring, ring[1:] + ring[:1]):
        inside_a, inside_b = (a[0] - limit) * side <= 0, (b[0] - limit) * side <= 0
        if inside_a:
            kept.append(a)
        if inside_a != inside_b:
            kept.append((limit, a[1] + (b[1] - a[1]) * (limit - a[0]) / (b[0] - a[0])))
    return kept


def along_the_edge(ring):
    """The map's edge is a curve: a cut along it gets a point every two degrees."""
    for a, b in zip(ring, ring[1:] + ring[:1]):
        yield a
        steps = int(abs(b[1] - a[1]) / 2) if abs(a[0]) == 180 and a[0] == b[0] else 0
        for n in range(1, steps + 1):
            yield a[0], a[1] + (b[1] - a[1]) * n / (steps + 1)


def cut(ring):
    """The atlas draws rings across the 180th meridian: unrolled, cut there, and put back on the map, projected."""
    unrolled, turn = [ring[0]], 0
    for a, b in zip(ring, ring[1:]):
        turn += -360 if b[0] - a[0] > 180 else 360 if b[0] - a[0] < -180 else 0
        unrolled.append((b[0] + turn, b[1]))
    for shift in (-360, 0, 360):
        part = half(half([(x + shift, y) for x, y in unrolled[:-1]], 180, 1), -180, -1)
        if len(part) > 2:
            closed = [project(p) for p in along_the_edge(part)]
            yield closed + closed[:1]


def rings_of(geometry, arcs):
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry.get("arcs", [])
    for polygon in polygons:
        for ring in polygon:
            points = []
            for index in ring:
                arc = arcs[index] if index >= 0 else arcs[~index][::-1]
                points += arc[1:] if points else arc
            yield from cut(points)


def signed_area(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:])) / 2


def centre(ring):
    area = signed_area(ring)
    if abs(area) < 1e-9:
        return ring[0]
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in zip(ring, ring[1:]))
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in zip(ring, ring[1:]))
    return x / (6 * area), y / (6 * area)


def path(rings):
    """Relative whole-number moves; a point that rounding put on its neighbour is left out."""
    text = []
    for ring in rings:
        points = [(round(x), round(y)) for x, y in ring]
        points = [p for p, q in zip(points, [None] + points[:-1]) if p != q]
        if len(points) < 4:
            continue
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(points, points[1:-1])]
        text.append(f"M{points[0][0]} {points[0][1]}l" + "".join(
            f"{'' if dx < 0 or n == 0 else ' '}{dx}{'' if dy < 0 else ' '}{dy}" for n, (dx, dy) in enumerate(steps)) + "z")
    return "".join(text)


def outline():
    edge = [project((180, latitude)) for latitude in range(SOUTH, NORTH + 1, 3)]
    points = [(round(x), round(y)) for x, y in edge] + [(WIDTH - round(x), round(y)) for x, y in reversed(edge)]
    return "M" + "L".join(f"{x} {y}" for x, y in points) + "z"


def parts_of(atlas, codes, arcs):
    """{code: rings}; None holds what has no code."""
    parts, crimea = {}, project(CRIMEA)
    for geometry in atlas["objects"]["countries"]["geometries"]:
        code = codes.get(geometry.get("id"))
        for ring in rings_of(geometry, arcs):
            at = "UKR" if math.dist(centre(ring), crimea) < 60 else code
            parts.setdefault(at, []).append(ring)
    del parts["ATA"]
    return parts


def draw(fine, coarse, codes):
    shapes, points = {}, {}
    for code, rings in parts_of(coarse, codes, [simplify(a) for a in arcs_of(coarse)]).items():
        rings.sort(key=lambda r: -abs(signed_area(r)))
        drawn = path([r for i, r in enumerate(rings) if i == 0 or code is None or abs(signed_area(r)) >= SMALLEST_ISLAND])
        if drawn:
            shapes[code] = drawn
    for code, rings in parts_of(fine, codes, list(arcs_of(fine))).items():
        if code and (code not in shapes or sum(abs(signed_area(r)) for r in rings) < SMALL_COUNTRY):
            points[code] = [round(v) for v in centre(max(rings, key=lambda r: abs(signed_area(r))))]
    for code, place in PLACES.items():
        if code in codes.values() and code not in shapes and code not in points:
            points[code] = [round(v) for v in project(place)]
    uncoded = shapes.pop(None)
    return {"width": WIDTH, "height": HEIGHT, "outline": outline(), "shapes": dict(sorted(shapes.items())), "uncoded": uncoded,
            "points": dict(sorted(points.items()))}


def main():
    coarse, fine = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:3])
    with open(sys.argv[3], encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    world = draw(fine, coarse, {row["m49"]: row["code"] for row in rows})
    world["alpha2"] = {row["alpha2"]: row["code"] for row in rows if row["alpha2"]}     # some releases have codes of two letters
    with open(sys.argv[4], "w", encoding="utf-8") as out:
        json.dump(world, out, separators=(",", ":"))


if __name__ == "__main__":
    main()
