"""Is everything there that a run needs, and does the lake keep the promises that publication is built on?"""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from regatta.address import endpoint, lake_root
from regatta.errors import ExitCode, RegattaError
from regatta.runtime import class_archive
from regatta.runtime.installation import java, s3a_jars, spark_home
from regatta.runtime.memory import driver_memory, executor_memory, machine_memory

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GIGABYTE = 2**30
_DISK_NEEDED = 2 * _GIGABYTE
_MEMORY_NEEDED = 3 * _GIGABYTE


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, whether it will do, and what to do if not.

    `verdict` is what a run that needs it would end with.
    """

    name: str
    found: str
    ok: bool
    what_to_do: str = ""
    verdict: ExitCode = ExitCode.INPUT


def doctor(environment: Mapping[str, str]) -> list[Check]:
    """Look at this machine and at the lake.

    Args:
        environment: the variables a job would get, `os.environ` with those of the embedded lake laid over it.
    """
    return [*_machine(), *_lake(environment)]


def exit_code(checks: Sequence[Check]) -> ExitCode:
    """What `regatta doctor` ends with: a machine that is not ready comes before a lake out of reach."""
    failed = [check.verdict for check in checks if not check.ok]
    return min(failed, default=ExitCode.DONE)


def _machine() -> Iterator[Check]:
    running = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", running, sys.version_info >= (3, 11), "Python 3.11 or newer is needed")
    found_java = _unless_refused("Java", lambda: f"{java().version} ({java().path})")
    yield found_java
    yield _unless_refused("spark-submit", lambda: str(spark_home() / "bin/spark-submit"))
    jars = len(s3a_jars())
    yield Check(
        "S3A jars", f"{jars} beside Spark's own" if jars else "not here: Ivy brings them to each job", ok=True
    )
    if found_java.ok:
        archive = (
            "jobs start from it" if class_archive.is_made() else "none that fits: `make setup` makes one"
        )
        yield Check("class archive", archive, ok=True)
    yield _unless_refused("Spark's memory", lambda: f"driver {driver_memory()}, executor {executor_memory()}")
    memory = machine_memory()
    yield Check(
        "memory",
        f"{memory / _GIGABYTE:.1f} GB",
        memory >= _MEMORY_NEEDED,
        f"{_MEMORY_NEEDED // _GIGABYTE} GB are needed for MinIO, MLflow and a Spark driver",
    )
    free = shutil.disk_usage(Path.cwd()).free
    yield Check(
        "free disk",
        f"{free / _GIGABYTE:.1f} GB in {Path.cwd()}",
        free >= _DISK_NEEDED,
        f"{_DISK_NEEDED // _GIGABYTE} GB are needed for data, models and what Spark spills",
    )


def _unless_refused(name: str, find: Callable[[], str]) -> Check:
    try:
        return Check(name, find(), ok=True)
    except RegattaError as fault:
        return Check(name, str(fault).splitlines()[0], ok=False, what_to_do=fault.way_out)


def _lake(environment: Mapping[str, str]) -> Iterator[Check]:
    """Up to the first thing that is wrong: what comes after it could not be told apart."""
    named = _unless_refused("lake", lambda: lake_root(environment))
    yield named
    if not named.ok:
        return
    server = _unless_refused("endpoint", lambda: endpoint(environment) or "")
    if not server.ok:
        yield server
        return
    if not server.found:
        yield _unreachable(
            "endpoint",
            "AWS_ENDPOINT_URL is not set, and no embedded lake is up",
            "`regatta up` starts a lake on this machine; one of your own is named by AWS_ENDPOINT_URL",
        )
        return
    lake = urlsplit(named.found)
    new_keys = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to an account that may use the bucket"
    try:
        client = _client(environment, server.found)
        refusal = _refusal(lambda: client.list_objects_v2(Bucket=lake.netloc, MaxKeys=1))
    except NoCredentialsError:
        yield _unreachable("credentials", "none are set", new_keys)
        return
    except (BotoCoreError, ValueError) as fault:
        way_out = "start it (`regatta up` for the embedded lake) or correct AWS_ENDPOINT_URL"
        yield _unreachable("endpoint", f"{server.found} does not answer: {fault}", way_out)
        return
    yield Check("endpoint", f"{server.found} answers", ok=True)
    if refusal not in ("", "NoSuchBucket"):
        yield _unreachable("credentials", f"refused: {refusal}", new_keys)
        return
    yield Check("credentials", "accepted", ok=True)
    if refusal:
        way_out = "make it, or name another by REGATTA_LAKE=s3a://BUCKET"
        yield _unreachable("bucket", f"{lake.netloc} does not exist", way_out)
        return
    yield Check("bucket", lake.netloc, ok=True)
    yield _conditional_put(client, lake.netloc, lake.path.strip("/"))


def _conditional_put(client: S3Client, bucket: str, prefix: str) -> Check:
    """Ask for what publication rests on, with a key of our own that is removed again."""
    key = "/".join(filter(None, [prefix, "_doctor", uuid.uuid4().hex]))
    name, wrong = "conditional PUT", '"0123456789abcdef0123456789abcdef"'
    try:
        first = _refusal(lambda: client.put_object(Bucket=bucket, Key=key, Body=b"1", IfNoneMatch="*"))
        if first:
            return _unreachable(
                name, f"writing {key} was refused: {first}", "give the account leave to write"
            )
        second = _refusal(lambda: client.put_object(Bucket=bucket, Key=key, Body=b"2", IfNoneMatch="*"))
        third = _refusal(lambda: client.put_object(Bucket=bucket, Key=key, Body=b"3", IfMatch=wrong))
    finally:
        _refusal(lambda: client.delete_object(Bucket=bucket, Key=key))
    ignored = [
        condition
        for condition, refusal in (("If-None-Match", second), ("If-Match", third))
        if refusal != "PreconditionFailed"
    ]
    return Check(
        name,
        f"{' and '.join(ignored)} not honoured" if ignored else "If-None-Match and If-Match are honoured",
        not ignored,
        "two jobs could publish over each other: take a server that honours both, as MinIO does",
    )


def _refusal(request: Callable[[], object]) -> str:
    """The S3 error code the server refuses with, empty when it does as asked."""
    try:
        request()
    except ClientError as answer:
        return answer.response["Error"]["Code"]
    return ""


def _unreachable(name: str, found: str, what_to_do: str) -> Check:
    return Check(name, found, False, what_to_do, ExitCode.UNREACHABLE)


def _client(environment: Mapping[str, str], address: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=address,
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=environment.get("AWS_SESSION_TOKEN") or None,
        region_name=environment.get("AWS_REGION", "us-east-1"),
        config=Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        ),
    )
