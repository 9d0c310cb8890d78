"""What grown trees predict for binned rows: the same as their model in the JVM for the values.

A value goes left exactly if its bin is at most the split's, because both sides of that comparison were put into
bins by the same thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regatta.selection.native.compiled import compiled
from regatta.selection.native.nodes import LEAF, Forest
from regatta.selection.native.table import MOST_BINS, Floats, Table

BLOCK = 4096  # rows that go down a tree together, so that its upper nodes stay near

STEP = np.dtype(
    [
        ("left", np.int32),  # a leaf sends every row to itself
        ("feature", np.uint16),
        ("highest_left", np.uint8),
        ("by_category", np.bool_),
    ],
    align=True,
)
"""What a row needs of a node to go on, in eight bytes that come with one access."""


def summed(forest: Forest, table: Table, depths: Sequence[int]) -> Floats:
    """The sum of the trees' predictions for each row, with the trees cut off at each of some depths.

    Args:
        forest: the sum is taken in the order of its trees.
        table: only its bins are read.
        depths: ascending.

    Returns:
        (depths, rows)
    """
    nodes = forest.nodes
    leaf = nodes["feature"] == LEAF
    steps = np.zeros(len(nodes), STEP)
    steps["left"] = np.where(leaf, np.arange(len(nodes)), nodes["left"])
    steps["feature"] = np.where(leaf, 0, nodes["feature"])
    steps["highest_left"] = np.where(leaf, MOST_BINS - 1, nodes["bin"])
    if len(forest.categories):
        steps["by_category"] = ~leaf & (table.arities[steps["feature"]] > 0)
    sums = np.zeros((len(depths), table.rows))
    _add_up(
        table.bins,
        forest.trees,
        steps,
        forest.categories,
        forest.predictions,
        np.asarray(depths, np.int64),
        sums,
    )
    return sums


@compiled
def _add_up(bins, trees, steps, categories, predictions, depths, sums):
    rows = bins.shape[0]
    nodes = np.empty(BLOCK, np.int32)
    for begin in range(0, rows, BLOCK):
        count = min(BLOCK, rows - begin)
        for tree in range(trees):
            nodes[:] = tree
            level = 0
            for index in range(len(depths)):
                while level < depths[index]:
                    if len(categories) > 0:
                        _down_by_categories(bins, begin, count, steps, categories, nodes)
                    else:
                        _down(bins, begin, count, steps, nodes)
                    level += 1
                for place in range(count):
                    sums[index, begin + place] += predictions[nodes[place]]


@compiled
def _down(bins, begin, count, steps, nodes):
    """One level further. Without a branch, which would be guessed wrongly for every other row."""
    for place in range(count):
        step = steps[nodes[place]]
        nodes[place] = step.left + np.int32(bins[begin + place, step.feature] > step.highest_left)


@compiled
def _down_by_categories(bins, begin, count, steps, categories, nodes):
    for place in range(count):
        node = nodes[place]
        step = steps[node]
        cell = bins[begin + place, step.feature]
        if step.by_category:
            goes_left = (categories[node, cell >> 6] >> np.uint64(cell & 63)) & np.uint64(1)
            nodes[place] = step.left + np.int32(1 - goes_left)
        else:
            nodes[place] = step.left + np.int32(cell > step.highest_left)
