"""A person is told that a job waits for the lake, and that it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from machine import free_ports
from regatta.runtime import lake_watch
from regatta.runtime.lake_watch import lake_watched


class Refusing(BaseHTTPRequestHandler):
    """As a lake answers who gives no name."""

    status = 403

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


class Busy(Refusing):
    status = 503


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(lake_watch, "say", lines.append)
    monkeypatch.setattr(lake_watch, "PAUSE", 0.02)
    return lines


def served(number: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", number), handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("handler", "reason"), [(None, "[Errno 111] Connection refused"), (Busy, "503 Service Unavailable")]
)
def test_a_lake_that_goes_away_and_comes_back_is_told_once_each(
    said: list[str], handler: type[BaseHTTPRequestHandler] | None, reason: str
) -> None:
    (number,) = free_ports(1)
    address = f"http://127.0.0.1:{number}"
    away = served(number, handler) if handler else None
    with lake_watched(address):
        until(lambda: said)
        time.sleep(0.1)
        if away:
            away.shutdown()
            away.server_close()
        back = served(number, Refusing)
        until(lambda: len(said) > 1)
        back.shutdown()
        back.server_close()
    assert said[0] == f"the lake at {address} does not answer ({reason}): waiting for it"
    assert said[1].startswith("the lake answers again, after 0 s")


def test_of_a_lake_that_answers_nothing_is_said(said: list[str]) -> None:
    server = served(0, Refusing)
    with lake_watched(f"http://127.0.0.1:{server.server_port}"):
        time.sleep(0.3)
    server.shutdown()
    server.server_close()
    assert said == []
