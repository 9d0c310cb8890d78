"""Grown trees in MLlib's persisted layout, written by Spark, so that `Model.load` reads them where Spark can read.

Spark 4.1.2, mllib: `ml/tree/{Node,treeModels}.scala` (`LearningNode.toNode`, `DecisionTreeModelReadWrite`,
`EnsembleModelReadWrite`) and `ml/util/ReadWrite.scala` (`DefaultParamsWriter`). Three folders:

- `metadata/`: one line of JSON, the model's parameters;
- `treesMetadata/`: a row a tree: its number, the JSON of its own parameters, its weight;
- `data/`: a row a node.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyspark
from numpy.typing import NDArray
from pyspark.ml.regression import GBTRegressionModel, RandomForestRegressionModel
from pyspark.sql import SparkSession

from regatta.selection.native.compiled import compiled
from regatta.selection.native.nodes import LEAF, NO_GAIN, Forest
from regatta.selection.native.table import Features

MODELS = {
    "RandomForestRegressor": RandomForestRegressionModel,
    "GBTRegressor": GBTRegressionModel,
}
JAVA_PACKAGE = "org.apache.spark.ml.regression"
TREE_PARAMETERS = frozenset(
    ("cacheNodeIds", "checkpointInterval", "featuresCol", "impurity", "labelCol", "leafCol", "maxBins", "maxDepth",
     "maxMemoryInMB", "minInfoGain", "minInstancesPerNode", "minWeightFractionPerNode", "predictionCol", "seed")
)  # fmt: skip
"""What each tree's own metadata repeats of the ensemble's parameters."""

_SPLIT = pa.struct(
    [
        pa.field("featureIndex", pa.int32(), nullable=False),
        pa.field("leftCategoriesOrThreshold", pa.list_(pa.field("element", pa.float64(), nullable=False))),
        pa.field("numCategories", pa.int32(), nullable=False),
    ]
)
_NODE = pa.struct(
    [
        pa.field("id", pa.int32(), nullable=False),
        pa.field("prediction", pa.float64(), nullable=False),
        pa.field("impurity", pa.float64(), nullable=False),
        pa.field("impurityStats", pa.list_(pa.field("element", pa.float64(), nullable=False))),
        pa.field("rawCount", pa.int64(), nullable=False),
        pa.field("gain", pa.float64(), nullable=False),
        pa.field("leftChild", pa.int32(), nullable=False),
        pa.field("rightChild", pa.int32(), nullable=False),
        pa.field("split", _SPLIT),
    ]
)
NODES = pa.schema([pa.field("treeID", pa.int32(), nullable=False), pa.field("nodeData", _NODE)])
TREES = pa.schema(
    [
        pa.field("_1", pa.int32(), nullable=False),
        pa.field("_2", pa.string()),
        pa.field("_3", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Ensemble:
    """What a fit comes to: forests whose trees follow each other, a weight a tree, and what its features are."""

    forests: Sequence[Forest]
    weights: Sequence[float]
    features: Features


def write(session: SparkSession, uri: str, estimator: Any, ensemble: Ensemble) -> None:
    """Write the model that the estimator's own `fit` would return.

    Args:
        session: writes.
        uri: a folder that is not there yet, as Spark names it.
        estimator: an MLlib RandomForestRegressor or GBTRegressor, or a subclass, with its parameters.
        ensemble: what was grown.
    """
    trees = len(ensemble.weights)
    kind = _kind(estimator)
    model = _metadata(
        estimator, MODELS[kind].__name__, estimator.uid,
        {"numFeatures": len(ensemble.features.arities), "numTrees": trees},
    )  # fmt: skip
    of_trees = [
        _metadata(
            estimator, "DecisionTreeRegressionModel", f"dtr_{uuid.uuid4().hex[:12]}", only=TREE_PARAMETERS
        )
        for _ in range(trees)
    ]
    listed = pa.table([pa.array(range(trees), pa.int32()), of_trees, list(ensemble.weights)], schema=TREES)
    metadata = session.createDataFrame([(model,)], "value string")
    metadata.coalesce(1).write.text(f"{uri}/metadata")
    session.createDataFrame(listed).coalesce(1).write.parquet(f"{uri}/treesMetadata")
    session.createDataFrame(node_table(ensemble)).write.parquet(f"{uri}/data")


def load(uri: str, estimator: Any) -> Any:
    """The stock model written for this estimator."""
    return MODELS[_kind(estimator)].load(uri)


def node_table(ensemble: Ensemble) -> pa.Table:
    """All nodes in the order in which MLlib writes them: tree by tree, each from its root, left before right."""
    tables, before = [], 0
    for forest in ensemble.forests:
        tables.append(_forest_table(forest, ensemble.features, before))
        before += forest.trees
    return pa.concat_tables(tables)


def _kind(estimator: Any) -> str:
    return next(known.__name__ for known in type(estimator).__mro__ if known.__name__ in MODELS)


def _metadata(
    estimator: Any,
    name: str,
    uid: str,
    extra: Mapping[str, int] | None = None,
    only: frozenset[str] | None = None,
) -> str:
    def values(given: Mapping[Any, Any]) -> dict[str, Any]:
        named = {param.name: value for param, value in given.items()}
        return {name: named[name] for name in sorted(named) if only is None or name in only}

    content = {
        "class": f"{JAVA_PACKAGE}.{name}",
        "timestamp": int(time.time() * 1000),
        "sparkVersion": pyspark.__version__,
        "uid": uid,
        "paramMap": values(estimator._paramMap),
        "defaultParamMap": values(estimator._defaultParamMap),
        **(extra or {}),
    }
    return json.dumps(content, separators=(",", ":"))


def _forest_table(forest: Forest, features: Features, trees_before: int) -> pa.Table:
    nodes = forest.nodes
    is_leaf = np.empty(len(nodes), np.bool_)
    ids, predictions = np.full(len(nodes), LEAF, np.int32), forest.predictions
    _number(nodes, forest.trees, is_leaf, ids, predictions)
    kept = np.flatnonzero(ids >= 0)
    kept = kept[np.lexsort((ids[kept], nodes["tree"][kept]))]
    own, leaf = nodes[kept], is_leaf[kept]
    left = np.where(leaf, 0, own["left"])
    data = pa.StructArray.from_arrays(
        [
            pa.array(ids[kept]),
            pa.array(predictions[kept]),
            pa.array(own["impurity"]),
            _lists(
                np.full(len(kept), 3), np.stack([own["count"], own["sum"], own["squares"]], axis=1).ravel()
            ),
            pa.array(np.rint(own["count"]).astype(np.int64)),
            pa.array(np.where(leaf, NO_GAIN, own["gain"])),
            pa.array(np.where(leaf, LEAF, ids[left])),
            pa.array(np.where(leaf, LEAF, ids[np.where(leaf, 0, left + 1)])),
            _splits(own, leaf, forest.categories[kept] if len(forest.categories) else None, features),
        ],
        fields=list(_NODE),
    )
    return pa.table([pa.array(own["tree"] + np.int32(trees_before)), data], schema=NODES)


@compiled
def _number(nodes, trees, is_leaf, ids, predictions):
    """Make a leaf of each node whose two children are leaves of one prediction, and number what is left.

    MLlib prunes so when it is done growing (`LearningNode.toNode`). Children follow their parents, so one way back
    over the nodes sees them first, and one way forth sees parents first.
    """
    count = len(nodes)
    below = np.zeros(count, np.int32)
    for node in range(count - 1, -1, -1):
        is_leaf[node] = nodes[node].feature < 0
        if not is_leaf[node]:
            left = nodes[node].left
            if is_leaf[left] and is_leaf[left + 1] and predictions[left] == predictions[left + 1]:
                is_leaf[node] = True
                predictions[node] = predictions[left]
            else:
                below[node] = 2 + below[left] + below[left + 1]
    for node in range(count):
        if node < trees:
            ids[node] = 0
        if ids[node] >= 0 and not is_leaf[node]:
            left = nodes[node].left
            ids[left] = ids[node] + 1
            ids[left + 1] = ids[node] + 2 + below[left]


def _splits(
    nodes: NDArray[np.void],
    leaf: NDArray[np.bool_],
    categories: NDArray[np.uint64] | None,
    features: Features,
) -> pa.StructArray:
    """MLlib's SplitData: a threshold, or the categories that go left."""
    feature = np.where(leaf, LEAF, nodes["feature"])
    arity = np.where(leaf, 0, features.arities[feature])
    starts = np.cumsum([0, *(len(thresholds) for thresholds in features.thresholds)])
    thresholds = np.concatenate([*features.thresholds, [0.0]])
    continuous, categorical = ~leaf & (arity == 0), arity > 0
    lengths = continuous.astype(np.int64)
    goes_left = np.zeros((len(nodes), 0), np.bool_)
    if categories is not None:
        bits = np.unpackbits(categories.astype("<u8").view(np.uint8), axis=1, bitorder="little")
        goes_left = bits.astype(np.bool_) & categorical[:, None]
        lengths += goes_left.sum(axis=1)
    values = np.empty(int(lengths.sum()))
    of_continuous = np.repeat(continuous, lengths)
    values[of_continuous] = thresholds[starts[feature[continuous]] + nodes["bin"][continuous]]
    values[~of_continuous] = np.nonzero(goes_left)[1]
    numbers = np.where(categorical, arity, LEAF).astype(np.int32)
    return pa.StructArray.from_arrays(
        [pa.array(feature.astype(np.int32)), _lists(lengths, values), pa.array(numbers)], fields=list(_SPLIT)
    )


def _lists(lengths: NDArray[np.int64], values: NDArray[np.float64]) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    kind = pa.list_(pa.field("element", pa.float64(), nullable=False))
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), type=kind)
