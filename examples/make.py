#!/usr/bin/env python3
"""Writes the imaginary files of examples/survey and examples/arrivals. Nobody in them exists; the numbers come from the seed and from nowhere else.

usage: python3 examples/make.py [FOLDER]      default: the folder of this file
"""
import math
import os
import random
import sys

ROUTES = {"Central": 0.34, "Eastern": 0.22, "Western": 0.27}
POINTS = 24
INTERVIEWS = 25


def chance(draw, p):
    return "1" if draw.random() < p else "0"


def interviews(draw):
    """Interviews at flow monitoring points; the points of a route are its primary sampling units and differ from one another."""
    yield "id,route,point,weight,sex,age,alone,months,any_indicator"
    number = 0
    for point in range(POINTS):
        route = list(ROUTES)[point % len(ROUTES)]
        shift = draw.random() - 0.5
        weight = 20 + 5 * (point % 5)
        for _ in range(INTERVIEWS):
            number += 1
            sex = "female" if draw.random() < 0.3 else "male"
            age = 14 + int(32 * draw.random() ** 1.5)
            months = int(24 * draw.random() ** 2)
            alone = chance(draw, 0.55)
            odds = math.log(ROUTES[route] / (1 - ROUTES[route])) + shift + 0.35 * (sex == "male") + 0.05 * (months - 6) + 0.3 * (alone == "1")
            outcome = chance(draw, 1 / (1 + math.exp(-odds)))
            lost = draw.random()
            yield ",".join([str(number), route, f"P{point + 1:02d}", str(weight), sex, "-99" if lost < 0.06 else str(age), "" if lost > 0.96 else alone,
                            str(months), outcome])


def totals():
    """What a count of everybody who passed says, to fit weights to."""
    yield "variable,level,total"
    for level, total in (("female", 5600), ("male", 12400)):
        yield f"sex,{level},{total}"
    for level, total in (("Central", 7000), ("Eastern", 5000), ("Western", 6000)):
        yield f"route,{level},{total}"


def arrivals(draw):
    """Arrivals by month, with a season, a slow rise, and a lower level from 2018-01 on."""
    yield "month,days,arrivals"
    for month in range(60):
        year, m = 2015 + month // 12, month % 12
        mean = 900 * math.exp(0.004 * month + 0.35 * math.cos(2 * math.pi * (m - 7) / 12) - (0.5 if month >= 36 else 0))
        noise = sum(draw.random() for _ in range(12)) - 6
        days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[m] + (year % 4 == 0 and m == 1)
        yield f"{year}-{m + 1:02d},{days},{max(0, round(mean * (1 + 0.15 * noise)))}"


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, lines in (("survey/interviews.csv", interviews(random.Random(20260607))), ("survey/totals.csv", totals()),
                        ("arrivals/arrivals.csv", arrivals(random.Random(20260608)))):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="\n") as f:
            f.write("\n".join(lines) + "\n")


main()
