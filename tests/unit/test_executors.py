"""Units that are tasks of Spark grow the same trees as units that are called, and say as clearly what they cannot do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession

from regatta.selection.native import executors
from regatta.selection.native.executors import Executors, executor_cores
from regatta.selection.native.parameters import TreeFit, TreeParameters
from regatta.selection.native.places import Here, place_of
from regatta.selection.native.rows import Rows
from regatta.selection.native.search import Split, units
from regatta.selection.native.unsupported import Unsupported
from regatta.selection.native.writing import node_table

# pyspark leaves the sockets of what it collects to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

PARAMETERS = TreeParameters(7, 32, "auto", 1.0, True, 1, 0.0, 256, 0.1)
FORESTS = [TreeFit(PARAMETERS, 4, depth, boosted=False) for depth in (2, 5)]
BOOSTED = [TreeFit(replace(PARAMETERS, bootstrap=False), trees, 3, boosted=True) for trees in (1, 4)]


@pytest.fixture(scope="module")
def split() -> Split:
    """2,000 rows on three partitions, one feature a category, and 300 to be judged."""
    chance = np.random.default_rng(5)
    values = chance.normal(size=(2_300, 4))
    values[:, 3] = chance.integers(0, 6, len(values))
    labels = values[:, 0] * 3 + np.sin(values[:, 1]) + values[:, 3] + chance.normal(size=len(values))
    partitions = np.sort(chance.integers(0, 3, 2_000)).astype(np.int32)
    return Split(
        Rows(values[:2_000], labels[:2_000], partitions, np.array([0, 0, 0, 6], np.int32)), values[2_000:]
    )


@pytest.fixture(scope="module")
def cluster(spark: SparkSession) -> Executors:
    """Two executors of one core, as far as the driver knows: the tasks run in processes of this machine."""
    return Executors(spark, [1, 1])


def by_position(found: Iterator[tuple[Sequence[int], Any]], seen: Callable[[Any], Any]) -> dict[int, Any]:
    return {position: seen(one) for positions, one in found for position in positions}


@pytest.mark.parametrize("grid", [FORESTS, BOOSTED], ids=["forests", "boosted"])
def test_a_task_grows_the_same_to_the_last_bit(split: Split, cluster: Executors, grid: list[TreeFit]) -> None:
    (unit,) = units(split, grid)

    assert by_position(cluster.predictions(unit), bytes) == by_position(unit.predictions(), bytes)

    def nodes(ensemble: Any) -> Any:
        return node_table(ensemble).to_pylist()

    assert by_position(cluster.ensembles(unit), nodes) == by_position(unit.ensembles(), nodes)


def test_rows_are_sent_once_and_no_longer_than_they_are_needed(spark: SparkSession) -> None:
    values = np.arange(600.0).reshape(300, 2)
    split = Split(Rows(values, values[:, 0], np.zeros(300, np.int32), np.zeros(2, np.int32)), values[:5])
    cluster = Executors(spark, [1, 1])
    work = [unit for grid in (FORESTS, BOOSTED) for unit in units(split, grid)]

    for unit in work:
        assert len([*cluster.predictions(unit)]) == 2

    assert len(cluster._sent) == 1
    del split, work, unit
    assert len(cluster._sent) == 0


def test_what_stands_in_the_way_on_an_executor_is_a_reason(split: Split, cluster: Executors) -> None:
    (unit,) = units(split, [TreeFit(PARAMETERS, 10**9, 25, boosted=False)])

    with pytest.raises(Unsupported, match=r"^on an executor growing needs [\d.]+ GB of memory, and "):
        [*cluster.predictions(unit)]


def test_an_executor_without_numba_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in [name for name in sys.modules if name.startswith("regatta.selection.native.")]:
        if not name.endswith((".executors", ".unsupported")):
            monkeypatch.delitem(sys.modules, name)

    rows: Any = None
    assert executors.grow("ForestUnit", {}, rows, "predictions") == ("numba cannot be imported", None)


def test_a_session_of_one_process_grows_in_it(spark: SparkSession) -> None:
    assert executor_cores(spark) == []
    assert isinstance(place_of(spark), Here)


def test_a_task_takes_an_executor_whole(spark: SparkSession) -> None:
    assert [Executors(spark, cores).at_once for cores in ([1], [1, 1], [4, 4, 4], [2, 4])] == [1, 2, 3, 3]
    assert Executors(spark, [1]).name == "by 1 executor"
    assert Executors(spark, [4, 4]).name == "by 2 executors"
