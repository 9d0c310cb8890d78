"""What a user is told when something is wrong: a fact, a place and a way out.

A `RegattaError` is an answer, shown without a traceback; anything else that escapes is a bug of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a verb's process ends with, so that a scheduler can tell a retry from a person's mistake."""

    DONE = 0  # also: there was nothing to do
    BUG = 1
    INPUT = 2  # the user's file, flag or data is wrong; trying again will not help
    REFUSED = 3  # the gate said no
    UNREACHABLE = 4  # lake or cluster out of reach; trying again may help


class RegattaError(Exception):
    """The base of all that a user can cause or mend.

    Args:
        fact: what is wrong, in one sentence.
        place: where, as a path, `file:line`, column or flag; empty when the fact names it.
        way_out: what to do about it; empty when the fact says it.
    """

    exit_code = ExitCode.INPUT

    def __init__(self, fact: str, *, place: str = "", way_out: str = "") -> None:
        self.fact = fact
        self.place = place
        self.way_out = way_out
        super().__init__(str(self))

    def __str__(self) -> str:
        first = f"{self.place}: {self.fact}" if self.place else self.fact
        return f"{first}\n  {self.way_out}" if self.way_out else first


class InputError(RegattaError):
    """The user's file, flag or data is wrong."""


class Refused(RegattaError):
    """The gate said no: an answer, not a failure."""

    exit_code = ExitCode.REFUSED


class Unreachable(RegattaError):
    """The lake, the cluster or a server of it does not answer."""

    exit_code = ExitCode.UNREACHABLE


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one input: `place` is `file:line`, `subject` the dotted key or column."""

    place: str
    subject: str
    fact: str
    hint: str = ""

    def __str__(self) -> str:
        subject = f"{self.subject}: " if self.subject else ""
        line = f"{self.place}: {subject}{self.fact}"
        return f"{line}\n  {self.hint}" if self.hint else line


class FaultyInput(InputError):
    """Everything that is wrong with one input, reported together."""

    def __init__(self, title: str, faults: list[Fault]) -> None:
        self.title = title
        self.faults = faults
        super().__init__(title)

    def __str__(self) -> str:
        return "\n".join([self.title, *map(str, self.faults)])
