"""The embedded lake on this machine: up, notebook, down, status, doctor, airflow, env."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

import click
from rich.table import Table

from regatta.cli.use_case import UseCaseFile, optional_use_case_argument
from regatta.cli.verbs import run
from regatta.reporting import tables
from regatta.runtime import doctor as checks
from regatta.runtime.identities import Identity
from regatta.runtime.local import embedded
from regatta.runtime.progress import result, say


@click.command()
@click.option("--cluster", is_flag=True, help="Also a Spark master and two workers of one core.")
@click.option(
    "--airflow", is_flag=True, help="Also the cluster, and Airflow with the DAGs of every use case."
)
def up(cluster: bool, airflow: bool) -> None:
    """Start MinIO and MLflow on this machine; harmless when they are up."""
    embedded.up(say=say, cluster=cluster, airflow=airflow)
    if airflow:
        address, passwords = embedded.airflow_address()
        result(f"Airflow: {address}, as admin with the password in {passwords}")


@click.command()
def notebook() -> None:
    """Start JupyterLab on this machine, with the lake and a Spark session at hand; `regatta down` ends it."""
    embedded.up(say=say, mlflow=False, notebook=True)
    result(f"JupyterLab: {embedded.notebook_address()}")


@click.command()
def down() -> None:
    """End what `up` started here, and nothing else. The data stays."""
    embedded.down(say=say)


@click.command()
def status() -> None:
    """Show which servers run, and where."""
    table = Table("server", "state", "pid", "address", "log")
    for server in embedded.status():
        pid = str(server.pid) if server.pid else ""
        table.add_row(server.name, server.state, pid, server.address, str(server.log))
    tables.paper().print(table)


@click.command()
@optional_use_case_argument
def doctor(file: UseCaseFile | None) -> int:
    """Check this machine and the lake, or what will go wrong with a use case's newest delivery."""
    if file is not None:
        return run("doctor", file)
    found = checks.doctor({**os.environ, **embedded.environment(Identity.ADMIN)})
    for check in found:
        result(f"{'ok   ' if check.ok else 'WRONG'} {check.name}: {check.found}")
        if not check.ok:
            result(f"      {check.what_to_do}")
    return checks.exit_code(found)


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="...")
def airflow(words: tuple[str, ...]) -> int:
    """Run Airflow's own command line for the Airflow of this machine, such as `backfill create`."""
    return embedded.airflow_command_line(words)


@click.command()
@click.option(
    "--as",
    "identity",
    type=click.Choice(Identity, case_sensitive=False),
    default=Identity.READER,
    show_default=True,
    help="Whose keys: commands in that shell then use these too, instead of those that each verb needs.",
)
def env(identity: Identity) -> None:
    """Print the variables that reach the embedded lake, for `eval "$(regatta env)"` in a shell."""
    for name, value in embedded.environment(identity).items():
        result(f"export {name}={shlex.quote(value)}")


SERVERS: Sequence[click.Command] = (up, notebook, down, status, doctor, airflow, env)
