"""All of a training between its rows and its publication: the race, and the best of each family learnt again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from regatta.config import UseCase
from regatta.runtime.progress import step
from regatta.runtime.watching import LiveRace, Watchers
from regatta.selection.candidates import candidates
from regatta.selection.engine import Engine
from regatta.selection.finalists import Finals, finals, on_holdout, with_holdout
from regatta.selection.leaderboard import Leaderboard, ranked
from regatta.selection.parts import Parts
from regatta.selection.race import Watcher, race


@dataclass(frozen=True)
class Learnt:
    """What a training came to.

    Attributes:
        board: with the holdout's figures.
        best: the refitted best of each family.
        predictions: the holdout as `on_holdout` gives it.
        engine: who grew the trees, and why.
    """

    board: Leaderboard
    best: Finals
    predictions: DataFrame
    engine: Engine


def learn(
    rows: Parts, use_case: UseCase, run_id: str, scratch: str, watchers: Sequence[Watcher] = ()
) -> Learnt:
    """Race all candidates, rank them, and learn the best of each family from the whole training part.

    Args:
        rows: of the use case, split for good.
        use_case: as models see it.
        run_id: names the leaderboard.
        scratch: a URI that ends in a slash, where Spark can write on its way.
        watchers: told of every fit, beside the person who looks.
    """
    engine = Engine(use_case)
    engine.make_ready()
    field = [candidate.name for candidate in candidates(use_case)]
    with LiveRace(use_case, field) as live:
        standings = race(rows.folds, use_case, Watchers([live, *watchers]), engine)
    board = Leaderboard(
        use_case=use_case.use_case,
        run_id=run_id,
        metric=use_case.metric,
        label=use_case.label,
        unit=use_case.columns[use_case.label].unit,
        folds=tuple(fold.name for fold in rows.folds) if rows.splits else (),
        standings=ranked(standings, use_case.metric),
    )
    with step("refitting the best of each family"):
        best = finals(rows.training, rows.holdout, board, use_case, engine, scratch)
        predictions = on_holdout(best, rows.holdout).persist()
        board = with_holdout(board, predictions, use_case, rows.scale)
    return Learnt(board, best, predictions, engine)
