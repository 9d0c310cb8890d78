"""Nodes of the trees of one forest, in the order in which they came to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAF = -1  # the feature of a node that is not split
RECOUNTED = -2  # the bin of a leaf whose sums MLlib took anew, since no feature drawn for it has two bins
NO_GAIN = -1.0  # the gain of a leaf
NOT_ROUTED = -1  # the begin of a node whose rows still lie unsorted among its parent's

NODE = np.dtype(
    [
        ("tree", np.int32),
        ("level", np.int32),
        ("parent", np.int32),
        ("left", np.int32),  # the right child is the next one
        ("feature", np.int32),
        ("bin", np.int32),  # of a continuous feature: rows up to this bin go left
        ("begin", np.int64),  # its rows among the forest's
        ("end", np.int64),
        ("count", np.float64),  # sums over its rows: of weights, of weighted labels and of their squares
        ("sum", np.float64),
        ("squares", np.float64),
        ("impurity", np.float64),
        ("gain", np.float64),
    ],
    align=True,
)

CATEGORY_WORDS = 4  # 256 bits: the categories that go left
Nodes = NDArray[np.void]
Categories = NDArray[np.uint64]


@dataclass(frozen=True)
class Forest:
    """Grown trees.

    nodes: (nodes,) of `NODE`; node t below `trees` is the root of tree t.
    categories: (nodes, 4) bits of the categories that go left where a node splits by a categorical feature;
        no rows where there is no such feature.
    depth: as far as they were to grow.
    complete_to: the level up to which nodes left the stack as in a forest grown no deeper. Beyond, MLlib had to take
        the nodes of a level in several groups, and draws other feature subsets where there are more levels.
    """

    trees: int
    nodes: Nodes
    categories: Categories
    depth: int
    complete_to: int

    def serves(self, depth: int) -> bool:
        """Whether the trees, cut off at this depth, are to the last bit those that would be grown no deeper."""
        if depth == self.depth:
            return True
        recounted = self.nodes["level"][self.nodes["bin"] == RECOUNTED]
        return depth <= min(self.depth, self.complete_to) and depth not in recounted

    def cut(self, depth: int) -> Forest:
        """The trees cut off at a depth that they serve."""
        if depth == self.depth:
            return self
        kept = self.nodes["level"] <= depth
        nodes, places = self.nodes[kept], np.cumsum(kept) - 1
        last = nodes["level"] == depth
        nodes["feature"][last], nodes["gain"][last] = LEAF, NO_GAIN
        # A node that was looked at, and had no split that is allowed, lost its impurity by that.
        nodes["impurity"][last] = _variance(nodes[last])
        split = nodes["feature"] != LEAF
        nodes["left"][split] = places[nodes["left"][split]]
        categories = self.categories[kept] if len(self.categories) else self.categories
        return Forest(self.trees, nodes, categories, depth, self.complete_to)

    @property
    def predictions(self) -> NDArray[np.float64]:
        """What each node predicts where it is a leaf: the mean of its labels, and 0 where it has no rows."""
        count = self.nodes["count"]
        return np.divide(self.nodes["sum"], count, out=np.zeros(len(count)), where=count > 0.0)


def _variance(nodes: Nodes) -> NDArray[np.float64]:
    count, total, squares = nodes["count"], nodes["sum"], nodes["squares"]
    none = np.zeros(len(nodes))
    explained = np.divide(total * total, count, out=none.copy(), where=count > 0.0)
    return np.divide(squares - explained, count, out=none, where=count > 0.0)


class NodeStore:
    """Arrays of nodes that grow at their end."""

    def __init__(self, roots: int, categorical: bool) -> None:
        self.used = 0
        self.nodes: Nodes = np.empty(max(1024, 4 * roots), NODE)
        self.categories: Categories = np.zeros(
            (len(self.nodes) if categorical else 0, CATEGORY_WORDS), np.uint64
        )
        self.used = roots
        self.nodes[:roots] = np.zeros((), NODE)
        self.nodes["tree"][:roots] = np.arange(roots)
        for name in ("parent", "left", "feature"):
            self.nodes[name][:roots] = LEAF
        self.nodes["gain"][:roots] = NO_GAIN

    def make_room(self, for_more: int) -> None:
        """Let the next so many nodes be written."""
        needed = self.used + for_more
        if needed > len(self.nodes):
            self._resize(max(needed, len(self.nodes) * 3 // 2))

    def finished(self) -> tuple[Nodes, Categories]:
        """What was written, without the spare room."""
        self._resize(self.used)
        return self.nodes, self.categories

    def _resize(self, size: int) -> None:
        # In place (realloc), so that the old and the new array are not both there. Nothing refers to them here.
        self.nodes.resize(size, refcheck=False)
        if len(self.categories):
            self.categories.resize((size, CATEGORY_WORDS), refcheck=False)
