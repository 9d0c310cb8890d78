"""Landing: files become a delivery. Each is written once, and there once its record is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from regatta.config import UseCase
from regatta.config.table import Role, Source
from regatta.errors import InputError
from regatta.lake import layout
from regatta.lake.deliveries import deliveries, recorded
from regatta.lake.parquet import scan_parquet
from regatta.lake.records import DeliveredFile, Delivery
from regatta.lake.scan import Progress, Scan, dialect, is_packed, scan
from regatta.lake.store import Store


def land(
    store: Store,
    use_case: UseCase,
    files: Sequence[Path | str],
    *,
    delivery: str,
    role: Role = "train",
    delivered_at: datetime | None = None,
    replaces: str | None = None,
    progress: Progress | None = None,
) -> tuple[Delivery, bool]:
    """Bring files into the lake as one delivery. A landing that broke off is begun anew by the same call.

    Args:
        store: the lake.
        use_case: names the sources and how their files are read.
        files: local paths, or `s3://` URIs of objects that are in the lake already (copied by the server, or
            taken as they are where they stand in the delivery's folder).
        delivery: its id, unique in the use case.
        role: which of the use case's sources it belongs to.
        delivered_at: for history; by default now.
        replaces: an earlier delivery of the same source that this one corrects.
        progress: told bytes as they are read, and once more as they are sent: twice the size of local files.

    Returns:
        The record that stands, and whether this call wrote it; False where the same bytes stand already.

    Raises:
        InputError: a name that cannot stand in the lake, a file that is not there, an id that holds other bytes.
    """
    source = _source(use_case, role)
    folder = layout.raw(source, layout.checked_name(delivery, "delivery"))
    settings = use_case.sources[source]
    given = _given(store, files)
    standing = recorded(store, source, delivery)
    if standing is None:
        _check_ids(store, use_case, source, delivery, replaces)

    scans: dict[str, Scan] = {}
    for file in given:
        scans[file.name] = _scan(store, file, settings, progress)

    if standing is None:
        landed = [_bring(store, file, folder, scans[file.name], progress) for file in given]
        record = Delivery(
            source=source,
            delivery=delivery,
            role=role,
            files=tuple(sorted(landed, key=lambda file: file.name)),
            dialect=dialect(settings),
            delivered_at=delivered_at or datetime.now(UTC),
            replaces=replaces,
        )
        if store.put_new(folder + layout.DELIVERY_RECORD, record.as_bytes()):
            return record, True
        standing = recorded(store, source, delivery)
        assert standing is not None  # the server has just said that it is there
    _check_same(standing, {name: found.sha256 for name, found in scans.items()}, delivered_at, replaces)
    return standing, False


@dataclass(frozen=True)
class _Given:
    """One file to land: its name in the delivery, and where its bytes are."""

    name: str
    place: str
    bytes: int
    open: Callable[[], AbstractContextManager[Any]]
    key: str | None
    """In the lake, for a file that is there already."""


def _given(store: Store, files: Sequence[Path | str]) -> list[_Given]:
    if not files:
        raise InputError("a delivery needs at least one file")
    given = [
        _in_the_lake(store, file) if urlsplit(str(file)).scheme in ("s3", "s3a") else _local(Path(file))
        for file in files
    ]
    places: dict[str, str] = {}
    for file in given:
        if file.name in places:
            raise InputError(
                f"two files of one delivery are named {file.name}",
                place=f"{places[file.name]} and {file.place}",
                way_out="rename one, or land them as two deliveries",
            )
        places[file.name] = file.place
    return given


def _local(path: Path) -> _Given:
    if path.is_dir():
        raise InputError("is a folder", place=str(path), way_out=f"name its files: {path}/*.csv")
    if not path.is_file():
        raise InputError("no such file", place=str(path))
    name = _checked(path.name, str(path))
    return _Given(name, str(path), path.stat().st_size, lambda: path.open("rb"), None)


def _in_the_lake(store: Store, uri: Path | str) -> _Given:
    place = str(uri)
    parts = urlsplit(place)
    path = parts.path.lstrip("/")
    root = urlsplit(store.uri(""))
    prefix = root.path.lstrip("/")
    if parts.netloc != root.netloc or not path.startswith(prefix):
        raise InputError(
            f"is not in the lake ({store.uri('')})",
            place=place,
            way_out="copy it into the lake, or download it and land the local file",
        )
    key = path.removeprefix(prefix)
    stored = store.stat(key)
    if stored is None:
        raise InputError("no such object", place=place)
    name = _checked(key.rpartition("/")[2], place)
    return _Given(name, place, stored.bytes, lambda: closing(store.stream(key)), key)


def _checked(name: str, place: str) -> str:
    try:
        return layout.checked_name(name, "file of a delivery")
    except InputError as error:
        raise InputError(error.fact, place=place, way_out=f"rename it: {error.way_out}") from None


def scan_of(store: Store, key: str, size: int, source: Source, progress: Progress | None = None) -> Scan:
    """Scan an object that is in the lake, as its source's files are to be read."""
    with closing(store.stream(key)) as content:
        if source.format == "csv":
            return scan(content, source.csv, progress, is_packed(key))
        return scan_parquet(content, store.at_any_place(key, size), progress)


def _scan(store: Store, file: _Given, source: Source, progress: Progress | None) -> Scan:
    if file.key is not None:
        return scan_of(store, file.key, file.bytes, source, progress)
    with file.open() as content:
        if source.format == "csv":
            return scan(content, source.csv, progress, is_packed(file.name))
        with Path(file.place).open("rb") as seekable:
            return scan_parquet(content, seekable, progress)


def _bring(store: Store, file: _Given, folder: str, found: Scan, progress: Progress | None) -> DeliveredFile:
    key = folder + file.name
    if file.key is None:
        with file.open() as content:
            store.upload(key, content, progress)
    elif file.key != key:
        store.copy_all([(file.key, key)])
    stored = store.stat(key)
    if stored is None or stored.bytes != found.bytes:
        raise InputError(
            "changed while it was landed", place=file.place, way_out="land it when it is complete"
        )
    return DeliveredFile(
        name=file.name, bytes=found.bytes, sha256=found.sha256, etag=stored.etag, rows=found.rows
    )


def _source(use_case: UseCase, role: Role) -> str:
    source = use_case.source(role)
    if source is None:
        known = ", ".join(sorted({source.role for source in use_case.sources.values()}))
        raise InputError(
            f"{use_case.use_case} has no source with the role {role}",
            way_out=f"its sources have: {known}",
        )
    return source


def _check_ids(store: Store, use_case: UseCase, source: str, delivery: str, replaces: str | None) -> None:
    for other in use_case.sources:
        if other != source and recorded(store, other, delivery):
            raise InputError(
                f"{other} has a delivery {delivery} already",
                way_out="give this one another id: ids are unique in a use case",
            )
    if replaces is not None and (replaces == delivery or recorded(store, source, replaces) is None):
        known = ", ".join(record.delivery for record in deliveries(store, source)[-10:])
        raise InputError(
            f"{source} has no delivery {replaces} that could be replaced",
            place="--replaces",
            way_out=f"the newest are {known}" if known else "it has none yet",
        )


def _check_same(
    standing: Delivery, sha256: dict[str, str], delivered_at: datetime | None, replaces: str | None
) -> None:
    place = f"delivery {standing.delivery} of {standing.source}"
    stands = {file.name: file.sha256 for file in standing.files}
    facts = [
        *(f"{name} stands there with other bytes" for name in sha256 if stands.get(name, "") not in ("", sha256[name])),
        *(f"{name} is not in it" for name in sha256 if name not in stands),
        *(f"{name} is in it, and not here" for name in stands if name not in sha256),
    ]  # fmt: skip
    if facts:
        raise InputError(
            "; ".join(facts),
            place=place,
            way_out=f"a delivery never changes: land this under another id, with --replaces {standing.delivery}"
            " if it corrects that one",
        )
    if replaces not in (None, standing.replaces):
        raise InputError(f"stands already, and does not replace {replaces}", place=place)
    if delivered_at not in (None, standing.delivered_at):
        raise InputError(f"stands already, delivered at {standing.delivered_at.isoformat()}", place=place)
