"""What is wrong between parts of a use-case file that are each well formed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from regatta.config import mllib
from regatta.config.expressions import Purpose, columns_of, problems
from regatta.config.model import UseCase
from regatta.config.moments import pattern_problems
from regatta.config.panel_contradictions import panel_contradictions
from regatta.config.problem import Place, Problem, nearest_or_all
from regatta.config.sources import source_contradictions
from regatta.config.table import Column, moment_of

OWN_COLUMNS = ("delivery", "file", "row", "prediction")
"""What regatta adds beside the table's own columns, in accepted rows and in scores."""


def contradictions(use_case: UseCase) -> Iterator[tuple[Place, str, str]]:
    """What is wrong between parts that are each well formed."""
    seen = use_case.modelled.columns
    yield from _names(use_case)
    yield from _columns(use_case)

    if use_case.panel is not None:
        yield from panel_contradictions(use_case, use_case.panel)
    elif "mase" in (use_case.metric, *use_case.gate.floor):
        yield ("metric",), "mase compares with a season before, and a table has none", "use mae"

    named: tuple[tuple[Place, Sequence[str]], ...] = (
        (("outliers", "columns"), use_case.outliers.columns if use_case.outliers else ()),
        (("split", "group"), use_case.split.group or ()),
        (("baselines", "median_by"), [c] if (c := use_case.baselines.median_by) else []),
        (("baselines", "columns"), use_case.baselines.columns),
        (("label_minus",), [c] if (c := use_case.label_minus) else []),
    )
    for where, names in named:
        numeric = where[0] != "split" and where[-1] != "median_by"
        for name in names:
            if name not in seen:
                yield where, f"there is no column {name}", nearest_or_all(name, seen)
            elif name == use_case.label and where in (("label_minus",), ("baselines", "columns")):
                yield (
                    where,
                    "a prediction may not read the label of the row it is about",
                    "name another column",
                )
            elif numeric and seen[name].type not in ("number", "integer"):
                yield where, f"{name} is a {seen[name].type}, not a number", "name numeric columns alone"
    if use_case.label in (use_case.split.group or ()):
        yield (
            ("split", "group"),
            "the label may not decide where a row stands",
            "group by what rows share, such as a house or a shop",
        )
    if (by := use_case.baselines.median_by) and by == use_case.label:
        yield (
            ("baselines", "median_by"),
            "a baseline may not read the label of the row it predicts",
            "name a category",
        )

    yield from _expressions(use_case)
    yield from _holdout_from(use_case)
    for source, settings in use_case.sources.items():
        yield from source_contradictions(source, settings, use_case)
    yield from _candidates(use_case)


_OF_EXPRESSIONS = "docs/use-case.md says under Expressions what may stand in one"


def _expressions(use_case: UseCase) -> Iterator[tuple[Place, str, str]]:
    columns, label = use_case.columns, use_case.label

    def judged(where: Place, sql: str, purpose: Purpose) -> Iterator[tuple[Place, str, str]]:
        of_rows = use_case.columns if purpose is Purpose.RULE else use_case.modelled.columns
        texts = [name for name, column in of_rows.items() if column.type == "string"]
        for problem in problems(sql, columns=of_rows, purpose=purpose, label=label, texts=texts):
            yield where, problem.fact, problem.hint or _OF_EXPRESSIONS

    for index, rule in enumerate(use_case.rules):
        yield from judged(("rules", index, "sql"), rule.sql, Purpose.RULE)
    for index, sql in enumerate(use_case.filters):
        yield from judged(("filters", index), sql, Purpose.FILTER)
    for name, feature in use_case.features.items():
        yield from judged(("features", name), feature.sql, Purpose.FEATURE)
        if feature.buckets and feature.type == "category":
            yield ("features", name, "buckets"), "buckets are made of numbers", "leave type out"
    for name, column in columns.items():
        if column.sql is not None:
            for problem in _of_texts(name, column.sql, use_case):
                yield ("columns", name, "sql"), problem.fact, problem.hint or _OF_EXPRESSIONS


def _of_texts(name: str, sql: str, use_case: UseCase) -> Iterator[Problem]:
    """What is wrong with an expression that makes a column of delivered texts."""
    found = list(problems(sql, columns=use_case.columns, purpose=Purpose.RULE))
    yield from found
    others = frozenset() if found else columns_of(sql) - {name}
    for other in sorted(others):
        if other in use_case.computed:
            yield Problem(f"reads {other}, which no file has", f"read what columns.{other}.sql reads")
    if use_case.panel is None and (use_case.label in others or (others and name == use_case.label)):
        yield Problem(
            "makes an input of the label, or the label of inputs",
            "the label is made of its own text alone, and nothing else reads that",
        )


def _holdout_from(use_case: UseCase) -> Iterator[tuple[Place, str, str]]:
    start, time = use_case.split.holdout_from, use_case.time
    where: Place = ("split", "holdout_from")
    if start is None:
        return
    if time is None:
        yield where, "no column says when", "give one the role time"
    elif use_case.columns[time].type == "integer":
        if not isinstance(start, int):
            yield where, f"{start!r} is no whole number, and {time} is an integer", "write it like 2015"
    elif moment_of(start) is None:
        yield where, f"{start!r} is no day or moment", "write it like 2015-01-31"


def _names(use_case: UseCase) -> Iterator[tuple[Place, str, str]]:
    """Spark tells no capitals apart, and a table that a job writes has columns of regatta's own beside these."""
    seen: dict[str, str] = {}
    for part, names in (("columns", use_case.columns), ("features", use_case.features)):
        for name in names:
            lower = name.lower()
            if lower in OWN_COLUMNS or lower.startswith("prediction "):
                rename = ", and map the file's to it under csv.header" if part == "columns" else ""
                yield (part, name), "regatta has a column of this name of its own", f"choose another{rename}"
            other = seen.setdefault(lower, name)
            if other == name and part == "features" and name in use_case.modelled.columns:
                yield (part, name), "a column has this name already", "give the feature a name of its own"
            elif other != name:
                yield (
                    (part, name),
                    f"differs from {other} in capitals alone, which Spark does not tell apart",
                    "rename one of the two",
                )


def _columns(use_case: UseCase) -> Iterator[tuple[Place, str, str]]:
    for name, column in use_case.columns.items():
        where: Place = ("columns", name)
        if "label" in column.role and len(column.role) > 1:
            yield (
                (*where, "role"),
                f"the label cannot also be {_others(column.role, 'label')}",
                "it is what is to be predicted: role: label",
            )
        if "feature" in column.role and "category" in column.role:
            yield (
                (*where, "role"),
                "a column is a feature (a number) or a category, not both",
                "choose one; a feature of type: category can be computed from the other",
            )
        if {"label", "feature"} & set(column.role) and column.type not in ("number", "integer", "boolean"):
            yield (
                (*where, "type"),
                f"a {column.type} cannot be a {column.role[0]}",
                ("use role category, or a feature computed from it"),
            )
        if "time" in column.role and column.type not in ("date", "timestamp", "integer"):
            yield (*where, "type"), f"a {column.type} cannot be the time", "use date, timestamp or integer"
        if column.format and column.type not in ("date", "timestamp"):
            yield (*where, "format"), f"a {column.type} has no format", "it belongs to dates and timestamps"
        numeric = column.type in ("number", "integer")
        yield from _bounds(where, column)
        for pattern in column.format or () if column.is_moment else ():
            for problem in pattern_problems(pattern, column.type):
                yield (*where, "format"), f"{pattern}: {problem.fact}", problem.hint
        for limit in ("pattern", "max_length"):
            if getattr(column, limit) is not None and column.type != "string":
                yield (*where, limit), f"a {column.type} has no {limit}", "it belongs to strings"
        for value in column.allowed or ():
            if numeric and (isinstance(value, bool) or not isinstance(value, int | float)):
                yield (*where, "allowed"), f"{value!r} is not a number", "a column of names is type: string"
            if column.type == "string" and not isinstance(value, str):
                yield (*where, "allowed"), f"{value!r} is not a string", f'write it in quotes: "{value}"'
        if column.nulls is not None and not {"feature", "category"} & set(column.role):
            yield (
                (*where, "nulls"),
                "only model inputs (feature, category) say what to do without a value",
                "",
            )
        if column.nulls in ("median", "mean") and not numeric:
            yield (*where, "nulls"), f"a {column.type} has no {column.nulls}", "use most_frequent or constant"
        if (column.fill is None) == (column.nulls == "constant"):
            yield (*where, "fill"), "fill and nulls: constant go together", "give both or neither"
        if numeric and isinstance(column.fill, str) and "feature" in column.role:
            yield (*where, "fill"), f"{column.fill!r} is not a number", "write a number without quotes"


def _bounds(where: Place, column: Column) -> Iterator[tuple[Place, str, str]]:
    """Numbers bound numbers, days bound days; and between two bounds there must be room."""
    given = {
        name: bound
        for name in ("min", "max", "above", "below")
        if (bound := getattr(column, name)) is not None
    }
    sound: dict[str, Any] = {}
    for name, bound in given.items():
        if column.is_moment:
            if (moment := moment_of(bound)) is None:
                yield (*where, name), f"{bound!r} is no day or moment", "write it like 2015-01-31"
            else:
                sound[name] = moment
        elif column.type not in ("number", "integer"):
            yield (
                (*where, name),
                f"a {column.type} has no {name}",
                "it belongs to numbers and dates; a string has pattern, max_length and allowed",
            )
        elif isinstance(bound, str):
            yield (*where, name), f"{bound!r} is not a number", "write a number without quotes"
        else:
            sound[name] = bound
    low = max((sound[name] for name in ("min", "above") if name in sound), default=None)
    high = min((sound[name] for name in ("max", "below") if name in sound), default=None)
    if low is not None and high is not None and low > high:
        low, high = (f"{edge:g}" if isinstance(edge, float) else f"{edge:%Y-%m-%d}" for edge in (low, high))
        yield where, f"no value is both at least {low} and at most {high}", "are the two bounds exchanged?"


def _others(roles: tuple[str, ...], one: str) -> str:
    return " and ".join(role for role in roles if role != one)


SECONDS_A_FIT = 1
"""Of one candidate in one fold: what it takes at the least, on a few thousand rows."""


def _candidates(use_case: UseCase) -> Iterator[tuple[Place, str, str]]:
    candidates, folds = use_case.candidates, use_case.split.folds
    count = sum(entry.size for entry in candidates.values())
    if count > use_case.max_candidates:
        hours = count * folds * SECONDS_A_FIT / 3600
        yield (
            ("candidates",),
            f"{count:,} candidates in {folds} folds are {count * folds:,} fits: {hours:,.1f} hours at"
            f" {SECONDS_A_FIT} second each, and more on a large table",
            f"shorten a list, or confirm it with max_candidates: {count}",
        )
    if not candidates:
        yield ("candidates",), "no family is in the race", "name at least one, such as linear_regression"
    for family, entry in candidates.items():
        for parameter, values in entry.grid.items():
            where = ("candidates", family, parameter)
            if not values:
                yield (
                    where,
                    "an empty list leaves nothing to try",
                    "write a value, or leave the parameter out",
                )
            elif len(set(map(repr, values))) < len(values):
                yield where, "a value stands twice in the list", "name each value once"
            for value in values:
                for problem in mllib.problems(family, parameter, value):
                    yield where, problem.fact, problem.hint or _meaning(family, parameter)


def _meaning(family: str, parameter: str) -> str:
    known = mllib.FAMILIES[family].parameters
    if parameter in known:
        return f"{parameter}: {known[parameter].doc}"
    return f"it has {', '.join(known)}"
