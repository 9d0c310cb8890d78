"""What every spark-submit script has in common: its flags, its session, and how it ends.

A script in spark_apps/ holds a `main(job)` that reads, transforms and writes; `run` does the rest.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from regatta import config
from regatta.address import endpoint
from regatta.config import UseCase
from regatta.errors import ExitCode, InputError, RegattaError, Unreachable
from regatta.lake import Lake
from regatta.lake.answers import FULL, full
from regatta.lake.leftovers import abort_superseded
from regatta.runtime import cluster_secret
from regatta.runtime.instants import instant
from regatta.runtime.lake_watch import lake_watched
from regatta.runtime.outcome import Outcome
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
        """The session that spark-submit configured; made when first asked for, since it takes seconds.

        Raises:
            Unreachable: the cluster gives it no executor.
        """
        with step("starting Spark"):
            named = SparkSession.builder.appName(f"regatta {self.verb} {self.use_case.use_case}")
            session = cluster_secret.given(named).getOrCreate()
        if not session.sparkContext.master.startswith("local"):
            with step("waiting for an executor"):
                await_executor(session)
        return session

    @property
    def as_of(self) -> datetime | None:
        """Nothing delivered after this instant is read."""
        instant: datetime | None = self.flags.as_of
        return instant


LOST_ROWS = "Checkpoint block"  # "... not found!", as Spark says
LOST_UPLOAD = "NoSuchUpload"  # as S3 says
BEGIN_ANEW = {
    LOST_ROWS: "an executor was lost, and rows that it alone held: the job begins anew",
    LOST_UPLOAD: "another job has published the same meanwhile: looking again",
}
Flag = tuple[str, dict[str, object]]


def run(verb: str, main: Callable[[Job], Outcome | None], flags: Sequence[Flag] = ()) -> None:
    """Parse the command line, call `main` and end the process with the exit code that tells what happened.

    Every job knows `--config FILE` and `--as-of INSTANT`; `flags` adds its own, as `add_argument` takes them. What
    `main` gives back is left for whoever asks for it (runtime/outcome.py).
    """
    parser = argparse.ArgumentParser(prog=f"{verb}.py")
    parser.add_argument("--config", type=Path, required=True, help="the use-case file")
    parser.add_argument("--as-of", help="read nothing that was delivered later (ISO 8601)")
    for name, options in flags:
        parser.add_argument(name, **options)  # type: ignore[arg-type]
    outcome = _outcome(verb, main, parser.parse_args())
    outcome.write()
    sys.exit(outcome.exit_code)


def _outcome(verb: str, main: Callable[[Job], Outcome | None], flags: argparse.Namespace) -> Outcome:
    try:
        flags.as_of = instant(flags.as_of, place="--as-of") if flags.as_of else None
        job = Job(verb, config.load(flags.config), flags)
        with lake_watched(endpoint()):
            outcome = _at_most_twice(main, job) or Outcome()
            # The job has done its work; what stays, the next one or `regatta gc` removes.
            with suppress(RegattaError):
                abort_superseded(job.lake)
            return outcome
    except RegattaError as error:
        say(str(error))
        return Outcome().ended(error.exit_code, str(error))
    except Exception as error:
        if isinstance(error, (Py4JJavaError, PySparkException)) and (known := trouble(str(error))):
            say(str(known))
            return Outcome().ended(known.exit_code, str(known))
        traceback.print_exc()
        first = str(error).partition("\n")[0]
        return Outcome().ended(ExitCode.BUG, f"a bug: {type(error).__name__}: {first}")


def _at_most_twice(main: Callable[[Job], Outcome | None], job: Job) -> Outcome | None:
    """Run the job; once more where it lost what only a new beginning brings back, or what it need not do any more.

    Checkpointed rows have no plan behind them from which Spark could make them again. Pending uploads are aborted by
    the job that published first, if two do the same. Nothing is published twice by a job that is run twice, whether
    its user does that or we do.
    """
    try:
        return main(job)
    except (Py4JJavaError, PySparkException) as error:
        said = [sentence for sign, sentence in BEGIN_ANEW.items() if sign in str(error)]
        if not said:
            raise
        say(said[0])
        return main(job)


def trouble(message: str) -> RegattaError | None:
    """What a failure inside Spark means for the user, where it is none of ours."""
    signs = ("Connection refused", "ConnectException", "SdkClientException", "Unable to execute HTTP request",
             "UnknownHostException", "All masters are unresponsive", "503 Service Unavailable",
             LOST_ROWS)  # fmt: skip
    if denied := re.search(r"AccessDeniedException: (s3a://[^\s:]+)", message):
        return InputError(
            "the lake refuses these credentials",
            place=denied[1],
            way_out="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they may do",
        )
    for code in FULL:
        if code in message:
            return full(code)
    for sign in signs:
        if sign in message:
            return Unreachable(f"the lake or the cluster stopped answering ({sign})", way_out="try again")
    if failed := re.search(r"\[(CAST_INVALID_INPUT|ARITHMETIC_OVERFLOW|DIVIDE_BY_ZERO|CAST_OVERFLOW"
                           r"|CANNOT_PARSE_\w+|DATETIME_\w+)[^]]*\] ([^\n]*)", message):  # fmt: skip
        return InputError(
            f"an expression of features or filters cannot be computed for some row: {failed[2]}",
            way_out="write try_cast, try_divide, try_to_date or nullif, which give such a row no value",
        )
    if gone := re.search(
        r"(?:FileNotFoundException|No such file or directory|Path does not exist)\W+(s3a://\S+)", message
    ):
        return InputError(
            "was removed from the lake while it was read",
            place=gone[1].rstrip(":."),
            way_out="put it back; a delivery can be landed again, under another id",
        )
    return None


def await_executor(session: SparkSession) -> None:
    """Wait until the cluster has given the application an executor: REGATTA_PATIENCE seconds, by default 120.

    Spark itself would wait without end, and say so in its log alone: for workers with more memory, say.

    Raises:
        Unreachable: it has given none by then.
    """
    context, patience = session.sparkContext, float(os.environ.get("REGATTA_PATIENCE") or 120)
    deadline = time.monotonic() + patience
    while context._jsc.sc().getExecutorMemoryStatus().size() <= 1:  # the driver itself is in it
        if time.monotonic() > deadline:
            memory = context.getConf().get("spark.executor.memory", "1g")
            raise Unreachable(
                f"no executor after {patience:.0f} s: all workers are busy, or have less memory than {memory}",
                place=context.master,
                way_out="look at the master's page; REGATTA_EXECUTOR_MEMORY asks for less, REGATTA_PATIENCE waits",
            )
        time.sleep(0.2)
