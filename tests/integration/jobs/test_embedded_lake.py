from __future__ import annotations

import os
import shlex
import signal
import socket
import stat
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from machine import command_lines, free_ports
from regatta.cli import main
from regatta.errors import ExitCode, InputError, Unreachable
from regatta.runtime.doctor import Check, doctor, exit_code
from regatta.runtime.identities import Identity
from regatta.runtime.local import embedded
from regatta.runtime.local.processes import Process, end, identify
from regatta.runtime.local.state import StateFolder
from s3_client import s3_client


class Lines(list[str]):
    """What was said; to be called like `print`."""

    def __call__(self, line: str) -> None:
        self.append(line)


@pytest.fixture
def said() -> Lines:
    return Lines()


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours, in a session of its own as our servers are."""
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as process:
        yield process
        process.kill()


def test_up_twice_starts_one_minio_and_down_ends_it(own_state: StateFolder, said: Lines) -> None:
    first = embedded.up(mlflow=False, say=said)
    minio = found(own_state.process("minio"))
    second = embedded.up(mlflow=False, say=said)

    assert first == second
    assert own_state.process("minio") == minio
    assert said == [
        f"minio: up, {first['AWS_ENDPOINT_URL']}",
        f"minio: already up, {first['AWS_ENDPOINT_URL']}",
    ]

    said.clear()
    embedded.down(say=said)
    embedded.down(say=said)

    assert said == ["minio: ended", "nothing is up"]
    assert not minio.is_running
    assert embedded.environment(Identity.READER) == {}
    assert {server.state for server in embedded.status()} == {"down"}


def test_the_second_up_finds_what_the_first_one_stored(own_state: StateFolder) -> None:
    environment = embedded.up(mlflow=False, say=print)
    s3_client(environment).put_object(Bucket="regatta", Key="kept", Body=b"1")
    embedded.down(say=print)

    again = embedded.up(mlflow=False, say=print)

    assert again == environment
    assert s3_client(again).get_object(Bucket="regatta", Key="kept")["Body"].read() == b"1"


def test_up_gives_an_older_state_folder_the_accounts_that_it_lacks(own_state: StateFolder) -> None:
    embedded.up(mlflow=False, say=print)
    (own_state.root / "identities.json").unlink()

    with pytest.raises(InputError, match=r"no account for reader yet\n  `regatta up` makes it"):
        embedded.environment(Identity.READER)

    embedded.up(mlflow=False, say=print)
    s3_client(embedded.environment(Identity.READER)).list_objects_v2(Bucket="regatta")


def test_up_lets_the_accounts_work_in_another_lake_as_well(
    own_state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lake in ("s3a://regatta", "s3a://elsewhere/deep/down"):
        monkeypatch.setenv("REGATTA_LAKE", lake)
        embedded.up(mlflow=False, say=print)

    landing = s3_client(embedded.environment(Identity.LANDING))
    for bucket, root in (("regatta", ""), ("elsewhere", "deep/down/")):
        landing.put_object(Bucket=bucket, Key=f"{root}raw/sales/one/tea.csv", Body=b"1")
        assert landing.list_objects_v2(Bucket=bucket, Prefix=f"{root}raw/")["KeyCount"] == 1
    with pytest.raises(ClientError, match="AccessDenied"):
        landing.put_object(Bucket="elsewhere", Key="raw/sales/one/tea.csv", Body=b"1")


def test_a_shell_gets_the_readers_keys_unless_it_asks_for_others(
    own_state: StateFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    embedded.up(mlflow=False, say=print)
    capsys.readouterr()
    for words, identity in ((["env"], Identity.READER), (["env", "--as", "training"], Identity.TRAINING)):
        with pytest.raises(SystemExit):
            main(words)
        told = dict(
            line.removeprefix("export ").split("=", 1) for line in capsys.readouterr().out.splitlines()
        )
        assert {name: shlex.split(value)[0] for name, value in told.items()} == embedded.environment(identity)


def test_a_minio_that_was_killed_is_started_again(own_state: StateFolder) -> None:
    environment = embedded.up(mlflow=False, say=print)
    killed = found(own_state.process("minio"))
    os.kill(killed.pid, signal.SIGKILL)
    while killed.is_running:
        time.sleep(0.01)

    again = embedded.up(mlflow=False, say=print)

    assert again == environment
    assert own_state.process("minio") != killed


def test_mlflow_that_nobody_waited_for_is_waited_for_when_a_training_needs_it(
    own_state: StateFolder, said: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in embedded.up(await_mlflow=False, say=said).items():
        monkeypatch.setenv(name, value)  # as a command does that has read the lake
    assert not any("mlflow" in line for line in said)

    embedded.await_mlflow(say=said)

    assert said[-1].startswith("mlflow: already up")
    assert {one.name: one.state for one in embedded.status()}["mlflow"] == "up"


def test_no_secret_is_on_a_command_line_in_a_log_or_readable_by_others(
    lake_environment: dict[str, str], mlflow_uri: str, spark_cluster: dict[str, str]
) -> None:
    state = StateFolder(Path(lake_environment["REGATTA_HOME"]))
    credentials = state.root / "credentials.json"
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600

    lines = command_lines()
    assert f"server {state.root}/minio" in lines
    assert "deploy.worker.Worker" in lines
    homes = [Path(variables["REGATTA_HOME"]) for variables in (lake_environment, spark_cluster)]
    logs = "".join(path.read_text() for home in homes for path in (home / "logs").iterdir())
    assert "Worker: Successfully registered" in logs
    accounts = [state.credentials(), *map(state.identity, Identity)]
    for secret in (state.credentials().access_key, *(account.secret_key for account in accounts)):
        assert secret not in lines
        assert secret not in logs
    assert all(account.secret_key not in repr(account) for account in accounts)


def test_what_is_stored_through_mlflow_stands_in_the_lake(
    lake_environment: dict[str, str], mlflow_uri: str
) -> None:
    request = urllib.request.Request(
        f"{mlflow_uri}/api/2.0/mlflow-artifacts/artifacts/1/plot.txt", data=b"/\\", method="PUT"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200

    stored = s3_client(lake_environment).get_object(Bucket="regatta", Key="mlflow/1/plot.txt")
    assert stored["Body"].read() == b"/\\"


def test_spark_daemons_hold_no_credentials_in_their_environment(
    lake_environment: dict[str, str], spark_cluster: dict[str, str]
) -> None:
    secret = lake_environment["AWS_SECRET_ACCESS_KEY"].encode()
    state = StateFolder(Path(spark_cluster["REGATTA_HOME"]))
    for name in ("spark-master", "spark-worker-1", "spark-worker-2"):
        process = found(state.process(name))
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert b"SPARK_LOCAL_IP=127.0.0.1" in environment
        assert secret not in environment


def test_down_leaves_a_stranger_alone_who_got_the_recorded_pid(
    own_state: StateFolder, stranger: subprocess.Popen[bytes], said: Lines
) -> None:
    own_state.make()
    own_state.record("minio", Process(stranger.pid, started="at another moment"))

    embedded.down(say=said)

    assert stranger.poll() is None
    assert said == ["nothing is up"]


def test_a_server_is_ended_with_its_children_though_they_do_not_heed_a_polite_request(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; sleep 300 & echo $! > draft; mv draft child; wait"
    with subprocess.Popen(["bash", "-c", stubborn], cwd=tmp_path, start_new_session=True) as parent:
        while not (tmp_path / "child").exists():
            time.sleep(0.01)
        child = int((tmp_path / "child").read_text())
        processes = [found(identify(parent.pid)), found(identify(child))]

        end(processes[0], patience=0.5)

        survivors = [process for process in processes if process.is_running]
        for survivor in survivors:
            os.kill(survivor.pid, signal.SIGKILL)
    assert survivors == []


def test_a_chosen_port_that_is_occupied_is_told_with_the_way_out(
    own_state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        number = somebody.getsockname()[1]
        monkeypatch.setenv("REGATTA_S3_PORT", str(number))

        with pytest.raises(InputError) as refusal:
            embedded.up(mlflow=False, say=print)

    assert str(refusal.value) == (
        f"REGATTA_S3_PORT: port {number} is occupied by another program\n"
        "  set REGATTA_S3_PORT to another port, or unset it and a free one is taken"
    )


def test_a_port_of_last_time_that_is_occupied_now_gives_way_to_a_free_one(
    own_state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGATTA_S3_PORT")
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        own_state.make()
        own_state.remember_port("s3", taken)

        environment = embedded.up(mlflow=False, say=print)

    assert environment["AWS_ENDPOINT_URL"] != f"http://127.0.0.1:{taken}"
    assert own_state.port("s3") != taken


def test_a_lake_of_the_users_own_is_used_and_nothing_is_started(
    own_state: StateFolder, monkeypatch: pytest.MonkeyPatch, said: Lines
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://s3.example.org")

    environment = embedded.up(say=said)

    assert environment == {}
    assert said == [
        "AWS_ENDPOINT_URL is set: https://s3.example.org is the lake, and no server is started for it"
    ]
    assert {server.state for server in embedded.status()} == {"down"}


def test_keys_of_another_lake_in_the_environment_do_not_reach_the_embedded_one(
    own_state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-cloud")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-cloud")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-cloud")

    environment = os.environ | embedded.up(mlflow=False, say=print)

    assert exit_code(doctor(environment)) == ExitCode.DONE


def test_a_server_that_ends_as_it_starts_is_told_with_its_last_words(
    own_state: StateFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "minio"
    broken.write_text("#!/bin/sh\necho no such luck\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("REGATTA_MINIO", str(broken))

    with pytest.raises(Unreachable, match="minio ended as it started: no such luck"):
        embedded.up(mlflow=False, say=print)


def test_the_doctor_finds_nothing_wrong_with_the_real_lake(lake_environment: dict[str, str]) -> None:
    checks = doctor(os.environ | lake_environment)

    assert [check for check in checks if not check.ok] == []
    assert exit_code(checks) == ExitCode.DONE
    assert checks[-1].found == "If-None-Match and If-Match are honoured"
    left = s3_client(lake_environment).list_objects_v2(Bucket="regatta", Prefix="_doctor")
    assert left["KeyCount"] == 0


def test_the_doctor_names_a_closed_port(lake_environment: dict[str, str]) -> None:
    (closed,) = free_ports(1)
    checks = doctor(os.environ | lake_environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed}"})

    assert complaint(checks).found.startswith(f"http://127.0.0.1:{closed} does not answer: ")
    assert exit_code(checks) == ExitCode.UNREACHABLE


@pytest.mark.parametrize(
    ("wrong", "name", "found"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "guessed"}, "credentials", "refused: SignatureDoesNotMatch"),
        ({"REGATTA_LAKE": "s3a://elsewhere"}, "bucket", "elsewhere does not exist"),
        ({"REGATTA_LAKE": "/tmp/lake"}, "lake", "REGATTA_LAKE: '/tmp/lake' is no lake"),
        ({"AWS_ENDPOINT_URL": ""}, "endpoint", "AWS_ENDPOINT_URL is not set, and no embedded lake is up"),
    ],
)
def test_the_doctor_names_what_is_wrong_with_the_lake(
    lake_environment: dict[str, str], wrong: dict[str, str], name: str, found: str
) -> None:
    check = complaint(doctor(os.environ | lake_environment | wrong))

    assert (check.name, check.found) == (name, found)
    assert check.what_to_do


def test_the_doctor_reports_a_server_that_ignores_conditions(
    lake_environment: dict[str, str], server_that_says_yes: str
) -> None:
    checks = doctor(os.environ | lake_environment | {"AWS_ENDPOINT_URL": server_that_says_yes})

    assert complaint(checks).found == "If-None-Match and If-Match not honoured"
    assert exit_code(checks) == ExitCode.INPUT


def test_the_doctor_says_which_java_is_needed(
    lake_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    check = complaint(doctor(os.environ | lake_environment))

    assert check.found == f"Java 17 or 21 is needed: JAVA_HOME ({tmp_path}) holds no bin/java"
    assert "apt install" in check.what_to_do


@pytest.fixture
def server_that_says_yes() -> Iterator[str]:
    """A stand-in for a server that knows no conditional writes: it answers 200 to everything."""

    class Yes(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b"<ListBucketResult></ListBucketResult>" if self.command == "GET" else b""
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Yes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def complaint(checks: list[Check]) -> Check:
    (wrong,) = [check for check in checks if not check.ok]
    return wrong


def found(process: Process | None) -> Process:
    assert process is not None
    return process
