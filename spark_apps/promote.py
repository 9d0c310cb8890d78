"""Let a run challenge the champion, and put it into service if the gate agrees.

spark-submit ... spark_apps/promote.py --config conf/house_prices.yaml [--run RUN] [--force REASON]

With `--kind backfill` it reigns in the past alone, from `--as-of` on: judged against who reigned then, and today's
champion stays.
"""

from __future__ import annotations

from datetime import datetime

from regatta.errors import InputError
from regatta.evaluation.promotion import promote
from regatta.evaluation.runs import chosen
from regatta.runtime.job import Flag, Job, run
from regatta.runtime.outcome import Outcome

FLAGS: tuple[Flag, ...] = (
    ("--run", {"metavar": "RUN", "help": "the challenger; by default the newest run"}),
    ("--force", {"metavar": "REASON", "help": "promote it whatever the gate says"}),
    ("--kind", {"choices": ["service", "backfill"], "help": "backfill: from --as-of on, in the past alone"}),
)


def main(job: Job) -> Outcome:
    """Judge the challenger against the reigning champion; append an entry to the champion log."""
    reason = job.flags.force
    if reason is not None and not reason.strip():
        raise InputError("needs a reason, for whoever reads the history", place="--force")
    past = _past(job)
    challenger = chosen(job.lake, job.flags.run, job.as_of)
    entry, appended = promote(job.spark, job.lake, challenger, force=reason, past=past)
    return Outcome(run=challenger.run_id, champion=entry.number, changed=appended and not past)


def _past(job: Job) -> datetime | None:
    """The instant of a backfill; None where today's champion is challenged."""
    if job.flags.kind != "backfill":
        return None
    if job.as_of is None:
        raise InputError("a backfill needs an instant", place="--kind backfill", way_out="give --as-of")
    return job.as_of


if __name__ == "__main__":
    run("promote", main, FLAGS)
