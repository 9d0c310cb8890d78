"""The race: every candidate on every fold, features fitted once a fold and encoding."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from regatta.config import UseCase
from regatta.config.race import Encoding
from regatta.evaluation.metrics import metrics
from regatta.runtime.concurrency import one_ahead
from regatta.selection.baselines import baselines
from regatta.selection.candidates import Candidate, candidates
from regatta.selection.engine import Engine
from regatta.selection.fits import fits
from regatta.selection.leaderboard import BASELINE, Judged, Standing
from regatta.selection.parts import Fold
from regatta.selection.prepared import Prepared, prepared_for


class Watcher(Protocol):
    """Is told of every fit as it happens, from whichever thread."""

    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        """A candidate was fitted on the other folds and judged on this one."""


def race(parts: Sequence[Fold], use_case: UseCase, watcher: Watcher, engine: Engine) -> list[Standing]:
    """Judge every candidate and baseline on every fold.

    Args:
        parts: what each fold learns from and is judged on.
        use_case: names candidates, encodings and seed.
        watcher: is told of each fit.
        engine: grows the trees, or leaves them to MLlib; made up its mind when the race is over.

    Returns:
        One standing a candidate and baseline, in no particular order; figures in the label's unit.
    """
    field = candidates(use_case)
    results: dict[str, dict[int, Judged]] = {candidate.name: {} for candidate in field}
    engine.consider(field)

    def ready(part: Fold) -> tuple[list[tuple[str, Judged]], dict[Encoding, Prepared]]:
        encodings = (one.encoding for one in field)
        return [*_baselines(part, use_case)], prepared_for(encodings, part.training, part.judging, use_case)

    # To make a fold ready is mostly Spark planning small jobs, and a fit natively is all arithmetic.
    session = parts[0].training.sparkSession
    for number, (part, (beside, prepared)) in enumerate(
        zip(parts, one_ahead(session, ready, parts), strict=True)
    ):
        for name, judged in beside:
            results.setdefault(name, {})[number] = judged
            watcher.judged(name, number, judged)
        for candidate, judged in fits(field, prepared, use_case, engine, part.scale):
            results[candidate.name][number] = judged
            watcher.judged(candidate.name, number, judged)
    by_name = {candidate.name: candidate for candidate in field}
    return [_standing(name, by_name.get(name), folds) for name, folds in results.items()]


def _baselines(part: Fold, use_case: UseCase) -> Iterator[tuple[str, Judged]]:
    """Fit one after another; judge all in one job."""
    found, predicted = {}, part.judging
    for name, baseline in baselines(use_case).items():
        started = time.monotonic()
        model = baseline.fit(part.training)
        found[name] = time.monotonic() - started
        predicted = model.transform(predicted).withColumnRenamed("prediction", f"prediction {name}")
    columns = [f"prediction {name}" for name in found]
    figures = metrics(predicted, use_case.label, columns, scale=part.scale)
    for (name, seconds), judged in zip(found.items(), figures, strict=True):
        yield name, Judged(metrics=judged, seconds=seconds)


def _standing(name: str, candidate: Candidate | None, folds: dict[int, Judged]) -> Standing:
    return Standing(
        candidate=name,
        family=candidate.family if candidate else BASELINE,
        parameters=candidate.parameters if candidate else {},
        folds=tuple(folds[number] for number in sorted(folds)),
    )
