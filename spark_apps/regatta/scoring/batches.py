"""What has been scored, and what is due. No Spark is needed here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from regatta.config import UseCase
from regatta.errors import InputError
from regatta.lake import Batch, ChampionEntry, Ingested, Lake, layout
from regatta.lake.deliveries import deliveries


def batch_id(delivery: str) -> str:
    """Names the scores of a delivery; the prefix keeps Spark from reading a date out of it."""
    return f"delivery-{delivery}"


def batches(lake: Lake) -> list[Batch]:
    """All that was ever scored, the newest first: by champion, then by when it was published."""
    found: list[Batch] = []
    for number in range(1, len(lake.champions.entries()) + 1):
        found += lake.batches.all(f"{PurePosixPath(layout.batch(number, 'any')).parent}/").values()
    return sorted(found, key=lambda batch: (batch.champion, batch.published_at), reverse=True)


def in_service(lake: Lake) -> ChampionEntry:
    """The reigning champion.

    Raises:
        InputError: before the first promotion.
    """
    if (reigning := lake.champions.reigning()) is None:
        name = lake.use_case.use_case
        raise InputError(
            "there is no champion yet",
            place=name,
            way_out=f"regatta train {name}, then regatta promote {name}",
        )
    return reigning


@dataclass(frozen=True)
class Due:
    """Deliveries for a champion to score, the oldest first, and the ids of those that are not ingested yet."""

    deliveries: list[Ingested]
    not_ingested: list[str]


def due(lake: Lake, champion: ChampionEntry, as_of: datetime | None = None) -> Due:
    """All deliveries that nobody has scored yet and the newest, less what this champion has scored.

    Deliveries that were replaced or refused are never due.

    Raises:
        InputError: if the use case has nothing to score from.
    """
    landed = deliveries(lake.store, _source(lake.use_case), as_of)
    ingested = {
        record.delivery: record
        for record in lake.ingested.all(layout.accepted(lake.use_case.contract)).values()
    }
    taken = [record for one in landed if (record := ingested.get(one.delivery)) and not record.refused]
    done = batches(lake)
    by_anybody = {batch.delivery for batch in done}
    by_this_one = {batch.delivery for batch in done if batch.champion == champion.number}
    newest = taken[-1:]
    wanted = [record for record in taken if record.delivery not in by_anybody or record in newest]
    return Due(
        deliveries=[record for record in wanted if record.delivery not in by_this_one],
        not_ingested=[one.delivery for one in landed if one.delivery not in ingested],
    )


def named(lake: Lake, delivery: str) -> Ingested:
    """The delivery of that name.

    Raises:
        InputError: if it is not there to score, was replaced, refused, or not ingested under this contract.
    """
    use_case, place = lake.use_case, f"delivery {layout.checked_name(delivery, 'delivery')}"
    name, source = use_case.use_case, _source(use_case)
    record = lake.ingested.get(layout.accepted(use_case.contract, delivery))
    if lake.store.stat(layout.raw(source, delivery) + layout.DELIVERY_RECORD) is None:
        raise InputError(
            f"is not in raw/{source}/",
            place=place,
            way_out=f"regatta land {name} FILE --role score --delivery {delivery}",
        )
    if delivery not in {one.delivery for one in deliveries(lake.store, source)}:
        raise InputError("was replaced by a later one", place=place, way_out="score that one")
    if record is None:
        raise InputError("has not been ingested", place=place, way_out=f"regatta ingest {name}")
    if record.refused:
        raise InputError(
            f"was refused whole when it was ingested: {record.refused}",
            place=place,
            way_out=f"land a corrected one under another id, with --replaces {delivery}",
        )
    return record


def _source(use_case: UseCase) -> str:
    if (source := use_case.source("score")) is None:
        raise InputError(
            "no source has the role score", place=use_case.use_case, way_out="add one under sources"
        )
    return source
