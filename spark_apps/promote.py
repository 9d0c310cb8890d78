"""Let a run challenge the champion, and put it into service if the gate agrees.

spark-submit ... spark_apps/promote.py --config conf/house_prices.yaml [--run RUN] [--force REASON]

With `--kind backfill` it reigns in the past alone, from `--as-of` on: judged against who reigned then, and today's
champion stays.
"""

from __future__ import annotations

from datetime import datetime

from rich.console import Console

from regatta.errors import InputError, Refused
from regatta.evaluation.contest import contest
from regatta.evaluation.gate import Verdict
from regatta.evaluation.runs import chosen
from regatta.lake import LostRace, layout
from regatta.runtime import tracking
from regatta.runtime.job import Flag, Job, run
from regatta.runtime.outcome import Outcome
from regatta.runtime.progress import result, say, step

JUDGEMENTS = 5  # each but the first because another champion came between reading the log and writing it

FLAGS: tuple[Flag, ...] = (
    ("--run", {"metavar": "RUN", "help": "the challenger; by default the newest run"}),
    ("--force", {"metavar": "REASON", "help": "promote it whatever the gate says"}),
    ("--kind", {"choices": ["service", "backfill"], "help": "backfill: from --as-of on, in the past alone"}),
)


def main(job: Job) -> Outcome:
    """Judge the challenger against the reigning champion; append an entry to the champion log."""
    use_case, lake, reason = job.use_case, job.lake, job.flags.force
    if reason is not None and not reason.strip():
        raise InputError("needs a reason, for whoever reads the history", place="--force")
    past = _past(job)
    challenger = chosen(lake, job.flags.run, job.as_of)
    place = f"run {challenger.run_id}"
    lake.runs.settle(challenger)

    for _ in range(JUDGEMENTS):
        entries = lake.champions.entries()
        # Newer than the entries: then the append loses its race.
        reigning = lake.champions.reigned(past) if past else lake.champions.reigning()
        if reigning and reigning.run_id == challenger.run_id:
            result(f"{place} reigns already, as champion {reigning.number}: nothing to do")
            return Outcome(run=challenger.run_id, champion=reigning.number)
        with step("predicting the held-out rows"):
            figures = contest(job.spark, lake, challenger, reigning)
        Console().print(figures.table())
        verdict = (
            Verdict(True, reason)
            if reason
            else figures.verdict(use_case.gate, use_case.metric, challenger.baselines)
        )
        model = layout.MODEL
        if verdict.by_baseline and use_case.gate.baseline_may_reign and challenger.best_baseline:
            say(f"{verdict.reason}: so the baseline {challenger.best_baseline} challenges in its place")
            model = layout.BASELINE
            with step("predicting the held-out rows by the baseline"):
                figures = contest(job.spark, lake, challenger, reigning, model)
            Console().print(figures.table())
            verdict = figures.verdict(use_case.gate, use_case.metric)
        if not verdict.promoted:
            raise Refused(verdict.reason, place=place, way_out="--force REASON would overrule the gate")
        try:
            entry = lake.champions.append(
                after=entries,
                action="force" if reason else "promote",
                run_id=challenger.run_id,
                metrics=figures.challenger,
                reason=verdict.reason,
                backfill=past,
                model=model,
            )
        except LostRace:
            say("another champion was put into service meanwhile: judging again")
            continue
        tracking.champion(
            use_case.modelled, challenger, entry, lake.uri(f"{layout.run(challenger.run_id)}{model}")
        )
        since = f" of the past, from {past:%Y-%m-%d %H:%M} on" if past else ""
        result(f"{place} is champion {entry.number}{since}: {entry.reason}")
        return Outcome(run=challenger.run_id, champion=entry.number, changed=not past)
    raise Refused(
        f"the champion changed {JUDGEMENTS} times meanwhile", place=place, way_out="promote it again"
    )


def _past(job: Job) -> datetime | None:
    """The instant of a backfill; None where today's champion is challenged."""
    if job.flags.kind != "backfill":
        return None
    if job.as_of is None:
        raise InputError("a backfill needs an instant", place="--kind backfill", way_out="give --as-of")
    return job.as_of


if __name__ == "__main__":
    run("promote", main, FLAGS)
