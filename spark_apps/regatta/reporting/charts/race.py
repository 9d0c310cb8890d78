"""The race of a training: who is best, how sure that is, what it cost, what the models go by."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator

from regatta.config.race import Metric
from regatta.evaluation.figures import SHARES, unit_of
from regatta.reporting.style import BLUE, GREY, OF_FAMILY, chart, in_figures, with_unit
from regatta.selection.leaderboard import Leaderboard, Standing

MOST_CANDIDATES = 24
MOST_WEIGHTS = 15


def leaderboard(board: Leaderboard, metric: Metric | None = None) -> Figure:
    """Each candidate by a metric: a stroke a fold, a dot their mean; the best on top, at most `MOST_CANDIDATES`.

    The best baseline is a line across, since it is what has to be beaten.

    Args:
        board: the leaderboard.
        metric: by default the one that decides; the order is by that one in any case.
    """
    metric = metric or board.metric
    shown = [one for one in board.standings if one.mean(metric) is not None][:MOST_CANDIDATES]
    with chart(height=0.9 + 0.24 * len(shown)) as (figure, axes):
        for place, standing in enumerate(shown):
            folds, colour = _folds(standing, metric), _colour(standing)
            axes.plot(folds, [place] * len(folds), "|", color=colour, alpha=0.6, markersize=9)
            axes.plot([fmean(folds)], [place], "o", color=colour)
        axes.set_yticks(range(len(shown)), [one.candidate for one in shown])
        axes.invert_yaxis()
        axes.set_xlabel(_metric(board, metric))
        in_figures(axes.xaxis)
        if (best := board.best_baseline) is not None and best in shown:
            axes.axvline(fmean(_folds(best, metric)), color=GREY, linestyle="--")
        axes.legend(handles=_families(shown), loc="best", fontsize=9)
    return figure


def gain(board: Leaderboard) -> Figure:
    """What each candidate's fits took, and by how much its error is smaller than the best baseline's."""
    shown = [
        (one, 100 * reduction)
        for one in board.standings
        if not one.is_baseline and (reduction := board.reduction(one)) is not None
    ]
    with chart() as (figure, axes):
        for standing, percent in shown:
            axes.plot([max(standing.seconds, 0.01)], [percent], "o", color=_colour(standing), alpha=0.8)
        axes.axhline(0, color=GREY, linestyle="--")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        in_figures(axes.xaxis)
        in_figures(axes.yaxis)
        axes.set_xlabel("time of fitting over all folds (s; candidates that share work share its time)")
        axes.set_ylabel(f"{board.metric} below the best baseline's (%)")
        axes.legend(handles=_families([one for one, _ in shown]), loc="best", fontsize=9)
    return figure


def by_origin(board: Leaderboard) -> Figure:
    """Of a panel: the error at each origin, of each family's best and of the best baseline."""
    lines = [*board.best_of_families().values()]
    if board.best_baseline is not None:
        lines.append(board.best_baseline)
    with chart(height=4.4) as (figure, axes):
        for standing in lines:
            axes.plot(
                list(board.folds),
                _folds(standing, board.metric),
                "--" if standing.is_baseline else "-",
                marker="o",
                color=_colour(standing),
                label=standing.candidate,
            )
        axes.set_xlabel("learnt from what was known until")
        axes.set_ylabel(_metric(board, board.metric, ""))
        in_figures(axes.yaxis)
        figure.legend(loc="outside lower center", fontsize=9)
    return figure


def weights(of_family: Sequence[dict[str, Any]], family: str) -> Figure:
    """What each slot of the vector is worth to a model: importance (share) or coefficient, the largest."""
    kind = "coefficient" if of_family and "coefficient" in of_family[0] else "importance"
    shown = [one for one in of_family if one[kind]][:MOST_WEIGHTS]
    with chart(height=0.9 + 0.26 * max(len(shown), 1)) as (figure, axes):
        axes.barh(
            [one["feature"] for one in shown], [one[kind] for one in shown], color=OF_FAMILY.get(family, BLUE)
        )
        axes.invert_yaxis()
        axes.set_xlabel(
            "share of the error's reduction"
            if kind == "importance"
            else "coefficient, per unit of the scaled feature"
        )
        axes.xaxis.set_major_locator(MaxNLocator(6))
        in_figures(axes.xaxis)
    return figure


def _folds(standing: Standing, metric: Metric) -> list[float]:
    """The figure on each fold, shares in percent; the metric is defined on all of them."""
    factor = 100 if metric in SHARES else 1
    return [factor * float(fold.metrics[metric] or 0) for fold in standing.folds]


def _metric(board: Leaderboard, metric: Metric, over: str = " over the folds") -> str:
    return with_unit(f"{metric}{over}", "%" if metric in SHARES else unit_of(metric, board.unit))


def _colour(standing: Standing) -> str:
    return GREY if standing.is_baseline else OF_FAMILY.get(standing.family, BLUE)


def _families(shown: Sequence[Standing]) -> list[Line2D]:
    told = {"baseline" if one.is_baseline else one.family: _colour(one) for one in shown}
    return [
        Line2D([], [], marker="o", linestyle="", color=colour, label=name.replace("_", " "))
        for name, colour in told.items()
    ]
