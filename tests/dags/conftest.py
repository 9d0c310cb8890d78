"""Airflow in its own environment, asked by programs that run there: what it makes of use-case files."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from regatta.errors import InputError
from tea import SMALL

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PYTHON = ROOT / ".venv-airflow" / "bin" / "python"

Ask = Callable[..., Any]

TEA = SMALL.replace("use_case: tea", "use_case: tea\ntitle: Tea prices").replace(
    "  sales: {role: train}", "  sales: {role: train}\n  offers: {role: score}"
)


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Runs a program of this folder by Airflow's Python; gives back the JSON that it wrote."""
    if not PYTHON.is_file():
        raise InputError("Airflow is not installed", place=str(PYTHON), way_out="make setup-airflow")
    home = tmp_path_factory.mktemp("airflow")

    def run(program: str, *words: str, variables: Mapping[str, str] | None = None) -> Any:
        answer = tmp_path_factory.mktemp("answer") / "answer.json"
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "AIRFLOW", "REGATTA_", "SPARK_", "PYSPARK_"))
        }
        theirs = {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACKS": "False",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
            "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps(
                {"conn_type": "spark", "host": "spark://127.0.0.1:7077"}
            ),
            "PYTHONPATH": f"{ROOT / 'airflow/dags'}:{ROOT / 'spark_apps'}",
            "REGATTA_DRIVER_MEMORY": "2g",
            "REGATTA_EXECUTOR_MEMORY": "1g",
        }
        done = subprocess.run(
            [PYTHON, HERE / program, *words, answer],
            env={**clean, **theirs, **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return json.loads(answer.read_text())

    return run


@pytest.fixture(scope="session")
def use_case_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole use case, one without listings, one that is only run when asked, and a faulty one."""
    folder = tmp_path_factory.mktemp("conf")
    for name, text in {
        "tea": f"{TEA}schedule: {{retrain: '0 4 * * 1', score: '@daily'}}\n",
        "coffee": SMALL.replace("use_case: tea", "use_case: coffee"),
        "mate": SMALL.replace("use_case: tea", "use_case: mate") + "schedule: null\n",
        "cocoa": SMALL.replace("use_case: tea", "use_case: cocoa").replace("role: label", "role: lable"),
    }.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture(scope="session")
def seen(ask: Ask, use_case_files: Path) -> Any:
    """What Airflow makes of the folder."""
    return ask("describe.py", str(use_case_files))
