"""A house of very small sales, in which jobs run as a user's do: what they leave undisturbed, to hold others against."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random

import pyarrow as pa
from pyarrow.parquet import read_table

from regatta.config import load
from regatta.lake import Lake
from regatta.lake.audit import audit
from regatta.lake.landing import land
from small_runs import land_listings, yaml

READER = Path(__file__).with_name("polling_reader.py")
VERBS = ("ingest", "train", "promote", "score")
MADE_BY = {
    "ingest": ("accepted/", "rejected/"),
    "train": ("runs/",),
    "promote": ("champion/",),
    "score": ("scores/",),
}


@dataclass(frozen=True)
class House:
    """A use case with deliveries, and jobs that run as a user's do.

    `usual` has of each verb, undisturbed: the seconds until its attempt's first object and until its end, and what
    it left.
    """

    lake: Lake
    config: Path
    variables: Mapping[str, str]
    usual: dict[str, tuple[float, float, str]]

    def start(self, verb: str) -> subprocess.Popen[bytes]:
        """The verb, in a session of its own; both of its streams come as one."""
        words = [sys.executable, "-c", "from regatta.cli import main; main()", verb, str(self.config)]
        return subprocess.Popen(
            words,
            env={**self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, verb: str) -> None:
        """The verb, to its end."""
        job = self.start(verb)
        said, _ = job.communicate()
        assert job.returncode == 0, said.decode()

    def forget(self, verb: str) -> None:
        """Remove what the verb has made, and all attempts."""
        for folder in (*MADE_BY[verb], "_attempts/"):
            self.lake.store.delete(
                one.key for one in self.lake.store.objects(f"{self.lake.use_case.use_case}/{folder}")
            )

    def objects(self) -> int:
        """Of attempts, and of the champion log: its entry is all that promote writes."""
        name = self.lake.use_case.use_case
        return sum(
            1 for folder in ("_attempts/", "champion/") for _ in self.lake.store.objects(f"{name}/{folder}")
        )

    def content(self, verb: str) -> str:
        """A hash of what the verb left for readers, to the last bit; not of names, times and ids that it draws."""
        left: list[str] = []
        if verb == "promote":
            left = [
                entry.model_dump_json(exclude={"effective", "attempt"})
                for entry in self.lake.champions.entries()
            ]
        for folder, record in sorted(self.lake.publications().items()):
            if folder.startswith(MADE_BY[verb]):
                left.append(record.model_dump_json(exclude={"attempt", "published_at", "files", "seconds"}))
                left += self._rows(f"{folder}holdout/" if verb == "train" else folder)
        return sha256("\n".join(left).encode()).hexdigest()

    def _rows(self, folder: str) -> list[str]:
        """As a plain reader of the tree has them."""
        name = self.lake.use_case.use_case
        parts = [
            read_table(BytesIO(self.lake.store.get(one.key) or b""))
            for one in self.lake.store.files(f"{name}/{folder}")
            if one.key.endswith(".parquet")
        ]
        if not parts:
            return []
        whole = pa.concat_tables(parts)
        return sorted(map(str, whole.to_pylist()))


@contextmanager
def watched(house: House, every: float) -> Iterator[dict[str, object]]:
    """A reader in a process of its own, for as long as the block lasts; what it saw is there afterwards.

    It rests for so many seconds after each look.
    """
    seen: dict[str, object] = {}
    reader = subprocess.Popen(
        [sys.executable, str(READER), str(house.config), str(every)],
        env={**house.variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield seen
    finally:
        reader.send_signal(signal.SIGTERM)
        said, _ = reader.communicate()
        seen.update(json.loads(said))


def assert_as_undisturbed(house: House, verb: str, what: str) -> None:
    """Nothing is lost, doubled, half there or left pending of what the verb makes."""
    assert house.content(verb) == house.usual[verb][2], what
    assert audit(house.lake).findings == (), what
    assert house.lake.store.uploads("") == [], what
    name = house.lake.use_case.use_case
    visible = [one.key for folder in MADE_BY[verb] for one in house.lake.store.objects(f"{name}/{folder}")]
    assert not [key for key in visible if "__magic" in key or "_temporary" in key], what


def build(name: str, folder: Path, lake_environment: Mapping[str, str]) -> House:
    """Deliver sales and listings to a use case of that name, and run every verb once, undisturbed."""
    config = folder / f"{name}.yaml"
    config.write_text(yaml(name, min_rows=10))
    inherited = {
        variable: value
        for variable, value in os.environ.items()
        if not variable.startswith(("AWS_", "MLFLOW_", "REGATTA_"))
    }
    variables = {**inherited, **lake_environment, "REGATTA_DRIVER_MEMORY": "1g"}
    made = House(Lake.of(load(config), lake_environment), config, variables, {})
    chance = Random(7)
    sales = [
        f"h{number:03d},{100 * size + 5_000 * grade},{size},{grade},{'AB'[number % 2]}"
        for number in range(200)
        for size, grade in [(chance.randint(500, 3_000), chance.randint(1, 10))]
    ]
    (folder / "sales.csv").write_text("\n".join(["id,price,size,grade,zip", *sales, "bad,,,,"]) + "\n")
    land(made.lake.store, made.lake.use_case, [folder / "sales.csv"], delivery="sales")
    listings = [(f"n{number}", 1_000.0 + number, 5, "A") for number in range(50)]
    land_listings(made.lake, folder, "listed", listings, day=2)
    for verb in VERBS:
        before, begun, first = made.objects(), time.monotonic(), None
        job = made.start(verb)
        while job.poll() is None:
            if first is None and made.objects() > before:
                first = time.monotonic() - begun
            time.sleep(0.1)
        took = time.monotonic() - begun
        said, _ = job.communicate()
        assert job.returncode == 0, said.decode()
        made.usual[verb] = (first or took, took, made.content(verb))
    return made
