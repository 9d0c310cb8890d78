"""A split made ready for estimators: features are fitted once a split and encoding, not once a candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pyspark.ml import Pipeline, PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.race import Encoding
from regatta.config.table import quoted
from regatta.features.learnt import Bounds
from regatta.features.pipeline import (
    FEATURES,
    LABEL,
    Slots,
    columns_to_encode,
    encoding_stages,
    given_back,
    shared_stages,
)
from regatta.runtime.concurrency import side_by_side

if TYPE_CHECKING:
    from regatta.selection.native.rows import Rows
    from regatta.selection.native.search import Split

_JUDGED, _BACK = "_judged", "_back"


@dataclass(frozen=True)
class Ground:
    """What all encodings of a split have in common: its rows, and the first part of the feature pipeline.

    Grain: a row. `inliers` are the training rows that are no outliers, as accepted; `others` are those to be
    judged on.
    """

    inliers: DataFrame
    others: DataFrame
    features: PipelineModel
    use_case: UseCase

    # Not `persist`: trees run hundreds of jobs, and each would carry the whole plan behind the rows to its tasks.

    @cached_property
    def learnt_from(self) -> DataFrame:
        """The inliers' columns to encode and `_label`; computed once."""
        return self._ready(self.inliers, LABEL).localCheckpoint()

    @cached_property
    def judged_on(self) -> DataFrame:
        """The others' columns to encode, the label itself and what predictions get back; computed once."""
        back = given_back(self.use_case)
        return self._ready(self.others, self.use_case.label, *back).localCheckpoint()

    def _ready(self, rows: DataFrame, *beside: str) -> DataFrame:
        columns = map(quoted, (*columns_to_encode(self.use_case), *beside))
        return self.features.transform(rows).select(*columns)


@dataclass(frozen=True)
class Prepared:
    """One split under one encoding.

    ground: what other encodings share.
    encoder: the second part of the feature pipeline.
    slots: of the vectors.
    """

    ground: Ground
    encoder: PipelineModel
    slots: Slots
    _lock: Lock = field(default_factory=Lock, compare=False, repr=False)

    @property
    def features(self) -> PipelineModel:
        """The whole feature pipeline."""
        return PipelineModel(stages=[*self.ground.features.stages, *self.encoder.stages])

    @property
    def vectors(self) -> DataFrame:
        """The inliers' `_features` and `_label`, put together each time."""
        return self.encoder.transform(self.ground.learnt_from).select(FEATURES, LABEL)

    @property
    def judging(self) -> DataFrame:
        """The others' `_features`, the label itself and what predictions get back, put together each time."""
        label, back = quoted(self.ground.use_case.label), given_back(self.ground.use_case)
        return self.encoder.transform(self.ground.judged_on).select(FEATURES, label, *back)

    @cached_property
    def training(self) -> DataFrame:
        """The vectors, computed once: for estimators that look at them many times."""
        return self.vectors.localCheckpoint()

    @property
    def collected(self) -> tuple[Split, NDArray[np.float64], NDArray[np.float64]]:
        """Vectors to learn from and to be judged on, on the driver, in one Spark job.

        Beside them, of the latter, the label and what predictions get back: `label_minus`, transformed, or 0.
        Families that share an encoding ask for all of it at the same time; it comes once.

        Raises:
            Unsupported: the rows are not what the native engine can take.
        """
        with self._lock:
            return self._collected

    @cached_property
    def _collected(self) -> tuple[Split, NDArray[np.float64], NDArray[np.float64]]:
        from regatta.selection.native.rows import collected
        from regatta.selection.native.search import Split

        label, minus = quoted(self.ground.use_case.label), given_back(self.ground.use_case)
        judging = self.judging.select(
            FEATURES,
            F.col(label).cast("double").alias(LABEL),
            F.lit(True).alias(_JUDGED),
            (F.col(minus[0]) if minus else F.lit(0.0)).alias(_BACK),
        )
        both = self.vectors.withColumns({_JUDGED: F.lit(False), _BACK: F.lit(0.0)}).unionByName(judging)
        rows, (judged, given) = collected(both, FEATURES, LABEL, [F.col(_JUDGED), F.col(_BACK)])
        return Split(rows.where(~judged), rows.values[judged]), rows.labels[judged], given[judged]

    @cached_property
    def rows(self) -> Rows:
        """The vectors to learn from, on the driver. Raises as `collected`."""
        from regatta.selection.native.rows import collected

        return collected(self.vectors, FEATURES, LABEL)[0]


def prepared_for(
    encodings: Iterable[Encoding], training: DataFrame, others: DataFrame, use_case: UseCase
) -> dict[Encoding, Prepared]:
    """A split under some encodings; all is learnt from training rows that are no outliers."""
    inliers = Bounds.learn(training, use_case.outliers).inside(training)
    shared = Pipeline(stages=shared_stages(use_case)).fit(inliers)
    ground = Ground(inliers, others, shared, use_case)
    rows = ground.learnt_from  # before threads ask for it

    def one(encoding: Encoding) -> Prepared:
        encoder = Pipeline(stages=encoding_stages(use_case, encoding)).fit(rows)
        slots = Slots.of(PipelineModel(stages=[*shared.stages, *encoder.stages]), use_case, encoding)
        return Prepared(ground, encoder, slots)

    asked = [*dict.fromkeys(encodings)]
    return dict(zip(asked, side_by_side(training.sparkSession, one, asked), strict=True))
