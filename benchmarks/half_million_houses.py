"""Houses without end whose price obeys a known law: for scale, and for tests of "the metric fell".

    python benchmarks/half_million_houses.py --rows 500000 --deliveries 10 --lake
    python benchmarks/half_million_houses.py --rows 1000 --role score --out build/houses

The law is linear, exact and without noise (`LAW`), so a linear model must reach R2 = 1 to rounding. Columns
are named and ordered as in the public file of the same kind, its `Swiming Pool` included. Equal arguments
give equal bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.csv import WriteOptions, write_csv

from regatta import config
from regatta.errors import RegattaError
from regatta.lake.landing import land
from regatta.lake.store import Store
from regatta.runtime.progress import say, step

Role = Literal["train", "score"]
Houses = dict[str, NDArray[np.int64]]

USE_CASE = Path(__file__).parents[1] / "conf" / "half_million_houses.yaml"
LABEL = "Prices"
BASE_PRICE = 1000
LAW = {
    "Area": 25,
    "Garage": 1500,
    "FirePlace": 750,
    "Baths": 1250,
    "White Marble": 14000,
    "Black Marble": 5000,
    "Indian Marble": 0,
    "Floors": 15000,
    "City": 3500,
    "Solar": 250,
    "Electric": 1250,
    "Fiber": 11750,
    "Glass Doors": 4450,
    "Swiming Pool": 0,
    "Garden": 0,
}
"""What one more of each adds to the price, in the file's order."""
RANGES = {"Area": (1, 249), "Garage": (1, 3), "FirePlace": (0, 4), "Baths": (1, 5), "City": (1, 3)}
"""Smallest and largest value, all equally likely; columns that are not here are 0 or 1."""
MARBLES = ("White Marble", "Black Marble", "Indian Marble")
"""A house has exactly one of them."""
CHUNK = 50_000  # rows in memory at a time
FIRST_DELIVERY = datetime(2026, 1, 1, tzinfo=UTC)


def houses(rows: int, random: np.random.Generator) -> Houses:
    """Draw houses: one array of `rows` integers a column, in the file's order, the label last."""
    marble = random.integers(len(MARBLES), size=rows)
    drawn = {}
    for name in LAW:
        if name in MARBLES:
            drawn[name] = (marble == MARBLES.index(name)).astype(np.int64)
        else:
            low, high = RANGES.get(name, (0, 1))
            drawn[name] = random.integers(low, high, size=rows, endpoint=True)
    drawn[LABEL] = BASE_PRICE + sum(weight * drawn[name] for name, weight in LAW.items())
    return drawn


def csv_chunks(rows: int, seed: Sequence[int], role: Role) -> Iterator[bytes]:
    """The header, then at most `CHUNK` houses at a time, as CSV; without the label if to be scored."""
    random = np.random.default_rng(seed)
    columns = [*LAW, LABEL] if role == "train" else [*LAW]
    yield ",".join(columns).encode() + b"\n"
    for start in range(0, rows, CHUNK):
        drawn = houses(min(CHUNK, rows - start), random)
        chunk = pa.BufferOutputStream()
        write_csv(
            pa.table({name: drawn[name] for name in columns}), chunk, WriteOptions(include_header=False)
        )
        yield chunk.getvalue().to_pybytes()


def files(folder: Path, rows: int, deliveries: int, seed: int, role: Role) -> Iterator[Path]:
    """Write `rows` houses as files of (almost) equal size, each yielded once it is whole.

    A file depends on its own number and size alone, whatever stands in the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, deliveries + 1):
        path = folder / f"{role}-{number:03}.csv"
        share = rows * number // deliveries - rows * (number - 1) // deliveries
        with (
            step(f"{path.stem}: making {share:,} houses"),
            path.open("wb") as file,
        ):
            file.writelines(csv_chunks(share, (seed, role == "score", number), role))
        yield path


def land_each(paths: Iterable[Path], role: Role) -> None:
    """Land each file as a delivery of its name, one a day, and remove it here."""
    store, use_case = Store.from_environment(), config.load(USE_CASE)
    for day, path in enumerate(paths):
        with step(f"{path.stem}: landing"):
            land(
                store,
                use_case,
                [path],
                delivery=path.stem,
                role=role,
                delivered_at=FIRST_DELIVERY + timedelta(days=day),
            )
        path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make houses whose price obeys a known law.")
    parser.add_argument("--rows", type=int, default=500_000, help="houses in all (default 500000)")
    parser.add_argument("--deliveries", type=int, default=1, help="files to spread them over (default 1)")
    parser.add_argument("--seed", type=int, default=42, help="another one, other houses (default 42)")
    parser.add_argument("--role", choices=["train", "score"], default="train", help="score: without Prices")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=Path, metavar="DIR", help="write the files into this folder")
    where.add_argument("--lake", action="store_true", help="land them in the lake, one delivery a file")
    flags = parser.parse_args()
    if not 1 <= flags.deliveries <= flags.rows:
        parser.error("--deliveries must be at least 1 and at most --rows")

    if flags.out:
        for path in files(flags.out, flags.rows, flags.deliveries, flags.seed, flags.role):
            say(str(path))
        return
    with TemporaryDirectory() as passing:
        made = files(Path(passing), flags.rows, flags.deliveries, flags.seed, flags.role)
        try:
            land_each(made, flags.role)
        except RegattaError as error:
            say(str(error))
            sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
