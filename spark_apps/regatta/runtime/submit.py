"""The spark-submit line of a verb: the one that the command line, Airflow and a person at a shell all run."""

from __future__ import annotations

import os
import shlex
import zipfile
from collections.abc import Sequence
from pathlib import Path

import regatta
from regatta.errors import InputError
from regatta.runtime import relay
from regatta.runtime.identities import Identity, identity_of
from regatta.runtime.installation import java, s3a_jars, spark_home
from regatta.runtime.job_variables import job_variables
from regatta.runtime.local.embedded import addresses, environment
from regatta.runtime.memory import driver_memory, executor_memory

VERBS = ("ingest", "train", "promote", "score", "reproduce")
LOCAL = "local[*]"
NO_PACKAGES = "spark.jars.packages="  # the jars lie beside Spark's own: Ivy would take seconds to say so
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip is the same for the same sources, whenever it is made


def command(verb: str, config: Path, arguments: Sequence[str] = ()) -> list[str]:
    """The words of the line, all paths relative to the project where they lie in it.

    In the order of Airflow's operator, whose line is the same word by word (airflow/dags/spark_job.py).
    """
    return [
        path_shown(spark_home() / "bin" / "spark-submit"),
        *settings(),
        path_shown(project_root() / "spark_apps" / f"{verb}.py"),
        *("--config", path_shown(config)),
        *arguments,
    ]


def settings() -> list[str]:
    """The flags of spark-submit that every session of ours has: a job's, and a notebook's.

    The master is `REGATTA_MASTER` (or the embedded cluster's, while that is up), else this machine.
    """
    project = project_root()
    master = addresses().get("REGATTA_MASTER") or os.environ.get("REGATTA_MASTER") or LOCAL
    memory = ["--driver-memory", driver_memory()]
    packages = []
    if not master.startswith("local"):
        memory = ["--executor-memory", executor_memory(), *memory]
    elif s3a_jars():
        packages = ["--conf", NO_PACKAGES]
    return [
        *("--master", master),
        *packages,
        *("--properties-file", path_shown(project / "conf" / "spark-defaults.conf")),
        *("--py-files", path_shown(project / "build" / "regatta.zip")),
        *memory,
    ]


def submit(verb: str, words: Sequence[str]) -> int:
    """Run a verb's line with what it needs in its environment; the exit code is the job's own.

    Raises:
        InputError: if Java is missing.
    """
    java()
    package(project_root() / "build" / "regatta.zip")
    return relay.run(words, job_environment(identity_of(verb)))


def job_environment(identity: Identity) -> dict[str, str]:
    """What a job finds in its environment: the lake's address, an identity's keys, and this very Python."""
    ours = job_variables()
    return {**ours, **os.environ, **environment(identity), "SPARK_SUBMIT_OPTS": ours["SPARK_SUBMIT_OPTS"]}


def shown(words: Sequence[str]) -> str:
    """The line as it can be pasted into a shell."""
    return shlex.join(words)


def package(target: Path) -> Path:
    """The package as a zip for `--py-files`, made anew where its content has changed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}")
    root = Path(regatta.__file__).parent
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sorted(root.rglob("*.py")):
            entry = zipfile.ZipInfo(f"regatta/{source.relative_to(root)}", _EPOCH)
            archive.writestr(entry, source.read_bytes())
    draft.replace(target)  # a job that is starting reads the old zip or the new one, never half of one
    return target


def project_root() -> Path:
    """The checkout that this package is installed from.

    Raises:
        InputError: if it is not installed from one.
    """
    root = Path(regatta.__file__).resolve().parents[2]
    if not (root / "conf" / "spark-defaults.conf").is_file():
        raise InputError(
            f"{root} is no checkout of the project", way_out="install it with `make setup` in a checkout"
        )
    return root


def use_case_file(name: str) -> Path:
    """The file of a use case that is named as in conf/, or by a path that ends in .yaml or .yml."""
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    return project_root() / "conf" / f"{name}.yaml"


def path_shown(path: Path) -> str:
    """From here, where it lies below: to be read and pasted."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
