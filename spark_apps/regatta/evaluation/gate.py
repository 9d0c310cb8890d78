"""The gate: may a challenger reign? Judged by figures alone, no Spark.

Both sides' figures are of the same rows, which neither has learnt from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from regatta.config.race import LARGER_IS_BETTER, Gate, Metric
from regatta.evaluation.figures import Figures, number, shown, told_apart
from regatta.evaluation.metrics import better, gain


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger is promoted, and why, in words and figures for people."""

    promoted: bool
    reason: str
    by_baseline: bool = False
    """Whether it is a baseline that stands in the way."""


def judge(
    challenger: Figures,
    champion: Figures | None,
    rows: int,
    gate: Gate,
    metric: Metric,
    unit: str | None = None,
    baselines: Mapping[str, Figures] | None = None,
) -> Verdict:
    """Too few rows, the floor, the best baseline, the champion: the first that stands in the way is the reason.

    Args:
        challenger: its figures on the rows, in the label's unit.
        champion: the reigning champion's on the same rows, or None where nobody reigns.
        rows: how many there are: held out by both, or by the challenger alone where nobody reigns.
        gate: what is asked for.
        metric: what "better" is measured by.
        unit: the label's, for the reason.
        baselines: by name, their figures on the challenger's whole holdout, where they are to be beaten.
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
    if beaten_by := unbeaten(challenger, baselines or {}, metric, unit):
        return Verdict(False, beaten_by, by_baseline=True)
    if champion is None:
        return Verdict(True, f"first champion: {metric} {shown(metric, own, unit)} on {rows:,} {whose}")
    if (other := champion.get(metric)) is None:
        figure = shown(metric, own, unit)
        return Verdict(True, f"{metric} {figure}, where the champion's is undefined on the {rows:,} {whose}")
    better_by = gain(own, other, metric)
    compared = f"{_comparison(own, other, better_by, metric, unit)} on {rows:,} {whose}"
    if better_by > 0 and better_by >= gate.improvement:
        return Verdict(True, compared)
    asked = f"at least {_percent(gate.improvement)} better" if gate.improvement else "better"
    return Verdict(False, f"{compared}, and must be {asked}")


def unbeaten(own: Figures, baselines: Mapping[str, Figures], metric: Metric, unit: str | None) -> str:
    """In words, that the best baseline is as good; empty where it is not, or there is none."""
    best: str | None = None
    for name, figures in sorted(baselines.items()):
        if better(metric, figures.get(metric), baselines[best].get(metric) if best else None):
            best = name
    if best is None or better(metric, own.get(metric), baselines[best].get(metric)):
        return ""
    figure, other = told_apart(metric, own.get(metric), baselines[best].get(metric), unit)
    return f"{metric} {figure} on the holdout does not beat the baseline {best}, which has {other}"


def _floors_broken(figures: Figures, gate: Gate, unit: str | None) -> Iterator[str]:
    for metric, floor in gate.floor.items():
        value = figures.get(metric)
        larger = metric in LARGER_IS_BETTER
        if value is None or (value < floor if larger else value > floor):
            figure, limit = told_apart(metric, value, floor, unit)
            side = "below the floor of" if larger else "above the limit of"
            yield f"{metric} {figure} on the holdout is {side} {limit}"


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
