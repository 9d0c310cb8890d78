"""Where a run came from: the bytes that went in, the configuration, the code."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from regatta.config import UseCase
from regatta.config.digest import digest
from regatta.lake.records import Ingested

DECIDE_FIGURES = ("config", "contract", "evaluation/metrics.py", "features", "panels", "selection")
CHANGE_NO_MODEL = {
    "title",
    "grain",
    "gate",
    "schedule",
    "engine",
    "max_candidates",
}  # so they make no new run


def fingerprint(deliveries: Iterable[Ingested]) -> str:
    """Of the content of all files that were read, whatever their names, places and times."""
    return digest(sorted(sha for delivery in deliveries for sha in delivery.sha256.values()))


def code_version() -> str:
    """Of the sources that decide a figure, in a folder or in the zip that a cluster gets."""
    sources = hashlib.sha256()
    for place in DECIDE_FIGURES:
        for name, content in _sources(files("regatta") / place, place):
            sources.update(f"{name}\0".encode() + content)
    return sources.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Of what the numbers depend on besides our code."""
    return {
        "python": platform.python_version(),
        "pyspark": version("pyspark"),
        "holidays": version("holidays"),
    }


def run_id(use_case: UseCase, as_of: datetime, fingerprint: str, code: str) -> str:
    """The same training is the same run: its newest delivery's day, and a hash of all that decides it."""
    said = use_case.model_dump(mode="json", exclude=CHANGE_NO_MODEL)
    return f"{as_of:%Y-%m-%d}-{digest([fingerprint, said, code, versions()])[:8]}"


def _sources(entry: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    if entry.is_dir():
        for inner in sorted(entry.iterdir(), key=lambda inner: inner.name):
            yield from _sources(inner, f"{name}/{inner.name}")
    elif name.endswith(".py"):
        yield name, entry.read_bytes()
