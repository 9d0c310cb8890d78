"""A use case as frozen objects: what a file in conf/ may say of features, candidates, splits and gate.

`load.py` reads the file and reports its faults with their lines; nothing here touches a disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regatta.config.digest import digest
from regatta.config.expressions import columns_of
from regatta.config.inputs import Feature, LabelTransform, Outliers, Split
from regatta.config.panel import AS_OF, PERIOD, STEP, Panel
from regatta.config.race import Baselines, Candidates, Encoding, Family, Gate, Metric, Schedule
from regatta.config.strict import ColumnName, Identifier, SourceName, Strict
from regatta.config.table import Column, ColumnRole, Role, Rule, Source


class Misplaced(ValueError):
    """A fault of the whole that shows at one place of the file."""

    def __init__(self, fact: str, where: tuple[str, ...], hint: str) -> None:
        super().__init__(fact)
        self.where = where
        self.hint = hint


class UseCase(Strict):
    """Everything there is of a use case."""

    use_case: Identifier
    """Its name in the lake, in MLflow and on the command line."""
    title: str = ""
    """What people call it, in reports."""
    grain: str = "a row"
    """What one row is, in words."""
    sources: Mapping[SourceName, Source]
    """Folders under raw/ in the lake, and how their files are written."""
    columns: Mapping[ColumnName, Column]
    """Every column of the delivered table."""
    rules: Annotated[tuple[Rule, ...], Field(strict=False)] = ()
    """Conditions on a row that one column alone cannot tell."""
    duplicates: Literal["reject", "keep"] | None = None
    """A second row with the same key (or, without a key, the same values) in one delivery. By default
    rejected where there is a key and kept where there is none."""
    max_rejected: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.5
    """The share of rejected rows above which a delivery is refused whole."""
    panel: Panel | None = None
    """How lines become entities observed over calendar time; without it a row is a row."""
    filters: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Which accepted rows the model is about, as expressions; all others are left out, and counted."""
    outliers: Outliers | None = None
    """Rows that are left out of training alone."""
    features: Annotated[Mapping[ColumnName, Feature], Field(strict=False)] = {}
    """Model inputs that are computed from a row's own columns."""
    scaling: Literal["minmax", "standard", "none"] = "minmax"
    """How numeric inputs are scaled."""
    max_categories: Annotated[int, Field(ge=2, le=100_000)] = 1_000
    """The most values that an indexed category may have."""
    label_transform: LabelTransform = "none"
    """log: models learn the logarithm of the label; signed_sqrt: its square root, with its sign."""
    label_minus: ColumnName | None = None
    """A numeric input that is taken from the label before it is learnt, and given back to predictions."""
    split: Split = Split()
    """Which rows are held out, and which fold judges which of the others."""
    seed: int = 42
    """For everything that MLlib draws."""
    candidates: Mapping[Family, Candidates]
    """The families in the race, with MLlib's own parameters."""
    max_candidates: Annotated[int, Field(ge=1)] = 200
    """More candidates than this are a fault that says how long they would take; a higher one confirms them."""
    engine: Literal["auto", "native", "mllib"] = "auto"
    """Who grows trees: `auto` our own engine wherever it is known to give MLlib's own answer."""
    baselines: Baselines = Baselines()
    """The simplest answers, in the race."""
    metric: Metric = "rmse"
    """The winner has the best mean of this over the folds."""
    gate: Gate = Gate()
    """What a challenger must show before it may reign."""
    schedule: Schedule | None = Schedule()
    """When Airflow runs it; null: only when asked."""

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
    def of_lines(self) -> UseCase:
        """The use case as a delivered row has it: without what is about a panel's rows."""
        return self if self.panel is None else self.model_copy(update={"features": {}, "filters": ()})

    @property
    def computed(self) -> frozenset[str]:
        """Columns that are made of others and that no file has: their `sql` does not read their own text."""
        made: frozenset[str] = frozenset()
        for name, column in self.columns.items():
            with suppress(ValueError):  # what cannot be read is told where the file is checked
                if column.sql is not None and name not in columns_of(column.sql):
                    made |= {name}
        return made

    @property
    def withheld(self) -> frozenset[str]:
        """Columns that a delivery to score need not have: they are not known yet."""
        if self.panel is None:
            return frozenset({self.label})
        known = {name for value in self.panel.known.values() for name in columns_of(value.sql)}
        known |= {*self.panel.entity, *self.with_role("time")}
        made_of = {name for one in known & self.computed for name in columns_of(str(self.columns[one].sql))}
        return frozenset(self.columns) - known - made_of

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
        return self.with_role("feature") + tuple(n for n, f in self.features.items() if not f.is_category)

    @property
    def categories(self) -> tuple[str, ...]:
        """Categorical model inputs: columns first, then features, in the file's order."""
        return self.with_role("category") + tuple(n for n, f in self.features.items() if f.is_category)

    @property
    def group(self) -> tuple[str, ...]:
        """The columns whose hash decides on which side of every split a row stands."""
        if self.split.group:
            return self.split.group
        return tuple(name for name in self.key if name != self.time) or self.key or self.inputs

    @property
    def split_by(self) -> tuple[str, ...]:
        """The columns that decide whether a row is held out."""
        by_time = self.split.holdout_from is not None and self.time
        return (self.time,) if by_time and self.time else self.group

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

    @property
    def observed_from(self) -> tuple[Role, ...]:
        """The roles of the sources whose rows models are trained on: of a panel also what is known in advance."""
        return ("train", "score") if self.panel is not None and self.panel.known else ("train",)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if self.panel is None and len(self.with_role("label")) != 1:
            found = ", ".join(self.with_role("label")) or "none"
            raise Misplaced(
                f"exactly one column must have the role label, and here it is {found}",
                ("columns",),
                "it is the column to predict: {role: label}",
            )
        if len(self.with_role("time")) > 1:
            found = ", ".join(self.with_role("time"))
            raise Misplaced(
                f"at most one column may have the role time, and {found} have it",
                ("columns",),
                "keep the one that says when a row came to be",
            )
        for role, least in (("train", 1), ("score", 0)):
            if not least <= sum(source.role == role for source in self.sources.values()) <= 1:
                raise Misplaced(
                    f"{'exactly' if least else 'at most'} one must have the role {role}",
                    ("sources",),
                    "a use case learns from one source (role: train) and scores at most one (role: score)",
                )
        if self.panel is None and not self.numbers and not self.categories:
            raise Misplaced(
                "no column has the role feature or category, and there are no features",
                ("columns",),
                "give the columns that a model shall read one of these roles",
            )
        return self
