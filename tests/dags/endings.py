"""Run a job's task for each way its process can end, and tell as JSON what Airflow sees. Run by Airflow's Python.

spark-submit is a program that stands in for it on PATH: it ends with $CODE, and leaves an outcome unless it died.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
from airflow.sdk import Asset, AssetAlias

from spark_job import SparkJob

CODES = (0, 1, 2, 3, 4, 137)
LEFT = {"run": "2026-11-21-0a1b2c3d", "champion": 7, "changed": True, "batches": []}


class Events:
    """As Airflow's own: what was added to an alias."""

    def __init__(self) -> None:
        self.added: list[dict[str, Any]] = []

    def __getitem__(self, alias: AssetAlias) -> Events:
        return self

    def add(self, asset: Asset, extra: dict[str, Any]) -> None:
        self.added.append({"asset": asset.name, **extra})


def job(**flags: str) -> SparkJob:
    asset = Asset(name="tea_champion", uri="regatta://champion/tea")
    return SparkJob(
        task_id="promote",
        verb="promote",
        config="conf/tea.yaml",
        flags=flags,
        gives="champion",
        announces=(AssetAlias("changed"), asset),
    )


def ended(code: int, left: dict[str, Any] | None, try_number: int = 1) -> dict[str, Any]:
    """What Airflow sees of a process that ends with the code."""
    os.environ["CODE"] = str(code)
    os.environ["LEFT"] = json.dumps({**left, "exit_code": code}) if left else ""
    pushed: dict[str, str] = {}
    events = Events()
    ti = SimpleNamespace(try_number=try_number, xcom_push=pushed.__setitem__)
    told: dict[str, Any] = {"given": None, "raised": None, "said": None}
    try:
        told["given"] = job().execute({"ti": ti, "outlet_events": events})
    except Exception as error:
        told |= {"raised": type(error).__name__, "said": str(error)}
    return {**told, "pushed": pushed, "events": events.added}


def killed() -> dict[str, Any]:
    """What lives of a job that is ended while it runs: it, its child and its grandchild."""
    os.environ["CODE"] = "sleep"
    task = job()
    outcome: list[str] = []

    def run() -> None:
        try:
            task.execute({"ti": SimpleNamespace(try_number=1), "outlet_events": Events()})
        except Exception as error:
            outcome.append(type(error).__name__)

    running = threading.Thread(target=run)
    running.start()
    family: list[psutil.Process] = []
    while len(family) < 3:
        time.sleep(0.1)
        family = [one for one in psutil.Process().children(recursive=True) if one.is_running()]
    task.on_kill()
    running.join()
    return {"began": len(family), "left": sum(one.is_running() for one in family), "raised": outcome}


def main() -> None:
    """Write all of it to the file that is named."""
    sentences = {3: "run x: worse than the champion's", 2: "conf/tea.yaml has 1 fault", 4: "the lake is away"}
    told: dict[str, Any] = {
        str(code): ended(
            code, {**LEFT, "sentence": sentences.get(code, "a bug: ValueError: x" if code else "")}
        )
        for code in CODES
        if code != 137
    }
    told["137"] = ended(137, None)
    told["unchanged"] = ended(0, {**LEFT, "changed": False, "sentence": ""})
    told["unchanged, tried before"] = ended(0, {**LEFT, "changed": False, "sentence": ""}, try_number=2)
    told["killed"] = killed()
    Path(sys.argv[1]).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
