"""What is wrong with one value of a use-case file, before its place in the file is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

Place = tuple[str | int, ...]
"""A path of keys and positions in the file."""


@dataclass(frozen=True)
class Problem:
    """A fact and, where there is one, a way out; the reader of the file adds file, line and key."""

    fact: str
    hint: str = ""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """A hint that names the likeliest of the known names, in capitals or not; "" if none is near."""
    by_lower = {name.lower(): name for name in sorted(known, reverse=True)}
    near = get_close_matches(given.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean {by_lower[near[0]]}?" if near else ""


def nearest_or_all(given: str, known: Iterable[str]) -> str:
    """A hint that names the likeliest of the known names, or all of them if none is near."""
    names = [*known]
    return did_you_mean(given, names) or (f"known are {', '.join(names)}" if 0 < len(names) <= 30 else "")
