"""What a job tells whoever started it, besides its exit code: the ids of what it left, and its last sentence.

A scheduler that passes ids on from job to job names a file by `REGATTA_OUTCOME`; without it nothing is written.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from regatta.errors import ExitCode

FILE = "REGATTA_OUTCOME"


@dataclass(frozen=True)
class Outcome:
    """The end of a job.

    Attributes:
        run: the training that it published, found done or judged.
        champion: the number of the entry of the champion log that it appended, or scored with.
        changed: whether another champion is in service than before.
        batches: what it scored, or found scored.
        exit_code: as the process ends with.
        sentence: why it ended so; empty where all is well.
    """

    run: str | None = None
    champion: int | None = None
    changed: bool = False
    batches: tuple[str, ...] = ()
    exit_code: int = ExitCode.DONE
    sentence: str = ""

    def ended(self, code: int, sentence: str) -> Outcome:
        """The same with how it ended."""
        return replace(self, exit_code=int(code), sentence=sentence)

    def write(self) -> None:
        """Leave it in the file that the environment names, if it names one."""
        if name := os.environ.get(FILE):
            Path(name).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Outcome | None:
        """What a job has left; None where it was ended before it could."""
        if not path.is_file():
            return None
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**told, "batches": tuple(told["batches"])})
