"""Compile all of this room at once, before it is needed: `python -m regatta.selection.native.compiling`.

Numba compiles a function for the types that it is called with, so everything is called once on next to nothing,
with the types of the real work. `make setup` does it; a training does it where that was not done.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from llvmlite import binding

from regatta.runtime.progress import step
from regatta.selection.native.compiled import cache_folder
from regatta.selection.native.parameters import TreeParameters
from regatta.selection.native.rows import Rows
from regatta.selection.native.search import BoostedUnit, ForestUnit, Split
from regatta.selection.native.writing import node_table

ROWS = 12_000  # enough for a sample to be taken of them


def make_ready() -> None:
    """Compile what this machine has not compiled yet, and say so; once for each state of the sources."""
    done = _mark()
    if done is not None and done.exists():
        return
    with step("compiling the tree grower, once"):
        _call_everything()
    if done is not None:
        done.touch()


def _mark() -> Path | None:
    """Says that all is compiled for this processor."""
    folder = cache_folder()
    return folder / f"compiled-for-{binding.get_host_cpu_name()}" if folder else None


def _call_everything() -> None:
    random = np.random.default_rng(0)
    values, labels = random.normal(size=(ROWS, 3)), random.normal(size=ROWS)
    values[:, 2] = random.integers(0, 5, ROWS)
    partitions = np.repeat(np.array([0, 1], np.int32), ROWS // 2)
    for arities in (np.array([0, 0, 0], np.int32), np.array([0, 0, 5], np.int32)):
        for max_bins in (32, 64):  # rows are sampled one by one, and by gaps
            split = Split(Rows(values, labels, partitions, arities), values[:10])
            for bootstrap, rate in ((True, 1.0), (False, 0.5)):
                parameters = TreeParameters(1, max_bins, "auto", rate, bootstrap, 1, 0.0, 256, 0.1)
                for _ in ForestUnit(split, parameters, 2, {2: [0]}).predictions():
                    pass
                for _, ensemble in BoostedUnit(split, parameters, 2, {2: [0]}).ensembles():
                    node_table(ensemble)


if __name__ == "__main__":
    make_ready()
