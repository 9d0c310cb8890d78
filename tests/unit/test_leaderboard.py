from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from regatta.cli.readers import plain_leaderboard
from regatta.config.race import Metric
from regatta.reporting import tables
from regatta.selection.leaderboard import BASELINE, Judged, Leaderboard, Standing, ranked


def standing(name: str, *rmse: float | None, family: str = "gbt", held_out: float | None = None) -> Standing:
    return Standing(
        candidate=name,
        family=family,
        parameters={"maxIter": 10},
        folds=tuple(
            Judged(metrics={"rmse": figure, "r2": 0.5, "mae": 7.0, "mape": 0.1}, seconds=1.5)
            for figure in rmse
        ),
        holdout={"rmse": held_out, "r2": 0.4} if held_out is not None else None,
    )


def board(*standings: Standing, metric: Metric = "rmse") -> Leaderboard:
    return Leaderboard(
        use_case="tea",
        run_id="2015-04-30-0a1b2c3d",
        metric=metric,
        label="price",
        unit="USD",
        standings=ranked(list(standings), metric),
    )


def names(found: Leaderboard) -> list[str]:
    return [standing.candidate for standing in found.standings]


def test_the_smallest_mean_error_is_first_and_ties_go_by_name() -> None:
    found = board(standing("c", 3.0, 5.0), standing("b", 4.0, 4.0), standing("a", 1.0, 9.0))
    assert names(found) == ["b", "c", "a"]


def test_the_largest_r2_is_first() -> None:
    low, high = (
        Standing(
            candidate=name, family="gbt", parameters={}, folds=(Judged(metrics={"r2": r2}, seconds=0.0),)
        )
        for name, r2 in (("low", 0.2), ("high", 0.9))
    )
    assert names(board(low, high, metric="r2")) == ["high", "low"]


def test_a_candidate_with_one_undefined_fold_has_no_mean_and_is_last() -> None:
    found = board(standing("broken", 1.0, None), standing("whole", 100.0, 100.0))
    assert names(found) == ["whole", "broken"]
    assert found.standings[1].mean("rmse") is None
    assert found.standings[1].spread("rmse") is None


def test_a_baseline_in_front_does_not_win() -> None:
    found = board(standing("mean", 1.0, 1.0, family=BASELINE), standing("gbt", 2.0, 2.0))
    assert names(found) == ["mean", "gbt"]
    assert found.winner.candidate == "gbt"


def test_every_family_sends_its_best_and_the_best_family_is_first() -> None:
    found = board(
        standing("forest 10", 5.0, family="random_forest"),
        standing("gbt 10", 4.0),
        standing("gbt 20", 3.0),
        standing("mean", 1.0, family=BASELINE),
    )
    best = {family: one.candidate for family, one in found.best_of_families().items()}
    assert list(best.items()) == [("gbt", "gbt 20"), ("random_forest", "forest 10")]


def test_the_spread_is_the_standard_deviation_of_a_sample() -> None:
    assert standing("a", 2.0, 4.0, 6.0).spread("rmse") == pytest.approx(2.0)
    assert standing("a", 2.0).spread("rmse") is None


def test_the_leaderboard_comes_back_from_its_json() -> None:
    found = board(standing("gbt", 1.1, None, held_out=2.0), standing("mean", 3.0, 3.0, family=BASELINE))
    assert Leaderboard.model_validate_json(found.model_dump_json()) == found


def test_the_table_names_the_unit_once_marks_baselines_and_sets_thousands_apart() -> None:
    found = board(
        standing("gbt maxIter=10", 128_000.0, 130_000.0, held_out=131_234.6),
        standing("mean", 400_000.0, 400_000.0, family=BASELINE),
    )
    text = StringIO()
    Console(file=text, width=200).print(tables.leaderboard(found))
    lines = [[cell.strip() for cell in line.split("│")] for line in text.getvalue().splitlines()]
    assert "rmse (USD)" in text.getvalue()
    assert lines[4][1:-1] == [
        "1", "gbt maxIter=10", "129,000", "1,414", "-67.8 %", "0.5", "7", "10 %", "3.0", "131,235", "0.4"
    ]  # fmt: skip
    assert lines[5][1:4] == ["2", "mean (baseline)", "400,000"]


def test_the_json_has_ranks_and_every_digit() -> None:
    found = board(standing("gbt", 1 / 3, 2 / 3, held_out=0.1), standing("mean", 9.0, 9.0, family=BASELINE))
    first, second = plain_leaderboard(found)["standings"]
    assert (first["rank"], first["candidate"], first["is_baseline"]) == (1, "gbt", False)
    assert first["mean"]["rmse"] == (1 / 3 + 2 / 3) / 2
    assert first["holdout"] == {"rmse": 0.1, "r2": 0.4}
    assert [fold["metrics"]["rmse"] for fold in first["folds"]] == [1 / 3, 2 / 3]
    assert (second["rank"], second["is_baseline"]) == (2, True)


def test_brackets_in_names_are_shown_as_they_are() -> None:
    text = StringIO()
    found = board(standing("median by [/area]", 1.0, family=BASELINE), standing("gbt", 2.0))
    Console(file=text, width=200).print(tables.leaderboard(found))
    assert "median by [/area] (baseline)" in text.getvalue()
