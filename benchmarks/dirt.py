"""Dirt sown at known places into the houses of `half_million_houses`: what exactly is to be rejected, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from half_million_houses import LABEL, LAW, csv_chunks

EVERY = 97
"""Of so many rows one is dirty, each with the next kind of dirt."""
COLUMNS = [*LAW, LABEL]


def _with(column: str, value: str) -> Callable[[list[str]], list[str]]:
    at = COLUMNS.index(column)
    return lambda cells: [*cells[:at], value, *cells[at + 1 :]]


DIRT: dict[str, Callable[[list[str]], list[str]]] = {
    "Area: is not a whole number": _with("Area", "many"),
    "Area: must be at most 249": _with("Area", "250"),
    "Garage: is not a whole number": _with("Garage", '"1,5"'),
    "City: must be at least 1": _with("City", "0"),
    "Fiber: must be one of 0, 1": _with("Fiber", "2"),
    "Prices: is not a whole number": _with(LABEL, "NaN"),
    "Prices: must be above 0": _with(LABEL, "-1"),
    "exactly one marble": lambda cells: [*cells[:4], "1", "1", *cells[6:]],
    "has 15 values where 16 are due": lambda cells: cells[:-1],
    "has 17 values where 16 are due": lambda cells: [*cells, "1"],
    "repeats the header": lambda cells: COLUMNS,
}
"""By the reason that the row will be rejected for: what is done to its values."""


def reason_of(row: int) -> str | None:
    """Why the row, counted from 1, is dirty; None if it is not."""
    return [*DIRT][row // EVERY % len(DIRT)] if row % EVERY == 0 else None


def dirty_chunks(rows: int, seed: int = 42) -> Iterator[bytes]:
    """A file of so many houses, dirty ones among them."""
    chunks = csv_chunks(rows, (seed,), "train")
    yield next(chunks)  # the header
    row = 0
    for chunk in chunks:
        lines = chunk.split(b"\n")[:-1]
        for at in range(len(lines)):
            row += 1
            if (reason := reason_of(row)) is not None:
                lines[at] = ",".join(DIRT[reason](lines[at].decode().split(","))).encode()
        yield b"\n".join([*lines, b""])


def write(path: Path, chunks: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(chunks)


def sown(rows: int) -> dict[int, str]:
    """All dirty rows of a file of so many, with their reasons."""
    return {row: reason for row in range(1, rows + 1) if (reason := reason_of(row))}
