"""Which deliveries the champion is to score."""

from __future__ import annotations

from datetime import datetime

from regatta.config import UseCase
from regatta.config.table import Role
from regatta.contract.accepted import ingested
from regatta.errors import InputError
from regatta.lake import ChampionEntry, Ingested, Lake, layout
from regatta.lake.deliveries import deliveries
from regatta.scoring.batches import batches


def due(lake: Lake, champion: ChampionEntry, as_of: datetime | None = None) -> list[Ingested]:
    """All deliveries that nobody has scored yet and the newest, less what this champion has scored.

    The oldest first. Deliveries that were replaced, refused or not ingested under this contract are never due.
    A champion in service and one of a backfill know nothing of each other: the first goes by what champions in
    service have scored, the other by what those had scored that reigned until its own day.

    Raises:
        InputError: if the use case has nothing to score from.
    """
    _source(lake.use_case)
    taken = [record for record in ingested(lake, "score", as_of) if not record.refused]
    done = batches(lake)
    peers = {
        entry.number
        for entry in lake.champions.entries()
        if (entry.kind == "service" if champion.kind == "service" else entry.effective <= champion.effective)
    }
    by_anybody = {batch.delivery for batch in done if batch.champion in peers}
    by_this_one = {batch.delivery for batch in done if batch.champion == champion.number}
    wanted = [record for record in taken if record.delivery not in by_anybody or record is taken[-1]]
    return [record for record in wanted if record.delivery not in by_this_one]


def not_ingested(lake: Lake, role: Role = "score", as_of: datetime | None = None) -> list[str]:
    """The ids of landed deliveries of a source that have no verdict under the present contract."""
    source = _source(lake.use_case) if role == "score" else str(lake.use_case.source(role))
    known = {record.delivery for record in ingested(lake, role, as_of)}
    landed = deliveries(lake.store, source, as_of)
    return [one.delivery for one in landed if one.delivery not in known]


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
