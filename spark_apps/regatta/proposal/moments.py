"""Whether texts say when, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

_MOMENTS = (  # as Spark writes a pattern, and as Python does
    ("yyyy-MM-dd", "%Y-%m-%d"),
    ("yyyy-MM-dd HH:mm:ss", "%Y-%m-%d %H:%M:%S"),
    ("yyyy-MM-dd HH:mm", "%Y-%m-%d %H:%M"),
    ("yyyy-MM-dd'T'HH:mm:ss", "%Y-%m-%dT%H:%M:%S"),
    ("d/M/yyyy", "%d/%m/%Y"),
    ("M/d/yyyy", "%m/%d/%Y"),
    ("d.M.yyyy", "%d.%m.%Y"),
    ("d-M-yyyy", "%d-%m-%Y"),
    ("M-d-yyyy", "%m-%d-%Y"),
    ("yyyy/M/d", "%Y/%m/%d"),
    ("yyyyMMdd", "%Y%m%d"),
    ("yyyyMMdd'T'HHmmss", "%Y%m%dT%H%M%S"),
    ("d/M/yy", "%d/%m/%y"),
    ("M/d/yy", "%m/%d/%y"),
    ("d MMM yyyy", "%d %b %Y"),
    ("d-MMM-yyyy", "%d-%b-%Y"),
    ("d-MMM-yy", "%d-%b-%y"),
    ("MMM d, yyyy", "%b %d, %Y"),
    ("MMMM d, yyyy", "%B %d, %Y"),
    ("d/M/yyyy H:mm", "%d/%m/%Y %H:%M"),
    ("M/d/yyyy H:mm", "%m/%d/%Y %H:%M"),
    ("d/M/yyyy H:mm:ss", "%d/%m/%Y %H:%M:%S"),
    ("M/d/yyyy H:mm:ss", "%m/%d/%Y %H:%M:%S"),
    ("d.M.yyyy H:mm", "%d.%m.%Y %H:%M"),
    ("M/d/yyyy h:mm:ss a", "%m/%d/%Y %I:%M:%S %p"),
    ("yyyy-MM", "%Y-%m"),
    ("MMMM-yyyy", "%B-%Y"),
    ("MMMM yyyy", "%B %Y"),
    ("MMM-yyyy", "%b-%Y"),
    ("MMM yyyy", "%b %Y"),
)
_CALENDAR: dict[str, Callable[[datetime], int]] = {
    "year": lambda moment: moment.year,
    "month": lambda moment: moment.month,
    "dayofweek": datetime.weekday,
    "hour": lambda moment: moment.hour,
}
_ISO = {"yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd'T'HH:mm:ss"}
_LOOKED_AT = 500  # texts by which a pattern is chosen


@dataclass(frozen=True)
class Moments:
    """What texts that say when have in common.

    Attributes:
        type: of their values.
        format: Spark's pattern; None where the type is read without one.
        calendar: the SQL functions of the calendar and the clock that do not give the same for all.
        remarks: what a person should know.
    """

    type: Literal["date", "timestamp"]
    format: str | None
    calendar: tuple[str, ...]
    remarks: list[str]


def moments_in(different: Collection[str], mostly: float) -> Moments | None:
    """The first known pattern that at least a share `mostly` of the texts fits, if there is one."""
    texts = [*different][:_LOOKED_AT]
    if not all(6 <= len(text) <= 26 and any(map(str.isdigit, text)) for text in texts):
        return None
    fitting = [
        (pattern, python)
        for pattern, python in _MOMENTS
        if sum(_parsed(text, python) is not None for text in texts) >= mostly * len(texts)
    ]
    if not fitting:
        return None
    pattern, python = fitting[0]
    if "yyyyMMdd" in pattern and not all(text[:2] in ("19", "20") for text in texts):
        return None
    with_clock = ("H" in pattern and not _at_midnight(texts)) or "h" in pattern
    as_it_comes = _ISO if with_clock else {"yyyy-MM-dd"}
    found = [moment for text in different if (moment := _parsed(text, python))]
    remarks = ["Spark reads 98 as 2098"] if re.search(r"(?<!y)yy(?!y)", pattern) else []
    remarks += [f"{other} fits as well" for other, _ in fitting[1:2]]
    return Moments(
        "timestamp" if with_clock else "date",
        None if pattern in as_it_comes else pattern,
        tuple(name for name, part in _CALENDAR.items() if len({*map(part, found)}) > 1),
        remarks,
    )


def _parsed(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern)
    except ValueError:
        return None


def _at_midnight(texts: Collection[str]) -> bool:
    return all(re.search(r"[T ](00:?00(:?00)?)$", text) for text in texts)
