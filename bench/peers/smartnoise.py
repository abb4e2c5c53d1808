#!/usr/bin/env python3
"""Runs MST or AIM of smartnoise-synth on mbi, the library of private-pgm, on one file: OUT/records.csv, OUT/stages.json.

usage: smartnoise.py mst|aim FILE DOMAIN EPSILON DELTA OUT [--model-mb N] [--as-installed]

DOMAIN is a JSON object, column -> list of its public values (the absent cell among them). The transformer of SmartNoise learns its values from the private data
unless it is told; it is told the public ones here, so that all tools have the same domain. Everything else is the library's default, but for one thing: how mbi
1.1.0 draws records from a fitted model. Within the rows of one parent value it hands out every child column in row order and never shuffles, so that two columns
with the same parent move together (mbi_records.py shows it on four columns). As the authors meant it, and as mbi 1.0.0 did it, the rows are shuffled: draw() here.
--as-installed leaves mbi's own.
"""
import argparse
import csv
import json
import os
import time

import numpy as np
import pandas as pd


def rounded(counts, rows, rng):
    """Values in proportion to the counts: whole parts first, the remainder drawn by the fractions, in random order."""
    exact = counts * (rows / counts.sum()) if counts.sum() > 0 else np.full(counts.size, rows / counts.size)
    whole = np.floor(exact).astype(int)
    rest, left = exact - whole, rows - int(whole.sum())
    if left > 0:
        share = rest / rest.sum() if np.count_nonzero(rest) >= left else np.full(counts.size, 1 / counts.size)
        whole[rng.choice(counts.size, left, replace=False, p=share)] += 1
    return rng.permutation(np.repeat(np.arange(counts.size), whole))


def draw(model, rows=None, method="round"):
    """Records of a fitted model, column by column against the order of elimination, each given its neighbours that are drawn already."""
    from mbi import Dataset, junction_tree
    rng, total = np.random.default_rng(), max(1, int(rows or model.total))
    tree, elimination = junction_tree.make_junction_tree(model.domain, [tuple(c) for c in model.cliques])
    data = {}
    for column in reversed(elimination):
        together = set().union(*(set(c) for c in tree.nodes if column in c))
        parents = tuple(sorted(together & set(data)))
        table = model.project(parents + (column,))
        order = [table.domain.attrs.index(a) for a in parents + (column,)]
        table = np.maximum(np.asarray(table.datavector(flatten=False), dtype=float).transpose(order), 0)
        if not parents:
            data[column] = rounded(table, total, rng)
            continue
        groups, member = np.unique(np.stack([data[p] for p in parents]), axis=1, return_inverse=True)
        data[column] = np.empty(total, dtype=int)
        for g in range(groups.shape[1]):
            at = np.nonzero(member.ravel() == g)[0]
            data[column][at] = rounded(table[tuple(groups[:, g])], at.size, rng)
    return Dataset({a: data[a] for a in model.domain.attrs}, model.domain)


def synthesizer_of(args):
    if args.mechanism == "mst":
        from snsynth.mst import MSTSynthesizer
        return MSTSynthesizer(epsilon=args.epsilon, delta=args.delta)
    from snsynth.aim import AIMSynthesizer
    return AIMSynthesizer(epsilon=args.epsilon, delta=args.delta, max_model_size=args.model_mb)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mechanism", choices=["mst", "aim"])
    parser.add_argument("file")
    parser.add_argument("domain")
    parser.add_argument("epsilon", type=float)
    parser.add_argument("delta", type=float)
    parser.add_argument("out")
    parser.add_argument("--model-mb", type=float, default=80)
    parser.add_argument("--as-installed", action="store_true")
    args = parser.parse_args()
    import mbi
    from snsynth.transform import LabelTransformer, TableTransformer
    if not args.as_installed:
        mbi.MarkovRandomField.synthetic_data = draw
    start = time.process_time()
    data = pd.read_csv(args.file, dtype=str, keep_default_na=False)
    with open(args.domain, encoding="utf-8") as f:
        domain = json.load(f)
    transformer = TableTransformer([LabelTransformer(nullable=False) for _ in data.columns])
    transformer.fit([tuple(domain[c][i % len(domain[c])] for c in data.columns) for i in range(max(map(len, domain.values())))])
    synthesizer = synthesizer_of(args)
    synthesizer.fit(data, transformer=transformer)
    records = synthesizer.sample()
    seconds = time.process_time() - start
    with open(os.path.join(args.out, "records.csv"), "w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(data.columns)
        writer.writerows(records.itertuples(index=False) if isinstance(records, pd.DataFrame) else records)
    with open(os.path.join(args.out, "stages.json"), "w", encoding="utf-8") as f:
        json.dump({"records": seconds}, f)


if __name__ == "__main__":
    main()
