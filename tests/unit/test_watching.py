"""What a person sees of a race, at a terminal and in a log."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from regatta.config import UseCase
from regatta.runtime.watching import LiveRace, Watchers, about, duration, figure
from regatta.selection.leaderboard import Judged

# What rich's Live writes before it draws over its last frame.
OVER_THE_LAST_FRAME = re.compile(r"\r\x1b\[2K(?:\x1b\[1A\x1b\[2K)*")
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def houses(metric: str = "rmse", unit: str | None = "USD") -> UseCase:
    return UseCase.model_validate(
        {
            "use_case": "houses",
            "sources": {"sales": {"role": "train"}},
            "columns": {"price": {"role": "label", "unit": unit}, "size": {"role": "feature"}},
            "candidates": {"gbt": {"maxDepth": [2, 3]}},
            "split": {"folds": 2},
            "metric": metric,
        }
    )


def judged(rmse: float | None, seconds: float = 1.0) -> Judged:
    return Judged(metrics={"rmse": rmse, "r2": 0.5}, seconds=seconds)


def log_of(events: Callable[[LiveRace, Clock], None], **options: Any) -> list[str]:
    written, clock = io.StringIO(), Clock()
    with LiveRace(
        houses(), ["a", "b"], Console(file=written, width=120, soft_wrap=True), clock=clock, **options
    ) as live:
        events(live, clock)
    return written.getvalue().splitlines()


def terminal(height: int = 40, width: int = 120) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        force_interactive=True,
        width=width,
        height=height,
        soft_wrap=True,
        legacy_windows=False,
        _environ={},
    )


def frames(console: Console) -> list[list[str]]:
    """The lines of every frame that was drawn, the oldest first."""
    drawn = OVER_THE_LAST_FRAME.split(console.file.getvalue())  # type: ignore[attr-defined]
    plain = [COLOURS.sub("", frame).split("\n") for frame in drawn]
    return [[line.rstrip() for line in frame if line.strip()] for frame in plain]


def soon(console: Console, text: str) -> list[str]:
    """The first frame with the text in it; it must come within three seconds."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        for frame in frames(console):
            if any(text in line for line in frame):
                return frame
        time.sleep(0.05)
    raise AssertionError(f"{text!r} was not shown: {frames(console)[-1]}")


def test_away_from_a_terminal_every_fit_is_one_plain_line():
    def events(live: LiveRace, clock: Clock) -> None:
        live.judged("mean", 0, judged(367_000.4))
        clock.now = 30
        live.judged("a", 0, judged(131_204.4, seconds=20))
        clock.now = 60
        live.judged("b", 0, judged(128_000, seconds=10))
        clock.now = 100
        live.judged("b", 1, judged(140_000, seconds=10))
        clock.now = 130
        live.judged("a", 1, judged(None, seconds=20.04))

    assert log_of(events) == [
        "baseline mean, fold 1 of 2: rmse 367,000 USD",
        "fit 1 of 4: a, fold 1 of 2: rmse 131,204 USD in 20.0 s; best so far a at 131,204 USD, about 90 s left",
        "fit 2 of 4: b, fold 1 of 2: rmse 128,000 USD in 10.0 s; best so far b at 128,000 USD, about 60 s left",
        "fit 3 of 4: b, fold 2 of 2: rmse 140,000 USD in 10.0 s; best so far b at 128,000 USD, about 50 s left",
        "fit 4 of 4: a, fold 2 of 2: rmse undefined in 20.0 s; best so far b at 134,000 USD, all done in 2 min 10 s",
    ]


def test_the_best_so_far_is_judged_on_the_folds_that_all_have_run():
    def events(live: LiveRace, _clock: Clock) -> None:
        live.judged("a", 0, judged(100))
        live.judged("b", 0, judged(110))
        live.judged("a", 1, judged(900))  # a hard fold, which b has not met yet

    assert "best so far a at 100 USD" in log_of(events)[-1]


def test_a_race_of_r2_is_led_by_the_largest():
    console = Console(file=io.StringIO(), width=120, soft_wrap=True)
    with LiveRace(houses(metric="r2"), ["a", "b"], console) as live:
        live.judged("a", 0, Judged(metrics={"r2": 0.8}, seconds=1))
        live.judged("b", 0, Judged(metrics={"r2": 0.7}, seconds=1))
    assert "best so far a at 0.8000" in console.file.getvalue().splitlines()[-1]  # type: ignore[attr-defined]


def test_a_long_fit_does_not_leave_the_log_silent():
    def events(live: LiveRace, clock: Clock) -> None:
        clock.now = 7
        time.sleep(0.5)

    lines = log_of(events, silence=0.1)
    assert 2 <= len(lines) <= 5
    assert set(lines) == {"0 of 4 fits after 7 s ... no fit finished yet"}


def test_a_log_that_is_not_silent_gets_no_heartbeat():
    def events(live: LiveRace, _clock: Clock) -> None:
        for fold in (0, 1):
            for name in ("a", "b"):
                live.judged(name, fold, judged(1.0))
                time.sleep(0.05)

    assert [line.split(":")[0] for line in log_of(events, silence=2)] == [
        f"fit {n} of 4" for n in (1, 2, 3, 4)
    ]


def test_the_table_shows_candidates_folds_metric_seconds_baselines_and_the_time_left():
    console, clock = terminal(), Clock()
    with LiveRace(houses(), ["a", "b", "c"], console, clock=clock) as live:
        clock.now = 60
        live.judged("mean", 0, judged(367_000, 0.1))
        live.judged("b", 0, judged(131_000, 30))
        live.judged("a", 0, judged(128_000, 30))
        shown = soon(console, "2 of 6")
    words = [" ".join(line.strip("━╸╺─ ").split()) for line in shown]
    assert [line for line in words if line] == [
        "candidate folds rmse, USD seconds",
        "* a 1/2 128,000 30.0",
        "b 1/2 131,000 30.0",
        "c 0/2",
        "baseline: mean 1/2 367,000 0.1",
        "2 of 6 fits, 1 min 00 s, about 2 min left",
        "* the best on the folds that all have run",
    ]


def test_the_table_moves_while_nothing_is_judged():
    console = terminal()
    with LiveRace(houses(), ["a"], console):
        time.sleep(2.2)
    ticks = [f"0 of 2 fits, {second} s, no fit finished yet" for second in (0, 1, 2)]
    shown = "\n".join(line for frame in frames(console) for line in frame)
    assert [tick for tick in ticks if tick in shown] == ticks


@pytest.mark.parametrize("height", [24, 12, 5])
def test_more_candidates_than_lines_leave_the_best_and_the_bar_in_sight(height: int):
    console = terminal(height=height)
    names = [f"random_forest numTrees={n}" for n in range(60)]
    with LiveRace(houses(), names, console) as live:
        for number, name in enumerate(names):
            live.judged(name, 0, judged(1_000 - number))
        soon(console, "60 of 120" if height > 5 else "candidate")
        during = frames(console)
    assert max(map(len, during)) <= height
    if height > 5:
        assert during[-1][2].split()[:3] == ["*", "random_forest", "numTrees=59"]
        assert re.search(r"\.\.\. and \d+ more", "\n".join(during[-1]))
    assert sum("random_forest" in line for line in frames(console)[-1]) == 60, "in the end all are shown"


def test_a_narrow_terminal_shortens_names_and_keeps_the_figures():
    console = terminal(width=48)
    with LiveRace(houses(), ["gradient_boosted_trees maxDepth=15 maxIter=20"], console) as live:
        live.judged("gradient_boosted_trees maxDepth=15 maxIter=20", 0, judged(128_000, 30))
        shown = soon(console, "128,000")
    row = next(line for line in shown if "128,000" in line)
    assert re.fullmatch(r"\* +gradient\w*… +1/2 +128,000 +30\.0", row)
    assert max(map(len, shown)) <= 48


def test_no_fit_is_lost_when_many_threads_judge_at_once():
    written = io.StringIO()
    names = [f"candidate {n}" for n in range(40)]
    with LiveRace(houses(), names, Console(file=written, width=200, soft_wrap=True)) as live:
        threads = [
            threading.Thread(target=live.judged, args=(name, fold, judged(1.0)))
            for name in names
            for fold in (0, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    numbers = [int(line.split()[1]) for line in written.getvalue().splitlines()]
    assert numbers == list(range(1, 81))


def test_an_error_in_the_race_ends_the_table_and_is_not_swallowed():
    console = terminal()
    with pytest.raises(ZeroDivisionError), LiveRace(houses(), ["a"], console):
        raise ZeroDivisionError
    assert console.file.getvalue().endswith("\x1b[?25h"), "the cursor is back"  # type: ignore[attr-defined]


def test_several_watchers_see_every_event_in_order():
    seen: list[tuple[str, str, int]] = []

    class Recorder:
        def __init__(self, name: str) -> None:
            self.name = name

        def judged(self, candidate: str, fold: int, judged: Judged) -> None:
            seen.append((self.name, candidate, fold))

    Watchers([Recorder("first"), Recorder("second")]).judged("a", 1, judged(1.0))
    assert seen == [("first", "a", 1), ("second", "a", 1)]


@pytest.mark.parametrize(
    ("value", "metric", "unit", "shown"),
    [
        (131_204.4, "rmse", "USD", "131,204 USD"),
        (0.012345, "mae", "kg", "0.01235 kg"),
        (12.0, "mse", "kg", "12 kg²"),
        (0.1234, "mape", "USD", "12.3 %"),
        (0.87123, "r2", "USD", "0.8712"),
        (5.5, "rmse", None, "5.5"),
        (None, "rmse", "USD", "undefined"),
    ],
)
def test_a_figure_carries_its_unit(value: float | None, metric: Any, unit: str | None, shown: str):
    assert figure(value, metric, unit) == shown


def test_time_is_told_as_people_tell_it():
    assert [duration(s) for s in (0, 59.9, 65, 3_780)] == ["0 s", "59 s", "1 min 05 s", "1 h 03 min"]
    assert [about(s) for s in (-3, 9, 44, 94, 95, 130, 6_000)] == [
        *("a few seconds", "a few seconds", "about 40 s", "about 90 s", "about 2 min", "about 2 min"),
        "about 1.7 h",
    ]
