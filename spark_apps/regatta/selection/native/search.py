"""A grid of estimators on one set of rows, in units that share as much growing as is exact.

Forests of a size share one growth to the greatest depth; boosted trees of a depth share one growth to the greatest
`maxIter`. Nothing more can be shared: feature subsets are drawn across the trees of a forest, and each boosted
tree learns what those before it left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

import numpy as np

from regatta.selection.native.binning import binned, features_of
from regatta.selection.native.learning import Workers, boosted, forest
from regatta.selection.native.parameters import TreeFit, TreeParameters
from regatta.selection.native.predicting import summed
from regatta.selection.native.rows import Rows
from regatta.selection.native.table import Binned, Floats, Sizes, Table
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
    _binned: dict[tuple[int, int], Binned] = field(default_factory=dict)

    @property
    def sizes(self) -> Sizes:
        """How many rows and features there are."""
        rows, features = self.training.values.shape
        return Sizes(rows, features, len(self.judged))

    def tables(self, parameters: TreeParameters) -> Binned:
        """The training rows and the judged ones in bins.

        Raises:
            Unsupported: a feature has more bins than a byte can tell apart.
        """
        with self._lock:
            key = parameters.maxBins, parameters.seed
            if key not in self._binned:
                rows = self.training
                ends = rows.partition_ends
                features = features_of(rows.values, ends, rows.arities, *key)
                training, judged = binned(rows.values, features), binned(self.judged, features)
                self._binned[key] = Binned.of(training, rows.labels, ends, judged, features)
            return self._binned[key]


class Source(Protocol):
    """Where units have their rows from: a `Split`, which bins them, or what was `Binned` elsewhere."""

    @property
    def sizes(self) -> Sizes:
        """How many rows and features there are."""

    def tables(self, parameters: TreeParameters) -> Binned:
        """The rows in bins; raises as `Split.tables`."""


@dataclass(frozen=True)
class ForestUnit:
    """Forests of one size: `positions` of the grid by depth."""

    split: Source
    parameters: TreeParameters
    trees: int
    positions: Mapping[int, Sequence[int]]

    @property
    def cost(self) -> int:
        """For putting the longest first."""
        features = self.split.sizes.features
        return self.trees * max(self.positions) * self.parameters.features_per_node(self.trees, features)

    def predictions(self, workers: Workers | None = None) -> Iterator[tuple[Sequence[int], Floats]]:
        """For some positions at a time what their model predicts for each judged row.

        Raises:
            Unsupported: the rows are too many, or their bins.
        """
        binned = self.split.tables(self.parameters)
        for grown, depths in self._forests(binned.training, workers):
            for depth, total in zip(depths, summed(grown, binned.judged, depths), strict=True):
                yield self.positions[depth], total / self.trees

    def ensembles(self, workers: Workers | None = None) -> Iterator[tuple[Sequence[int], Ensemble]]:
        """For some positions at a time the trees of their model. Raises as `predictions`."""
        binned = self.split.tables(self.parameters)
        for grown, depths in self._forests(binned.training, workers):
            for depth in depths:
                yield self.positions[depth], Ensemble([grown.cut(depth)], [1.0] * self.trees, binned.features)

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

    split: Source
    parameters: TreeParameters
    depth: int
    positions: Mapping[int, Sequence[int]]

    @property
    def cost(self) -> int:
        """For putting the longest first."""
        features = self.split.sizes.features
        return max(self.positions) * self.depth * self.parameters.features_per_node(1, features)

    def predictions(self, workers: Workers | None = None) -> Iterator[tuple[Sequence[int], Floats]]:
        """For some positions at a time what their model predicts for each judged row.

        Raises:
            Unsupported: the rows are too many, or their bins.
        """
        binned = self.split.tables(self.parameters)
        total = np.zeros(binned.judged.rows)
        for number, (tree, weight) in enumerate(self._trees(binned.training, workers), start=1):
            total += summed(tree, binned.judged, [self.depth])[0] * weight
            if number in self.positions:
                yield self.positions[number], total.copy()

    def ensembles(self, workers: Workers | None = None) -> Iterator[tuple[Sequence[int], Ensemble]]:
        """For some positions at a time the trees of their model. Raises as `predictions`."""
        binned = self.split.tables(self.parameters)
        trees, weights = [], []
        for number, (tree, weight) in enumerate(self._trees(binned.training, workers), start=1):
            trees.append(tree)
            weights.append(weight)
            if number in self.positions:
                yield self.positions[number], Ensemble(list(trees), list(weights), binned.features)

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
