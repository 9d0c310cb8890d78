"""Race the candidates on the accepted rows and publish a run.

spark-submit ... spark_apps/train.py --config conf/house_prices.yaml [--candidates FAMILY,...]
"""

import time
from dataclasses import replace
from datetime import UTC, datetime

from regatta.contract.accepted import accepted, delivered, known_in_advance, observations
from regatta.contract.trial import check_inputs
from regatta.lake import Run, layout
from regatta.lake.provenance import code_version, fingerprint, run_id, versions
from regatta.runtime import tracking
from regatta.runtime.job import Flag, Job, run
from regatta.runtime.outcome import Outcome
from regatta.runtime.progress import result, say, step
from regatta.selection.candidates import candidates, only
from regatta.selection.leaderboard import Leaderboard
from regatta.selection.learning import learn
from regatta.selection.output import write_run
from regatta.selection.training import split, windows

FLAGS: tuple[Flag, ...] = (
    (
        "--candidates",
        {"metavar": "FAMILY,...", "help": "of these families alone; by default all of the file's"},
    ),
)


def main(job: Job) -> Outcome:
    """Read accepted rows, race, refit the best of each family, publish."""
    job = replace(job, use_case=only(job.use_case, job.flags.candidates))
    lake, spark, started = job.lake, job.spark, time.monotonic()
    with step("looking at what is accepted"):
        read = accepted(spark, lake, "train", as_of=job.as_of)
        known = known_in_advance(spark, lake, job.as_of)
    as_of = max(delivery.delivered_at for delivery in read.deliveries)
    content, code = fingerprint(delivered(read, known)), code_version()
    name = run_id(job.use_case, as_of, content, code)
    model = lake.uri(f"{layout.run(name)}{layout.MODEL}")
    if (standing := lake.run(name)) is not None:
        lake.runs.settle(standing)
        say(f"run {name} of the same rows, configuration and code is there already: nothing to train")
        tracking.published(job.use_case.modelled, Leaderboard.of(lake, standing), standing, model)
        return Outcome(run=name)

    use_case = job.use_case.modelled
    with step("trying filters and features"):
        check_inputs(spark, use_case)
    with step("splitting"):
        rows = split(observations(read, known), job.use_case)
    say(f"contract {job.use_case.contract}, {rows}")
    for line in windows(rows.splits):
        say(line)
    field = [candidate.name for candidate in candidates(use_case)]
    tracker = tracking.Tracker(use_case, name, content, field)
    try:
        learnt = learn(rows, use_case, name, lake.attempt().uri(layout.run(name)), [tracker])
        board = learnt.board
        attempt = lake.attempt()
        with step("writing the run"):
            write_run(lake, attempt, use_case, learnt)
            record, won = lake.runs.publish(
                layout.run(name),
                Run(
                    attempt=attempt.id,
                    published_at=datetime.now(UTC),
                    files=attempt.files(hashed=layout.loaded(name)),
                    run_id=name,
                    use_case=use_case.use_case,
                    as_of=as_of,
                    fingerprint=content,
                    contract=job.use_case.contract,
                    deliveries=tuple(delivery.delivery for delivery in read.deliveries),
                    configuration=job.use_case.model_dump(mode="json"),
                    code=code,
                    versions=versions(),
                    rows={**rows.counts, "superseded": read.superseded},
                    winner=board.winner.candidate,
                    winner_family=board.winner.family,
                    metrics=board.winner.holdout or {},
                    baselines={
                        line.candidate: line.holdout or {} for line in board.standings if line.is_baseline
                    },
                    seconds=time.monotonic() - started,
                    best_baseline=board.best_baseline.candidate if board.best_baseline else None,
                    scale=rows.scale,
                    known_until=max(one.delivered_at for one in known.deliveries) if known else None,
                    trained_until=rows.trained_until,
                    engines=learnt.engine.choices,
                ),
            )
    except BaseException:
        tracker.failed()
        raise
    tracker.finished(board, record, model)
    result(
        f"run {name}: {record.winner} wins" if won else f"run {name} was published by another job meanwhile"
    )
    return Outcome(run=name)


if __name__ == "__main__":
    run("train", main, FLAGS)
