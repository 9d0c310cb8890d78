"""Values of periods -> the rows that models see: one an entity, period and step.

A row knows its entity's history up to `as_of` and the calendar, which has no end; its label is the value of the
period that is forecast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.config.panel import AS_OF, PERIOD, STEP
from regatta.config.panel_feature import PanelFeature
from regatta.config.table import quoted
from regatta.panels.calendar import Calendar
from regatta.panels.history import FIRST, LAST_SEEN, filled, with_history
from regatta.panels.look_ups import LABEL, LOOKED_UP, LookUps, Stretch
from regatta.panels.values import POSITION, SEEN

TARGET = "_target"
"""The position of the period that is forecast."""
_ABOUT = "_about"


def rows(
    values: DataFrame,
    calendar: Calendar,
    features: Mapping[str, PanelFeature],
    *,
    series: Sequence[str] = (),
    last: int | str | None = None,
    since: int = 0,
) -> DataFrame:
    """Every row of a panel, labelled as far as its values reach.

    Grain: an entity, period and step: `_position` of what it knows, `_target` of what it forecasts, both as dates,
    the features, and the label, null where the period is not known yet. Entities have rows from
    `participants.history` on, and while they are `live`.

    Args:
        values: as `Observed.values`.
        calendar: of the panel.
        features: by name, in the order of the columns.
        series: further columns that keep series of one entity apart.
        last: the position of the last period that is known, or the column that has it; by default the calendar's.
        since: the first position that gets rows.
    """
    panel = calendar.panel
    keys = (*series, *panel.entity)
    end = F.col(last) if isinstance(last, str) else F.lit(calendar.last if last is None else last)
    look_ups = LookUps.of(calendar, features)
    stretches = [*dict.fromkeys(look_ups.stretches.values())]
    whole = with_history(filled(values, panel, keys, end), calendar, keys, stretches, features)
    position = F.col(POSITION)
    takes_part = (
        (position <= end) & (position >= since) & (position - F.col(FIRST) + 1 >= panel.participants.history)
    )
    if panel.empty == "absent":
        takes_part &= F.col(SEEN)
    if panel.live is not None:
        takes_part &= position - F.col(LAST_SEEN) < panel.live
    told = (
        whole.filter(takes_part)
        .join(
            F.broadcast(_about(values.sparkSession, calendar, look_ups, features)), on=POSITION, how="inner"
        )
        .withColumn(_ABOUT, F.explode(_ABOUT))
    )
    found = {name: _feature(name, feature, look_ups) for name, feature in features.items()}
    return told.select(
        *map(quoted, keys),
        F.col(f"{_ABOUT}.period").alias(PERIOD),
        F.col(f"{_ABOUT}.step").alias(STEP),
        AS_OF,
        *(column.alias(name) for name, column in found.items()),
        _found(look_ups.stretches[LABEL], F.col(f"{_ABOUT}.target")).alias(panel.label),
        POSITION,
        F.col(f"{_ABOUT}.target").alias(TARGET),
        FIRST,
    )


def _feature(name: str, feature: PanelFeature, look_ups: LookUps) -> Column:
    """A feature as a column of a row that has been told of its step."""
    told = F.col(f"{_ABOUT}.{quoted(f'of {name}')}")
    if feature.kind == "calendar":
        found = told
    elif feature.kind not in LOOKED_UP:
        found = F.col(quoted(name))
    elif name not in look_ups.stretches:  # it lies before the first period of all for every row
        found = F.lit(None)
    elif feature.kind == "seasonal_mean":
        each = [_found(look_ups.stretches[name], F.get(told, F.lit(n))) for n in range(feature.periods)]
        there = [F.coalesce(one, F.lit(0.0)) for one in each]
        count = sum((one.isNotNull().cast("int") for one in each), F.lit(0))
        found = F.try_divide(sum(there, F.lit(0.0)), count)
    else:
        found = _found(look_ups.stretches[name], F.get(told, F.lit(0)))
    return found.cast("string") if feature.type == "category" else found.cast("double")


def _found(stretch: Stretch, position: Column) -> Column:
    """The value at a position, out of the stretch that holds it; null where there is none.

    A stretch begins with the first open period of its frame, or with the entity's own first one.
    """
    begin = F.greatest(F.col(quoted(f"_begin {stretch.nearest}")), F.col(FIRST))
    value = F.get(F.col(quoted(stretch.column)), position - begin)
    return F.when(~F.isnan(value), value)


def _about(
    spark: SparkSession, calendar: Calendar, look_ups: LookUps, features: Mapping[str, PanelFeature]
) -> DataFrame:
    """What the calendar says of each position that is known. Grain: a position.

    `as_of`, for each stretch the position that its frame begins with, and `_about`: for each step the target, its
    first day, the positions that features look up and the parts of the calendar that they are.
    """
    nearest = sorted({stretch.nearest for stretch in look_ups.stretches.values()})
    told: list[dict[str, Any]] = []
    for position, cells in enumerate(look_ups.cells):
        here = calendar.open[position]
        begins = {f"_begin {away}": calendar.position(here + away - 1) + 1 for away in nearest}
        told.append(
            {
                POSITION: position,
                AS_OF: calendar.start(position),
                **begins,
                _ABOUT: [
                    {
                        "step": cell.step,
                        "target": cell.target,
                        "period": calendar.start(cell.target),
                        **{f"of {name}": part for name, part in cell.parts.items()},
                        **{f"of {name}": [*at] for name, at in cell.positions.items() if name != LABEL},
                    }
                    for cell in cells
                ],
            }
        )
    of_features = [
        pa.field(f"of {name}", pa.int32() if feature.calendar else pa.list_(pa.int32()))
        for name, feature in features.items()
        if feature.calendar or feature.kind in LOOKED_UP
    ]
    of_steps = [pa.field("step", pa.int32()), pa.field("target", pa.int32()), pa.field("period", pa.date32())]
    schema = pa.schema(
        [
            pa.field(POSITION, pa.int32()),
            pa.field(AS_OF, pa.date32()),
            *(pa.field(f"_begin {away}", pa.int32()) for away in nearest),
            pa.field(_ABOUT, pa.list_(pa.struct([*of_steps, *of_features]))),
        ]
    )
    return spark.createDataFrame(pa.Table.from_pylist(told, schema=schema))
