"""What takes longer on a real Airflow, with a Spark cluster: `make test-airflow`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from week import FOREST, House, house

from machine import command_lines
from regatta.evaluation.runs import runs
from regatta.lake import layout

pytestmark = [
    pytest.mark.skipif("REGATTA_AIRFLOW" not in os.environ, reason="takes long: make test-airflow"),
    pytest.mark.timeout(3600),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

RETRAIN, SCORE = "tea_retrain", "tea_score"


@pytest.fixture(scope="module")
def tea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """After its first week, on a master and two workers."""
    with house(
        tmp_path_factory.mktemp("house"), master=os.environ["REGATTA_AIRFLOW"] or None, candidates=FOREST
    ) as running:
        airflow = running.airflow
        assert airflow.finished(RETRAIN, airflow.run(RETRAIN, "scheduled")) == "success"
        assert airflow.finished(SCORE, airflow.run(SCORE, "asset_triggered")) == "success"
        yield running


def test_a_second_week_with_bad_rows_retrains_and_the_log_shows_both(tea: House) -> None:
    airflow = tea.airflow
    tea.land("sales-3", datetime(2026, 11, 24, tzinfo=UTC), bad_rows=7)
    run = airflow.trigger(RETRAIN, force="a second week")
    assert airflow.finished(RETRAIN, run) == "success"
    first, second = tea.lake.champions.entries()
    assert (second.action, second.reason) == ("force", "a second week")
    newest = tea.lake.run(second.run_id)
    assert newest is not None
    assert set(newest.deliveries) == {"sales-1", "sales-2", "sales-3"}
    assert first.run_id != second.run_id
    (mail,) = tea.mailbox.about("is champion 2")
    assert "a second week" in mail
    row = mail[mail.index("sales-3") :].partition("</tr>")[0]
    assert ">53<" in row
    assert ">7<" in row
    airflow.until(lambda: True if len(airflow.runs(SCORE)) == 3 else None, "the scoring that it starts")
    assert airflow.finished(SCORE, airflow.runs(SCORE)[-1]["dag_run_id"]) == "success"
    assert tea.lake.batches.get(layout.batch(2, "delivery-offers-1")) is not None


def test_a_backfill_reads_its_own_past_and_leaves_today_alone(tea: House) -> None:
    airflow, today = tea.airflow, tea.lake.champions.reigning()
    tea.land("history-2", datetime(2026, 1, 8, tzinfo=UTC))
    tea.land("history-offers-2", datetime(2026, 1, 9, tzinfo=UTC), role="score")
    tea.land("history-3", datetime(2026, 1, 15, tzinfo=UTC))
    weeks = [datetime(2026, 1, day, tzinfo=UTC) for day in (4, 11, 18)]
    for dag, params in ((RETRAIN, {"force": "history"}), (SCORE, {})):
        tea.backfill(dag, date(2025, 12, 28), date(2026, 1, 11), **params)
        mine = [one["dag_run_id"] for one in airflow.runs(dag) if one["run_type"] == "backfill"]
        assert len(mine) == 3
        assert [airflow.finished(dag, run) for run in mine] == ["success"] * 3

    past = [entry for entry in tea.lake.champions.entries() if entry.kind == "backfill"]
    assert [entry.effective for entry in past] == weeks
    trained = [tea.lake.run(entry.run_id) for entry in past]
    assert [set(run.deliveries) for run in trained if run] == [
        {"sales-1", "sales-2"},
        {"sales-1", "sales-2", "history-2"},
        {"sales-1", "sales-2", "history-2", "history-3"},
    ]
    assert len({run.fingerprint for run in trained if run}) == 3
    assert tea.lake.champions.reigning() == today
    folders = {key.split("/")[2] + "/" + key.split("/")[3] for key in tea.scores()}
    numbers = [entry.number for entry in past]
    assert f"champion={numbers[0]}/batch=delivery-offers-1" in folders
    assert f"champion={numbers[0]}/batch=delivery-history-offers-2" not in folders
    assert f"champion={numbers[1]}/batch=delivery-history-offers-2" in folders


def test_a_lake_that_is_away_for_a_while_is_tried_again(tea: House) -> None:
    airflow = tea.airflow
    tea.kill("minio")
    run = airflow.trigger(SCORE)
    airflow.until(
        lambda: True if airflow.states(SCORE, run)["ingest"] == "up_for_retry" else None, "a retry of ingest"
    )
    tea.up()
    assert airflow.finished(SCORE, run) == "success"
    assert airflow.tasks(SCORE, run)["ingest"]["try_number"] > 1
    assert not tea.mailbox.about("failed")


def test_a_scheduler_that_is_killed_amid_a_training_ends_it_after_its_restart_with_one_publication(
    tea: House,
) -> None:
    airflow, before = tea.airflow, {run.run_id for run in runs(tea.lake)}
    run = airflow.trigger(RETRAIN, candidates=["random_forest"])
    mine = f"train.py --config {tea.use_case_file}"
    airflow.until(lambda: True if command_lines().count(mine) >= 2 else None, "a driver and its Python")
    tea.kill("airflow-scheduler")
    tea.up()
    assert airflow.finished(RETRAIN, run) == "success"
    (trained,) = [one for one in runs(tea.lake) if one.run_id not in before]
    assert airflow.given(RETRAIN, run, "train") == trained.run_id
    folder = f"tea/{layout.run(trained.run_id)}"
    names = [file.key for file in tea.lake.store.files(folder)]
    assert len([name for name in names if name.endswith(layout.RECORD)]) == 1
    assert {file.name for file in trained.files} == {
        name.removeprefix("tea/") for name in names if not name.endswith(layout.RECORD)
    }


def test_what_will_not_pass_fails_at_once_and_the_mail_has_the_jobs_sentence(tea: House) -> None:
    airflow = tea.airflow
    run = airflow.trigger(RETRAIN, as_of="2020-01-01")  # before the first delivery
    assert airflow.finished(RETRAIN, run) == "failed"
    task = airflow.tasks(RETRAIN, run)["train"]
    assert (task["state"], task["try_number"]) == ("failed", 1)
    (mail,) = tea.mailbox.about("tea_retrain failed at train")
    assert "nothing is ingested to train with" in mail
    assert "Traceback" not in mail
