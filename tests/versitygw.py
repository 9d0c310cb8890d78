"""versitygw, a second S3 server that shares no code with MinIO: what works on both asks no more than S3 gives."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from machine import free_ports
from s3_client import s3_client

MODULE = "github.com/versity/versitygw/cmd/versitygw"
VERSION = "v1.7.0"
KEY, SECRET = "versity", "versity-of-the-tests"
STARTS_WITHIN = 20.0  # seconds


def binary() -> Path:
    """The server's executable, built once for all clones of an account."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "regatta" / "bin"
    built = cache / f"versitygw-{VERSION}"
    if not built.exists():
        go = shutil.which("go")
        if go is None:
            pytest.skip("versitygw is built with go, and there is none on PATH")
        into = cache / "versitygw"
        command = [go, "install", "-ldflags=-s -w", f"{MODULE}@{VERSION}"]
        subprocess.run(command, env={**os.environ, "GOBIN": str(into), "CGO_ENABLED": "0"}, check=True)
        (into / "versitygw").replace(built)
        into.rmdir()
    return built


@contextmanager
def versitygw(folder: Path) -> Iterator[dict[str, str]]:
    """A running server with an empty bucket, as the variables by which its only account reaches it."""
    (port,) = free_ports(1)
    objects = folder / "objects"
    objects.mkdir()
    environment = {**os.environ, "ROOT_ACCESS_KEY_ID": KEY, "ROOT_SECRET_ACCESS_KEY": SECRET}
    command = [binary(), "--port", f"127.0.0.1:{port}", "--quiet", "posix", objects]
    with (folder / "versitygw.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(server, port)
        variables = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }
        s3_client(variables).create_bucket(Bucket="regatta")
        yield variables
    finally:
        server.terminate()
        server.wait()


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(f"versitygw did not start: {server.args!r}")
