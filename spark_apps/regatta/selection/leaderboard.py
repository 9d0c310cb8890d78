"""The leaderboard: every candidate, every fold, in the label's unit. Readable without Spark."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean, stdev
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from regatta.config.race import LARGER_IS_BETTER, Metric
from regatta.evaluation.metrics import gain
from regatta.lake import Lake, Run, layout

BASELINE = "baseline"
Figures = Mapping[str, float | None]


class Judged(BaseModel):
    """A candidate on one fold: figures in the label's unit, and the seconds its fit took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: Figures
    seconds: float


class Standing(BaseModel):
    """One line of the leaderboard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str
    family: str
    parameters: Mapping[str, Any]
    folds: tuple[Judged, ...]
    holdout: Figures | None = None
    """Of the refitted best of each family, and of the baselines."""

    def mean(self, metric: str) -> float | None:
        """The mean over the folds, or None where any fold's figure is undefined."""
        values = [fold.metrics.get(metric) for fold in self.folds]
        defined = [value for value in values if value is not None]
        return fmean(defined) if defined and len(defined) == len(values) else None

    def spread(self, metric: str) -> float | None:
        """The standard deviation over the folds (n - 1)."""
        values = [fold.metrics.get(metric) for fold in self.folds]
        defined = [value for value in values if value is not None]
        return stdev(defined) if len(defined) == len(values) > 1 else None

    @property
    def seconds(self) -> float:
        """All its fits together."""
        return sum(fold.seconds for fold in self.folds)

    @property
    def is_baseline(self) -> bool:
        """Whether it is in the race only for comparison."""
        return self.family == BASELINE


class Leaderboard(BaseModel):
    """All candidates and baselines of one training, best first by the mean of `metric` over the folds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use_case: str
    run_id: str
    metric: Metric
    label: str
    unit: str | None
    folds: tuple[str, ...] = ()
    """What tells the folds apart, such as their origins; empty where they are alike."""
    standings: tuple[Standing, ...]

    @classmethod
    def of(cls, lake: Lake, run: Run) -> Self:
        """As it was published."""
        (uri,) = lake.runs.paths(run, f"{layout.run(run.run_id)}leaderboard.json")
        return cls.model_validate_json(lake.content(uri))

    @property
    def winner(self) -> Standing:
        """The best candidate that is no baseline."""
        return next(standing for standing in self.standings if not standing.is_baseline)

    @property
    def best_baseline(self) -> Standing | None:
        """The best of the simplest answers, if any has a figure on every fold."""
        found = (standing for standing in self.standings if standing.is_baseline)
        return next((standing for standing in found if standing.mean(self.metric) is not None), None)

    def reduction(self, standing: Standing) -> float | None:
        """By which share the error is smaller than the best baseline's, on the mean over the folds."""
        best = self.best_baseline
        own, other = standing.mean(self.metric), best.mean(self.metric) if best else None
        return None if own is None or other is None else gain(own, other, self.metric)

    def best_of_families(self) -> dict[str, Standing]:
        """The best candidate of each family, the best family first."""
        best: dict[str, Standing] = {}
        for standing in self.standings:
            if not standing.is_baseline:
                best.setdefault(standing.family, standing)
        return best


def ranked(standings: list[Standing], metric: Metric) -> tuple[Standing, ...]:
    """Best first; ties by name, undefined last."""

    def place(standing: Standing) -> tuple[bool, float, str]:
        mean = standing.mean(metric)
        sign = -1 if metric in LARGER_IS_BETTER else 1
        return mean is None, sign * (mean or 0.0), standing.candidate

    return tuple(sorted(standings, key=place))
