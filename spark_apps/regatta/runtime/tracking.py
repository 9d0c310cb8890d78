"""What MLflow is told of a training. It never makes one wait, and its being down costs one warning.

All calls are made in order by a thread of their own; the first that fails is the last one.
"""

from __future__ import annotations

import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING

from regatta.config import UseCase
from regatta.runtime.progress import say, step

if TYPE_CHECKING:  # mlflow takes seconds to import; the rest is known here only by its types
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    from regatta.lake.records import ChampionEntry, Run
    from regatta.selection.leaderboard import Judged, Leaderboard, Standing

URI = "MLFLOW_TRACKING_URI"
CHAMPION = "champion"
PATIENCE = 60.0  # seconds that the end of a training may wait for a server that does answer
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",  # MLflow's own: 120, and 7 retries
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # a request repeated after a timeout would begin a second run
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # standard output is kept for results
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""Set where the user has not."""

Call = Callable[["MlflowClient"], None]


class Tracker:
    """One training in MLflow: a parent run named by the run id, and a child a candidate.

    Returns at once from every method but `finished` and `failed`, which wait until MLflow knows everything,
    for `PATIENCE` at most. None raises.

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
        self._calls = _Calls(uri) if uri else None
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
        client.set_terminated(self._parent, "FINISHED")


def champion(use_case: UseCase, run: Run, entry: ChampionEntry, source: str) -> None:
    """Let the registered model's alias `champion` follow the champion log. Never raises.

    Args:
        use_case: whose champion it is.
        run: the one that the entry puts into service.
        entry: of the champion log. One that is older than what the alias stands on moves nothing.
        source: URI of the run's model, for a version that MLflow was not told of when it was trained.
    """
    uri = os.environ.get(URI)
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

    calls = _Calls(uri)
    calls.send(move)
    calls.close()


class _Calls:
    """Calls to an MLflow server, one after the other in a thread of their own, until one fails."""

    def __init__(self, uri: str) -> None:
        for name, value in DEFAULTS.items():
            os.environ.setdefault(name, value)
        self._uri = uri
        self._waiting: SimpleQueue[Call | None] = SimpleQueue()
        self._gave_up = threading.Lock()  # held from the one warning on
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def send(self, call: Call) -> None:
        """Make the call after all that were sent before; after a failure, never."""
        self._waiting.put(call)

    def close(self) -> None:
        """Wait until all calls were made or one failed, for `PATIENCE` at most."""
        self._waiting.put(None)
        self._thread.join(1)
        if self._thread.is_alive():
            with step("waiting for MLflow"):
                self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._give_up(f"not done after {PATIENCE:.0f} s")

    def _work(self) -> None:
        try:
            _knock(self._uri)
            from mlflow import MlflowClient

            client = MlflowClient(self._uri)
            while (call := self._waiting.get()) is not None and not self._gave_up.locked():
                call(client)
        except Exception as error:  # whatever becomes of MLflow, the training goes on
            self._give_up(_cause(error))

    def _give_up(self, why: str) -> None:
        if self._gave_up.acquire(blocking=False):
            say(f"warning: MLflow at {_without_password(self._uri)} is told no more: {why}")


def _knock(uri: str) -> None:
    """Fail fast where nobody answers: importing mlflow takes longer than finding that out."""
    if uri.startswith("http"):
        timeout = float(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"])
        with suppress(urllib.error.HTTPError):  # any answer is one
            urllib.request.urlopen(f"{_without_password(uri).rstrip('/')}/health", timeout=timeout).close()


def _cause(error: BaseException) -> str:
    """What lies at the bottom of an exception, in one line: mlflow wraps four others around `refused`."""
    while inner := error.__cause__ or error.__context__ or getattr(error, "reason", None):
        if not isinstance(inner, BaseException):
            break
        error = inner
    lines = _without_password(str(error)).splitlines()
    return lines[0] if lines else type(error).__name__


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//", text)


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
