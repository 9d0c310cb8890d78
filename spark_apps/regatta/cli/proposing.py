"""A first use-case file, and the schema by which editors complete one."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from regatta.config.schema import json_schema
from regatta.errors import InputError
from regatta.runtime.progress import result, say
from regatta.runtime.submit import path_shown, use_case_file

if TYPE_CHECKING:
    from regatta.proposal.proposal import Proposal


@click.command()
@click.argument("name", metavar="USE_CASE")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--label", metavar="COLUMN", help="What is to be predicted; asked for where it is not evident.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(name: str, file: Path, label: str | None, force: bool) -> None:
    """Propose conf/USE_CASE.yaml from a table, with comments: separator, types, categories, dates, key, label."""
    from regatta.proposal.proposal import (
        propose,
    )  # what it sniffs with would cost every other command a second

    path = use_case_file(name)
    if path.exists() and not force:
        raise InputError("is there already", place=str(path), way_out="choose another name, or add --force")
    found = propose(path.stem, file, label)
    if not found.label.is_sure and sys.stdin.isatty():
        numbers = [guess.name for guess in found.columns if guess.is_number]
        say(f"numeric columns: {', '.join(numbers)}")
        found = propose(
            path.stem, file, click.prompt("which one is to be predicted?", found.label.guess.name)
        )
    try:
        path.write_text(found.text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=str(path)) from None
    result(f"wrote {path_shown(path)}: {_summary(found)}")
    for remark in found.remarks:
        result(f"  {remark}")
    if not found.label.is_sure:
        result(
            f"  {found.label.guess.name} is only a guess of what is to be predicted: look at it, or give --label COLUMN"
        )
    named, table = shlex.quote(name), shlex.quote(str(file))
    result(
        f"next: regatta land {named} {table} --delivery first; regatta doctor {named}; make demo USE_CASE={named}"
    )


@click.command()
def schema() -> None:
    """Print the JSON Schema of use-case files, by which editors complete and check them."""
    result(json_schema())


def _summary(found: Proposal) -> str:
    roles = [guess.role for guess in found.columns]
    inputs = roles.count("feature") + roles.count("category")
    key = next((guess.name for guess in found.columns if guess.role == "key"), "none")
    return f"{len(roles)} columns, {inputs} of them inputs; label {found.label.guess.name}, key {key}"
