"""Jobs on a standalone master and two workers that have this package from its zip alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from house import House
from machine import command_lines, free_ports, of_the_tests
from regatta.config import load
from regatta.evaluation.runs import runs
from regatta.lake import Lake, Run, Store
from regatta.lake.audit import audit
from regatta.runtime.local import embedded, ports
from regatta.scoring.batches import batches
from regatta.selection.leaderboard import Leaderboard, Standing
from s3_client import s3_client
from shell import ROOT, Shell, submit
from small_runs import yaml

pytestmark = pytest.mark.timeout(1800)  # each job here is three JVMs, beside all other tests

TREES = """\
candidates:
  gbt: {maxIter: [1, 2], maxDepth: 2}
  linear_regression: {regParam: [0.1, 1.0]}
"""


TWO_LINES = """\
from regatta.notebook import session
spark = session(); scores = spark.read.parquet("s3a://regatta/kills/scores")
print(spark.sparkContext.master, scores.count())
"""
BEGUN = 5  # tasks of an executor
TAKEN_IN = ("raw/", "kills/_attempts/", "kills/accepted/", "kills/rejected/")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house's use case with a race of two families, on a part for each worker: other runs of the same rows."""
    file, text = tmp_path_factory.mktemp("trees") / "trees.yaml", yaml("kills", min_rows=10)
    file.write_text(text.replace("candidates: {linear_regression: {regParam: 0.0}}\n", TREES))
    return file


@pytest.fixture(scope="module")
def another(house: House, trees: Path, lake_environment: dict[str, str]) -> Callable[[str], Lake]:
    """Makes a lake of a name that holds what the house's has taken in, and nothing that was trained."""

    def make(root: str) -> Lake:
        store = Store("s3a://regatta", s3_client(lake_environment))
        names = [file.key for part in TAKEN_IN for file in store.files(part)]
        store.copy_all((name, f"{root}/{name}") for name in names)
        return Lake(Store(f"s3a://regatta/{root}", s3_client(lake_environment)), load(trees))

    return make


@pytest.fixture(scope="module")
def standings(house: House, trees: Path, another: Callable[[str], Lake]) -> tuple[Standing, ...]:
    """What a training on this machine finds."""
    lake = another("here")
    Shell({**house.variables, "REGATTA_LAKE": "s3a://regatta/here"}, trees).regatta("train")
    return found(lake)


def record_of(lake: Lake) -> Run:
    """The lake's only run."""
    (run,) = runs(lake)
    record = lake.run(run.run_id)
    assert record is not None
    return record


def found(lake: Lake) -> tuple[Standing, ...]:
    """Its leaderboard."""
    record = record_of(lake)
    (path,) = lake.runs.paths(record, f"runs/{record.run_id}/leaderboard.json")
    return Leaderboard.model_validate_json(lake.content(path)).standings


def assert_the_same(one: tuple[Standing, ...], other: tuple[Standing, ...]) -> None:
    assert len(one) == 5  # four candidates and the mean
    assert [line.candidate for line in one] == [line.candidate for line in other]
    for line, same in zip(one, other, strict=True):
        for metric in ("rmse", "mae", "r2"):
            assert line.mean(metric) == pytest.approx(same.mean(metric), rel=1e-9)


def test_a_cluster_that_has_only_the_zip_finds_the_same_leaderboard(
    house: House,
    trees: Path,
    another: Callable[[str], Lake],
    standings: tuple[Standing, ...],
    spark_cluster: dict[str, str],
    bare_python: Path,
    tmp_path: Path,
) -> None:
    there = another("there")

    def job(verb: str) -> None:
        script = Path(shutil.copy(ROOT / "spark_apps" / f"{verb}.py", tmp_path))
        variables = {**house.variables, "REGATTA_LAKE": "s3a://regatta/there"}
        flags = ("--config", str(trees))
        submit(bare_python, script, variables, tmp_path, *flags, master=spark_cluster["REGATTA_MASTER"])

    job("train")
    (trained,) = runs(there)
    there.champions.append(after=[], action="force", run_id=trained.run_id, metrics={}, reason="a test")
    job("score")

    assert_the_same(found(there), standings)
    assert record_of(there).engines["gbt"].place == "by 2 executors"
    grown = [[line for line in lines if line.family == "gbt"] for lines in (found(there), standings)]
    assert [[fold.metrics for fold in line.folds] for line in grown[0]] == [
        [fold.metrics for fold in line.folds] for line in grown[1]
    ]
    (batch,) = batches(there)
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


@pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="takes long: make test-faults")
def test_the_session_of_a_notebook_is_on_the_cluster_while_one_is_up(
    house: House, spark_cluster: dict[str, str]
) -> None:
    variables = {**house.variables, **spark_cluster, "REGATTA_EXECUTOR_MEMORY": "1g"}
    variables.pop("REGATTA_MASTER")  # it is found by the state folder

    cell = subprocess.run(
        [sys.executable, "-c", TWO_LINES], env=variables, capture_output=True, text=True, check=True
    )

    assert cell.stdout.split() == [spark_cluster["REGATTA_MASTER"], "50"]


@pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="takes long: make test-faults")
def test_a_cluster_with_a_secret_works_for_who_knows_it_alone(
    house: House, lake_environment: dict[str, str], tmp_path: Path
) -> None:
    secret = "canary-of-the-cluster"
    port, page = free_ports(2)
    apart = {
        **lake_environment,
        "REGATTA_HOME": str(tmp_path),
        "REGATTA_EXECUTOR_MEMORY": "1g",
        ports.SPARK.variable: str(port),
        ports.SPARK_UI.variable: str(page),
    }
    try:
        with of_the_tests({**apart, "REGATTA_SPARK_SECRET": secret}):
            master = embedded.up(cluster=True, say=print)["REGATTA_MASTER"]

        def session_with(knows: dict[str, str]) -> subprocess.CompletedProcess[str]:
            variables = {
                **house.variables,
                "REGATTA_EXECUTOR_MEMORY": "1g",
                "REGATTA_MASTER": master,
                **knows,
            }
            variables["REGATTA_PATIENCE"] = "20"
            return subprocess.run(
                [sys.executable, "-c", TWO_LINES], env=variables, capture_output=True, text=True, check=False
            )

        known = session_with({"REGATTA_SPARK_SECRET": secret})
        assert known.stdout.split() == [master, "50"], known.stderr
        assert secret not in command_lines()
        for knows in ({"REGATTA_SPARK_SECRET": "another"}, {}):
            refused = session_with(knows)
            assert refused.returncode, refused.stdout
            assert "50" not in refused.stdout
    finally:
        with of_the_tests(apart):
            embedded.down(say=print)


@pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="takes long: make test-faults")
@pytest.mark.parametrize(
    ("victim", "when"),
    [
        ("executor", b"splitting"),
        ("worker", b"splitting"),
        ("executor", b"fit 1 of"),
        ("worker", b"fit 1 of"),
    ],
)
def test_a_training_goes_on_when_an_executor_or_a_whole_worker_is_killed_mid_stage(
    house: House,
    trees: Path,
    another: Callable[[str], Lake],
    standings: tuple[Standing, ...],
    spark_cluster: dict[str, str],
    lake_environment: dict[str, str],
    server_variables: dict[str, str],
    tmp_path: Path,
    victim: str,
    when: bytes,
) -> None:
    """Amid the race it has lost rows, and does it all again: trees that MLlib grows keep executors at work then."""
    config, root = tmp_path / "mllib.yaml", f"{victim}-{when[:3].decode()}"
    config.write_text(trees.read_text() + "engine: mllib\n")
    lake, (ui_port,) = another(root), free_ports(1)
    variables = {
        **house.variables,
        **spark_cluster,
        "REGATTA_LAKE": f"s3a://regatta/{root}",
        "REGATTA_EXECUTOR_MEMORY": "1g",
        "SPARK_SUBMIT_OPTS": f"{os.environ['SPARK_SUBMIT_OPTS']} -Dspark.ui.port={ui_port}",
    }
    command = [sys.executable, "-c", "from regatta.cli import main; main()", "train", str(config)]
    said = b""
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as job:
        assert job.stdout is not None
        try:
            while not said.rpartition(b"\n")[2].startswith(when):
                line = job.stdout.readline()
                assert line, said.decode()
                said = said.rstrip(b"\n") + b"\n" + line.rstrip()
            executor = executor_at_work(ui_port, meanwhile=job)
            if victim == "executor":
                os.kill(executor, signal.SIGKILL)
            else:
                os.killpg(os.getpgid(executor), signal.SIGKILL)  # the worker, and all that it had started
            said += job.stdout.read()
        finally:
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
            with of_the_tests({**lake_environment, **server_variables, **spark_cluster}):
                embedded.up(cluster=True, say=print)  # again two workers

    print(f"killed {victim} {executor}:\n{said.decode()}")
    assert job.returncode == 0, said.decode()
    assert_the_same(found(lake), standings)
    assert audit(lake).findings == ()


def executor_at_work(ui_port: int, *, meanwhile: subprocess.Popen[bytes]) -> int:
    """The pid of an executor that has done a few tasks of the job already, and is in the midst of another."""
    root = f"http://127.0.0.1:{ui_port}/api/v1/applications"
    while meanwhile.poll() is None:
        with suppress(OSError, StopIteration, ValueError):  # its page is up before it has an answer
            (application,) = _answer(root)
            executors = _answer(f"{root}/{application['id']}/executors")
            busy = next(one for one in executors if one["activeTasks"] and one["completedTasks"] > BEGUN)
            if busy["id"] != "driver":
                return _pid(f"--executor-id {busy['id']} ", f"--app-id {application['id']} ")
        time.sleep(0.01)
    raise AssertionError("the job ended, and no executor was seen at work")


def _answer(url: str) -> Any:
    with urlopen(url, timeout=5) as answer:
        return json.load(answer)


def _pid(*words: str) -> int:
    """Of the process whose command line has them all."""
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if folder.name.isdigit() and all(word in line for word in words):
                return int(folder.name)
    raise AssertionError(f"no process has {words} on its command line")
