"""Jobs on a standalone master and two workers that have this package from its zip alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from canaries import Witness, left_in_the_lake, left_on_disk, shown
from house import House
from machine import free_ports, of_the_tests
from regatta.config import load
from regatta.evaluation.runs import runs
from regatta.lake import Lake, Run, Store
from regatta.lake.audit import audit
from regatta.runtime.local import embedded, ports
from regatta.scoring.batches import batches
from regatta.selection.leaderboard import Leaderboard, Standing
from regatta.selection.native.executors import GROWING
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


def two_lines(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A notebook's first cell."""
    return subprocess.run(
        [sys.executable, "-c", TWO_LINES], env=variables, capture_output=True, text=True, check=False
    )


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

    cell = two_lines(variables)

    assert cell.stdout.split() == [spark_cluster["REGATTA_MASTER"], "50"], cell.stderr


@pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="takes long: make test-faults")
def test_a_cluster_with_a_secret_works_for_who_knows_it_alone_and_shows_it_nowhere(
    house: House,
    trees: Path,
    another: Callable[[str], Lake],
    lake_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    secret = {"cluster": "canary-of-the-cluster"}
    port, page, ui_port = free_ports(3)
    home, events = tmp_path / "home", tmp_path / "events"
    events.mkdir()
    apart = {
        **lake_environment,
        "REGATTA_HOME": str(home),
        "REGATTA_EXECUTOR_MEMORY": "1g",
        ports.SPARK.variable: str(port),
        ports.SPARK_UI.variable: str(page),
    }
    try:
        with of_the_tests({**apart, "REGATTA_SPARK_SECRET": secret["cluster"]}):
            master = embedded.up(cluster=True, say=print)["REGATTA_MASTER"]
        knows = {
            **house.variables,
            "REGATTA_EXECUTOR_MEMORY": "1g",
            "REGATTA_MASTER": master,
            "REGATTA_PATIENCE": "20",
            "REGATTA_SPARK_SECRET": secret["cluster"],
        }

        for strangers in ({"REGATTA_SPARK_SECRET": "another"}, {"REGATTA_SPARK_SECRET": ""}):
            refused = two_lines({**knows, **strangers})
            assert refused.returncode, refused.stdout
            assert "50" not in refused.stdout
        known = two_lines(knows)
        assert known.stdout.split() == [master, "50"], known.stderr

        lake, witness = another("secret"), Witness(ui_port)
        watched = (
            f"-Dspark.ui.port={ui_port} -Dspark.eventLog.enabled=true -Dspark.eventLog.dir={events.as_uri()}"
        )
        job = Shell(
            {
                **knows,
                "REGATTA_LAKE": "s3a://regatta/secret",
                "SPARK_SUBMIT_OPTS": f"{os.environ['SPARK_SUBMIT_OPTS']} {watched}",
            },
            trees,
        )
        witness.start()
        job.regatta("train")
        witness.end()
        pages = [(f"the master's {part}", _read(f"http://127.0.0.1:{page}/{part}")) for part in ("", "json/")]
    finally:
        with of_the_tests(apart):
            embedded.down(say=print)

    assert record_of(lake).engines["gbt"].place == "by 2 executors"
    seen = [(place, text) for place, texts in witness.seen.items() for text in texts]
    on_disk = [*left_on_disk(home, events)]
    in_the_lake = [*left_in_the_lake(s3_client(lake_environment), "regatta", "secret/")]
    everywhere = [*seen, *pages, *on_disk, *in_the_lake, ("what was said", "\n".join(job.said))]
    assert shown(secret, iter(everywhere)) == []
    # these places hold what they are looked through for
    for place in ("Spark's page environment/", "Spark's REST environment"):
        assert any("spark.authenticate.secret" in text for found, text in seen if found == place)
    assert any(
        "SparkListenerEnvironmentUpdate" in text and "spark.authenticate.secret" in text
        for _, text in on_disk
    )
    assert any(re.search(r"/app-[^/]+/\d+/stderr$", place) and text for place, text in on_disk)
    assert all("regatta train kills" in text for _, text in pages)


@pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="takes long: make test-faults")
@pytest.mark.parametrize(
    ("engine", "when"), [("mllib", b"splitting"), ("mllib", b"fit 1 of"), ("native", b"splitting")]
)
@pytest.mark.parametrize("victim", ["executor", "worker"])
def test_a_training_goes_on_when_an_executor_or_a_whole_worker_is_killed_mid_stage(
    house: House,
    trees: Path,
    another: Callable[[str], Lake],
    standings: tuple[Standing, ...],
    spark_cluster: dict[str, str],
    lake_environment: dict[str, str],
    server_variables: dict[str, str],
    tmp_path: Path,
    engine: str,
    when: bytes,
    victim: str,
) -> None:
    """Amid MLlib's race it has lost rows, and does it all again; natively a unit that dies with its executor is grown by
    the other one."""
    config, root = tmp_path / "trees.yaml", f"{engine}-{victim}-{when[:3].decode()}"
    config.write_text(trees.read_text() + f"engine: {engine}\n")
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
            find = executor_growing if engine == "native" else executor_at_work
            executor = find(ui_port, meanwhile=job)
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

    def busy(application: str) -> Iterator[str]:
        for one in _answer(f"{application}/executors"):
            if one["activeTasks"] and one["completedTasks"] > BEGUN:
                yield one["id"]

    return _pid_of_executor(ui_port, busy, meanwhile)


def executor_growing(ui_port: int, *, meanwhile: subprocess.Popen[bytes]) -> int:
    """The pid of an executor that is growing trees natively."""

    def busy(application: str) -> Iterator[str]:
        for stage in _answer(f"{application}/stages?status=active&details=true"):
            if stage.get("description") == GROWING:
                yield from (
                    task["executorId"] for task in stage["tasks"].values() if task["status"] == "RUNNING"
                )

    return _pid_of_executor(ui_port, busy, meanwhile)


def _pid_of_executor(
    ui_port: int, busy: Callable[[str], Iterator[str]], meanwhile: subprocess.Popen[bytes]
) -> int:
    """Of the first executor that `busy` finds in the application at an address."""
    root = f"http://127.0.0.1:{ui_port}/api/v1/applications"
    while meanwhile.poll() is None:
        with suppress(OSError, StopIteration, ValueError):  # its page is up before it has an answer
            (application,) = _answer(root)
            executor = next(one for one in busy(f"{root}/{application['id']}") if one != "driver")
            return _pid(f"--executor-id {executor} ", f"--app-id {application['id']} ")
        time.sleep(0.01)
    raise AssertionError("the job ended, and no executor was seen at work")


def _answer(url: str) -> Any:
    return json.loads(_read(url))


def _read(url: str) -> str:
    with urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def _pid(*words: str) -> int:
    """Of the process whose command line has them all."""
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if folder.name.isdigit() and all(word in line for word in words):
                return int(folder.name)
    raise AssertionError(f"no process has {words} on its command line")
