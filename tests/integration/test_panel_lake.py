"""Panels nobody has written code for, by their YAML alone, from landed lines to forecasts on a real lake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import sin
from pathlib import Path
from types import ModuleType

import pytest
from pyspark.sql import Row, SparkSession

import ingest
import promote
import score
import train
from regatta import config
from regatta.cli.readers import leaderboard, scores
from regatta.contract.accepted import observed_deliveries
from regatta.evaluation.runs import runs
from regatta.lake import Lake, layout
from regatta.lake.landing import land
from regatta.lake.provenance import fingerprint
from regatta.runtime.job import run
from regatta.scoring.batches import batches

# pyspark leaves the sockets of what it collects to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

SHOPS = """\
use_case: two_keys
sources: {tills: {role: train}, offers: {role: score}}
columns:
  shop:  {type: string, role: key, required: true}
  item:  {type: string, role: key, required: true}
  at:    {type: timestamp, role: [key, time]}
  sold:  {type: integer, role: info, required: true}
  offer: {type: number, role: info}
panel:
  entity: [shop, item]
  values: {pieces: {sql: sum(sold), unit: pieces}}
  label: pieces
  known: {on_offer: max(offer)}
  closed: {weekdays: [sunday]}
  participants: {history: 7}
  features:
    today: {lag: 0}
    mean_7: {mean: 7}
    week_ago: {seasonal: 1}
    offered: {known: on_offer, fill: 0}
    weekday: {calendar: weekday, type: category}
  categories: [shop]
  horizon: 3
  window: 6
  live: 10
  baselines: {moving_average: 7, last_year: false}
split: {folds: 2, partitions: 1}
candidates:
  linear_regression: {regParam: 0.01}
metric: mae
max_rejected: 0.8
gate: {min_rows: 10}
"""
RIVERS = """\
use_case: weekly
sources: {gauges: {role: train}}
columns:
  gauge: {type: string, role: info, required: true}
  day:   {type: date, role: time}
  level: {type: number, role: info}
panel:
  entity: gauge
  frequency: week
  values: {level_of: {sql: avg(level), unit: cm}}
  label: level_of
  empty: null
  features: {today: {lag: 0}, mean_3: {mean: 3}}
  window: 3
  new_entities: baseline
  baselines: {moving_average: 4}
split: {folds: 2, partitions: 1}
candidates:
  linear_regression: {regParam: 100.0}
metric: rmse
gate: {min_rows: 1, baseline_may_reign: false}
"""
FIRST = date(2024, 1, 1)  # a Monday


@dataclass
class Bench:
    """A lake of one use case, and its jobs as spark-submit calls them."""

    folder: Path
    environment: pytest.MonkeyPatch
    text: str

    @property
    def file(self) -> Path:
        path = self.folder / "use_case.yaml"
        path.write_text(self.text)
        return path

    @property
    def lake(self) -> Lake:
        return Lake.of(config.load(self.file))

    def land(self, delivery: str, header: str, lines: list[str], day: date, role: str = "train") -> None:
        csv = self.folder / f"{delivery}.csv"
        csv.write_text("\n".join([header, *lines]) + "\n")
        at = datetime(day.year, day.month, day.day, 22, tzinfo=UTC)
        lake = self.lake
        land(lake.store, lake.use_case, [csv], delivery=delivery, role=role, delivered_at=at)  # type: ignore[arg-type]

    def run(self, job: ModuleType, *given: str) -> int:
        self.environment.setattr("sys.argv", ["job.py", "--config", str(self.file), *given])
        with pytest.raises(SystemExit) as ended:
            run("verb", job.main, getattr(job, "FLAGS", ()))
        return int(ended.value.code or 0)

    def forecasts(self, spark: SparkSession) -> list[Row]:
        """Of the newest batch."""
        newest = max(batches(self.lake), key=lambda batch: batch.published_at)
        paths = self.lake.batches.paths(newest, layout.batch(newest.champion, newest.batch))
        return sorted(spark.read.parquet(*paths).collect())


@pytest.fixture
def bench(
    lake_environment: dict[str, str],
    lake_spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Bench]:
    for name, value in lake_environment.items():
        monkeypatch.setenv(name, value)
    for name in ("MLFLOW_TRACKING_URI", "REGATTA_MASTER"):
        monkeypatch.setenv(name, "")
    return lambda text: Bench(tmp_path, monkeypatch, text)


def shop_lines(days: range) -> list[str]:
    """Of each day: north sells tea, and twice as much on offer; south sells jam; new ones come on day 40."""
    lines = []
    for n in days:
        day = FIRST + timedelta(days=n)
        if day.weekday() == 6:
            continue
        offer = int(n % 5 == 0)
        tea = 20 + 3 * day.weekday() + 25 * offer + round(2 * sin(n))
        lines.append(f"north,tea,{day} 09:15:00,{tea},{offer}")
        lines.append(f"south,jam,{day} 10:00:00,{10 + day.weekday()},0")
        if n >= 40:
            lines.append(f"south,tea,{day} 10:30:00,{5 + n % 3},0")
    return lines


def of_jam(rows: list[Row]) -> list[float]:
    return [row["prediction"] for row in rows if row["item"] == "jam"]


def test_a_panel_of_two_keys_is_forecast_with_what_is_known_in_advance(
    bench: Callable[[str], Bench], lake_spark: SparkSession, capsys: pytest.CaptureFixture[str]
):
    shops, header = bench(SHOPS), "shop,item,at,sold,offer"
    shops.land("first", header, shop_lines(range(0, 30)), FIRST + timedelta(days=29))
    shops.land("second", header, shop_lines(range(30, 45)), FIRST + timedelta(days=44))
    plan = [f"north,tea,{FIRST + timedelta(days=n)} 00:00:00,{int(n % 5 == 0)}" for n in range(45, 50)]
    shops.land("plan", "shop,item,at,offer", plan, FIRST + timedelta(days=44), role="score")

    assert [shops.run(job) for job in (ingest, train, promote, score)] == [0, 0, 0, 0]

    assert [one.delivery for one in observed_deliveries(shops.lake)] == ["first", "second", "plan"]
    (trained,) = runs(shops.lake)
    assert trained.fingerprint == fingerprint(observed_deliveries(shops.lake))
    assert trained.known_until is not None
    told = capsys.readouterr()
    assert "holdout: learns from" in told.err
    assert "offered is not delivered for 6 of 9 periods to forecast: its fill stands in" in told.err
    board = leaderboard(shops.lake)
    assert len(board.folds) == 2
    assert board.best_baseline is not None
    assert board.reduction(board.winner) > 0.2
    found = shops.forecasts(lake_spark)
    assert [(row["shop"], row["item"], row["step"]) for row in found] == [
        (*entity, step)
        for entity in (("north", "tea"), ("south", "jam"), ("south", "tea"))
        for step in (1, 2, 3)
    ]
    by_period = {row["period"]: row["prediction"] for row in found if row["shop"] == "north"}
    assert [*by_period] == [date(2024, 2, day) for day in (15, 16, 17)]
    on_offer, plain = by_period[date(2024, 2, 15)], by_period[date(2024, 2, 16)]
    assert on_offer > plain + 10  # 15 February is planned to be on offer
    new = [row for row in found if row["item"] == "tea" and row["shop"] == "south"]
    assert {(row["prediction"], row["reason"]) for row in new} == {
        (None, "4 of the 7 days of history that a forecast takes")
    }
    assert {(row["champion"], row["as_of"], row["model"]) for row in found if row["prediction"]} == {
        (1, date(2024, 2, 14), board.winner.candidate)
    }

    assert shops.run(score) == 0
    assert "is already forecast by champion 1: nothing to do" in capsys.readouterr().out
    late = [
        "south,jam,2024-02-13 18:00:00,500,0",
        "south,jam,2024-02-13 18:00:00,700,0",
        "south,jam,2024-02-13T19:00:00+01:00,5,0",
        ",jam,2024-02-13 19:00:00,5,0",
    ]
    shops.land("late", header, late, FIRST + timedelta(days=45))
    assert [shops.run(job) for job in (ingest, score)] == [0, 0]
    verdict = shops.lake.ingested.get(layout.accepted(shops.lake.use_case.contract, "late"))
    assert verdict is not None
    assert verdict.reasons == {
        "shop, item, at: is a second row with this key": 1,
        "at: has an offset from UTC, and panel.time_zone is not set": 1,
        "shop: is required": 1,
    }
    assert of_jam(shops.forecasts(lake_spark)) != pytest.approx(of_jam(found))  # the late line is in its mean
    assert shops.run(score, "--as-of", f"{FIRST + timedelta(days=29)}") == 0
    assert {row["as_of"] for row in shops.forecasts(lake_spark)} == {date(2024, 1, 30)}
    assert len(scores(shops.lake, head=None)) > 9


def test_a_week_in_which_no_candidate_beats_the_best_baseline_is_forecast_by_it(
    bench: Callable[[str], Bench], lake_spark: SparkSession, capsys: pytest.CaptureFixture[str]
):
    rivers = bench(RIVERS)
    lines = [
        f"{gauge},{FIRST + timedelta(days=2 * n)},{level}"
        for gauge, level in (("bridge", 120.5), ("mill", 340.0), ("weir", 80.25))
        for n in range(49)
    ]
    rivers.land("history", "gauge,day,level", lines, FIRST + timedelta(days=97))

    assert [rivers.run(job) for job in (ingest, train)] == [0, 0]
    assert rivers.run(promote) == 3
    told = capsys.readouterr().err
    assert "on the holdout does not beat the baseline last value, which has 0 cm" in told

    rivers.text = rivers.text.replace("baseline_may_reign: false", "baseline_may_reign: true")
    assert [rivers.run(job) for job in (promote, score)] == [0, 0]

    assert "so the baseline last value challenges in its place" in capsys.readouterr().err
    assert [(row["gauge"], row["period"], row["prediction"], row["model"]) for row in rivers.forecasts(lake_spark)] == [
        ("bridge", date(2024, 4, 8), 120.5, "last value"),
        ("mill", date(2024, 4, 8), 340.0, "last value"),
        ("weir", date(2024, 4, 8), 80.25, "last value"),
    ]  # fmt: skip
