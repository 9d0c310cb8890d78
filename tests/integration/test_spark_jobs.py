"""How many Spark jobs each verb runs: what is computed twice for want of a cache shows here first."""

from __future__ import annotations

from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from pyspark.sql import SparkSession

import ingest
import promote
import score
import train
from regatta import config
from regatta.lake import Lake
from regatta.lake.landing import land
from regatta.runtime.job import run
from small_runs import land_listings, yaml

# pyspark leaves the sockets of what it collects to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

TREES = """\
candidates:
  random_forest: {numTrees: [2, 3], maxDepth: [2, 3]}
  linear_regression: {regParam: [0.0, 0.1, 1.0]}
engine: native
"""
# Most of promote's and score's are MLlib's own, for loading a model: two or three a stage.
GOLDEN = {"ingest": 2, "train": 112, "promote": 26, "score": 25}


def test_each_verb_runs_as_many_jobs_as_it_did(
    in_the_lake: None, lake_spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_TRACKING_URI", "REGATTA_MASTER"):
        monkeypatch.setenv(name, "")
    file, chance = tmp_path / "counted.yaml", Random(7)
    text = yaml("counted", min_rows=10)
    file.write_text(text.replace("candidates: {linear_regression: {regParam: 0.0}}\n", TREES))
    lake = Lake.of(config.load(file))
    sales = [
        f"h{number:03d},{100 * size + 5_000 * grade},{size},{grade},{'AB'[number % 2]}"
        for number in range(200)
        for size, grade in [(chance.randint(500, 3_000), chance.randint(1, 10))]
    ]
    (tmp_path / "sales.csv").write_text("\n".join(["id,price,size,grade,zip", *sales, "bad,,,,"]) + "\n")
    land(lake.store, lake.use_case, [tmp_path / "sales.csv"], delivery="sales")
    land_listings(
        lake, tmp_path, "listed", [(f"n{number}", 1_000.0 + number, 5, "A") for number in range(50)], day=2
    )

    def jobs_of(verb: ModuleType) -> int:
        scheduler = lake_spark.sparkContext._jsc.sc().dagScheduler()
        before = scheduler.numTotalJobs()
        monkeypatch.setattr("sys.argv", ["job.py", "--config", str(file)])
        with pytest.raises(SystemExit) as ended:
            run("verb", verb.main, getattr(verb, "FLAGS", ()))
        assert not ended.value.code
        return int(scheduler.numTotalJobs() - before)

    assert {verb.__name__: jobs_of(verb) for verb in (ingest, train, promote, score)} == GOLDEN
    # What is done already takes none.
    assert {verb.__name__: jobs_of(verb) for verb in (ingest, train, score)} == {
        "ingest": 0, "train": 0, "score": 0,
    }  # fmt: skip
