"""Sums over a node's rows by feature and bin, and the sorting of a split node's rows to its children.

Spark 4.1.2, mllib: `ml/tree/impl/RandomForest.scala` (`binSeqOp`, `findBestSplits`),
`ml/tree/impl/DTStatsAggregator.scala`, `mllib/tree/impurity/Variance.scala` (`VarianceAggregator`).

A cell holds the sums of weight, weight x label and (weight x label) x label, in this order of multiplying. MLlib
adds up each partition by itself, row by row, and then the partitions in their order; a sum in any other order
has other last digits, and with them in time another tree. So there are two histograms: `total`, and `part` for the
partition in hand, which is all zeros between any two calls.
"""

from __future__ import annotations

import numpy as np

from regatta.selection.native.bags import row_of, weight_of
from regatta.selection.native.compiled import compiled
from regatta.selection.native.memory_access import prefetch_row

CELL = 3  # numbers: weight, weighted label, weighted square
ROWS_AHEAD = 64  # far enough to arrive in time, near enough to be there still


@compiled
def add_rows(table, entries, begin, end, features, total, part):
    """Add a node's rows to `total`, a histogram of zeros.

    Args:
        table: bins, labels, and ends of the partitions.
        entries: row and weight of each; those from `begin` to below `end` are the node's, ascending by row.
        begin: see there.
        end: see there.
        features: (candidates,) those that the node may be split by.
        total: (candidates, bins, 3) is filled.
        part: the same, all zeros before and after.
    """
    position = begin
    while position < end:
        partition_end = _partition_end(entries, position, end, table.ends)
        target = total if position == begin else part
        _add_partition(table, entries, position, partition_end, features, target)
        if position > begin:
            if partition_end - position < total.shape[1]:
                _move_cells_of_rows(table.bins, entries, position, partition_end, features, part, total)
            else:
                _move_all_cells(part, total)
        position = partition_end


@compiled
def clear(table, entries, begin, end, features, total):
    """Make zeros of what `add_rows` filled: of few cells where there were few rows."""
    if end - begin < total.shape[1]:
        for position in range(begin, end):
            row = row_of(entries[position])
            for candidate in range(len(features)):
                cell = table.bins[row, features[candidate]]
                for number in range(CELL):
                    total[candidate, cell, number] = 0.0
    else:
        total[:] = 0.0


@compiled
def route(table, entries, begin, end, feature, goes_right, rights):
    """Put the rows of a split node in order: those that go left first, both sides ascending by row as before.

    Args:
        table: the rows' bins.
        entries: changed from `begin` to below `end`.
        begin: see there.
        end: see there.
        feature: by which the node is split.
        goes_right: (256,) for each bin 0 or 1.
        rights: room for as many entries.

    Returns:
        Where the right child's rows begin.
    """
    last = end - 1
    left, right = begin, 0
    for position in range(begin, end):
        prefetch_row(table.bins, np.intp(row_of(entries[min(position + ROWS_AHEAD, last)])))
        entry = entries[position]
        side = goes_right[table.bins[row_of(entry), feature]]
        # Written to both, and kept in one: a branch would be guessed wrongly for every other row.
        entries[left] = entry
        rights[right] = entry
        left += 1 - side
        right += side
    for position in range(right):
        entries[left + position] = rights[position]
    return left


@compiled
def _add_partition(table, entries, begin, end, features, target):
    bins, labels = table.bins, table.labels
    last = end - 1
    for position in range(begin, end):
        prefetch_row(bins, np.intp(row_of(entries[min(position + ROWS_AHEAD, last)])))
        entry = entries[position]
        row, weight = row_of(entry), weight_of(entry)
        weighted = weight * labels[row]
        squared = weighted * labels[row]
        for candidate in range(len(features)):
            cell = bins[row, features[candidate]]
            target[candidate, cell, 0] += weight
            target[candidate, cell, 1] += weighted
            target[candidate, cell, 2] += squared


@compiled
def _partition_end(entries, begin, end, partition_ends):
    """One past the last of the entries from `begin` that lie in the partition of the first."""
    row = np.int64(row_of(entries[begin]))
    limit = partition_ends[np.searchsorted(partition_ends, row, side="right")]
    if np.int64(row_of(entries[end - 1])) < limit:
        return end
    low, high = begin, end
    while low < high:
        middle = (low + high) >> 1
        if np.int64(row_of(entries[middle])) < limit:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _move_cells_of_rows(bins, entries, begin, end, features, part, total):
    for position in range(begin, end):
        row = row_of(entries[position])
        for candidate in range(len(features)):
            cell = bins[row, features[candidate]]
            if part[candidate, cell, 0] != 0.0:  # else another row of the same bin moved it already
                for number in range(CELL):
                    total[candidate, cell, number] += part[candidate, cell, number]
                    part[candidate, cell, number] = 0.0


@compiled
def _move_all_cells(part, total):
    for candidate in range(total.shape[0]):
        for cell in range(total.shape[1]):
            for number in range(CELL):
                total[candidate, cell, number] += part[candidate, cell, number]
                part[candidate, cell, number] = 0.0
