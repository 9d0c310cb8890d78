"""The whole way as its users go it: the command line, spark-submit, a real lake; then the same on a real cluster."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from regatta.cli import main
from regatta.config import load
from regatta.lake import Lake, Store
from regatta.runtime.submit import VERBS, package
from s3_client import s3_client

pytestmark = pytest.mark.timeout(1800)  # a fixture here runs four jobs, each in a JVM of its own

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data" / "house_prices"
SMALL_GRID = """\
candidates:
  random_forest:     {encoding: index, numTrees: [3], maxDepth: [4]}
  gbt:               {encoding: index, maxIter: [1, 2], maxDepth: 2}
  linear_regression: {encoding: one_hot, regParam: [0.01, 0.1]}
"""


@dataclass(frozen=True)
class Shell:
    """A user's shell: an environment, and the small use case."""

    variables: Mapping[str, str]
    config: Path

    def regatta(self, verb: str, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `regatta VERB CONFIG ...` and hold its exit code against what is expected."""
        words = [verb, str(self.config), *arguments]
        done = (
            _in_a_process_of_its_own(words, self.variables) if verb in VERBS else _here(words, self.variables)
        )
        assert done.returncode == expect, (
            f"{verb} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        )
        return done

    def read(self, verb: str) -> object:
        """What `regatta VERB CONFIG --json` prints."""
        return json.loads(self.regatta(verb, "--json").stdout)

    def land_all(self) -> None:
        """Two months of sales, and the listings."""
        sales = [str(DATA / "train" / f"2014-{month}.csv") for month in ("05", "06")]
        self.regatta("land", *sales, "--each", "--delivered-at", "from-name")
        self.regatta("land", str(DATA / "score" / "2015-05.csv"), "--delivery", "2015-05", "--role", "score")


def _in_a_process_of_its_own(
    words: list[str], variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from regatta.cli import main; main()", *words]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def _here(words: list[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The same without the seconds that importing takes; for what runs no job."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in os.environ.keys() - variables.keys():
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(words)
    return subprocess.CompletedProcess(words, int(ended.value.code or 0), out.getvalue(), err.getvalue())


def shell(environment: Mapping[str, str], folder: Path, lake: str) -> Shell:
    whole = (ROOT / "conf" / "house_prices.yaml").read_text()
    head, rest = whole.split("candidates:", 1)
    tail = rest[rest.index("\nbaselines:") :]
    small = (head + SMALL_GRID + tail).replace("folds: 3", "folds: 2")
    config = folder / "house_prices.yaml"
    config.write_text(small.replace("partitions: 1", "partitions: 2"))  # a part for each worker
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MLFLOW_", "REGATTA_"))
    }
    variables = {
        **inherited,
        **environment,
        "REGATTA_LAKE": lake,
        "REGATTA_DRIVER_MEMORY": "1g",
        "REGATTA_EXECUTOR_MEMORY": "1g",
    }
    return Shell(variables, config)


@pytest.fixture(scope="module")
def done(lake_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Landed, ingested, trained, promoted and scored on this machine."""
    user = shell(lake_environment, tmp_path_factory.mktemp("user"), "s3a://regatta/here")
    user.land_all()
    for verb in ("ingest", "train", "promote", "score"):
        user.regatta(verb)
    return user


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with pyspark and all libraries, in which this package cannot be imported."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (libraries,) = folder.glob("lib/python*/site-packages")
    theirs = next(path for path in sys.path if path.endswith("site-packages"))
    (libraries / "libraries.pth").write_text(f"{theirs}\n")  # a path's own .pth files are not read
    python = folder / "bin" / "python"
    failed = subprocess.run(
        [python, "-c", "import pyspark; import regatta"], capture_output=True, text=True, check=False
    )
    assert "No module named 'regatta'" in failed.stderr
    return python


def test_every_listing_gets_a_price_from_the_champion(done: Shell):
    scores = json.loads(done.regatta("scores", "--head", "1000", "--json").stdout)

    assert len(scores) == 646
    assert all(50_000 < score["prediction"] < 10_000_000 for score in scores)
    (champion,) = done.read("history")
    board = done.read("leaderboard")
    assert champion["run_id"] == board["run_id"]
    assert board["standings"][0]["holdout"]["r2"] > 0.7


def test_the_same_rows_landed_again_train_nothing(done: Shell):
    before = done.read("runs")

    done.land_all()

    assert "nothing to train" in done.regatta("train").stdout
    assert done.read("runs") == before


def test_other_bytes_under_a_delivery_that_stands_are_refused(done: Shell):
    refused = done.regatta("land", str(DATA / "train" / "2014-07.csv"), "--delivery", "2014-05", expect=2)

    assert "Traceback" not in refused.stderr
    assert "2014-05" in refused.stderr


def test_a_dry_run_prints_the_line_and_runs_nothing(done: Shell):
    line = done.regatta("train", "--dry-run", "--as-of", "2014-06-30").stdout

    words = shlex.split(line)
    assert words[1:3] == ["--master", "local[*]"]
    assert words[-2:] == ["--as-of", "2014-06-30"]
    assert done.variables["AWS_SECRET_ACCESS_KEY"] not in line


def test_a_lake_out_of_reach_ends_with_4_and_a_sentence(done: Shell):
    away = Shell({**done.variables, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, done.config)

    said = away.regatta("leaderboard", expect=4).stderr

    assert "the lake at http://127.0.0.1:9 cannot be reached" in said
    assert "Traceback" not in said


def test_the_published_model_predicts_where_this_package_cannot_be_imported(
    done: Shell, bare_python: Path, tmp_path: Path
):
    (run,) = done.read("runs")
    script = tmp_path / "stranger.py"
    script.write_text(
        f"""
import sys
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession
try:
    import regatta
except ImportError:
    pass
else:
    sys.exit("the package is here")
spark = SparkSession.builder.getOrCreate()
root = "s3a://regatta/here/house_prices/runs/{run["run_id"]}"
holdout = spark.read.parquet(root + "/holdout")
again = PipelineModel.load(root + "/model").transform(holdout.withColumnRenamed("prediction", "before"))
print("EQUAL", again.where("abs(prediction - before) <= 1e-9 * before").count(), again.count())
"""
    )
    said = submit(bare_python, script, done.variables, tmp_path)

    _, equal, rows = next(line for line in said.stdout.splitlines() if line.startswith("EQUAL")).split()
    assert equal == rows
    assert int(rows) > 500


def test_a_cluster_that_has_only_the_zip_finds_the_same_leaderboard(
    done: Shell,
    lake_environment: dict[str, str],
    spark_cluster: dict[str, str],
    bare_python: Path,
    tmp_path: Path,
):
    user = shell(lake_environment, tmp_path, "s3a://regatta/there")
    copied = ("raw/", "house_prices/_attempts/", "house_prices/accepted/", "house_prices/rejected/")
    store = Store("s3a://regatta", s3_client(done.variables))
    names = [file.key.removeprefix("here/") for part in copied for file in store.files(f"here/{part}")]
    store.copy_all((f"here/{name}", f"there/{name}") for name in names)

    def job(verb: str) -> None:
        script = Path(shutil.copy(ROOT / "spark_apps" / f"{verb}.py", tmp_path))
        flags = ("--config", str(user.config))
        submit(bare_python, script, user.variables, tmp_path, *flags, master=spark_cluster["REGATTA_MASTER"])

    job("train")
    trained = user.read("leaderboard")["run_id"]
    champions = Lake(Store("s3a://regatta/there", s3_client(done.variables)), load(user.config)).champions
    champions.append(after=[], action="force", run_id=trained, metrics={}, reason="a test")
    job("score")

    here, there = done.read("leaderboard"), user.read("leaderboard")
    assert [line["candidate"] for line in there["standings"]] == [
        line["candidate"] for line in here["standings"]
    ]
    for one, other in zip(here["standings"], there["standings"], strict=True):
        for metric in ("rmse", "mae", "r2"):
            assert other["mean"][metric] == pytest.approx(one["mean"][metric], rel=1e-9)
    assert len(json.loads(user.regatta("scores", "--head", "1000", "--json").stdout)) == 646


def test_a_cluster_without_the_memory_for_an_executor_is_told_and_not_waited_for(
    done: Shell, spark_cluster: dict[str, str]
):
    greedy = {**done.variables, **spark_cluster, "REGATTA_EXECUTOR_MEMORY": "2g", "REGATTA_PATIENCE": "3"}
    user = Shell({**greedy, "REGATTA_LAKE": "s3a://regatta/here"}, done.config)

    said = user.regatta("train", "--as-of", "2014-05-31", expect=4).stdout

    assert "no executor after 3 s: all workers are busy, or have less memory than 2g" in said
    assert "Traceback" not in said


def test_a_plain_reader_sees_each_scored_row_once(done: Shell):
    """By the objects alone, as `spark.read.parquet` on the plain path would find them."""
    s3 = s3_client(done.variables)
    listed = s3.list_objects_v2(Bucket="regatta", Prefix="here/house_prices/scores/")["Contents"]
    names = [entry["Key"].rpartition("/")[2] for entry in listed]

    assert len([name for name in names if name.endswith(".parquet")]) == 1
    assert s3.list_multipart_uploads(Bucket="regatta").get("Uploads", []) == []


def submit(
    python: Path,
    script: Path,
    variables: Mapping[str, str],
    folder: Path,
    *arguments: str,
    master: str = "local[2]",
) -> subprocess.CompletedProcess[str]:
    """spark-submit as a stranger would: from a folder that holds the script, and the package as a zip alone."""
    import pyspark

    package(folder / "regatta.zip")
    words = [
        str(Path(pyspark.__file__).parent / "bin" / "spark-submit"),
        *("--master", master, "--driver-memory", "1g", "--executor-memory", "1g"),
        *("--properties-file", str(ROOT / "conf" / "spark-defaults.conf")),
        *(("--py-files", "regatta.zip") if arguments else ()),
        script.name,
        *arguments,
    ]
    environment = {**variables, "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{script.name} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    assert variables["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr + " ".join(words)
    return done
