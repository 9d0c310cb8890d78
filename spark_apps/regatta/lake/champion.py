"""The champion log: numbered entries, only ever appended; the newest of kind service names the champion.

An entry of kind backfill reigned in the past alone: from its effective instant on, for whoever asks who reigned
then. It never comes into service.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from regatta.errors import InputError
from regatta.lake import layout
from regatta.lake.records import ChampionEntry
from regatta.lake.store import Store


class LostRace(Exception):
    """Somebody else wrote the next entry first: whoever judged by the old champion must judge again."""


class ChampionLog:
    """Reads and appends the entries of one use case."""

    def __init__(self, store: Store, use_case: str) -> None:
        self._store = store
        self._use_case = use_case

    def entries(self) -> list[ChampionEntry]:
        """All entries, the oldest first."""
        keys = [stored.key for stored in self._store.files(f"{self._use_case}/champion/")]
        contents = self._store.get_all(key for key in keys if key.endswith(".json"))
        return [ChampionEntry.model_validate_json(content) for content in contents if content is not None]

    def reigning(self) -> ChampionEntry | None:
        """The entry in service, or None before the first promotion."""
        return _reigning(self.entries())

    def reigned(self, at: datetime) -> ChampionEntry | None:
        """The entry that was in force at an instant of the past, backfills included; None before the first."""
        return _reigned(self.entries(), at)

    def entry(self, number: int) -> ChampionEntry:
        """The entry of that number.

        Raises:
            InputError: if there is none.
        """
        entries = self.entries()
        if found := next((entry for entry in entries if entry.number == number), None):
            return found
        known = f"known are 1 to {len(entries)}" if entries else "nothing has been promoted yet"
        raise InputError(f"there is no champion {number}", place=self._use_case, way_out=known)

    def append(
        self,
        *,
        after: list[ChampionEntry],
        action: Literal["promote", "force"],
        run_id: str,
        metrics: Mapping[str, float | None],
        reason: str,
        backfill: datetime | None = None,
        model: str = layout.MODEL,
    ) -> ChampionEntry:
        """Put a run into service, if the log is still what the decision was taken on.

        Args:
            after: the entries that were read before judging.
            action: whether the gate agreed.
            run_id: the challenger.
            metrics: its figures.
            reason: in words.
            backfill: the instant of the past from which the run reigns there, instead of coming into service.
            model: where in the run its model stands.

        Raises:
            LostRace: if another entry was appended meanwhile.
        """
        reigning = _reigned(after, backfill) if backfill else _reigning(after)
        return self._append(
            ChampionEntry(
                number=_next(after),
                kind="backfill" if backfill else "service",
                action=action,
                run_id=run_id,
                effective=backfill or datetime.now(UTC),
                previous=reigning.number if reigning else None,
                metrics=metrics,
                reason=reason,
                attempt=uuid.uuid4().hex,
                model=model,
            )
        )

    def rollback(self, reason: str, to: int | None = None) -> ChampionEntry:
        """Put an earlier champion back into service, by one more entry. Two rollbacks go back two.

        Args:
            to: the number of the entry to return to; by default the champion before the reigning one.

        Raises:
            InputError: if there is no such champion, or its run is gone.
            LostRace: if another entry was appended meanwhile.
        """
        entries = self.entries()
        by_number = {entry.number: entry for entry in entries if entry.kind == "service"}
        reigning = _reigning(entries)
        if reigning is None:
            raise InputError(
                "there is no champion yet", place=self._use_case, way_out="train and promote first"
            )
        number = reigning.previous if to is None else to
        if number is None:
            raise InputError(
                f"champion {reigning.number} is the first one", way_out="there is nothing before it"
            )
        if number not in by_number:
            raise InputError(
                f"there is no champion {number}", way_out=f"known are {', '.join(map(str, by_number))}"
            )
        target = by_number[number]
        if target.run_id == reigning.run_id:
            raise InputError(f"run {target.run_id} is in service already")
        if self._store.stat(f"{self._use_case}/{layout.run(target.run_id)}{layout.RECORD}") is None:
            raise InputError(
                f"run {target.run_id} of champion {number} is no longer in the lake",
                way_out="return to another one: --to N",
            )
        return self._append(
            ChampionEntry(
                number=_next(entries),
                action="rollback",
                run_id=target.run_id,
                effective=datetime.now(UTC),
                previous=target.previous,
                metrics=target.metrics,
                reason=f"back to champion {number}: {reason}",
                attempt=uuid.uuid4().hex,
                model=target.model,
            )
        )

    def _append(self, entry: ChampionEntry) -> ChampionEntry:
        key = f"{self._use_case}/{layout.champion_entry(entry.number)}"
        if self._store.put_new(key, entry.as_bytes()):
            return entry
        standing = self._store.get(key)
        if standing is not None and ChampionEntry.model_validate_json(standing).attempt == entry.attempt:
            return entry  # our own, whose answer was lost on the way
        raise LostRace


def _next(entries: list[ChampionEntry]) -> int:
    return entries[-1].number + 1 if entries else 1


def _reigning(entries: list[ChampionEntry]) -> ChampionEntry | None:
    return next((entry for entry in reversed(entries) if entry.kind == "service"), None)


def _reigned(entries: list[ChampionEntry], at: datetime) -> ChampionEntry | None:
    then = [entry for entry in entries if entry.effective <= at]
    return max(then, key=lambda entry: (entry.effective, entry.number), default=None)
