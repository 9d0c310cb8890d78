"""What a run leaves in the lake."""

from __future__ import annotations

import json

from pyspark.sql import DataFrame

from regatta.features.pipeline import FEATURES
from regatta.lake import Attempt, Lake, layout
from regatta.selection.finalists import Finals
from regatta.selection.leaderboard import Leaderboard


def write_run(
    lake: Lake, attempt: Attempt, board: Leaderboard, finals: Finals, predictions: DataFrame
) -> None:
    """Write all of a run but its record: models, vectors, predictions on the holdout, leaderboard, weights.

    Args:
        lake: the use case's.
        attempt: where to write; nothing is visible before it is published.
        board: with the holdout's figures.
        finals: the refitted best of each family.
        predictions: the holdout as `on_holdout` gives it.
    """
    folder = layout.run(board.run_id)
    for finalist in finals.finalists:
        finalist.model.write().save(attempt.uri(f"{folder}models/{finalist.family}"))
    attempt.copy(f"{folder}models/{finals.winner.family}/", f"{folder}model/")

    prepared = finals.prepared[finals.winner.encoding]
    prepared.features.write().save(attempt.uri(f"{folder}feature_pipeline"))
    kept = [*lake.use_case.identity, lake.use_case.label]
    vectors = prepared.features.transform(prepared.inliers)
    (
        vectors.selectExpr(*(f"`{name}`" for name in kept), f"{FEATURES} AS features").write.parquet(
            attempt.uri(f"{folder}features")
        )
    )
    predictions.write.parquet(attempt.uri(f"{folder}holdout"))

    attempt.write(f"{folder}leaderboard.json", board.model_dump_json(indent=2).encode())
    weights = {finalist.family: finalist.weights for finalist in finals.finalists}
    attempt.write(f"{folder}weights.json", json.dumps(weights, indent=2, ensure_ascii=False).encode())
