"""A frame's rows on the driver, as MLlib would see them: in the order of their partitions, labels as doubles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.selection.native.table import Floats
from regatta.selection.native.unsupported import Unsupported

LARGEST_SUM_OF_SQUARES = 1e300  # beyond, sums become infinite and gains NaN


@dataclass(frozen=True)
class Rows:
    """Grain: a row.

    values: (rows, features).
    labels: (rows,), what trees learn.
    partitions: (rows,), ascending.
    arities: (features,) the number of categories of a categorical feature; else 0.
    """

    values: Floats
    labels: Floats
    partitions: NDArray[np.int32]
    arities: NDArray[np.int32]

    @property
    def partition_ends(self) -> NDArray[np.int64]:
        """For each partition, also those without rows, one past its last row."""
        return np.cumsum(np.bincount(self.partitions))

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        """Some of the rows, in the same partitions."""
        return Rows(self.values[chosen], self.labels[chosen], self.partitions[chosen], self.arities)

    def every(self, step: int) -> Rows:
        """The first row and every `step`-th after it."""
        return Rows(self.values[::step], self.labels[::step], self.partitions[::step], self.arities)

    def check(self) -> None:
        """Look at every value.

        Raises:
            Unsupported: one is missing, no number, infinite, or no category that its column's metadata knows; or
                labels are so large that their squares have no sum.
        """
        if not np.isfinite(self.values).all():
            raise Unsupported("a feature is NaN or infinite")
        if not np.isfinite(self.labels).all():
            raise Unsupported("a label is missing, NaN or infinite")
        largest = float(np.abs(self.labels).max(initial=0.0))
        if largest * largest * len(self.labels) > LARGEST_SUM_OF_SQUARES:
            raise Unsupported("the squares of the labels have no finite sum")
        for feature in np.flatnonzero(self.arities):
            categories = self.values[:, feature]
            known = (
                (categories == np.floor(categories))
                & (categories >= 0)
                & (categories < self.arities[feature])
            )
            if not known.all():
                raise Unsupported(
                    f"feature {feature} has a category that its column's metadata does not know"
                )


def collected(
    frame: DataFrame, features: str, label: str, others: Sequence[Column] = ()
) -> tuple[Rows, list[NDArray[Any]]]:
    """Bring rows to the driver, in one Spark job.

    Args:
        frame: with a vector column `features` and a numeric column `label`; made of rows that lie on partitions
            already, by a checkpoint. Of others Spark may make other partitions here than for MLlib, which looks at
            them through an RDD (local rows, for one, are all on one here), and partitions are part of the result.
        features: its name.
        label: its name.
        others: further values to bring along, under any names.

    Returns:
        The rows, and an array a further column.

    Raises:
        Unsupported: the vectors are of several lengths, a vector is missing, or there are no rows.
    """
    named = [column.alias(f"other {number}") for number, column in enumerate(others)]
    table = frame.select(
        vector_to_array(features).alias("values"),
        F.col(label).cast("double").alias("label"),
        F.spark_partition_id().alias("partition"),
        *named,
    ).toArrow()
    vectors = table["values"].combine_chunks()
    if isinstance(vectors, pa.ChunkedArray):
        vectors = vectors.chunk(0) if vectors.num_chunks else pa.array([], vectors.type)
    flat = vectors.flatten().to_numpy(zero_copy_only=False)
    rows = table.num_rows
    if (
        not rows
        or vectors.null_count
        or len(flat) % rows
        or (np.diff(vectors.offsets) != len(flat) // rows).any()
    ):
        raise Unsupported("there are no rows, or vectors are missing or of several lengths")
    partitions = table["partition"].to_numpy()
    if (np.diff(partitions) < 0).any():
        raise Unsupported("the rows did not come in the order of their partitions")
    width = len(flat) // rows
    collected_rows = Rows(
        flat.reshape(rows, width), table["label"].to_numpy(), partitions, _arities(frame, features, width)
    )
    return collected_rows, [table[f"other {number}"].to_numpy() for number in range(len(named))]


def framed(session: SparkSession, rows: Rows, features: str, label: str) -> DataFrame:
    """A frame of the rows, with the metadata by which MLlib knows categories.

    It has two partitions at most: of more, MLlib adds up what several executors send in the order of its arrival, and
    its trees are not the same each time.
    """
    width = rows.values.shape[1]
    vectors = pa.ListArray.from_arrays(
        pa.array(np.arange(0, rows.values.size + 1, width, dtype=np.int32)), pa.array(rows.values.ravel())
    )
    nominal = [
        {"idx": int(feature), "num_vals": int(rows.arities[feature])}
        for feature in np.flatnonzero(rows.arities)
    ]
    metadata = {"ml_attr": {"attrs": {"nominal": nominal}, "num_attrs": width}} if nominal else {}
    frame = session.createDataFrame(pa.table({features: vectors, label: rows.labels}))
    vector = array_to_vector(features).alias(features, metadata=metadata)
    return frame.select(vector, label).coalesce(2).localCheckpoint()


def _arities(frame: DataFrame, features: str, width: int) -> NDArray[np.int32]:
    """How many categories each feature has, by the metadata that MLlib reads (`MetadataUtils`).

    Raises:
        Unsupported: a category column says that it has one value or none; MLlib has ways of its own there.
    """
    attributes = frame.schema[features].metadata.get("ml_attr", {}).get("attrs", {})
    arities = np.zeros(width, np.int32)
    for attribute in attributes.get("binary", ()):
        arities[attribute["idx"]] = 2
    for attribute in attributes.get("nominal", ()):
        arity = attribute.get("num_vals") or len(attribute.get("vals", ()))
        if arity < 2:
            raise Unsupported(f"feature {attribute['idx']} has {arity} categories")
        arities[attribute["idx"]] = arity
    return arities
