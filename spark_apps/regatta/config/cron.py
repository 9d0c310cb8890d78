"""Cron expressions, as Airflow takes them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from regatta.config.problem import did_you_mean
from regatta.config.strict import Unfit

NAMES = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of the week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)
_ITEM = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


def _cron(text: str) -> str:
    if text in NAMES:
        return text
    if text.startswith("@"):
        hint = did_you_mean(text, NAMES) or f"known are {', '.join(NAMES)}"
        raise Unfit(f"{text!r} is no name of a schedule", hint)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise Unfit(
            f"{text!r} has {len(fields)} fields, and a cron expression has five",
            'minute, hour, day of the month, month, day of the week: "0 4 * * 1" is Mondays at 4',
        )
    for field, (name, least, most, words) in zip(fields, _FIELDS, strict=True):
        if not all(_fits(item, least, most, words) for item in field.split(",")):
            raise Unfit(
                f"{field!r} is no {name} of a cron expression", f"from {least} to {most}, *, a-b or */n"
            )
    return text


def _fits(item: str, least: int, most: int, words: dict[str, int]) -> bool:
    match = _ITEM.fullmatch(item.lower())
    if match is None or match["step"] == "0":
        return False
    ends = [
        words.get(end, int(end) if end.isdigit() else -1) for end in (match["first"], match["last"]) if end
    ]
    return all(least <= end <= most for end in ends) and ends == sorted(ends)


Cron = Annotated[str, AfterValidator(_cron)]
"""Five fields, or one of `NAMES`."""
