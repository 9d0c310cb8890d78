"""Says when the lake stops answering while a job needs it, and when it answers again.

Whoever reads or writes tries again by itself (boto3, S3A) and in silence; a person then sees only that nothing moves.
"""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from regatta.runtime.progress import say

PAUSE = 5.0  # seconds between two looks
PATIENCE = 10.0  # seconds that an answer may take


@contextmanager
def lake_watched(address: str | None) -> Iterator[None]:
    """Watch the server at an address as long as the block lasts; S3 itself, which has none, is not watched."""
    if address is None:
        yield
        return
    done = threading.Event()
    watching = threading.Thread(target=_watch, args=(address, done), daemon=True, name="lake watch")
    watching.start()
    try:
        yield
    finally:
        done.set()


def _watch(address: str, done: threading.Event) -> None:
    since: float | None = None
    while not done.wait(PAUSE):
        wrong = _wrong_with(address)
        if done.is_set():
            return
        if wrong and since is None:
            since = time.monotonic()
            say(f"the lake at {address} does not answer ({wrong}): waiting for it")
        elif not wrong and since is not None:
            say(f"the lake answers again, after {time.monotonic() - since:.0f} s")
            since = None


def _wrong_with(address: str) -> str:
    """Why the server is no help; empty where it answers anything, be it a refusal: nobody signs this request."""
    try:
        urllib.request.urlopen(address, timeout=PATIENCE).close()
    except urllib.error.HTTPError as answer:
        return f"{answer.code} {answer.reason}" if answer.code >= 500 else ""
    except urllib.error.URLError as error:
        return str(error.reason)
    except OSError as error:
        return str(error) or type(error).__name__
    return ""
