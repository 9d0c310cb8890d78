"""Deliveries that have landed, by their records: sets of files that arrived together."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from regatta.errors import InputError
from regatta.lake import layout
from regatta.lake.records import Delivery
from regatta.lake.store import Store


def deliveries(store: Store, source: str, as_of: datetime | None = None) -> list[Delivery]:
    """A source's deliveries in the order in which later ones are right, without those that were replaced.

    Args:
        store: the lake.
        source: a folder under raw/.
        as_of: what was delivered later is not there yet, and so replaces nothing.
    """
    visible = [
        record for record in every_delivery(store, source) if as_of is None or record.delivered_at <= as_of
    ]
    replaced = {record.replaces for record in visible}
    return sorted(
        (record for record in visible if record.delivery not in replaced), key=lambda record: record.order
    )


def every_delivery(store: Store, source: str) -> list[Delivery]:
    """All deliveries of a source, the replaced ones too, in the order of their ids."""
    names = store.folders(layout.raw(source))
    contents = store.get_all(layout.raw(source, name) + layout.DELIVERY_RECORD for name in names)
    return [
        _read(store, source, name, content)
        for name, content in zip(names, contents, strict=True)
        if content is not None
    ]


def unrecorded(store: Store, source: str) -> list[str]:
    """Objects under raw/<source>/ that no delivery's record names, as URIs: nothing ever reads them."""
    named = {
        layout.raw(record.source, record.delivery) + file.name
        for record in every_delivery(store, source)
        for file in record.files
    }
    stray = (stored.key for stored in store.files(layout.raw(source)))
    return [
        store.uri(key)
        for key in stray
        if key not in named and not key.endswith(("/", "/" + layout.DELIVERY_RECORD))
    ]


def recorded(store: Store, source: str, delivery: str) -> Delivery | None:
    """The delivery of that id, if its landing has ended."""
    content = store.get(layout.raw(source, delivery) + layout.DELIVERY_RECORD)
    return _read(store, source, delivery, content) if content is not None else None


def _read(store: Store, source: str, delivery: str, content: bytes) -> Delivery:
    """A record as `land` wrote it: whoever may deliver must not, by names that he makes up, decide where others write.

    Raises:
        InputError: it is none.
    """
    try:
        record = Delivery.model_validate_json(content)
        if (record.source, record.delivery) == (source, delivery):
            return record
        fact = f"is the record of {record.source}/{record.delivery}"
    except (ValidationError, InputError) as error:
        fact = str(error).splitlines()[0] if isinstance(error, InputError) else "is no record of a delivery"
    raise InputError(
        f"{fact}, and not what `regatta land` wrote",
        place=store.uri(layout.raw(source, delivery) + layout.DELIVERY_RECORD),
        way_out="remove the folder, and land its files again",
    )
