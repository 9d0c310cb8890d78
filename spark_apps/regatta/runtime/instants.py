"""Instants as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from regatta.errors import InputError


def instant(text: str, place: str) -> datetime:
    """An ISO 8601 instant; a bare date means the whole of that day, and no zone means UTC.

    Raises:
        InputError: if it is none; `place` is the flag that it was given by.
    """
    try:
        if len(text) == len("2015-04-30"):
            day = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return day + timedelta(days=1) - timedelta(microseconds=1)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text!r} is no ISO 8601 date or instant", place=place, way_out="such as 2015-04-30"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
