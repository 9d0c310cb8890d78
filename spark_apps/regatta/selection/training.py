"""Accepted rows -> the part that is learnt from and the part that is held out, both laid out for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.errors import InputError
from regatta.features.pipeline import LABEL, MINUS, scorable, with_label
from regatta.features.scope import in_scope
from regatta.panels.origins import Dates
from regatta.panels.values import Lines
from regatta.selection.panel_parts import panel_parts
from regatta.selection.parts import Fold, Parts
from regatta.selection.splits import FOLD, HOLDOUT, fold, held_out, laid_out


def split(given: Lines, use_case: UseCase) -> Parts:
    """Split what was accepted for good: rows by a hash of their group, or a panel along the calendar.

    Raises:
        InputError: if there is too little for the folds and the holdout, or it makes no panel.
        Leak: if a feature of a panel reads what was not known yet.
    """
    if use_case.panel is not None:
        return panel_parts(given, use_case, use_case.panel)
    return parts(given.lines, use_case)


def parts(rows: DataFrame, use_case: UseCase) -> Parts:
    """Split accepted rows for good.

    Raises:
        InputError: if there are too few rows for the folds and the holdout, or a label has no logarithm.
    """
    label = F.col(f"`{use_case.label}`")
    frame = rows.withColumns({HOLDOUT: held_out(use_case), FOLD: fold(use_case)})
    counted = frame.groupBy(
        F.when(label.isNull(), "without_label")
        .when(~in_scope(use_case), "filtered_out")
        .when(~scorable(use_case), "without_value")
        .otherwise("usable"),
        HOLDOUT,
        FOLD,
    ).agg(F.count(F.lit(1)), F.min(label.cast("double")), F.max(label.cast("double")))
    cells = [tuple(cell) for cell in counted.collect()]
    by_fold = dict.fromkeys(range(use_case.split.folds), 0)
    fates = ("read", "without_label", "filtered_out", "without_value", "held_out", "trained_on")
    counts = dict.fromkeys(fates, 0)
    labels: set[float] = set()
    for fate, is_held_out, number, count, least, most in cells:
        counts["read"] += count
        if fate != "usable":
            counts[fate] += count
            continue
        counts["held_out" if is_held_out else "trained_on"] += count
        labels |= {least, most}
        if not is_held_out:
            by_fold[number] += count
        if use_case.label_transform == "log" and least <= 0:
            raise InputError(
                f"{use_case.label} is {least:g} in a row, and label_transform: log needs labels above 0",
                place=use_case.use_case,
                way_out=f"add `above: 0` to columns.{use_case.label}, or use label_transform: none",
            )
    _enough(use_case, counts, by_fold)
    if len(labels) == 1:
        raise InputError(
            f"{use_case.label} is {labels.pop():g} in every row that could be learnt from: there is nothing to learn",
            place=use_case.use_case,
            way_out="look at `regatta doctor`; is it the right column, and do the filters leave enough?",
        )

    usable = laid_out(frame.filter(label.isNotNull() & in_scope(use_case) & scorable(use_case)), use_case)
    labelled = with_label(usable, use_case).persist()
    training = labelled.filter(~F.col(HOLDOUT)).drop(HOLDOUT)
    return Parts(
        training=training,
        holdout=labelled.filter(HOLDOUT).drop(HOLDOUT, FOLD, LABEL, MINUS),
        counts=counts,
        folds=[
            Fold(str(number), training.filter(F.col(FOLD) != number), training.filter(F.col(FOLD) == number))
            for number in range(use_case.split.folds)
        ],
    )


def _enough(use_case: UseCase, counts: Mapping[str, int], by_fold: Mapping[int, int]) -> None:
    folds = use_case.split.folds
    if counts["trained_on"] < folds or not all(by_fold.values()) or not counts["held_out"]:
        groups = " by " + ", ".join(use_case.group) if use_case.split.group or use_case.key else ""
        start = use_case.split.holdout_from
        share = f"of {use_case.split.holdout:.0%}" if start is None else f"from {start}"
        usable = counts["trained_on"] + counts["held_out"]
        filtered = f", and the filters exclude {counts['filtered_out']:,}" if use_case.filters else ""
        raise InputError(
            f"{usable:,} labelled row{'' if usable == 1 else 's'} {'is' if usable == 1 else 'are'} too few for"
            f" {folds} folds and a holdout {share}{groups}: every part needs at least one row",
            place=use_case.use_case,
            way_out=f"land more rows, or lower split.folds (of {counts['read']:,} rows read, "
            f"{counts['without_label']:,} have no label{filtered})",
        )


def windows(splits: Sequence[Dates]) -> Iterator[str]:
    """A line a fold of a panel, and one for the holdout; none for a table."""
    for number, one in enumerate(splits, 1):
        what = f"fold {number}" if number < len(splits) else "holdout"
        gap = f", a gap of {one.gap}" if one.gap else ""
        yield (
            f"{what}: learns from {one.train_from} to {one.train_to}{gap}, judged on {one.test_from} to {one.test_to}"
        )
