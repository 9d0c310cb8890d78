"""Champion against challenger on the rows that both held out."""

from __future__ import annotations

from matplotlib.figure import Figure

from regatta.config.race import Metric
from regatta.evaluation.contest import Contest
from regatta.evaluation.figures import number
from regatta.evaluation.metrics import gain
from regatta.reporting.style import BLUE, INK, VERMILION, chart, in_figures

COMPARED: tuple[Metric, ...] = ("rmse", "mae", "mape", "r2")  # on the same rows wape says what mae does


def contest(figures: Contest) -> Figure:
    """By how much each of the challenger's errors is smaller (right, blue) or larger (left, vermilion).

    Of r2 it is the error that is left, 1 - r2.
    """
    shown = []
    for metric in COMPARED:
        own = figures.challenger.get(metric)
        other = figures.champion.get(metric) if figures.champion else None
        if own is not None and other is not None:
            shown.append((metric if metric != "r2" else "1 - r2", 100 * gain(own, other, metric)))
    with chart(height=1.0 + 0.35 * max(len(shown), 1)) as (figure, axes):
        for place, (name, percent) in enumerate(shown):
            axes.barh(name, percent, color=BLUE if percent > 0 else VERMILION)
            side = 1 if percent >= 0 else -1
            axes.annotate(
                f"{number(percent, 3)} %", (percent, place), (4 * side, 0), textcoords="offset points",
                va="center", ha="left" if percent >= 0 else "right", fontsize=9,
            )  # fmt: skip
        axes.axvline(0, color=INK, linewidth=1)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.margins(x=0.18)
        axes.set_xlabel(
            f"the challenger's error is smaller than the champion's by (%), on {figures.rows:,} rows"
        )
        in_figures(axes.xaxis)
    return figure
