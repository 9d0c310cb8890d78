"""Airflow's REST API, as far as the tests use it."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

PATIENCE = 420.0


@dataclass(frozen=True)
class Airflow:
    """A running Airflow, logged in to as its admin."""

    address: str
    token: str

    @classmethod
    def at(cls, address: str, passwords: Path) -> Airflow:
        account = {"username": "admin", "password": json.loads(passwords.read_text())["admin"]}
        return cls(address, cls(address, "")._call("POST", "/auth/token", account)["access_token"])

    def get(self, path: str) -> Any:
        return self._call("GET", f"/api/v2{path}")

    def post(self, path: str, **body: Any) -> Any:
        return self._call("POST", f"/api/v2{path}", body)

    def patch(self, path: str, **body: Any) -> Any:
        return self._call("PATCH", f"/api/v2{path}", body)

    def trigger(self, dag: str, **params: Any) -> str:
        """Start a run by hand; its id."""
        return str(self.post(f"/dags/{dag}/dagRuns", logical_date=None, conf=params)["dag_run_id"])

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """The oldest first."""
        found = self.get(f"/dags/{dag}/dagRuns?order_by=run_after")
        return list(found["dag_runs"])

    def run(self, dag: str, kind: str) -> str:
        """Wait for a run of a kind (scheduled, asset_triggered, ...) to be there; its id."""
        return str(
            self.until(
                lambda: next((one["dag_run_id"] for one in self.runs(dag) if one["run_type"] == kind), None),
                f"a {kind} run of {dag}",
            )
        )

    def state(self, dag: str, run: str) -> str:
        return str(self.get(f"/dags/{dag}/dagRuns/{quote(run)}")["state"])

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        found = self.get(f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in found}

    def states(self, dag: str, run: str) -> dict[str, str]:
        return {name: task["state"] for name, task in self.tasks(dag, run).items()}

    def finished(self, dag: str, run: str) -> str:
        """Wait for the end of a run; its state."""
        ends = ("success", "failed")
        return str(
            self.until(
                lambda: state if (state := self.state(dag, run)) in ends else None,
                f"the end of {run} of {dag}",
            )
        )

    def given(self, dag: str, run: str, task: str, key: str = "return_value") -> Any:
        """An XCom."""
        path = f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}/xcomEntries/{key}"
        return self.get(path)["value"]

    def clear(self, dag: str, run: str, task: str) -> None:
        """Let a task run again, with those after it."""
        self.post(
            f"/dags/{dag}/clearTaskInstances",
            dry_run=False,
            dag_run_id=run,
            task_ids=[task],
            only_failed=False,
            include_downstream=True,
        )

    def until(self, found: Any, what: str) -> Any:
        """Wait until something is there."""
        deadline = time.monotonic() + PATIENCE
        while (value := found()) is None:
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.5)
        return value

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(content) if content else None
