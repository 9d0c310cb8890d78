"""Tell, as JSON, what DAGs Airflow makes of a folder of use-case files. Run by Airflow's own Python."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from spark_job import SparkJob
from use_case_bundle import UseCaseBundle

TICK = datetime(2026, 11, 22, tzinfo=UTC)
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
HEAVY = ("boto3", "pyspark", "pandas", "mlflow", "sqlglot", "ruamel", "regatta")
XCOMS = {"train": "2026-11-21-0a1b2c3d", "champion": 7}

RUNS: dict[str, dict[str, Any]] = {
    "scheduled": {"run_type": "scheduled"},
    "by hand": {"run_type": "manual", "logical_date": NOW},
    "by hand, without a date": {"run_type": "manual"},
    "by an event": {"run_type": "asset_triggered"},
    "backfill": {"run_type": "backfill"},
    "as of a day": {"run_type": "manual", "params": {"as_of": "2026-10-31"}},
    "asked for all": {
        "run_type": "backfill",
        "params": {"candidates": ["linear_regression"], "force": "a new market", "into_service": True},
    },
}


def lines(dag: DAG, run: dict[str, Any]) -> dict[str, str]:
    """The spark-submit line of every job of a run, by task."""
    looks_back = run["run_type"] in ("scheduled", "backfill")
    told: dict[str, Any] = {
        "params": {**{name: dag.params[name] for name in dag.params}, **run.get("params", {})},
        "dag_run": SimpleNamespace(
            run_type=run["run_type"], run_after=NOW, logical_date=run.get("logical_date")
        ),
        "ti": SimpleNamespace(xcom_pull=lambda task_ids, key="return_value": XCOMS.get(task_ids)),
    }
    if looks_back:
        told["data_interval_end"] = TICK
    found = {}
    for task in dag.topological_sort():
        if isinstance(task, SparkJob):
            copy = task.prepare_for_execution()
            copy.render_template_fields(told)
            found[task.task_id] = copy.job_hook({})._build_spark_submit_command(copy.application)
    return found


def described(dag: DAG) -> dict[str, Any]:
    """Of one DAG, what a policy may ask for."""
    return {
        "schedule": str(dag.schedule),
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "tags": sorted(dag.tags),
        "doc": dag.doc_md,
        "params": {
            name: {**param.schema, "description": param.description}
            for name, param in ((name, dag.params.get_param(name)) for name in dag.params)
        },
        "tasks": {
            task.task_id: {
                "owner": task.owner,
                "pool": task.pool,
                "retries": task.retries,
                "backoff": bool(task.retry_exponential_backoff),
                "timeout": task.execution_timeout.total_seconds() if task.execution_timeout else None,
                "tells": bool(task.on_failure_callback),
                "after": sorted(task.upstream_task_ids),
                "trigger_rule": task.trigger_rule.value,
                "is_a_job": isinstance(task, SparkJob),
                "emits": [outlet.name for outlet in task.outlets],
            }
            for task in dag.topological_sort()
        },
        "lines": {name: lines(dag, run) for name, run in RUNS.items()},
    }


def main(conf: str) -> None:
    """Print the DAGs and the import errors."""
    bundle = UseCaseBundle(name="use_cases", conf=conf)
    bundle.initialize()
    for module in [name for name in sys.modules if name.partition(".")[0] in HEAVY]:
        del sys.modules[module]  # of reading the files; parsing what was made of them must not bring it back
    bag = DagBag(bundle.path, bundle_path=bundle.path)
    heavy = sorted({name.partition(".")[0] for name in sys.modules} & {*HEAVY})
    told = {
        "dags": {name: described(dag) for name, dag in sorted(bag.dags.items())},
        "errors": bag.import_errors,
        "heavy": heavy,
    }
    Path(sys.argv[2]).write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
