"""What grown trees predict for binned rows: the same as their model in the JVM for the values.

A value goes left exactly if its bin is at most the split's, because both sides of that comparison were put into
bins by the same thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regatta.selection.native.compiled import compiled
from regatta.selection.native.nodes import Forest
from regatta.selection.native.table import MOST_BINS, Floats, Table

BLOCK = 4096  # rows that go down a tree together, so that its upper nodes stay near


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
    leaf, own = nodes["feature"] < 0, np.arange(len(nodes), dtype=np.int32)
    # A leaf sends every row to itself.
    left = np.where(leaf, own, nodes["left"])
    feature = np.where(leaf, 0, nodes["feature"]).astype(np.uint16)
    highest_left = np.where(leaf, MOST_BINS - 1, nodes["bin"]).astype(np.uint8)
    by_category = np.zeros(len(nodes) if len(forest.categories) else 0, np.bool_)
    if len(by_category):
        by_category[:] = ~leaf & (table.arities[feature] > 0)
    sums = np.zeros((len(depths), table.rows))
    _add_up(
        table.bins, forest.trees, left, feature, highest_left, by_category, forest.categories,
        forest.predictions, np.asarray(depths, np.int64), sums,
    )  # fmt: skip
    return sums


@compiled
def _add_up(bins, trees, left, feature, highest_left, by_category, categories, predictions, depths, sums):
    rows = bins.shape[0]
    node = np.empty(BLOCK, np.int32)
    for begin in range(0, rows, BLOCK):
        count = min(BLOCK, rows - begin)
        for tree in range(trees):
            node[:] = tree
            level = 0
            for index in range(len(depths)):
                while level < depths[index]:
                    if len(by_category) > 0:
                        _down_by_categories(
                            bins, begin, count, left, feature, highest_left, by_category, categories, node
                        )
                    else:
                        _down(bins, begin, count, left, feature, highest_left, node)
                    level += 1
                for place in range(count):
                    sums[index, begin + place] += predictions[node[place]]


@compiled
def _down(bins, begin, count, left, feature, highest_left, node):
    """One level further. Without a branch, which would be guessed wrongly for every other row."""
    for place in range(count):
        here = node[place]
        node[place] = left[here] + np.int32(bins[begin + place, feature[here]] > highest_left[here])


@compiled
def _down_by_categories(bins, begin, count, left, feature, highest_left, by_category, categories, node):
    for place in range(count):
        here = node[place]
        cell = bins[begin + place, feature[here]]
        if by_category[here]:
            goes_left = (categories[here, cell >> 6] >> np.uint64(cell & 63)) & np.uint64(1)
            node[place] = left[here] + np.int32(1 - goes_left)
        else:
            node[place] = left[here] + np.int32(cell > highest_left[here])
