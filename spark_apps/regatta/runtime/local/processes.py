"""Processes that outlive us: started in a session of their own, known again, ended with their children."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_POLL = 0.05

_children: dict[int, subprocess.Popen[bytes]] = {}
"""What this very process started: it has to be reaped here once it ends, or it would look alive."""


@dataclass(frozen=True)
class Process:
    """A process and the moment it started: a pid alone may by now belong to somebody else.

    `started` is opaque, equal for the same process only, across reboots too.
    """

    pid: int
    started: str

    @property
    def is_running(self) -> bool:
        """Whether exactly this process lives; one that took over its pid does not count."""
        return _started(self.pid) == self.started


def start(command: Sequence[str | Path], *, environment: Mapping[str, str], log: Path, cwd: Path) -> Process:
    """Start `command` so that neither Ctrl-C nor our own end reaches it; its output is appended to `log`."""
    with log.open("ab") as sink:
        child = subprocess.Popen(
            [str(word) for word in command],
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    return identify(child.pid) or Process(child.pid, "ended at once")


def identify(pid: int) -> Process | None:
    """The process that has this pid now."""
    started = _started(pid)
    return Process(pid, started) if started else None


def end(process: Process, *, patience: float = 15) -> bool:
    """End a process that `start` began and all of its session: ask, wait `patience` seconds, insist.

    Children that outlived it, because it was killed alone, are ended as well, and so are those that lead process
    groups of their own, as Airflow's tasks do.

    Returns:
        Whether there was anything to end. A process that only shares the pid is left alone.
    """
    # A session keeps its number while a member lives. If nobody has its leader's pid, it is still that session.
    if not process.is_running and (_started(process.pid) is not None or not _groups_of(process.pid)):
        return False
    for order in (signal.SIGTERM, signal.SIGKILL):
        for group in _groups_of(process.pid):
            with suppress(ProcessLookupError):
                os.killpg(group, order)
        if _is_empty(process.pid, patience):
            break
    return True


def _is_empty(session: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        _reap(session)
        if not _groups_of(session):
            return True
        time.sleep(_POLL)
    return False


def _started(pid: int) -> str | None:
    """A token of when `pid` started, None if it does not run (a zombie does not)."""
    _reap(pid)
    if not _PROC.exists():
        return _started_by_ps(pid)
    state = _stat(pid)
    if not state or _is_dead(state):
        return None
    # Clock ticks since boot (proc(5), field 22), so the boot is part of it.
    return f"{(_PROC / 'sys/kernel/random/boot_id').read_text().strip()}:{state[19]}"


def _started_by_ps(pid: int) -> str | None:
    answer = _ps("-o", "state=,lstart=", "-p", str(pid)).split(maxsplit=1)
    return None if len(answer) < 2 or answer[0].startswith("Z") else answer[1].strip()


def _groups_of(session: int) -> set[int]:
    """The process groups of a session in which somebody lives."""
    if not _PROC.exists():  # ps tells no session that could be compared: the leader's own group
        rows = (line.split() for line in _ps("-A", "-o", "pgid=,state=").splitlines())
        return {int(group) for group, state in rows if not state.startswith("Z")} & {session}
    states = (_stat(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit())
    return {int(state[2]) for state in states if state and int(state[3]) == session and not _is_dead(state)}


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on: the second, a name, may hold blanks and brackets."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _is_dead(state: list[str]) -> bool:
    # A zombie with threads still holds its ports; one without only waits for somebody to ask how it ended.
    return state[0] in "ZX" and int(state[17]) <= 1


def _ps(*arguments: str) -> str:
    answer = subprocess.run(
        ["ps", *arguments], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    return answer.stdout


def _reap(pid: int) -> None:
    if pid in _children and _children[pid].poll() is not None:
        del _children[pid]
