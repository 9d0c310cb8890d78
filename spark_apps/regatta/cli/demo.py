"""One command from raw CSV to scored parquet: what a stranger runs first."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import click

from regatta.cli import readers
from regatta.cli.landing import end_of, land_files
from regatta.cli.use_case import UseCaseFile, use_case_argument
from regatta.cli.verbs import run
from regatta.config.table import Role
from regatta.errors import ExitCode, InputError
from regatta.lake import layout
from regatta.lake.deliveries import deliveries
from regatta.lake.provenance import code_version, fingerprint, run_id
from regatta.reporting import tables
from regatta.runtime.local import embedded
from regatta.runtime.local.state import StateFolder
from regatta.runtime.progress import result, say
from regatta.runtime.submit import path_shown, project_root
from regatta.scoring.batches import batches, forecast_id

ROLES: tuple[Role, ...] = ("train", "score")
EXAMPLES = ("*.csv", "*.csv.gz", "*.parquet")


@click.command()
@use_case_argument
def demo(file: UseCaseFile) -> int:
    """Start the servers, land the example data, run every verb, and show what came out.

    Ends with 3 where the gate refuses the first run.
    """
    started = time.monotonic()
    ended: int = ExitCode.DONE
    embedded.up(say=say, await_mlflow=False)
    _land_examples(file)
    if not _all_done(file):
        for verb in ("ingest", "train", "promote", "score"):
            if verb == "train":
                embedded.await_mlflow(say=say)
            say(f"\n== {verb}")
            code = run(verb, file)
            if code not in (ExitCode.DONE, ExitCode.REFUSED):
                return code
            if code == ExitCode.REFUSED and file.lake("demo").champions.reigning() is None:
                ended = code
                break
    else:
        say("every delivery is ingested, trained on and scored: there is nothing to do")
    _show(file)
    say(f"\ndone in {time.monotonic() - started:.0f} s; `make down` ends the servers, and the data stays")
    return ended


def _land_examples(file: UseCaseFile) -> None:
    """Land the files of data/<use case>/<role>/ or <role>.zip, a delivery each, unless that was done before."""
    lake = file.lake("land")
    for role in ROLES:
        source = file.use_case.source(role)
        if source is None:
            continue
        known = {delivery.delivery for delivery in deliveries(lake.store, source)}
        with _examples(file, role) as examples:
            for example in examples:
                if _delivery(example) not in known:
                    result(_landed(file, example, role))
        if not examples and not known and role == "train":
            raise InputError(
                f"there is nothing to train on: no delivery in the lake, and no file in data/{file.name}/train/",
                way_out=f"regatta land {file.called} FILE... --delivery ID",
            )


@contextmanager
def _examples(file: UseCaseFile, role: Role) -> Iterator[list[Path]]:
    """The files that the project brings for a use case and role, in a folder or packed in an archive."""
    folder = project_root() / "data" / file.name / role
    archive = folder.with_suffix(".zip")
    with TemporaryDirectory() as unpacked:
        if archive.is_file():
            folder = Path(unpacked)
            with ZipFile(archive) as packed:
                packed.extractall(folder)
        yield sorted(example for kind in EXAMPLES for example in folder.glob(kind))


def _delivery(example: Path) -> str:
    return example.name.partition(".")[0]


def _landed(file: UseCaseFile, example: Path, role: Role) -> str:
    name = _delivery(example)
    try:
        moment = end_of(name)
    except InputError:
        moment = None
    return land_files(file, [str(example)], delivery=name, role=role, delivered_at=moment)


def _all_done(file: UseCaseFile) -> bool:
    """Whether every verb would say that there is nothing to do: asked of the records, in a second."""
    lake, contract = file.lake("demo"), file.use_case.contract
    ingested = {
        role: [lake.ingested.get(layout.accepted(contract, name)) for name in _names(file, role)]
        for role in ROLES
    }
    reigning = lake.champions.reigning()
    if reigning is None or any(record is None for records in ingested.values() for record in records):
        return False
    taken = [record for record in ingested["train"] if record and not record.refused]
    if not taken:
        return False
    newest = max(record.delivered_at for record in taken)
    observed = file.use_case.observed_from
    read = [record for role in observed for record in ingested[role] if record and not record.refused]
    name = run_id(file.use_case, newest, fingerprint(read), code_version())
    if lake.run(name) is None:
        return False
    if file.use_case.panel is not None:
        return lake.batches.get(layout.batch(reigning.number, forecast_id(read))) is not None
    scored = [record.delivery for record in ingested["score"] if record and not record.refused]
    return not scored or lake.batches.get(layout.batch(reigning.number, f"delivery-{scored[-1]}")) is not None


def _names(file: UseCaseFile, role: Role) -> list[str]:
    source = file.use_case.source(role)
    return [one.delivery for one in deliveries(file.lake("demo").store, source)] if source else []


def _show(file: UseCaseFile) -> None:
    """The leaderboard, the champion, ten scored rows, and where to look next."""
    lake, called = file.lake("demo"), quote(file.called)
    console = tables.paper()
    console.print(tables.leaderboard(readers.leaderboard(lake)))
    if (champion := lake.champions.reigning()) is None:
        result("\nno champion: the gate has refused every run so far, and nothing is scored\n")
    else:
        result(f"\nchampion {champion.number}: run {champion.run_id}\n  {champion.reason}\n")
        if not batches(lake):
            said = f"regatta land {called} FILE --delivery ID --role score, then make demo USE_CASE={called} again"
            result(f"nothing has been landed to be scored: {said}\n")
        else:
            console.print(tables.scores(readers.scores(lake, head=10), file.use_case))
    where = {
        "MinIO console": _console(),
        "MLflow": embedded.mlflow() or "not tracked",
        "accepted rows": lake.uri(layout.accepted(file.use_case.contract)),
        "rejected rows": lake.uri(layout.rejected(file.use_case.contract)),
        "runs": lake.uri("runs/"),
        "scores": lake.uri("scores/"),
        "the shell": 'eval "$(.venv/bin/regatta env)" sets what aws, boto3 and spark need to read the lake',
        "again": f".venv/bin/regatta leaderboard {called} | runs | history | scores --head 20",
    }
    result("\nWhere to look next")
    for what, place in where.items():
        result(f"  {what:<14} {place}")


def _console() -> str:
    running = {server.name: server.state for server in embedded.status()}
    if running.get("minio") != "up":
        return os.environ.get("AWS_ENDPOINT_URL", "")
    return (
        f"{embedded.console_address()}  (root's account: {path_shown(StateFolder().root)}/credentials.json)"
    )
