"""Which nodes are next, by which features they may be split, and which nodes come of their splits.

Spark 4.1.2, mllib: `ml/tree/impl/RandomForest.scala` (`selectNodesToSplit`, the end of `findBestSplits`), and core,
`util/random/SamplingUtils.scala` (`reservoirSampleAndCount`).
"""

from __future__ import annotations

import numpy as np

from regatta.selection.native.best_split import variance
from regatta.selection.native.compiled import compiled
from regatta.selection.native.nodes import LEAF, NO_GAIN, NOT_ROUTED
from regatta.selection.native.random_numbers import java_long, xorshift_double, xorshift_seeded

BYTES_A_BIN = 24  # what MLlib counts for a bin of a node: three doubles
EPSILON = 2.220446049250313e-16  # ml/impl/Utils.scala: an impurity below it is none


@compiled
def draw_group(stack, draws, bin_counts, max_memory, group, features):
    """Take nodes from the top of the stack, each with the features drawn for it, until memory is full.

    Args:
        stack: (nodes,) the top is its end.
        draws: (1,) the state of the forest's generator.
        bin_counts: (features,) of the table.
        max_memory: bytes of statistics; the first node is taken whatever it needs.
        group: (nodes,) is filled with those taken, in the order in which they left the stack.
        features: (nodes, drawn) is filled with theirs.

    Returns:
        How many were taken.
    """
    drawn = features.shape[1]
    memory = 0
    for taken in range(len(stack)):
        if drawn < len(bin_counts):
            draws[0], seed = java_long(draws[0])
            _reservoir(len(bin_counts), seed, features[taken])
        else:
            for feature in range(drawn):
                features[taken, feature] = feature
        needed = 0
        for candidate in range(drawn):
            needed += bin_counts[features[taken, candidate]] * BYTES_A_BIN
        # A node that does not fit has drawn: the generator has moved on, and the node will draw again.
        if memory > 0 and memory + needed > max_memory:
            return taken
        group[taken] = stack[len(stack) - 1 - taken]
        memory += needed
    return len(stack)


@compiled
def _reservoir(population, seed, sample):
    """Sample without replacement from 0 to below `population`, in the reservoir's order."""
    for place in range(len(sample)):
        sample[place] = place
    state = xorshift_seeded(seed)
    for candidate in range(len(sample), population):
        state, number = xorshift_double(state)
        place = np.int64(number * (candidate + 1))
        if place < len(sample):
            sample[place] = candidate


@compiled
def add_children(nodes, categories, used, group, trees, splits, goes_left, arities, max_depth, stack, top):
    """Give the nodes of a group their splits, make their children, and push those that may be split in turn.

    Args:
        nodes: room for two more a node of the group.
        categories: the same, if any feature is categorical.
        used: how many nodes there are.
        group: nodes that were judged.
        trees: theirs, in the order in which MLlib goes through them (`scala_order`).
        splits: (group,) what was found.
        goes_left: (group, 4) with categorical features.
        arities: (features,) of the table.
        max_depth: children at this level are leaves.
        stack: room for two more a node of the group.
        top: how many nodes are on it.

    Returns:
        How many nodes there are now, and how many are on the stack.
    """
    in_tree = np.zeros(trees.max() + 2, np.int64)
    for node in group:
        in_tree[nodes[node].tree + 1] += 1
    starts = np.cumsum(in_tree)
    by_tree, filled = np.empty(len(group), np.int64), starts.copy()
    for place in range(len(group)):
        tree = nodes[group[place]].tree
        by_tree[filled[tree]] = place
        filled[tree] += 1
    for tree in trees:
        for index in range(starts[tree], starts[tree + 1]):
            place = by_tree[index]
            node, split = group[place], splits[place]
            nodes[node].impurity = split.impurity
            if split.feature == LEAF:
                continue
            nodes[node].feature, nodes[node].bin = split.feature, split.bin
            nodes[node].gain, nodes[node].left = split.gain, used
            if arities[split.feature] > 0:
                categories[node] = goes_left[place]
            for side in range(2):
                child = used + side
                count = split.left_count if side == 0 else split.right_count
                total = split.left_sum if side == 0 else split.right_sum
                squares = split.left_squares if side == 0 else split.right_squares
                impurity = variance(count, total, squares)
                nodes[child].tree, nodes[child].level = tree, nodes[node].level + 1
                nodes[child].parent, nodes[child].begin = node, NOT_ROUTED
                nodes[child].feature, nodes[child].bin, nodes[child].left = LEAF, 0, LEAF
                nodes[child].count, nodes[child].sum, nodes[child].squares = count, total, squares
                nodes[child].impurity, nodes[child].gain = impurity, NO_GAIN
                if nodes[child].level < max_depth and abs(impurity) >= EPSILON:
                    stack[top] = child
                    top += 1
            used += 2
    return used, top
