"""A use case as frozen objects: what a file in conf/ may say of features, candidates, splits and gate.

`load.py` reads the file and reports its faults with their lines; nothing here touches a disk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from regatta.config.expressions import columns_of
from regatta.config.panel import AS_OF, PERIOD, STEP, Panel
from regatta.config.table import Column, ColumnName, ColumnRole, Role, Rule, Source, Strict

Family = Literal["random_forest", "gbt", "linear_regression"]
Metric = Literal["rmse", "mse", "mae", "mape", "r2", "wape", "smape", "mase"]
LabelTransform = Literal["none", "log", "signed_sqrt"]
Encoding = Literal["index", "one_hot", "target"]

LARGER_IS_BETTER: frozenset[Metric] = frozenset({"r2"})

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Outliers(Strict):
    """Rows left out of training (of nothing else): outside quartile -+ `factor` x interquartile range.

    The bounds are learnt on the training part of each split (Tukey, Exploratory Data Analysis, 1977, 2D).
    """

    method: Literal["iqr"] = "iqr"
    factor: Annotated[float, Field(gt=0, strict=False)] = 1.5
    columns: Annotated[tuple[ColumnName, ...], Field(strict=False, min_length=1)]


class Feature(Strict):
    """A model input computed from a row's own columns."""

    sql: str
    type: Literal["number", "category"] = "number"
    unit: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _an_expression_alone(cls, given: Any) -> Any:
        return {"sql": given} if isinstance(given, str) else given


class Split(Strict):
    """Which rows are held out for good, which are judged in which fold, and how rows lie on partitions."""

    holdout: Fraction = 0.2
    folds: Annotated[int, Field(ge=2, le=20)] = 3
    group: Annotated[tuple[ColumnName, ...] | None, Field(strict=False, min_length=1)] = None
    """Rows that share these columns stay together. By default the key without its time, or all columns."""
    salt: str = "regatta"
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 2

    @model_validator(mode="before")
    @classmethod
    def _one_column_needs_no_list(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("group"), str):
            return {**given, "group": (given["group"],)}
        return given


class Candidates(Strict):
    """One family of estimators in the race: MLlib's own parameter names, each a value or a list to try."""

    encoding: Encoding | None = None
    """How categories become numbers. By default one_hot for the linear model and index for trees."""
    grid: Annotated[Mapping[str, Annotated[tuple[Any, ...], Field(strict=False)]], Field(strict=False)]

    @model_validator(mode="before")
    @classmethod
    def _parameters_stand_beside_the_encoding(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "grid" in given:
            return given
        grid = {
            str(name): tuple(value) if isinstance(value, list) else (value,)
            for name, value in given.items()
            if name != "encoding"
        }
        return {"grid": grid} | ({"encoding": given["encoding"]} if "encoding" in given else {})

    @property
    def size(self) -> int:
        """How many candidates the family sends."""
        size = 1
        for values in self.grid.values():
            size *= len(values)
        return size


class Baselines(Strict):
    """The simplest answers, in the race so that "better than what?" is known: the mean, and these."""

    median_by: ColumnName | None = None
    columns: Annotated[tuple[ColumnName, ...], Field(strict=False)] = ()
    """Columns of the row that are each a prediction already, such as last month's price."""


class Gate(Strict):
    """What a challenger must show on the holdout before it may reign."""

    floor: Annotated[Mapping[Metric, float], Field(strict=False)] = {}
    """The least (for r2) or the most (for errors) that is acceptable; worse means possible drift."""
    improvement: Annotated[float, Field(ge=0, lt=1, strict=False)] = 0.0
    """By which share of the champion's metric the challenger must be better."""
    min_rows: Annotated[int, Field(ge=1)] = 100
    """Rows that both must have been held out from, for the comparison to mean anything."""
    baseline_may_reign: bool = False
    """Where no candidate beats the best baseline, that baseline is the challenger."""


class Schedule(Strict):
    """Cron expressions in UTC."""

    retrain: str = "@weekly"
    score: str = "@daily"


class UseCase(Strict):
    """Everything there is of a use case."""

    use_case: Identifier
    title: str = ""
    grain: str = "a row"
    """What one row is, in words."""
    sources: Mapping[str, Source]
    columns: Mapping[ColumnName, Column]
    rules: Annotated[tuple[Rule, ...], Field(strict=False)] = ()
    duplicates: Literal["reject", "keep"] | None = None
    """A second row with the same key (or, without a key, the same values) in one delivery. By default
    rejected where there is a key and kept where there is none."""
    max_rejected: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.5
    """The share of rejected rows above which a delivery is refused whole."""
    panel: Panel | None = None
    """How lines become entities observed over calendar time; without it a row is a row."""
    outliers: Outliers | None = None
    features: Annotated[Mapping[ColumnName, Feature], Field(strict=False)] = {}
    scaling: Literal["minmax", "standard", "none"] = "minmax"
    max_categories: Annotated[int, Field(ge=2, le=100_000)] = 1_000
    label_transform: LabelTransform = "none"
    label_minus: ColumnName | None = None
    """A numeric input that is taken from the label before it is learnt, and given back to predictions."""
    split: Split = Split()
    seed: int = 42
    candidates: Mapping[Family, Candidates]
    baselines: Baselines = Baselines()
    metric: Metric = "rmse"
    """The winner has the best mean of this over the folds."""
    gate: Gate = Gate()
    schedule: Schedule | None = Schedule()

    # ---- what the rooms ask of it ----

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row; empty for a table without a key."""
        return self.with_role("key")

    @property
    def time(self) -> str | None:
        """The column that says when, if any."""
        return next(iter(self.with_role("time")), None)

    @property
    def label(self) -> str:
        """The column to predict."""
        return self.panel.label if self.panel else self.with_role("label")[0]

    @property
    def modelled(self) -> UseCase:
        """The use case as models see it: itself, or its panel's rows described as a table."""
        if self.panel is None or {PERIOD, STEP, AS_OF} <= self.columns.keys():
            return self
        return self.model_copy(
            update={
                "columns": self.panel.columns(self.columns),
                "rules": (),
                "baselines": self.baselines.model_copy(
                    update={"columns": (*self.baselines.columns, *self.panel.forecasts)}
                ),
            }
        )

    @property
    def withheld(self) -> frozenset[str]:
        """Columns that a delivery to score need not have: they are not known yet."""
        if self.panel is None:
            return frozenset({self.label})
        known = {name for value in self.panel.known.values() for name in columns_of(value.sql)}
        return frozenset(self.columns) - known - {*self.panel.entity, *self.with_role("time")}

    @property
    def needs_a_baseline(self) -> bool:
        """Whether a run's best baseline is published as a model too."""
        return self.gate.baseline_may_reign or (
            self.panel is not None and self.panel.new_entities == "baseline"
        )

    @property
    def zoned(self) -> bool | None:
        """Whether a time must carry its offset from UTC (true) or must not (false); None: either is taken."""
        return None if self.panel is None else self.panel.time_zone is not None

    @property
    def identity(self) -> tuple[str, ...]:
        """What names a row on output: its key, or its place in the delivery."""
        return self.key or ("delivery", "file", "row")

    @property
    def numbers(self) -> tuple[str, ...]:
        """Numeric model inputs: columns first, then features, in the file's order."""
        return self.with_role("feature") + tuple(n for n, f in self.features.items() if f.type == "number")

    @property
    def categories(self) -> tuple[str, ...]:
        """Categorical model inputs: columns first, then features, in the file's order."""
        return self.with_role("category") + tuple(n for n, f in self.features.items() if f.type == "category")

    @property
    def group(self) -> tuple[str, ...]:
        """The columns whose hash decides on which side of every split a row stands."""
        if self.split.group:
            return self.split.group
        return tuple(name for name in self.key if name != self.time) or self.key or self.inputs

    @property
    def inputs(self) -> tuple[str, ...]:
        """The delivered columns that a model may read: all but the label."""
        return tuple(name for name in self.columns if name != self.label)

    @property
    def rejects_duplicates(self) -> bool:
        """Whether the second of two equal rows of a delivery is rejected."""
        return self.duplicates == "reject" if self.duplicates else bool(self.key)

    @property
    def contract(self) -> str:
        """Names the contract: equal for two files exactly when ingest treats every row alike under both."""
        row_by_row = {"sources", "rules", "duplicates", "max_rejected"}
        about_values = set(Column.model_fields) - {"role", "unit", "description", "nulls", "fill"}
        said = self.model_dump(mode="json", include=row_by_row)
        said["columns"] = [
            [name, self.columns[name].model_dump(mode="json", include=about_values), column.must_be_there]
            for name, column in self.columns.items()
        ]
        said["key"] = self.key
        if self.panel is None:
            said["label"] = self.label
        else:
            said["panel"] = [self.zoned, sorted(self.withheld)]
        said["sources"] = sorted(said["sources"].items())
        return "c" + digest(said)[:10]

    def encoding(self, family: Family) -> Encoding:
        """How the family's candidates read categories."""
        return self.candidates[family].encoding or ("one_hot" if family == "linear_regression" else "index")

    def with_role(self, role: ColumnRole) -> tuple[str, ...]:
        """Columns that have the role, in the file's order."""
        return tuple(name for name, column in self.columns.items() if role in column.role)

    def source(self, role: Role) -> str | None:
        """The name of the source with the role, if there is one."""
        return next((name for name, source in self.sources.items() if source.role == role), None)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if self.panel is None and len(self.with_role("label")) != 1:
            raise ValueError("exactly one column must have the role label")
        if len(self.with_role("time")) > 1:
            raise ValueError("at most one column may have the role time")
        for role, least in (("train", 1), ("score", 0)):
            if not least <= sum(source.role == role for source in self.sources.values()) <= 1:
                raise ValueError(
                    f"sources: {'exactly' if least else 'at most'} one must have the role {role}"
                )
        if self.panel is None and not self.numbers and not self.categories:
            raise ValueError("no column has the role feature or category, and there are no features")
        return self


def digest(value: object) -> str:
    """SHA-256 of the value's canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
