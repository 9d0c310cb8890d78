"""The best split of a node, from its histogram.

Spark 4.1.2, mllib: `ml/tree/impl/RandomForest.scala` (`binsToBestSplit`, `calculateImpurityStats`) and
`mllib/tree/impurity/Variance.scala`. Of equal gains the first counts, by feature as drawn and then by bin.
"""

from __future__ import annotations

import numpy as np

from regatta.selection.native.compiled import compiled
from regatta.selection.native.nodes import LEAF, RECOUNTED

SPLIT = np.dtype(
    [
        ("feature", np.int32),  # LEAF where no split gains anything
        ("bin", np.int32),
        ("gain", np.float64),
        ("impurity", np.float64),
        ("left_count", np.float64),
        ("left_sum", np.float64),
        ("left_squares", np.float64),
        ("right_count", np.float64),
        ("right_sum", np.float64),
        ("right_squares", np.float64),
    ],
    align=True,
)

LOWEST = -1.7976931348623157e308  # Scala's Double.MinValue: the gain of a split that is not allowed
HIGHEST = 1.7976931348623157e308  # the mean of a category without rows, which puts it last
NOT_ALLOWED = -1.0  # the impurity that MLlib gives a leaf which no split was allowed for
LEFT_SUMS = 5  # scratch rows: count, sum and squares left of a split, its bin, its gain


@compiled
def variance(count, total, squares):
    """The impurity of rows whose labels have these sums."""
    return (squares - total * total / count) / count if count > 0.0 else 0.0


@compiled
def find_best_split(histogram, features, table, node, nodes, rules, splits, goes_left, place, scratch):
    """Find the split of a node that gains most, and sums of the node itself where it is a root.

    Args:
        histogram: (candidates, bins, 3) of the node.
        features: (candidates,) the features drawn for it.
        table: says how many bins each has, and which are categorical.
        node: its number.
        nodes: whose sums tell its impurity; a root's are written, since nobody has added them up yet.
        rules: the least rows on each side, and the least gain.
        splits: (group,) where the result is written.
        goes_left: (group, 4) bits of the categories that go left, written where the split is by categories.
        place: of the node in the group.
        scratch: `left` and `natural` are used.
    """
    left, split = scratch.left, splits[place]
    known = nodes[node].level > 0
    impurity = variance(nodes[node].count, nodes[node].sum, nodes[node].squares) if known else 0.0
    best_gain, best_candidate, best_bin = LOWEST, -1, 0
    any_candidate = False
    for candidate in range(len(features)):
        feature = features[candidate]
        bins = table.bin_counts[feature]
        if bins < 2:
            continue
        any_candidate = True
        cells = histogram[candidate]
        order = _by_mean(cells, bins) if table.arities[feature] > 0 else scratch.natural[:bins]
        places, count, total, squares = _cumulate(cells, order, left)
        if not known:
            # MLlib adds left and right of the first split that it looks at, and keeps that for all others.
            first = cells[order[0]]
            nodes[node].count = first[0] + (count - first[0])
            nodes[node].sum = first[1] + (total - first[1])
            nodes[node].squares = first[2] + (squares - first[2])
            impurity = variance(nodes[node].count, nodes[node].sum, nodes[node].squares)
            known = True
        _gains(left, places, count, total, squares, impurity)
        for cut in range(places):
            gain, on_left = left[4, cut], left[0, cut]
            if (
                gain > best_gain
                and gain >= rules.min_gain
                and on_left >= rules.min_rows
                and count - on_left >= rules.min_rows
            ):
                best_gain, best_candidate, best_bin = gain, candidate, np.int64(left[3, cut])
                split.left_count, split.right_count = on_left, count - on_left
                split.left_sum, split.right_sum = left[1, cut], total - left[1, cut]
                split.left_squares, split.right_squares = left[2, cut], squares - left[2, cut]
    if not any_candidate:
        # All features drawn are constant. MLlib then takes the sums that it made row by row, and so has one bin.
        nodes[node].count, nodes[node].sum = histogram[0, 0, 0], histogram[0, 0, 1]
        nodes[node].squares = histogram[0, 0, 2]
        nodes[node].bin = RECOUNTED
    split.gain, split.bin = best_gain, best_bin
    split.impurity = impurity if best_candidate >= 0 else NOT_ALLOWED
    split.feature = features[best_candidate] if best_gain > 0.0 else LEAF
    if best_gain > 0.0 and table.arities[split.feature] > 0:
        goes_left[place] = 0
        for category in _by_mean(histogram[best_candidate], table.bin_counts[split.feature])[: best_bin + 1]:
            goes_left[place, category >> 6] |= np.uint64(1) << np.uint64(category & 63)


@compiled
def _by_mean(cells, bins):
    """Categories by the mean of their labels; equal ones keep their order, empty ones come last."""
    mean = np.empty(bins)
    for category in range(bins):
        mean[category] = cells[category, 1] / cells[category, 0] if cells[category, 0] != 0.0 else HIGHEST
    return np.argsort(mean, kind="mergesort")


@compiled
def _cumulate(cells, order, left):
    """Sums left of the split after each bin that has rows: after an empty one they would be the same again."""
    places, count, total, squares = 0, 0.0, 0.0, 0.0
    for place in range(len(order)):
        cell = order[place]
        if cells[cell, 0] != 0.0:
            count += cells[cell, 0]
            total += cells[cell, 1]
            squares += cells[cell, 2]
            left[0, places], left[1, places], left[2, places], left[3, places] = count, total, squares, place
            places += 1
    return places - 1, count, total, squares  # after the last bin nothing is right


@compiled
def _gains(left, places, count, total, squares, impurity):
    """By how much each split lowers the impurity. In a loop of its own, which the compiler makes four at a time."""
    for place in range(places):
        on_left, left_sum, left_squares = left[0, place], left[1, place], left[2, place]
        on_right, right_sum, right_squares = count - on_left, total - left_sum, squares - left_squares
        left_impurity = (left_squares - left_sum * left_sum / on_left) / on_left
        right_impurity = (right_squares - right_sum * right_sum / on_right) / on_right
        rows = on_left + on_right
        left[4, place] = impurity - (on_left / rows) * left_impurity - (on_right / rows) * right_impurity
