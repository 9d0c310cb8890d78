"""What Spark has saved, whatever names, times and parts its saving drew: equal content has an equal hash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from io import BytesIO

from regatta.lake.layout import is_data

_DRAWN = re.compile(r"_[0-9a-f]{12,20}(?![0-9a-f])")
"""What MLlib puts behind the name of a stage, in its folder and wherever a stage names another."""
_OF_ITS_SAVING = ("timestamp", "sparkVersion")


def content_of(files: Mapping[str, Callable[[], bytes]]) -> str:
    """A hash of what the files say: rows of parquet in any order and to the last bit, JSON, and texts.

    Args:
        files: by name relative to what was saved, as a stage is `stages/3_VectorAssembler_4c2f.../metadata/part-00000`;
            each is read when it is its turn.
    """
    folders: dict[str, list[str]] = {}
    for name, read in files.items():
        if is_data(name):
            folder = _DRAWN.sub("", name.rpartition("/")[0])
            folders.setdefault(folder, []).extend(_said(name, read()))
    found = hashlib.sha256()
    for folder in sorted(folders):
        for line in [folder, *sorted(folders[folder])]:
            found.update(f"{line}\n".encode())
    return found.hexdigest()


def _said(name: str, content: bytes) -> list[str]:
    if name.endswith(".parquet"):
        from pyarrow.parquet import read_table  # half a second that other commands need not wait

        rows = read_table(BytesIO(content)).to_pylist()
        return [_DRAWN.sub("", str({name: _value(value) for name, value in row.items()})) for row in rows]
    return [_line(line) for line in content.decode().splitlines()]


def _value(value: object) -> object:
    """As it stands; of an ensemble a column has the metadata of its trees, each the JSON of a saving."""
    return _line(value) if isinstance(value, str) else value


def _line(line: str) -> str:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if isinstance(said, dict):
        line = json.dumps(
            {key: value for key, value in said.items() if key not in _OF_ITS_SAVING}, sort_keys=True
        )
    return _DRAWN.sub("", line)
