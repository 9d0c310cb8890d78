"""Who grows the trees: our own engine, where that is known to give MLlib's own answer, else MLlib itself.

`engine: auto` of the use case takes the native one where nothing stands in its way, and says what does; `native`
makes that an error. The answer is the same, so the choice changes no figure and no run id; it stands in the run's
record and in MLflow.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from regatta.config import UseCase
from regatta.config.model import Family
from regatta.errors import InputError
from regatta.lake.records import EngineChoice
from regatta.runtime.concurrency import AT_ONCE
from regatta.runtime.memory import available_memory
from regatta.runtime.progress import say
from regatta.selection.native import parameters
from regatta.selection.native.unsupported import Unsupported

if TYPE_CHECKING:  # numba takes a second to import, and may not be there
    from pyspark.sql import DataFrame

    from regatta.selection.native.search import Unit

SHARE_OF_FREE_MEMORY = 0.8


@dataclass
class Engine:
    """The choice for each family of trees in one training, as far as it is made.

    use_case: asks for an engine.
    choices: by family; who grew its trees, and why.
    """

    use_case: UseCase
    choices: dict[str, EngineChoice] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def consider(self, family: Family, estimators: Sequence[Any]) -> None:
        """Choose by what the estimators are told, before any data is seen; there is no choice without trees.

        Raises:
            InputError: the use case asks for the native engine, and it cannot be had.
        """
        if family == "linear_regression":
            return
        if self.use_case.engine == "mllib":
            self.choices[family] = EngineChoice(engine="mllib", reason="the use case asks for it")
            return
        reasons = [parameters.obstacle_here(), *map(parameters.obstacle, estimators)]
        self.choices[family] = EngineChoice(engine="native", reason="nothing stands in its way")
        if reason := next(filter(None, reasons), ""):
            self.fall_back(family, reason)

    def is_native(self, family: Family) -> bool:
        """Whether the family's trees are grown here, as far as is known by now."""
        choice = self.choices.get(family)
        return choice is not None and choice.engine == "native"

    def prove(self, family: Family, frame: DataFrame, estimator: Any, units: Sequence[Unit]) -> None:
        """Make sure of memory and of this Spark's MLlib; once a training, the first time that it is called.

        Args:
            family: considered, and native until now.
            frame: the rows that are learnt from, with vectors.
            estimator: one of the family.
            units: all work of the family on these rows.

        Raises:
            Unsupported: growing would need more memory than there is, or a small fit has another node here.
        """
        if self.choices[family].canary_seconds is not None:
            return
        from regatta.selection.native import canary, memory
        from regatta.selection.native.compiling import make_ready

        wanted, free = memory.needed(units, AT_ONCE), int(available_memory() * SHARE_OF_FREE_MEMORY)
        if wanted > free:
            raise Unsupported(
                f"growing needs {_gigabytes(wanted)} of memory, and {_gigabytes(free)} can be had"
            )
        with self._lock:
            make_ready()
        began = time.monotonic()
        canary.sing(frame, estimator, len(units[0].split.training.labels))
        seconds = time.monotonic() - began
        with self._lock:
            self.choices[family] = EngineChoice(
                engine="native",
                reason="every node of a small fit by this Spark's MLlib was met",
                canary_seconds=round(seconds, 2),
            )
        say(
            f"{family}: trees are grown natively; every node of a small fit by MLlib was met ({seconds:.1f} s)"
        )

    def fall_back(self, family: Family, reason: str) -> None:
        """Leave a family to MLlib from here on.

        Raises:
            InputError: the use case asks for the native engine.
        """
        if self.use_case.engine == "native":
            raise InputError(
                f"{family} cannot be grown natively: {reason}",
                place=f"{self.use_case.use_case}: engine",
                way_out="use engine: auto, which leaves such a family to MLlib",
            )
        with self._lock:
            if self.is_native(family):
                self.choices[family] = EngineChoice(engine="mllib", reason=reason)
                say(f"{family}: MLlib grows the trees itself, because {reason}")


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GB"
