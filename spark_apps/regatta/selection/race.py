"""The race: every candidate on every fold, features fitted once a fold and encoding."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.model import Encoding
from regatta.config.table import quoted
from regatta.evaluation.metrics import metrics
from regatta.features.learnt import Bounds
from regatta.features.pipeline import (
    FEATURES,
    LABEL,
    Slots,
    feature_pipeline,
    given_back,
    in_label_unit,
)
from regatta.runtime.concurrency import as_they_end, side_by_side
from regatta.selection.baselines import baselines
from regatta.selection.candidates import Candidate, candidates, estimator, param_map
from regatta.selection.leaderboard import BASELINE, Judged, Standing
from regatta.selection.parts import Fold


class Watcher(Protocol):
    """Is told of every fit as it happens, from whichever thread."""

    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        """A candidate was fitted on the other folds and judged on this one."""


@dataclass(frozen=True)
class Prepared:
    """One split under one encoding: vectors to learn from and to be judged on, computed once.

    Grain: a row. `inliers` are the training rows that are no outliers, as accepted; `training` holds their
    `_features` and `_label`; `judging` has `_features` and the label itself.
    """

    inliers: DataFrame
    training: DataFrame
    judging: DataFrame
    features: PipelineModel
    slots: Slots


def prepare(training: DataFrame, judging: DataFrame, use_case: UseCase, encoding: Encoding) -> Prepared:
    """Fit the feature pipeline on the training rows that are no outliers, and apply it to both sides."""
    inliers = Bounds.learn(training, use_case.outliers).inside(training)
    features = feature_pipeline(use_case, encoding).fit(inliers)
    # Not `persist`: trees run hundreds of jobs, and each would carry the whole plan behind the vectors to its tasks.
    return Prepared(
        inliers=inliers,
        training=features.transform(inliers).select(FEATURES, LABEL).localCheckpoint(),
        judging=features.transform(judging)
        .select(FEATURES, *map(quoted, dict.fromkeys((use_case.label, *given_back(use_case)))))
        .localCheckpoint(),
        features=features,
        slots=Slots.of(features, use_case, encoding),
    )


def race(parts: Sequence[Fold], use_case: UseCase, watcher: Watcher) -> list[Standing]:
    """Judge every candidate and baseline on every fold.

    Args:
        parts: what each fold learns from and is judged on.
        use_case: names candidates, encodings and seed.
        watcher: is told of each fit.

    Returns:
        One standing a candidate and baseline, in no particular order; figures in the label's unit.
    """
    field = candidates(use_case)
    results: dict[str, dict[int, Judged]] = {candidate.name: {} for candidate in field}
    for number, part in enumerate(parts):
        for name, judged in _baselines(part, use_case):
            results.setdefault(name, {})[number] = judged
            watcher.judged(name, number, judged)
        prepared = prepared_for(field, part.training, part.judging, use_case)
        for candidate, judged in _fits(field, prepared, use_case, part.scale):
            results[candidate.name][number] = judged
            watcher.judged(candidate.name, number, judged)
    by_name = {candidate.name: candidate for candidate in field}
    return [_standing(name, by_name.get(name), folds) for name, folds in results.items()]


def prepared_for(
    field: Sequence[Candidate], training: DataFrame, judging: DataFrame, use_case: UseCase
) -> dict[Encoding, Prepared]:
    """A split under every encoding that a candidate asks for."""
    encodings = [*dict.fromkeys(candidate.encoding for candidate in field)]

    def one(encoding: Encoding) -> Prepared:
        return prepare(training, judging, use_case, encoding)

    return dict(zip(encodings, side_by_side(training.sparkSession, one, encodings), strict=True))


def _baselines(part: Fold, use_case: UseCase) -> Iterator[tuple[str, Judged]]:
    """Fit one after another; judge all in one job."""
    found, predicted = {}, part.judging
    for name, baseline in baselines(use_case).items():
        started = time.monotonic()
        model = baseline.fit(part.training)
        found[name] = time.monotonic() - started
        predicted = model.transform(predicted).withColumnRenamed("prediction", f"prediction {name}")
    columns = [f"prediction {name}" for name in found]
    figures = metrics(predicted, use_case.label, columns, scale=part.scale)
    for (name, seconds), judged in zip(found.items(), figures, strict=True):
        yield name, Judged(metrics=judged, seconds=seconds)


def _fits(
    field: Sequence[Candidate], prepared: dict[Encoding, Prepared], use_case: UseCase, scale: float | None
) -> Iterator[tuple[Candidate, Judged]]:
    """Fit through `fitMultiple`, the families by turns, a few at once; yield each as soon as it is judged.

    By turns, because a family's next model may wait for a fit that it shares: then another's is there to be made.
    """
    session = next(iter(prepared.values())).training.sparkSession
    turns = [
        [(family, models)] * len(family)
        for family in _families(field)
        for models in [_models(family, prepared[family[0].encoding], use_case)]
    ]
    work = [job for turn in zip_longest(*turns) for job in turn if job is not None]

    def fit(job: tuple[list[Candidate], Iterator[tuple[int, Any]]]) -> tuple[Candidate, Judged]:
        family, models = job
        started = time.monotonic()
        index, model = next(models)
        seconds = time.monotonic() - started
        judging = prepared[family[index].encoding].judging
        predictions = model.transform(judging).withColumn("prediction", F.expr(in_label_unit(use_case)))
        figures = metrics(predictions, use_case.label, scale=scale)[0]
        return family[index], Judged(metrics=figures, seconds=seconds)

    yield from as_they_end(session, fit, work)


def _families(field: Sequence[Candidate]) -> list[list[Candidate]]:
    """Candidates that share an estimator, the costliest (last of the grid) first."""
    by_family: dict[str, list[Candidate]] = {}
    for candidate in reversed(field):
        by_family.setdefault(candidate.family, []).append(candidate)
    return list(by_family.values())


def _models(family: list[Candidate], data: Prepared, use_case: UseCase) -> Iterator[tuple[int, Any]]:
    of_family = estimator(family[0].family, use_case.seed)
    maps = [param_map(of_family, candidate, data.slots.largest) for candidate in family]
    return iter(of_family.fitMultiple(data.training, maps))


def _standing(name: str, candidate: Candidate | None, folds: dict[int, Judged]) -> Standing:
    return Standing(
        candidate=name,
        family=candidate.family if candidate else BASELINE,
        parameters=candidate.parameters if candidate else {},
        folds=tuple(folds[number] for number in sorted(folds)),
    )
