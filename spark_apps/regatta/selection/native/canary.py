"""A small fit by this very Spark, met node by node: the proof, in every run, that MLlib is still what we replay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyspark.ml.regression import GBTRegressor, RandomForestRegressor
from pyspark.sql import SparkSession

from regatta.selection.native.parameters import TreeFit
from regatta.selection.native.rows import Rows, collected, framed
from regatta.selection.native.search import Split, units
from regatta.selection.native.unsupported import Unsupported
from regatta.selection.native.writing import node_table

ROWS = 1_000
TREES = 2
DEPTH = 3

Node = tuple[object, ...]


def sing(session: SparkSession, rows: Rows, estimator: Any) -> None:
    """Fit a small ensemble on a sample of the rows, here and there, and compare.

    Args:
        session: whose MLlib is asked.
        rows: of which every nth is taken.
        estimator: an MLlib RandomForestRegressor or GBTRegressor, or a subclass; all its parameters are kept
            but the number of trees and their depth.

    Raises:
        Unsupported: a node differs.
    """
    small = _stock(estimator)
    sample = framed(
        session, rows.every(max(1, len(rows.labels) // ROWS)), small.getFeaturesCol(), small.getLabelCol()
    )
    model = small.fit(sample)  # kept: once Python's object is gone, the JVM soon lets go of its own
    theirs = list(_jvm_nodes(model._java_obj))
    training, _ = collected(sample, small.getFeaturesCol(), small.getLabelCol())
    ours = list(_own_nodes(training, small))
    for number, (our, their) in enumerate(zip(ours, theirs, strict=False)):
        if our != their:
            raise Unsupported(f"node {number} of a small fit is {our} here and {their} in this Spark's MLlib")
    if len(ours) != len(theirs):
        raise Unsupported(f"a small fit has {len(ours)} nodes here and {len(theirs)} in this Spark's MLlib")


def _stock(estimator: Any) -> Any:
    """MLlib's own class with the same parameters, and few shallow trees."""
    depth = min(DEPTH, estimator.getMaxDepth())
    if isinstance(estimator, GBTRegressor):
        return estimator._copyValues(GBTRegressor()).setMaxIter(TREES).setMaxDepth(depth)
    return estimator._copyValues(RandomForestRegressor()).setNumTrees(TREES).setMaxDepth(depth)


def _own_nodes(training: Rows, estimator: Any) -> Iterator[Node]:
    (unit,) = units(Split(training, training.values[:0]), [TreeFit.of(estimator)])
    ((_, ensemble),) = unit.ensembles()
    for row in node_table(ensemble).to_pylist():
        node = row["nodeData"]
        split = node["split"]
        yield (
            row["treeID"], node["prediction"], node["impurity"], tuple(node["impurityStats"]), node["gain"],
            split["featureIndex"], tuple(split["leftCategoriesOrThreshold"]),
        )  # fmt: skip


def _jvm_nodes(model: Any) -> Iterator[Node]:
    """The same of a model in the JVM, in the same order."""
    for number, tree in enumerate(model.trees()):
        waiting = [tree.rootNode()]
        while waiting:
            node = waiting.pop()
            common = (number, node.prediction(), node.impurity(), tuple(node.impurityStats().stats()))
            if node.subtreeDepth() == 0:
                yield *common, -1.0, -1, ()
                continue
            split = node.split()
            by_category = split.getClass().getSimpleName() == "CategoricalSplit"
            values = sorted(split.leftCategories()) if by_category else [split.threshold()]
            yield *common, node.gain(), split.featureIndex(), tuple(values)
            waiting += [node.rightChild(), node.leftChild()]
