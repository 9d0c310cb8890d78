"""The champion's forecast of a panel's next periods, as one batch."""

from __future__ import annotations

from datetime import UTC, datetime

from pyspark.ml import PipelineModel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.config.panel import AS_OF, PERIOD, STEP, Panel
from regatta.config.table import quoted
from regatta.contract.accepted import Accepted, known_in_advance, observations, observed_deliveries
from regatta.contract.accepted import accepted as accepted_rows
from regatta.errors import InputError
from regatta.features.scope import in_scope
from regatta.lake import Batch, Lake, layout
from regatta.panels.participants import of_participants, participation
from regatta.panels.rows import rows
from regatta.panels.values import POSITION, observed
from regatta.runtime.progress import say
from regatta.scoring.batches import forecast_id
from regatta.scoring.score import Champion

OUTPUT = (PERIOD, STEP, "prediction", "model", "champion", AS_OF, "reason")


def forecast(
    spark: SparkSession, lake: Lake, champion: Champion, as_of: datetime | None
) -> tuple[Batch, bool]:
    """Forecast the next `horizon` open periods of every live entity, and publish them.

    Grain: a live entity and step. The entity and `OUTPUT`; `prediction` in the label's unit, or null with a `reason`;
    `as_of` is the last period that the forecast knows.

    Entities with less history than `participants.history` get the best baseline's forecast, or none and a reason.

    Args:
        spark: any session.
        lake: the use case's.
        champion: the model, and the use case as it was when it was trained.
        as_of: nothing that was delivered later is read.

    Returns:
        The batch that stands, and whether it is this one and not another job's.
    """
    use_case, panel, number = champion.use_case, champion.use_case.panel, champion.entry.number
    assert panel is not None
    read = accepted_rows(spark, lake, "train", as_of)
    batch = forecast_id(observed_deliveries(lake, as_of))
    folder = layout.batch(number, batch)
    predicted = _predicted(spark, lake, champion, panel, read, as_of).persist()
    counted = predicted.agg(F.count(F.lit(1)), F.count("prediction"), F.max(AS_OF)).collect()[0]
    if not counted[0]:
        raise InputError(
            f"no entity is live: none had a line within {panel.live} open periods",
            place=use_case.use_case,
            way_out="land newer lines, or raise panel.live and train again",
        )
    attempt = lake.attempt()
    by_entity = [F.col(quoted(name)) for name in (*panel.entity, STEP)]
    predicted.repartition(1).sortWithinPartitions(*by_entity).write.parquet(attempt.uri(folder))
    predicted.unpersist()
    newest = max(read.deliveries, key=lambda delivery: (delivery.delivered_at, delivery.delivery))
    return lake.batches.publish(
        folder,
        Batch(
            attempt=attempt.id,
            published_at=datetime.now(UTC),
            files=attempt.files(folder),
            champion=number,
            run_id=champion.entry.run_id,
            batch=batch,
            delivery=newest.delivery,
            contract=lake.use_case.contract,
            rows=counted[0],
            scored=counted[1],
            unscorable=counted[0] - counted[1],
            label_unit=panel.values[panel.label].unit,
            as_of=counted[2],
        ),
    )


def _predicted(
    spark: SparkSession, lake: Lake, champion: Champion, panel: Panel, read: Accepted, as_of: datetime | None
) -> DataFrame:
    use_case, asked = champion.use_case, panel.participants
    given = observations(read, known_in_advance(spark, lake, as_of))
    seen = observed(given, use_case, panel)
    values, last = seen.values.persist(), seen.calendar.last
    whole = panel.model_copy(update={"participants": asked.model_copy(update={"history": 1})})
    calendar = type(seen.calendar)(whole, seen.calendar.open, last)
    taking = participation(values, panel, [last])
    due = rows(of_participants(values, taking, panel), calendar, panel.all_features, since=last)
    # few rows with a long plan, which three jobs would each begin anew
    live = due.filter(in_scope(use_case.modelled, to_score=True)).localCheckpoint()
    _tell_what_is_not_known(live, panel)
    new = F.col(POSITION) - F.col("_first") + 1 < asked.history
    run = champion.run
    by_model = _with(champion.model.transform(live.filter(~new)), F.lit(champion.name), None, panel)
    if panel.new_entities == "baseline":
        model = PipelineModel.load(lake.runs.trusted(run, f"{layout.run(run.run_id)}{layout.BASELINE}/"))
        by_other = _with(model.transform(live.filter(new)), F.lit(run.best_baseline), None, panel)
    else:
        history = F.col(POSITION) - F.col("_first") + 1
        reason = F.concat(
            history, F.lit(f" of the {asked.history} {panel.frequency}s of history that a forecast takes")
        )
        unknown = live.filter(new).withColumn("prediction", F.lit(None).cast("double"))
        by_other = _with(unknown, F.lit(None).cast("string"), reason, panel)
    return (
        by_model.unionByName(by_other)
        .withColumn("champion", F.lit(champion.entry.number))
        .select(*map(quoted, panel.entity), *OUTPUT)
    )


def _tell_what_is_not_known(live: DataFrame, panel: Panel) -> None:
    """A line for each feature that is to be known in advance and was not delivered for every forecast."""
    asked = [name for name, feature in panel.features.items() if feature.known]
    if not asked:
        return
    missing = (F.count_if(F.col(quoted(name)).isNull()) for name in asked)
    every, *counts = live.agg(F.count(F.lit(1)), *missing).collect()[0]
    for name, count in zip(asked, counts, strict=True):
        if count:
            say(f"{name} is not delivered for {count:,} of {every:,} periods to forecast: its fill stands in")


def _with(frame: DataFrame, model: Column, reason: Column | None, panel: Panel) -> DataFrame:
    why = F.lit(None).cast("string") if reason is None else reason
    return frame.select(
        *map(quoted, panel.entity),
        *(PERIOD, STEP, "prediction", AS_OF),
        model.alias("model"),
        why.alias("reason"),
    )
