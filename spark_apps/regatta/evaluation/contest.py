"""Challenger against champion, both predicting anew on rows that neither has learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from rich.table import Table
from rich.text import Text

from regatta.config import UseCase
from regatta.config.panel import PERIOD
from regatta.config.race import Gate, Metric
from regatta.errors import InputError
from regatta.evaluation.figures import SHARES, UNDEFINED, Figures, number, shown
from regatta.evaluation.gate import Verdict, judge
from regatta.evaluation.metrics import metrics
from regatta.features.inputs import changes, columns_read, panel_changes, trained_as
from regatta.features.pipeline import scorable
from regatta.features.scope import in_scope
from regatta.lake import ChampionEntry, Lake, Run, layout
from regatta.selection.splits import held_out

SHOWN: tuple[Metric, ...] = ("rmse", "mae", "mape", "wape", "r2")  # mse says no more than rmse
CHALLENGERS = "_challenger"  # its predictions, beside the champion's


@dataclass(frozen=True)
class Contest:
    """Figures of both on the same rows, in the label's unit.

    Attributes:
        challenger: its figures.
        champion: None where nobody reigns, or where the two cannot be compared.
        rows: how many rows were held out by both, or by the challenger alone where there is no other.
        unit: the label's.
        obstacle: why a reigning champion cannot be compared; empty where it can.
    """

    challenger: Figures
    champion: Figures | None
    rows: int
    unit: str | None
    obstacle: str = ""

    def verdict(self, gate: Gate, metric: Metric, baselines: Mapping[str, Figures] | None = None) -> Verdict:
        """What the gate says; with the baselines that are to be beaten."""
        if self.obstacle:
            return Verdict(False, self.obstacle)
        return judge(self.challenger, self.champion, self.rows, gate, metric, self.unit, baselines)

    def table(self) -> Table:
        """For people: a line a metric."""
        table = Table(title=f"on {self.rows:,} held-out rows", title_justify="left")
        for heading in ("metric", "champion", "challenger", "difference"):
            table.add_column(heading, justify="left" if heading == "metric" else "right")
        for metric in SHOWN:
            own = self.challenger.get(metric)
            other = self.champion.get(metric) if self.champion else None
            cells = (
                metric,
                shown(metric, other, self.unit) if self.champion else "-",
                shown(metric, own, self.unit),
                _difference(metric, own, other, self.unit) if self.champion else "-",
            )
            table.add_row(*map(Text, cells))
        return table


def contest(
    spark: SparkSession,
    lake: Lake,
    challenger: Run,
    reigning: ChampionEntry | None,
    model: str = layout.MODEL,
) -> Contest:
    """Let both predict the challenger's holdout, as far as the champion's own split also held it out.

    With an obstacle, or without a champion, the figures are the challenger's on its whole holdout.

    Args:
        spark: any session.
        lake: the use case's.
        challenger: the run that challenges.
        reigning: the champion, if there is one.
        model: where in the run the challenger's model stands.
    """
    use_case = trained_as(challenger).modelled
    unit = use_case.columns[use_case.label].unit
    rows = spark.read.parquet(*lake.runs.paths(challenger, f"{layout.run(challenger.run_id)}holdout/"))
    judged = _predicted(lake, challenger, model, rows.select(*(f"`{name}`" for name in use_case.columns)))

    champion = lake.run(reigning.run_id) if reigning else None
    obstacle = _obstacle(reigning, champion, use_case) if reigning else ""
    if reigning is None or champion is None or obstacle:
        own = metrics(judged, use_case.label, scale=challenger.scale)[0]
        return Contest(own, None, _rows(own), unit, obstacle)

    rival = trained_as(champion).modelled
    unseen = (
        held_out(rival) if champion.trained_until is None else F.col(PERIOD) > F.lit(champion.trained_until)
    )
    common = judged.withColumnRenamed("prediction", CHALLENGERS).filter(
        unseen & in_scope(rival) & scorable(rival)
    )
    both = _predicted(lake, champion, reigning.model, common)
    own, other = metrics(both, use_case.label, [CHALLENGERS, "prediction"], scale=challenger.scale)
    return Contest(own, other, _rows(own), unit)


def _predicted(lake: Lake, run: Run, model: str, rows: DataFrame) -> DataFrame:
    """The rows as they are, and `prediction` in the label's unit."""
    place = lake.runs.trusted(run, f"{layout.run(run.run_id)}{model}/")
    return _loaded(place, rows.sparkSession.sparkContext.applicationId).transform(rows)


@lru_cache(maxsize=4)
def _loaded(place: str, application: str) -> PipelineModel:
    """A model, once a Spark application: it takes a second a stage, and a person in a notebook judges repeatedly."""
    return PipelineModel.load(place)


def _obstacle(reigning: ChampionEntry, champion: Run | None, challenger: UseCase) -> str:
    """Why the two cannot be judged on the same rows; empty if they can."""
    name = f"champion {reigning.number}"
    if champion is None:
        return f"the run of {name}, {reigning.run_id}, is no longer in the lake"
    try:
        rival = trained_as(champion).modelled
    except InputError as error:
        return f"{name} cannot be judged: {error.fact}"
    if rival.label != challenger.label:
        return f"{name} predicts {rival.label}, and the challenger {challenger.label}"
    # The hash of a value depends on its type: a changed one would put the champion's lessons into its exam.
    needed = dict.fromkeys((*columns_read(rival), *rival.split_by, rival.label))
    if changed := changes(rival, challenger, needed) + panel_changes(rival, challenger):
        return f"{name} cannot predict the challenger's rows: {', '.join(changed)}"
    return ""


def _rows(figures: Figures) -> int:
    return int(figures["rows"] or 0)


def _difference(metric: str, own: float | None, other: float | None, unit: str | None) -> str:
    """Signed, in the metric's unit, and as a share of the champion's figure."""
    if own is None or other is None:
        return UNDEFINED
    sign, size = "+" if own >= other else "-", abs(own - other)
    if metric in SHARES:
        return f"{sign}{number(100 * size)} points"
    absolute = f"{sign}{shown(metric, size, unit)}"
    return (
        absolute if metric == "r2" or not other else f"{absolute} ({sign}{number(100 * size / other, 2)} %)"
    )
