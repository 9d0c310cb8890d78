"""Inputs that tell almost all of the label by themselves: they are rarely known when a prediction is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regatta.config import UseCase
from regatta.diagnosis.findings import Finding
from regatta.diagnosis.rows import Looked

SUSPECT = 0.98
"""Of a correlation, or of R2 by one input alone."""
_FEWEST = 20  # rows below which chance is suspected

Numbers = NDArray[np.float64]


def leaks(use_case: UseCase, looked: Looked) -> Iterator[Finding]:
    """A finding for each input that is almost the label."""
    label = _numbers(looked.values[use_case.label])
    for name in (*use_case.numbers, *use_case.categories):
        given = looked.values[name]
        if name in use_case.categories:
            told, how = r2_by_category(given, label), "R2"
        else:
            told, how = correlation(_numbers(given), label)
        if told is not None and abs(told) > SUSPECT:
            yield Finding(
                name,
                f"tells the label almost by itself ({how} {told:.3f} with {use_case.label}): is it a leak?",
                "if it is not known when a prediction is due, make it role: info",
            )


def correlation(given: Numbers, label: Numbers) -> tuple[float | None, str]:
    """Pearson's or Spearman's, whichever is larger: a logarithm of the label is the label too."""
    both = np.isfinite(given) & np.isfinite(label)
    a, b = given[both], label[both]
    if len(a) < _FEWEST or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None, ""
    straight = float(np.corrcoef(a, b)[0, 1])
    if len(np.unique(a)) < _FEWEST:
        return straight, "correlation"
    ranks = float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])
    return max((straight, "correlation"), (ranks, "rank correlation"), key=lambda found: abs(found[0]))


def r2_by_category(given: Sequence[Any], label: Numbers) -> float | None:
    """R2 of the mean of the category's other rows; categories of one row tell nothing."""
    known = np.isfinite(label)
    names = np.array([str(value) for value in given])[known]
    values = label[known]
    _, group = np.unique(names, return_inverse=True)
    count = np.bincount(group)[group]
    others = (np.bincount(group, values)[group] - values) / np.maximum(count - 1, 1)
    judged = count > 1
    if judged.sum() < max(_FEWEST, 0.5 * len(values)) or np.ptp(values[judged]) == 0:
        return None
    left = ((values - others)[judged] ** 2).sum()
    return float(1 - left / ((values[judged] - values[judged].mean()) ** 2).sum())


def _numbers(values: Sequence[Any]) -> Numbers:
    return np.array([np.nan if value is None else float(value) for value in values], dtype=float)


def _ranks(values: Numbers) -> Numbers:
    """Mean ranks of equal values."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]
