"""What growing will need where it is done, worked out before it begins, and whether it can be had."""

from __future__ import annotations

from collections.abc import Sequence

from regatta.runtime.memory import available_memory
from regatta.selection.native.best_split import SPLIT
from regatta.selection.native.nodes import NODE
from regatta.selection.native.search import ForestUnit, Unit
from regatta.selection.native.unsupported import Unsupported

SHARE_OF_FREE_MEMORY = 0.8
SPARE = 1.5  # of an array of nodes that has just grown
BITS_OF_CATEGORIES = 32  # bytes a node


def check(units: Sequence[Unit], at_once: int) -> None:
    """See that there is memory for units of which so many run at the same time.

    Raises:
        Unsupported: there is not.
    """
    wanted, free = needed(units, at_once), int(available_memory() * SHARE_OF_FREE_MEMORY)
    if wanted > free:
        raise Unsupported(f"growing needs {_gigabytes(wanted)} of memory, and {_gigabytes(free)} can be had")


def needed(units: Sequence[Unit], at_once: int) -> int:
    """Bytes at the peak, beside the rows that are there already: the largest units that run at the same time."""
    if not units:
        return 0
    rows, features, judged = units[0].split.sizes
    record = 8 * (-(-features // 8) + 1) * 2  # rounded up to a power of two at the most
    tables = (rows + judged) * (record + features)
    return tables + sum(sorted(map(_unit, units), reverse=True)[:at_once])


def _unit(unit: Unit) -> int:
    rows, features, judged_rows = unit.split.sizes
    if isinstance(unit, ForestUnit):
        trees, depth, boosting = unit.trees, max(unit.positions), 0
    else:
        trees, depth, boosting = 1, unit.depth, rows * (8 * (-(-features // 8) + 1) * 2 + 24)
    drawn = unit.parameters.features_per_node(trees, features)
    bags = trees * rows * (1 + 4)  # the draws, then the entries
    # A tree has at most a leaf a row, and two nodes a leaf.
    nodes = trees * min(2 ** (depth + 1), 2 * rows)
    a_node = SPARE * (NODE.itemsize + BITS_OF_CATEGORIES) + (2 * drawn + SPLIT.itemsize) / 2
    judged = judged_rows * 8 * (len(unit.positions) + 2)
    return int(bags + nodes * a_node + boosting + judged)


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GB"
