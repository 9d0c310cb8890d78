"""Jobs on a standalone master and two workers that have this package from its zip alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from house import House
from regatta.config import load
from regatta.evaluation.runs import runs
from regatta.lake import Lake, Store
from regatta.scoring.batches import batches
from regatta.selection.leaderboard import Leaderboard
from s3_client import s3_client
from shell import ROOT, Shell, submit
from small_runs import yaml

pytestmark = pytest.mark.timeout(1800)  # each job here is three JVMs, beside all other tests

TREES = """\
candidates:
  random_forest: {numTrees: 3, maxDepth: 3}
  gbt: {maxIter: [1, 2], maxDepth: 2}
  linear_regression: {regParam: [0.1, 1.0]}
"""


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """The house's use case with a race of three families, on a part for each worker: other runs of the same rows."""
    file, text = tmp_path / "trees.yaml", yaml("kills", min_rows=10)
    file.write_text(text.replace("candidates: {linear_regression: {regParam: 0.0}}\n", TREES))
    return file


def board(lake: Lake, run_id: str) -> Leaderboard:
    record = lake.run(run_id)
    assert record is not None
    (path,) = lake.runs.paths(record, f"runs/{run_id}/leaderboard.json")
    return Leaderboard.model_validate_json(lake.content(path))


def test_a_cluster_that_has_only_the_zip_finds_the_same_leaderboard(
    house: House,
    trees: Path,
    lake_environment: dict[str, str],
    spark_cluster: dict[str, str],
    bare_python: Path,
    tmp_path: Path,
) -> None:
    store = Store("s3a://regatta", s3_client(lake_environment))
    copied = ("raw/", "kills/_attempts/", "kills/accepted/", "kills/rejected/")
    for root in ("here", "there"):
        names = [file.key for part in copied for file in store.files(part)]
        store.copy_all((name, f"{root}/{name}") for name in names)
    lakes = {
        root: Lake(Store(f"s3a://regatta/{root}", s3_client(lake_environment)), load(trees))
        for root in ("here", "there")
    }
    Shell({**house.variables, "REGATTA_LAKE": "s3a://regatta/here"}, trees).regatta("train")

    def job(verb: str) -> None:
        script = Path(shutil.copy(ROOT / "spark_apps" / f"{verb}.py", tmp_path))
        variables = {**house.variables, "REGATTA_LAKE": "s3a://regatta/there"}
        flags = ("--config", str(trees))
        submit(bare_python, script, variables, tmp_path, *flags, master=spark_cluster["REGATTA_MASTER"])

    job("train")
    (trained,) = runs(lakes["there"])
    lakes["there"].champions.append(
        after=[], action="force", run_id=trained.run_id, metrics={}, reason="a test"
    )
    job("score")

    here, there = (board(lake, trained.run_id).standings for lake in lakes.values())
    assert len(there) == 6  # five candidates and the mean
    assert [line.candidate for line in there] == [line.candidate for line in here]
    for one, other in zip(here, there, strict=True):
        for metric in ("rmse", "mae", "r2"):
            assert other.mean(metric) == pytest.approx(one.mean(metric), rel=1e-9)
    (batch,) = batches(lakes["there"])
    assert (batch.rows, batch.scored) == (50, 50)


def test_a_cluster_without_the_memory_for_an_executor_is_told_and_not_waited_for(
    house: House, trees: Path, lake_environment: dict[str, str], spark_cluster: dict[str, str]
) -> None:
    greedy = {
        **house.variables,
        **lake_environment,
        **spark_cluster,
        "REGATTA_EXECUTOR_MEMORY": "2g",
        "REGATTA_PATIENCE": "3",
    }

    said = Shell(greedy, trees).regatta("train", expect=4).stdout

    assert "no executor after 3 s: all workers are busy, or have less memory than 2g" in said
    assert "Traceback" not in said
