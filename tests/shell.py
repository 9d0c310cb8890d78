"""A user's shell, in which the small use case of house prices goes the whole way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest

from canaries import Witness
from regatta.cli import main
from regatta.runtime.submit import VERBS, package

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data" / "house_prices"
SMALL_GRID = """\
candidates:
  random_forest:     {encoding: index, numTrees: [3], maxDepth: [4]}
  linear_regression: {encoding: one_hot, regParam: [0.01, 0.1]}
"""


@dataclass(frozen=True)
class Shell:
    """A user's shell: an environment, the small use case, and all that was said."""

    variables: Mapping[str, str]
    config: Path
    said: list[str] = field(default_factory=list)

    def regatta(self, verb: str, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `regatta VERB CONFIG ...` and hold its exit code against what is expected."""
        words = [verb, str(self.config), *arguments]
        done = (
            _in_a_process_of_its_own(words, self.variables) if verb in VERBS else _here(words, self.variables)
        )
        self.said.extend([done.stdout, done.stderr])
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


@dataclass(frozen=True)
class Done(Shell):
    """The same after everything was run, with who watched, and where Spark's event logs are."""

    witness: Witness = field(kw_only=True)
    events: Path = field(kw_only=True)


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
