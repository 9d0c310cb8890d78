"""A run as one HTML page, in the lake and on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import click

from regatta.cli.use_case import UseCaseFile, use_case_argument
from regatta.evaluation.runs import chosen
from regatta.lake import layout
from regatta.runtime.progress import result, step
from regatta.runtime.submit import project_root


@click.command("report")
@use_case_argument
@click.option("--run", "run_id", metavar="RUN", help="By default the newest.")
@click.option("--json", "as_json", is_flag=True, help="For programs; with a link that works for seven days.")
def report(file: UseCaseFile, run_id: str | None, as_json: bool) -> None:
    """Write a run as one HTML page: what won and by how much, where it is wrong, what it goes by."""
    lake = file.lake("report")
    run = chosen(lake, run_id)
    with step("drawing"):
        from regatta.reporting.evidence import Evidence  # seconds that the other commands need not wait
        from regatta.reporting.page import page

        content = page(Evidence.of(lake, run)).encode()
        name = layout.report(run.run_id)
        key = f"{file.name}/{name}"
        lake.store.put(key, content, "text/html; charset=utf-8")
    local = project_root() / "build" / "reports" / file.name / Path(name).name
    local.parent.mkdir(parents=True, exist_ok=True)
    local.write_bytes(content)
    if as_json:
        result(json.dumps({"page": lake.uri(name), "copy": str(local), "link": lake.store.link(key)}))
        return
    result(lake.uri(name))
    result(str(local))
