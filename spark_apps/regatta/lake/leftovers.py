"""What attempts left behind: known, harmless, and removable once nobody can be writing or reading it.

An attempt's own files are needed until they are visible; a job that is alive adds to them, and a reader that came
before they were visible may still read them there. So no object goes that is younger than these:
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from regatta.lake import Lake, layout
from regatta.lake.publication import Publication
from regatta.lake.store import Stored, Upload

QUIET = timedelta(hours=1)
"""Since the last object, for an attempt that has been decided."""
ABANDONED = timedelta(hours=24)
"""For one that has not: its job may be slow, or wait for a lake that does not answer."""


class Fate(StrEnum):
    """What became of an attempt."""

    PUBLISHED = "published"
    NOT_VISIBLE_YET = "published, not visible yet"
    SUPERSEDED = "superseded"
    UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Leftover:
    """What one attempt has in the lake besides what is visible; pending uploads count no bytes.

    A landing that broke off amid a large file is one too: `attempt` is then the folder of its delivery.
    """

    attempt: str
    fate: Fate
    newest: datetime
    objects: Sequence[Stored]
    uploads: Sequence[Upload]

    @property
    def bytes(self) -> int:
        """Of its objects."""
        return sum(stored.bytes for stored in self.objects)

    def is_removable(self, now: datetime) -> bool:
        """Whether nobody can need it any more."""
        age = now - self.newest
        match self.fate:
            case Fate.PUBLISHED | Fate.SUPERSEDED:
                return age >= QUIET
            case Fate.UNFINISHED:
                return age >= ABANDONED
            case Fate.NOT_VISIBLE_YET:
                return False


def leftovers(lake: Lake) -> list[Leftover]:
    """All attempts of a use case, and landings, that left anything in the lake, the oldest first."""
    # The records come last: an attempt that is published meanwhile is then not taken for an unfinished one.
    folder = layout.attempts(lake.use_case.use_case)
    objects: dict[str, list[Stored]] = {}
    for stored in lake.store.objects(folder):
        objects.setdefault(_attempt(stored.key, folder), []).append(stored)
    uploads: dict[str, list[Upload]] = {}
    for upload in lake.store.uploads(folder):
        uploads.setdefault(_attempt(upload.key, folder), []).append(upload)
    published = lake.publications()
    decided = _decided(published)
    found = [
        Leftover(
            attempt,
            _fate(
                lake,
                attempt,
                [one.key for one in (*objects.get(attempt, ()), *uploads.get(attempt, ()))],
                published,
                decided,
            ),
            max(
                [stored.modified for stored in objects.get(attempt, ())]
                + [upload.begun for upload in uploads.get(attempt, ())]
            ),
            objects.get(attempt, ()),
            uploads.get(attempt, ()),
        )
        for attempt in {**objects, **uploads}
    ]
    found += _landings(lake)
    return sorted(found, key=lambda leftover: (leftover.newest, leftover.attempt))


def _landings(lake: Lake) -> list[Leftover]:
    pending: dict[str, list[Upload]] = {}
    for source in lake.use_case.sources:
        for upload in lake.store.uploads(layout.raw(source)):
            pending.setdefault(upload.key.rpartition("/")[0], []).append(upload)
    return [
        Leftover(folder, Fate.UNFINISHED, max(upload.begun for upload in uploads), (), uploads)
        for folder, uploads in pending.items()
    ]


def remove(lake: Lake, leftover: Leftover) -> None:
    """Take its objects and pending uploads out of the lake."""
    for upload in leftover.uploads:
        lake.store.abort(upload)
    lake.store.delete(stored.key for stored in leftover.objects)


def abort_superseded(lake: Lake) -> None:
    """Abort what is pending of attempts whose result another has published.

    Every job does so when it has done its work: a job that was killed amid its commit leaves uploads, which no reader
    sees and every server charges for; they end with the run that did its work. One that is not dead but slow fails in
    its commit, and finds the work done when it begins anew (runtime/job.py).
    """
    folder = layout.attempts(lake.use_case.use_case)
    pending = lake.store.uploads(folder)
    if not pending:
        return
    published = lake.publications()  # after the uploads: what begins meanwhile is not among them
    decided = _decided(published)
    publishers = {record.attempt for record in published.values()}
    for upload in pending:
        attempt = _attempt(upload.key, folder)
        name = upload.key.removeprefix(f"{folder}{attempt}/")
        if attempt not in publishers and name.startswith(decided):
            lake.store.abort(upload)


def _attempt(key: str, folder: str) -> str:
    return key.removeprefix(folder).partition("/")[0]


def _fate(
    lake: Lake,
    attempt: str,
    keys: Sequence[str],
    published: Mapping[str, Publication],
    decided: tuple[str, ...],
) -> Fate:
    if own := [record for record in published.values() if record.attempt == attempt]:
        return Fate.PUBLISHED if all(map(lake.is_visible, own)) else Fate.NOT_VISIBLE_YET
    prefix = layout.attempt(lake.use_case.use_case, attempt)
    names = [name for key in keys if layout.is_data(name := key.removeprefix(prefix))]
    if names and all(name.startswith(decided) for name in names):
        return Fate.SUPERSEDED
    return Fate.UNFINISHED


def _decided(published: Iterable[str]) -> tuple[str, ...]:
    """The folders that records have decided: of a delivery, the accepted and the rejected rows, these in two places."""
    decided = [*published]
    for folder in published:
        if (delivery := folder.removeprefix("accepted/")) != folder:
            decided += [f"rejected/{delivery}", f"accepted/{layout.aside(delivery.rstrip('/'))}/"]
    return tuple(decided)
