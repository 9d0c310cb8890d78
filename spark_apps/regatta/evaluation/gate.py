"""The gate: may a challenger reign? Judged by figures alone, no Spark.

Both sides' figures are of the same rows, which neither has learnt from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from regatta.config.model import LARGER_IS_BETTER, Gate, Metric
from regatta.evaluation.figures import Figures, number, shown, told_apart


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger is promoted, and why, in words and figures for people."""

    promoted: bool
    reason: str


def judge(
    challenger: Figures,
    champion: Figures | None,
    rows: int,
    gate: Gate,
    metric: Metric,
    unit: str | None = None,
) -> Verdict:
    """Too few rows, then the floor, then the champion: the first that stands in the way is the reason.

    Args:
        challenger: its figures on the rows, in the label's unit.
        champion: the reigning champion's on the same rows, or None where nobody reigns.
        rows: how many there are: held out by both, or by the challenger alone where nobody reigns.
        gate: what is asked for.
        metric: what "better" is measured by.
        unit: the label's, for the reason.
    """
    whose = "held-out rows" if champion is None else "rows that both held out"
    if rows < gate.min_rows:
        return Verdict(
            False, f"too few {whose} to judge by: {rows:,}, where the gate asks for {gate.min_rows:,}"
        )
    if broken := list(_floors_broken(challenger, gate, unit)):
        return Verdict(False, f"{' and '.join(broken)}: possible drift")
    if (own := challenger.get(metric)) is None:
        return Verdict(False, f"{metric} is undefined on the {rows:,} {whose}")
    if champion is None:
        return Verdict(True, f"first champion: {metric} {shown(metric, own, unit)} on {rows:,} {whose}")
    if (other := champion.get(metric)) is None:
        figure = shown(metric, own, unit)
        return Verdict(True, f"{metric} {figure}, where the champion's is undefined on the {rows:,} {whose}")
    gain = _gain(own, other, metric)
    compared = f"{_comparison(own, other, gain, metric, unit)} on {rows:,} {whose}"
    if gain > 0 and gain >= gate.improvement:
        return Verdict(True, compared)
    asked = f"at least {_percent(gate.improvement)} better" if gate.improvement else "better"
    return Verdict(False, f"{compared}, and must be {asked}")


def _floors_broken(figures: Figures, gate: Gate, unit: str | None) -> Iterator[str]:
    for metric, floor in gate.floor.items():
        value = figures.get(metric)
        larger = metric in LARGER_IS_BETTER
        if value is None or (value < floor if larger else value > floor):
            figure, limit = told_apart(metric, value, floor, unit)
            side = "below the floor of" if larger else "above the limit of"
            yield f"{metric} {figure} on the holdout is {side} {limit}"


def _gain(own: float, other: float, metric: Metric) -> float:
    """By which share of the champion's error the challenger's is smaller; negative where it is larger.

    For r2 the error is what it leaves unexplained, 1 - r2 = SSE / SST. On the same rows SST is the same, so a
    gate on r2 asks exactly what the same gate on mse does, and asks it near 1 as well as near 0, where a share
    of r2 itself would mean nothing.
    """
    if metric in LARGER_IS_BETTER:
        own, other = 1 - own, 1 - other
    if other == 0:
        return 0.0 if own == 0 else -math.inf  # nothing is smaller than no error at all
    return (other - own) / other


def _comparison(own: float, other: float, gain: float, metric: Metric, unit: str | None) -> str:
    figure, champions = told_apart(metric, own, other, unit)
    if figure == champions:
        return f"{metric} {figure} equals the champion's"
    by = f"{_percent(abs(gain))} " if math.isfinite(gain) else ""
    if metric in LARGER_IS_BETTER:
        word = "less" if gain > 0 else "more"
        return f"{metric} {figure} leaves {by}{word} unexplained than the champion's {champions}"
    return f"{metric} {figure} is {by}{'better' if gain > 0 else 'worse'} than the champion's {champions}"


def _percent(share: float) -> str:
    return f"{number(100 * share, 3)} %"
