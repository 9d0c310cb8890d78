"""How results become visible: all at once, or not at all.

An attempt writes under `_attempts/<uuid>/`, in the same tree that it will have when visible. One conditional
PUT of a record that names the attempt's files decides. Then exactly those files are copied, inside the
server, to the visible tree. A job that dies between the two leaves a record whose copy any later job
finishes (`settle`). A loser's files never appear.

Readers of the record see whole results at every instant: `paths` names the visible files once they are all
there, and the attempt's own until then. Readers of the plain tree never see a row twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from regatta.errors import InputError
from regatta.lake import layout
from regatta.lake.parquet import rows_of
from regatta.lake.saved import content_of
from regatta.lake.store import COPIES_AT_ONCE, Store


class Record(BaseModel):
    """Something that was written once and is never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def as_bytes(self) -> bytes:
        """The record as it stands in the lake."""
        return self.model_dump_json(indent=2).encode()


class PublishedFile(Record):
    """A file of an attempt: its name relative to the use case, both before and after it became visible.

    `sha256` stands where somebody will load the file and trust it: for the files of a model.
    """

    name: str
    bytes: int
    etag: str
    sha256: str | None = None


class Publication(Record):
    """The base of all records that make an attempt's files visible."""

    attempt: str
    published_at: datetime
    files: tuple[PublishedFile, ...]


P = TypeVar("P", bound=Publication)


class Attempt:
    """One try at producing a result, invisible until published."""

    def __init__(self, store: Store, use_case: str) -> None:
        self.id = uuid.uuid4().hex
        self.started = datetime.now(UTC)
        self._store = store
        self._prefix = layout.attempt(use_case, self.id)

    def uri(self, name: str) -> str:
        """Where Spark writes what will be visible as `<use case>/<name>`."""
        return self._store.uri(self._prefix + name)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file that is not Spark's."""
        self._store.put_new(self._prefix + name, content)

    def copy(self, source: str, target: str) -> None:
        """Put what was written under one prefix under another one too, inside the server."""
        pairs = [(file.name, target + file.name.removeprefix(source)) for file in self.files(source)]
        self._store.copy_all((self._prefix + one, self._prefix + other) for one, other in pairs)

    def files(self, prefix: str = "", hashed: Sequence[str] = ()) -> tuple[PublishedFile, ...]:
        """What the attempt has written under a prefix; what lies in a folder of `hashed`, with its SHA-256.

        That is read back: S3 itself names no hash of an object that came in parts.
        """
        found = list(self._store.files(self._prefix + prefix))
        trusted = [one.key for one in found if one.key.removeprefix(self._prefix).startswith(tuple(hashed))]
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            hashes = dict(
                zip(trusted, pool.map(lambda key: self._store.digest(key, "sha256"), trusted), strict=True)
            )
        return tuple(
            PublishedFile(
                name=stored.key.removeprefix(self._prefix),
                bytes=stored.bytes,
                etag=stored.etag,
                sha256=hashes.get(stored.key),
            )
            for stored in found
        )

    def rows(self, files: Iterable[PublishedFile]) -> int:
        """How many rows the parquet files among some of its own have."""
        return rows_in(self._store, self._prefix, files)

    def saved(self, folder: str) -> str:
        """A hash of what was saved in a folder, whatever saving it drew (`saved.py`)."""
        keys = [one.key for one in self._store.files(self._prefix + folder)]
        return content_of(
            {key.removeprefix(self._prefix + folder): _reader(self._store, key) for key in keys}
        )

    def remove(self) -> None:
        """Take away all that the attempt has written: for one that will not be published."""
        self._store.delete(one.key for one in self._store.objects(self._prefix))


class Published(Generic[P]):
    """All records of one kind under one use case."""

    def __init__(self, store: Store, use_case: str, kind: type[P]) -> None:
        self._store = store
        self._use_case = use_case
        self._kind = kind

    def publish(self, folder: str, record: P) -> tuple[P, bool]:
        """Let the record decide, then make its files visible.

        Args:
            folder: where the record stands, relative to the use case, with a slash at its end.
            record: names the attempt and its files.

        Returns:
            The record that stands, and whether it is this one. Another's means: that work was done already.
        """
        if not self._store.put_new(f"{self._use_case}/{folder}{layout.RECORD}", record.as_bytes()):
            standing = self.get(folder)
            assert standing is not None  # the server has just said that it is there
            if standing.attempt != record.attempt:
                self.settle(standing)
                return standing, False
        self.settle(record)
        return record, True

    def get(self, folder: str) -> P | None:
        """The record of a folder relative to the use case, or None where nothing was published."""
        content = self._store.get(f"{self._use_case}/{folder}{layout.RECORD}")
        return self._kind.model_validate_json(content) if content is not None else None

    def all(self, parent: str) -> dict[str, P]:
        """The records one level under a folder, by the name of that level, in order of the names."""
        names = self._store.folders(f"{self._use_case}/{parent}")
        keys = [f"{self._use_case}/{parent}{name}/{layout.RECORD}" for name in names]
        return {
            name: self._kind.model_validate_json(content)
            for name, content in zip(names, self._store.get_all(keys), strict=True)
            if content is not None
        }

    def settle(self, record: P) -> None:
        """Copy to the visible tree what is not there yet; harmless when all is."""
        missing = self._missing(record)
        prefix = layout.attempt(self._use_case, record.attempt)
        self._store.copy_all((prefix + file.name, f"{self._use_case}/{file.name}") for file in missing)

    def paths(self, record: P, under: str) -> list[str]:
        """URIs of the record's data files under a folder relative to the use case, as Spark can read them.

        Names that begin with an underscore are left out.
        """
        files = [file for file in record.files if file.name.startswith(under) and layout.is_data(file.name)]
        prefix = f"{self._use_case}/"
        if self._missing(record, under):
            prefix = layout.attempt(self._use_case, record.attempt)
        return [self._store.uri(prefix + file.name) for file in files]

    def saved(self, record: P, folder: str) -> str:
        """A hash of what was published in a folder, whatever saving it drew (`saved.py`)."""
        prefix = f"{self._use_case}/"
        if self._missing(record, folder):
            prefix = layout.attempt(self._use_case, record.attempt)
        names = [file.name for file in record.files if file.name.startswith(folder)]
        return content_of({name.removeprefix(folder): _reader(self._store, prefix + name) for name in names})

    def trusted(self, record: P, folder: str) -> str:
        """The URI of a folder of the record that is whole: the visible one, or the attempt's until then.

        Every file in it has been read and is the one that was published.

        Raises:
            InputError: a file is gone, or has another content; with its name.
        """
        prefix = f"{self._use_case}/"
        if self._missing(record, folder):
            prefix = layout.attempt(self._use_case, record.attempt)
        files = [file for file in record.files if file.name.startswith(folder)]
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            found = list(pool.map(lambda file: fault_of(self._store, prefix + file.name, file), files))
        if faults := [
            f"{file.name.removeprefix(folder)} {fault}"
            for file, fault in zip(files, found, strict=True)
            if fault
        ]:
            more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
            raise InputError(
                f"{faults[0]}{more}",
                place=self._store.uri(prefix + folder),
                way_out=f"it is not what was published: `regatta verify {self._use_case}` shows all; "
                "use another run, or train again",
            )
        return self._store.uri(prefix + folder)

    def _missing(self, record: P, under: str = "") -> list[PublishedFile]:
        return missing(self._store, self._use_case, record, under)


def _reader(store: Store, key: str) -> Callable[[], bytes]:
    return lambda: store.get(key) or b""


def missing(store: Store, use_case: str, record: Publication, under: str = "") -> list[PublishedFile]:
    """The files of a record, under a folder, that are not in the visible tree yet."""
    wanted = [file for file in record.files if file.name.startswith(under)]
    if not wanted:
        return []
    there = {
        stored.key.removeprefix(f"{use_case}/"): stored.bytes
        for folder in _outermost({file.name.rpartition("/")[0] + "/" for file in wanted})
        for stored in store.files(f"{use_case}/{folder}")
    }
    return [file for file in wanted if there.get(file.name) != file.bytes]


def fault_of(store: Store, key: str, file: PublishedFile) -> str:
    """What distinguishes an object from the file that was published; empty where nothing does.

    By SHA-256 where the record has it; else by the MD5 that the server gave it as its entity tag. One that was sent in
    parts has none (its tag has a dash): then by size alone.
    """
    stored = store.stat(key)
    if stored is None:
        return "is gone"
    if stored.bytes != file.bytes:
        return f"has {stored.bytes:,} bytes where {file.bytes:,} were published"
    algorithm, published = ("sha256", file.sha256) if file.sha256 else ("md5", file.etag)
    if "-" not in published and store.digest(key, algorithm) != published:
        return "has another content than was published"
    return ""


def rows_in(store: Store, prefix: str, files: Iterable[PublishedFile]) -> int:
    """How many rows the parquet files among some files under a prefix have, by their footers."""
    parquet = (file for file in files if file.name.endswith(".parquet"))
    return sum(rows_of(store.at_any_place(prefix + file.name, file.bytes)) for file in parquet)


def _outermost(folders: set[str]) -> list[str]:
    """The folders that lie in no other of them."""
    outermost: list[str] = []
    for folder in sorted(folders):
        if not outermost or not folder.startswith(outermost[-1]):
            outermost.append(folder)
    return outermost
