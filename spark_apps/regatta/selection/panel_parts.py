"""Lines of a panel -> what each origin learns from and is judged on, and the last window, which is held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.panel import SEASON, Panel
from regatta.config.panel_feature import PanelFeature
from regatta.config.table import quoted
from regatta.errors import InputError
from regatta.features.pipeline import LABEL, MINUS, scorable, with_label
from regatta.features.scope import in_scope
from regatta.panels import leak
from regatta.panels.origins import Origin, dates, origins
from regatta.panels.participants import TAKES_PART, of_participants, participation, with_participation
from regatta.panels.rows import TARGET, rows
from regatta.panels.values import POSITION, Lines, observed
from regatta.selection.parts import Fold, Parts
from regatta.selection.splits import laid_out

NAIVE = "_naive"
"""The forecast that mase is scaled by: the value one season before."""
FIRST = "_first"


def panel_parts(given: Lines, use_case: UseCase, panel: Panel) -> Parts:
    """Split a panel along the calendar, after its features have passed the leak check.

    Raises:
        InputError: if the lines make no panel, there are fewer periods than the folds take, or what is known in
            advance is known of periods with lines alone.
        Leak: if a feature reads what was not known yet.
    """
    modelled = use_case.modelled
    seen = observed(given, use_case, panel)
    found = origins(seen.calendar, use_case.split.folds, use_case.use_case)
    _far_enough(panel, found[0], use_case)
    leak.check_known(seen, use_case.use_case)
    features = {**panel.all_features, NAIVE: PanelFeature(seasonal=1)}
    all_values = seen.values.persist()
    taking = participation(all_values, panel, [origin.train_to for origin in found])
    if taking is not None:
        taking = taking.localCheckpoint()
    values = of_participants(all_values, taking, panel)
    known = rows(values, seen.calendar, features).filter(F.col(quoted(panel.label)).isNotNull())
    taking_part = with_participation(known, taking, panel, len(found))
    usable = taking_part.filter(in_scope(modelled) & scorable(modelled))
    labelled = with_label(laid_out(usable, modelled), modelled).persist()
    counts = _counted(labelled, found, modelled)
    leak.check(labelled, replace(seen, values=values), features, found, use_case.seed)

    *folds, last = [
        Fold(
            origin.name,
            training=labelled.filter(_learnt_from(number, origin)),
            judging=labelled.filter(_judged_on(number, origin)),
            scale=scale,
        )
        for number, (origin, scale) in enumerate(zip(found, counts.scales, strict=True))
    ]
    own = (NAIVE, POSITION, TARGET, FIRST, TAKES_PART)
    return Parts(
        training=last.training,
        holdout=last.judging.drop(*own, LABEL, MINUS),
        counts=counts.rows,
        folds=folds,
        scale=last.scale,
        splits=dates(found, seen.calendar),
        trained_until=seen.calendar.start(found[-1].train_to),
    )


def _learnt_from(number: int, origin: Origin) -> Column:
    """Rows whose period was known at the origin: what they are about lies there or before it."""
    return F.col(TAKES_PART)[number] & F.col(TARGET).between(origin.train_from, origin.train_to)


def _judged_on(number: int, origin: Origin) -> Column:
    """Rows of the next window, forecast when the model was there to be used."""
    in_window = F.col(TARGET) <= origin.test_to
    return F.col(TAKES_PART)[number] & (F.col(POSITION) >= origin.test_from - 1) & in_window


@dataclass(frozen=True)
class _Counts:
    rows: Mapping[str, int]
    scales: Sequence[float | None]


def _counted(labelled: DataFrame, found: Sequence[Origin], use_case: UseCase) -> _Counts:
    """One job: how many rows each origin has, and the errors that mase is a share of.

    Raises:
        InputError: an origin has no rows to learn from or to be judged on, or a label has no logarithm.
    """
    label = F.col(quoted(use_case.label)).cast("double")
    figures: list[Column] = [F.count(F.lit(1)), F.min(label)]
    for number, origin in enumerate(found):
        learnt, judged = _learnt_from(number, origin), _judged_on(number, origin)
        figures += [
            F.count_if(learnt),
            F.count_if(judged),
            F.avg(F.when(learnt, F.abs(label - F.col(NAIVE)))),
        ]
    every, least, *each = labelled.agg(*figures).collect()[0]
    for origin, trained, judged in zip(found, each[::3], each[1::3], strict=True):
        if not trained or not judged:
            lacking = "to learn from" if not trained else "to be judged on"
            raise InputError(
                f"the origin {origin.name} has no row {lacking}",
                place=use_case.use_case,
                way_out="land a longer history, or ask for less of panel.participants and panel.live",
            )
    if use_case.label_transform == "log" and least <= 0:
        raise InputError(
            f"{use_case.label} is {least:g} in a period, and label_transform: log needs labels above 0",
            place=use_case.use_case,
            way_out="use label_transform: signed_sqrt or none",
        )
    *_, trained_on, held_out, _ = each
    return _Counts({"read": every, "trained_on": trained_on, "held_out": held_out}, each[2::3])


def _far_enough(panel: Panel, first: Origin, use_case: UseCase) -> None:
    """Before the first origin each feature must have had a value, unless the file says what stands in for it."""
    for name, feature in panel.features.items():
        season = feature.season or SEASON[panel.frequency]
        back = {"lag": feature.periods, "seasonal": season * feature.periods}.get(feature.kind, 0)
        if back >= first.train_to and feature.fill is None and feature.type == "number":
            raise InputError(
                f"{name} looks {back} {panel.frequency}s back, and the first origin, {first.name}, is the "
                f"{first.train_to + 1}. period: models would learn from it without a value",
                place=f"{use_case.use_case}: panel.features.{name}",
                way_out="land a longer history, or give the feature a fill",
            )
