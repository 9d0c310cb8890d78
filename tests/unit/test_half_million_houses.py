"""The made houses obey their law, and are the same houses whenever they are made."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from dirt import EVERY, dirty_chunks, sown, write
from half_million_houses import CHUNK, LAW, MARBLES, USE_CASE, Houses, csv_chunks, files, houses
from regatta import config
from regatta.contract import reading
from regatta.contract import rows as judging
from regatta.lake.parquet import Columns

HEADER = (
    "Area,Garage,FirePlace,Baths,White Marble,Black Marble,Indian Marble,Floors,City,Solar,Electric,Fiber,"
    "Glass Doors,Swiming Pool,Garden,Prices"
)


@pytest.fixture(scope="module")
def half_a_million() -> Houses:
    return houses(500_000, np.random.default_rng(42))


def test_every_price_obeys_the_law(half_a_million: Houses) -> None:
    h = half_a_million
    expected = (
        1000 + 25 * h["Area"] + 1500 * h["Garage"] + 750 * h["FirePlace"] + 1250 * h["Baths"]
        + 14000 * h["White Marble"] + 5000 * h["Black Marble"] + 15000 * h["Floors"] + 3500 * h["City"]
        + 250 * h["Solar"] + 1250 * h["Electric"] + 11750 * h["Fiber"] + 4450 * h["Glass Doors"]
    )  # fmt: skip
    assert np.array_equal(h["Prices"], expected)


def test_every_house_has_exactly_one_marble_and_a_third_of_them_each(
    half_a_million: Houses,
) -> None:
    assert (sum(half_a_million[marble] for marble in MARBLES) == 1).all()
    assert [half_a_million[marble].mean() for marble in MARBLES] == pytest.approx([1 / 3] * 3, abs=0.003)


@pytest.mark.parametrize(
    ("column", "values"),
    [("Area", range(1, 250)), ("Garage", range(1, 4)), ("FirePlace", range(5)), ("Baths", range(1, 6)),
     ("City", range(1, 4)), ("Floors", range(2)), ("Swiming Pool", range(2)), ("Garden", range(2))],
)  # fmt: skip
def test_every_value_of_a_column_is_equally_likely(
    half_a_million: Houses, column: str, values: range
) -> None:
    seen, counts = np.unique(half_a_million[column], return_counts=True)
    assert seen.tolist() == list(values)
    expected = 500_000 / len(values)
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_about_5800_of_half_a_million_houses_are_equal_to_another_by_chance(
    half_a_million: Houses,
) -> None:
    columns = [half_a_million[name] for name in LAW]
    houses_as_numbers = np.ravel_multi_index(columns, [column.max() + 1 for column in columns])
    duplicates = 500_000 - len(np.unique(houses_as_numbers))
    assert abs(duplicates - 5_800) < 5 * np.sqrt(5_800)


def test_without_the_marbles_a_linear_model_falls_to_an_rmse_of_5793(
    half_a_million: Houses,
) -> None:
    h = {name: values[:50_000].astype(float) for name, values in half_a_million.items()}
    known = np.column_stack([h[name] for name in LAW if name not in MARBLES] + [np.ones(50_000)])
    residual = h["Prices"] - known @ np.linalg.lstsq(known, h["Prices"])[0]
    assert np.sqrt((residual**2).mean()) == pytest.approx(5_793, abs=60)
    assert 1 - residual.var() / h["Prices"].var() == pytest.approx(0.77, abs=0.01)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    def made(seed: int) -> bytes:
        return b"".join(csv_chunks(100, (seed,), "train"))

    assert made(42) == made(42)
    assert made(42) != made(43)


def test_a_file_has_the_published_header_and_rows_across_chunks() -> None:
    header, *rows = b"".join(csv_chunks(CHUNK + 3, (42,), "train")).decode().split("\n")
    assert header == HEADER
    assert rows.pop() == ""
    assert len(rows) == CHUNK + 3


def test_houses_to_score_have_no_price() -> None:
    header, *rows = b"".join(csv_chunks(3, (42,), "score")).decode().splitlines()
    assert header == HEADER.removesuffix(",Prices")
    assert [row.count(",") for row in rows] == [14, 14, 14]


def test_deliveries_share_the_rows_and_differ(tmp_path: Path) -> None:
    paths = list(files(tmp_path, rows=10, deliveries=3, seed=42, role="train"))
    rows = [path.read_text().splitlines()[1:] for path in paths]
    assert [path.name for path in paths] == ["train-001.csv", "train-002.csv", "train-003.csv"]
    assert [len(part) for part in rows] == [3, 3, 4]
    assert len({row for part in rows for row in part}) == 10


def test_the_use_case_reads_every_column_that_is_made() -> None:
    assert ",".join(config.load(USE_CASE).columns) == HEADER


def test_exactly_the_dirt_that_was_sown_is_rejected_and_each_for_its_reason(
    spark: SparkSession, tmp_path: Path
) -> None:
    rows, use_case = 20_000, config.load(USE_CASE)
    write(tmp_path / "houses.csv", dirty_chunks(rows))
    part = reading.Part("made_houses", Columns(tuple(HEADER.split(","))), (str(tmp_path / "houses.csv"),))
    judged = judging.judged(spark, use_case, [part]).localCheckpoint()
    rejected = judging.rejected(judged).select("row", "reasons").collect()
    found = {
        (row["row"], ": ".join(filter(None, [reason["column"], reason["rule"]])))
        for row in rejected
        for reason in row["reasons"]
    }
    assert found == {*sown(rows).items()}
    assert len(found) == rows // EVERY
    assert judged.where(F.col(judging.REJECTED).isNull()).count() == rows - len(found)
