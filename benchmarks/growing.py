"""What a row costs the native engine as tables grow: nanoseconds a row, tree and level, and bytes a row at the peak.

    make bench-growing                                 or benchmarks/growing.py [--rows 100000 500000 2000000]

Forests of 30 trees of depth 15 and 20 boosted trees of depth 10 on one fold of 15 features, a thread a core, without
Spark. Grown once before on few rows, so that compiling is not counted; binning is timed apart.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from dataclasses import replace

import numpy as np

from regatta.runtime.progress import result
from regatta.selection.native.learning import boosted, forest, sharing
from regatta.selection.native.parameters import TreeParameters
from regatta.selection.native.rows import Rows
from regatta.selection.native.search import Split

FEATURES, PARTITIONS = 15, 2
BAGGED = TreeParameters(  # MLlib's defaults
    seed=1,
    maxBins=32,
    featureSubsetStrategy="auto",
    subsamplingRate=1.0,
    bootstrap=True,
    minInstancesPerNode=1,
    minInfoGain=0.0,
    maxMemoryInMB=256,
    stepSize=0.1,
)
FOREST, BOOSTED = (30, 15), (20, 10)  # trees, depth


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 500_000, 2_000_000])
    options = parser.parse_args()

    measured(5_000)
    result("| rows | binning, s | forest, s | ns | boosted trees, s | ns | peak of the process, GB |")
    result("|---:|---:|---:|---:|---:|---:|---:|")
    for rows in options.rows:
        binning, grown, learnt = measured(rows)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        result(
            f"| {rows:,} | {binning:.1f} | {grown:.1f} | {_each(grown, rows, *FOREST):.1f} "
            f"| {learnt:.1f} | {_each(learnt, rows, *BOOSTED):.1f} | {peak:.1f} |"
        )


def measured(rows: int) -> tuple[float, float, float]:
    """Seconds that binning, a forest and boosted trees take."""
    chance = np.random.default_rng(7)
    values = chance.normal(size=(rows, FEATURES))
    labels = np.sin(3 * values[:, 0]) + values[:, 1] * values[:, 2] + chance.normal(size=rows)
    places = np.sort(np.arange(rows, dtype=np.int32) % PARTITIONS)
    split = Split(Rows(values, labels, places, np.zeros(FEATURES, np.int32)), values[:0])
    seconds = [time.monotonic()]
    table = split.tables(BAGGED).training
    seconds.append(time.monotonic())
    with sharing(len(os.sched_getaffinity(0))) as workers:
        forest(table, BAGGED, *FOREST, workers)
        seconds.append(time.monotonic())
        for _ in boosted(table.with_labels_of_its_own(), replace(BAGGED, bootstrap=False), *BOOSTED, workers):
            pass
        seconds.append(time.monotonic())
    binning, grown, learnt = np.diff(seconds)
    return float(binning), float(grown), float(learnt)


def _each(seconds: float, rows: int, trees: int, depth: int) -> float:
    return seconds * 1e9 / (rows * trees * depth)


if __name__ == "__main__":
    main()
