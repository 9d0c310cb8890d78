"""The best of each family, learnt again from the whole training part, and what the holdout says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.ml.base import Transformer
from pyspark.ml.regression import LinearRegressionModel
from pyspark.sql import DataFrame

from regatta.config import UseCase
from regatta.config.race import Encoding
from regatta.evaluation.metrics import metrics
from regatta.features.pipeline import published
from regatta.runtime.concurrency import side_by_side
from regatta.selection.baselines import baselines
from regatta.selection.candidates import Candidate, configured
from regatta.selection.engine import Engine
from regatta.selection.leaderboard import Leaderboard, Standing
from regatta.selection.native.unsupported import Unsupported
from regatta.selection.prepared import Prepared, prepared_for


@dataclass(frozen=True)
class Finalist:
    """A family's best as it would be published, and what each slot of its vector is worth to it."""

    family: str
    candidate: str
    encoding: Encoding
    model: PipelineModel
    weights: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Finals:
    """All finalists, the winner's first, beside the vectors they learnt from, by encoding."""

    finalists: Sequence[Finalist]
    baselines: dict[str, Transformer]
    prepared: dict[Encoding, Prepared]

    @property
    def winner(self) -> Finalist:
        """The one that will challenge the champion."""
        return self.finalists[0]


def finals(
    training: DataFrame,
    holdout: DataFrame,
    board: Leaderboard,
    use_case: UseCase,
    engine: Engine,
    scratch: str,
) -> Finals:
    """Refit the best candidate of each family, and the baselines, on the whole training part.

    Args:
        training: all rows that may be learnt from.
        holdout: those that may not.
        board: names the best.
        use_case: of both.
        engine: as the race left it.
        scratch: a URI that ends in a slash, where Spark can write on its way; nothing there is needed afterwards.
    """
    best = [_candidate(standing, use_case) for standing in board.best_of_families().values()]
    prepared = prepared_for((one.encoding for one in best), training, holdout, use_case)

    def refitted(candidate: Candidate) -> Finalist:
        data = prepared[candidate.encoding]
        of_candidate = configured(candidate, use_case.seed, data.slots.largest)
        fitted = _grown(candidate, of_candidate, data, engine, f"{scratch}{candidate.family}")
        if fitted is None:
            fitted = of_candidate.fit(data.training)
        return Finalist(
            family=candidate.family,
            candidate=candidate.name,
            encoding=candidate.encoding,
            model=published(data.features, fitted, use_case),
            weights=_weights(fitted, data),
        )

    return Finals(
        finalists=side_by_side(training.sparkSession, refitted, best),
        baselines={name: baseline.fit(training) for name, baseline in baselines(use_case).items()},
        prepared=prepared,
    )


def on_holdout(finals: Finals, holdout: DataFrame) -> DataFrame:
    """The holdout as it was accepted, with a column of predictions by each: `prediction` is the winner's.

    Grain: one row a held-out row. The others' columns are `prediction <family>` and `prediction <baseline>`.
    """
    models = {finalist.family: finalist.model for finalist in finals.finalists} | finals.baselines
    for name, model in models.items():
        holdout = model.transform(holdout).withColumnRenamed("prediction", f"prediction {name}")
    return holdout.withColumnRenamed(f"prediction {finals.winner.family}", "prediction")


def with_holdout(
    board: Leaderboard, predictions: DataFrame, use_case: UseCase, scale: float | None = None
) -> Leaderboard:
    """The leaderboard with the holdout's figures beside the standings that were refitted."""
    columns = [name for name in predictions.columns if name.split(" ")[0] == "prediction"]
    figures = dict(zip(columns, metrics(predictions, use_case.label, columns, scale=scale), strict=True))
    best = {standing.candidate: family for family, standing in board.best_of_families().items()}

    def judged(standing: Standing) -> Standing:
        own = standing.candidate if standing.is_baseline else best.get(standing.candidate)
        column = "prediction" if standing.candidate == board.winner.candidate else f"prediction {own}"
        return standing.model_copy(update={"holdout": figures.get(column) if own else None})

    return board.model_copy(update={"standings": tuple(judged(standing) for standing in board.standings)})


def _grown(candidate: Candidate, of_candidate: Any, data: Prepared, engine: Engine, uri: str) -> Any:
    """The candidate's model if the native engine grows it, written to the URI and loaded; else None."""
    if not engine.is_native(candidate.family):
        return None
    from regatta.selection.native.fitting import fitted

    try:
        return fitted(of_candidate, data.rows, uri, engine.place)
    except Unsupported as reason:
        engine.fall_back(candidate.family, str(reason))
        return None


def _candidate(standing: Standing, use_case: UseCase) -> Candidate:
    family: Any = standing.family
    return Candidate(family, standing.parameters, use_case.encoding(family))


def _weights(model: Any, data: Prepared) -> list[dict[str, Any]]:
    """Importance (trees: shares of 1) or coefficient (linear: per unit of the slot) by name, largest first."""
    kind = "coefficient" if isinstance(model, LinearRegressionModel) else "importance"
    values = model.coefficients if kind == "coefficient" else model.featureImportances
    named = zip(data.slots.names, values.toArray().tolist(), strict=True)
    return [
        {"feature": name, kind: value}
        for name, value in sorted(named, key=lambda pair: (-abs(pair[1]), pair[0]))
    ]
