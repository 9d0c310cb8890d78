"""What a person sees of the race: on a terminal a live table, elsewhere one plain line a finished fit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from statistics import fmean
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from regatta.config import UseCase
from regatta.config.race import LARGER_IS_BETTER, Metric
from regatta.runtime import progress

if TYPE_CHECKING:  # the race knows its watchers only by their shape, and they know it only by its types
    from regatta.selection.leaderboard import Judged
    from regatta.selection.race import Watcher

FRAMES_A_SECOND = 4
LINES_BESIDE_ROWS = 7  # header and its rule, "more", the line above baselines, bar, legend, one to spare


class Watchers:
    """Hands every event to several watchers."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers

    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        """Tell each of them, in their order."""
        for watcher in self._watchers:
            watcher.judged(candidate, fold, judged)


class LiveRace:
    """Shows a race while it lasts. A context manager; may be told of fits from any thread.

    Args:
        use_case: names the metric, the folds and the label's unit.
        candidates: their names; whatever else is judged is shown as a baseline and counts as no fit.
        console: where to show it; not at a terminal plain lines are written instead.
        silence: seconds without a plain line after which one says that work goes on.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        use_case: UseCase,
        candidates: Sequence[str],
        console: Console = progress.console,
        *,
        silence: float = progress.SILENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = _State(use_case, candidates, clock)
        self._console = console
        self._silence = silence
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._spoke = time.monotonic()
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._live: Live | None = None
        if console.is_interactive:
            self._live = Live(
                console=console,
                get_renderable=self._frame,
                refresh_per_second=FRAMES_A_SECOND,
                vertical_overflow="crop",
            )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start(refresh=True)
        else:
            self._spoke = time.monotonic()
            self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._live:
            self._live.stop()
        else:
            self._heart.join()

    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        """Show one more fit."""
        with self._lock:
            self._state.add(candidate, fold, judged)
            if not self._live:
                self._say(self._state.line(candidate, fold, judged))

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False)
        self._spoke = time.monotonic()

    def _beat(self) -> None:
        wait = self._silence
        while not self._over.wait(wait):
            with self._lock:
                quiet = time.monotonic() - self._spoke
                if quiet >= self._silence:
                    self._say(self._state.heartbeat())
                    quiet = 0
            wait = self._silence - quiet

    def _frame(self) -> RenderableType:
        # The last frame stays on the screen and may scroll, so it shows every row.
        room = None if self._over.is_set() else self._console.size.height - LINES_BESIDE_ROWS
        with self._lock:
            return self._state.frame(room)


class _State:
    """What is known of a race so far, and how to say it."""

    def __init__(self, use_case: UseCase, candidates: Sequence[str], clock: Callable[[], float]) -> None:
        self._metric: Metric = use_case.metric
        self._unit = use_case.columns[use_case.label].unit
        self._folds = use_case.split.folds
        self._clock = clock
        self._started = clock()
        self._candidates: dict[str, dict[int, Judged]] = {name: {} for name in candidates}
        self._baselines: dict[str, dict[int, Judged]] = {}
        self._expected_end: float | None = None

    @property
    def _done(self) -> int:
        return sum(map(len, self._candidates.values()))

    @property
    def _all(self) -> int:
        return len(self._candidates) * self._folds

    def add(self, name: str, fold: int, judged: Judged) -> None:
        entrants = self._candidates if name in self._candidates else self._baselines
        entrants.setdefault(name, {})[fold] = judged
        self._expected_end = self._estimate()

    def line(self, name: str, fold: int, judged: Judged) -> str:
        """What was judged just now, in one line."""
        shown = figure(judged.metrics.get(self._metric), self._metric, self._unit)
        result = f"{name}, fold {fold + 1} of {self._folds}: {self._metric} {shown}"
        if name in self._baselines:
            return f"baseline {result}"
        fit = f"fit {self._done} of {self._all}: {result} in {judged.seconds:.1f} s"
        return f"{fit}; {self._standing()}"

    def heartbeat(self) -> str:
        """That work goes on."""
        return f"{self._done} of {self._all} fits after {self._gone()} ... {self._standing()}"

    def frame(self, room: int | None) -> RenderableType:
        """The race as a table, the best candidates first, in at most `room` rows and a few lines beside."""
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        table.add_column(" ", no_wrap=True)
        table.add_column("candidate")  # the only one that gives way where the terminal is narrow
        for title in ("folds", f"{self._metric}{_of(self._metric, self._unit)}", "seconds"):
            table.add_column(title, no_wrap=True, justify="right", min_width=len(title))
        best = self._best()
        names = self._best_first()
        shown = names if room is None else names[: max(1, room - len(self._baselines))]
        for name in shown:
            leads = best is not None and name == best[0]
            style = "bold green" if leads else "" if self._candidates[name] else "dim"
            table.add_row(*self._row("*" if leads else "", name, self._candidates[name]), style=style)
        if len(shown) < len(names):
            table.add_row("", f"... and {len(names) - len(shown)} more", style="dim")
        table.add_section()
        for name, folds in self._baselines.items():
            table.add_row(*self._row("", f"baseline: {name}", folds), style="dim")
        legend = Text("* the best on the folds that all have run", "dim", no_wrap=True, overflow="ellipsis")
        return Group(table, self._bar(), legend) if best else Group(table, self._bar())

    def _row(self, mark: str, name: str, folds: dict[int, Judged]) -> tuple[RenderableType, ...]:
        shown = Text(name, no_wrap=True, overflow="ellipsis")
        done = f"{len(folds)}/{self._folds}"
        if not folds:
            return mark, shown, done, "", ""
        seconds = sum(judged.seconds for judged in folds.values())
        return mark, shown, done, figure(self._mean(folds), self._metric), f"{seconds:.1f}"

    def _bar(self) -> RenderableType:
        line = Table.grid(padding=(0, 1))
        line.add_column(width=20)
        line.add_column(no_wrap=True, overflow="ellipsis")
        gone = "" if self._done == self._all else f"{self._gone()}, "
        words = f"{self._done} of {self._all} fits, {gone}{self._left()}"
        line.add_row(ProgressBar(total=self._all, completed=self._done, width=20), Text(words))
        return line

    def _standing(self) -> str:
        best = self._best()
        leader = f"best so far {best[0]} at {figure(best[1], self._metric, self._unit)}, " if best else ""
        return f"{leader}{self._left()}"

    def _gone(self) -> str:
        return duration(self._clock() - self._started)

    def _left(self) -> str:
        if self._done == self._all:
            return f"all done in {self._gone()}"
        if self._expected_end is None:
            return "no fit finished yet"
        return f"{about(self._expected_end - self._clock())} left"

    def _estimate(self) -> float | None:
        """When the race will be over.

        A fit is expected to take as long as the candidate's mean so far, or else the mean of all; that is
        scaled by how elapsed time and seconds of fits have related until now, which accounts for fits at the
        same time and for the work between them.
        """
        finished = [judged.seconds for folds in self._candidates.values() for judged in folds.values()]
        if not finished:
            return None
        usual = fmean(finished)
        missing = sum(
            (self._folds - len(folds)) * (fmean(j.seconds for j in folds.values()) if folds else usual)
            for folds in self._candidates.values()
        )
        now = self._clock()
        share = missing / sum(finished) if sum(finished) else (self._all - self._done) / len(finished)
        return now + (now - self._started) * share

    def _mean(self, folds: dict[int, Judged], only: set[int] | None = None) -> float | None:
        """The mean of the metric over the folds (or some of them), None where any figure is undefined."""
        values = [j.metrics.get(self._metric) for number, j in folds.items() if not only or number in only]
        defined = [value for value in values if value is not None]
        return fmean(defined) if defined and len(defined) == len(values) else None

    def _ranked(self) -> list[tuple[str, float]]:
        """Candidates with their means, best first.

        Compared on the folds that every judged candidate has been through, since one may be harder than
        another.
        """
        judged = {name: folds for name, folds in self._candidates.items() if folds}
        shared = set.intersection(*map(set, judged.values())) if judged else set()
        means = {name: self._mean(folds, shared) for name, folds in judged.items()}
        known = [(name, mean) for name, mean in means.items() if mean is not None]
        return sorted(known, key=lambda entry: entry[1], reverse=self._metric in LARGER_IS_BETTER)

    def _best(self) -> tuple[str, float] | None:
        return next(iter(self._ranked()), None)

    def _best_first(self) -> list[str]:
        ranked = [name for name, _ in self._ranked()]
        undefined = [name for name, folds in self._candidates.items() if folds and name not in ranked]
        return [*ranked, *undefined, *(name for name, folds in self._candidates.items() if not folds)]


def figure(value: float | None, metric: Metric, unit: str | None = None) -> str:
    """A metric's value for people: `131,204 USD`, `12.3 %` (mape, wape), `0.8712` (r2); without `unit` bare."""
    if value is None:
        return "undefined"
    if metric in ("mape", "wape"):
        return f"{100 * value:.1f} %"
    if metric in ("r2", "smape", "mase"):
        return f"{value:.4f}"
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{number} {unit}{'²' if metric == 'mse' else ''}" if unit else number


def _of(metric: Metric, unit: str | None) -> str:
    """The unit as it stands in a header; shares and ratios have none."""
    if unit is None or metric in ("mape", "r2", "wape", "smape", "mase"):
        return ""
    return f", {unit}{'²' if metric == 'mse' else ''}"


def duration(seconds: float) -> str:
    """`42 s`, `2 min 05 s`, `1 h 03 min`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def about(seconds: float) -> str:
    """An estimate, no finer than it deserves: `a few seconds`, `about 40 s`, `about 2 min`."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 95:
        return f"about {round(seconds, -1):.0f} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
