"""A wait that shows it is alive."""

from __future__ import annotations

import time
from collections.abc import Callable

Say = Callable[[str], None]

SILENCE = 4.0
"""Seconds after which a wait says something."""


class Heartbeat:
    """Says `what: 12 s, detail` whenever nothing was said for `SILENCE` seconds.

    Args:
        say: where lines go.
        what: what is being waited for.
    """

    def __init__(self, say: Say, what: str) -> None:
        self._say = say
        self._what = what
        self._began = self._said = time.monotonic()

    def beat(self, detail: str = "") -> None:
        """Call this often: several times a second is cheap."""
        now = time.monotonic()
        if now - self._said < SILENCE:
            return
        self._said = now
        self._say(f"{self._what}: {now - self._began:.0f} s" + (f", {detail}" if detail else ""))
