"""From a few rows of a delivery to what will go wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from regatta.config import UseCase
from regatta.diagnosis.findings import Finding
from regatta.diagnosis.leaks import leaks
from regatta.diagnosis.rows import Looked

_MISSING = {"na", "n/a", "#n/a", "nan", "null", "none", "-", "--", "?", ".", "unknown", "missing"}
_MOST_EMPTY = 0.5


def examine(use_case: UseCase, looked: Looked) -> Iterator[Finding]:
    """All that a look at the rows tells."""
    yield from _rejected(use_case, looked)
    if not looked.sound:
        return
    yield from _duplicates(use_case, looked)
    if use_case.panel is not None:  # the rest is about its rows, which are not made yet
        return
    yield from _label(use_case, looked)
    yield from _filters(use_case, looked)
    yield from _inputs(use_case, looked)
    yield from leaks(use_case, looked)
    yield from _size(use_case, looked)


def _rejected(use_case: UseCase, looked: Looked) -> Iterator[Finding]:
    rejected = looked.count - looked.sound
    for (column, rule), (count, example) in sorted(looked.reasons.items(), key=lambda item: -item[1][0]):
        shown = f", as {example[:30]!r}" if example else ""
        yield Finding(
            column or "row",
            f"{rule}{shown}: {_of(count, looked.count)} {'is' if count == 1 else 'are'} rejected for it",
            _way_out(rule, example),
        )
    if rejected > use_case.max_rejected * looked.count:
        yield Finding(
            "max_rejected",
            f"{_of(rejected, looked.count)} are rejected: more than {use_case.max_rejected:.0%} refuse the delivery",
            "mend the columns above",
            stops=True,
        )


def _way_out(rule: str, example: str) -> str:
    if example.lower() in _MISSING:
        return f"if it means that there is no value, add it: csv: {{missing: ['', '{example}']}}"
    if rule in ("is not a number", "is not a whole number"):
        if "," in example and example.replace(",", "").replace(".", "").strip("+-").isdigit():
            return "csv.decimal: ',' reads 3,5, and csv.thousands: ',' reads 1,200"
        if rule == "is not a whole number" and example.replace(".", "", 1).strip("+-").isdigit():
            return "type: number reads fractions"
        if any(map(str.isdigit, example)):
            return "an expression under the column's sql takes units away; names are type: string"
        return "names are type: string, role: category"
    if rule.startswith(("is not a date", "is not a timestamp")):
        return "say how it is written, as format: dd/MM/yyyy"
    return ""


def _duplicates(use_case: UseCase, looked: Looked) -> Iterator[Finding]:
    if not use_case.key:
        return
    keys = Counter(zip(*(looked.values[name] for name in use_case.key), strict=True))
    again = sum(count - 1 for count in keys.values())
    if again:
        example = ", ".join(map(str, keys.most_common(1)[0][0]))
        fate = "rejected" if use_case.rejects_duplicates else "kept"
        yield Finding(
            "key",
            f"{', '.join(use_case.key)} is not unique: {_of(again, looked.sound)} have the key of an earlier one,"
            f" as {example}; they are {fate}",
            "make another column part of the key (role: [key, time], say), or say duplicates: keep",
            stops=again > use_case.max_rejected * looked.count and use_case.rejects_duplicates,
        )


def _label(use_case: UseCase, looked: Looked) -> Iterator[Finding]:
    values = looked.values[use_case.label]
    there = [value for value in values if value is not None]
    if not there:
        yield Finding(use_case.label, "no row has a label", "is it the right column?", stops=True)
        return
    if len(there) < len(values):
        yield Finding(
            use_case.label,
            f"{_of(len(values) - len(there), len(values))} have no label: they are not learnt from",
        )
    if len({*there}) == 1:
        yield Finding(use_case.label, f"is {there[0]} in every row", "there is nothing to learn", stops=True)
    if use_case.label_transform == "log" and (least := min(there)) <= 0:
        yield Finding(
            use_case.label,
            f"is {least:g} in a row, and label_transform: log needs labels above 0",
            f"add above: 0 to columns.{use_case.label}, or use label_transform: none",
            stops=True,
        )


def _filters(use_case: UseCase, looked: Looked) -> Iterator[Finding]:
    kept = sum(looked.in_scope)
    if use_case.filters and kept < looked.sound:
        yield Finding(
            "filters",
            f"{_of(looked.sound - kept, looked.sound)} do not meet them and are left out",
            stops=kept == 0,
        )


def _inputs(use_case: UseCase, looked: Looked) -> Iterator[Finding]:
    for name in (*use_case.numbers, *use_case.categories):
        values = looked.values[name]
        there = [value for value in values if value is not None]
        different = len({*map(str, there)})
        if not there:
            way_out = "take it out of the inputs, or fill it: nulls: constant"
            yield Finding(name, "has no value in any row", way_out, stops=_needs_a_value(use_case, name))
        elif different == 1:
            yield Finding(name, f"is {there[0]!r} in every row that has a value: no model learns from it")
        elif len(there) < (1 - _MOST_EMPTY) * len(values):
            yield Finding(name, f"{_of(len(values) - len(there), len(values))} have no value")
        if name in use_case.categories:
            yield from _categories(use_case, name, different, len(there))


def _needs_a_value(use_case: UseCase, name: str) -> bool:
    """Whether a training ends where it has none: what is learnt from values cannot be learnt from nothing."""
    column = use_case.columns.get(name)
    if column is None:
        return not use_case.features[name].is_category
    if "category" in column.role:
        return column.nulls == "most_frequent"
    return column.nulls not in ("constant", "drop")


def _categories(use_case: UseCase, name: str, different: int, there: int) -> Iterator[Finding]:
    indexed = [family for family in use_case.candidates if use_case.encoding(family) == "index"]
    by_value = [family for family in use_case.candidates if use_case.encoding(family) != "target"]
    way_out = "say encoding: target under the families, or take it out of the inputs"
    if different > use_case.max_categories and indexed:
        yield Finding(
            name,
            f"has {different:,} categories in {there:,} rows, more than max_categories ({use_case.max_categories:,})",
            way_out,
            stops=True,
        )
    elif different > 50 and different > (0.5 if by_value else 0.9) * there:
        yield Finding(
            name,
            f"has {different:,} categories in {there:,} rows: it names rows, and not kinds",
            way_out if by_value else "take it out of the inputs, or make a feature of a part of it",
        )
    elif different > 100 and indexed:
        yield Finding(
            name,
            f"has {different:,} categories in {there:,} rows, and {', '.join(indexed)} would look at each",
            way_out,
        )


def _size(use_case: UseCase, looked: Looked) -> Iterator[Finding]:
    usable = looked.of * looked.sound / looked.count
    if usable < 2 * use_case.split.folds:
        yield Finding(
            "rows",
            f"about {usable:,.0f} rows can be learnt from, and {use_case.split.folds} folds and a holdout need more",
            "land more, or lower split.folds",
            stops=True,
        )
    held_out = usable * use_case.split.holdout
    if use_case.split.holdout_from is None and held_out < use_case.gate.min_rows:
        yield Finding(
            "gate.min_rows",
            f"about {held_out:,.0f} rows are held out of this delivery, of {use_case.gate.min_rows:,} asked for",
            f"for a small table say gate: {{min_rows: {max(int(held_out / 2), 1)}}}, or promotion is refused",
            stops=True,
        )


def _of(count: int, total: int) -> str:
    return f"{count:,} of {total:,} rows"
