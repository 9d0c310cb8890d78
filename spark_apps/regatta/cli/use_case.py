"""How commands name a use case, and the lake they then read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from regatta import config
from regatta.config import UseCase
from regatta.lake import Lake
from regatta.runtime.identities import identity_of
from regatta.runtime.local.embedded import environment
from regatta.runtime.submit import use_case_file


@dataclass(frozen=True)
class UseCaseFile:
    """A use-case file that was read, and where it stands."""

    path: Path
    use_case: UseCase

    @property
    def name(self) -> str:
        """As the lake knows it."""
        return self.use_case.use_case

    @property
    def called(self) -> str:
        """As a command line names it: a file of conf/ by its name, another by its path."""
        return self.path.stem if use_case_file(self.path.stem) == self.path else str(self.path)

    def lake(self, verb: str) -> Lake:
        """The lake of the environment, or the embedded one while it is up: there with what the verb may do."""
        return Lake.of(self.use_case, environment(identity_of(verb)))


class _UseCaseType(click.ParamType[UseCaseFile]):
    """The name of a file in conf/, or a path to one."""

    name = "use_case"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> UseCaseFile:
        """Find, read and check the file."""
        path = use_case_file(value)
        return UseCaseFile(path, config.load(path))


use_case_argument = click.argument("file", type=_UseCaseType(), metavar="USE_CASE")
optional_use_case_argument = click.argument("file", type=_UseCaseType(), metavar="[USE_CASE]", required=False)
