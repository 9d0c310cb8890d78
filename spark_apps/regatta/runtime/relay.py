"""A job's standard error as a person wants it: without the hundred lines in which Ivy resolves packages.

spark-submit offers no way to quiet Ivy. Its lines all come before the job's own Python starts, so they are
dropped up to the first line that is not one of them; from there on every byte is passed through untouched. On a
terminal the job gets a terminal of its own, so that its live table works.
"""

from __future__ import annotations

import os
import pty
import re
import sys
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from subprocess import Popen

from regatta.runtime.progress import SILENCE, say

_IVY = re.compile(
    r"""\s*$ | \s*:: | \s*(found|confs:|downloading|\[SUCCESSFUL) | \S+\ added\ as\ a\ dependency$ | Ivy\ Default
    | The\ jars\ for | \s*\S+\#\S+;\S+\ (from|by)\  | \s*-+$ | \s*\|.*\|$ | \s*\d+\ artifacts\ copied
    | WARNING:\ Using\ incubator""",
    re.VERBOSE,
)
_CHUNK = 65_536


def run(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a job and relay its standard error; its standard output is the caller's own.

    Returns:
        The job's exit code.
    """
    with _stderr() as (ours, theirs):
        job = Popen(words, env=dict(environment), stderr=theirs)
        os.close(theirs)
        quiet = threading.Event()
        ticking = threading.Thread(target=_tick, args=(quiet,), daemon=True)
        ticking.start()
        try:
            for chunk in _without_ivy(_chunks(ours)):
                quiet.set()
                os.write(sys.stderr.fileno(), chunk)
            return job.wait()
        except KeyboardInterrupt:  # the job is in our process group and has been told as well
            return job.wait()
        finally:
            quiet.set()


@contextmanager
def _stderr() -> Iterator[tuple[int, int]]:
    """The reading end and the job's end: of a terminal like ours, or of a pipe where ours is none."""
    if sys.stderr.isatty():
        ours, theirs = pty.openpty()
        with suppress(termios.error):
            termios.tcsetwinsize(theirs, termios.tcgetwinsize(sys.stderr.fileno()))
            settings = termios.tcgetattr(theirs)
            settings[1] &= ~termios.OPOST  # the outer terminal turns line feeds into new lines already
            termios.tcsetattr(theirs, termios.TCSANOW, settings)
    else:
        ours, theirs = os.pipe()
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def _chunks(source: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(source, _CHUNK)
        except OSError:  # a terminal whose last writer has gone
            return
        if not chunk:
            return
        yield chunk


def _without_ivy(chunks: Iterator[bytes]) -> Iterator[bytes]:
    waiting = b""
    for chunk in chunks:
        waiting += chunk
        while b"\n" in waiting:
            line, rest = waiting.split(b"\n", 1)
            if not _IVY.match(line.decode(errors="replace").rstrip("\r")):
                break
            waiting = rest
        if b"\n" in waiting or waiting.startswith(b"\x1b"):  # a terminal's control begins no line of Ivy's
            yield waiting
            yield from chunks
            return
    if waiting:
        yield waiting


def _tick(heard: threading.Event) -> None:
    started = time.monotonic()
    while not heard.wait(SILENCE):
        say(f"resolving Spark's packages ... {time.monotonic() - started:.0f} s")
