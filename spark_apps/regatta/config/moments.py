"""Datetime patterns, as people write them and as Spark reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from regatta.config.problem import Problem

_PARTS = re.compile(r"'[^']*'|[^']+|'")
_BETWEEN_DAY_AND_YEAR = re.compile(r"d+\W*m+\W*y+|y+\W*m+\W*d+")
_STRFTIME = {
    "%Y": "yyyy", "%y": "yy", "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm", "%S": "ss", "%I": "hh", "%p": "a",
    "%b": "MMM", "%B": "MMMM", "%f": "SSSSSS", "%j": "DDD", "%a": "E", "%A": "EEEE", "%z": "Z",
}  # fmt: skip


def pattern_problems(pattern: str, kind: str) -> Iterator[Problem]:
    """What is surely wrong with a pattern for a date or timestamp; Spark itself tries it before it reads rows."""
    if "%" in pattern:
        yield Problem("is Python's way to write a pattern, and Spark's is another", _as_pattern(pattern))
        return
    parts = _PARTS.findall(pattern)
    meant = "".join(part if part.startswith("'") else _meant(part, kind, _letters(parts)) for part in parts)
    if meant != pattern:
        yield Problem(
            "is not a pattern as Spark reads it (y year, M month, d day, m minute)", f"write {meant}"
        )


def _letters(parts: list[str]) -> set[str]:
    return {letter for part in parts if not part.startswith("'") for letter in part}


def _meant(part: str, kind: str, letters: set[str]) -> str:
    """A part without quotes, with years of weeks, Portuguese years and minutes for months set right."""
    part = part.replace("Y", "y")
    if kind == "date" and not letters & {*"hHK"}:
        part = re.sub("a{2,}", lambda run: "y" * len(run[0]), part)
    if "M" not in letters and (kind == "date" or not letters & {*"hHkK"}):
        part = part.replace("m", "M")
    elif "M" not in letters:
        part = _BETWEEN_DAY_AND_YEAR.sub(lambda run: run[0].replace("m", "M"), part)
    return part.replace("D", "d") if "d" not in letters and letters & {*"mM"} else part


def _as_pattern(strftime: str) -> str:
    written = re.sub(r"%.", lambda code: _STRFTIME.get(code[0], code[0]), strftime.replace("T", "'T'"))
    return "see Spark's datetime patterns" if "%" in written else f"write {written}"
