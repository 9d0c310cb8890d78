"""Where a secret could show: whoever looks while jobs run, and what they leave behind, as text."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow.parquet import read_table

from machine import command_lines

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGES = ("jobs/", "stages/", "environment/", "executors/", "SQL/")
OF_AN_APPLICATION = ("environment", "allexecutors", "jobs", "sql")
PAUSE = 5.0  # seconds: the pages are made by the very job that is looked at


def secrets_of(home: Path) -> dict[str, str]:
    """All that `up` made up in a state folder, by what it is for."""
    root = json.loads((home / "credentials.json").read_text())
    found = {f"root's {name}": value for name, value in root.items()}
    for file in (home / "identities.json", home / "secrets.json"):
        found |= json.loads(file.read_text()) if file.exists() else {}
    return found


class Witness(threading.Thread):
    """Looks at what anybody on this machine can see of jobs: command lines, Spark's pages, its REST answers."""

    def __init__(self, ui_port: int) -> None:
        super().__init__(daemon=True)
        self._root = f"http://127.0.0.1:{ui_port}"
        self._ended = threading.Event()
        self.seen: dict[str, set[str]] = {}

    def run(self) -> None:
        while not self._ended.wait(PAUSE):
            self._note("command lines", command_lines())
            with suppress(OSError, urllib.error.URLError, ValueError):
                for page in PAGES:
                    self._note(f"Spark's page {page}", self._get(page))
                for application in json.loads(self._get("api/v1/applications")):
                    for part in OF_AN_APPLICATION:
                        path = f"api/v1/applications/{application['id']}/{part}"
                        self._note(f"Spark's REST {part}", self._get(path))

    def end(self) -> None:
        self._ended.set()
        self.join()

    def _note(self, place: str, text: str) -> None:
        self.seen.setdefault(place, set()).add(text)

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self._root}/{path}", timeout=5) as answer:
            return str(answer.read().decode())


def left_on_disk(*folders: Path) -> Iterator[tuple[str, str]]:
    """Logs, event logs and databases under the folders: the place, and the text."""
    for folder in folders:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            yield str(file), _text(file.name, file.read_bytes())


def left_in_the_lake(s3: S3Client, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Every object under a prefix: its key, and its content as text."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for stored in page.get("Contents", ()):
            content = s3.get_object(Bucket=bucket, Key=stored["Key"])["Body"].read()
            yield stored["Key"], _text(stored["Key"], content)


def _text(name: str, content: bytes) -> str:
    if name.endswith(".parquet"):
        table = read_table(BytesIO(content))
        return f"{table.schema} {table.to_pylist()}"
    if packed := re.search(r"\.(zstd|zst|gz)$", name):
        with pa.input_stream(
            BytesIO(content), compression={"zstd": "zstd", "zst": "zstd", "gz": "gzip"}[packed[1]]
        ) as read:
            content = read.read()
    return content.decode(errors="replace")


def shown(secrets: Mapping[str, str], places: Iterator[tuple[str, str]]) -> list[str]:
    """Which secret shows where."""
    return [
        f"the secret of {what} shows in {place}"
        for place, text in places
        for what, secret in secrets.items()
        if secret in text
    ]
