"""A small training, as MLflow is told of it: two candidates and a baseline on two folds, no Spark."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mlflow import MlflowClient

from regatta.config import UseCase
from regatta.lake.records import ChampionEntry, Run
from regatta.runtime.tracking import Tracker, champion
from regatta.selection.leaderboard import BASELINE, Judged, Leaderboard, Standing

FIELD = ["gbt maxDepth=2", "gbt maxDepth=3"]
FIGURES = {"gbt maxDepth=2": [10.0, 12.0], "gbt maxDepth=3": [11.0, 15.0], "mean": [90.0, 94.0]}


def houses(name: str) -> UseCase:
    return UseCase.model_validate(
        {
            "use_case": name,
            "title": "Houses",
            "sources": {"sales": {"role": "train"}},
            "columns": {"price": {"role": "label", "unit": "USD"}, "size": {"role": "feature"}},
            "candidates": {"gbt": {"maxDepth": [2, 3]}},
            "split": {"folds": 2},
        }
    )


def judged(rmse: float) -> Judged:
    return Judged(metrics={"rmse": rmse, "mape": None}, seconds=1.5)


def race(tracker: Tracker) -> None:
    for fold in (0, 1):
        for name in ("mean", *FIELD):
            tracker.judged(name, fold, judged(FIGURES[name][fold]))


def board(use_case: UseCase, run_id: str) -> Leaderboard:
    return Leaderboard(
        use_case=use_case.use_case,
        run_id=run_id,
        metric="rmse",
        label="price",
        unit="USD",
        standings=tuple(
            Standing(
                candidate=name,
                family=BASELINE if name == "mean" else "gbt",
                parameters={} if name == "mean" else {"maxDepth": int(name[-1])},
                folds=tuple(map(judged, figures)),
                holdout={"rmse": 20.0} if name == FIELD[0] else None,
            )
            for name, figures in FIGURES.items()
        ),
    )


def run(use_case: UseCase, run_id: str) -> Run:
    return Run(
        attempt="attempt",
        published_at=datetime.now(UTC),
        files=(),
        run_id=run_id,
        use_case=use_case.use_case,
        as_of=datetime.now(UTC),
        fingerprint="f1",
        contract="c1",
        deliveries=("2015-04-30",),
        configuration={},
        code="0.1.0",
        versions={},
        rows={"trained_on": 80},
        winner=FIELD[0],
        winner_family="gbt",
        metrics={"rmse": 20.0},
        baselines={},
        seconds=7.0,
    )


def source(use_case: UseCase, run_id: str) -> str:
    return f"s3a://regatta/{use_case.use_case}/runs/{run_id}/model"


def train(use_case: UseCase, run_id: str) -> None:
    tracker = Tracker(use_case, run_id, "f1", FIELD)
    race(tracker)
    tracker.finished(board(use_case, run_id), run(use_case, run_id), source(use_case, run_id))


def promote(use_case: UseCase, run_id: str, number: int) -> None:
    entry = ChampionEntry(
        number=number,
        action="promote",
        run_id=run_id,
        effective=datetime.now(UTC),
        previous=None,
        metrics={},
        reason="better",
        attempt="attempt",
    )
    champion(use_case, run(use_case, run_id), entry, source(use_case, run_id))


def runs(client: MlflowClient, use_case: UseCase) -> dict[str, Any]:
    """The MLflow runs of a use case by their names; the newest of a name."""
    experiment = client.get_experiment_by_name(use_case.use_case)
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    return {one.info.run_name: one for one in found}


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
