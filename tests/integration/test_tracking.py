"""What MLflow is told of a training, and what it costs the training when MLflow is not there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from machine import free_ports
from mlflow import MlflowClient

from regatta.config import UseCase
from regatta.lake.records import ChampionEntry, Run
from regatta.runtime import tracking
from regatta.runtime.tracking import Tracker, champion
from regatta.selection.leaderboard import BASELINE, Judged, Leaderboard, Standing

FIELD = ["gbt maxDepth=2", "gbt maxDepth=3"]
FIGURES = {"gbt maxDepth=2": [10.0, 12.0], "gbt maxDepth=3": [11.0, 15.0], "mean": [90.0, 94.0]}


@pytest.fixture(autouse=True)
def _settings_of_mlflow_end_with_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (tracking.URI, *tracking.DEFAULTS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def client(mlflow_uri: str, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """Asks the server that the trainings of the test tell."""
    monkeypatch.setenv(tracking.URI, mlflow_uri)
    return MlflowClient(mlflow_uri)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """An MLflow server that the test may kill: its address, and how."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
               "--workers", "1", "--backend-store-uri", f"sqlite:///{tmp_path / 'mlflow.db'}"]  # fmt: skip
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (tmp_path / "mlflow.log").open("wb") as log:
        server = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True
        )

    def kill() -> None:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{address}/health"), seconds=120)
        yield address, kill
    finally:
        kill()


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except OSError:
        return False
    return True


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


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


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was said, but for lines that only tell that something is awaited."""
    return [
        line for line in capsys.readouterr().err.splitlines() if not line.startswith("waiting for MLflow")
    ]


def test_a_training_is_a_parent_and_a_child_for_each_candidate(
    client: MlflowClient, capsys: pytest.CaptureFixture[str]
):
    use_case = houses("parent_and_children")
    train(use_case, "r1")

    found = runs(client, use_case)
    assert set(found) == {"r1", "mean", *FIELD}
    parent = found.pop("r1")
    assert {one.data.tags["mlflow.parentRunId"] for one in found.values()} == {parent.info.run_id}
    assert {one.info.status for one in (parent, *found.values())} == {"FINISHED"}
    told = {"use_case": use_case.use_case, "run_id": "r1", "fingerprint": "f1", "code": "0.1.0"}
    assert told.items() <= parent.data.tags.items()
    assert {"winner": FIELD[0], "winner_family": "gbt", "folds": "2", "unit": "USD"}.items() <= (
        parent.data.params.items()
    )
    assert parent.data.metrics == {"holdout_rmse": 20.0, "rows_trained_on": 80.0, "seconds": 7.0}
    assert found[FIELD[1]].data.params == {"family": "gbt", "maxDepth": "3"}
    assert found[FIELD[1]].data.metrics["rmse_mean"] == 13.0
    assert found[FIELD[1]].data.metrics["rmse_spread"] == pytest.approx(8**0.5)
    assert found[FIELD[0]].data.metrics["holdout_rmse"] == 20.0
    captured = capsys.readouterr()
    assert captured.out == "", "standard output is kept for results"
    assert "warning" not in captured.err


def test_every_fit_is_there_while_the_race_goes_on_with_its_fold_as_the_step(client: MlflowClient):
    use_case = houses("fold_by_fold")
    tracker = Tracker(use_case, "r1", "f1", FIELD)
    tracker.judged(FIELD[0], 0, judged(10.0))
    tracker.judged(FIELD[0], 1, judged(12.0))

    def history(metric: str) -> list[tuple[int, float]]:
        known = client.get_experiment_by_name(use_case.use_case) and runs(client, use_case)
        if not known or FIELD[0] not in known:
            return []
        points = client.get_metric_history(known[FIELD[0]].info.run_id, metric)
        return [(point.step, point.value) for point in points]

    until(lambda: history("rmse") == [(0, 10.0), (1, 12.0)])
    assert history("fit_seconds") == [(0, 1.5), (1, 1.5)]
    assert history("mape") == [], "an undefined figure is no figure"
    assert {one.info.status for one in runs(client, use_case).values()} == {"RUNNING"}
    tracker.failed()
    assert {one.info.status for one in runs(client, use_case).values()} == {"FAILED"}


def test_the_model_version_names_the_lake_as_mlflow_knows_it(client: MlflowClient):
    use_case = houses("model_version")
    train(use_case, "r1")
    train(use_case, "r1")  # told twice, registered once

    (version,) = client.search_model_versions("name = 'model_version'")
    assert version.source == "s3://regatta/model_version/runs/r1/model"
    assert version.tags["run_id"] == "r1"
    assert version.run_id in {one.info.run_id for one in client.search_runs(
        [client.get_experiment_by_name("model_version").experiment_id], "tags.mlflow.runName = 'r1'"
    )}  # fmt: skip


def test_the_alias_follows_the_champion_log(client: MlflowClient):
    use_case = houses("alias")
    train(use_case, "r1")
    train(use_case, "r2")

    def reigning() -> str:
        return str(client.get_model_version_by_alias("alias", "champion").tags["run_id"])

    promote(use_case, "r1", number=1)
    assert reigning() == "r1"
    promote(use_case, "r2", number=2)
    assert reigning() == "r2"
    promote(use_case, "r1", number=3)  # a rollback
    assert reigning() == "r1"
    promote(use_case, "r2", number=2)  # told late
    assert reigning() == "r1"


def test_a_champion_that_was_trained_untracked_gets_its_version_when_promoted(client: MlflowClient):
    use_case = houses("untracked")
    promote(use_case, "r1", number=1)
    version = client.get_model_version_by_alias("untracked", "champion")
    assert (version.tags["run_id"], version.source) == ("r1", "s3://regatta/untracked/runs/r1/model")


def test_a_training_repeated_after_a_crash_leaves_one_parent_running(client: MlflowClient):
    use_case = houses("crash")
    crashed = Tracker(use_case, "r1", "f1", FIELD)
    crashed.judged(FIELD[0], 0, judged(10.0))
    until(lambda: client.get_experiment_by_name("crash") and FIELD[0] in runs(client, use_case))
    other = Tracker(use_case, "r2", "f2", FIELD)
    other.judged(FIELD[1], 0, judged(10.0))
    until(lambda: FIELD[1] in runs(client, use_case))

    repeated = Tracker(use_case, "r1", "f1", FIELD)
    repeated.finished(board(use_case, "r1"), run(use_case, "r1"), source(use_case, "r1"))

    experiment = client.get_experiment_by_name("crash").experiment_id
    parents = client.search_runs([experiment], "tags.mlflow.runName = 'r1'")
    assert sorted(one.info.status for one in parents) == ["FINISHED", "KILLED"]
    orphans = client.search_runs([experiment], "attributes.status = 'RUNNING'")
    assert {one.data.tags["run_id"] for one in orphans} == {"r2"}, "another training is left alone"
    other.failed()


def test_a_server_killed_in_the_middle_of_a_race_costs_one_warning(
    own_server: tuple[str, Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    address, kill = own_server
    monkeypatch.setenv(tracking.URI, address)
    use_case, client = houses("killed"), MlflowClient(address)
    tracker = Tracker(use_case, "r1", "f1", FIELD)
    tracker.judged(FIELD[0], 0, judged(10.0))
    until(lambda: client.get_experiment_by_name("killed") and FIELD[0] in runs(client, use_case))
    kill()

    started = time.monotonic()
    race(tracker)
    tracker.finished(board(use_case, "r1"), run(use_case, "r1"), source(use_case, "r1"))
    assert time.monotonic() - started < 4
    assert said(capsys) == [f"warning: MLflow at {address} is told no more: [Errno 111] Connection refused"]


def test_a_server_that_never_answers_costs_three_seconds_and_one_warning(
    silent_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(tracking.URI, silent_server)
    use_case, started = houses("silent"), time.monotonic()
    tracker = Tracker(use_case, "r1", "f1", FIELD)
    race(tracker)
    assert time.monotonic() - started < 0.5, "the race itself waits for nothing"
    tracker.finished(board(use_case, "r1"), run(use_case, "r1"), source(use_case, "r1"))
    assert time.monotonic() - started < 4
    assert said(capsys) == [f"warning: MLflow at {silent_server} is told no more: timed out"]


def test_a_promotion_does_not_fail_where_mlflow_is_down_nor_shows_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (port,) = free_ports(1)
    monkeypatch.setenv(tracking.URI, f"http://ann:secret@127.0.0.1:{port}")
    promote(houses("down"), "r1", number=1)
    assert said(capsys) == [
        f"warning: MLflow at http://127.0.0.1:{port} is told no more: [Errno 111] Connection refused"
    ]


def test_without_a_server_nothing_is_tracked_and_that_is_said_once(capsys: pytest.CaptureFixture[str]):
    train(houses("unset"), "r1")
    promote(houses("unset"), "r1", number=1)
    assert said(capsys) == ["MLFLOW_TRACKING_URI is not set: MLflow is told nothing of this training"]


def test_a_timeout_that_the_user_has_set_is_kept(
    silent_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(tracking.URI, silent_server)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    started = time.monotonic()
    Tracker(houses("patient"), "r1", "f1", FIELD).failed()
    assert 1 <= time.monotonic() - started < 2.5
    assert len(said(capsys)) == 1
