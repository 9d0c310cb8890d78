from __future__ import annotations

import pytest

from regatta.config.race import Gate, Metric
from regatta.evaluation.figures import Figures, number, shown, told_apart
from regatta.evaluation.gate import Verdict, judge

GATE = Gate(floor={"r2": 0.7}, min_rows=100)


def figures(rmse: float | None, r2: float | None = 0.85) -> Figures:
    return {"rmse": rmse, "r2": r2, "mape": 0.125}


def verdict(
    challenger: Figures,
    champion: Figures | None,
    *,
    rows: int = 4_012,
    gate: Gate = GATE,
    metric: Metric = "rmse",
) -> Verdict:
    return judge(challenger, champion, rows, gate, metric, "USD")


def test_the_first_challenger_above_the_floor_is_promoted() -> None:
    assert verdict(figures(128_345.4), None) == Verdict(
        True, "first champion: rmse 128,345 USD on 4,012 held-out rows"
    )


def test_too_few_rows_are_refused_before_anything_is_compared() -> None:
    assert verdict(figures(1.0, r2=0.1), figures(2.0), rows=99) == Verdict(
        False, "too few rows that both held out to judge by: 99, where the gate asks for 100"
    )
    assert verdict(figures(1.0), None, rows=0) == Verdict(
        False, "too few held-out rows to judge by: 0, where the gate asks for 100"
    )


def test_as_many_rows_as_the_gate_asks_for_are_enough() -> None:
    assert verdict(figures(1.0), figures(2.0), rows=100).promoted


def test_a_model_below_the_floor_is_refused_though_it_beats_the_champion() -> None:
    assert verdict(figures(100.0, r2=0.62), figures(200.0, r2=0.5)) == Verdict(
        False, "r2 0.62 on the holdout is below the floor of 0.7: possible drift"
    )


def test_the_floor_itself_is_enough() -> None:
    assert verdict(figures(100.0, r2=0.7), None).promoted


def test_every_floor_that_is_broken_is_named() -> None:
    gate = Gate(floor={"r2": 0.7, "rmse": 150_000.0, "mape": 0.12})
    assert verdict(figures(205_000.0, r2=0.69996), None, gate=gate).reason == (
        "r2 0.69996 on the holdout is below the floor of 0.7 and "
        "rmse 205,000 USD on the holdout is above the limit of 150,000 USD and "
        "mape 12.5 % on the holdout is above the limit of 12 %: possible drift"
    )


def test_a_figure_that_is_undefined_breaks_its_floor() -> None:
    assert verdict(figures(1.0, r2=None), None).reason == (
        "r2 undefined on the holdout is below the floor of 0.7: possible drift"
    )


def test_a_worse_challenger_is_refused_with_both_figures() -> None:
    assert verdict(figures(131_020.0), figures(128_345.0)) == Verdict(
        False,
        "rmse 131,020 USD is 2.08 % worse than the champion's 128,345 USD on 4,012 rows that both held out,"
        " and must be better",
    )


def test_a_better_challenger_is_promoted_with_both_figures() -> None:
    assert verdict(figures(125_000.0), figures(128_345.0)) == Verdict(
        True,
        "rmse 125,000 USD is 2.61 % better than the champion's 128,345 USD on 4,012 rows that both held out",
    )


def test_an_equal_challenger_is_no_better() -> None:
    assert verdict(figures(128_345.0), figures(128_345.0)) == Verdict(
        False, "rmse 128,345 USD equals the champion's on 4,012 rows that both held out, and must be better"
    )


def test_better_by_less_than_the_gate_asks_is_refused() -> None:
    gate = Gate(improvement=0.02)
    assert verdict(figures(98.5), figures(100.0), gate=gate) == Verdict(
        False,
        "rmse 98.5 USD is 1.5 % better than the champion's 100 USD on 4,012 rows that both held out,"
        " and must be at least 2 % better",
    )
    assert verdict(figures(98.0), figures(100.0), gate=gate).promoted


def test_for_r2_the_gate_asks_for_a_share_of_what_is_left_unexplained() -> None:
    gate = Gate(improvement=0.1)
    champion, just_enough, too_little = (figures(1.0, r2=r2) for r2 in (0.5, 0.55, 0.54))
    assert verdict(just_enough, champion, gate=gate, metric="r2") == Verdict(
        True, "r2 0.55 leaves 10 % less unexplained than the champion's 0.5 on 4,012 rows that both held out"
    )
    assert verdict(too_little, champion, gate=gate, metric="r2") == Verdict(
        False,
        "r2 0.54 leaves 8 % less unexplained than the champion's 0.5 on 4,012 rows that both held out,"
        " and must be at least 10 % better",
    )


def test_a_champion_without_any_error_cannot_be_beaten() -> None:
    assert verdict(figures(3.0), figures(0.0)) == Verdict(
        False,
        "rmse 3 USD is worse than the champion's 0 USD on 4,012 rows that both held out, and must be better",
    )
    assert not verdict(figures(0.0), figures(0.0)).promoted


def test_a_challenger_without_a_figure_is_refused_and_a_champion_without_one_is_beaten() -> None:
    assert verdict(figures(None), figures(1.0)) == Verdict(
        False, "rmse is undefined on the 4,012 rows that both held out"
    )
    assert verdict(figures(2.0), figures(None)) == Verdict(
        True, "rmse 2 USD, where the champion's is undefined on the 4,012 rows that both held out"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (128_345.4, "128,345"),
        (12.3456, "12.35"),
        (0.0031416, "0.003142"),
        (-999.996, "-1,000"),
        (0.0, "0"),
        (1.5e21, "1.5e+21"),
        (2e-9, "2e-09"),
    ],
)
def test_a_number_has_as_many_digits_as_say_something(value: float, text: str) -> None:
    assert number(value) == text


def test_a_squared_error_has_the_square_of_the_unit_and_a_share_is_in_percent() -> None:
    assert shown("mse", 4.0, "USD") == "4 USD²"
    assert shown("mape", 0.1234, "USD") == "12.34 %"
    assert shown("r2", 0.8, "USD") == "0.8"
    assert shown("rmse", 4.0, None) == "4"


def test_two_figures_that_differ_never_look_alike() -> None:
    assert told_apart("rmse", 128_345.31, 128_345.32, "USD") == ("128,345.31 USD", "128,345.32 USD")
    assert told_apart("rmse", 2.0, 2.0, None) == ("2", "2")


def test_a_winner_that_does_not_beat_the_best_baseline_is_refused_and_says_so():
    baselines = {"mean": figures(300.0), "last value": figures(128.0), "undefined": figures(None)}

    refusal = judge(figures(130.0), None, 5_000, Gate(), "rmse", "USD", baselines)

    assert refusal == Verdict(
        False,
        "rmse 130 USD on the holdout does not beat the baseline last value, which has 128 USD",
        by_baseline=True,
    )
    assert judge(figures(127.0), None, 5_000, Gate(), "rmse", "USD", baselines).promoted
    assert not judge(figures(128.0), None, 5_000, Gate(), "rmse", "USD", baselines).promoted
