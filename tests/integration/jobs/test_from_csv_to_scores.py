"""The whole way as its users go it: the command line, spark-submit, a real lake."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from canaries import Witness, left_in_the_lake, left_on_disk, secrets_of, shown
from machine import free_ports, of_the_tests
from regatta.runtime.local import embedded
from s3_client import s3_client
from shell import DATA, Done, Shell, shell, submit

pytestmark = pytest.mark.timeout(1800)  # a fixture here runs four jobs, each in a JVM of its own

HERE = "s3a://regatta/here"


@pytest.fixture(scope="module")
def done(
    lake_environment: dict[str, str],
    server_variables: dict[str, str],
    mlflow_uri: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Done:
    """Landed, ingested, trained, promoted and scored on this machine, each by who may do that and little else."""
    with of_the_tests({**server_variables, "REGATTA_LAKE": HERE}):
        embedded.up(mlflow=False, say=print)
    events = tmp_path_factory.mktemp("events")
    (ui_port,) = free_ports(1)
    watched = (
        f"{os.environ['SPARK_SUBMIT_OPTS']} -Dspark.ui.port={ui_port} "
        f"-Dspark.eventLog.enabled=true -Dspark.eventLog.dir={events.as_uri()}"
    )
    home = {"REGATTA_HOME": lake_environment["REGATTA_HOME"], "SPARK_SUBMIT_OPTS": watched}
    user = shell(home, tmp_path_factory.mktemp("user"), HERE)
    witness = Witness(ui_port)
    witness.start()
    user.land_all()
    for verb in ("ingest", "train", "promote", "score"):
        user.regatta(verb)
    witness.end()
    return Done(user.variables, user.config, user.said, witness=witness, events=events)


def test_every_listing_gets_a_price_from_the_champion(done: Shell):
    scores = json.loads(done.regatta("scores", "--head", "1000", "--json").stdout)

    assert len(scores) == 646
    assert all(50_000 < score["prediction"] < 10_000_000 for score in scores)
    (champion,) = done.read("history")
    board = done.read("leaderboard")
    assert champion["run_id"] == board["run_id"]
    assert board["standings"][0]["holdout"]["r2"] > 0.7


def test_no_secret_shows_anywhere(done: Done, lake_environment: dict[str, str]):
    home = Path(lake_environment["REGATTA_HOME"])
    seen = [(place, text) for place, texts in done.witness.seen.items() for text in texts]
    on_disk = [
        *left_on_disk(home / "logs", done.events),
        ("MLflow", (home / "mlflow.db").read_bytes().decode(errors="replace")),
    ]
    in_the_lake = [*left_in_the_lake(s3_client(lake_environment), "regatta", "here/")]
    everywhere = [*seen, *on_disk, *in_the_lake, ("what was said", "\n".join(done.said))]

    assert shown(secrets_of(home), everywhere) == []
    # these places hold what they are looked through for
    text = {place: "\n".join(text for found, text in seen if found == place) for place in done.witness.seen}
    assert "spark_apps/train.py" in text["command lines"]
    for place in ("Spark's page environment/", "Spark's REST environment"):
        assert "fs.s3a.secret.key" in text[place]
    assert any("SparkListenerEnvironmentUpdate" in one and "fs.s3a.secret.key" in one for _, one in on_disk)
    assert {Path(place).suffix for place, _ in in_the_lake} >= {".parquet", ".json", ".csv"}
    (run,) = done.read("runs")
    assert run["run_id"] in dict(on_disk)["MLflow"]


def test_the_same_rows_landed_again_train_nothing(done: Shell):
    before = done.read("runs")

    done.land_all()

    assert "nothing to train" in done.regatta("train").stdout
    assert done.read("runs") == before


def test_other_bytes_under_a_delivery_that_stands_are_refused(done: Shell):
    refused = done.regatta("land", str(DATA / "train" / "2014-07.csv"), "--delivery", "2014-05", expect=2)

    assert "Traceback" not in refused.stderr
    assert "2014-05" in refused.stderr


def test_a_dry_run_prints_the_line_and_runs_nothing(done: Shell, lake_environment: dict[str, str]):
    line = done.regatta("train", "--dry-run", "--as-of", "2014-06-30").stdout

    words = shlex.split(line)
    assert words[1:3] == ["--master", "local[*]"]
    assert words[-2:] == ["--as-of", "2014-06-30"]
    assert lake_environment["AWS_SECRET_ACCESS_KEY"] not in line


def test_a_lake_out_of_reach_ends_with_4_and_a_sentence(done: Shell, lake_environment: dict[str, str]):
    away = Shell(
        {**done.variables, **lake_environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, done.config
    )

    said = away.regatta("leaderboard", expect=4).stderr

    assert "the lake at http://127.0.0.1:9 cannot be reached" in said
    assert "Traceback" not in said


def test_the_published_model_predicts_where_this_package_cannot_be_imported(
    done: Shell, lake_environment: dict[str, str], bare_python: Path, tmp_path: Path
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
    said = submit(bare_python, script, {**done.variables, **lake_environment}, tmp_path)

    _, equal, rows = next(line for line in said.stdout.splitlines() if line.startswith("EQUAL")).split()
    assert equal == rows
    assert int(rows) > 500


def test_a_plain_reader_sees_each_scored_row_once(done: Shell, lake_environment: dict[str, str]):
    """By the objects alone, as `spark.read.parquet` on the plain path would find them."""
    s3 = s3_client(lake_environment)
    listed = s3.list_objects_v2(Bucket="regatta", Prefix="here/house_prices/scores/")["Contents"]
    names = [entry["Key"].rpartition("/")[2] for entry in listed]

    assert len([name for name in names if name.endswith(".parquet")]) == 1
    assert s3.list_multipart_uploads(Bucket="regatta").get("Uploads", []) == []
