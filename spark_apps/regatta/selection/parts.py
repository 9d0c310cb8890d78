"""What a race is run on: the folds, and the part that is held out for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame

from regatta.panels.origins import Dates


@dataclass(frozen=True)
class Fold:
    """One judgement of every candidate. Grain: one row a labelled row.

    Attributes:
        name: as the leaderboard shows it.
        training: rows to learn from, laid out, with `_label`.
        judging: rows to be judged on.
        scale: the error that mase is a share of, in the label's unit; None where there is none.
    """

    name: str
    training: DataFrame
    judging: DataFrame
    scale: float | None = None


@dataclass(frozen=True)
class Parts:
    """Labelled rows, laid out and cached. Grain: one row a labelled row.

    Attributes:
        training: all that is not held out, with `_label`.
        holdout: what serves the gate alone, as it was accepted.
        counts: what became of the rows: read, without a label, outside of the filters, without a value that must not be
            filled, held out, trained on.
        folds: in the order in which they are run.
        scale: of the holdout, as `Fold.scale`.
        splits: the folds and the holdout along the calendar; empty for a table.
        trained_until: the last period that is learnt from; None for a table.
    """

    training: DataFrame
    holdout: DataFrame
    counts: Mapping[str, int]
    folds: Sequence[Fold]
    scale: float | None = None
    splits: Sequence[Dates] = ()
    trained_until: date | None = None

    def __str__(self) -> str:
        found = {name: count for name in _LEFT_OUT if (count := self.counts.get(name))}
        left_out = ", ".join(f"{count:,} {_LEFT_OUT[name]}" for name, count in found.items())
        read, learnt, held = (f"{self.counts[fate]:,}" for fate in ("read", "trained_on", "held_out"))
        said = f"{read} rows: {learnt} to train on, {held} held out"
        return f"{said}; left out: {left_out}" if left_out else said


_LEFT_OUT = {
    "without_label": "without a label",
    "filtered_out": "that the filters exclude",
    "without_value": "without a value that must not be filled",
}
