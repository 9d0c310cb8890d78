"""What has been scored, and by whom the next will be. No Spark is needed here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath

from regatta.errors import InputError
from regatta.lake import Batch, ChampionEntry, Ingested, Lake, layout
from regatta.lake.provenance import fingerprint


def batch_id(delivery: str) -> str:
    """Names the scores of a delivery; the prefix keeps Spark from reading a date out of it."""
    return f"delivery-{delivery}"


def forecast_id(deliveries: Sequence[Ingested]) -> str:
    """Names the forecast from deliveries: by the day of the newest and by the content of all of them."""
    newest = max(delivery.delivered_at for delivery in deliveries)
    return f"asof-{newest:%Y-%m-%d}-{fingerprint(deliveries)[:8]}"


def batches(lake: Lake) -> list[Batch]:
    """All that was ever scored, the newest first: by champion, then by when it was published.

    Champions of a backfill come last: what they would have predicted stands in for no prediction that was made.
    """
    entries = {entry.number: entry for entry in lake.champions.entries()}
    found: list[Batch] = []
    for number in entries:
        found += lake.batches.all(f"{PurePosixPath(layout.batch(number, 'any')).parent}/").values()

    def age(batch: Batch) -> tuple[bool, int, datetime]:
        return entries[batch.champion].kind == "service", batch.champion, batch.published_at

    return sorted(found, key=age, reverse=True)


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
