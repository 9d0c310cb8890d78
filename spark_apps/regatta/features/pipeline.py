"""A use case's feature pipeline: delivered columns in, one vector `_features` out, in MLlib's own stages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.base import Transformer
from pyspark.ml.feature import (
    MinMaxScaler,
    OneHotEncoder,
    SQLTransformer,
    StandardScaler,
    StringIndexer,
    StringIndexerModel,
    TargetEncoder,
    VectorAssembler,
)
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.race import Encoding
from regatta.config.table import quoted
from regatta.errors import InputError
from regatta.features.buckets import MISSING, bucketed
from regatta.features.learnt import Fill, FillNulls
from regatta.features.sql import adding, replacing

Floats = NDArray[np.float64]
PipelineStage = Any  # pyspark names no common base of estimators and transformers

FEATURES = "_features"
LABEL = "_label"
MINUS = "_minus"
PREDICTION = "_prediction"
ROW = "_row"
TARGET_SMOOTHING = 10.0  # rows that the mean of all weighs as much as, against the mean of a category


def feature_pipeline(use_case: UseCase, encoding: Encoding) -> Pipeline:
    """All that stands between accepted rows and an estimator, unfitted.

    Reads the use case's inputs (and the label, where categories are encoded by it); adds `_features`, a vector
    whose slots `feature_names` names. Grain unchanged: a row in is a row out.
    """
    return Pipeline(stages=[*shared_stages(use_case), *encoding_stages(use_case, encoding)])


def shared_stages(use_case: UseCase) -> list[PipelineStage]:
    """The first part of a feature pipeline, the same under every encoding: it adds `columns_to_encode`."""
    fills = _fills_of_columns(use_case)
    stages: list[PipelineStage] = [FillNulls(fills)] if fills else []
    if use_case.features:
        computed = {name: feature.sql for name, feature in use_case.features.items()}
        stages += [
            SQLTransformer(statement=adding(computed)),
            *bucketed({name: one.buckets for name, one in use_case.features.items() if one.buckets}),
            FillNulls(
                {name: _fill_of_feature(feature.is_category) for name, feature in use_case.features.items()}
            ),
        ]
    if use_case.categories:
        indexed = [_index(name) for name in use_case.categories]
        stages.append(
            StringIndexer(inputCols=[*use_case.categories], outputCols=indexed, handleInvalid="keep")
        )
    if use_case.numbers:
        stages.append(VectorAssembler(inputCols=[*use_case.numbers], outputCol="_numbers"))
        stages += _scaler(use_case.scaling)
    return stages


def columns_to_encode(use_case: UseCase) -> list[str]:
    """What the second part reads besides the label: the numbers as a vector, and each category as an index."""
    numbers = [_scaled(use_case.scaling)] if use_case.numbers else []
    return [*numbers, *map(_index, use_case.categories)]


def encoding_stages(use_case: UseCase, encoding: Encoding) -> list[PipelineStage]:
    """The second part of a feature pipeline: categories become numbers, and all of it one vector."""
    inputs = columns_to_encode(use_case)
    if encoding == "index" or not use_case.categories:
        return [VectorAssembler(inputCols=inputs, outputCol=FEATURES)]
    indexed = [_index(name) for name in use_case.categories]
    encoded = [f"_{encoding} {name}" for name in use_case.categories]
    whole = [*(name for name in inputs if name not in indexed), *encoded]
    return [*_encoders(encoding, indexed, encoded), VectorAssembler(inputCols=whole, outputCol=FEATURES)]


def with_label(frame: DataFrame, use_case: UseCase) -> DataFrame:
    """Add `_label`, what estimators learn: the label, transformed, less `label_minus` transformed alike (`_minus`)."""
    label = _transformed(quoted(use_case.label), use_case)
    if use_case.label_minus is None:
        return frame.selectExpr("*", f"{label} AS {LABEL}")
    return frame.selectExpr("*", f"{_minus(use_case)} AS {MINUS}").selectExpr(
        "*", f"{label} - {MINUS} AS {LABEL}"
    )


def in_label_unit(use_case: UseCase) -> str:
    """SQL that undoes what `with_label` did, for an estimator's `_prediction` in a row with `given_back`."""
    learnt = PREDICTION if use_case.label_minus is None else f"({PREDICTION} + {MINUS})"
    match use_case.label_transform:
        case "log":
            return f"exp({learnt})"
        case "signed_sqrt":
            return f"signum({learnt}) * power({learnt}, 2)"
        case "none":
            return learnt


def undone(predictions: Floats, minus: Floats, use_case: UseCase) -> Floats:
    """The same as `in_label_unit` for predictions that are here already: (rows,) each."""
    learnt = predictions + minus
    match use_case.label_transform:
        case "log":
            return np.exp(learnt)
        case "signed_sqrt":
            return np.sign(learnt) * learnt**2
        case "none":
            return learnt


def given_back(use_case: UseCase) -> tuple[str, ...]:
    """The columns that `in_label_unit` reads besides the prediction."""
    return () if use_case.label_minus is None else (MINUS,)


def _minus(use_case: UseCase) -> str:
    return f"coalesce({_transformed(quoted(str(use_case.label_minus)), use_case)}, 0D)"


def _transformed(column: str, use_case: UseCase) -> str:
    number = f"CAST({column} AS DOUBLE)"
    match use_case.label_transform:
        case "log":
            return f"ln({number})"
        case "signed_sqrt":
            return f"signum({number}) * sqrt(abs({number}))"
        case "none":
            return number


def published(features: PipelineModel, model: Transformer, use_case: UseCase) -> PipelineModel:
    """A fitted feature pipeline and a fitted estimator as one model, made of MLlib's own stages alone.

    It gives back the columns that it is given, as they are, and adds `prediction` in the label's unit.
    """
    minus = f", {_minus(use_case)} AS {MINUS}" if use_case.label_minus is not None else ""
    first = SQLTransformer(statement=f"SELECT *, struct(*) AS {ROW}{minus} FROM __THIS__")
    last = SQLTransformer(statement=f"SELECT {ROW}.*, {in_label_unit(use_case)} AS prediction FROM __THIS__")
    return PipelineModel(stages=[first, *features.stages, model, last])


def scorable(use_case: UseCase) -> Column:
    """Whether a row has a value in every column whose nulls are to be dropped."""
    dropped = [name for name, column in use_case.columns.items() if column.nulls == "drop"]
    return reduce(and_, (F.col(f"`{name}`").isNotNull() for name in dropped), F.lit(True))


@dataclass(frozen=True)
class Slots:
    """The names of a feature vector's slots, in order, and the largest number of categories in one slot."""

    names: tuple[str, ...]
    largest: int

    @classmethod
    def of(cls, model: PipelineModel, use_case: UseCase, encoding: Encoding) -> Slots:
        """Read from a fitted feature pipeline.

        Raises:
            InputError: if trees would see a category with more values than `max_categories`.
        """
        named = list(use_case.numbers)
        indexer = next((stage for stage in model.stages if isinstance(stage, StringIndexerModel)), None)
        labels = dict(zip(use_case.categories, indexer.labelsArray, strict=True)) if indexer else {}
        if encoding != "one_hot":
            named += use_case.categories
        else:
            named += [f"{category}={value}" for category, values in labels.items() for value in values]
        if encoding != "index":
            return cls(tuple(named), 0)
        for category, values in labels.items():
            if len(values) > use_case.max_categories:
                raise InputError(
                    f"{category} has {len(values):,} categories in the training part, "
                    f"more than max_categories ({use_case.max_categories:,})",
                    place=use_case.use_case,
                    way_out="use encoding: target or one_hot for this family, or raise max_categories",
                )
        return cls(tuple(named), max((len(values) + 1 for values in labels.values()), default=0))


def _fills_of_columns(use_case: UseCase) -> dict[str, Fill]:
    fills = {}
    for column, settings in use_case.columns.items():
        if "category" in settings.role:
            fills[column] = Fill(
                settings.nulls or "constant",
                settings.fill if settings.nulls else MISSING,
                category=True,
            )
        elif "feature" in settings.role:
            boolean = settings.type == "boolean"
            fills[column] = Fill(
                settings.nulls or ("most_frequent" if boolean else "median"),
                float(settings.fill)
                if settings.type == "number" and settings.fill is not None
                else settings.fill,
            )
    return fills


def _fill_of_feature(category: bool) -> Fill:
    return Fill("constant", MISSING, category=True) if category else Fill("median", finite=True)


def _encoders(encoding: Encoding, indexed: list[str], encoded: list[str]) -> list[PipelineStage]:
    if encoding == "one_hot":  # the indexer's bucket of unseen values is the last, and so the one left out
        return [OneHotEncoder(inputCols=indexed, outputCols=encoded, handleInvalid="error", dropLast=True)]
    encoder = TargetEncoder(
        inputCols=indexed,
        outputCols=encoded,
        labelCol=LABEL,
        targetType="continuous",
        handleInvalid="keep",
        smoothing=TARGET_SMOOTHING,
    )
    # Its output says that it is a category still, and trees would believe it; a sum says nothing.
    numbers = SQLTransformer(statement=replacing({column: f"{quoted(column)} + 0.0D" for column in encoded}))
    return [encoder, numbers]


def _scaler(scaling: str) -> list[PipelineStage]:
    if scaling == "minmax":
        return [MinMaxScaler(inputCol="_numbers", outputCol=_scaled(scaling))]
    if scaling == "standard":
        return [StandardScaler(inputCol="_numbers", outputCol=_scaled(scaling), withMean=True, withStd=True)]
    return []


def _index(category: str) -> str:
    return f"_index {category}"


def _scaled(scaling: str) -> str:
    return "_numbers" if scaling == "none" else "_scaled"
