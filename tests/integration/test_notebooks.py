"""The notebooks, cell by cell in a real kernel, on a small lake on the real MinIO."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import nbformat
import pandas as pd
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from pyspark.sql import SparkSession

import ingest
import score
import train
from machine import of_the_tests
from regatta import config
from regatta.config.table import Role
from regatta.evaluation.runs import runs
from regatta.exploration.arrivals import arrivals, reasons
from regatta.lake import Lake, layout
from regatta.lake.landing import land
from regatta.runtime.identities import Identity
from regatta.runtime.job import run
from regatta.runtime.local.servers import lake_variables
from regatta.runtime.local.state import StateFolder

# pyspark and the kernel's client leave their sockets to the garbage collector.
pytestmark = [
    pytest.mark.timeout(1800),  # the lake that they read is trained in a fixture
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

ROOT = Path(__file__).parents[2]
SALES = ROOT / "data" / "house_prices" / "train"
INVOICES = ROOT / "data" / "retail_sales" / "train.zip"
GRIDS = {
    "house_prices": """\
candidates:
  random_forest:     {encoding: target, numTrees: 3, maxDepth: 4}
  linear_regression: {encoding: one_hot, regParam: 0.01}
""",
    "retail_sales": """\
candidates:
  linear_regression: {encoding: one_hot, regParam: 1.0}
""",
}
OLDER = "2014-05-31-forest"
PRODUCTS, FROM, CUT = 6, "2011-09-12", "2011-11-20"


def small(name: str, *changes: tuple[str, str]) -> str:
    """One of our use cases with a grid that is trained in seconds."""
    whole = (ROOT / "conf" / f"{name}.yaml").read_text(encoding="utf-8")
    head, rest = whole.split("candidates:", 1)
    text = head + GRIDS[name] + rest[rest.index("\n\n") :]
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


class Bench:
    """A use case in the tests' lake, and its jobs as spark-submit calls them."""

    def __init__(self, folder: Path, name: str, *changes: tuple[str, str]) -> None:
        self.file = folder / f"{name}.yaml"
        self.file.write_text(small(name, *changes), encoding="utf-8")
        self.lake = Lake.of(config.load(self.file))

    def land(self, file: Path, day: str, role: Role = "train") -> None:
        at = datetime.fromisoformat(day).replace(hour=22, tzinfo=UTC)
        land(self.lake.store, self.lake.use_case, [file], delivery=file.stem, role=role, delivered_at=at)

    def run(self, job: ModuleType, *given: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["job.py", "--config", str(self.file), *given])
            with pytest.raises(SystemExit) as ended:
                run("verb", job.main, getattr(job, "FLAGS", ()))
        assert not ended.value.code


@pytest.fixture(scope="module")
def a_lake(
    lake_environment: dict[str, str], lake_spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The variables of a lake with both use cases in small: houses with two runs, a panel with a forecast."""
    folder = tmp_path_factory.mktemp("notebooks")
    variables = {
        **lake_environment,
        "REGATTA_LAKE": "s3a://regatta/notebooks",
        "REGATTA_MASTER": "",
        "MLFLOW_TRACKING_URI": "",
    }
    with of_the_tests(variables):
        houses = Bench(folder, "house_prices", ("folds: 3", "folds: 2"), ("floor: {r2: 0.7}", "floor: {}"))
        houses.land(SALES / "2014-05.csv", "2014-05-31")
        houses.land(with_a_row_without_an_area(folder), "2014-06-30")
        for job in (ingest, train):
            houses.run(job)
        champion_before(houses.lake)

        shop = Bench(
            folder, "retail_sales", ("folds: 4", "folds: 2"), ("largest: 100", f"largest: {PRODUCTS}"),
            ("window: 20", "window: 6"), ("mean_90:        {mean: 90,", "mean_90:        {mean: 40,"),
        )  # fmt: skip
        for file, day in invoices(folder):
            shop.land(file, day)
        for job in (ingest, train):
            shop.run(job)
        enter(shop.lake, runs(shop.lake)[0].run_id)
        shop.run(score)
        yield {**variables, "houses": str(houses.file), "shop": str(shop.file)}


def champion_before(lake: Lake) -> None:
    """Publish the forest of the one run there is as an older run that reigns: in a second, and not a training's time."""
    (run,) = runs(lake)
    name, attempt = lake.use_case.use_case, lake.attempt()
    here, there = layout.run(run.run_id), layout.run(OLDER)
    own = attempt.uri("").removeprefix(lake.store.uri(""))
    forest, model = f"{here}models/random_forest/", f"{here}model/"
    pairs = []
    for file in (file.name for file in run.files if not file.name.startswith(model)):
        pairs.append((f"{name}/{file}", own + file.replace(here, there)))
        if file.startswith(forest):
            pairs.append((f"{name}/{file}", own + file.replace(forest, f"{there}model/")))
    lake.store.copy_all(pairs)
    record = run.model_copy(
        update={
            "attempt": attempt.id,
            "files": attempt.files(hashed=layout.loaded(OLDER)),
            "run_id": OLDER,
            "as_of": datetime(2014, 5, 31, tzinfo=UTC),
            "winner_family": "random_forest",
        }
    )
    lake.runs.publish(there, record)
    enter(lake, OLDER)


def enter(lake: Lake, run_id: str) -> None:
    """Into the champion log, whatever the gate says."""
    lake.champions.append(after=[], action="promote", run_id=run_id, metrics={}, reason="the first")


def with_a_row_without_an_area(folder: Path) -> Path:
    """June, and one sale more than it had."""
    lines = (SALES / "2014-06.csv").read_text(encoding="utf-8").splitlines()
    cells = lines[-1].split(",")
    cells[0], cells[5] = '"0000000001"', ""  # id, sqft_living
    (folder / "2014-06.csv").write_text("\n".join([*lines, ",".join(cells)]) + "\n", encoding="utf-8")
    return folder / "2014-06.csv"


def invoices(folder: Path) -> list[tuple[Path, str]]:
    """Two deliveries of the lines of a few products, from `FROM` to `CUT` and from there on."""
    with ZipFile(INVOICES) as packed:
        days = [name for name in sorted(packed.namelist()) if name >= FROM]
        lines = pd.concat([pd.read_csv(packed.open(name), dtype=str) for name in days])
    largest = lines["StockCode"].value_counts().head(PRODUCTS).index
    kept = lines[lines["StockCode"].isin(largest)]
    early = kept["InvoiceDate"] < CUT
    parts = {"autumn": (kept[early], CUT), "december": (kept[~early], "2011-12-09")}
    found = []
    for name, (part, day) in parts.items():
        part.to_csv(folder / f"{name}.csv", index=False)
        found.append((folder / f"{name}.csv", day))
    return found


@pytest.fixture(scope="module")
def kernel(a_lake: dict[str, str]) -> Iterator[KernelManager]:
    """One kernel for all, as each would start a JVM of its own; with the keys that `regatta notebook` gives."""
    reader = lake_variables(StateFolder(Path(a_lake["REGATTA_HOME"])), Identity.READER)
    variables = {**os.environ, **a_lake, **reader, "REGATTA_DRIVER_MEMORY": "1g", "REGATTA_DECIDE": "yes"}
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=variables, cwd=str(ROOT / "notebooks"))
    yield manager
    manager.shutdown_kernel(now=True)


def executed(
    kernel: KernelManager,
    cells: Sequence[nbformat.NotebookNode],
    use_case: str,
    *,
    allow_errors: bool = False,
) -> list[nbformat.NotebookNode]:
    """The cells with their outputs, run in a namespace that is empty before them."""
    fresh = nbformat.v4.new_code_cell(
        f"%reset -f\nimport os\nos.environ['REGATTA_USE_CASE'] = {use_case!r}\ndel os"
    )
    notebook = nbformat.v4.new_notebook(cells=[fresh, *cells])
    client = NotebookClient(notebook, km=kernel, timeout=300, allow_errors=allow_errors)
    try:
        client.execute()
    finally:
        client.kc.stop_channels()
    return notebook.cells[1:]


def notebook(name: str) -> list[nbformat.NotebookNode]:
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells


def said(cells: Sequence[nbformat.NotebookNode]) -> str:
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return "\n".join(
        str(output.get("text", "")) + str(output.get("data", {}).get("text/html", "")) for output in outputs
    )


def test_what_arrived_is_told_by_the_records(a_lake: dict[str, str]) -> None:
    lake = Lake.of(config.load(Path(a_lake["houses"])))
    told = arrivals(lake)
    assert told["delivery"].to_list() == ["2014-05", "2014-06"]
    assert told["rejected"].to_list() == [0, 1]
    assert (told["accepted"] + told["rejected"] == told["rows"]).all()
    assert reasons(lake).to_numpy().tolist() == [["sqft_living: is required", "rejected", 1]]


def test_the_houses_are_explored(kernel: KernelManager, a_lake: dict[str, str]) -> None:
    told = said(executed(kernel, notebook("explore_house_prices"), a_lake["houses"]))
    assert "sales to learn from" in told
    assert "skewness" in told


def test_a_run_is_validated_promoted_refused_and_rolled_back(
    kernel: KernelManager, a_lake: dict[str, str]
) -> None:
    told = said(executed(kernel, notebook("validate_and_select"), a_lake["houses"]))
    lake = Lake.of(config.load(Path(a_lake["houses"])))
    newest, oldest = (one.run_id for one in runs(lake))
    assert "the gate agrees: " in told
    assert f"run {oldest}: rmse " in told  # refused
    assert "--force REASON would overrule the gate" in told
    assert [(entry.action, entry.run_id) for entry in lake.champions.entries()] == [
        ("promote", oldest),
        ("promote", newest),
        ("rollback", oldest),
        ("rollback", newest),
    ]


def test_a_panel_is_shown_with_its_forecast(kernel: KernelManager, a_lake: dict[str, str]) -> None:
    cells = executed(kernel, notebook("forecast_retail_sales"), a_lake["shop"])
    pictures = [o for cell in cells for o in cell.get("outputs", ()) if "image/png" in o.get("data", {})]
    assert len(pictures) >= 8


FIRST = "from regatta.notebook import lake_of, session\nspark, lake = session(), lake_of(os.environ['REGATTA_USE_CASE'])"
EVIDENCE = (
    "from regatta.evaluation.runs import chosen\nfrom regatta.reporting.evidence import Evidence\n"
    "Evidence.of(lake, chosen(lake))"
)


def error(kernel: KernelManager, use_case: str, *lines: str) -> str:
    """What the last cell shows instead of a result."""
    cells = [nbformat.v4.new_code_cell(text) for text in ("import os\n" + FIRST, *lines)]
    *before, last = executed(kernel, cells, use_case, allow_errors=True)
    assert not [o for cell in before for o in cell.outputs if o.output_type == "error"]
    (output,) = [one for one in last.outputs if one.output_type == "error"]
    return "\n".join(output.traceback)


def test_a_lake_without_runs_is_told_in_a_sentence(
    kernel: KernelManager, a_lake: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "empty.yaml").write_text(small("house_prices", ("use_case: house_prices", "use_case: empty")))
    told = error(kernel, str(tmp_path / "empty.yaml"), EVIDENCE)
    assert told == "empty: nothing has been trained yet\n  regatta train empty"
    told = error(kernel, a_lake["houses"], "spark.read.parquet(lake.uri('scores'))")
    assert told == f"{Lake.of(config.load(Path(a_lake['houses']))).uri('scores')}: nothing is there yet\n" + (
        "  see `regatta summary USE_CASE`"
    )


def test_a_run_whose_holdout_is_gone_is_told_in_a_sentence(
    kernel: KernelManager, a_lake: dict[str, str], tmp_path: Path
) -> None:
    lake = Lake.of(config.load(Path(a_lake["houses"])))
    name = "without_holdout"
    run = runs(lake)[0]
    (tmp_path / "houses.yaml").write_text(
        small("house_prices", ("use_case: house_prices", f"use_case: {name}"))
    )
    lake.store.put_new(f"{name}/{layout.run(run.run_id)}{layout.RECORD}", run.as_bytes())
    told = error(kernel, str(tmp_path / "houses.yaml"), EVIDENCE)
    assert told.splitlines()[0].endswith("a record names this file, and it is gone")
    assert "holdout" in told.splitlines()[0]
    assert len(told.splitlines()) == 2


def test_a_reader_without_rights_is_told_in_a_sentence(kernel: KernelManager, a_lake: dict[str, str]) -> None:
    stranger = (
        "conf = spark.sparkContext._jsc.hadoopConfiguration()\n"
        "for key in ('access.key', 'secret.key'):\n"
        "    conf.set(f'fs.s3a.bucket.forbidden.{key}', 'nobody')"
    )
    told = error(kernel, a_lake["houses"], stranger, "spark.read.parquet('s3a://forbidden/scores')")
    assert told.splitlines()[0] == "s3a://forbidden/scores: the lake refuses these credentials"
    assert len(told.splitlines()) == 2
    promoting = "from regatta.evaluation.promotion import roll_back\nroll_back(lake, 'by a reader')"
    told = error(kernel, a_lake["houses"], promoting)
    assert ": the lake refuses these credentials (AccessDenied)" in told
    assert len(told.splitlines()) == 2


def test_a_bug_keeps_its_traceback(kernel: KernelManager, a_lake: dict[str, str]) -> None:
    assert "ZeroDivisionError" in error(kernel, a_lake["houses"], "1 / 0")
    told = error(kernel, a_lake["houses"], "spark.sql('SELECT nothing_of_the_kind')")
    assert "UNRESOLVED_COLUMN" in told
    assert "Traceback" in told
