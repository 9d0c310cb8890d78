"""A job's output as a person wants it: without the hundred lines in which Ivy resolves packages.

spark-submit hands all that a Python job says, on either stream, to its own standard output, through a pipe; its
standard error carries Ivy and the JVM's errors. So the first is passed through byte by byte, the second line by
line without Ivy, and a job is told by its environment that there is a terminal behind the pipe.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from subprocess import PIPE, Popen
from typing import IO, NoReturn

from regatta.runtime.progress import SILENCE, say

_IVY = re.compile(
    r"""\s*$ | \s*:: | \s*(found|confs:|downloading|\[SUCCESSFUL) | \S+\ added\ as\ a\ dependency$ | Ivy\ Default
    | The\ jars\ for | \s*\S+\#\S+;\S+\ (from|by)\  | \s*-+$ | \s*\|.*\|$ | \s*\d+\ artifacts\ copied
    | WARNING:\ Using\ incubator
    # Ivy asks its second repository for parent files that the first one had; a jar that nobody has ends in an error.
    | You\ probably\ access\ the\ destination | \s+Host\ \S+\ not\ found\.\ url=""",
    re.VERBOSE,
)
_CHUNK = 65_536


def run(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a job, relay what it says, and give back its exit code."""
    with Popen(words, env={**environment, **_terminal()}, stdout=PIPE, stderr=PIPE) as job:
        assert job.stdout is not None
        assert job.stderr is not None
        heard = threading.Event()
        threads = [
            threading.Thread(target=_tell_errors, args=(job.stderr,), daemon=True),
            threading.Thread(target=_tick, args=(heard,), daemon=True),
        ]
        for thread in threads:
            thread.start()
        before = signal.signal(signal.SIGTERM, _leave)
        try:
            while chunk := os.read(job.stdout.fileno(), _CHUNK):
                heard.set()
                os.write(sys.stdout.fileno(), chunk)
        except KeyboardInterrupt:  # the job is in our process group and has been told as well
            pass
        except BaseException:
            job.terminate()  # without us nobody would hear it or wait for it
            raise
        finally:
            signal.signal(signal.SIGTERM, before)
            heard.set()
            for thread in threads:
                thread.join()
        return job.wait()


def _leave(*_: object) -> NoReturn:
    """End as after an exception, and so with the job."""
    sys.exit(128 + signal.SIGTERM)


def _terminal() -> dict[str, str]:
    """What rich needs to know to draw as if it wrote to our terminal itself."""
    if not sys.stdout.isatty():
        return {}
    size = shutil.get_terminal_size()
    return {
        "TTY_COMPATIBLE": "1",
        "TTY_INTERACTIVE": "1",
        "COLUMNS": str(size.columns),
        "LINES": str(size.lines),
    }


def worth_telling(line: str) -> bool:
    """Whether a line of spark-submit's own is more than Ivy's account of what it resolves."""
    return not _IVY.match(line)


def _tell_errors(stderr: IO[bytes]) -> None:
    for line in stderr:
        if worth_telling(line.decode(errors="replace")):
            sys.stderr.buffer.write(line)
            sys.stderr.flush()


def _tick(heard: threading.Event) -> None:
    started = time.monotonic()
    while not heard.wait(SILENCE):
        say(f"spark-submit is starting ... {time.monotonic() - started:.0f} s")
