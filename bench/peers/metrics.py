"""The one set of metrics for every tool, from what the tool published (synthetic records, protected counts) and the true file. Shares no code with Suha.

A combination is a set of values of different columns; an absent cell is no value. A tool that does not list a combination says 0 for it.
  error_common  mean |published - true| over the combinations that both have (Synthetic Data Showcase's metric)
  error_union   the same over those that either has
  suppressed    true combinations that are not published, share of the true ones
  fabricated    published combinations that no true record has, share of the true ones
  tv            mean over the tables of half the sum of |share published - share true|, absent cells included; tables of at most 10,000 cells
"""
import csv
import itertools
import math

import numpy as np

DENSE = 1_000_000
TABLE_CELLS = 10_000


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    return rows[0], rows[1:]


class Coding:
    """Values of every column as small integers: 0 is absent, then the public values, then whatever a file has besides."""

    def __init__(self, domain, absent):
        self.names = list(domain)
        self.at = {name: i for i, name in enumerate(self.names)}
        self.absent = set(absent)
        self.codes = [{} for _ in self.names]
        for i, name in enumerate(self.names):
            for value in domain[name]:
                self.code(i, value)
        self.public = [len(c) + 1 for c in self.codes]

    def code(self, column, value):
        if value in self.absent:
            return 0
        codes = self.codes[column]
        return codes.setdefault(value, len(codes) + 1)

    def matrix(self, header, rows):
        order = [self.at.get(name) for name in header]
        out = np.zeros((len(self.names), len(rows)), dtype=np.int32)
        for k, column in enumerate(order):
            if column is not None:
                out[column] = [self.code(column, row[k]) for row in rows]
        return out

    def aggregates(self, path):
        """columns -> (codes of the values, published counts); a line of the file is: count, column, value, column, value, ..."""
        found = {}
        with open(path, newline="", encoding="utf-8") as f:
            for line in csv.reader(f):
                pairs = sorted((self.at[line[k]], self.code(self.at[line[k]], line[k + 1])) for k in range(1, len(line), 2))
                values, counts = found.setdefault(tuple(p[0] for p in pairs), ([], []))
                values.append([p[1] for p in pairs])
                counts.append(float(line[0]))
        return found


def keys_of(matrix, cards, columns):
    """One number per record for its values of these columns, and whether all of them are there."""
    keys, there = np.zeros(matrix.shape[1], dtype=np.int64), np.ones(matrix.shape[1], dtype=bool)
    for c in columns:
        keys = keys * cards[c] + matrix[c]
        there &= matrix[c] > 0
    return keys, there


def keys_of_values(values, cards, columns):
    keys = np.zeros(len(values), dtype=np.int64)
    for k, c in enumerate(columns):
        keys = keys * cards[c] + values[:, k]
    return keys


def table(matrix, cards, columns):
    """Records per cell of a small table, absent cells included."""
    keys = np.zeros(matrix.shape[1], dtype=np.int32)
    for c in columns:
        keys = keys * np.int32(cards[c]) + matrix[c]
    return np.bincount(keys, minlength=math.prod(cards[c] for c in columns))


def inner(cells, cards, columns):
    """The cells in which every column has a value."""
    return cells.reshape([cards[c] for c in columns])[(slice(1, None),) * len(columns)].ravel()


class Level:
    def __init__(self):
        self.true = self.published = self.common = 0
        self.error_common = self.error_union = 0.0

    def add_dense(self, true_counts, counts, listed):
        """Two tables of the same cells; listed says which cells the tool published."""
        real = true_counts > 0
        both, error = real & listed, np.abs(true_counts - np.where(listed, counts, 0))
        self.true += int(real.sum())
        self.published += int(listed.sum())
        self.common += int(both.sum())
        self.error_common += error[both].sum()
        self.error_union += error[real | listed].sum()

    def add_sparse(self, true_keys, true_counts, keys, counts):
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
        both, a, b = np.intersect1d(true_keys, keys, assume_unique=True, return_indices=True)
        common = np.abs(true_counts[a] - counts[b]).sum()
        self.true += len(true_keys)
        self.published += len(keys)
        self.common += len(both)
        self.error_common += common
        self.error_union += common + (true_counts.sum() - true_counts[a].sum()) + (np.abs(counts).sum() - np.abs(counts[b]).sum())

    def result(self):
        union = self.true + self.published - self.common
        return {"error_common": self.error_common / self.common if self.common else math.nan,
                "error_union": self.error_union / union if union else math.nan,
                "suppressed": (self.true - self.common) / self.true if self.true else math.nan,
                "fabricated": (self.published - self.common) / self.true if self.true else math.nan}


class Comparison:
    """One length: every table of so many columns once."""

    def __init__(self, cards, truth, records, published, cells_of):
        self.cards, self.truth, self.records, self.published, self.cells_of = cards, truth, records, published, cells_of
        self.from_aggregates, self.from_records, self.variation = Level(), Level(), []

    def dense(self, columns, values, counts):
        true = table(self.truth, self.cards, columns)
        inner_true = inner(true, self.cards, columns)
        if self.records is not None:
            drawn = table(self.records, self.cards, columns)
            inner_drawn = inner(drawn, self.cards, columns)
            self.from_records.add_dense(inner_true, inner_drawn, inner_drawn > 0)
            if math.prod(self.cells_of[c] for c in columns) <= TABLE_CELLS:
                self.variation.append(0.5 * np.abs(true / self.truth.shape[1] - drawn / max(self.records.shape[1], 1)).sum())
        if self.published is not None:
            said, listed = np.zeros(true.size), np.zeros(true.size, dtype=bool)
            keys = keys_of_values(values, self.cards, columns)
            said[keys], listed[keys] = counts, True
            self.from_aggregates.add_dense(inner_true, inner(said, self.cards, columns), inner(listed, self.cards, columns))

    def sparse(self, columns, values, counts):
        def positive(matrix):
            keys, there = keys_of(matrix, self.cards, columns)
            return np.unique(keys[there], return_counts=True)
        true = positive(self.truth)
        if self.records is not None:
            self.from_records.add_sparse(*true, *positive(self.records))
        if self.published is not None:
            self.from_aggregates.add_sparse(*true, keys_of_values(values, self.cards, columns), counts)

    def add(self, columns):
        values, counts = (self.published or {}).get(columns, ([], []))
        values, counts = np.array(values, dtype=np.int64).reshape(-1, len(columns)), np.array(counts)
        dense = math.prod(self.cards[c] for c in columns) <= DENSE
        (self.dense if dense else self.sparse)(columns, values, counts)


def evaluate(coding, true_file, records_file, aggregates_file, length, cells_of=None):
    """{what: {length: metrics}}, with what one of aggregates and records; a file that is None is left out. cells_of: cells per column of the tables of tv."""
    truth = coding.matrix(*read_rows(true_file))
    records = coding.matrix(*read_rows(records_file)) if records_file else None
    published = coding.aggregates(aggregates_file) if aggregates_file else None
    cards = [len(c) + 1 for c in coding.codes]
    out = {"record_count": records.shape[1]} if records is not None else {}
    for at in range(1, length + 1):
        comparison = Comparison(cards, truth, records, published, cells_of or coding.public)
        for columns in itertools.combinations(range(len(cards)), at):
            comparison.add(columns)
        if published is not None:
            out.setdefault("aggregates", {})[at] = comparison.from_aggregates.result()
        if records is not None:
            out.setdefault("records", {})[at] = comparison.from_records.result()
            if comparison.variation:
                out["records"][at]["tv"] = sum(comparison.variation) / len(comparison.variation)
    return out
