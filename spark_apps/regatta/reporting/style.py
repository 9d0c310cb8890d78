"""How every chart looks: colours that colour-blind people tell apart, units on axes, no ink without a meaning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from regatta.evaluation.figures import number

# M. Okabe and K. Ito, Color Universal Design (2008).
INK, ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE, GREY = (
    "#222222", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#8A8A8A",
)  # fmt: skip
WHITE = "#FFFFFF"
OF_FAMILY = {"linear_regression": BLUE, "random_forest": GREEN, "gbt": ORANGE}
"""Each family has its colour in every chart; baselines are grey."""
WIDTH = 8.0  # inches
DOTS = 110

_SETTINGS: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "grid.color": "#E8E8E8",
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "regatta",
}


@contextmanager
def chart(height: float = 3.6) -> Iterator[tuple[Figure, Axes]]:
    """An empty chart in the house's style; `height` in inches. No window and no global state is made."""
    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]  # a dict of str is what it takes
        figure = Figure(figsize=(WIDTH, height))
        yield figure, figure.add_subplot()


@contextmanager
def panes(count: int, across: int, height: float = 1.7) -> Iterator[tuple[Figure, list[Axes]]]:
    """Several empty charts as one figure, so many `across`; `height` in inches is each row's."""
    down = -(-count // across)
    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]
        figure = Figure(figsize=(WIDTH, height * down + 0.3))
        yield figure, [figure.add_subplot(down, across, place + 1) for place in range(count)]


def as_png(figure: Figure) -> bytes:
    """A picture of it for notebooks, `DOTS` an inch."""
    drawn, content = BytesIO(), BytesIO()
    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]
        figure.savefig(drawn, format="png", dpi=DOTS, metadata={"Software": None})
    # 256 colours are enough for our charts, and a third of the bytes; rare ones, as of a scale's end, are kept
    few = Image.open(drawn).convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE)
    few.save(content, format="png", optimize=True)
    return content.getvalue()


def as_svg(figure: Figure) -> str:
    """An element that can stand in a page; equal figures give equal text."""
    text = StringIO()
    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    whole = text.getvalue()
    return whole[whole.index("<svg") :]


def in_figures(axis: Any) -> None:
    """Thousands apart and as many digits as say something, instead of the library's 1e6."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 3)))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def dated(axis: Any) -> None:
    """Dates that name their year and month once; the axis needs no label then."""
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def with_unit(what: str, unit: str | None) -> str:
    """The name of an axis."""
    return f"{what} ({unit})" if unit else what
