"""The state folder: all that the embedded servers of one machine keep between `up` and `down`."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from regatta.errors import InputError
from regatta.runtime.identities import Identity
from regatta.runtime.local.processes import Process
from regatta.runtime.local.waiting import Heartbeat, Say


def project_root() -> Path:
    """The nearest folder, from here upwards, that holds conf/ and spark_apps/; else this folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "conf").is_dir() and (folder / "spark_apps").is_dir():
            return folder
    return here


@dataclass(frozen=True)
class Credentials:
    """An account of the embedded lake."""

    access_key: str
    secret_key: str = field(repr=False)


class StateFolder:
    """`REGATTA_HOME`, else `.regatta` in the project. Made when first needed, ignored by git.

    Args:
        root: the folder; by default as above.
    """

    def __init__(self, root: Path | None = None) -> None:
        chosen = os.environ.get("REGATTA_HOME")
        self.root = (root or (Path(chosen) if chosen else project_root() / ".regatta")).resolve()

    def make(self) -> None:
        """Make the folder and what it always holds.

        Raises:
            InputError: it cannot be made there.
        """
        try:
            for name in ("pids", "logs", "minio", "work"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            (self.root / ".gitignore").write_text("*\n")
        except OSError as fault:
            raise InputError(
                f"the state folder cannot be made: {fault.strerror}",
                place=str(self.root),
                way_out="set REGATTA_HOME to a folder of yours",
            ) from fault

    @contextmanager
    def locked(self, say: Say) -> Iterator[None]:
        """Hold the folder for one `up` or `down` at a time."""
        self.make()
        with held(self.root / "lock", say, "waiting for another `regatta up` or `down`"):
            yield

    def credentials(self) -> Credentials:
        """Of MinIO's root, made up on first use and kept in a file that only its owner can read."""
        path = self.root / "credentials.json"
        if not path.exists():
            fresh = Credentials(access_key=secrets.token_hex(10), secret_key=secrets.token_urlsafe(30))
            _write(path, asdict(fresh))
        return Credentials(**_read(path))

    def identity(self, identity: Identity) -> Credentials:
        """The account of one kind of work.

        Raises:
            InputError: the lake was last started by a version that knew of none.
        """
        if identity not in (kept := _read(self._identities)):
            raise InputError(
                f"the lake here has no account for {identity} yet",
                place=str(self._identities),
                way_out="`regatta up` makes it",
            )
        return Credentials(str(identity), kept[identity])

    def make_identities(self) -> bool:
        """Make up the secret of each identity that has none, kept as root's is; say whether there was one."""
        kept = _read(self._identities)
        fresh = {str(one): secrets.token_urlsafe(30) for one in Identity if one not in kept}
        if fresh:
            _write(self._identities, {**kept, **fresh})
        return bool(fresh)

    @property
    def _identities(self) -> Path:
        return self.root / "identities.json"

    def secret(self, name: str) -> str:
        """A secret of 64 bytes that servers share, made up on first use and kept as the accounts are."""
        path = self.root / "secrets.json"
        if name not in _read(path):
            _write(path, {**_read(path), name: secrets.token_urlsafe(64)})
        return str(_read(path)[name])

    def port(self, name: str) -> int | None:
        """The port a server was last given."""
        return _read(self.root / "ports.json").get(name)

    def ports(self) -> dict[str, int]:
        """Every port that was given, by name."""
        return dict(_read(self.root / "ports.json"))

    def remember_port(self, name: str, port: int) -> None:
        """Keep a port, so that addresses stay the same from one `up` to the next."""
        _write(self.root / "ports.json", self.ports() | {name: port})

    def process(self, name: str) -> Process | None:
        """The process recorded for a server, which may have ended since."""
        recorded = _read(self._pid_file(name))
        return Process(**recorded) if recorded else None

    def record(self, name: str, process: Process) -> None:
        """Note who runs a server."""
        _write(self._pid_file(name), asdict(process))

    def forget(self, name: str) -> None:
        """Note that a server does not run."""
        self._pid_file(name).unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        """Where a server's output goes."""
        return self.root / "logs" / f"{name}.log"

    def _pid_file(self, name: str) -> Path:
        return self.root / "pids" / f"{name}.json"


@contextmanager
def held(lock: Path, say: Say, meanwhile: str) -> Iterator[None]:
    """Hold a file as a lock between processes; the kernel lets go of it when its holder dies.

    Args:
        lock: the file, made if need be.
        say: told every few seconds that `meanwhile` goes on, while somebody else holds it.
        meanwhile: what the wait is for.
    """
    heartbeat = Heartbeat(say, meanwhile)
    with lock.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                heartbeat.beat()
                time.sleep(0.1)
        yield


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as fault:
        raise InputError(
            "the file is not what `regatta up` wrote", place=str(path), way_out="remove it"
        ) from fault
    return dict(content)


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write for the owner's eyes, and whole: a reader sees the old content or the new."""
    draft = path.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        json.dump(content, handle)
    draft.replace(path)
