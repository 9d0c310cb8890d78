"""A reader of the lake that looks again and again: every result that a record names must be whole each time.

    python tests/polling_reader.py USE_CASE_FILE SECONDS_BETWEEN_LOOKS

Runs until it is told to end (SIGTERM); then prints one JSON object: how often it looked, what it saw, what was wrong.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from io import BytesIO
from pathlib import Path
from types import FrameType

from pyarrow.parquet import read_table

from regatta.config import load
from regatta.lake import Batch, Ingested, Lake, layout
from regatta.lake.publication import Publication


def looked(lake: Lake) -> tuple[int, list[str]]:
    """How many results there are now, and what is wrong with them."""
    records, wrong = lake.publications(), []
    for folder, record in records.items():
        wrong += [f"{folder}: {fault}" for fault in _faults(lake, record)]
    numbers = [entry.number for entry in lake.champions.entries()]
    if numbers != list(range(1, len(numbers) + 1)):
        wrong.append(f"champions {numbers}")
    return len(records) + len(numbers), wrong


def _faults(lake: Lake, record: Publication) -> list[str]:
    of_kind = {Ingested: lake.ingested, Batch: lake.batches}.get(type(record), lake.runs)
    contents = {}
    for uri in of_kind.paths(record, ""):  # type: ignore[attr-defined]
        contents[uri] = lake.store.get(uri.removeprefix(lake.store.uri("")))
    faults = [f"{uri} is not there" for uri, content in contents.items() if content is None]
    due = len([file for file in record.files if layout.is_data(file.name)])
    if len(contents) != due:
        faults.append(f"{len(contents)} of {due} files")
    if isinstance(record, Batch) and not faults:
        keys = [
            key
            for content in contents.values()
            for key in read_table(BytesIO(content or b""))[lake.use_case.key[0]].to_pylist()
        ]
        if len(keys) != record.scored or len({*keys}) != len(keys):
            faults.append(f"{len(keys)} rows, {len({*keys})} keys, {record.scored} scored")
    return faults


def main() -> None:
    lake, pause = Lake.of(load(Path(sys.argv[1]))), float(sys.argv[2])
    ending, looks, most, wrong = False, 0, 0, set[str]()

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal ending
        ending = True

    signal.signal(signal.SIGTERM, end)
    while not ending:
        results, faults = looked(lake)
        looks, most = looks + 1, max(most, results)
        wrong.update(faults)
        time.sleep(pause)
    print(json.dumps({"looks": looks, "most": most, "wrong": sorted(wrong)}))


if __name__ == "__main__":
    main()
