"""The factory: a retraining DAG and a scoring DAG of a use case.

    retrain:  ingest >> train >> promote >> champion_kept >> notify       notify also follows promote
    score:    ingest >> champion >> score >> notify                       on its schedule, and when the champion changes

Nothing is read or looked up here: all that a run needs is rendered when it runs. The DAG that watches a champion in
service will follow promote, as `promote >> monitor >> notify`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, AssetAlias, AssetOrTimeSchedule, CronDataIntervalTimetable, Param, task

import notices
from spark_job import REASON, SparkJob
from use_case_facts import Facts

FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
"""Backfills reach as far back; scheduled runs begin with the last full interval."""

# When a run looks at the lake from: a whole interval's end, or for a run by hand or by an event the moment itself.
_LOOKS_BACK = "dag_run.run_type in ('scheduled', 'backfill')"
_MOMENT = f"((data_interval_end if {_LOOKS_BACK} else (dag_run.logical_date or dag_run.run_after)) | ts)"
AS_OF = f"{{{{ params.as_of or {_MOMENT} }}}}"
_PAST = "dag_run.run_type == 'backfill' or params.as_of"
PAST_AS_OF = f"{{{{ (params.as_of or {_MOMENT}) if {_PAST} else '' }}}}"
"""Empty where today's champion is meant."""

AS_OF_PARAM = Param(
    None,
    type=["null", "string"],
    format="date",
    title="As of",
    description="Read nothing that was delivered after this day (UTC). Then today's champion stays as it is, "
    "and the past alone is looked at. Empty: now, or the end of a scheduled interval.",
)


def dags(facts: Facts) -> tuple[DAG, DAG | None]:
    """Both DAGs of a use case; no scoring DAG where there is nothing to score from."""
    champion = Asset(name=f"{facts.name}_champion", uri=f"regatta://champion/{facts.name}")
    return retrain(facts, champion), score(facts, champion) if facts.score else None


def retrain(facts: Facts, champion: Asset) -> DAG:
    """Take in what was delivered, race the candidates, let the winner challenge the champion, tell people."""
    with _dag(
        facts,
        "retrain",
        schedule=CronDataIntervalTimetable(facts.retrain, timezone="UTC"),
        description=f"{facts.title}: train anew, and promote what is better than the champion",
        params={
            "as_of": AS_OF_PARAM,
            "candidates": Param(
                None,
                type=["null", "array"],
                items={"type": "string", "enum": list(facts.families)},
                examples=list(facts.families),
                title="Candidates to try",
                description="Of these families alone. Empty: all of the file's.",
            ),
            "force": Param(
                None,
                type=["null", "string"],
                minLength=3,
                title="Force promotion",
                description="The reason to promote the winner whatever the gate says; it is logged for good.",
            ),
            "into_service": Param(
                False,
                type="boolean",
                title="Into service",
                description="A run as of the past, or a backfill, leaves today's champion alone unless this is on.",
            ),
        },
        doc_md=_retrain_doc(facts),
    ) as dag:
        ingest = _ingest(facts)
        train = SparkJob(
            task_id="train",
            verb="train",
            config=facts.config,
            flags={"candidates": "{{ (params.candidates or []) | join(',') }}", "as-of": AS_OF},
            gives="run",
        )
        promote = SparkJob(
            task_id="promote",
            verb="promote",
            config=facts.config,
            flags={
                "run": "{{ ti.xcom_pull(task_ids='train') }}",
                "force": "{{ params.force or '' }}",
                "kind": f"{{{{ 'backfill' if ({_PAST}) and not params.into_service else '' }}}}",
                "as-of": AS_OF,
            },
            gives="champion",
            announces=(AssetAlias(f"{facts.name}_champion_changed"), champion),
        )

        @task(trigger_rule="all_skipped", retries=0)
        def champion_kept(reason: str) -> None:
            """Green where the gate refused, and the reason is in its log."""
            notices.say(f"champion kept: {reason}")

        @task(trigger_rule="none_failed", execution_timeout=timedelta(minutes=10))
        def notify(run: str, number: str, reason: str, as_of: str) -> None:
            """The mail of a run that went through."""
            notices.retrained(facts, run, number, reason, as_of)

        reason = f"{{{{ ti.xcom_pull(task_ids='promote', key='{REASON}') or '' }}}}"
        kept = champion_kept(reason)
        told = notify(
            "{{ ti.xcom_pull(task_ids='train') }}",
            "{{ ti.xcom_pull(task_ids='promote') or '' }}",
            reason,
            AS_OF,
        )
        ingest >> train >> promote >> [kept, told]
        kept >> told
    return dag


def score(facts: Facts, champion: Asset) -> DAG:
    """Take in what was delivered, find who reigns, predict with it."""
    with _dag(
        facts,
        "score",
        schedule=AssetOrTimeSchedule(
            timetable=CronDataIntervalTimetable(str(facts.score), timezone="UTC"), assets=[champion]
        ),
        description=f"{facts.title}: predict new rows with the champion",
        params={"as_of": AS_OF_PARAM},
        doc_md=_score_doc(facts),
    ) as dag:
        ingest = _ingest(facts)

        @task(execution_timeout=timedelta(minutes=10))
        def reigning(past: str) -> int:
            """The number of the champion; those after it keep to it, also when they are cleared and run again."""
            return notices.reigning(facts, past)

        number = reigning.override(task_id="champion")(PAST_AS_OF)
        scored = SparkJob(
            task_id="score",
            verb="score",
            config=facts.config,
            flags={"champion": "{{ ti.xcom_pull(task_ids='champion') }}", "as-of": AS_OF},
            gives="batches",
        )

        @task(execution_timeout=timedelta(minutes=10))
        def notify(number: str, batches: list[str], as_of: str) -> None:
            """The mail of a run that has scored something."""
            notices.scored(facts, number, batches, as_of)

        told = notify("{{ ti.xcom_pull(task_ids='champion') }}", scored.output, AS_OF)
        ingest >> number >> scored >> told
    return dag


def _dag(facts: Facts, verb: str, **arguments: object) -> DAG:
    return DAG(
        dag_id=f"{facts.name}_{verb}",
        start_date=FIRST_DAY,
        catchup=False,
        max_active_runs=1,
        tags=["regatta", facts.name, verb],
        render_template_as_native_obj=False,
        default_args={
            "owner": "regatta",
            "retries": 3,
            "retry_delay": timedelta(seconds=30),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
            "execution_timeout": timedelta(hours=6),
            "on_failure_callback": notices.failed,
        },
        **arguments,
    )


def _ingest(facts: Facts) -> SparkJob:
    return SparkJob(task_id="ingest", verb="ingest", config=facts.config, flags={"as-of": AS_OF})


def _retrain_doc(facts: Facts) -> str:
    return f"""\
### {facts.title}: retrain

Made of `{facts.config}`. One row is {facts.grain}; predicted is `{facts.label}`{_unit(facts)}.

| | |
|---|---|
| when | `{facts.retrain}` (UTC), or by hand |
| from | `raw/{facts.learns_from}/` |
| candidates | {", ".join(facts.families)}; the least mean error by `{facts.metric}` over the folds wins |
| to | `{facts.name}/runs/<run>/`, and one more entry in `{facts.name}/champion/` if the gate agrees |
| then | the asset `{facts.name}_champion` changes{", and the champion scores" if facts.score else ""} |

A refusal of the gate ends green: `promote` is skipped, and `champion_kept` has the reason in its log. A lake or
cluster that is away is tried again; input that is wrong fails at once. A backfill promotes into its own past
(`--max-active-runs 1` keeps its weeks in order).
"""


def _score_doc(facts: Facts) -> str:
    source = (
        f"`raw/{facts.scores_from}/`" if facts.scores_from else f"the history in `raw/{facts.learns_from}/`"
    )
    return f"""\
### {facts.title}: score

Made of `{facts.config}`. Predicted is `{facts.label}`{_unit(facts)} of {facts.grain}.

| | |
|---|---|
| when | `{facts.score}` (UTC), when the asset `{facts.name}_champion` changes, or by hand |
| from | {source}: what nobody has scored yet, and the newest |
| by | the champion that reigns when the run begins; a backfill takes the one that reigned then |
| to | `{facts.name}/scores/champion=<n>/batch=<id>/` |

A cleared task scores with the same champion, and publishes nothing twice. Before the first champion all is skipped.
"""


def _unit(facts: Facts) -> str:
    return f" in {facts.unit}" if facts.unit else ""
