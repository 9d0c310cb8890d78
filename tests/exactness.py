"""Random fits of stock MLlib and of the native engine, and what differs between their nodes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from pyarrow.parquet import read_table
from pyspark.ml.functions import array_to_vector
from pyspark.ml.regression import GBTRegressor, RandomForestRegressor
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.selection.native.parameters import TreeFit
from regatta.selection.native.rows import collected
from regatta.selection.native.search import Split, units
from regatta.selection.native.writing import node_table

SCHEMA = pa.schema([("position", pa.int64()), ("values", pa.list_(pa.float64())), ("label", pa.float64())])


@dataclass(frozen=True)
class Data:
    """Made-up rows: what each feature is like, what the label is like, and how the rows lie on partitions."""

    seed: int
    rows: int
    features: tuple[str, ...]
    label: str = "noisy"
    partitions: int = 1
    empty: bool = False
    """Whether the first partition has no rows."""

    def frame(self, spark: SparkSession) -> DataFrame:
        """Columns `features` and `label`, materialised."""
        chance = np.random.default_rng(self.seed)
        values = np.stack([_feature(kind, self.rows, chance) for kind in self.features], axis=1)
        label = _label(self.label, values, chance)
        whole = pa.table([np.arange(self.rows), list(values), label], schema=SCHEMA)
        nominal = [
            {"idx": index, "num_vals": int(kind.split()[1])}
            for index, kind in enumerate(self.features)
            if kind.startswith("category")
        ]
        binary = [{"idx": index} for index, kind in enumerate(self.features) if kind == "one-hot"]
        attributes = {"nominal": nominal, "binary": binary}
        known = {kind: found for kind, found in attributes.items() if found}
        metadata = {"ml_attr": {"num_attrs": len(self.features), **({"attrs": known} if known else {})}}
        vectors = array_to_vector("values").alias("features", metadata=metadata)
        number = F.floor(F.col("position") * self.partitions / self.rows) + (1 if self.empty else 0)
        keyed = spark.createDataFrame(whole).withColumn("partition", number.cast("int"))
        laid = (
            keyed.repartitionByRange(self.partitions, "partition")
            if self.partitions > 1
            else keyed.coalesce(1)
        )
        frame = laid.sortWithinPartitions("position").select(vectors, "label")
        if self.empty:
            nothing = frame.limit(0).repartition(1)
            frame = nothing.union(frame)
        return frame.localCheckpoint()


def _feature(kind: str, rows: int, chance: np.random.Generator) -> np.ndarray:
    match kind.split():
        case ["normal"]:
            return chance.normal(size=rows)
        case ["ties"]:
            return np.round(chance.normal(size=rows), 1)
        case ["few"]:
            return chance.integers(-1, 3, rows).astype(float)
        case ["zeros"]:
            return np.where(chance.random(rows) < 0.8, 0.0, chance.normal(size=rows))
        case ["constant"]:
            return np.full(rows, 7.0)
        case ["nothing"]:
            return np.zeros(rows)
        case ["huge"]:
            return chance.normal(size=rows) * 1e12
        case ["one-hot"]:
            return (chance.random(rows) < 0.3).astype(float)
        case ["category", arity]:
            return np.minimum(chance.geometric(min(0.5, 3 / int(arity)), rows) - 1, int(arity) - 1).astype(
                float
            )
    raise ValueError(kind)


def _label(kind: str, values: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    rows, signal = len(values), values[:, 0] / (np.abs(values[:, 0]).max() + 1) + np.sin(values).sum(axis=1)
    match kind:
        case "noisy":
            return signal + chance.normal(size=rows)
        case "ties":
            return np.round(signal)
        case "constant":
            return np.full(rows, 0.1)
        case "skewed":
            return np.exp(3 * signal) * 1e5
    raise ValueError(kind)


KINDS = (
    "normal",
    "ties",
    "few",
    "zeros",
    "constant",
    "nothing",
    "huge",
    "one-hot",
    "category 2",
    "category 5",
)
SEEDS = st.integers(-(2**63), 2**63 - 1)


@dataclass(frozen=True)
class Case:
    """A fit of MLlib, and a larger one beside it in the same grid, whose growing it has to share."""

    data: Data
    boosted: bool
    trees: int
    depth: int
    more: int
    """By how much the fit beside it is larger: in depth for forests, in trees for boosting."""
    parameters: Mapping[str, Any]

    def estimator(self, more: int = 0) -> Any:
        """Stock, with all parameters set."""
        common = dict(self.parameters)
        if self.boosted:
            return GBTRegressor(maxIter=self.trees + more, maxDepth=self.depth, **common)
        return RandomForestRegressor(numTrees=self.trees, maxDepth=self.depth + more, **common)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any of the supported parameters on any kind of data, small enough for stock MLlib to fit in seconds."""
    wide = draw(st.sampled_from([8, 8, 8, 40]))
    kinds = (*KINDS, draw(st.sampled_from(["category 31", "category 90", "normal"])))
    features = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=wide))
    rows = draw(st.sampled_from([3, 20, 150, 600, 2_500, 11_000]))
    partitions = draw(st.integers(1, min(4, rows)))
    most = max((int(kind.split()[1]) for kind in features if kind.startswith("category")), default=2)
    rows = max(rows, 2 * most)
    memory = draw(st.sampled_from([0, 1, 256, 256]))
    boosted = draw(st.booleans())
    deep, many = (3, 2) if memory == 0 else (8, 6)
    strategies = ["auto", "all", "onethird", "sqrt", "log2", "0.3", "0.9", "1", "4"]
    parameters = {
        "seed": draw(st.one_of(st.sampled_from([0, 1, -1, 42]), SEEDS)),
        "maxBins": max(most, draw(st.sampled_from([16, 20, 32, 64, 255]))),
        "maxMemoryInMB": memory,
        "minInstancesPerNode": draw(st.sampled_from([1, 1, 2, 7])),
        "minInfoGain": draw(st.sampled_from([0.0, 0.0, 0.01])),
        "subsamplingRate": draw(st.sampled_from([1.0, 1.0, 0.7, 0.05])),
        "featureSubsetStrategy": draw(st.sampled_from(strategies)),
    }
    if boosted:
        parameters["stepSize"] = draw(st.sampled_from([0.1, 0.3, 1.0]))
    else:
        parameters["bootstrap"] = draw(st.booleans())
    return Case(
        Data(
            draw(st.integers(0, 1_000)),
            rows,
            tuple(features),
            draw(st.sampled_from(["noisy", "ties", "constant", "skewed"])),
            partitions,
            draw(st.booleans()),
        ),
        boosted,
        draw(st.integers(1, many)),
        draw(st.integers(1, deep)),
        draw(st.integers(0, 2)),
        parameters,
    )


def difference(spark: SparkSession, case: Case) -> str:
    """The first node that is not the same in both, or the first prediction; empty if all are."""
    frame = case.data.frame(spark)
    stock = case.estimator().fit(frame)
    rows, _ = collected(frame, "features", "label")
    rows.check()
    grid = [TreeFit.of(case.estimator(more)) for more in (0, case.more)]
    split = Split(rows, rows.values)
    found = [
        ensemble for unit in units(split, grid) for positions, ensemble in unit.ensembles() if 0 in positions
    ]
    predicted = [p for unit in units(split, grid) for positions, p in unit.predictions() if 0 in positions]
    ours, theirs = node_table(found[0]).to_pylist(), stock_nodes(stock)
    for number, (our, their) in enumerate(zip(ours, theirs, strict=False)):
        if our != their:
            return f"node {number} is {our}, and stock's {their}"
    if len(ours) != len(theirs):
        return f"{len(ours)} nodes, and stock's {len(theirs)}"
    expected = np.array([row[0] for row in stock.transform(frame).select("prediction").collect()])
    # A stock GBT adds up by BLAS, five products at a time.
    scale = 1e-12 * max(1.0, float(np.abs(expected).max())) if case.boosted else 0.0
    if not np.allclose(predicted[0], expected, rtol=0.0, atol=scale):
        return f"predictions differ by up to {np.abs(predicted[0] - expected).max()}"
    return ""


def stock_nodes(model: Any) -> list[dict[str, Any]]:
    """The nodes that the model's own writer writes, tree by tree; categories in ascending order."""
    with tempfile.TemporaryDirectory() as folder:
        model.write().overwrite().save(f"file://{folder}/model")
        table = read_table(f"{folder}/model/data")
    nodes = sorted(table.to_pylist(), key=lambda row: (row["treeID"], row["nodeData"]["id"]))
    for row in nodes:
        row["nodeData"]["split"]["leftCategoriesOrThreshold"].sort()
    return nodes
