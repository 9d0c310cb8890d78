"""What a run leaves in the lake."""

from __future__ import annotations

import json
from collections.abc import Callable

from pyspark.ml import PipelineModel

from regatta.config import UseCase
from regatta.config.table import quoted
from regatta.evaluation.metrics import metrics_by
from regatta.features.pipeline import FEATURES
from regatta.lake import Attempt, Lake, layout
from regatta.runtime.concurrency import side_by_side
from regatta.selection.learning import Learnt


def write_run(lake: Lake, attempt: Attempt, use_case: UseCase, learnt: Learnt) -> None:
    """Write all of a run but its record: models, vectors, predictions on the holdout, leaderboard, weights.

    Args:
        lake: the use case's.
        attempt: where to write; nothing is visible before it is published.
        use_case: as models see it.
        learnt: in the race and after it.
    """
    board, finals, predictions = learnt.board, learnt.best, learnt.predictions
    folder = layout.run(board.run_id)
    prepared = finals.prepared[finals.winner.encoding]
    kept = map(quoted, (*use_case.identity, use_case.label))
    vectors = prepared.features.transform(prepared.ground.inliers).selectExpr(
        *kept, f"{FEATURES} AS features"
    )
    written: dict[str, Callable[[str], None]] = {
        **{f"models/{one.family}": one.model.write().save for one in finals.finalists},
        "feature_pipeline": prepared.features.write().save,
        "features": vectors.write.parquet,
        "holdout": predictions.write.parquet,
    }
    if use_case.panel is not None:
        by_entity = metrics_by(predictions, use_case.label, use_case.panel.entity)
        written["holdout_by_entity"] = by_entity.write.parquet
    if (best := board.best_baseline) is not None and use_case.needs_a_baseline:
        baseline = PipelineModel(stages=[finals.baselines[best.candidate]])
        written[layout.BASELINE] = baseline.write().save
    side_by_side(
        predictions.sparkSession, lambda part: written[part](attempt.uri(f"{folder}{part}")), written
    )
    attempt.copy(f"{folder}models/{finals.winner.family}/", f"{folder}model/")

    attempt.write(f"{folder}leaderboard.json", board.model_dump_json(indent=2).encode())
    weights = {finalist.family: finalist.weights for finalist in finals.finalists}
    attempt.write(f"{folder}weights.json", json.dumps(weights, indent=2, ensure_ascii=False).encode())
