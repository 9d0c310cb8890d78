"""A grid of estimators on one set of rows, in units that share as much growing as is exact.

Forests of a size share one growth to the greatest depth; boosted trees of a depth share one growth to the greatest
`maxIter`. Nothing more can be shared: feature subsets are drawn across the trees of a forest, and each boosted
tree learns what those before it left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from regatta.selection.native.binning import binned, features_of
from regatta.selection.native.learning import Workers, boosted, forest
from regatta.selection.native.parameters import TreeFit, TreeParameters
from regatta.selection.native.predicting import summed
from regatta.selection.native.rows import Rows
from regatta.selection.native.table import Features, Floats, Table
from regatta.selection.native.unsupported import Unsupported
from regatta.selection.native.writing import Ensemble


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to be judged on; binned once for every `maxBins` and seed.

    judged: (rows, features), of as many features as the training rows; none of them if only models are wanted.
    """

    training: Rows
    judged: Floats
    _lock: Lock = field(default_factory=Lock)
    _binned: dict[tuple[int, int], tuple[Table, Table, Features]] = field(default_factory=dict)

    def tables(self, parameters: TreeParameters) -> tuple[Table, Table, Features]:
        """The training rows and the judged ones in bins, and the thresholds of these.

        Raises:
            Unsupported: a feature has more bins than a byte can tell apart.
        """
        with self._lock:
            key = parameters.maxBins, parameters.seed
            if key not in self._binned:
                rows = self.training
                ends = rows.partition_ends
                features = features_of(rows.values, ends, rows.arities, *key)
                training = Table.of(binned(rows.values, features), rows.labels, ends, features)
                nothing = np.zeros(len(self.judged))
                judged = Table.of(
                    binned(self.judged, features), nothing, np.array([len(self.judged)]), features
                )
                self._binned[key] = training, judged, features
            return self._binned[key]


@dataclass(frozen=True)
class ForestUnit:
    """Forests of one size: `positions` of the grid by depth."""

    split: Split
    parameters: TreeParameters
    trees: int
    positions: Mapping[int, Sequence[int]]

    @property
    def cost(self) -> int:
        """For putting the longest first."""
        features = self.split.training.values.shape[1]
        return self.trees * max(self.positions) * self.parameters.features_per_node(self.trees, features)

    def predictions(self, workers: Workers | None = None) -> Iterator[tuple[Sequence[int], Floats]]:
        """For some positions at a time what their model predicts for each judged row.

        Raises:
            Unsupported: the rows are too many, or their bins.
        """
        training, judged, _ = self.split.tables(self.parameters)
        for grown, depths in self._forests(training, workers):
            for depth, total in zip(depths, summed(grown, judged, depths), strict=True):
                yield self.positions[depth], total / self.trees

    def ensembles(self, workers: Workers | None = None) -> Iterator[tuple[Sequence[int], Ensemble]]:
        """For some positions at a time the trees of their model. Raises as `predictions`."""
        training, _, features = self.split.tables(self.parameters)
        for grown, depths in self._forests(training, workers):
            for depth in depths:
                yield self.positions[depth], Ensemble([grown.cut(depth)], [1.0] * self.trees, features)

    def _forests(self, training: Table, workers: Workers | None) -> Iterator[tuple[Any, list[int]]]:
        """Each forest that has to be grown, with the depths that it serves, the deepest forest first."""
        waiting = sorted(self.positions)
        while waiting:
            grown = forest(training, self.parameters, self.trees, waiting[-1], workers)
            served = [depth for depth in waiting if grown.serves(depth)]
            yield grown, served
            waiting = [depth for depth in waiting if depth not in served]


@dataclass(frozen=True)
class BoostedUnit:
    """Boosted trees of one depth: `positions` of the grid by the number of trees."""

    split: Split
    parameters: TreeParameters
    depth: int
    positions: Mapping[int, Sequence[int]]

    @property
    def cost(self) -> int:
        """For putting the longest first."""
        features = self.split.training.values.shape[1]
        return max(self.positions) * self.depth * self.parameters.features_per_node(1, features)

    def predictions(self, workers: Workers | None = None) -> Iterator[tuple[Sequence[int], Floats]]:
        """For some positions at a time what their model predicts for each judged row.

        Raises:
            Unsupported: the rows are too many, or their bins.
        """
        training, judged, _ = self.split.tables(self.parameters)
        total = np.zeros(judged.rows)
        for number, (tree, weight) in enumerate(self._trees(training, workers), start=1):
            total += summed(tree, judged, [self.depth])[0] * weight
            if number in self.positions:
                yield self.positions[number], total.copy()

    def ensembles(self, workers: Workers | None = None) -> Iterator[tuple[Sequence[int], Ensemble]]:
        """For some positions at a time the trees of their model. Raises as `predictions`."""
        training, _, features = self.split.tables(self.parameters)
        trees, weights = [], []
        for number, (tree, weight) in enumerate(self._trees(training, workers), start=1):
            trees.append(tree)
            weights.append(weight)
            if number in self.positions:
                yield self.positions[number], Ensemble(list(trees), list(weights), features)

    def _trees(self, training: Table, workers: Workers | None) -> Iterator[tuple[Any, float]]:
        own = training.with_labels_of_its_own()
        return boosted(own, self.parameters, max(self.positions), self.depth, workers)


Unit = ForestUnit | BoostedUnit


def units(split: Split, grid: Sequence[TreeFit]) -> list[Unit]:
    """The fits of one family as units of work, whose `positions` are the fits' in the sequence.

    Raises:
        Unsupported: one of them is beyond this engine.
    """
    found: dict[tuple[TreeParameters, int], dict[int, list[int]]] = {}
    for position, fit in enumerate(grid):
        if fit.obstacle:
            raise Unsupported(fit.obstacle)
        size, step = (fit.depth, fit.trees) if fit.boosted else (fit.trees, fit.depth)
        found.setdefault((fit.parameters, size), {}).setdefault(step, []).append(position)
    kind = BoostedUnit if grid[0].boosted else ForestUnit
    return [kind(split, parameters, size, positions) for (parameters, size), positions in found.items()]
