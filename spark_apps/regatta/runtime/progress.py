"""What the user sees while work goes on: on a terminal a moving line, elsewhere a plain line now and then."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

SILENCE = 4.0  # seconds without a word before a plain line says that work goes on

console = Console(stderr=True, highlight=False, soft_wrap=True)
"""Progress goes to standard error; standard output is kept for results."""


def say(text: str) -> None:
    """One plain line of progress."""
    console.print(text, markup=False)


def result(text: str) -> None:
    """One line of what was asked for, on standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show that something is under way and when it ended; never silent for more than `SILENCE` seconds."""
    started = time.monotonic()
    if console.is_terminal:
        with console.status(title):
            yield
    else:
        done = threading.Event()
        ticking = threading.Thread(target=_tick, args=(title, started, done), daemon=True)
        ticking.start()
        try:
            yield
        finally:
            done.set()
            ticking.join()
    say(f"{title}: {time.monotonic() - started:.1f} s")


def _tick(title: str, started: float, done: threading.Event) -> None:
    while not done.wait(SILENCE):
        say(f"{title} ... {time.monotonic() - started:.0f} s")
