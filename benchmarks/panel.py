"""How the cost of a panel's features grows with its rows, beside pandas: `make bench-panel`.

Made panels of 0.1, 1 and 10 million rows: daily values of entities of which few are long and most are short, with
gaps, and some that end. Measured is the time from lines in parquet to all features and the label of every row, summed
up so that nothing is left out. pandas computes the same features in memory where the panel is small enough for it.

    make bench-panel                       # or: python benchmarks/panel.py 100000 1000000
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from regatta.config import UseCase, parse
from regatta.panels.rows import rows
from regatta.panels.values import Lines, observed

SIZES = (100_000, 1_000_000, 10_000_000)
DAYS = 1_460
PANDAS_UP_TO = 1_000_000
USE_CASE = """\
use_case: made
sources: {till: {role: train}}
columns:
  product: {type: string, role: info, required: true}
  day: {type: date, role: time}
  amount: {type: number, role: info}
panel:
  entity: product
  values: {sold: sum(amount)}
  label: sold
  features:
    today: {lag: 0}
    lag_1: {lag: 1}
    lag_7: {lag: 7}
    lag_30: {lag: 30}
    mean_7: {mean: 7}
    mean_30: {mean: 30}
    trend_7: {trend: 7}
    deviation_30: {deviation: 30}
    highest_30: {maximum: 30}
    week_ago: {seasonal: 1}
    since: {since: sold}
    weekday: {calendar: weekday}
  baselines: {last_value: false, same_season: false, moving_average: null, last_year: false}
candidates:
  linear_regression: {regParam: 0.1}
"""


def made(rows: int, seed: int = 7) -> pd.DataFrame:
    """Lines of as many entities as make a panel of so many rows; half of them are shorter than a tenth of the longest.

    A fifth of the days have no line, and a third of the entities are sold only in the first half of their days.
    """
    chance = np.random.default_rng(seed)
    products, days = [], []
    product, count = 0, 0
    while count < rows:
        length = int(np.clip(DAYS * chance.beta(0.3, 1.2) + 2, 2, DAYS))
        own = DAYS - length + np.flatnonzero(chance.random(length) < 0.8)
        if chance.random() < 1 / 3:
            own = own[: len(own) // 2 + 1]
        products.append(np.full(len(own), product))
        days.append(own)
        product, count = product + 1, count + length
    frame = pd.DataFrame({"product": np.concatenate(products), "day": np.concatenate(days)})
    return frame.assign(amount=chance.gamma(1.5, 20.0, len(frame)).round(2))


def by_spark(spark: SparkSession, path: str, use_case: UseCase) -> tuple[float, int]:
    """Seconds, and rows of the panel."""
    assert use_case.panel is not None
    started = time.monotonic()
    lines = spark.read.parquet(path).select(
        F.lit("all").alias("delivery"),
        F.col("product").cast("string"),
        F.date_add(F.lit("2008-01-01").cast("date"), F.col("day").cast("int")).alias("day"),
        "amount",
    )
    as_of = datetime(2012, 1, 1, tzinfo=UTC)
    seen = observed(Lines(lines, None, {"all": as_of}, as_of), use_case, use_case.panel)
    panel = rows(seen.values, seen.calendar, use_case.panel.features)
    sums = [F.sum(F.col(name)) for name in (*use_case.panel.features, "sold")]
    count = panel.agg(F.count(F.lit(1)), *sums).collect()[0][0]
    return time.monotonic() - started, int(count)


def by_pandas(path: str) -> tuple[float, int]:
    """The same features by grouped rolling windows over a filled frame."""
    started = time.monotonic()
    lines = pd.read_parquet(path)
    values = lines.groupby(["product", "day"], sort=True)["amount"].sum()
    first = lines.groupby("product")["day"].min()
    end = int(lines["day"].max())
    index = pd.MultiIndex.from_arrays(
        [
            np.repeat(first.index.to_numpy(), end + 1 - first.to_numpy()),
            np.concatenate([np.arange(begin, end + 1) for begin in first]),
        ],
        names=["product", "day"],
    )
    sold = values.reindex(index, fill_value=0.0)
    by_product = sold.groupby(level="product", sort=False)

    def rolled(days: int) -> pd.api.typing.RollingGroupby:
        return by_product.rolling(days, min_periods=1)

    features = {f"lag_{k}": by_product.shift(k) for k in (1, 7, 30)}
    features |= {"mean_7": rolled(7).mean().droplevel(0), "mean_30": rolled(30).mean().droplevel(0)}
    features |= {"deviation_30": rolled(30).std().droplevel(0), "highest_30": rolled(30).max().droplevel(0)}
    features |= {
        "trend_7": sold - features["mean_7"],
        "week_ago": by_product.shift(6),
        "sold": by_product.shift(-1),
    }
    day = pd.Series(index.get_level_values("day"), index=index)
    features["since"] = day - day.where(sold != 0).groupby(level="product", sort=False).ffill()
    features["weekday"] = (day + 2) % 7 + 1
    sum(feature.sum() for feature in features.values())
    return time.monotonic() - started, len(sold)


def main(sizes: list[int]) -> None:
    use_case = parse(USE_CASE, "made.yaml")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", os.environ.get("REGATTA_DRIVER_MEMORY", "4g"))
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    table = Table(title="features of a panel, 2 cores", title_justify="left")
    for heading in (
        "lines",
        "rows of the panel",
        "regatta s",
        "rows a second",
        "against the size before",
        "pandas s",
    ):
        table.add_column(heading, justify="right")
    before: tuple[float, int] | None = None
    with TemporaryDirectory() as folder:
        for size in sizes:
            path = str(Path(folder) / f"{size}.parquet")
            lines = made(size)
            lines.to_parquet(path, row_group_size=500_000)
            if before is None:
                by_spark(spark, path, use_case)  # the first one pays for the JVM's compiler
            seconds, count = by_spark(spark, path, use_case)
            grown = f"x{count / before[1]:.1f} rows, x{seconds / before[0]:.1f} time" if before else ""
            pandas = f"{by_pandas(path)[0]:.1f}" if size <= PANDAS_UP_TO else "not tried"
            table.add_row(
                f"{size:,}", f"{count:,}", f"{seconds:.1f}", f"{count / seconds:,.0f}", grown, pandas
            )
            before = seconds, count
            print(f"{count:,} rows: {seconds:.1f} s", flush=True)
    peak = peak_gigabytes(spark.sparkContext._gateway.proc.pid)
    spark.stop()
    Console().print(table, f"peak memory of the JVM: {peak:.1f} GB", sep="\n")


def peak_gigabytes(process: int) -> float:
    """The most memory that a process has had, as Linux counts it."""
    status = Path(f"/proc/{process}/status").read_text()
    return float(status.partition("VmHWM:")[2].split()[0]) / 1e6


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
