#!/usr/bin/env python3
"""Runs pac-synth (Synthetic Data Showcase's own library) on one file, as its documentation does: fit, DP aggregates, aggregate-seeded records.

usage: sds.py release FILE EPSILON DELTA LENGTH OUT [--zeros]     OUT/aggregates.csv, OUT/records.csv, OUT/stages.json
       sds.py count FILE LENGTH OUT                               its exact counts, without any privacy

All parameters not named here are the library's defaults (uncontrolled fabrication, long combinations first). --zeros: 0 is a value in every column.
"""
import csv
import json
import os
import sys
import time

import pacsynth


def load(path, zeros):
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    return pacsynth.Dataset(rows, sensitive_zeros=rows[0] if zeros else [])


def pairs(combination):
    return [attribute.split(":", 1) for attribute in combination.split(";")]


def write_aggregates(path, counts):
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f)
        for combination, count in counts.items():
            if combination != "record_count":
                out.writerow([count] + [part for pair in pairs(combination) for part in pair])


def release(path, epsilon, delta, length, out, zeros):
    start = time.process_time()
    data = load(path, zeros)
    parameters = pacsynth.DpAggregateSeededParametersBuilder().reporting_length(length).epsilon(epsilon).delta(delta).build()
    synthesizer = pacsynth.DpAggregateSeededSynthesizer(parameters)
    synthesizer.fit(data)
    counts = synthesizer.get_dp_aggregates(";")
    middle = time.process_time()
    records = synthesizer.sample()
    end = time.process_time()
    write_aggregates(os.path.join(out, "aggregates.csv"), counts)
    with open(os.path.join(out, "records.csv"), "w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows(records)
    with open(os.path.join(out, "stages.json"), "w", encoding="utf-8") as f:
        json.dump({"aggregates": middle - start, "records": end - middle}, f)


def main():
    pacsynth.set_number_of_threads(1)
    zeros = "--zeros" in sys.argv
    what, *args = [a for a in sys.argv[1:] if a != "--zeros"]
    if what == "release":
        path, epsilon, delta, length, out = args
        release(path, float(epsilon), float(delta), int(length), out, zeros)
    else:
        path, length, out = args
        counts = load(path, zeros).get_aggregates(int(length), ";")
        with open(os.path.join(out, "stages.json"), "w", encoding="utf-8") as f:
            json.dump({"combinations": len(counts)}, f)


main()
