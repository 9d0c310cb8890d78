"""What people are told: a mail after a run that went through or failed, and a line in the log of a task.

Recipients are `REGATTA_MAIL_TO` (addresses with commas between), the server is the connection `smtp_default`.
"""

from __future__ import annotations

import html
import json
import logging
import os
from collections.abc import Sequence
from string import Template
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

from command_line import regatta
from use_case_facts import Facts

if TYPE_CHECKING:
    from airflow.sdk import Context

RECIPIENTS = "REGATTA_MAIL_TO"
SERVER = "smtp_default"

_log = logging.getLogger("airflow.task")

_PAGE = Template("""\
<div style="font: 14px/1.5 system-ui, sans-serif; color: #222">
<p style="font-size: 16px"><b>$headline</b></p>
$paragraphs
$tables
<p style="color: #777">$links</p>
</div>
""")
_CELL = "padding: 2px 12px 2px 0; border-bottom: 1px solid #ddd; white-space: nowrap"


def say(text: str) -> None:
    """One line in the log of the task."""
    _log.info(text)


def reigning(facts: Facts, past: str) -> int:
    """The number of the champion in service, or of the one that reigned at an instant of the past.

    Raises:
        AirflowSkipException: before the first promotion there is nothing to score with.
    """
    entry = json.loads(regatta("champion", facts.config, "--json", *(["--as-of", past] if past else [])))
    if entry is None:
        raise AirflowSkipException("there is no champion yet, and so nothing to score with")
    say(f"champion {entry['number']}: run {entry['run_id']}, {entry['reason']}")
    return int(entry["number"])


def retrained(facts: Facts, run: str, number: str, reason: str, as_of: str) -> None:
    """The mail of a retraining: leaderboard, whether the champion changed and why, rows, a link to the run's page."""
    tables = json.loads(regatta("summary", facts.config, "--run", run, "--as-of", as_of, "--json"))
    if number:
        entry = json.loads(regatta("champion", facts.config, "--number", number, "--json"))
        of_the_past = " of the past" if entry["kind"] == "backfill" else ""
        mine = entry["run_id"] == run
        headline = f"{facts.title}: run {run} is champion {number}{of_the_past}"
        paragraphs = [entry["reason"] if mine else ""]
    else:
        headline = f"{facts.title}: champion kept"
        paragraphs = [reason]
    page = json.loads(regatta("report", facts.config, "--run", run, "--json"))
    links = {"the run as a page (for seven days)": page["link"], **_links(facts.name, "retrain")}
    _send(headline, paragraphs, tables, links)


def scored(facts: Facts, number: str, batches: Sequence[str], as_of: str) -> None:
    """The mail of a scoring, unless there was nothing to score."""
    if not batches:
        say("nothing was scored, and so no mail is sent")
        return
    named = [word for batch in batches for word in ("--batch", batch)]
    words = ("summary", facts.config, "--champion", number, *named, "--as-of", as_of, "--json")
    count = "1 batch" if len(batches) == 1 else f"{len(batches)} batches"
    headline = f"{facts.title}: champion {number} has scored {count}"
    _send(headline, [], json.loads(regatta(*words)), _links(facts.name, "score"))


def failed(context: Context) -> None:
    """The mail of a task that will not be tried again: the error's sentence, and where its log is."""
    ti = context["ti"]
    error = context.get("exception")
    sentence = str(error).strip() if error else "it was ended by hand, or its process died"
    _send(
        f"{ti.dag_id} failed at {ti.task_id}",
        [sentence],
        [],
        {"the log": _url(f"dags/{ti.dag_id}/runs/{ti.run_id}/tasks/{ti.task_id}")},
    )


def _send(
    headline: str, paragraphs: Sequence[str], tables: Sequence[dict[str, Any]], links: dict[str, str]
) -> None:
    recipients = [one.strip() for one in os.environ.get(RECIPIENTS, "").split(",") if one.strip()]
    if not recipients:
        say(f"no mail is sent: {RECIPIENTS} names nobody. It would say: {headline}")
        return
    from airflow.providers.smtp.hooks.smtp import SmtpHook  # not for every parse

    page = _PAGE.substitute(
        headline=html.escape(headline),
        paragraphs="\n".join(f"<p>{_text(one)}</p>" for one in paragraphs if one),
        tables="\n".join(map(_table, tables)),
        links=" &middot; ".join(
            f'<a href="{html.escape(url)}">{html.escape(what)}</a>' for what, url in links.items()
        ),
    )
    try:
        with SmtpHook(smtp_conn_id=SERVER) as server:
            server.send_email_smtp(to=recipients, subject=headline, html_content=page)
    except AirflowNotFoundException:
        say(f"no mail is sent: there is no connection {SERVER}. It would say: {headline}")
        return
    say(f"mailed to {', '.join(recipients)}: {headline}")


def _table(table: dict[str, Any]) -> str:
    sides = ["right" if figures else "left" for figures in table["figures"]]

    def line(tag: str, cells: Sequence[str]) -> str:
        told = zip(cells, sides, strict=True)
        return "".join(
            f'<{tag} style="text-align: {side}; {_CELL}">{_text(cell)}</{tag}>' for cell, side in told
        )

    rows = "\n".join(f"<tr>{line('td', row)}</tr>" for row in table["rows"])
    return (
        f'<p style="margin: 18px 0 4px">{_text(table["title"])}</p>\n'
        f'<table style="border-collapse: collapse; font-size: 13px"><tr>{line("th", table["headings"])}</tr>\n'
        f"{rows}\n</table>"
    )


def _text(given: str) -> str:
    return html.escape(given).replace("\n", "<br>")


def _links(name: str, verb: str) -> dict[str, str]:
    links = {"runs in Airflow": _url(f"dags/{name}_{verb}")}
    if mlflow := os.environ.get("MLFLOW_TRACKING_URI"):
        links["MLflow"] = mlflow
    return links


def _url(path: str) -> str:
    from airflow.sdk.configuration import conf

    return f"{conf.get('api', 'base_url', fallback='http://localhost:8080').rstrip('/')}/{path}"
