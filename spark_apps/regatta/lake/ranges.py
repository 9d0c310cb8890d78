"""An object as a file that can be read at any place."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any


class Ranges(io.RawIOBase):
    """Reads an object by asking for the bytes from one position up to, and not including, another."""

    def __init__(self, between: Callable[[int, int], bytes], size: int) -> None:
        self._between, self._size, self._at = between, size, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position, in bytes from the beginning."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; no request is made."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer by one request; 0 at the end."""
        end = min(self._at + len(buffer), self._size)
        piece = self._between(self._at, end) if end > self._at else b""
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
