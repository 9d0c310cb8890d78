"""What DAGs there are, what they promise, and that their lines are those of the command line."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conftest import ROOT
from regatta.cli import group

GOLDEN = Path(__file__).parent / "golden"
KINDS = sorted(file.stem for file in GOLDEN.glob("*.txt"))


def test_every_file_with_a_schedule_has_its_dags_and_a_faulty_one_breaks_its_own_alone(seen: Any) -> None:
    assert sorted(seen["dags"]) == ["coffee_retrain", "tea_retrain", "tea_score"]
    assert list(seen["errors"]) == ["cocoa.py"]


def test_an_import_error_is_every_fault_of_the_file_with_its_line(seen: Any, use_case_files: Path) -> None:
    said = seen["errors"]["cocoa.py"].replace(str(use_case_files), "conf")
    assert said.startswith("conf/cocoa.yaml has 2 faults:\nconf/cocoa.yaml:")
    assert "columns.price.role: 'lable' is not one of" in said
    assert "did you mean label?" in said


def test_parsing_imports_nothing_that_reads_files_lakes_or_spark(seen: Any) -> None:
    assert seen["heavy"] == []


@pytest.mark.parametrize("dag", ["coffee_retrain", "tea_retrain", "tea_score"])
def test_every_dag_keeps_the_house_rules(seen: Any, dag: str) -> None:
    told = seen["dags"][dag]
    use_case, _, verb = dag.rpartition("_")
    assert told["max_active_runs"] == 1
    assert not told["catchup"]
    assert told["tags"] == sorted(["regatta", use_case, verb])
    assert f"{use_case}.yaml`" in told["doc"]
    for name, task in told["tasks"].items():
        assert task["owner"] == "regatta"
        assert task["timeout"]
        assert task["tells"]
        assert task["pool"] == ("spark" if task["is_a_job"] else "default_pool")
        if name != "champion_kept":
            assert (task["retries"], task["backoff"]) == (3, True)
    for schema in told["params"].values():
        assert schema["type"]
        assert schema["title"]
        assert schema["description"].endswith(".")


def test_the_order_of_tasks_is_the_way_of_the_data(seen: Any) -> None:
    retrain, score = seen["dags"]["tea_retrain"]["tasks"], seen["dags"]["tea_score"]["tasks"]
    assert {name: task["after"] for name, task in retrain.items()} == {
        "ingest": [],
        "train": ["ingest"],
        "promote": ["train"],
        "champion_kept": ["promote"],
        "notify": ["champion_kept", "promote"],
    }
    assert {name: task["after"] for name, task in score.items()} == {
        "ingest": [],
        "champion": ["ingest"],
        "score": ["champion"],
        "notify": ["score"],
    }
    assert retrain["promote"]["emits"] == ["tea_champion_changed"]
    assert (retrain["champion_kept"]["trigger_rule"], retrain["notify"]["trigger_rule"]) == (
        "all_skipped",
        "none_failed",
    )


def test_the_schedules_are_the_files_and_the_asset_of_the_champion(seen: Any) -> None:
    assert "0 4 * * 1" in seen["dags"]["tea_retrain"]["schedule"]
    assert "tea_champion" in seen["dags"]["tea_score"]["schedule"]


# ---- lines ----


def lines_of(seen: Any, kind: str, folder: Path) -> str:
    return "".join(
        f"{dag}.{task}: {shlex.join(words)}\n".replace(str(folder), "conf")
        for dag in ("tea_retrain", "tea_score")
        for task, words in seen["dags"][dag]["lines"][kind].items()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_lines_of_each_kind_of_run_are_the_golden_ones(
    seen: Any, kind: str, use_case_files: Path
) -> None:
    assert lines_of(seen, kind, use_case_files) == (GOLDEN / f"{kind}.txt").read_text()


def test_every_kind_of_run_has_its_golden_lines(seen: Any) -> None:
    assert sorted(seen["dags"]["tea_retrain"]["lines"]) == KINDS


def test_the_command_line_prints_the_golden_lines_but_for_master_and_name(
    use_case_files: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    for name, value in {
        "REGATTA_HOME": str(tmp_path),
        "REGATTA_MASTER": "spark://somewhere:7077",
        "REGATTA_DRIVER_MEMORY": "2g",
        "REGATTA_EXECUTOR_MEMORY": "1g",
    }.items():
        monkeypatch.setenv(name, value)
    golden = {line for kind in KINDS for line in (GOLDEN / f"{kind}.txt").read_text().splitlines()}
    assert len(golden) == 18
    for line in golden:
        words = shlex.split(line.partition(": ")[2])
        name = words.index("--name")
        del words[name : name + 2]
        script = next(index for index, word in enumerate(words) if word.endswith(".py"))
        verb, (config, *flags) = Path(words[script]).stem, words[script + 2 :]
        file = use_case_files / Path(config).name
        ours = (
            CliRunner().invoke(group, [verb, str(file), *flags, "--dry-run"], catch_exceptions=False).stdout
        )
        printed = shlex.split(ours.replace(str(use_case_files), "conf"))
        assert Path(printed[0]).name == words[0] == "spark-submit"
        assert printed[1:3] == ["--master", "spark://somewhere:7077"]
        assert printed[3:] == words[3:]
