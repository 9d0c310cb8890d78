"""A run before the gate, and its entry in the champion log: the same for the job and for a person in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import SparkSession
from rich.console import Console

from regatta.errors import InputError, Refused
from regatta.evaluation.contest import Contest, contest
from regatta.evaluation.gate import Verdict
from regatta.lake import ChampionEntry, Lake, LostRace, Run, layout
from regatta.runtime import tracking
from regatta.runtime.local import embedded
from regatta.runtime.progress import result, say, step

JUDGEMENTS = 5  # each but the first because another champion came between reading the log and writing it


@dataclass(frozen=True)
class Judgement:
    """What the gate says of a challenger, and by which figures.

    Attributes:
        contest: champion and challenger on the same rows.
        verdict: whether the challenger may reign, and why.
        model: where in the run the model stands that was judged: the winner, or the baseline that beats it.
    """

    contest: Contest
    verdict: Verdict
    model: str


def judge(
    spark: SparkSession,
    lake: Lake,
    challenger: Run,
    reigning: ChampionEntry | None,
    force: str | None = None,
) -> Judgement:
    """Let the run challenge the champion, by the gate of the use case or, with a reason, by force.

    Nothing is written.
    """
    gate, metric = lake.use_case.gate, lake.use_case.metric
    with step("predicting the held-out rows"):
        figures = contest(spark, lake, challenger, reigning)
    if force:
        return Judgement(figures, Verdict(True, force), layout.MODEL)
    verdict = figures.verdict(gate, metric, challenger.baselines)
    if not (verdict.by_baseline and gate.baseline_may_reign and challenger.best_baseline):
        return Judgement(figures, verdict, layout.MODEL)
    say(f"{verdict.reason}: so the baseline {challenger.best_baseline} challenges in its place")
    with step("predicting the held-out rows by the baseline"):
        figures = contest(spark, lake, challenger, reigning, layout.BASELINE)
    return Judgement(figures, figures.verdict(gate, metric), layout.BASELINE)


def promote(
    spark: SparkSession,
    lake: Lake,
    challenger: Run,
    *,
    force: str | None = None,
    past: datetime | None = None,
) -> tuple[ChampionEntry, bool]:
    """Put a run into service if the gate agrees: append an entry to the champion log.

    Args:
        spark: any session.
        lake: the use case's, by an identity that may write to the champion log.
        challenger: the run.
        force: a reason to promote it whatever the gate says.
        past: it reigns in the past alone, from this instant on, and is judged against who reigned then.

    Returns:
        Its entry, and whether that was appended now: a run that reigns already has nothing to do.

    Raises:
        Refused: by the gate, with its reason.
    """
    place = f"run {challenger.run_id}"
    lake.runs.settle(challenger)
    for _ in range(JUDGEMENTS):
        entries = lake.champions.entries()
        # Newer than the entries: then the append loses its race.
        reigning = lake.champions.reigned(past) if past else lake.champions.reigning()
        if reigning and reigning.run_id == challenger.run_id:
            _tell_mlflow(lake, challenger, reigning)  # the job that promoted it may have been killed before
            result(f"{place} reigns already, as champion {reigning.number}: nothing to do")
            return reigning, False
        judgement = judge(spark, lake, challenger, reigning, force)
        Console().print(judgement.contest.table())
        verdict = judgement.verdict
        if not verdict.promoted:
            raise Refused(verdict.reason, place=place, way_out="--force REASON would overrule the gate")
        try:
            entry = lake.champions.append(
                after=entries,
                action="force" if force else "promote",
                run_id=challenger.run_id,
                metrics=judgement.contest.challenger,
                reason=verdict.reason,
                backfill=past,
                model=judgement.model,
            )
        except LostRace:
            say("another champion was put into service meanwhile: judging again")
            continue
        _tell_mlflow(lake, challenger, entry)
        since = f" of the past, from {past:%Y-%m-%d %H:%M} on" if past else ""
        result(f"{place} is champion {entry.number}{since}: {entry.reason}")
        return entry, True
    raise Refused(
        f"the champion changed {JUDGEMENTS} times meanwhile", place=place, way_out="promote it again"
    )


def roll_back(lake: Lake, reason: str, to: int | None = None) -> ChampionEntry:
    """Put an earlier champion back into service, by one more entry; twice goes back two. No Spark.

    Args:
        lake: the use case's, by an identity that may write to the champion log.
        reason: for whoever reads the history.
        to: the number of the champion to return to; by default the one before.

    Raises:
        InputError: there is no such champion, or another was put into service meanwhile.
    """
    name = lake.use_case.use_case
    try:
        entry = lake.champions.rollback(reason, to)
    except LostRace:
        raise InputError(
            "another champion was put into service meanwhile",
            place=name,
            way_out=f"see regatta history {name}, then decide again",
        ) from None
    if run := lake.run(entry.run_id):
        _tell_mlflow(lake, run, entry)
    result(f"run {entry.run_id} is champion {entry.number}: {entry.reason}")
    return entry


def _tell_mlflow(lake: Lake, run: Run, entry: ChampionEntry) -> None:
    source = lake.uri(f"{layout.run(run.run_id)}{entry.model}")
    tracking.champion(lake.use_case.modelled, run, entry, source, embedded.mlflow())
