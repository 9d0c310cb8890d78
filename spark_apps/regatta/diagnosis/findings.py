"""What a look at a few rows tells, and how it is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing: what it is about, what was found, and what to do.

    `stops` tells what will end or spoil the training or promotion from what somebody should merely know.
    """

    subject: str
    fact: str
    way_out: str = ""
    stops: bool = False

    def __str__(self) -> str:
        line = f"{'WRONG' if self.stops else 'note '} {self.subject}: {self.fact}"
        return f"{line}\n      {self.way_out}" if self.way_out else line


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """What stops first."""
    return sorted(findings, key=lambda finding: not finding.stops)
