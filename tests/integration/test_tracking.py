"""What MLflow is told of trainings and champions."""

from __future__ import annotations

import pytest
from mlflow import MlflowClient

from regatta.runtime import mlflow_calls
from regatta.runtime.tracking import Tracker, published
from trainings import FIELD, board, houses, judged, promote, race, run, runs, source, train, until


@pytest.fixture(autouse=True)
def _settings_of_mlflow_end_with_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (mlflow_calls.URI, *mlflow_calls.DEFAULTS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def client(mlflow_uri: str, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """Asks the server that the trainings of the test tell."""
    monkeypatch.setenv(mlflow_calls.URI, mlflow_uri)
    return MlflowClient(mlflow_uri)


def test_a_training_is_a_parent_and_a_child_for_each_candidate(
    client: MlflowClient, capsys: pytest.CaptureFixture[str]
):
    use_case = houses("parent_and_children")
    train(use_case, "r1")

    found = runs(client, use_case)
    assert set(found) == {"r1", "mean", *FIELD}
    parent = found.pop("r1")
    assert {one.data.tags["mlflow.parentRunId"] for one in found.values()} == {parent.info.run_id}
    assert {one.info.status for one in (parent, *found.values())} == {"FINISHED"}
    told = {"use_case": use_case.use_case, "run_id": "r1", "fingerprint": "f1", "code": "0.1.0"}
    assert told.items() <= parent.data.tags.items()
    assert {"winner": FIELD[0], "winner_family": "gbt", "folds": "2", "unit": "USD"}.items() <= (
        parent.data.params.items()
    )
    assert parent.data.metrics == {"holdout_rmse": 20.0, "rows_trained_on": 80.0, "seconds": 7.0}
    assert found[FIELD[1]].data.params == {"family": "gbt", "maxDepth": "3"}
    assert found[FIELD[1]].data.metrics["rmse_mean"] == 13.0
    assert found[FIELD[1]].data.metrics["rmse_spread"] == pytest.approx(8**0.5)
    assert found[FIELD[0]].data.metrics["holdout_rmse"] == 20.0
    captured = capsys.readouterr()
    assert captured.out == "", "standard output is kept for results"
    assert "warning" not in captured.err


def test_every_fit_is_there_while_the_race_goes_on_with_its_fold_as_the_step(client: MlflowClient):
    use_case = houses("fold_by_fold")
    tracker = Tracker(use_case, "r1", "f1", FIELD)
    tracker.judged(FIELD[0], 0, judged(10.0))
    tracker.judged(FIELD[0], 1, judged(12.0))

    def history(metric: str) -> list[tuple[int, float]]:
        known = client.get_experiment_by_name(use_case.use_case) and runs(client, use_case)
        if not known or FIELD[0] not in known:
            return []
        points = client.get_metric_history(known[FIELD[0]].info.run_id, metric)
        return [(point.step, point.value) for point in points]

    until(lambda: history("rmse") == [(0, 10.0), (1, 12.0)])
    assert history("fit_seconds") == [(0, 1.5), (1, 1.5)]
    assert history("mape") == [], "an undefined figure is no figure"
    assert {one.info.status for one in runs(client, use_case).values()} == {"RUNNING"}
    tracker.failed()
    assert {one.info.status for one in runs(client, use_case).values()} == {"FAILED"}


def test_the_model_version_names_the_lake_as_mlflow_knows_it(client: MlflowClient):
    use_case = houses("model_version")
    train(use_case, "r1")
    train(use_case, "r1")  # told twice, registered once

    (version,) = client.search_model_versions("name = 'model_version'")
    assert version.source == "s3://regatta/model_version/runs/r1/model"
    assert version.tags["run_id"] == "r1"
    assert version.run_id in {one.info.run_id for one in client.search_runs(
        [client.get_experiment_by_name("model_version").experiment_id], "tags.mlflow.runName = 'r1'"
    )}  # fmt: skip


def test_the_alias_follows_the_champion_log(client: MlflowClient):
    use_case = houses("alias")
    train(use_case, "r1")
    train(use_case, "r2")

    def reigning() -> str:
        return str(client.get_model_version_by_alias("alias", "champion").tags["run_id"])

    promote(use_case, "r1", number=1)
    assert reigning() == "r1"
    promote(use_case, "r2", number=2)
    assert reigning() == "r2"
    promote(use_case, "r1", number=3)  # a rollback
    assert reigning() == "r1"
    promote(use_case, "r2", number=2)  # told late
    assert reigning() == "r1"


def test_a_champion_that_was_trained_untracked_gets_its_version_when_promoted(client: MlflowClient):
    use_case = houses("untracked")
    promote(use_case, "r1", number=1)
    version = client.get_model_version_by_alias("untracked", "champion")
    assert (version.tags["run_id"], version.source) == ("r1", "s3://regatta/untracked/runs/r1/model")


def test_a_training_repeated_after_a_crash_leaves_one_parent_running(client: MlflowClient):
    use_case = houses("crash")
    crashed = Tracker(use_case, "r1", "f1", FIELD)
    crashed.judged(FIELD[0], 0, judged(10.0))
    until(lambda: client.get_experiment_by_name("crash") and FIELD[0] in runs(client, use_case))
    other = Tracker(use_case, "r2", "f2", FIELD)
    other.judged(FIELD[1], 0, judged(10.0))
    until(lambda: FIELD[1] in runs(client, use_case))

    repeated = Tracker(use_case, "r1", "f1", FIELD)
    repeated.finished(board(use_case, "r1"), run(use_case, "r1"), source(use_case, "r1"))

    experiment = client.get_experiment_by_name("crash").experiment_id
    parents = client.search_runs([experiment], "tags.mlflow.runName = 'r1'")
    assert sorted(one.info.status for one in parents) == ["FINISHED", "KILLED"]
    orphans = client.search_runs([experiment], "attributes.status = 'RUNNING'")
    assert {one.data.tags["run_id"] for one in orphans} == {"r2"}, "another training is left alone"
    other.failed()


@pytest.mark.parametrize("heard", ["nothing", "the race", "all but the end"])
def test_a_run_that_was_published_is_told_to_its_end_and_once(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch, heard: str
):
    use_case = houses(f"published_{heard.replace(' ', '_')}")
    known = board(use_case, "r1"), run(use_case, "r1"), source(use_case, "r1")
    if heard != "nothing":
        killed = Tracker(use_case, "r1", "f1", FIELD)
        race(killed)
        if heard == "all but the end":
            with monkeypatch.context() as patch:
                patch.setattr(killed._training, "_finish_parent", lambda *_: None)
                killed.finished(*known)
        until(lambda: client.get_experiment_by_name(use_case.use_case) and len(runs(client, use_case)) == 4)

    published(use_case, *known)
    told = runs(client, use_case)
    published(use_case, *known)

    train(houses("undisturbed"), "r1")
    same = runs(client, houses("undisturbed"))
    assert {name: one.info.run_id for name, one in runs(client, use_case).items()} == {
        name: one.info.run_id for name, one in told.items()
    }
    assert told.keys() == same.keys()
    for name, one in told.items():
        assert one.info.status == "FINISHED"
        assert one.data.params == same[name].data.params
        assert one.data.metrics == same[name].data.metrics
    points = client.get_metric_history(told[FIELD[0]].info.run_id, "rmse")
    assert [(point.step, point.value) for point in points] == [(0, 10.0), (1, 12.0)]
    experiment = client.get_experiment_by_name(use_case.use_case).experiment_id
    assert client.search_runs([experiment], "attributes.status = 'RUNNING'") == []
    (version,) = client.search_model_versions(f"name = '{use_case.use_case}'")
    assert version.tags["run_id"] == "r1"
