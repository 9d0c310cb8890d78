"""Growing the trees of a forest, group of nodes by group of nodes, as MLlib does.

Spark 4.1.2, mllib: `ml/tree/impl/RandomForest.scala` (`runBagged`, `findBestSplits`).

One generator draws feature subsets for the nodes of all trees, in the order in which they leave a stack. So the
order of nodes is a part of the result: which nodes make a group, in which order their children are pushed,
and that a node which did not fit into a group has drawn all the same and draws again (`frontier.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from regatta.selection.native.bags import Bags
from regatta.selection.native.best_split import SPLIT, find_best_split
from regatta.selection.native.compiled import compiled
from regatta.selection.native.frontier import add_children, draw_group
from regatta.selection.native.histograms import CELL, add_rows, clear, route
from regatta.selection.native.memory_access import aligned
from regatta.selection.native.nodes import CATEGORY_WORDS, NOT_ROUTED, Forest, NodeStore
from regatta.selection.native.random_numbers import java_seeded
from regatta.selection.native.scala_order import scala_order
from regatta.selection.native.table import MOST_BINS, Table

ROWS_WORTH_A_NODE = 100  # what a node costs beside its rows, in rows: for sharing work evenly
NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Growth:
    """How far and by which rules trees grow; MLlib's parameters of like names.

    features_per_node: how many features are drawn for a node.
    max_memory: bytes of statistics in one group of nodes (`maxMemoryInMB`).
    """

    max_depth: int
    features_per_node: int
    min_rows: int = 1
    min_gain: float = 0.0
    max_memory: int = 256 << 20


class Rules(NamedTuple):
    """What a split must keep, as compiled code takes it."""

    min_rows: float
    min_gain: float


class Group(NamedTuple):
    """Nodes that are split together, as compiled code takes them.

    nodes: (group,) in the order in which they left the stack.
    features: (group, drawn) by which each may be split.
    splits: (group,) of `SPLIT`, to be written.
    goes_left: (group, 4) bits of the categories that go left, to be written; no rows without categories.
    """

    nodes: NDArray[np.int32]
    features: NDArray[np.uint16]
    splits: NDArray[np.void]
    goes_left: NDArray[np.uint64]


class Scratch(NamedTuple):
    """What one thread works with."""

    total: NDArray[np.float64]
    part: NDArray[np.float64]
    left: NDArray[np.float64]
    natural: NDArray[np.int64]
    goes_right: NDArray[np.uint8]
    rights: NDArray[np.uint32]

    @classmethod
    def of(cls, rows: int, candidates: int, bins: int) -> Scratch:
        """For nodes of at most so many rows."""
        shape = (candidates, bins, CELL)
        total, part = aligned(shape, np.float64), aligned(shape, np.float64)
        total[:] = part[:] = 0.0
        goes_right, rights = np.empty(MOST_BINS, np.uint8), np.empty(rows, np.uint32)
        return cls(total, part, np.empty((5, bins)), np.arange(bins), goes_right, rights)


class Threads(Protocol):
    """A pool of threads, such as `concurrent.futures.ThreadPoolExecutor`."""

    def map(self, work: Callable[[int], None], items: Iterable[int], /) -> Iterable[None]:
        """Call `work` on each item, some at once."""


def grow(
    table: Table, bags: Bags, growth: Growth, seed: int, threads: Threads | None = None, shares: int = 1
) -> Forest:
    """Grow a tree from each bag.

    Args:
        table: the rows.
        bags: which of them each tree sees; its entries are moved about.
        growth: how far.
        seed: of the generator of feature subsets, a signed number of 64 bits.
        threads: split the nodes of a group side by side. The trees are the same.
        shares: by how many at once.
    """
    store = NodeStore(bags.trees, categorical=bool(table.arities.any()))
    begins = np.concatenate([[0], bags.ends[:-1]])
    store.nodes["begin"][: bags.trees], store.nodes["end"][: bags.trees] = begins, bags.ends
    largest, bins = int((bags.ends - begins).max()), int(table.bin_counts.max())
    scratches = [Scratch.of(largest, growth.features_per_node, bins) for _ in range(shares)]
    rules = Rules(float(growth.min_rows), growth.min_gain)
    draws = np.array([java_seeded(np.int64(seed))], np.uint64)
    stack, waiting, complete_to = np.arange(bags.trees, dtype=np.int32), bags.trees, NEVER
    while waiting:
        group = _next_group(stack[:waiting], draws, table, growth, categorical=bool(len(store.categories)))
        waiting -= len(group.nodes)
        if waiting and complete_to == NEVER:
            complete_to = int(store.nodes["level"][group.nodes[0]])

        cuts = _cuts(store.nodes, group.nodes, shares)

        def split(share: int, group: Group = group, cuts: NDArray[np.int64] = cuts) -> None:
            first, last = cuts[share], cuts[share + 1]
            _split_nodes(
                table,
                bags.entries,
                store.nodes,
                store.categories,
                group,
                first,
                last,
                rules,
                scratches[share],
            )

        if threads:
            for _ in threads.map(split, range(shares)):
                pass
        else:
            split(0)
        more = 2 * len(group.nodes)
        store.make_room(more)
        if waiting + more > len(stack):
            stack.resize(max(2 * len(stack), waiting + more), refcheck=False)
        trees = scala_order(np.unique(store.nodes["tree"][group.nodes]).astype(np.int64))
        store.used, waiting = add_children(
            store.nodes, store.categories, store.used, group.nodes, trees, group.splits, group.goes_left,
            table.arities, growth.max_depth, stack, waiting,
        )  # fmt: skip
    return Forest(bags.trees, *store.finished(), growth.max_depth, complete_to)


def _next_group(
    stack: NDArray[np.int32], draws: NDArray[np.uint64], table: Table, growth: Growth, *, categorical: bool
) -> Group:
    nodes = np.empty(len(stack), np.int32)
    features = np.empty((len(stack), growth.features_per_node), np.uint16)
    taken = draw_group(stack, draws, table.bin_counts, growth.max_memory, nodes, features)
    goes_left = np.empty((taken if categorical else 0, CATEGORY_WORDS), np.uint64)
    return Group(nodes[:taken], features[:taken], np.empty(taken, SPLIT), goes_left)


def _cuts(nodes: NDArray[np.void], group: NDArray[np.int32], shares: int) -> NDArray[np.int64]:
    """Where the group is cut into shares of about equal work, siblings together."""
    if shares == 1:
        return np.array([0, len(group)])
    own, parents = nodes[group], nodes[nodes["parent"][group]]
    begun = own["begin"] != NOT_ROUTED
    rows = np.where(begun, own["end"] - own["begin"], (parents["end"] - parents["begin"]) // 2)
    work = np.cumsum(rows + ROWS_WORTH_A_NODE)
    cuts = np.searchsorted(work, work[-1] * np.arange(1, shares) / shares)
    second = ~begun[cuts] & (cuts > 0) & (own["parent"][cuts] == own["parent"][cuts - 1])
    return np.concatenate([[0], cuts + second, [len(group)]])


@compiled
def _split_nodes(table, entries, nodes, categories, group, first, last, rules, scratch):
    """Find the best split of some nodes of a group; put their rows in order where that is still to do.

    Rows are sorted to the children of a split only when a child is to be split itself, since then they are read
    in any case and are near.
    """
    for place in range(first, last):
        node, features = group.nodes[place], group.features[place]
        if nodes[node].begin == NOT_ROUTED:
            _route_children(table, entries, nodes, categories, nodes[node].parent, scratch)
        begin, end = nodes[node].begin, nodes[node].end
        add_rows(table, entries, begin, end, features, scratch.total, scratch.part)
        find_best_split(
            scratch.total, features, table, node, nodes, rules, group.splits, group.goes_left, place, scratch
        )
        clear(table, entries, begin, end, features, scratch.total)


@compiled
def _route_children(table, entries, nodes, categories, parent, scratch):
    feature, goes_right = nodes[parent].feature, scratch.goes_right
    for cell in range(table.bin_counts[feature]):
        if table.arities[feature] > 0:
            word = categories[parent, cell >> 6]
            goes_right[cell] = 1 - ((word >> np.uint64(cell & 63)) & np.uint64(1))
        else:
            goes_right[cell] = cell > nodes[parent].bin
    begin, end, left = nodes[parent].begin, nodes[parent].end, nodes[parent].left
    middle = route(table, entries, begin, end, feature, goes_right, scratch.rights)
    nodes[left].begin, nodes[left].end = begin, middle
    nodes[left + 1].begin, nodes[left + 1].end = middle, end
