"""What MLflow is told of trainings and champions. Its being down costs one warning and never a training."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from regatta.config import UseCase
from regatta.runtime.mlflow_calls import URI, Call, Calls
from regatta.runtime.progress import say

if TYPE_CHECKING:  # mlflow takes seconds to import; the rest is known here only by its types
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    from regatta.lake.records import ChampionEntry, Run
    from regatta.selection.leaderboard import Judged, Leaderboard, Standing

CHAMPION = "champion"


class Tracker:
    """One training in MLflow: a parent run named by the run id, and a child a candidate.

    Returns at once from every method but `finished` and `failed`, which wait until MLflow knows everything,
    for a minute at most. None raises.

    Args:
        use_case: its name is the experiment's and the registered model's.
        run_id: of the training; an unfinished parent that an earlier attempt left behind is ended as KILLED.
        fingerprint: of the input.
        candidates: names of all that are in the race.
    """

    def __init__(self, use_case: UseCase, run_id: str, fingerprint: str, candidates: Sequence[str]) -> None:
        self._use_case = use_case
        self._tags = {"use_case": use_case.use_case, "run_id": run_id, "fingerprint": fingerprint}
        self._candidates = len(candidates)
        self._experiment = self._parent = ""
        self._children: dict[str, str] = {}
        uri = os.environ.get(URI)
        if not uri:
            say(f"{URI} is not set: MLflow is told nothing of this training")
        self._calls = Calls(uri) if uri else None
        self._send(self._begin)

    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        """Log a fit under its candidate: its figures and `fit_seconds`, the fold as the step."""
        figures = {**judged.metrics, "fit_seconds": judged.seconds}
        now = _milliseconds()

        def log(client: MlflowClient) -> None:
            client.log_batch(self._child(client, candidate), metrics=_metrics(figures, now, step=fold))

        self._send(log)

    def finished(self, board: Leaderboard, run: Run, source: str) -> None:
        """Log what the race came to, and register the model.

        Args:
            board: mean and spread over the folds go to the candidates, the winner's holdout to the parent.
            run: as published.
            source: URI of the winner's model.
        """

        def log(client: MlflowClient) -> None:
            for standing in board.standings:
                self._finish_child(client, standing)
            self._finish_parent(client, board, run)
            _version(client, self._use_case, run, source, self._parent)

        self._send(log)
        self._close()

    def failed(self) -> None:
        """End the parent and its children as FAILED."""

        def end(client: MlflowClient) -> None:
            for one in (*self._children.values(), self._parent):
                client.set_terminated(one, "FAILED")

        self._send(end)
        self._close()

    def _send(self, call: Call) -> None:
        if self._calls:
            self._calls.send(call)

    def _close(self) -> None:
        if self._calls:
            self._calls.close()

    def _begin(self, client: MlflowClient) -> None:
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
        client.log_batch(child, metrics=_metrics(figures, _milliseconds()), params=_params(params))
        client.set_terminated(child, "FINISHED")

    def _finish_parent(self, client: MlflowClient, board: Leaderboard, run: Run) -> None:
        rows = {f"rows_{name}": float(count) for name, count in run.rows.items()}
        figures = {**_of_holdout(board.winner.holdout or {}), **rows, "seconds": run.seconds}
        params = {"winner": run.winner, "winner_family": run.winner_family, "contract": run.contract}
        client.log_batch(self._parent, metrics=_metrics(figures, _milliseconds()), params=_params(params))
        client.set_tag(self._parent, "code", run.code)
        for family, choice in run.engines.items():
            client.set_tag(self._parent, f"engine.{family}", choice.grown)
            client.set_tag(self._parent, f"engine.{family}.reason", choice.reason)
        client.set_terminated(self._parent, "FINISHED")


def champion(use_case: UseCase, run: Run, entry: ChampionEntry, source: str, uri: str | None = None) -> None:
    """Let the registered model's alias `champion` follow the champion log. Never raises.

    Args:
        use_case: whose champion it is.
        run: the one that the entry puts into service.
        entry: of the champion log. One that is older than what the alias stands on moves nothing.
        source: URI of the run's model, for a version that MLflow was not told of when it was trained.
        uri: MLflow's; by default the environment's MLFLOW_TRACKING_URI.
    """
    uri = uri or os.environ.get(URI)
    if not uri or entry.kind != "service":
        return

    def move(client: MlflowClient) -> None:
        name = use_case.use_case
        version = _version(client, use_case, run, source)
        aliases = client.get_registered_model(name).aliases
        if CHAMPION in aliases:
            reigning = client.get_model_version(name, aliases[CHAMPION])
            if int(reigning.tags.get(CHAMPION, 0)) > entry.number:
                return
        client.set_model_version_tag(name, version, CHAMPION, str(entry.number))
        client.set_registered_model_alias(name, CHAMPION, version)

    calls = Calls(uri)
    calls.send(move)
    calls.close()


def _version(
    client: MlflowClient, use_case: UseCase, run: Run, source: str, parent: str | None = None
) -> str:
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


def _milliseconds() -> int:
    return int(time.time() * 1000)
