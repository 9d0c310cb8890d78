"""What it costs a training when MLflow is not there: one warning, and three seconds at most."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from machine import free_ports
from regatta.runtime import mlflow_calls
from regatta.runtime.tracking import Tracker
from trainings import FIELD, board, houses, judged, promote, race, run, runs, source, train, until


@pytest.fixture(autouse=True)
def _settings_of_mlflow_end_with_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (mlflow_calls.URI, *mlflow_calls.DEFAULTS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """An MLflow server that the test may hurt: its address and its process group."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
               "--workers", "1", "--backend-store-uri", f"sqlite:///{tmp_path / 'mlflow.db'}"]  # fmt: skip
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (tmp_path / "mlflow.log").open("wb") as log:
        server = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{address}/health"), seconds=120)
        yield address, server.pid
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


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


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was said, but for lines that only tell that something is awaited."""
    return [
        line for line in capsys.readouterr().err.splitlines() if not line.startswith("waiting for MLflow")
    ]


def test_a_server_that_hangs_or_dies_in_the_middle_of_a_race_costs_three_seconds_and_one_warning(
    own_server: tuple[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    address, group = own_server
    monkeypatch.setenv(mlflow_calls.URI, address)
    use_case, client = houses("lost"), MlflowClient(address)
    blows = [(signal.SIGSTOP, "timed out"), (signal.SIGKILL, r".*[Cc]onnection.*")]
    for run_id, (blow, cause) in enumerate(blows):
        tracker = Tracker(use_case, f"r{run_id}", "f1", FIELD)
        tracker.judged(FIELD[run_id], 0, judged(10.0))
        until(lambda: client.get_experiment_by_name("lost"))
        until(lambda candidate=FIELD[run_id]: candidate in runs(client, use_case))
        os.killpg(group, blow)

        started = time.monotonic()
        race(tracker)
        assert time.monotonic() - started < 0.5, "the race itself waits for nothing"
        tracker.finished(board(use_case, "r1"), run(use_case, "r1"), source(use_case, "r1"))
        assert time.monotonic() - started < 4
        (line,) = said(capsys)
        assert re.fullmatch(f"warning: MLflow at {address} is told no more: {cause}", line)
        os.killpg(group, signal.SIGCONT)


def test_a_server_that_never_answers_costs_three_seconds_and_one_warning(
    silent_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(mlflow_calls.URI, silent_server)
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
    monkeypatch.setenv(mlflow_calls.URI, f"http://ann:secret@127.0.0.1:{port}")
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
    monkeypatch.setenv(mlflow_calls.URI, silent_server)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    started = time.monotonic()
    Tracker(houses("patient"), "r1", "f1", FIELD).failed()
    assert 1 <= time.monotonic() - started < 2.5
    assert len(said(capsys)) == 1
