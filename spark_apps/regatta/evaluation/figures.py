"""Figures as people read them: in the label's unit, with as many digits as say something."""

from __future__ import annotations

from collections.abc import Mapping

Figures = Mapping[str, float | None]

DIGITS = 4  # significant ones; whole numbers keep all of theirs
EXACT = 17  # digits tell any two floats apart
UNDEFINED = "undefined"
SHARES = ("mape", "wape")  # shown in percent
WITHOUT_UNIT = (*SHARES, "r2", "smape", "mase")


def number(value: float, digits: int = DIGITS) -> str:
    """A number with thousands separators: 128,345 or 0.03142, and 1.5e+21 where digits would only be long."""
    if abs(value) >= 1e15 or 0 < abs(value) < 1e-6:
        return f"{value:.{digits}g}"
    whole = len(f"{abs(value):.0f}") if abs(value) >= 1 else 0
    leading_zeros = 0 if value == 0 or whole else -int(f"{value:e}".partition("e")[2]) - 1
    text = f"{value:,.{max(digits - whole + leading_zeros, 0)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def unit_of(metric: str, unit: str | None) -> str:
    """The unit that a metric has for a label in `unit`; empty where it has none, or the label's is not known."""
    if unit is None or metric in WITHOUT_UNIT:
        return ""
    return f"{unit}²" if metric == "mse" else unit


def shown(metric: str, value: float | None, unit: str | None, digits: int = DIGITS) -> str:
    """A figure with its unit: `128,345 USD`; a share (mape, wape) in percent; `undefined` for None."""
    if value is None:
        return UNDEFINED
    if metric in SHARES:
        return f"{number(100 * value, digits)} %"
    return f"{number(value, digits)} {unit_of(metric, unit)}".rstrip()


def told_apart(metric: str, one: float | None, other: float | None, unit: str | None) -> tuple[str, str]:
    """Two figures with as few digits as show them to differ, if they do."""
    for digits in range(DIGITS, EXACT + 1):
        pair = shown(metric, one, unit, digits), shown(metric, other, unit, digits)
        if pair[0] != pair[1]:
            return pair
    return shown(metric, one, unit), shown(metric, other, unit)
