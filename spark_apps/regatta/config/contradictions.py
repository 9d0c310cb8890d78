"""What is wrong between parts of a use-case file that are each well formed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from regatta.config import expressions, mllib
from regatta.config.model import Candidates, Family, UseCase
from regatta.config.panel_contradictions import panel_contradictions
from regatta.config.problem import nearest_or_all
from regatta.config.table import Column

Place = tuple[str | int, ...]
"""A path of keys and positions in the file."""

OWN_COLUMNS = ("delivery", "file", "row", "prediction")
"""What regatta adds beside the table's own columns, in accepted rows and in scores."""


def contradictions(use_case: UseCase) -> Iterator[tuple[Place, str, str]]:
    """What is wrong between parts that are each well formed."""
    columns, seen = use_case.columns, use_case.modelled.columns
    yield from _names(use_case)
    yield from _columns(use_case)
    if use_case.panel is not None:
        yield from panel_contradictions(use_case, use_case.panel)

    named: tuple[tuple[Place, Sequence[str]], ...] = (
        (("outliers", "columns"), use_case.outliers.columns if use_case.outliers else ()),
        (("split", "group"), use_case.split.group or ()),
        (("baselines", "median_by"), [c] if (c := use_case.baselines.median_by) else []),
        (("baselines", "columns"), use_case.baselines.columns),
        (("label_minus",), [c] if (c := use_case.label_minus) else []),
    )
    for where, names in named:
        for name in names:
            if name not in seen:
                yield where, f"there is no column {name}", nearest_or_all(name, seen)
            elif name == use_case.label and where[0] in ("label_minus", "baselines"):
                yield where, "a prediction may not read the label of the row it is about", ""
            elif where[0] != "split" and where[-1] != "median_by" and not _is_number(seen[name]):
                yield where, f"{name} is a {seen[name].type}, not a number", ""
    if use_case.label in (use_case.split.group or ()):
        yield ("split", "group"), "the label may not decide where a row stands", ""

    if use_case.panel is None and "mase" in (use_case.metric, *use_case.gate.floor):
        yield ("metric",), "mase compares with a season before, and a table has none", "it is for panels"
    for index, rule in enumerate(use_case.rules):
        for problem in expressions.problems(rule.sql, columns=columns, purpose=expressions.Purpose.RULE):
            yield ("rules", index, "sql"), problem.fact, problem.hint
    for name, feature in use_case.features.items():
        for problem in expressions.problems(
            feature.sql, columns=seen, purpose=expressions.Purpose.FEATURE, label=use_case.label
        ):
            yield ("features", name), problem.fact, problem.hint

    for source, settings in use_case.sources.items():
        for header, name in settings.csv.header.items():
            if name not in columns:
                yield (
                    ("sources", source, "csv", "header", header),
                    f"there is no column {name}",
                    (nearest_or_all(name, columns)),
                )
        csv = settings.csv
        if csv.separator in (csv.quote, csv.decimal) or csv.thousands == csv.decimal:
            yield ("sources", source, "csv"), "separator, quote, decimal and thousands must all differ", ""

    yield from _candidates(use_case.candidates)


def _names(use_case: UseCase) -> Iterator[tuple[Place, str, str]]:
    """Spark tells no capitals apart, and a table that a job writes has columns of regatta's own beside these."""
    seen: dict[str, str] = {}
    seen_by_models = use_case.modelled.columns
    for part, names in (("columns", use_case.columns), ("features", use_case.features)):
        for name in names:
            lower = name.lower()
            if lower in OWN_COLUMNS or lower.startswith("prediction "):
                rename = ", and map the file's to it under csv.header" if part == "columns" else ""
                yield (part, name), "regatta has a column of this name of its own", f"choose another{rename}"
            other = seen.setdefault(lower, name)
            if other == name and part == "features" and name in seen_by_models:
                yield (part, name), "a column has this name already", "give the feature a name of its own"
            elif other != name:
                yield (
                    (part, name),
                    f"differs from {other} in capitals alone, which Spark does not tell apart",
                    "",
                )


def _columns(use_case: UseCase) -> Iterator[tuple[Place, str, str]]:
    for name, column in use_case.columns.items():
        where: Place = ("columns", name)
        if "label" in column.role and len(column.role) > 1:
            yield (*where, "role"), f"the label cannot also be {_others(column.role, 'label')}", ""
        if "feature" in column.role and "category" in column.role:
            yield (*where, "role"), "a column is a feature (a number) or a category, not both", ""
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
        for bound in ("min", "max", "above", "below"):
            if getattr(column, bound) is not None and not numeric:
                yield (*where, bound), f"a {column.type} has no {bound}", ""
        for limit in ("pattern", "max_length"):
            if getattr(column, limit) is not None and column.type != "string":
                yield (*where, limit), f"a {column.type} has no {limit}", "it belongs to strings"
        low = max((v for v in (column.min, column.above) if v is not None), default=None)
        high = min((v for v in (column.max, column.below) if v is not None), default=None)
        if low is not None and high is not None and low > high:
            yield where, f"no value is both at least {low:g} and at most {high:g}", ""
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


def _is_number(column: Column) -> bool:
    return column.type in ("number", "integer")


def _others(roles: tuple[str, ...], one: str) -> str:
    return " and ".join(role for role in roles if role != one)


def _candidates(candidates: Mapping[Family, Candidates]) -> Iterator[tuple[Place, str, str]]:
    if not candidates:
        yield ("candidates",), "no family is in the race", "name at least one, such as linear_regression"
    for family, entry in candidates.items():
        for parameter, values in entry.grid.items():
            where = ("candidates", family, parameter)
            if not values:
                yield where, "an empty list leaves nothing to try", ""
            elif len(set(map(repr, values))) < len(values):
                yield where, "a value stands twice in the list", ""
            for value in values:
                for problem in mllib.problems(family, parameter, value):
                    yield where, problem.fact, problem.hint
