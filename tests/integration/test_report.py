"""`regatta report` on a real run in a real lake."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

from regatta.cli import group
from regatta.errors import InputError
from regatta.lake import Lake, layout
from small_runs import publish_run, use_case, yaml

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def lake(in_the_lake: None, request: pytest.FixtureRequest) -> Lake:
    """The lake of a use case that no other test has."""
    return Lake.of(use_case(f"report_{abs(hash(request.node.name)) % 10**9}"))


@pytest.fixture
def file(lake: Lake, tmp_path: Path) -> str:
    (tmp_path / "houses.yaml").write_text(yaml(lake.use_case.use_case))
    return str(tmp_path / "houses.yaml")


def test_the_page_of_a_run_stands_in_the_lake_and_on_this_machine(
    lake: Lake, lake_spark: SparkSession, file: str
) -> None:
    publish_run(lake_spark, lake, "one")
    for _ in range(2):  # it may be written again
        answer = CliRunner().invoke(group, ["report", file])
        assert answer.exit_code == 0, answer.output
    uri, local = answer.output.splitlines()[-2:]
    name = lake.use_case.use_case
    assert uri == lake.uri(layout.report("one"))
    in_the_lake = lake.store.get(f"{name}/{layout.report('one')}")
    assert in_the_lake == Path(local).read_bytes()
    text = (in_the_lake or b"").decode()
    assert "linear_regression regParam=0.0: rmse" in text
    assert "What does linear regression go by?" in text
    Path(local).unlink()
    told = json.loads(CliRunner().invoke(group, ["report", file, "--json"]).output.splitlines()[-1])
    assert told["page"] == uri
    with urlopen(told["link"]) as page:  # without credentials
        assert page.read() == in_the_lake
    Path(local).unlink()


def test_a_lake_without_runs_and_a_run_without_its_holdout_are_told(
    lake: Lake, lake_spark: SparkSession, file: str
) -> None:
    assert "nothing has been trained yet" in str(CliRunner().invoke(group, ["report", file]).exception)
    run = publish_run(lake_spark, lake, "one")
    name = lake.use_case.use_case
    for folder in (f"{name}/", layout.attempt(name, run.attempt)):
        lake.store.delete(one.key for one in lake.store.files(f"{folder}runs/one/holdout/"))
    error = CliRunner().invoke(group, ["report", file]).exception
    assert isinstance(error, InputError)
    assert "holdout" in error.place
    assert error.fact == "a record names this file, and it is gone"
