from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from machine import command_lines
from regatta.errors import ExitCode, InputError, Unreachable
from regatta.runtime import memory
from regatta.runtime.doctor import Check, exit_code
from regatta.runtime.local import minio_binary, ports
from regatta.runtime.local.processes import end, start
from regatta.runtime.local.state import StateFolder, held
from regatta.runtime.local.waiting import Heartbeat


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without a MinIO in it."""
    monkeypatch.delenv("REGATTA_MINIO", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_a_build_without_room_is_refused_with_what_is_free(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minio_binary, "DISK_NEEDED", 2**60)

    with pytest.raises(InputError) as refusal:
        minio_binary.minio_binary(print)

    assert re.search(r"building MinIO needs \d+ GB of disk, [\d.]+ GB are free", str(refusal.value))
    assert str(cache) in refusal.value.place
    assert "XDG_CACHE_HOME" in refusal.value.way_out


def test_a_build_that_cannot_download_tells_the_last_word_and_the_log(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(Unreachable, match="MinIO could not be built: ") as failure:
        minio_binary.minio_binary(print)

    assert Path(failure.value.place).read_text().strip().splitlines()[-1] in failure.value.fact
    assert list((cache / "regatta" / "bin").iterdir()) == []


def test_a_minio_of_the_users_own_is_taken_as_it_is(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGATTA_MINIO", "/bin/sh")
    assert minio_binary.minio_binary(print) == Path("/bin/sh").resolve()

    monkeypatch.setenv("REGATTA_MINIO", str(cache))
    with pytest.raises(InputError, match=f"REGATTA_MINIO={cache}: this is no program"):
        minio_binary.minio_binary(print)


def test_who_finds_a_lock_taken_waits_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regatta.runtime.local.waiting.SILENCE", 0.1)
    said: list[str] = []

    def wait() -> None:
        with held(tmp_path / "lock", said.append, "waiting for the other"):
            said.append("mine")

    waiting = threading.Thread(target=wait)
    with held(tmp_path / "lock", print, ""):
        waiting.start()
        while not said:
            time.sleep(0.01)
        assert "mine" not in said
    waiting.join()

    assert said[0] == "waiting for the other: 0 s"
    assert said[-1] == "mine"


def test_a_wait_speaks_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    heartbeat = Heartbeat(said.append, "waiting")
    heartbeat.beat()
    assert said == []

    monkeypatch.setattr("regatta.runtime.local.waiting.SILENCE", 0.0)
    heartbeat.beat("two of three")
    assert said == ["waiting: 0 s, two of three"]


@pytest.mark.parametrize("value", ["ftp", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGATTA_S3_PORT", value)

    with pytest.raises(InputError, match=f"REGATTA_S3_PORT: '{value}' is no port"):
        ports.assign(StateFolder(tmp_path), ports.S3)


def test_no_two_servers_are_given_the_same_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGATTA_S3_PORT", raising=False)
    state = StateFolder(tmp_path)
    state.remember_port("spark-ui", ports.S3.usual)

    assert ports.assign(state, ports.S3) != ports.S3.usual


def test_a_state_folder_is_that_of_the_project_around_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGATTA_HOME", raising=False)
    for name in ("conf", "spark_apps", "notebooks/drafts"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks/drafts")

    assert StateFolder().root == tmp_path / ".regatta"


def test_a_state_file_that_was_spoilt_is_named(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")

    with pytest.raises(
        InputError, match=r"ports\.json: the file is not what `regatta up` wrote\n  remove it"
    ):
        StateFolder(tmp_path).ports()


def test_memory_is_a_share_of_the_machine_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGATTA_DRIVER_MEMORY", raising=False)
    monkeypatch.delenv("REGATTA_EXECUTOR_MEMORY", raising=False)

    assert 1024 <= int(memory.driver_memory().removesuffix("m")) <= 8192
    assert 1024 <= int(memory.executor_memory().removesuffix("m")) <= 4096


def test_memory_is_as_chosen_and_a_choice_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGATTA_DRIVER_MEMORY", "1500m")
    monkeypatch.setenv("REGATTA_EXECUTOR_MEMORY", "lots")

    assert memory.driver_memory() == "1500m"
    with pytest.raises(InputError, match="REGATTA_EXECUTOR_MEMORY: 'lots' is no amount of memory"):
        memory.executor_memory()


def test_a_machine_that_is_not_ready_comes_before_a_lake_out_of_reach() -> None:
    java = Check("Java", "none", ok=False)
    endpoint = Check("endpoint", "none", ok=False, verdict=ExitCode.UNREACHABLE)

    assert exit_code([endpoint]) == ExitCode.UNREACHABLE
    assert exit_code([endpoint, java]) == ExitCode.INPUT
    assert exit_code([Check("disk", "plenty", ok=True)]) == ExitCode.DONE


@pytest.mark.parametrize("leads", ["", "import os; os.setpgid(0, 0); "])
def test_children_of_a_server_that_was_killed_alone_are_ended_with_what_is_left_of_it(
    leads: str, tmp_path: Path
) -> None:
    mark = f"{tmp_path}/child"
    child = f"{leads}import time; time.sleep(600)"
    command = ["sh", "-c", f"{sys.executable} -c '{child}' {mark} & wait; : "]
    process = start(command, environment=os.environ, log=tmp_path / "log", cwd=tmp_path)
    while command_lines().count(mark) < 2:
        time.sleep(0.01)
    time.sleep(0.3)  # it leads a group by then
    os.kill(process.pid, signal.SIGKILL)
    while process.is_running:
        time.sleep(0.01)
    assert mark in command_lines()

    assert end(process)

    assert mark not in command_lines()
    assert not end(process)
