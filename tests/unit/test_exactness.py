"""The native engine against stock MLlib, node by node, to the last bit.

REGATTA_EXACTNESS sets the number of random cases: a handful in `make test`, 300 in `make exactness`.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from pyspark.sql import SparkSession

from exactness import Case, Data, cases, difference
from regatta.selection.native import binning, frontier, growing, search
from regatta.selection.native.random_numbers import java_long

CASES = int(os.environ.get("REGATTA_EXACTNESS", "14"))


@settings(
    max_examples=CASES,
    deadline=None,
    derandomize=CASES < 100,  # the same cases every day in `make test`, new ones when there is time
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(case=cases())
def test_any_supported_fit_has_the_nodes_of_stock_mllib(spark: SparkSession, case: Case):
    assert difference(spark, case) == ""


MIXED = ("normal", "ties", "zeros", "one-hot", "category 5", "constant")
PLAIN = {"seed": 7, "maxMemoryInMB": 256}


def forest(data: Data, trees: int, depth: int, **parameters: object) -> Case:
    return Case(data, False, trees, depth, 0, PLAIN | parameters)


@pytest.mark.parametrize(
    "case",
    [
        # The sample of 10,000 overshoots and makes 33 bins of 32.
        forest(Data(1, 100_000, ("normal", "ties", "zeros"), partitions=3), 1, 3, seed=11),
        # Less than 40 % are sampled: by gaps.
        forest(Data(2, 30_000, ("normal", "normal"), partitions=2), 2, 3),
        # More than four trees in a group: the order of a trie of hashes; memory for a few nodes at a time.
        forest(Data(3, 800, MIXED * 3, partitions=2), 19, 5, maxMemoryInMB=1),
        forest(Data(4, 400, ("normal",) * 300), 3, 4),
        forest(Data(5, 3_000, ("category 255", "normal", "category 2")), 4, 5, maxBins=255),
        forest(Data(6, 300, MIXED), 120, 2),
        Case(Data(7, 900, MIXED, "skewed", partitions=3, empty=True), True, 6, 5, 3, PLAIN),
    ],
    ids=["33 bins", "gaps", "groups", "300 features", "255 categories", "120 trees", "boosted"],
)
def test_what_has_gone_wrong_before_has_the_nodes_of_stock_mllib(spark: SparkSession, case: Case):
    assert difference(spark, case) == ""


def test_the_sample_of_a_hundred_thousand_rows_makes_33_bins(spark: SparkSession):
    rows = 100_000
    values = np.random.default_rng(1).normal(size=(rows, 1))
    counts = {
        int(features.bin_counts[0])
        for seed in range(8)
        for features in [
            binning.features_of(values, np.array([rows]), np.zeros(1, np.int32), max_bins=32, seed=seed)
        ]
    }
    assert 33 in counts


GROUPS = forest(Data(3, 400, MIXED * 2, partitions=2), 9, 4)


def test_without_a_fault_nothing_differs(spark: SparkSession):
    assert difference(spark, GROUPS) == ""


def test_one_bin_off_is_seen(spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    def off(*arguments):
        bins = binning.binned(*arguments)
        bins[17, 0] ^= 1
        return bins

    monkeypatch.setattr(search, "binned", off)
    assert "node" in difference(spark, GROUPS)


def test_one_draw_more_is_seen(spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    drawn = []

    def once_more(stack, draws, *rest):
        if not drawn:
            draws[0], _ = java_long(draws[0])
        drawn.append(True)
        return frontier.draw_group(stack, draws, *rest)

    monkeypatch.setattr(growing, "draw_group", once_more)
    assert "node" in difference(spark, GROUPS)


def test_trees_in_another_order_than_scala_s_are_seen(spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(growing, "scala_order", lambda trees: trees)
    assert "node" in difference(spark, GROUPS)


def test_partitions_added_in_another_order_are_seen(spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    """As if all rows lay on one partition: the same sums, with other last digits."""
    of = search.Table.of.__func__

    def on_one_partition(cls, bins, labels, ends, features):
        return of(cls, bins, labels, ends[-1:], features)

    boosted = Case(Data(8, 2_000, ("normal",) * 4, "skewed", partitions=3), True, 2, 5, 0, PLAIN)
    assert difference(spark, boosted) == ""
    monkeypatch.setattr(search.Table, "of", classmethod(on_one_partition))
    assert "node" in difference(spark, boosted)
