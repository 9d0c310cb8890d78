"""Charts of rows, deliveries and panels show what stands in their small frames."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from test_reporting import board

from regatta.evaluation.contest import Contest
from regatta.panels.origins import Dates
from regatta.reporting.charts import arrival, inputs, panel, race
from regatta.reporting.charts.contest import contest
from regatta.reporting.style import as_png

BINS = pd.DataFrame({"column": "beds", "low": [0.5, 1.5, 32.5], "high": [1.5, 2.5, 33.5], "rows": [7, 9, 1]})


def delivered(count: int = 2, refused: str = "") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "delivery": [f"d{number}" for number in range(count)],
            "delivered_at": pd.date_range("2026-01-01", periods=count, tz="UTC"),
            "rows": 10,
            "accepted": 0 if refused else 8,
            "rejected": 0 if refused else 2,
            "refused": refused,
        }
    )


def legend(figure: object) -> list[str]:
    owner = figure.legends[0] if figure.legends else figure.axes[0].get_legend()  # type: ignore[attr-defined]
    return [text.get_text() for text in owner.get_texts()]


def test_a_deliverys_bar_is_as_high_as_it_has_rows_whatever_became_of_them() -> None:
    figure = arrival.deliveries(delivered())
    assert legend(figure) == ["accepted: 16", "rejected: 4"]
    tops = {bar.get_y() + bar.get_height() for bar in figure.axes[0].containers[1]}
    assert tops == {10}
    assert "in a delivery that was refused whole: 20" in legend(
        arrival.deliveries(delivered(refused="empty"))
    )


def test_few_deliveries_are_named_and_many_lie_on_the_calendar() -> None:
    few = arrival.deliveries(delivered(3)).axes[0]
    assert [label.get_text() for label in few.get_xticklabels()] == ["d0", "d1", "d2"]
    assert arrival.deliveries(delivered(arrival.MOST_NAMES + 1)).axes[0].get_xlabel() == "day of the delivery"


def test_that_no_row_was_rejected_is_said() -> None:
    none = pd.DataFrame({"reason": [], "level": [], "rows": []})
    (axes,) = arrival.reasons(none).axes
    assert [text.get_text() for text in axes.texts] == ["no row was rejected or warned of"]


def test_what_lies_beyond_the_bounds_has_a_colour_of_its_own() -> None:
    figure = inputs.fenced(BINS, 0.0, 10.0, 1, "bedrooms", None)
    assert legend(figure) == ["learnt from", "left out of training: 1"]
    inside, outside = figure.axes[0].containers
    assert [bar.get_height() for bar in inside] == [7, 9]
    assert [bar.get_height() for bar in outside] == [1]


def test_years_have_no_comma_and_prices_do() -> None:
    years = inputs.distribution(pd.DataFrame({"low": [1900.0], "high": [2000.0], "rows": [1]}), "built", None)
    formatter = years.axes[0].xaxis.get_major_formatter()
    assert [formatter(value) for value in (1950.0, 1_500_000.0, -122.25)] == ["1950", "1,500,000", "-122.25"]


def test_columns_are_ordered_by_their_correlation_with_the_first_which_is_the_label() -> None:
    matrix = pd.DataFrame(
        [[1.0, -0.5, 0.9], [-0.5, 1.0, 0.0], [0.9, 0.0, 1.0]], columns=["price", "age", "size"]
    )
    axes = inputs.correlation(matrix.set_axis(matrix.columns)).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["price", "size", "age"]
    assert [text.get_text() for text in axes.texts][:3] == ["1.0", "0.9", "-0.5"]


def test_the_dearest_and_the_cheapest_areas_are_named() -> None:
    areas = pd.DataFrame(
        {
            "name": [f"area {number}" for number in range(10)],
            "lat": np.linspace(47.0, 48.0, 10),
            "long": -122.0,
            "value": np.linspace(1e5, 1e6, 10),
            "rows": 10,
        }
    )
    axes = inputs.places(areas, "median price", "USD").axes[0]
    assert {text.get_text() for text in axes.texts} == {f"area {number}" for number in (0, 1, 2, 7, 8, 9)}


def test_the_gain_is_what_is_below_the_best_baseline() -> None:
    (axes,) = race.gain(board()).axes
    heights = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert heights == pytest.approx([100 * (35 - 11) / 35, 100 * (35 - 15) / 35])


def test_another_metric_keeps_the_order_of_the_one_that_decides() -> None:
    (axes,) = race.leaderboard(board(), "wape").axes
    assert next(label.get_text() for label in axes.get_yticklabels()) == "linear_regression regParam=0.1"
    assert axes.get_xlabel() == "wape over the folds (%)"


def test_a_smaller_error_of_the_challenger_lies_right_and_a_larger_one_left() -> None:
    figures = Contest(
        {"rmse": 80.0, "mae": 60.0, "r2": 0.9}, {"rmse": 100.0, "mae": 50.0, "r2": 0.8}, 10, "USD"
    )
    (axes,) = contest(figures).axes
    bars = [bar for container in axes.containers for bar in container]
    assert [bar.get_width() for bar in bars] == pytest.approx([20.0, -20.0, 50.0])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["rmse", "mae", "1 - r2"]
    assert [text.get_text() for text in axes.texts] == ["20 %", "-20 %", "50 %"]


DAYS = [date(2026, 1, 5) + timedelta(days=n) for n in range(5)]  # Monday to Friday


def test_a_panels_gaps_are_told_from_closed_days_and_from_the_time_before_its_first_sale() -> None:
    sold = {"tea": (0, 4), "jam": (0, 1, 3, 4), "new": (3,)}
    values = pd.DataFrame(
        [(name, pd.Timestamp(DAYS[n])) for name, places in sold.items() for n in places],
        columns=["entity", "period"],
    )
    (axes,) = panel.presence(values, [day for n, day in enumerate(DAYS) if n != 2]).axes
    assert axes.images[0].get_array().tolist() == [
        [panel.SOLD, panel.SOLD, panel.CLOSED, panel.SOLD, panel.SOLD],  # jam, the busiest
        [panel.SOLD, panel.NOTHING, panel.CLOSED, panel.NOTHING, panel.SOLD],
        [panel.NOT_YET, panel.NOT_YET, panel.CLOSED, panel.SOLD, panel.NOTHING],
    ]


def test_every_origin_is_drawn_and_the_last_is_held_out() -> None:
    splits = [Dates(str(n), DAYS[0], DAYS[n], 0, DAYS[n + 1], DAYS[n + 1]) for n in range(3)]
    (axes,) = panel.origins(splits).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["fold 1", "fold 2", "holdout"]
    learnt = [container[0].get_width() for container in axes.containers[::2]]
    judged = [container[0].get_facecolor() for container in axes.containers[1::2]]
    assert learnt == [1, 2, 3]  # days, the last included
    assert judged[0] == judged[1] != judged[2]


def test_entities_are_told_by_who_forecasts_them_better() -> None:
    errors = pd.DataFrame(
        {
            "entity": ["a", "b", "c"],
            "size": [9.0, 1.0, 5.0],
            "model": [50.0, 80.0, None],
            "baseline": [60.0, 70.0, 9.0],
        }
    )
    figure = panel.by_entity(errors, "forest", "median")
    assert legend(figure) == ["the model is better: 1", "the baseline is at least as good: 1"]
    assert figure.axes[0].get_xlabel() == "wape by median (%)"


def test_a_forecast_lies_after_its_history() -> None:
    history = pd.DataFrame({"period": DAYS[:3], "sold": [1.0, 2.0, 3.0]})
    known = pd.DataFrame({"period": DAYS[1:3], "prediction": [2.0, 2.5]})
    ahead = pd.DataFrame({"period": DAYS[3:4], "prediction": [4.0]})
    figure = panel.forecast(history, known, ahead, "sold", "GBP")
    last, forecast = figure.axes[0].lines[0].get_xdata()[-1], figure.axes[0].lines[2].get_xdata()[0]
    assert last < forecast
    assert figure.axes[0].get_ylabel() == "sold (GBP)"


def test_equal_charts_are_equal_pictures() -> None:
    assert as_png(contest(Contest({"rmse": 1.0}, {"rmse": 2.0}, 3, None))) == as_png(
        contest(Contest({"rmse": 1.0}, {"rmse": 2.0}, 3, None))
    )
