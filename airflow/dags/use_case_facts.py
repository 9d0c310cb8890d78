"""What a use case's DAGs know of its file. Light: the dag-processor reads it with every DAG file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regatta.config import UseCase


class FaultyUseCase(Exception):
    """A use-case file that cannot be read; the message holds every fault with its line."""


@dataclass(frozen=True)
class Facts:
    """Of one use-case file.

    Attributes:
        name: as the lake knows it; begins the DAGs' ids.
        config: the file, as it stands in a job's line.
        title: what people call it.
        grain: what one row is.
        label: what is predicted.
        unit: the label's, if it has one.
        metric: by which candidates are ranked.
        learns_from: the source with the label.
        scores_from: the source without it, if there is one.
        families: of candidates.
        retrain: when, as a cron expression in UTC.
        score: when; None where there is nothing to score from.
    """

    name: str
    config: str
    title: str
    grain: str
    label: str
    unit: str | None
    metric: str
    learns_from: str
    scores_from: str | None
    families: tuple[str, ...]
    retrain: str
    score: str | None


def facts_of(use_case: UseCase, config: str) -> Facts:
    """Of a use case that has a schedule."""
    schedule = use_case.schedule
    assert schedule is not None
    scores_from = use_case.source("score")
    table = use_case.modelled
    return Facts(
        name=use_case.use_case,
        config=config,
        title=use_case.title or use_case.use_case,
        grain=table.grain,
        label=table.label,
        unit=table.columns[table.label].unit,
        metric=use_case.metric,
        learns_from=str(use_case.source("train")),
        scores_from=scores_from,
        families=tuple(use_case.candidates),
        retrain=schedule.retrain,
        score=schedule.score if scores_from or use_case.panel else None,
    )
