"""What every spark-submit script has in common: its flags, its session, and how it ends.

A script in spark_apps/ holds a `main(job)` that reads, transforms and writes; `run` does the rest.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from regatta import config
from regatta.config import UseCase
from regatta.errors import ExitCode, RegattaError, Unreachable
from regatta.lake import Lake
from regatta.runtime.progress import say, step


@dataclass(frozen=True)
class Job:
    """One call of one verb: its use case, its flags, and lazily its lake and Spark session."""

    verb: str
    use_case: UseCase
    flags: argparse.Namespace

    @cached_property
    def lake(self) -> Lake:
        """The use case's lake, by the environment's AWS_ variables."""
        return Lake.of(self.use_case)

    @cached_property
    def spark(self) -> SparkSession:
        """The session that spark-submit configured; made when first asked for, since it takes seconds."""
        with step("starting Spark"):
            return SparkSession.builder.appName(f"regatta {self.verb} {self.use_case.use_case}").getOrCreate()

    @property
    def as_of(self) -> datetime | None:
        """Nothing delivered after this instant is read."""
        instant: datetime | None = self.flags.as_of
        return instant


Flag = tuple[str, dict[str, object]]


def run(verb: str, main: Callable[[Job], None], flags: Sequence[Flag] = ()) -> None:
    """Parse the command line, call `main` and end the process with the exit code that tells what happened.

    Every job knows `--config FILE` and `--as-of INSTANT`; `flags` adds its own, as `add_argument` takes them.
    """
    parser = argparse.ArgumentParser(prog=f"{verb}.py")
    parser.add_argument("--config", type=Path, required=True, help="the use-case file")
    parser.add_argument("--as-of", type=instant, help="read nothing that was delivered later (ISO 8601)")
    for name, options in flags:
        parser.add_argument(name, **options)  # type: ignore[arg-type]
    sys.exit(_outcome(verb, main, parser.parse_args()))


def _outcome(verb: str, main: Callable[[Job], None], flags: argparse.Namespace) -> int:
    try:
        job = Job(verb, config.load(flags.config), flags)
        main(job)
    except RegattaError as error:
        say(str(error))
        return error.exit_code
    except (Py4JJavaError, PySparkException) as error:
        if cause := _unreachable(str(error)):
            say(str(Unreachable(f"the lake or the cluster stopped answering ({cause})", way_out="try again")))
            return ExitCode.UNREACHABLE
        traceback.print_exc()
        return ExitCode.BUG
    except Exception:
        traceback.print_exc()
        return ExitCode.BUG
    return ExitCode.DONE


def _unreachable(message: str) -> str | None:
    signs = ("Connection refused", "ConnectException", "SdkClientException", "Unable to execute HTTP request",
             "UnknownHostException", "All masters are unresponsive", "503 Service Unavailable")  # fmt: skip
    return next((sign for sign in signs if sign in message), None)


def instant(text: str) -> datetime:
    """An ISO 8601 instant; a bare date means the whole of that day, and no zone means UTC."""
    try:
        if len(text) == len("2015-04-30"):
            day = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return day + timedelta(days=1) - timedelta(microseconds=1)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 date or instant") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
