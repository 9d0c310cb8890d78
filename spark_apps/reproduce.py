"""Train a run again from what its record names, publish nothing, and say whether the same came out.

spark-submit ... spark_apps/reproduce.py --config conf/house_prices.yaml --run RUN
"""

from __future__ import annotations

from regatta.contract.accepted import accepted, delivered, known_in_advance, observations
from regatta.errors import Fault, FaultyInput
from regatta.evaluation.runs import chosen
from regatta.features.inputs import trained_as
from regatta.lake import Lake, layout
from regatta.lake.provenance import code_version, fingerprint, versions
from regatta.runtime.job import Flag, Job, run
from regatta.runtime.outcome import Outcome
from regatta.runtime.progress import result, say, step
from regatta.selection.leaderboard import Leaderboard
from regatta.selection.learning import learn
from regatta.selection.output import write_run
from regatta.selection.reproduction import other_figures, other_input, other_makers
from regatta.selection.training import split

FLAGS: tuple[Flag, ...] = (("--run", {"metavar": "RUN", "help": "by default the newest run"}),)


def main(job: Job) -> Outcome:
    """Read what the run read, train as it was trained, compare figures, models and predictions."""
    record = chosen(job.lake, job.flags.run, job.as_of)
    place, then = f"run {record.run_id}", trained_as(record)
    lake, spark = Lake(job.lake.store, then), job.spark
    for line in other_makers(record, code_version(), versions()):
        say(f"{line}: other figures would be no wonder")
    with step("looking at what is accepted"):
        read = accepted(spark, lake, "train", as_of=record.as_of)
    known = known_in_advance(spark, lake, record.known_until) if record.known_until else None
    content = fingerprint(delivered(read, known))
    if facts := other_input(record, [delivery.delivery for delivery in read.deliveries], content):
        raise _differs(place, "cannot be trained again: its input is not what it was", facts)

    with step("splitting"):
        rows = split(observations(read, known), then)
    scratch, attempt = lake.attempt(), lake.attempt()
    # Under the run's own name it would be taken for what a job that was overtaken left.
    again = f"{record.run_id}-again"
    try:
        learnt = learn(rows, then.modelled, again, scratch.uri(""))
        with step("writing what is compared"):
            write_run(lake, attempt, then.modelled, learnt)
        folder, other = layout.run(record.run_id), layout.run(again)
        facts = list(other_figures(Leaderboard.of(lake, record), learnt.board))
        parts = [f"models/{one.family}/" for one in learnt.best.finalists]
        compared = ["model/", *parts, "feature_pipeline/", "features/", "holdout/"]
        with step("comparing"):
            for part in compared:
                if lake.runs.saved(record, f"{folder}{part}") != attempt.saved(f"{other}{part}"):
                    facts.append(f"{part} says something else")
    finally:
        scratch.remove()
        attempt.remove()
    if facts:
        raise _differs(place, "does not come out the same", facts)
    result(
        f"{place} is reproduced: the leaderboard ({len(learnt.board.standings)} lines), every model, "
        "the vectors and the predictions are equal"
    )
    return Outcome(run=record.run_id)


def _differs(place: str, fact: str, facts: list[str]) -> FaultyInput:
    return FaultyInput(f"{place} {fact}", [Fault(place, "", one) for one in facts])


if __name__ == "__main__":
    run("reproduce", main, FLAGS)
