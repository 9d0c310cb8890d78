"""Predict new listings, or the next periods of a panel, with the reigning champion.

spark-submit ... spark_apps/score.py --config conf/house_prices.yaml [--delivery DELIVERY] [--champion N]
"""

from __future__ import annotations

from regatta.contract.accepted import observed_deliveries
from regatta.errors import InputError
from regatta.lake import ChampionEntry, Ingested, layout
from regatta.runtime.job import Flag, Job, run
from regatta.runtime.outcome import Outcome
from regatta.runtime.progress import result, say, step
from regatta.scoring.batches import batch_id, batches, forecast_id, in_service
from regatta.scoring.due import due, named, not_ingested
from regatta.scoring.forecast import forecast
from regatta.scoring.score import Champion, score

FLAGS: tuple[Flag, ...] = (
    ("--delivery", {"metavar": "DELIVERY", "help": "by default all that nobody has scored, and the newest"}),
    ("--champion", {"metavar": "N", "type": int, "help": "by default the one in service"}),
)


def main(job: Job) -> Outcome:
    """Read accepted rows, predict, publish: a batch a delivery, or one of the next periods."""
    lake, wanted = job.lake, job.flags.delivery
    entry = in_service(lake) if job.flags.champion is None else lake.champions.entry(job.flags.champion)
    if job.use_case.panel is not None:
        return _forecast(job, entry)
    if wanted and (there := lake.batches.get(layout.batch(entry.number, batch_id(wanted)))):
        lake.batches.settle(there)
        result(f"delivery {wanted} is already scored by champion {entry.number}: nothing to do")
        return Outcome(champion=entry.number, batches=(there.batch,))
    deliveries = [named(lake, wanted)] if wanted else _due(job, entry)
    if not deliveries:
        result("nothing to score")
        return Outcome(champion=entry.number)

    spark = job.spark
    with step(f"loading champion {entry.number}"):
        champion = Champion.load(lake, entry)
    scored: list[str] = []
    for delivery in deliveries:
        with step(f"scoring delivery {delivery.delivery}"):
            batch, won = score(spark, lake, champion, delivery)
        left_out = f", {batch.unscorable:,} without a prediction" if batch.unscorable else ""
        meanwhile = "" if won else " (by another job, meanwhile)"
        place = lake.uri(layout.batch(entry.number, batch.batch))
        result(f"delivery {batch.delivery}: {batch.scored:,} rows scored{left_out}{meanwhile} in {place}")
        scored.append(batch.batch)
    return Outcome(champion=entry.number, batches=tuple(scored))


def _forecast(job: Job, entry: ChampionEntry) -> Outcome:
    """Publish a batch of the next periods, unless this champion has forecast them from the same deliveries."""
    lake = job.lake
    if job.flags.delivery:
        raise InputError("a panel is forecast from all deliveries", place="--delivery", way_out="use --as-of")
    if waiting := not_ingested(lake, "train", job.as_of):
        say(f"not ingested yet, and so not read: {', '.join(waiting)}")
    read = observed_deliveries(lake, job.as_of)
    if read and (there := lake.batches.get(layout.batch(entry.number, forecast_id(read)))):
        lake.batches.settle(there)
        result(f"batch {there.batch} is already forecast by champion {entry.number}: nothing to do")
        return Outcome(champion=entry.number, batches=(there.batch,))
    spark = job.spark
    with step(f"loading champion {entry.number}"):
        champion = Champion.load(lake, entry)
    with step("forecasting"):
        batch, won = forecast(spark, lake, champion, job.as_of)
    left_out = f", {batch.unscorable:,} with a reason instead" if batch.unscorable else ""
    meanwhile = "" if won else " (by another job, meanwhile)"
    place = lake.uri(layout.batch(entry.number, batch.batch))
    result(f"as of {batch.as_of}: {batch.scored:,} periods forecast{left_out}{meanwhile} in {place}")
    return Outcome(champion=entry.number, batches=(batch.batch,))


def _due(job: Job, champion: ChampionEntry) -> list[Ingested]:
    for newest in batches(job.lake)[:1]:
        job.lake.batches.settle(newest)  # a job that was killed may have left its copy unfinished
    if waiting := not_ingested(job.lake, "score", job.as_of):
        say(f"not ingested yet, and so not scored: {', '.join(waiting)}")
    return due(job.lake, champion, job.as_of)


if __name__ == "__main__":
    run("score", main, FLAGS)
