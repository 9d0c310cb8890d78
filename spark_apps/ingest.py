"""Hold every delivery that has no verdict yet against the contract: accepted and rejected rows, counted.

spark-submit ... spark_apps/ingest.py --config conf/house_prices.yaml
"""

from __future__ import annotations

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from regatta.contract import preflight, verdicts
from regatta.contract.report import AFTER_A_REFUSAL, remind_of_refused, report, warn_of_unrecorded
from regatta.errors import InputError
from regatta.lake import Delivery, Lake
from regatta.runtime.job import Job, run
from regatta.runtime.progress import say, step


def main(job: Job) -> None:
    lake = job.lake
    warn_of_unrecorded(lake)
    landed = verdicts.landed(lake, job.as_of)
    standing = verdicts.standing(lake)
    waiting = [delivery for delivery in landed if delivery.delivery not in standing]
    if not waiting:
        say(f"nothing to ingest: {verdicts.number_of(len(landed))} landed, and each has its verdict")
        remind_of_refused(standing[delivery.delivery] for delivery in landed)
        return

    sound, broken = looked_at(lake, waiting)
    while True:
        attempt = lake.attempt()
        try:
            judged = verdicts.judge(job.spark, lake, attempt, sound) if sound else []
            break
        except (PySparkException, Py4JJavaError):
            sound, vanished = looked_at(lake, [look.delivery for look in sound])
            if not vanished:
                raise
            broken += vanished  # a file of theirs was removed while it was read: the others go on
    records = verdicts.publish(lake, attempt, [*map(verdicts.refused, broken), *judged])

    report(records)
    if all(record.refused for record in records):
        raise InputError("nothing was taken", place=lake.use_case.use_case, way_out=AFTER_A_REFUSAL)


def looked_at(lake: Lake, deliveries: list[Delivery]) -> tuple[list[preflight.Sound], list[preflight.Broken]]:
    """Tell the deliveries that Spark can read from those that it cannot."""
    with step(f"looking at {verdicts.number_of(len(deliveries))}"):
        looks = [preflight.inspect(lake, delivery) for delivery in deliveries]
    sound = [look for look in looks if isinstance(look, preflight.Sound)]
    return sound, [look for look in looks if isinstance(look, preflight.Broken)]


if __name__ == "__main__":
    run("ingest", main)
