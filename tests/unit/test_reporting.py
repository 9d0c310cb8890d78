"""The charts of a run show what they say, and the page is whole by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pandas as pd
import pytest

from regatta.config import parse
from regatta.lake import ChampionEntry, Run
from regatta.reporting.charts import race, residuals
from regatta.reporting.evidence import Evidence
from regatta.reporting.page import page
from regatta.selection.leaderboard import Judged, Leaderboard, Standing
from tea import SMALL

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def standing(name: str, errors: tuple[float, ...], family: str = "linear_regression") -> Standing:
    return Standing(
        candidate=name,
        family=family,
        parameters={},
        folds=tuple(Judged(metrics={"rmse": error, "wape": error / 100}, seconds=0.5) for error in errors),
        holdout={"rmse": errors[0], "mae": 1.0, "mape": 0.1, "r2": 0.5},
    )


def board(**changes: object) -> Leaderboard:
    lines = (
        standing("linear_regression regParam=0.1", (10.0, 12.0)),
        standing("gbt maxIter=5", (14.0, 16.0), "gbt"),
        standing("median by town", (30.0, 40.0), "baseline"),
    )
    given = {"use_case": "tea", "run_id": "one", "metric": "rmse", "label": "price", "unit": "EUR"}
    return Leaderboard(**{**given, "standings": lines, **changes})  # type: ignore[arg-type]


def rows(count: int = 60) -> pd.DataFrame:
    """Town B is predicted 5 too low, A 1 too high."""
    numbers = range(count)
    return pd.DataFrame(
        {
            "id": [f"h{number:03d}" for number in numbers],
            "area": [float(number) for number in numbers],
            "town": ["AB"[number % 2] for number in numbers],
            "price": [100.0 + number for number in numbers],
            "prediction": [100.0 + number + (1 if number % 2 == 0 else -5) for number in numbers],
        }
    )


def evidence(**changes: object) -> Evidence:
    run = Run(
        attempt="a", published_at=NOW, files=(), run_id="one", use_case="tea", as_of=NOW, fingerprint="f" * 64,
        contract="c", deliveries=tuple(f"2026-{month:02d}" for month in range(1, 13)), configuration={}, code="code",
        versions={"pyspark": "4.1.2"}, rows={"held_out": 60}, winner="linear_regression regParam=0.1",
        winner_family="linear_regression", metrics={"rmse": 10.0}, baselines={}, seconds=12.0,
    )  # fmt: skip
    given = {
        "run": run,
        "board": board(),
        "weights": {"linear_regression": [{"feature": "area", "coefficient": 2.0}]},
        "holdout": rows(),
        "use_case": parse(SMALL.replace("tea\n", "tea\ntitle: Tea & <cakes>\n", 1), "tea.yaml"),
        "champions": (),
    }
    return Evidence(**{**given, **changes})  # type: ignore[arg-type]


def test_the_leaderboard_has_a_line_a_candidate_the_best_on_top_and_the_best_baseline_across() -> None:
    (axes,) = race.leaderboard(board()).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["linear_regression regParam=0.1", "gbt maxIter=5", "median by town"]
    assert axes.yaxis_inverted()
    means = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert means == [11.0, 15.0, 35.0]
    across = next(line for line in axes.lines if line.get_linestyle() == "--")
    assert list(across.get_xdata()) == [35.0, 35.0]
    assert axes.get_xlabel() == "rmse over the folds (EUR)"


def test_shares_are_drawn_in_percent() -> None:
    (axes,) = race.leaderboard(board(metric="wape")).axes
    assert [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"] == pytest.approx(
        [11.0, 15.0, 35.0]
    )
    assert axes.get_xlabel() == "wape over the folds (%)"


def test_groups_are_ordered_from_the_most_underestimated_on() -> None:
    (axes,) = residuals.by_group(rows(), "price", "EUR", "town").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["B  (30 rows)", "A  (30 rows)"]
    assert axes.yaxis_inverted()
    assert list(axes.lines[0].get_xdata()) == [-5.0, 1.0]


def test_groups_that_have_an_order_keep_it() -> None:
    towns = pd.CategoricalDtype(["A", "B"], ordered=True)
    (axes,) = residuals.by_group(rows().astype({"town": towns}), "price", "EUR", "town").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A  (30 rows)", "B  (30 rows)"]


def test_many_rows_are_drawn_as_their_density_and_few_one_by_one() -> None:
    few = residuals.against_actual(rows(), "price", None, logarithmic=True)
    assert len(few.axes) == 1
    assert few.axes[0].get_xscale() == "log"
    many = residuals.against_actual(rows(residuals.MANY + 1), "price", None, logarithmic=False)
    assert [axes.get_ylabel() for axes in many.axes] == ["prediction", "rows"]


def test_a_logarithm_is_not_drawn_of_what_has_none() -> None:
    below = rows().assign(prediction=lambda frame: frame["prediction"] - 200)
    assert residuals.against_actual(below, "price", None, logarithmic=True).axes[0].get_xscale() == "linear"


def test_a_panels_error_is_drawn_at_each_origin() -> None:
    (axes,) = race.by_origin(board(folds=("2026-01-01", "2026-02-01"))).axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[10.0, 12.0], [14.0, 16.0], [30.0, 40.0]]


def test_the_worst_rows_come_first_with_what_they_are_off_by() -> None:
    odd = rows().assign(prediction=lambda frame: frame["prediction"].where(frame["id"] != "h007", 0.0))
    worst = evidence(holdout=odd).worst(3)
    assert list(worst.columns) == ["id", "price", "prediction", "off", "area", "town"]
    assert worst.iloc[0].to_dict() == {
        "id": "h007", "price": 107.0, "prediction": 0.0, "off": -107.0, "area": 7.0, "town": "B",
    }  # fmt: skip


def test_the_page_says_what_won_by_how_much_and_needs_nothing_else() -> None:
    text = page(evidence())
    assert "linear_regression regParam=0.1: rmse 10 EUR on 60 held-out rows" in text
    assert "the best baseline, median by town: 30 EUR" in text
    assert "not promoted; there is no champion yet" in text
    assert "Tea &amp; &lt;cakes&gt;" in text
    assert text.count("<svg") == text.count("</svg>") == 7
    assert "2026-01, 2026-02, 2026-03 ... 2026-10, 2026-11, 2026-12 (12 in all)" in text
    assert not re.findall(r"<(?:script|img|link)|(?:src|href)=[\"']https?:", text)


def test_the_same_evidence_gives_the_same_page() -> None:
    assert page(evidence()) == page(evidence())


def test_the_page_says_who_reigns() -> None:
    mine = ChampionEntry(
        number=3,
        action="promote",
        run_id="one",
        effective=NOW,
        previous=None,
        metrics={},
        reason="better",
        attempt="a",
    )
    other = mine.model_copy(update={"number": 4, "run_id": "two"})
    assert "champion 3, in service: better" in page(evidence(champions=(mine,)))
    assert "champion 3, no longer in service: better" in page(evidence(champions=(mine, other)))
    assert "not promoted; champion 4 is in service, run two" in page(evidence(champions=(other,)))
