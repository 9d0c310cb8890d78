"""The King County files under data/ are the published ones, cut and not changed."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data" / "house_prices"
ORIGINAL_LINES_SORTED = "b37ec8af8786df73d6f708759db0bc7d4a1d30ecc4e8db4a61765853af69a6aa"
"""SHA-256 of the lines of kc_house_data.csv after its header, in the order of their bytes."""


def lines(name: str) -> list[str]:
    return (DATA / name).read_text().splitlines(keepends=True)


@pytest.fixture(scope="module")
def header() -> str:
    return lines("train/2014-05.csv")[0]


@pytest.fixture(scope="module")
def put_together() -> list[str]:
    """Every sale as it was published: the months of train/, then May 2015 with its price put back."""
    train = [line for file in sorted((DATA / "train").iterdir()) for line in lines(f"train/{file.name}")[1:]]
    listings = [line.split(",") for line in lines("score/2015-05.csv")[1:]]
    prices = [line.rstrip("\n").split(",") for line in lines("later/2015-05-prices.csv")[1:]]
    assert [listing[:2] for listing in listings] == [price[:2] for price in prices]
    pairs = zip(listings, prices, strict=True)
    return train + [",".join([*price, *listing[2:]]) for listing, price in pairs]


def test_together_the_pieces_hold_the_21613_published_sales_byte_for_byte(
    put_together: list[str],
) -> None:
    assert len(put_together) == 21_613
    assert hashlib.sha256("".join(sorted(put_together)).encode()).hexdigest() == ORIGINAL_LINES_SORTED


def test_there_are_twelve_deliveries_and_each_holds_one_month() -> None:
    months = [f"2014-{month:02}" for month in range(5, 13)] + [f"2015-{month:02}" for month in range(1, 5)]
    assert sorted(path.stem for path in (DATA / "train").iterdir()) == months
    for month in months:
        rows = list(csv.DictReader(lines(f"train/{month}.csv")))
        assert {row["date"][:6] for row in rows} == {month.replace("-", "")}


def test_no_listing_carries_a_price(header: str) -> None:
    columns, *listings = csv.reader(lines("score/2015-05.csv"))
    assert columns == [name for name in header.strip().split(",") if name != "price"]
    assert len(listings) == 646
    assert {len(listing) for listing in listings} == {len(columns)}


def test_split_makes_the_same_files_again(tmp_path: Path, header: str, put_together: list[str]) -> None:
    original = tmp_path / "kc_house_data.csv"
    original.write_text("".join([header, *put_together]))
    again = tmp_path / "again"
    subprocess.run([sys.executable, DATA / "split.py", original, again], check=True)

    made = {path.relative_to(again): path.read_bytes() for path in again.rglob("*.csv")}
    kept = {path.relative_to(DATA): path.read_bytes() for path in DATA.rglob("*.csv")}
    assert made == kept
