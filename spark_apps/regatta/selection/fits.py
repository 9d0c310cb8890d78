"""All fits of one split, a few at once, each judged as soon as it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.race import Encoding
from regatta.evaluation.metrics import metrics, metrics_of
from regatta.features.pipeline import in_label_unit, undone
from regatta.runtime.concurrency import AT_ONCE, as_they_end, side_by_side
from regatta.selection.candidates import Candidate, estimator, param_map
from regatta.selection.engine import Engine
from regatta.selection.leaderboard import Judged
from regatta.selection.native.unsupported import Unsupported
from regatta.selection.prepared import Prepared

if TYPE_CHECKING:
    from regatta.selection.native.search import Unit

Results = list[tuple[Candidate, Judged]]
Fit = Callable[[], Results]


def fits(
    field: Sequence[Candidate],
    prepared: Mapping[Encoding, Prepared],
    use_case: UseCase,
    engine: Engine,
    scale: float | None = None,
) -> Iterator[tuple[Candidate, Judged]]:
    """Fit every candidate on a split and judge it; yield each as soon as it is judged.

    Native fits and MLlib's take turns, since one kind computes where the other mostly waits for Spark. The costliest
    native fit is the first; MLlib's families go by turns, because a family's next model may wait for a fit that
    it shares, and then another's is there to be made.
    """
    session = next(iter(prepared.values())).ground.inliers.sparkSession
    families = _families(field)

    def units_of(family: Sequence[Candidate]) -> Sequence[Unit]:
        return engine.units(family, prepared[family[0].encoding])

    native: list[tuple[int, Fit]] = []
    by_family: list[list[Fit]] = []
    for family, units in zip(families, side_by_side(session, units_of, families), strict=True):
        data = prepared[family[0].encoding]
        native += [(unit.cost, _native_fit(unit, family, data, use_case, engine, scale)) for unit in units]
        if not units:
            by_family.append(_mllib_fits(family, data, use_case, scale))
    costliest_first = [fit for _, fit in sorted(native, key=lambda entry: -entry[0])]
    turns = [[fit for turn in zip_longest(*by_family) for fit in turn if fit], costliest_first]
    work = [fit for turn in zip_longest(*turns) for fit in turn if fit]

    def run(fit: Fit) -> Results:
        return fit()

    at_once = max(AT_ONCE, engine.place.at_once) if native else AT_ONCE
    for results in as_they_end(session, run, work, at_once):
        yield from results


def _families(field: Sequence[Candidate]) -> list[list[Candidate]]:
    """Candidates that share an estimator, the costliest (last of the grid) first."""
    by_family: dict[str, list[Candidate]] = {}
    for candidate in reversed(field):
        by_family.setdefault(candidate.family, []).append(candidate)
    return list(by_family.values())


def _native_fit(
    unit: Unit,
    family: Sequence[Candidate],
    data: Prepared,
    use_case: UseCase,
    engine: Engine,
    scale: float | None,
) -> Fit:
    """One unit: candidates that share their growing. The seconds they share are divided among them evenly."""

    def fit() -> Results:
        _, truth, minus = data.collected
        started, found = time.monotonic(), []
        try:
            for positions, predictions in engine.place.predictions(unit):
                figures = metrics_of(truth, undone(predictions, minus, use_case), scale)
                found += [(family[position], figures) for position in positions]
        except Unsupported as reason:
            engine.fall_back(family[0].family, str(reason))
            rest = [family[position] for positions in unit.positions.values() for position in positions]
            return [result for alone in _mllib_fits(rest, data, use_case, scale) for result in alone()]
        seconds = (time.monotonic() - started) / len(found)
        return [(candidate, Judged(metrics=figures, seconds=seconds)) for candidate, figures in found]

    return fit


def _mllib_fits(
    family: Sequence[Candidate], data: Prepared, use_case: UseCase, scale: float | None
) -> list[Fit]:
    """Fits through `fitMultiple`, each a turn: whichever model is next is judged."""
    of_family = estimator(family[0].family, use_case.seed)
    maps = [param_map(of_family, candidate, data.slots.largest) for candidate in family]
    # One pass over the rows is all that linear models need, and trees go over them hundreds of times.
    rows = data.vectors if family[0].family == "linear_regression" else data.training
    models = iter(of_family.fitMultiple(rows, maps))

    def fit() -> Results:
        started = time.monotonic()
        index, model = next(models)
        seconds = time.monotonic() - started
        predictions = model.transform(data.judging).withColumn("prediction", F.expr(in_label_unit(use_case)))
        figures = metrics(predictions, use_case.label, scale=scale)[0]
        return [(family[index], Judged(metrics=figures, seconds=seconds))]

    return [fit] * len(family)
