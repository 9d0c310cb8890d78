"""One week on a real Airflow: real Spark, real MinIO, a real mail server, and nothing stands in for anything."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from week import TEA, House, house

from machine import command_lines
from regatta.lake import layout

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # the mail server's own sockets
]

RETRAIN, SCORE = "tea_retrain", "tea_score"


@dataclass(frozen=True)
class Refusal:
    """What was to be seen of the week while the gate refused."""

    states: dict[str, str]
    reason: str
    champions: int


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Refusal]]:
    """After a week: the retraining has run and was refused, was promoted once the gate asked for less, and scored."""
    with house(tmp_path_factory.mktemp("house"), master="local[2]", min_rows=5_000) as tea:
        airflow = tea.airflow
        week = airflow.run(RETRAIN, "scheduled")
        assert airflow.finished(RETRAIN, week) == "success"
        reason = airflow.given(RETRAIN, week, "promote", "reason")
        refusal = Refusal(airflow.states(RETRAIN, week), reason, len(tea.lake.champions.entries()))
        tea.configure(min_rows="5")
        airflow.clear(RETRAIN, week, "promote")
        assert airflow.finished(RETRAIN, week) == "success"
        assert airflow.finished(SCORE, airflow.run(SCORE, "asset_triggered")) == "success"
        yield tea, refusal


@pytest.fixture
def tea(running: tuple[House, Refusal]) -> House:
    return running[0]


def test_a_refusal_ends_green_and_its_reason_is_in_the_log_and_in_the_mail(
    running: tuple[House, Refusal],
) -> None:
    tea, refusal = running
    assert refusal.states == {
        **dict.fromkeys(("ingest", "train", "champion_kept", "notify"), "success"),
        "promote": "skipped",
    }
    assert refusal.champions == 0
    assert "too few held-out rows to judge by" in refusal.reason
    (log,) = tea.home.glob(f"state/airflow/logs/dag_id={RETRAIN}/run_id=sched*/task_id=champion_kept/*.log")
    assert "champion kept: run " in log.read_text()
    (mail,) = tea.mailbox.about("Tea prices: champion kept")
    assert "too few held-out rows to judge by" in mail


def test_a_scheduled_week_goes_from_raw_files_to_scores(tea: House) -> None:
    airflow = tea.airflow
    week = airflow.run(RETRAIN, "scheduled")
    assert airflow.states(RETRAIN, week) == {
        **dict.fromkeys(("ingest", "train", "promote", "notify"), "success"),
        "champion_kept": "skipped",
    }
    entry = tea.lake.champions.entries()[0]
    assert entry.run_id == airflow.given(RETRAIN, week, "train")
    assert airflow.given(RETRAIN, week, "promote") == entry.number == 1
    scoring = airflow.run(SCORE, "asset_triggered")
    assert airflow.given(SCORE, scoring, "champion") == 1
    assert airflow.given(SCORE, scoring, "score") == ["delivery-offers-1"]
    batch = tea.lake.batches.get(layout.batch(1, "delivery-offers-1"))
    assert batch is not None
    assert batch.scored == 6


def test_the_mails_say_what_came_of_it(tea: House) -> None:
    (trained,) = tea.mailbox.about("is champion 1")
    assert "first champion: rmse" in trained
    assert "linear_regression regParam=0.1" in trained
    assert "sales-2" in trained
    (page,) = re.findall(r'href="([^"]+/reports/[^"]+)"', trained)
    with urlopen(unescape(page)) as answer:  # without credentials
        assert answer.read().startswith(b"<!doctype html>")
    (scored,) = tea.mailbox.about("Tea prices: champion 1 has scored 1 batch")
    assert "delivery-offers-1" in scored


def test_before_the_first_champion_scoring_is_skipped_and_nobody_is_troubled(tea: House) -> None:
    early = tea.airflow.run(SCORE, "scheduled")
    assert tea.airflow.finished(SCORE, early) == "success"
    states = tea.airflow.states(SCORE, early)
    if states["champion"] == "skipped":  # else it came after the promotion
        assert (states["score"], states["notify"]) == ("skipped", "skipped")
    assert not tea.mailbox.about("failed")


def test_a_cleared_score_is_by_the_same_champion_and_publishes_no_second_copy(tea: House) -> None:
    airflow = tea.airflow
    scoring, before, entries = (
        airflow.run(SCORE, "asset_triggered"),
        tea.scores(),
        tea.lake.champions.entries(),
    )
    tea.lake.champions.append(
        after=entries, action="force", run_id=entries[0].run_id, metrics={}, reason="another one reigns now"
    )
    airflow.clear(SCORE, scoring, "score")
    assert airflow.finished(SCORE, scoring) == "success"
    task = airflow.tasks(SCORE, scoring)["score"]
    assert (task["state"], task["try_number"]) == ("success", 2)
    assert task["rendered_fields"]["flags"]["champion"] == "1"
    assert tea.scores() == before
    assert len(before) == 1


def test_a_task_that_is_marked_failed_leaves_no_spark_behind(tea: House) -> None:
    airflow = tea.airflow
    tea.configure(regParam="10.0")  # another training, so that there is something to do
    run = airflow.trigger(RETRAIN)
    mine = f"train.py --config {tea.use_case_file}"
    airflow.until(lambda: True if command_lines().count(mine) >= 2 else None, "a driver and its Python")
    airflow.patch(f"/dags/{RETRAIN}/dagRuns/{quote(run)}/taskInstances/train", new_state="failed")
    for _ in range(100):
        if mine not in command_lines():
            break
        time.sleep(0.1)
    assert mine not in command_lines()
    assert airflow.finished(RETRAIN, run) == "failed"


def test_a_file_that_breaks_shows_its_faults_and_leaves_the_others_alone(tea: House) -> None:
    airflow, file = tea.airflow, tea.conf / "coffee.yaml"
    file.write_text(TEA.replace("use_case: tea", "use_case: coffee").replace("role: label", "role: lable"))
    errors = airflow.until(
        lambda: airflow.get("/importErrors")["import_errors"] or None, "the faults of conf/coffee.yaml"
    )
    assert "did you mean label?" in errors[0]["stack_trace"]
    assert {dag["dag_id"] for dag in airflow.get("/dags")["dags"]} == {RETRAIN, SCORE}
    file.unlink()
    airflow.until(lambda: None if airflow.get("/importErrors")["import_errors"] else True, "no more faults")


def test_no_secret_is_rendered_or_logged(tea: House) -> None:
    told = [
        str(tea.airflow.tasks(dag, run["dag_run_id"]))
        for dag in (RETRAIN, SCORE)
        for run in tea.airflow.runs(dag)
    ]
    logs = [log.read_text() for log in tea.home.glob("state/airflow/logs/**/*.log")]
    assert any("--as-of" in text for text in logs)
    assert not [text for text in told + logs for secret in tea.secrets if secret in text]
