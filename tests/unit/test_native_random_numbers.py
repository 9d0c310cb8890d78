"""The generators against the classes that Spark itself draws from."""

from __future__ import annotations

import numpy as np
import pytest
from py4j.java_gateway import JVMView
from pyspark.sql import SparkSession

from regatta.selection.native import bags, binning
from regatta.selection.native.random_numbers import (
    java_long,
    java_seeded,
    well_double,
    well_seeded,
    xorshift_double,
    xorshift_int,
    xorshift_seeded,
)
from regatta.selection.native.scala_order import scala_order

SEEDS = [0, 1, -1, 42, 2**31, -(2**40) - 7, 2**63 - 1, -(2**63)]


@pytest.fixture(scope="module")
def jvm(spark: SparkSession) -> JVMView:
    return spark.sparkContext._jvm


@pytest.mark.parametrize("seed", SEEDS)
def test_xorshift(jvm: JVMView, seed: int):
    theirs = jvm.org.apache.spark.util.random.XORShiftRandom(seed)
    state, found = xorshift_seeded(np.int64(seed)), []
    for _ in range(20):
        state, number = xorshift_double(np.uint64(state))
        found.append(number)
    state, whole = xorshift_int(np.uint64(state))

    assert found == [theirs.nextDouble() for _ in range(20)]
    assert whole == theirs.nextInt()


@pytest.mark.parametrize("seed", SEEDS)
def test_java_s_own(jvm: JVMView, seed: int):
    theirs = jvm.java.util.Random(seed)
    state, found = java_seeded(np.int64(seed)), []
    for _ in range(20):
        state, number = java_long(np.uint64(state))
        found.append(number)

    assert found == [theirs.nextLong() for _ in range(20)]


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if abs(seed) > 2**31])  # py4j makes an int of others
def test_well19937c_beyond_its_first_round(jvm: JVMView, seed: int):
    theirs = jvm.org.apache.commons.math3.random.Well19937c(seed)
    words, position, found = well_seeded(np.int64(seed)), 0, []
    for _ in range(700):
        position, number = well_double(words, position)
        found.append(number)

    assert found == [theirs.nextDouble() for _ in range(700)]


@pytest.mark.parametrize("rate", [1.0, 0.3, 2.5])
def test_poisson_bags(jvm: JVMView, rate: float):
    """Two partitions, three trees: each partition draws for each row once a tree."""
    drawn = bags.drawn(3, rate, seed=-5, partition_ends=np.array([40, 100]), replacement=True)

    expected = np.zeros((100, 3), int)
    for partition, rows in enumerate((range(40), range(40, 100))):
        poisson = jvm.org.apache.commons.math3.distribution.PoissonDistribution(rate)
        poisson.reseedRandomGenerator(-5 + partition + 1)
        for row in rows:
            for tree in range(3):
                expected[row, tree] = poisson.sample()
    assert_bags(drawn, expected)


def test_bags_without_replacement(jvm: JVMView):
    drawn = bags.drawn(2, 0.4, seed=9, partition_ends=np.array([30, 30, 80]), replacement=False)

    expected = np.zeros((80, 2), int)
    for partition, rows in enumerate((range(30), range(0), range(30, 80))):
        chance = jvm.org.apache.spark.util.random.XORShiftRandom()
        chance.setSeed(9 + partition + 1)
        for row in rows:
            for tree in range(2):
                expected[row, tree] = chance.nextDouble() < 0.4
    assert_bags(drawn, expected)


def assert_bags(drawn: bags.Bags, expected: np.ndarray) -> None:
    starts = [0, *drawn.ends[:-1]]
    for tree, (start, end) in enumerate(zip(starts, drawn.ends, strict=True)):
        found = np.zeros(len(expected), int)
        for entry in drawn.entries[start:end]:
            found[bags.row_of(entry)] = bags.weight_of(entry)
        assert found.tolist() == expected[:, tree].tolist()


@pytest.mark.parametrize("fraction", [0.05, 0.4, 0.41, 0.9])
def test_sampled_rows_are_those_of_an_rdd_s_sample(spark: SparkSession, jvm: JVMView, fraction: float):
    seed = jvm.org.apache.spark.util.random.XORShiftRandom(77).nextInt()
    numbers = spark._jsparkSession.range(0, 3_000, 1, 3).rdd().sample(False, fraction, seed)

    found = binning._sampled(np.array([1_000, 2_000, 3_000]), fraction, seed=77)

    assert found.tolist() == [int(row) for row in numbers.collect()]


@pytest.mark.parametrize(
    "trees", [[3], [17, 1], [1, 33, 2, 18], range(5), range(120), [7, 40, 99, 3, 64, 65, 100]]
)
def test_maps_of_scala_go_through_trees_in_their_own_order(jvm: JVMView, trees: list[int]):
    mutable = jvm.scala.collection.mutable.HashMap()
    for tree in trees:
        mutable.put(tree, "nodes")
    keys = getattr(jvm.scala.collection.immutable.Map, "from")(mutable).keysIterator().mkString(",")

    assert scala_order(np.array(sorted(trees))).tolist() == [int(key) for key in keys.split(",")]
