"""What is wrong between the dialect of a source and the table it holds."""

from __future__ import annotations

from collections.abc import Iterator

from regatta.config.model import UseCase
from regatta.config.problem import Place, nearest_or_all
from regatta.config.table import Source


def source_contradictions(
    source: str, settings: Source, use_case: UseCase
) -> Iterator[tuple[Place, str, str]]:
    """What is wrong between a source's dialect and the columns of the table."""
    csv, where = settings.csv, ("sources", source, "csv")
    for header, name in csv.header.items():
        if name not in use_case.columns:
            yield (
                (*where, "header", header),
                f"there is no column {name}",
                nearest_or_all(name, use_case.columns),
            )
        elif name in use_case.computed:
            yield (
                (*where, "header", header),
                f"{name} is computed of other columns, and no file has it",
                f"let columns.{name}.sql read {name}, or put {header} under ignore",
            )
        elif header in csv.ignore:
            yield (
                (*where, "ignore"),
                f"{header} is renamed under header and ignored here",
                "do one of the two",
            )
    targets = [*csv.header.values()]
    for name in {name for name in targets if targets.count(name) > 1}:
        yield (
            (*where, "header"),
            f"two columns of the file become {name}",
            "give each a name of its own, or put one under ignore",
        )
    marks = [mark for mark in (csv.separator, csv.quote, csv.comment) if mark is not None]
    if (
        len({*marks}) < len(marks)
        or csv.decimal in (csv.separator, csv.quote)
        or csv.thousands == csv.decimal
    ):
        yield (
            where,
            "separator, quote, comment, decimal and thousands must all differ",
            "set those that the file has otherwise",
        )
    if names := csv.names:
        in_files = {name: header for header, name in csv.header.items()}
        needed = [in_files.get(name, name) for name in use_case.columns if name not in use_case.computed]
        withheld = {in_files.get(name, name) for name in use_case.withheld}
        for name in needed:
            if name not in names and not (settings.role == "score" and name in withheld):
                yield (*where, "names"), f"column {name} is not among them", nearest_or_all(name, names)
        for name in names:
            if names.count(name) > 1:
                yield (*where, "names"), f"{name} stands twice", "name each column of the file once"
            elif name not in needed and name not in csv.ignore:
                yield (*where, "names"), f"there is no column {name}", "add it under columns, or under ignore"
    if settings.format == "parquet":
        for name in ("separator", "quote", "encoding", "comment", "names", "decimal", "thousands"):
            if name in csv.model_fields_set:
                yield (
                    (*where, name),
                    f"a parquet file has no {name}",
                    "only header, ignore and missing matter",
                )
