"""A split made ready for estimators: features are fitted once a split and encoding, not once a candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.model import Encoding
from regatta.config.table import quoted
from regatta.features.learnt import Bounds
from regatta.features.pipeline import FEATURES, LABEL, Slots, feature_pipeline, given_back
from regatta.runtime.concurrency import side_by_side
from regatta.selection.candidates import Candidate

if TYPE_CHECKING:
    from regatta.selection.native.rows import Rows
    from regatta.selection.native.search import Split

_JUDGED = "_judged"


@dataclass(frozen=True)
class Prepared:
    """One split under one encoding: what vectors are made of, and the vectors themselves once they are asked for.

    Grain: a row. `inliers` are the training rows that are no outliers, as accepted; `others` are those to be
    judged on. `training` holds the inliers' `_features` and `_label`; `judging` has the others' `_features` and the
    label itself.
    """

    inliers: DataFrame
    others: DataFrame
    features: PipelineModel
    slots: Slots
    label: str
    given_back: tuple[str, ...] = ()
    """Columns by which a prediction becomes one in the label's unit."""

    # Not `persist`: trees run hundreds of jobs, and each would carry the whole plan behind the vectors to its tasks.

    @property
    def vectors(self) -> DataFrame:
        """The inliers' `_features` and `_label`, computed each time."""
        return self.features.transform(self.inliers).select(FEATURES, LABEL)

    @cached_property
    def training(self) -> DataFrame:
        """The same for MLlib's estimators to learn from; computed once."""
        return self.vectors.localCheckpoint()

    @cached_property
    def judging(self) -> DataFrame:
        """For their models to be judged on; computed once."""
        return (
            self.features.transform(self.others)
            .select(FEATURES, quoted(self.label), *self.given_back)
            .localCheckpoint()
        )

    @cached_property
    def collected(self) -> tuple[Split, NDArray[np.float64], NDArray[np.float64]]:
        """Both on the driver, for the native engine, in one Spark job.

        Beside them the label of the rows to be judged, and what their predictions get back (`label_minus`, else 0).

        Raises:
            Unsupported: the rows are not what that engine can take.
        """
        from regatta.selection.native.rows import collected
        from regatta.selection.native.search import Split

        both = self.inliers.withColumn(_JUDGED, F.lit(False)).unionByName(
            self.others.withColumn(_JUDGED, F.lit(True))
        )
        truth = F.col(quoted(self.label)).cast("double")
        minus = F.col(self.given_back[0]) if self.given_back else F.lit(0.0)
        rows, (judged, label, back) = collected(
            self.features.transform(both), FEATURES, LABEL, [F.col(_JUDGED), truth, minus]
        )
        return Split(rows.where(~judged), rows.values[judged]), label[judged], back[judged]

    @cached_property
    def rows(self) -> Rows:
        """The inliers on the driver. Raises as `collected`."""
        from regatta.selection.native.rows import collected

        return collected(self.vectors, FEATURES, LABEL)[0]


def prepare(training: DataFrame, others: DataFrame, use_case: UseCase, encoding: Encoding) -> Prepared:
    """Fit the feature pipeline on the training rows that are no outliers."""
    inliers = Bounds.learn(training, use_case.outliers).inside(training)
    features = feature_pipeline(use_case, encoding).fit(inliers)
    return Prepared(
        inliers=inliers,
        others=others,
        features=features,
        slots=Slots.of(features, use_case, encoding),
        label=use_case.label,
        given_back=given_back(use_case),
    )


def prepared_for(
    field: Sequence[Candidate], training: DataFrame, others: DataFrame, use_case: UseCase
) -> dict[Encoding, Prepared]:
    """A split under every encoding that a candidate asks for."""
    encodings = [*dict.fromkeys(candidate.encoding for candidate in field)]

    def one(encoding: Encoding) -> Prepared:
        return prepare(training, others, use_case, encoding)

    return dict(zip(encodings, side_by_side(training.sparkSession, one, encodings), strict=True))
