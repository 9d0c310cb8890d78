"""Columns of a table before any model; from the frames of `exploration/inputs.py`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from regatta.diagnosis.leaks import SUSPECT
from regatta.evaluation.figures import number
from regatta.reporting.style import BLUE, GREY, INK, VERMILION, chart, in_figures, panes, with_unit

ACROSS = 4  # panes in a row
NAMED = 3  # areas at each end of the scale
DARK = 0.55  # absolute correlation from which on a cell is so dark that its figure is white


def distribution(bins: pd.DataFrame, name: str, unit: str | None) -> Figure:
    """How often each value of a column occurs.

    Args:
        bins: of this column: `low`, `high` and `rows`.
        name: of the axis.
        unit: the column's.
    """
    with chart(height=2.8) as (figure, axes):
        _bars(axes, bins)
        axes.set_xlabel(with_unit(name, unit))
        axes.set_ylabel("rows")
        in_figures(axes.yaxis)
    return figure


def distributions(bins: pd.DataFrame, units: Mapping[str, str | None]) -> Figure:
    """The same for many columns, a pane each, in the order of the frame; rows on a scale of each pane's own.

    Args:
        bins: `column`, `low`, `high` and `rows`.
        units: by column.
    """
    names = [*dict.fromkeys(bins["column"])]
    with panes(len(names), ACROSS) as (figure, every):
        for place, (axes, name) in enumerate(zip(every, names, strict=True)):
            _bars(axes, bins[bins["column"] == name])
            axes.set_xlabel(with_unit(name, units.get(name)), fontsize=9)
            axes.xaxis.set_major_locator(MaxNLocator(3))
            axes.yaxis.set_major_locator(MaxNLocator(3))
            axes.tick_params(labelsize=8)
            in_figures(axes.yaxis)
            if place % ACROSS == 0:
                axes.set_ylabel("rows", fontsize=9)
    return figure


def fenced(bins: pd.DataFrame, low: float, high: float, outside: int, name: str, unit: str | None) -> Figure:
    """A column's values and the bounds that training learnt: what lies beyond them no model learns from.

    Args:
        bins: of this column: `low`, `high` and `rows`.
        low: the lower bound, in the column's unit.
        high: the upper bound.
        outside: how many rows lie beyond the two.
        name: of the axis.
        unit: the column's.
    """
    beyond = (bins["low"] + bins["high"]) / 2
    out = (beyond < low) | (beyond > high)
    with chart(height=3.0) as (figure, axes):
        for part, colour, what in (
            (bins[~out], BLUE, "learnt from"),
            (bins[out], VERMILION, f"left out of training: {outside:,}"),
        ):
            _bars(axes, part, colour, what)
        for end in (low, high):
            axes.axvline(end, color=INK, linestyle="--", linewidth=1)
        axes.set_yscale("log")
        axes.set_xlabel(with_unit(f"{name}; bounds at {number(low, 3)} and {number(high, 3)}", unit))
        axes.set_ylabel("rows, logarithmic")
        in_figures(axes.yaxis)
        axes.legend(loc="upper right", fontsize=9)
    return figure


def correlation(matrix: pd.DataFrame) -> Figure:
    """Pearson's correlation of each pair: purple ones rise together, orange ones run against each other.

    Args:
        matrix: columns in and across; the first one is the label, by which the others are ordered.
    """
    label = matrix.columns[0]
    order = [label, *matrix[label].drop(label).sort_values(ascending=False).index]
    values = matrix.loc[order, order].to_numpy()
    with chart(height=1.2 + 0.36 * len(order)) as (figure, axes):
        image = axes.imshow(values, cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
        for row, column in np.ndindex(values.shape):
            colour = "white" if abs(values[row, column]) > DARK else INK
            axes.text(
                column,
                row,
                f"{values[row, column]:.1f}".replace("-0.0", "0.0"),
                ha="center",
                va="center",
                color=colour,
                fontsize=7,
            )
        axes.set_xticks(range(len(order)), order, rotation=60, ha="right", fontsize=8)
        axes.set_yticks(range(len(order)), order, fontsize=8)
        axes.grid(visible=False)
        figure.colorbar(image, ax=axes, label="correlation (no unit)", shrink=0.6)
    return figure


def told_alone(found: pd.DataFrame, label: str) -> Figure:
    """How much of the label's variance each input tells by itself; one near 1 is suspected to be a leak.

    Args:
        found: `input` and `r2`, the most telling first.
        label: what is told.
    """
    with chart(height=1.4 + 0.24 * len(found)) as (figure, axes):
        axes.barh(found["input"], 100 * found["r2"].clip(lower=0), color=BLUE)
        axes.axvline(100 * SUSPECT, color=VERMILION, linestyle="--", label=f"suspected from {SUSPECT:.0%} on")
        axes.invert_yaxis()
        axes.set_xlim(0, 102)
        axes.set_xlabel(f"variance of {label} that the input tells alone (%)")
        axes.grid(axis="y", visible=False)
        figure.legend(loc="outside upper right", fontsize=9)
    return figure


def places(found: pd.DataFrame, value: str, unit: str | None) -> Figure:
    """A map-like scatter of areas: where they lie, what they cost, how much is sold there.

    Args:
        found: grain: an area. `name`, `lat` and `long` in degrees, `value` in the unit, `rows`.
        value: what the colour shows.
        unit: of it.
    """
    found = found.sort_values("rows", ascending=False)
    with chart(height=6.0) as (figure, axes):
        cells = axes.scatter(
            found["long"], found["lat"], s=found["rows"] * 1.2, c=found["value"], cmap="cividis_r", norm=LogNorm(),
            edgecolors="white", linewidths=0.8,
        )  # fmt: skip
        ends = pd.concat([found.nlargest(NAMED, "value"), found.nsmallest(NAMED, "value")])
        for n, (name, lat, long) in enumerate(zip(ends["name"], ends["lat"], ends["long"], strict=True)):
            away = (0, 7 if n % 2 else -14)
            axes.annotate(str(name), (long, lat), away, textcoords="offset points", ha="center", fontsize=8)
        axes.set_aspect(1 / np.cos(np.radians(found["lat"].mean())))  # so that a mile is as long both ways
        axes.set_xlabel("longitude (degrees)")
        axes.set_ylabel("latitude (degrees)")
        bar = figure.colorbar(cells, ax=axes, label=with_unit(value, unit), shrink=0.8)
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        in_figures(bar.ax.yaxis)
        sizes = [int(found["rows"].quantile(share)) for share in (0.1, 0.5, 1.0)]
        handles = [axes.scatter([], [], s=size * 1.2, color=GREY, label=f"{size:,} rows") for size in sizes]
        axes.legend(handles=handles, loc="lower right", fontsize=9, labelspacing=1.2)
    return figure


def _bars(axes: Axes, bins: pd.DataFrame, colour: str = BLUE, label: str | None = None) -> None:
    axes.bar(
        bins["low"], bins["rows"], width=bins["high"] - bins["low"], align="edge", color=colour, label=label
    )
    axes.xaxis.set_major_locator(MaxNLocator(6))
    # no comma in a year, and all digits of a degree
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.6g}")
    )
    axes.grid(axis="x", visible=False)
