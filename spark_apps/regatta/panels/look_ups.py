"""Which periods each row of a panel looks up, for its features and its label. No Spark is needed here.

It follows from the calendar alone: a lag that lands on a closed day takes the last open one before, a weekday is
counted back from the period that is forecast, and the label lies so many open periods ahead. So it is worked out
once for each period and step, and not for each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regatta.config.panel import SEASON
from regatta.config.panel_feature import PanelFeature
from regatta.panels.calendar import Calendar

LOOKED_UP = ("lag", "seasonal", "seasonal_mean", "known")
"""Kinds of features that are values of other periods."""
LABEL = ""
"""Names the label's look-up beside those of features."""
NEARBY = 8  # periods between two stretches, up to which one that holds both costs less than two


@dataclass(frozen=True)
class Cell:
    """One period and step: the positions that are looked up, by feature, and what the calendar says of the target."""

    step: int
    target: int
    positions: Mapping[str, tuple[int | None, ...]]
    parts: Mapping[str, int | None]


@dataclass(frozen=True)
class Stretch:
    """Values of neighbouring periods that rows look into: from `nearest` to `farthest`, in ordinals from their own."""

    value: str
    nearest: int
    farthest: int

    @property
    def column(self) -> str:
        """The column that holds them, in the order of time; what lies before an entity's first line is missing."""
        return f"_from {self.nearest} to {self.farthest} of {self.value}"


@dataclass(frozen=True)
class LookUps:
    """For each position that is known its cells, one a step; and the stretches that hold all that they look up.

    Attributes:
        cells: by position.
        stretches: which of them each feature looks into; the label's under `LABEL`.
    """

    cells: Sequence[Sequence[Cell]]
    stretches: Mapping[str, Stretch]

    @classmethod
    def of(cls, calendar: Calendar, features: Mapping[str, PanelFeature]) -> LookUps:
        """Work them out for every position that is known."""
        steps = range(1, calendar.panel.horizon + 1)
        cells = [
            [_cell(calendar, features, position, step) for step in steps]
            for position in range(calendar.last + 1)
        ]
        return cls(cells, _stretches(calendar, features, cells))


def _cell(calendar: Calendar, features: Mapping[str, PanelFeature], position: int, step: int) -> Cell:
    target = position + step
    positions = {
        name: tuple(_positions(calendar, feature, position, step))
        for name, feature in features.items()
        if feature.kind in LOOKED_UP
    }
    parts = {
        name: calendar.part(target, feature.calendar)
        for name, feature in features.items()
        if feature.calendar
    }
    return Cell(step, target, {LABEL: (target,), **positions}, parts)


def _positions(calendar: Calendar, feature: PanelFeature, position: int, step: int) -> list[int | None]:
    season = feature.season or SEASON[calendar.panel.frequency]
    match feature.kind:
        case "lag":
            return [calendar.before(position, feature.periods)]
        case "seasonal":
            return [calendar.seasons_before(position, step, season, feature.periods)]
        case "seasonal_mean":
            seasons = range(1, feature.periods + 1)
            return [calendar.seasons_before(position, step, season, one) for one in seasons]
        case _:
            return [position + step]


def _stretches(
    calendar: Calendar, features: Mapping[str, PanelFeature], cells: Sequence[Sequence[Cell]]
) -> dict[str, Stretch]:
    """One stretch a feature at first; those of one value that lie close to each other become one."""
    reach: dict[str, tuple[int, int]] = {}
    for position, of_steps in enumerate(cells):
        here = calendar.open[position]
        for cell in of_steps:
            for name, positions in cell.positions.items():
                away = [calendar.open[one] - here for one in positions if one is not None]
                if away:
                    nearest, farthest = reach.get(name, (away[0], away[0]))
                    reach[name] = min(nearest, *away), max(farthest, *away)
    values = {name: feature.known or feature.of or calendar.panel.label for name, feature in features.items()}
    values[LABEL] = calendar.panel.label
    found: dict[str, Stretch] = {}
    for value in sorted({values[name] for name in reach}):
        of_value = sorted((*reach[name], name) for name in reach if values[name] == value)
        together: list[tuple[int, int, list[str]]] = []
        for nearest, farthest, name in of_value:
            if together and nearest <= together[-1][1] + NEARBY:
                begin, end, names = together[-1]
                together[-1] = begin, max(end, farthest), [*names, name]
            else:
                together.append((nearest, farthest, [name]))
        for nearest, farthest, names in together:
            found |= dict.fromkeys(names, Stretch(value, nearest, farthest))
    return found
