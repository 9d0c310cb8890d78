"""Values of periods -> a panel without gaps, and what each entity's history says at each of its periods.

All of it is grouped window functions over one ordering of each entity's periods, in explicit frames of calendar
distances: one shuffle, by entity, and a cost that grows with the rows. The frames are kept few on purpose: Spark
compiles code for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from regatta.config.panel import Panel
from regatta.config.panel_feature import PanelFeature
from regatta.config.table import quoted
from regatta.panels.calendar import Calendar
from regatta.panels.look_ups import Stretch
from regatta.panels.values import AT, POSITION, SEEN, open_periods

Rolling = Callable[[Column, WindowSpec], Column]

ROLLING: Mapping[str, Rolling] = {
    "mean": lambda value, frame: F.avg(value).over(frame),
    "median": lambda value, frame: F.percentile(value, 0.5).over(frame),
    "deviation": lambda value, frame: F.stddev_samp(value).over(frame),
    "minimum": lambda value, frame: F.min(value).over(frame),
    "maximum": lambda value, frame: F.max(value).over(frame),
    "trend": lambda value, frame: value - F.avg(value).over(frame),
}
"""What a feature of the kind makes of a value and a frame of its last periods."""

FIRST, LAST_SEEN = "_first", "_last_seen"
"""Positions of the entity's first line, and of its last one so far."""


def filled(values: DataFrame, panel: Panel, keys: Sequence[str], last: Column) -> DataFrame:
    """Put a row where an entity has no lines in an open period, from its first line on, by `panel.empty`.

    Grain: an entity and open period, in and out; afterwards positions have no gap. Where periods without lines are to
    be absent their rows have no values, and `_seen` tells them. Adds `_first`. With something known in advance there
    are rows for the horizon too, without values.

    Args:
        values: as `Observed.values`.
        panel: what an empty period means.
        keys: the columns that name a series: the entity.
        last: the position of the last period that is known.
    """
    in_order = Window.partitionBy(*map(quoted, keys)).orderBy(POSITION)
    so_far = in_order.rangeBetween(Window.unboundedPreceding, Window.currentRow)
    position, end = F.col(POSITION), last + (panel.horizon if panel.known else 0)
    begun = values.withColumns(
        {
            FIRST: F.min(F.when(F.col(SEEN), position)).over(so_far),
            "_following": F.coalesce(F.lead(POSITION).over(in_order), end + 1),
        }
    ).filter(F.col(FIRST).isNotNull() & (position <= end))
    rows = begun.select(
        "*",
        F.posexplode(F.sequence(position, F.least("_following", end + 1) - 1)).alias("_gap", "_filled"),
    )
    delivered = F.col("_gap") == 0
    own = delivered & F.col(SEEN)
    empty = F.lit(0.0 if panel.empty == "zero" else None).cast("double")
    at_a_gap = F.when(F.col("_filled") <= last, empty)
    return (
        rows.withColumns(
            {name: F.when(own, F.col(quoted(name))).otherwise(at_a_gap) for name in panel.values}
        )
        .withColumns({name: F.when(delivered, F.col(quoted(name))) for name in panel.known})
        .withColumns({SEEN: own, POSITION: F.col("_filled")})
        .drop("_following", "_gap", "_filled")
    )


def with_history(
    panel_rows: DataFrame,
    calendar: Calendar,
    keys: Sequence[str],
    stretches: Sequence[Stretch],
    features: Mapping[str, PanelFeature],
) -> DataFrame:
    """Add the features that are about an entity's own past, and the stretches of values that rows look into.

    Grain: an entity and open period, in and out. A feature at a period reads that period and earlier ones; a stretch
    reaches as far as it says, which for the label is into the future. Adds `_at` and `_last_seen`.
    """
    panel = calendar.panel
    ordinals = open_periods(panel_rows.sparkSession, calendar)
    rows = panel_rows.join(F.broadcast(ordinals), on=POSITION, how="inner")
    by_time = Window.partitionBy(*map(quoted, keys)).orderBy(AT)
    past = by_time.rangeBetween(Window.unboundedPreceding, Window.currentRow)
    added: dict[str, Column] = {LAST_SEEN: F.max(F.when(F.col(SEEN), F.col(POSITION))).over(past)}
    for stretch in stretches:
        # a list leaves nulls out, and would no longer tell which period is which
        value = F.coalesce(F.col(quoted(stretch.value)), F.lit(float("nan")))
        added[stretch.column] = F.collect_list(value).over(
            by_time.rangeBetween(stretch.nearest, stretch.farthest)
        )
    for name, feature in features.items():
        value = F.col(quoted(feature.since or feature.of or panel.label))
        if feature.kind in ROLLING:
            frame = by_time.rangeBetween(1 - feature.periods, Window.currentRow)
            added[name] = ROLLING[feature.kind](value, frame)
        elif feature.kind == "since":
            added[name] = F.col(AT) - F.max(F.when(value != 0, F.col(AT))).over(past)
    return rows.withColumns(added)
