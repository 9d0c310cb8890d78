"""Forests and boosted trees of MLlib's own parameters.

Spark 4.1.2, mllib: `ml/regression/{RandomForestRegressor,GBTRegressor}.scala`,
`ml/tree/impl/{DecisionTreeMetadata,GradientBoostedTrees}.scala`, `mllib/tree/loss/SquaredError.scala`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from regatta.selection.native.bags import Bags, drawn
from regatta.selection.native.growing import Growth, Threads, grow
from regatta.selection.native.nodes import Forest
from regatta.selection.native.parameters import TreeParameters
from regatta.selection.native.predicting import summed
from regatta.selection.native.table import Floats, Table


@dataclass(frozen=True)
class Workers:
    """Threads that split the nodes of one forest side by side."""

    pool: Threads
    count: int


@contextmanager
def sharing(count: int) -> Iterator[Workers | None]:
    """So many threads for one fit; None where one does not make several."""
    if count < 2:
        yield None
        return
    with ThreadPoolExecutor(count) as pool:
        yield Workers(pool, count)


def forest(
    table: Table, parameters: TreeParameters, trees: int, depth: int, workers: Workers | None = None
) -> Forest:
    """`RandomForestRegressor.fit`.

    Fewer trees are another forest, since feature subsets are drawn across all trees; less depth is the same
    forest cut off (see `Forest.complete_to`).

    Raises:
        Unsupported: there are more rows than an entry of a bag can name.
    """
    bags = drawn(
        trees, parameters.subsamplingRate, parameters.seed, table.ends, replacement=parameters.bootstrap
    )
    growth = _growth(parameters, depth, trees, table)
    return _grown(table, bags, growth, parameters.seed, workers)


def boosted(
    table: Table, parameters: TreeParameters, trees: int, depth: int, workers: Workers | None = None
) -> Iterator[tuple[Forest, float]]:
    """`GBTRegressor.fit`: each tree, as a forest of one, and its weight. The first trees are those of a shorter fit.

    Args:
        table: its labels are overwritten by what each tree has to learn.
        parameters: MLlib's `maxIter` aside.
        trees: MLlib's `maxIter`.
        depth: MLlib's `maxDepth`.
        workers: share the work; the trees are the same.

    Raises:
        Unsupported: there are more rows than an entry of a bag can name.
    """
    labels: Floats = table.labels.copy()
    predicted = np.zeros_like(labels)
    for number in range(trees):
        seed = (parameters.seed + number + 2**63) % 2**64 - 2**63  # Java's long wraps around
        bags = drawn(1, parameters.subsamplingRate, seed, table.ends, replacement=False)
        growth = _growth(parameters, depth, 1, table)
        tree = _grown(table, bags, growth, seed, workers)
        weight = 1.0 if number == 0 else parameters.stepSize
        yield tree, weight
        if number + 1 < trees:
            predicted += summed(tree, table, [depth])[0] * weight
            table.labels[:] = 2.0 * (labels - predicted)  # minus the gradient of the squared error


def _growth(parameters: TreeParameters, depth: int, trees: int, table: Table) -> Growth:
    return Growth(
        max_depth=depth,
        features_per_node=parameters.features_per_node(trees, table.bins.shape[1]),
        min_rows=parameters.minInstancesPerNode,
        min_gain=parameters.minInfoGain,
        max_memory=parameters.maxMemoryInMB << 20,
    )


def _grown(table: Table, bags: Bags, growth: Growth, seed: int, workers: Workers | None) -> Forest:
    if workers is None:
        return grow(table, bags, growth, seed)
    return grow(table, bags, growth, seed, workers.pool, workers.count)
