"""A TCP proxy in front of a lake, that can be told to behave as bad networks and busy servers do."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
PIECE = 65_536
Request = bytes  # the head of one: its first line and its headers


class Proxy:
    """Passes requests on, one connection each, until it is told otherwise.

    Attributes:
        mode: "pass"; "busy" answers 503 to everything; "refuse" closes at once; "hang" takes a request and says nothing.
        swallows: of requests that could be passed on, those that never reach the server.
        loses: of requests that are passed on, those whose answer never arrives, though the server did as asked.
        requests: the first lines of all that came, and `lost` of those whose answer was lost.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self._server = address
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.mode = "pass"
        self.swallows: Callable[[Request], bool] = lambda request: False
        self.loses: Callable[[Request], bool] = lambda request: False
        self.requests: list[str] = []
        self.lost: list[str] = []
        self._hanging: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    def close(self) -> None:
        self.mode = "refuse"
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._hanging:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            if self.mode == "refuse":
                client.close()
                return
            if (whole := self._request(client)) is None:
                client.close()
                return
            head = whole.partition(b"\r\n\r\n")[0]
            line = head.partition(b"\r\n")[0].decode()
            self.requests.append(line)
            if self.mode == "hang":
                self._hanging.append(client)
                return
            with client:
                if self.mode == "busy":
                    client.sendall(BUSY % (len(SLOW_DOWN), SLOW_DOWN))
                elif self.mode == "pass" and not self.swallows(head):
                    self._pass_on(client, head, whole, line)

    def _request(self, client: socket.socket) -> bytes | None:
        """One whole request, with its body."""
        read = b""
        while b"\r\n\r\n" not in read:
            if not (piece := client.recv(PIECE)):
                return None
            read += piece
        head, _, body = read.partition(b"\r\n\r\n")
        if re.search(rb"(?im)^expect: 100-continue", head):
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        due = int(length[1]) if length else 0
        pieces, have = [read], len(body)
        while have < due:
            if not (piece := client.recv(PIECE)):
                return None
            pieces.append(piece)
            have += len(piece)
        return b"".join(pieces)

    def _pass_on(self, client: socket.socket, head: bytes, whole: bytes, line: str) -> None:
        alone = re.sub(rb"(?im)^(connection|expect):[^\r]*\r\n", b"", head + b"\r\n")
        with socket.create_connection(self._server) as server:
            server.sendall(alone + b"Connection: close\r\n\r\n" + whole[len(head) + 4 :])
            lost = self.loses(head)
            while piece := server.recv(PIECE):
                if lost:
                    self.lost.append(line)
                    return  # the server has done it: its answer begins to arrive, and ends here
                client.sendall(piece)


@contextmanager
def proxy_of(endpoint: str) -> Iterator[Proxy]:
    """A proxy in front of the server at an address such as http://127.0.0.1:9000."""
    host, _, port = endpoint.partition("://")[2].partition(":")
    proxy = Proxy((host, int(port)))
    try:
        yield proxy
    finally:
        proxy.close()
