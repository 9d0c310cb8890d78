"""How a training stands in MLflow: a parent run, a child a candidate, and a version of the registered model.

All of this calls the server, and raises what MLflow's client raises.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from regatta.config import UseCase

if TYPE_CHECKING:  # mlflow takes seconds to import; the rest is known here only by its types
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    from regatta.lake.records import Run
    from regatta.selection.leaderboard import Judged, Leaderboard, Standing


class MlflowTraining:
    """One training: a parent run named by the run id, and a child a candidate.

    Args:
        use_case: its name is the experiment's and the registered model's.
        run_id: of the training.
        fingerprint: of the input.
        candidates: how many are in the race.
    """

    def __init__(self, use_case: UseCase, run_id: str, fingerprint: str, candidates: int) -> None:
        self._use_case = use_case
        self._tags = {"use_case": use_case.use_case, "run_id": run_id, "fingerprint": fingerprint}
        self._candidates = candidates
        self._experiment = self._parent = ""
        self._children: dict[str, str] = {}

    def is_finished(self, client: MlflowClient) -> bool:
        """Whether MLflow knows the training to its end: the parent's is the last thing it is told."""
        known = client.get_experiment_by_name(self._use_case.use_case)
        if known is None:
            return False
        run_id = self._tags["run_id"]
        ended = f"tags.run_id = '{run_id}' and tags.`mlflow.runName` = '{run_id}' and attributes.status = 'FINISHED'"
        return bool(client.search_runs([known.experiment_id], ended, max_results=1))

    def begin(self, client: MlflowClient) -> None:
        """Open the parent; unfinished runs that an earlier attempt left behind are ended as KILLED."""
        name, run_id = self._use_case.use_case, self._tags["run_id"]
        with _may_exist():
            client.create_experiment(name)
        self._experiment = client.get_experiment_by_name(name).experiment_id
        left_behind = f"tags.run_id = '{run_id}' and attributes.status = 'RUNNING'"
        for run in client.search_runs([self._experiment], left_behind):
            client.set_terminated(run.info.run_id, "KILLED")
        self._parent = client.create_run(self._experiment, run_name=run_id, tags=self._tags).info.run_id
        label = self._use_case.label
        told = {
            "label": label,
            "unit": self._use_case.columns[label].unit,
            "label_transform": self._use_case.label_transform,
            "scaling": self._use_case.scaling,
            "metric": self._use_case.metric,
            "folds": self._use_case.split.folds,
            "holdout": self._use_case.split.holdout,
            "seed": self._use_case.seed,
            "candidates": self._candidates,
        }
        client.log_batch(self._parent, params=_params(told))

    def judged(self, client: MlflowClient, candidate: str, fold: int, judged: Judged, at: int) -> None:
        """Log a fit under its candidate: its figures and `fit_seconds`, the fold as the step.

        Args:
            client: of the server.
            candidate: by its name on the leaderboard.
            fold: its number.
            judged: the fit.
            at: when, in `milliseconds`.
        """
        figures = {**judged.metrics, "fit_seconds": judged.seconds}
        client.log_batch(self._child(client, candidate), metrics=_metrics(figures, at, step=fold))

    def finished(self, client: MlflowClient, board: Leaderboard, run: Run, source: str) -> None:
        """Log what the race came to, register the model and, last, end the parent: see `Tracker.finished`."""
        for standing in board.standings:
            self._finish_child(client, standing)
        version(client, self._use_case, run, source, self._parent)
        self._finish_parent(client, board, run)

    def failed(self, client: MlflowClient) -> None:
        """End the parent and its children as FAILED."""
        for one in (*self._children.values(), self._parent):
            client.set_terminated(one, "FAILED")

    def _child(self, client: MlflowClient, candidate: str) -> str:
        """The candidate's MLflow run, begun at its first fit."""
        if candidate not in self._children:
            tags = {**self._tags, "mlflow.parentRunId": self._parent}
            run = client.create_run(self._experiment, run_name=candidate, tags=tags)
            self._children[candidate] = run.info.run_id
        return self._children[candidate]

    def _finish_child(self, client: MlflowClient, standing: Standing) -> None:
        child = self._child(client, standing.candidate)
        figures: dict[str, float | None] = {}
        for name in standing.folds[0].metrics if standing.folds else ():
            figures[f"{name}_mean"], figures[f"{name}_spread"] = standing.mean(name), standing.spread(name)
        figures |= _of_holdout(standing.holdout or {})
        params = {"family": standing.family, **standing.parameters}
        client.log_batch(child, metrics=_metrics(figures, milliseconds()), params=_params(params))
        client.set_terminated(child, "FINISHED")

    def _finish_parent(self, client: MlflowClient, board: Leaderboard, run: Run) -> None:
        rows = {f"rows_{name}": float(count) for name, count in run.rows.items()}
        figures = {**_of_holdout(board.winner.holdout or {}), **rows, "seconds": run.seconds}
        params = {"winner": run.winner, "winner_family": run.winner_family, "contract": run.contract}
        client.log_batch(self._parent, metrics=_metrics(figures, milliseconds()), params=_params(params))
        client.set_tag(self._parent, "code", run.code)
        for family, choice in run.engines.items():
            client.set_tag(self._parent, f"engine.{family}", choice.grown)
            client.set_tag(self._parent, f"engine.{family}.reason", choice.reason)
        client.set_terminated(self._parent, "FINISHED")


def version(client: MlflowClient, use_case: UseCase, run: Run, source: str, parent: str | None = None) -> str:
    """The number of the model version with the run's id; made if there is none."""
    name = use_case.use_case
    with _may_exist():
        client.create_registered_model(name, description=use_case.title)
    known = client.search_model_versions(f"name = '{name}' and tags.run_id = '{run.run_id}'")
    if known:
        return str(known[0].version)
    tags = {"run_id": run.run_id, "fingerprint": run.fingerprint, "code": run.code}
    s3 = source.replace("s3a://", "s3://", 1)  # mlflow knows no s3a
    return str(client.create_model_version(name, s3, run_id=parent, tags=tags, await_creation_for=0).version)


@contextmanager
def _may_exist() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _of_holdout(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    return {f"holdout_{name}": value for name, value in figures.items()}


def _metrics(figures: Mapping[str, float | None], at: int, step: int = 0) -> list[Metric]:
    """MLflow's metrics of all figures that are defined."""
    from mlflow.entities import Metric

    return [Metric(name, value, at, step) for name, value in figures.items() if value is not None]


def _params(values: Mapping[str, object]) -> list[Param]:
    from mlflow.entities import Param

    return [Param(name, str(value)) for name, value in values.items() if value is not None]


def milliseconds() -> int:
    """Now, as MLflow counts it: since 1970."""
    return int(time.time() * 1000)
