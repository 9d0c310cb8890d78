"""The one place where MLflow is called: beside the work, in order, and until the first failure."""

from __future__ import annotations

import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING

from regatta.runtime.progress import say, step

if TYPE_CHECKING:  # importing mlflow takes seconds
    from mlflow import MlflowClient

URI = "MLFLOW_TRACKING_URI"
PATIENCE = 60.0  # seconds that the end of a training may wait for a server that does answer
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",  # MLflow's own: 120, and 7 retries
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # a request repeated after a timeout would begin a second run
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # standard output is kept for results
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""Set where the user has not."""

Call = Callable[["MlflowClient"], None]


class Calls:
    """Calls to an MLflow server, one after the other in a thread of their own, until one fails."""

    def __init__(self, uri: str) -> None:
        for name, value in DEFAULTS.items():
            os.environ.setdefault(name, value)
        self._uri = uri
        self._waiting: SimpleQueue[Call | None] = SimpleQueue()
        self._gave_up = threading.Lock()  # held from the one warning on
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def send(self, call: Call) -> None:
        """Make the call after all that were sent before; after a failure, never."""
        self._waiting.put(call)

    def close(self) -> None:
        """Wait until all calls were made or one failed, for `PATIENCE` at most."""
        self._waiting.put(None)
        self._thread.join(1)
        if self._thread.is_alive():
            with step("waiting for MLflow"):
                self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._give_up(f"not done after {PATIENCE:.0f} s")

    def _work(self) -> None:
        try:
            _knock(self._uri)
            from mlflow import MlflowClient

            client = MlflowClient(self._uri)
            while (call := self._waiting.get()) is not None and not self._gave_up.locked():
                call(client)
        except Exception as error:  # whatever becomes of MLflow, the training goes on
            self._give_up(_cause(error))

    def _give_up(self, why: str) -> None:
        if self._gave_up.acquire(blocking=False):
            say(f"warning: MLflow at {_without_password(self._uri)} is told no more: {why}")


def _knock(uri: str) -> None:
    """Fail fast where nobody answers: importing mlflow takes longer than finding that out."""
    if uri.startswith("http://"):  # mlflow alone knows the user's certificates for the others
        timeout = float(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"])
        with suppress(urllib.error.HTTPError):  # any answer is one
            urllib.request.urlopen(f"{_without_password(uri).rstrip('/')}/health", timeout=timeout).close()


def _cause(error: BaseException) -> str:
    """What lies at the bottom of an exception, in one line: mlflow wraps four others around a refusal."""
    while inner := error.__cause__ or error.__context__ or _argument(error):
        error = inner
    lines = _without_password(str(error)).splitlines()
    return lines[0] if lines else type(error).__name__


def _argument(error: BaseException) -> BaseException | None:
    # urllib3's ProtocolError names its cause only there
    return next((value for value in error.args if isinstance(value, BaseException)), None)


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//", text)
