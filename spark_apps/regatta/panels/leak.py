"""The leak check: features computed again from a history that ends at a day must be those that were learnt from.

A feature that reads a later period differs nowhere but at the last rows of a history that was cut off, and one that
aggregates over the whole series differs there too. So the rows compared are those of the very day of the cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from random import Random

import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from regatta.config.panel import AS_OF, PERIOD, STEP
from regatta.config.panel_feature import PanelFeature
from regatta.config.table import quoted
from regatta.errors import ExitCode, InputError, RegattaError
from regatta.panels.history import filled
from regatta.panels.origins import Origin
from regatta.panels.rows import rows
from regatta.panels.values import POSITION, SEEN, Observed

DATES = 20  # an origin
PERIODS = 150_000  # of all histories that are computed again; a larger panel has entities drawn from it
FEWEST = 5  # entities, however long their histories are
CUT = "_cut"
MEMBERSHIP = "which rows there are"
FEW = 0.01  # of all periods, that may be without lines
RARER = 0.5  # than in periods with lines may something be known in those without


class Leak(RegattaError):
    """A feature reads what nobody could have known: a bug, whatever the figures say."""

    exit_code = ExitCode.BUG


@dataclass(frozen=True)
class Checked:
    """What was compared: rows, of so many dates and entities."""

    rows: int
    dates: int


def cuts(origins: Iterable[Origin], seed: int) -> list[int]:
    """The positions at which history is cut: for each origin `DATES`, drawn from all that its rows know."""
    found: set[int] = set()
    for number, origin in enumerate(origins):
        known = range(origin.test_to)
        found |= {*Random(f"{seed}:{number}").sample(known, min(DATES, len(known)))}
    return sorted(found)


def check(
    used: DataFrame,
    given: Observed,
    features: Mapping[str, PanelFeature],
    origins: Iterable[Origin],
    seed: int,
) -> Checked:
    """Hold the features of `used` against those of cut histories, in one job.

    What is known in advance stays known; gaps are rows like any other. Where the panel is large, entities are drawn.

    Args:
        used: the rows that training uses, as `rows.rows` gives them.
        given: what they were made of.
        features: all that rows have.
        origins: of the training.
        seed: draws dates and entities.

    Raises:
        Leak: with each feature that differs, and one row where it does.
    """
    panel, calendar, at = given.calendar.panel, given.calendar, cuts(origins, seed)
    entity = [F.col(quoted(name)) for name in panel.entity]
    spark = used.sparkSession
    most = max(FEWEST, PERIODS // max(1, sum(position + 1 for position in at)))
    of_cuts = used.filter(F.col(POSITION).isin(at))
    # of those that have rows there, so that there is something to compare
    drawn = of_cuts.select(*entity).distinct().orderBy(F.xxhash64(F.lit(seed), *entity)).limit(most)
    of_drawn = given.values.join(F.broadcast(drawn), on=[*panel.entity], how="left_semi")
    histories = of_drawn.join(
        F.broadcast(spark.createDataFrame(pa.table({CUT: pa.array(at, pa.int32())}))), how="cross"
    ).filter((F.col(POSITION) <= F.col(CUT)) | F.lit(bool(panel.known)))
    over = F.col(POSITION) <= F.col(CUT)
    hidden = {name: F.when(over, F.col(quoted(name))) for name in panel.values}
    again = rows(
        histories.withColumns({**hidden, SEEN: F.col(SEEN) & over}),
        calendar,
        features,
        series=(CUT,),
        last=CUT,
    ).filter(F.col(POSITION) == F.col(CUT))
    then = of_cuts.join(F.broadcast(drawn), on=[*panel.entity], how="left_semi")
    # training leaves rows out, such as those without a label; which there are is told by all of them
    whole = rows(of_drawn, calendar, {}).filter(F.col(POSITION).isin(at))

    keys = [*panel.entity, PERIOD, STEP]
    both = _side_by_side(
        {"_then": (then, features), "_again": (again, features), "_whole": (whole, {})}, keys
    )
    there = {name: F.col(name).isNotNull() for name in ("_then", "_again", "_whole")}
    differs = {
        name: there["_then"]
        & there["_again"]
        & ~F.col(f"_then.{quoted(name)}").eqNullSafe(F.col(f"_again.{quoted(name)}"))
        for name in features
    }
    differs[MEMBERSHIP] = (there["_whole"] != there["_again"]) | (there["_then"] & ~there["_again"])
    found = both.agg(
        F.count("_then"),
        *(
            F.min(F.when(wrong, F.struct(*map(quoted, keys), "_then", "_again", "_whole")))
            for wrong in differs.values()
        ),
    ).collect()[0]
    told = [_told(name, row, keys) for name, row in zip(differs, found[1:], strict=True) if row is not None]
    if told:
        raise Leak(
            "a feature reads what was not known yet, so nothing is trained:\n" + "\n".join(told),
            place=AS_OF,
        )
    return Checked(int(found[0]), len(at))


def check_known(given: Observed, use_case: str) -> None:
    """Refuse what is known in advance of periods with lines alone: where it lacks, nothing was sold, and models see it.

    Only where a period without lines has a value, zero, is there anything to tell.

    Raises:
        InputError: with how often it is known in either kind of period.
    """
    panel, last = given.calendar.panel, given.calendar.last
    if panel.empty != "zero" or not panel.known:
        return
    periods = filled(given.values, panel, panel.entity, F.lit(last)).filter(F.col(POSITION) <= last)
    seen = F.col(SEEN)
    counts = [F.count(F.lit(1)), F.count_if(seen)]
    for name in panel.known:
        there = F.col(quoted(name)).isNotNull()
        counts += [F.count_if(seen & there), F.count_if(~seen & there)]
    every, with_lines, *known = periods.agg(*counts).collect()[0]
    without = every - with_lines
    for name, of_sold, of_empty in zip(panel.known, known[::2], known[1::2], strict=True):
        if without > FEW * every and of_empty * with_lines < RARER * of_sold * without:
            raise InputError(
                f"{name} is known in {of_sold / with_lines:.0%} of the periods with lines and in "
                f"{of_empty / without:.0%} of those without: it would tell models that {panel.label} is 0",
                place=f"{use_case}: panel.known.{name}",
                way_out="deliver it for every period through the source with the role score, or use "
                "panel.empty: null or absent",
            )


def _side_by_side(frames: Mapping[str, tuple[DataFrame, Iterable[str]]], keys: Sequence[str]) -> DataFrame:
    """Each frame's features as one column of its name, null where it has no such row."""
    packed = (
        frame.select(
            *map(quoted, keys),
            F.struct(F.lit(True).alias("_there"), AS_OF, *map(quoted, features)).alias(name),
        )
        for name, (frame, features) in frames.items()
    )
    return reduce(lambda one, other: one.join(other, on=[*keys], how="full_outer"), packed)


def _told(name: str, row: Row, keys: list[str]) -> str:
    """One difference in a line."""
    where = ", ".join(f"{key} {row[key]}" for key in keys)
    then, again = row["_then"], row["_again"]
    if name == MEMBERSHIP:
        return f"  {name}: {where} is there {'only' if again is None else 'not'} with what came later"
    return f"  {name}: {then[name]} for {where}, and {again[name]} from what was known on {then[AS_OF]}"
