"""What a run left in the lake, as small frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pandas as pd
from pyarrow.parquet import ParquetFile

from regatta.config import UseCase
from regatta.errors import InputError
from regatta.features.inputs import trained_as
from regatta.lake import ChampionEntry, Lake, Run, layout
from regatta.selection.leaderboard import Leaderboard

MOST_GROUPS, FEWEST_GROUPS = 200, 2
Weights = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Evidence:
    """Of one run.

    Attributes:
        run: its record.
        board: its leaderboard.
        weights: by family: a dict a slot, with `feature` and `importance` or `coefficient`, the largest first.
        holdout: a row a held-out row: the columns as they were accepted, `prediction` by the winner, and
            `prediction <name>` by each other finalist and baseline.
        use_case: as it was when the run was trained; of a panel, its rows as a table.
        champions: the champion log, the oldest first.
    """

    run: Run
    board: Leaderboard
    weights: Weights
    holdout: pd.DataFrame
    use_case: UseCase
    champions: tuple[ChampionEntry, ...]

    @classmethod
    def of(cls, lake: Lake, run: Run) -> Evidence:
        """Read it.

        Raises:
            InputError: a file that the record names is gone.
        """
        folder = layout.run(run.run_id)

        def content(name: str) -> list[bytes]:
            return [lake.content(uri) for uri in lake.runs.paths(run, folder + name)]

        parts = content("holdout/")
        if not parts:
            raise InputError(
                "has no held-out rows in the lake", place=f"run {run.run_id}", way_out="train again"
            )
        return cls(
            run=run,
            board=Leaderboard.of(lake, run),
            weights=json.loads(weights[0]) if (weights := content("weights.json")) else {},
            holdout=pd.concat(
                [ParquetFile(BytesIO(part)).read().to_pandas() for part in parts], ignore_index=True
            ),
            use_case=trained_as(run).modelled,
            champions=tuple(lake.champions.entries()),
        )

    @property
    def groups(self) -> list[str]:
        """Columns by which errors can be told apart: categories of a few values in the held-out rows."""
        return [
            name
            for name, column in self.use_case.columns.items()
            if "category" in column.role
            and name in self.holdout
            and FEWEST_GROUPS <= self.holdout[name].nunique() <= MOST_GROUPS
        ]

    def by_entity(self) -> pd.DataFrame:
        """Of a panel, errors on the held-out rows by entity, the largest first.

        Grain: an entity: `entity` (its keys, joined by a blank), `size` (the sum of what happened, in its unit),
        wape of `model` and best `baseline` in percent; null where nothing happened.
        """
        panel, label = self.use_case.panel, self.use_case.label
        assert panel is not None
        shown = {"model": "prediction", "baseline": f"prediction {self.run.best_baseline}"}
        errors = {name: (self.holdout[column] - self.holdout[label]).abs() for name, column in shown.items()}
        frame = self.holdout.assign(**errors, size=self.holdout[label], whole=self.holdout[label].abs())
        frame["entity"] = frame[[*panel.entity]].astype("string").agg(" ".join, axis=1)
        sums = frame.groupby("entity")[["size", "whole", *shown]].sum()
        whole = sums.pop("whole").where(lambda total: total > 0)
        for name in shown:
            sums[name] = 100 * sums[name] / whole
        return sums.sort_values("size", ascending=False).reset_index()

    def worst(self, count: int = 10) -> pd.DataFrame:
        """The held-out rows whose predictions are farthest off, with `off`: prediction - label."""
        off = self.holdout["prediction"] - self.holdout[self.use_case.label]
        worst = off.abs().nlargest(count).index
        first = (*self.use_case.identity, self.use_case.label, "prediction", "off")
        found = self.holdout.loc[worst].assign(off=off[worst])
        return found[[name for name in dict.fromkeys((*first, *self.use_case.columns)) if name in found]]
