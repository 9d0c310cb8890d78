"""What tests write into a lake without any job: champions that nobody trained, and batches that nobody predicted."""

from __future__ import annotations

from datetime import UTC, datetime

from regatta.config import UseCase, parse
from regatta.lake import Batch, ChampionEntry, Lake, LostRace, layout
from tea import SMALL


def tea_of(name: str) -> UseCase:
    """The small use case under a name, with a source, that no other test has."""
    own = SMALL.replace("use_case: tea", f"use_case: {name}").replace("sales:", f"{name}_sales:")
    return parse(own, "tea.yaml")


def enter(lake: Lake, run_id: str) -> ChampionEntry:
    """Into the log, after whatever stands there, as often as it takes."""
    while True:
        entries = lake.champions.entries()
        try:
            return lake.champions.append(
                after=entries, action="promote", run_id=run_id, metrics={}, reason="a test"
            )
        except LostRace:
            continue


def scored(lake: Lake, batch: str = "one") -> Batch:
    """Write an attempt at a batch of three files; the record that would publish it."""
    attempt, folder = lake.attempt(), layout.batch(1, batch)
    for number in range(3):
        attempt.write(f"{folder}part-{number}.txt", f"{batch} {number}".encode())
    return Batch(
        attempt=attempt.id,
        published_at=datetime.now(UTC),
        files=attempt.files(),
        champion=1,
        run_id="one",
        batch=batch,
        delivery=batch,
        contract="c",
        rows=3,
        scored=3,
        unscorable=0,
    )
