"""Which rows each tree sees, and how often.

Spark 4.1.2, mllib, `ml/tree/impl/BaggedPoint.scala`: every partition has a generator of its own, seeded by
`seed + partition + 1`, and draws for its rows in order, for each row once a tree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import uint32 as u32
from numpy.typing import NDArray

from regatta.selection.native.compiled import compiled
from regatta.selection.native.random_numbers import well_double, well_seeded, xorshift_double, xorshift_seeded
from regatta.selection.native.unsupported import Unsupported

WEIGHT_BITS = 5
MOST_WEIGHT = (1 << WEIGHT_BITS) - 1  # Poisson(1) exceeds 31 once in 10^35 draws
MOST_ROWS = 1 << (32 - WEIGHT_BITS)
BLOCK = 4096  # rows whose draws are kept until they are handed to the trees


@dataclass(frozen=True)
class Bags:
    """The rows of each tree that weigh more than nothing.

    entries: row and weight in one number (`row_of`, `weight_of`), tree after tree, ascending by row; growing
        moves them so that those of a node lie together.
    ends: for each tree, one past its last entry.
    """

    entries: NDArray[np.uint32]
    ends: NDArray[np.int64]

    @property
    def trees(self) -> int:
        """How many trees draw from the rows."""
        return len(self.ends)


@compiled
def row_of(entry):
    """The row of an entry."""
    return entry >> u32(WEIGHT_BITS)


@compiled
def weight_of(entry):
    """How often the tree sees the row."""
    return np.float64(entry & u32(MOST_WEIGHT))


def drawn(
    trees: int, rate: float, seed: int, partition_ends: NDArray[np.int64], *, replacement: bool
) -> Bags:
    """Draw for all trees of a forest.

    Args:
        trees: how many.
        rate: MLlib's `subsamplingRate`: expected draws a row.
        seed: the forest's, a signed number of 64 bits.
        partition_ends: for each partition, one past its last row.
        replacement: MLlib's `bootstrap`.

    Raises:
        Unsupported: there are more rows, or more draws of one row, than an entry can hold.
    """
    rows = int(partition_ends[-1])
    if rows >= MOST_ROWS:
        raise Unsupported(f"{rows:,} rows are more than {MOST_ROWS:,}")
    if not replacement and rate == 1.0:
        every = (np.arange(rows, dtype=np.uint32) << WEIGHT_BITS) | np.uint32(1)
        return Bags(np.tile(every, trees), rows * np.arange(1, trees + 1))
    draws = np.empty((rows, trees), np.uint8)
    start = 0
    for partition, end in enumerate(partition_ends):
        # Java's long wraps around.
        own_seed = np.int64((seed + partition + 1 + 2**63) % 2**64 - 2**63)
        (_draw_poisson if replacement else _draw_bernoulli)(own_seed, rate, draws[start:end])
        start = int(end)
    if draws.size and draws.max() > MOST_WEIGHT:
        raise Unsupported(f"a row was drawn more than {MOST_WEIGHT} times for one tree")
    ends = np.cumsum(np.count_nonzero(draws, axis=0))
    entries = np.empty(int(ends[-1]), np.uint32)
    _hand_out(draws, ends, entries)
    return Bags(entries, ends)


@compiled
def _draw_poisson(seed, rate, draws):
    """With replacement: commons-math3 3.6.1, `distribution/PoissonDistribution.java`, for means below 40."""
    words, position = well_seeded(seed), np.int64(0)
    limit = np.exp(-rate)
    for row in range(draws.shape[0]):
        for tree in range(draws.shape[1]):
            count, product = 0, 1.0
            while count < 1000 * rate:
                position, number = well_double(words, position)
                product *= number
                if product < limit:
                    break
                count += 1
            draws[row, tree] = min(count, 255)


@compiled
def _draw_bernoulli(seed, rate, draws):
    """Without replacement."""
    state = xorshift_seeded(seed)
    for row in range(draws.shape[0]):
        for tree in range(draws.shape[1]):
            state, number = xorshift_double(state)
            draws[row, tree] = number < rate


@compiled
def _hand_out(draws, ends, entries):
    """Write each tree's entries, a block of rows at a time: they are read by row and written by tree."""
    rows, trees = draws.shape
    position = np.zeros(trees, np.int64)
    position[1:] = ends[:-1]
    for block in range(0, rows, BLOCK):
        for tree in range(trees):
            for row in range(block, min(block + BLOCK, rows)):
                if draws[row, tree] > 0:
                    entries[position[tree]] = (row << WEIGHT_BITS) | draws[row, tree]
                    position[tree] += 1
