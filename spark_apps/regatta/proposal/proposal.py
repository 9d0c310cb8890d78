"""A use-case file for an unknown table, as text with comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regatta.config import parse
from regatta.config.dialect import Csv
from regatta.proposal.columns import Guess, guesses
from regatta.proposal.label import Label, give_roles, label_of
from regatta.proposal.sample import Sample, sample

_MANY = 30
"""More values of a category than this, and trees read it better by the mean of the label."""
_SLOTS = 300
"""More columns of ones and zeros than this, and the linear model does too."""
_FEW_ROWS = 50_000


@dataclass(frozen=True)
class Proposal:
    """The text of a use-case file that has no fault, and what a person should look at."""

    text: str
    label: Label
    columns: Sequence[Guess]

    @property
    def remarks(self) -> list[str]:
        """One a column that has any."""
        return [f"{guess.name}: {', '.join(guess.remarks)}" for guess in self.columns if guess.remarks]


def propose(use_case: str, file: Path, label: str | None = None) -> Proposal:
    """Look at a file and write down what it seems to be.

    Args:
        use_case: the name of the new use case.
        file: CSV or parquet.
        label: the column to predict; by default the likeliest.

    Raises:
        InputError: the file is no table, or has nothing to predict.
        FaultyInput: the name cannot be a use case's.
    """
    table = sample(file)
    columns = guesses(table)
    chosen = label_of(columns, label)
    give_roles(columns, chosen.guess, table)
    text = "\n".join(_lines(use_case, file, table, columns, chosen)) + "\n"
    parse(text, f"{use_case}.yaml")
    return Proposal(text, chosen, columns)


def _lines(use_case: str, file: Path, table: Sample, columns: Sequence[Guess], label: Label) -> Iterator[str]:
    seen = f"{len(table.rows):,} rows" if table.is_whole else f"the first {len(table.rows):,} rows"
    yield "# yaml-language-server: $schema=use-case.schema.json"
    yield f"# Proposed by `regatta init` from {seen} of {file.name}. Every key is explained in docs/use-case.md."
    yield f"use_case: {use_case}"
    yield ""
    yield "sources:"
    yield from _sources(use_case, table, columns, label.guess)
    yield ""
    yield "columns:"
    yield from _columns(columns, label)
    yield ""
    if not any("key" in guess.role for guess in columns):
        yield "duplicates: keep                # no column names a row; reject: only the first of equal rows"
    yield "max_rejected: 0.5               # a delivery of which a larger share is rejected is refused whole"
    features = [*_features(columns)]
    if features:
        yield ""
        yield "features:                       # computed from a row's own columns, in Spark SQL"
        yield from features
    yield ""
    yield from _training(table, columns, label.guess)


def _sources(use_case: str, table: Sample, columns: Sequence[Guess], label: Guess) -> Iterator[str]:
    form = ["format: parquet"] if table.format == "parquet" else []
    settings = [*_dialect(table, columns)]
    once, again = (f"csv: &dialect {{{', '.join(settings)}}}", "csv: *dialect") if settings else ("", "")
    remark = f"# the same columns, {label.name} not yet known"
    if len(once) < 80:
        known, new = (", ".join(filter(None, [*form, csv])) for csv in (once, again))
        yield f"  {use_case}_known: {{role: train{known and ', '}{known}}}"
        yield f"  {use_case}_new: {{role: score{new and ', '}{new}}}    {remark}"
        return
    yield f"  {use_case}_known:"
    yield from (f"    {line}" for line in ("role: train", *form, "csv: &dialect"))
    yield from (f"      {line}" for line in settings)
    yield f"  {use_case}_new:    {remark}"
    yield from (f"    {line}" for line in ("role: score", *form, "csv: *dialect"))


def _dialect(table: Sample, columns: Sequence[Guess]) -> Iterator[str]:
    csv, usual = table.csv, Csv()
    if table.format == "csv":
        for name in ("separator", "quote", "encoding", "comment", "decimal", "thousands"):
            if getattr(csv, name) != getattr(usual, name):
                yield f"{name}: {_scalar(getattr(csv, name))}"
        if csv.missing != usual.missing:
            yield f"missing: [{', '.join(map(_scalar, csv.missing))}]"
        if csv.names:
            yield f"names: [{', '.join(map(_scalar, csv.names))}]"
    renamed = [f"{_scalar(guess.header)}: {guess.name}" for guess in columns if guess.header != guess.name]
    if renamed:
        yield f"header: {{{', '.join(renamed)}}}"


def _columns(columns: Sequence[Guess], label: Label) -> Iterator[str]:
    widest = max(len(_scalar(guess.name)) for guess in columns) + 1
    for guess in columns:
        settings = [f"type: {guess.type}"] if guess.type != "number" else []
        settings += [f"role: {guess.role}"] if guess.role != "info" else []
        settings += [f"{name}: {value}" for name, value in guess.settings.items()]
        remarks = [*guess.remarks]
        if guess.role == "category":
            remarks.insert(0, f"{guess.distinct:,} values")
        if guess is label.guess:
            if guess.numbers is not None and np.nanmin(guess.numbers) > 0:
                settings.append("above: 0")
            remarks.insert(
                0, "what is predicted" if label.is_sure else "what is predicted: A GUESS, is it right?"
            )
        line = f"  {_scalar(guess.name) + ':':<{widest}} {{{', '.join(settings)}}}"
        yield f"{line:<60}  # {'; '.join(remarks)}" if remarks else line


def _features(columns: Sequence[Guess]) -> Iterator[str]:
    for guess in columns:
        widest = max(map(len, guess.calendar), default=0) + 1
        for part in guess.calendar:
            yield f"  {guess.name}_{part + ':':<{widest}} {part}({guess.name})"


def _training(table: Sample, columns: Sequence[Guess], label: Guess) -> Iterator[str]:
    many = max((guess.distinct for guess in columns if guess.role == "category"), default=0)
    slots = sum(guess.distinct for guess in columns if guess.role == "category")
    trees = "encoding: target, " if many > _MANY else ""
    linear = "encoding: target, " if slots > _SLOTS else ""
    if _is_skewed(label):
        yield "label_transform: log            # most of it is small and some large; figures are in its own unit again"
    few = table.is_whole and len(table.rows) < _FEW_ROWS
    parts = ", partitions: 1" if few else ""
    time = next((guess for guess in columns if "time" in guess.role), None)
    yield f"split: {{holdout: 0.2, folds: 3{parts}}}" + (
        f"    # or the latest rows: holdout_from: a day of {time.name}" if time else ""
    )
    yield ""
    yield "candidates:                     # MLlib's own parameter names; a list is tried value by value"
    yield f"  random_forest:     {{{trees}numTrees: 20, maxDepth: [5, 10]}}"
    yield f"  gbt:               {{{trees}maxIter: 20, maxDepth: [3, 5]}}"
    yield f"  linear_regression: {{{linear}regParam: [0.001, 0.1]}}"
    yield ""
    yield "metric: rmse"
    if table.is_whole and (held_out := len(table.rows) // 10) < 100:
        yield f"gate: {{min_rows: {max(held_out, 1)}}}              # a small table: few rows are held out to judge by"


def _is_skewed(label: Guess) -> bool:
    if label.numbers is None:
        return False
    values = label.numbers[~np.isnan(label.numbers)]
    if len(values) < 20 or values.min() <= 0:
        return False
    return _skewness(values) > 1 and abs(_skewness(np.log(values))) < _skewness(values)


def _skewness(values: np.ndarray) -> float:
    deviation = values.std()
    return float((((values - values.mean()) / deviation) ** 3).mean()) if deviation else 0.0


_PLAIN = re.compile(r"[A-Za-zÀ-ÿ_][\wÀ-ÿ]*(?: [\wÀ-ÿ]+)*")
_WORDS_OF_YAML = {"y", "n", "yes", "no", "true", "false", "on", "off", "null", "none"}


def _scalar(text: str | None) -> str:
    """As it stands in YAML."""
    if text is None:
        return "null"
    if (_PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML) or re.fullmatch(
        "utf-8|latin-1|(iso|windows)-[0-9-]+", text
    ):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\u00a0", "\\u00a0")
    return f'"{escaped}"'
