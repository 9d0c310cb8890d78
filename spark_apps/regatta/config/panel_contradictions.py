"""What is wrong between parts of a panel that are each well formed."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import available_timezones

import holidays
import sqlglot
from sqlglot import exp

from regatta.config import expressions
from regatta.config.model import UseCase
from regatta.config.panel import AS_OF, PERIOD, STEP, Panel, PanelValue
from regatta.config.panel_feature import OF_DAYS_ALONE
from regatta.config.problem import Place, Problem, nearest_or_all
from regatta.config.syntax import division_problems

Found = tuple[Place, str, str]


def panel_contradictions(use_case: UseCase, panel: Panel) -> Iterator[Found]:
    """What is wrong with a panel, with the columns that it is made of, and with keys that are about tables."""
    yield from _delivered(use_case, panel)
    yield from _aggregates(use_case, panel)
    yield from _known_too_late(panel)
    yield from _names(panel)
    yield from _calendar(panel)
    yield from _features(panel)
    yield from _validation(use_case, panel)


def _delivered(use_case: UseCase, panel: Panel) -> Iterator[Found]:
    columns = use_case.columns
    for name in () if panel.is_one_series(columns) else panel.entity:
        if name not in columns:
            yield ("panel", "entity"), f"there is no column {name}", nearest_or_all(name, columns)
        elif not columns[name].must_be_there:
            yield (
                ("columns", name, "required"),
                "a line without its entity belongs nowhere, and this column may be empty",
                "add required: true, so that such lines are rejected and counted",
            )
    for name in panel.categories:
        if name not in panel.entity:
            yield (
                ("panel", "categories"),
                f"{name} is no part of the entity",
                nearest_or_all(name, panel.entity),
            )
    time = use_case.time
    if time is None:
        yield ("panel",), "no column says when a line was", "give the role time to a date or timestamp"
    elif columns[time].type not in ("date", "timestamp"):
        yield (
            ("columns", time, "type"),
            f"a {columns[time].type} has no calendar",
            "a panel's time is a date or timestamp",
        )
    elif panel.time_zone is not None and columns[time].type != "timestamp":
        yield ("panel", "time_zone"), f"{time} is a date, which is the same day in every zone", "leave it out"
    if panel.time_zone is not None and panel.time_zone not in available_timezones():
        near = nearest_or_all(panel.time_zone, available_timezones())
        yield ("panel", "time_zone"), f"no zone has the name {panel.time_zone}", near
    for name, column in columns.items():
        for role in ("label", "feature", "category"):
            if role in column.role:
                yield (
                    ("columns", name, "role"),
                    f"a line of a panel has no {role}",
                    "models see periods: the label is panel.label, and inputs stand under panel.features",
                )
    for part, names in (("values", panel.values), ("known", panel.known)):
        for name in names:
            if name in panel.entity:
                yield ("panel", part, name), "is a part of the entity too", "give it a name of its own"
    has_source = use_case.source("score") is not None
    if panel.known and not has_source:
        yield (
            ("panel", "known"),
            "nothing delivers what is known of periods to come",
            "add a source with the role score, for lines with their entity, time and these columns",
        )
    if has_source and not panel.known:
        yield (
            ("sources",),
            "a panel is forecast from its history, and panel.known names nothing that a score source delivers",
            "leave the source with the role score out",
        )


def _aggregates(use_case: UseCase, panel: Panel) -> Iterator[Found]:
    if panel.where is not None:
        for problem in expressions.problems(
            panel.where, columns=use_case.columns, purpose=expressions.Purpose.RULE
        ):
            yield ("panel", "where"), problem.fact, problem.hint
    for part, values in (("values", panel.values), ("known", panel.known)):
        for name, value in values.items():
            for problem in _value_problems(value, use_case):
                yield ("panel", part, name), problem.fact, problem.hint
    asked = [(("panel", "label"), panel.label)]
    if panel.participants.by is not None:
        asked.append((("panel", "participants"), panel.participants.by))
    for where, name in asked:
        if name not in panel.values:
            yield where, f"there is no value {name}", nearest_or_all(name, panel.values)


def _known_too_late(panel: Panel) -> Iterator[Found]:
    """What is made of the label's own columns, or of how many lines there are, is not known in advance."""
    if panel.label not in panel.values:
        return
    of_label = expressions.columns_of(panel.values[panel.label].sql)
    for name, value in panel.known.items():
        read = expressions.columns_of(value.sql)
        if not read or (of_label and of_label <= read):
            what = f"reads all that {panel.label} is made of" if read else "counts lines"
            yield (
                ("panel", "known", name),
                f"{what}, which nobody knows before the period is over",
                "name what is decided in advance, such as a price or an offer",
            )


def _value_problems(value: PanelValue, use_case: UseCase) -> Iterator[Problem]:
    found = expressions.problems(value.sql, columns=use_case.columns, purpose=expressions.Purpose.PANEL_VALUE)
    yield from found
    if found:
        return
    tree = sqlglot.parse_one(value.sql, dialect="spark")
    alone = [column.name for column in tree.find_all(exp.Column) if column.find_ancestor(exp.AggFunc) is None]
    if alone or tree.find(exp.AggFunc) is None:
        what = f"{alone[0]} is of one line" if alone else "is no aggregate"
        yield Problem(
            f"{what}, and a period has many", "write sum(...), count(*), max(...) or another aggregate"
        )
    yield from division_problems(value.sql)


def _names(panel: Panel) -> Iterator[Found]:
    """Spark tells no capitals apart, and a panel's rows have columns of regatta's own."""
    taken = {name.lower(): "regatta's own" for name in (PERIOD, STEP, AS_OF, *panel.forecasts)}
    taken |= {name.lower(): "of the entity" for name in panel.entity}
    for part, names in (("values", panel.values), ("known", panel.known), ("features", panel.features)):
        for name in names:
            if owner := taken.get(name.lower()):
                yield ("panel", part, name), f"a column of this name is {owner}", "choose another"
            taken[name.lower()] = f"under panel.{part}"


def _calendar(panel: Panel) -> Iterator[Found]:
    if panel.holidays is not None:
        known = holidays.list_supported_countries()
        country, part = panel.holidays.country, panel.holidays.subdivision
        if country not in known:
            yield (
                ("panel", "holidays", "country"),
                f"the holidays package knows no country {country}",
                nearest_or_all(country, known) or "it takes codes of two letters, such as GB",
            )
        elif part is not None and part not in known[country]:
            yield (
                ("panel", "holidays", "subdivision"),
                f"{country} has no subdivision {part}",
                nearest_or_all(part, known[country]),
            )
    closed = panel.closed
    if closed.holidays and panel.holidays is None:
        yield ("panel", "closed", "holidays"), "of which country?", "give panel.holidays.country"
    if panel.frequency != "day" and (closed.weekdays or closed.holidays or closed.dates):
        yield (
            ("panel", "closed"),
            f"only days can be closed, and a period is a {panel.frequency}",
            "leave it out",
        )
    if len(set(closed.weekdays)) == 7:
        yield ("panel", "closed", "weekdays"), "no day of the week is open", "open one"


def _features(panel: Panel) -> Iterator[Found]:
    for name, feature in panel.features.items():
        where = ("panel", "features", name)
        for asked, known in (
            (feature.of, panel.values),
            (feature.since, panel.values),
            (feature.known, panel.known),
        ):
            if asked is not None and asked not in known:
                yield where, f"there is no value {asked}", nearest_or_all(asked, known)
        if feature.calendar in OF_DAYS_ALONE and panel.frequency != "day":
            yield where, f"a {panel.frequency} has no {feature.calendar}", "it is for days"
        if feature.calendar == "week" and panel.frequency == "month":
            yield where, "a month has no week", "it is for days and weeks"
        if feature.calendar and feature.calendar.endswith("holiday") and panel.holidays is None:
            yield where, "of which country?", "give panel.holidays.country"
        if feature.fill is not None and feature.type == "category":
            yield where, "a category without a value is one of its own", "leave fill out"


def _validation(use_case: UseCase, panel: Panel) -> Iterator[Found]:
    if panel.horizon > panel.window:
        yield (
            ("panel", "horizon"),
            f"step {panel.horizon} never falls into a window of {panel.window} periods, so nothing would judge it",
            f"make panel.window at least {panel.horizon}, or the horizon shorter",
        )
    of_tables = {"holdout", "holdout_from", "group", "salt"} & use_case.split.model_fields_set
    for key in sorted(of_tables):
        yield (
            ("split", key),
            "is about tables: a panel is split along the calendar",
            "the holdout is the last panel.window periods; split.folds and split.partitions hold for panels too",
        )
    modelled = use_case.modelled
    if not modelled.numbers and not modelled.categories:
        yield ("panel", "features"), "models have nothing to read", "name at least one, such as {lag: 0}"
    for name in modelled.features:
        if name in panel.values or name in panel.known:
            yield ("features", name), "a value of the panel has this name already", "choose another"
