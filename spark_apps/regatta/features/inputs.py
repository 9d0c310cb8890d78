"""What a model that was trained some time ago reads, and whether rows of today still have it."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from regatta.config import UseCase
from regatta.config.expressions import columns_of
from regatta.errors import InputError
from regatta.lake import Run


def trained_as(run: Run) -> UseCase:
    """The use case as it was when the run was trained.

    Raises:
        InputError: if another version of regatta wrote it and this one cannot read it.
    """
    try:
        return UseCase.model_validate(run.configuration, strict=False)  # JSON has lists where we have tuples
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(
            f"this version of regatta cannot read the run's configuration "
            f"({'.'.join(map(str, first['loc']))}: {first['msg']})",
            place=f"run {run.run_id}",
            way_out=f"regatta train {run.use_case}",
        ) from None


def columns_read(use_case: UseCase) -> tuple[str, ...]:
    """The delivered columns that a model of the use case and its filters read, in the file's order; not the label.

    Of a panel those of its lines.
    """
    if (panel := use_case.panel) is not None and use_case.modelled is not use_case:
        expressions = [value.sql for value in (*panel.values.values(), *panel.known.values())]
        made_of = {*panel.entity, *use_case.with_role("time")}
        made_of |= {name for sql in (*expressions, panel.where or "true") for name in columns_of(sql)}
        return tuple(name for name in use_case.columns if name in made_of)
    read = {*use_case.with_role("feature"), *use_case.with_role("category")}
    for sql in (*(feature.sql for feature in use_case.features.values()), *use_case.filters):
        read |= columns_of(sql)
    return tuple(name for name in use_case.columns if name in read and name != use_case.label)


def changes(then: UseCase, now: UseCase, columns: Iterable[str]) -> list[str]:
    """What has happened to columns between two versions of a use case, a few words each.

    A unit counts as changed where both versions state one.
    """
    found = []
    for name in columns:
        old, new = then.columns[name], now.columns.get(name)
        if new is None:
            found.append(f"{name} is gone")
        elif new.type != old.type:
            found.append(f"{name} was a {old.type} and is a {new.type}")
        elif old.unit and new.unit and old.unit != new.unit:
            found.append(f"{name} was in {old.unit} and is in {new.unit}")
    return found


def panel_changes(then: UseCase, now: UseCase) -> list[str]:
    """What has happened to the making of a panel's rows, a few words each; nothing for two tables."""
    old, new = then.panel, now.panel
    if old is None or new is None:
        return [] if old is new else ["one is of a panel and the other of a table"]
    made_by = ("entity", "frequency", "time_zone", "where", "values", "known", "empty", "holidays", "closed")
    found = [f"panel.{part} is another" for part in made_by if getattr(old, part) != getattr(new, part)]
    return found + [
        f"panel.features.{name} is {'another' if name in new.features else 'gone'}"
        for name, feature in old.features.items()
        if new.features.get(name) != feature
    ]
