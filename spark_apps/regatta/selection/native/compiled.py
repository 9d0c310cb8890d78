"""How the numeric parts are compiled: by numba, once, into a cache that every later process reads.

The cache is keyed by the content of this room's files, all of them together: numba by itself looks at the file
of a function alone, and would go on with a caller compiled against what a changed file no longer says. It works
where the package is imported from a zip (`spark-submit --py-files`), and lies outside of the package, which may
be read-only. Where no folder can be written, each process compiles for itself.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import _CacheLocator


@cache
def sources() -> str:
    """SHA-256 of this room's files, in a folder or in a zip."""
    content = hashlib.sha256()
    room = files("regatta.selection.native")
    for entry in sorted(room.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".py"):
            content.update(entry.name.encode() + b"\0" + entry.read_bytes())
    return content.hexdigest()


@cache
def cache_folder() -> Path | None:
    """Where compiled code is kept, or None where nothing can be written.

    `NUMBA_CACHE_DIR` if set, else `regatta/native` under the user's cache, else the machine's temporary folder.
    """
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "regatta" / "native"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    candidates = [Path(chosen)] if chosen else [own, Path(tempfile.gettempdir()) / f"regatta-{os.getuid()}"]
    for candidate in candidates:
        folder = candidate / sources()[:16]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    return None


class Locator(_CacheLocator):  # type: ignore[misc]
    """Tells numba where the compiled form of one of this room's functions lies (NUMBA_CACHE_LOCATOR_CLASSES)."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._py_file = function.__code__.co_filename  # numba's warnings name it

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> Locator | None:
        """Numba asks for every function with `cache=True`."""
        return cls(py_func) if cache_folder() is not None else None

    def get_cache_path(self) -> str:
        """The folder."""
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        """What the function was compiled from: a function calls those of other files."""
        return sources()

    def get_disambiguator(self) -> str:
        """Tells functions of one name apart."""
        return f"{self._function.__module__.rpartition('.')[2]}-{self._function.__code__.co_firstlineno}"


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function for whatever it is called with.

    It holds no lock while it runs, so that threads of Python run on as many cores; dividing by zero gives what
    IEEE 754 says; indices are not checked. Additions keep their order and no multiplication is fused with one:
    the JVM's results are to be met to the last bit.
    """
    chosen = numba.config.CACHE_LOCATOR_CLASSES
    numba.config.CACHE_LOCATOR_CLASSES = f"{__name__}.{Locator.__name__}"
    try:
        return numba.njit(nogil=True, error_model="numpy", cache=cache_folder() is not None)(function)
    finally:
        numba.config.CACHE_LOCATOR_CLASSES = chosen
