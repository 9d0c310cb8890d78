"""What the native engine promises of itself, without Spark: threads, depths and lengths that share their growing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from regatta.selection.native.learning import Workers
from regatta.selection.native.parameters import TreeFit, TreeParameters
from regatta.selection.native.rows import Rows
from regatta.selection.native.search import Split, units
from regatta.selection.native.writing import Ensemble, node_table

OWN = TreeParameters(5, 32, "auto", 0.8, True, 1, 0.0, 256, 0.1)


def split(count: int = 3_000) -> Split:
    """Two partitions; ties, a category, and three features of one value, which some nodes draw and nothing else."""
    chance = np.random.default_rng(3)
    values = np.round(chance.normal(size=(count, 7)), 2)
    values[:, 1] = chance.integers(0, 6, count)
    values[:, 4:] = 1.0
    labels = np.round(values[:, 0] + np.sin(values[:, 1]) + chance.normal(size=count), 1)
    arities = np.array([0, 6, 0, 0, 0, 0, 0], np.int32)
    return Split(
        Rows(values, labels, np.sort(chance.integers(0, 2, count)).astype(np.int32), arities), values
    )


def ensembles(rows: Split, *grid: TreeFit, workers: Workers | None = None) -> list[Ensemble]:
    found = {
        position: ensemble
        for unit in units(rows, grid)
        for positions, ensemble in unit.ensembles(workers)
        for position in positions
    }
    return [found[position] for position in range(len(grid))]


@pytest.mark.parametrize(
    "fit", [TreeFit(OWN, 9, 9, False), TreeFit(OWN, 3, 7, True)], ids=["forest", "boosted"]
)
def test_threads_grow_the_same_nodes(fit: TreeFit):
    (alone,) = ensembles(split(), fit)
    with ThreadPoolExecutor(3) as pool:
        (shared,) = ensembles(split(), fit, workers=Workers(pool, 3))

    assert node_table(shared).equals(node_table(alone))


@pytest.mark.parametrize("drawn", ["auto", "1", "all"])
def test_a_deep_forest_holds_the_shallower_ones(drawn: str):
    own = TreeParameters(5, 32, drawn, 1.0, True, 2, 0.0, 256, 0.1)
    grid = [TreeFit(own, 6, depth, False) for depth in (8, 1, 2, 3, 5)]

    together = ensembles(split(), *grid)

    for fit, ensemble in zip(grid, together, strict=True):
        assert node_table(ensemble).equals(node_table(ensembles(split(), fit)[0]))


def test_a_forest_that_memory_cut_into_groups_is_grown_again_for_a_smaller_depth():
    own = TreeParameters(5, 32, "auto", 1.0, True, 1, 0.0, 0, 0.1)  # one node at a time
    grid = [TreeFit(own, 2, depth, False) for depth in (4, 2)]

    for fit, ensemble in zip(grid, ensembles(split(400), *grid), strict=True):
        assert node_table(ensemble).equals(node_table(ensembles(split(400), fit)[0]))


def test_a_long_boosting_begins_with_the_shorter_ones():
    grid = [TreeFit(OWN, trees, 4, True) for trees in (5, 1, 3)]

    for fit, ensemble in zip(grid, ensembles(split(), *grid), strict=True):
        assert node_table(ensemble).equals(node_table(ensembles(split(), fit)[0]))


def test_predictions_are_those_of_the_nodes_of_the_model():
    """Walked by thresholds and categories, as the model in the JVM does."""
    rows = split(500)
    (unit,) = units(rows, [TreeFit(OWN, 4, 6, False)])
    ((_, ensemble),) = unit.ensembles()
    ((_, predicted),) = unit.predictions()
    nodes = [
        {
            row["nodeData"]["id"]: row["nodeData"]
            for row in node_table(ensemble).to_pylist()
            if row["treeID"] == tree
        }
        for tree in range(4)
    ]

    def walked(tree: dict[int, dict], values: np.ndarray) -> float:
        node = tree[0]
        while node["leftChild"] >= 0:
            split = node["split"]
            value, listed = values[split["featureIndex"]], split["leftCategoriesOrThreshold"]
            left = value in listed if split["numCategories"] >= 0 else value <= listed[0]
            node = tree[node["leftChild"] if left else node["rightChild"]]
        return node["prediction"]

    for row in range(0, 500, 7):
        trees = [walked(tree, rows.judged[row]) for tree in nodes]
        assert predicted[row] == sum(trees) / 4
