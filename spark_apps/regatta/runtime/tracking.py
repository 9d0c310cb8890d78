"""What MLflow is told of trainings and champions. Its being down costs one warning and never a training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from regatta.config import UseCase
from regatta.runtime.mlflow_calls import URI, Call, Calls
from regatta.runtime.mlflow_training import MlflowTraining, milliseconds, version
from regatta.runtime.progress import say

if TYPE_CHECKING:  # mlflow takes seconds to import; the rest is known here only by its types
    from mlflow import MlflowClient

    from regatta.lake.records import ChampionEntry, Run
    from regatta.selection.leaderboard import Judged, Leaderboard

CHAMPION = "champion"


class Tracker:
    """A training that goes on, as MLflow is told of it.

    Returns at once from every method but `finished` and `failed`, which wait until MLflow knows everything,
    for a minute at most. None raises.

    Args:
        use_case: its name is the experiment's and the registered model's.
        run_id: of the training; an unfinished parent that an earlier attempt left behind is ended as KILLED.
        fingerprint: of the input.
        candidates: names of all that are in the race.
    """

    def __init__(self, use_case: UseCase, run_id: str, fingerprint: str, candidates: Sequence[str]) -> None:
        self._training = MlflowTraining(use_case, run_id, fingerprint, len(candidates))
        uri = os.environ.get(URI)
        if not uri:
            say(f"{URI} is not set: MLflow is told nothing of this training")
        self._calls = Calls(uri) if uri else None
        self._send(self._training.begin)

    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        """Log a fit under its candidate: its figures and `fit_seconds`, the fold as the step."""
        now = milliseconds()
        self._send(lambda client: self._training.judged(client, candidate, fold, judged, now))

    def finished(self, board: Leaderboard, run: Run, source: str) -> None:
        """Log what the race came to, and register the model.

        Args:
            board: mean and spread over the folds go to the candidates, the winner's holdout to the parent.
            run: as published.
            source: URI of the winner's model.
        """
        self._send(lambda client: self._training.finished(client, board, run, source))
        self._close()

    def failed(self) -> None:
        """End the parent and its children as FAILED."""
        self._send(self._training.failed)
        self._close()

    def _send(self, call: Call) -> None:
        if self._calls:
            self._calls.send(call)

    def _close(self) -> None:
        if self._calls:
            self._calls.close()


def published(use_case: UseCase, board: Leaderboard, run: Run, source: str) -> None:
    """Tell MLflow of a run that was published before, where it has not heard of its end. Never raises.

    It has not if the job was killed between the two, or MLflow was away.

    Args:
        use_case: as the run's training had it.
        board: of the run.
        run: as published.
        source: URI of the winner's model.
    """
    uri = os.environ.get(URI)
    if not uri:
        return
    racing = sum(not standing.is_baseline for standing in board.standings)
    training = MlflowTraining(use_case, run.run_id, run.fingerprint, racing)

    def tell(client: MlflowClient) -> None:
        if training.is_finished(client):
            return
        say(f"MLflow has not heard that run {run.run_id} was published: it is told now")
        training.begin(client)
        for standing in board.standings:
            for fold, judged in enumerate(standing.folds):
                training.judged(client, standing.candidate, fold, judged, milliseconds())
        training.finished(client, board, run, source)

    _call(uri, tell)


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
        number = version(client, use_case, run, source)
        aliases = client.get_registered_model(name).aliases
        if CHAMPION in aliases:
            reigning = client.get_model_version(name, aliases[CHAMPION])
            if int(reigning.tags.get(CHAMPION, 0)) > entry.number:
                return
        client.set_model_version_tag(name, number, CHAMPION, str(entry.number))
        client.set_registered_model_alias(name, CHAMPION, number)

    _call(uri, move)


def _call(uri: str, call: Call) -> None:
    calls = Calls(uri)
    calls.send(call)
    calls.close()
