"""Is everything that was published still there, as it was, and does it add up? Reads all of it; changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from regatta.lake import Lake, layout
from regatta.lake.deliveries import every_delivery
from regatta.lake.publication import Publication, PublishedFile, fault_of, rows_in
from regatta.lake.records import Batch, ChampionEntry, Delivery, Ingested, Run

READ_AT_ONCE = 8
VISIBLE = ("accepted/", "rejected/", "runs/", "scores/")
"""Where a plain reader finds files, relative to the use case."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was published: where, as a URI, and what."""

    place: str
    fact: str

    def __str__(self) -> str:
        return f"{self.place}: {self.fact}"


@dataclass(frozen=True)
class Audit:
    """What was looked at, by kind, and what was found wrong."""

    looked_at: Mapping[str, int]
    findings: tuple[Finding, ...]


def audit(lake: Lake) -> Audit:
    """Walk deliveries, results and the champion log of a use case.

    Every file is read and compared with its record (`publication.fault_of` says by what), rows of parquet are
    counted by their footers, and accepted + rejected must be what was delivered, scored + unscorable what was accepted.
    """
    looked_at: Counter[str] = Counter()
    published = lake.publications()
    checks: list[Callable[[], list[Finding]]] = []
    for source in lake.use_case.sources:
        for delivery in every_delivery(lake.store, source):
            looked_at["deliveries"] += 1
            looked_at["files"] += len(delivery.files)
            checks.append(partial(_delivered, lake, delivery))
    kinds = {Ingested: "verdicts on deliveries", Run: "runs", Batch: "batches"}
    for folder, record in published.items():
        looked_at[kinds[type(record)]] += 1
        looked_at["files"] += len(record.files)
        checks.append(partial(_published, lake, folder, record))
    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        found = [finding for findings in pool.map(lambda check: check(), checks) for finding in findings]
    found += _unnamed(lake, published)
    entries = lake.champions.entries()
    looked_at["champions"] = len(entries)
    found += _log(lake, entries, published)
    return Audit(dict(looked_at), tuple(found))


def _delivered(lake: Lake, delivery: Delivery) -> list[Finding]:
    folder = layout.raw(delivery.source, delivery.delivery)
    as_published = (PublishedFile(**file.model_dump(exclude={"rows"})) for file in delivery.files)
    faults = ((file.name, fault_of(lake.store, folder + file.name, file)) for file in as_published)
    return [Finding(lake.store.uri(folder + name), fault) for name, fault in faults if fault]


def _published(lake: Lake, folder: str, record: Publication) -> list[Finding]:
    name = f"{lake.use_case.use_case}/"
    found = []
    for file in record.files:
        if fault := fault_of(lake.store, name + file.name, file):
            own = layout.attempt(lake.use_case.use_case, record.attempt)
            waits = fault == "is gone" and not fault_of(lake.store, own + file.name, file)
            fact = "is not visible yet: any job of the same verb will finish that" if waits else fault
            found.append(Finding(lake.uri(file.name), fact))
    if not found:  # what is gone cannot be counted
        found += [Finding(lake.uri(folder), fact) for fact in _accounting(lake, record)]
    return found


def _accounting(lake: Lake, record: Publication) -> Iterator[str]:
    """In words, each sum that does not come out."""

    def rows(prefix: str) -> int:
        files = (one for one in record.files if one.name.startswith(prefix))
        return rows_in(lake.store, f"{lake.use_case.use_case}/", files)

    match record:
        case Ingested(refused=None):
            if record.accepted + record.rejected != record.rows:
                yield (
                    f"{record.accepted:,} accepted and {record.rejected:,} rejected are not the {record.rows:,} rows"
                    " that were delivered"
                )
            for what, number in (("accepted", record.accepted), ("rejected", record.rejected)):
                if (there := rows(f"{what}/")) != number:
                    yield f"{number:,} rows were {what}, and its files have {there:,}"
        case Batch():
            if record.scored + record.unscorable != record.rows:
                yield (
                    f"{record.scored:,} scored and {record.unscorable:,} unscorable are not the {record.rows:,} rows"
                    " that there were"
                )
            due = record.scored if record.as_of is None else record.rows
            if (there := rows("scores/")) != due:
                yield f"{due:,} rows are due, and its files have {there:,}"
        case Run():
            held_out = record.rows.get("held_out")
            if held_out is not None and (there := rows(f"{layout.run(record.run_id)}holdout/")) != held_out:
                yield f"{held_out:,} rows were held out, and its holdout has {there:,}"


def _unnamed(lake: Lake, published: Mapping[str, Publication]) -> list[Finding]:
    """What a plain reader would read and no record knows."""
    named = {file.name for record in published.values() for file in record.files}
    use_case = f"{lake.use_case.use_case}/"
    return [
        Finding(lake.store.uri(stored.key), "no record names it, and a plain reader reads it")
        for folder in VISIBLE
        for stored in lake.store.files(use_case + folder)
        if stored.key.removeprefix(use_case) not in named and layout.is_data(stored.key)
    ]


def _log(lake: Lake, entries: Sequence[ChampionEntry], published: Mapping[str, Publication]) -> list[Finding]:
    found = []
    for due, entry in enumerate(entries, 1):
        place = lake.uri(layout.champion_entry(entry.number))
        if entry.number != due:
            found.append(Finding(place, f"is number {entry.number} where {due} is due"))
        run = published.get(layout.run(entry.run_id))
        model = f"{layout.run(entry.run_id)}{entry.model}/"
        if run is None:
            found.append(Finding(place, f"its run {entry.run_id} is gone"))
        elif not any(file.name.startswith(model) for file in run.files):
            found.append(Finding(place, f"its run {entry.run_id} has no {entry.model}"))
    return found
