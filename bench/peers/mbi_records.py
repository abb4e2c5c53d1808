#!/usr/bin/env python3
"""Why smartnoise.py draws its own records: four columns, one parent p with the children a, b and c, fitted by mbi to exact tables (p,a), (p,b), (p,c).
Prints the table of (a,b) in the data, in the fitted model, and in the records that mbi draws by its default and that draw() draws."""
import numpy as np
from mbi import Dataset, Domain, LinearMeasurement, estimation

import smartnoise


def main():
    rng, n = np.random.default_rng(1), 6000
    p = rng.integers(0, 2, n)
    children = [(rng.random(n) < np.where(p == 1, 0.7, 0.4)).astype(int) for _ in range(3)]
    domain = Domain(["p", "a", "b", "c"], [2, 2, 2, 2])
    data = Dataset(np.array([p] + children).T, domain)
    measured = [LinearMeasurement(np.asarray(data.project(c).datavector()), c, 1.0) for c in (("p", "a"), ("p", "b"), ("p", "c"))]
    model = estimation.mirror_descent(domain, measured, known_total=float(n), iters=500)
    for name, table in (("data", data), ("model", model), ("mbi's records", model.synthetic_data(rows=n)), ("draw()", smartnoise.draw(model, n))):
        print(f"{name:14}", np.round(np.asarray(table.project(("a", "b")).datavector())).astype(int))


main()
