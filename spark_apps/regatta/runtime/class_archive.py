"""Jobs that begin in seconds: S3A's jars beside Spark's own, and an archive of the classes that all of these hold.

A JVM that starts Spark finds, reads and verifies ten thousand classes in 300 jars, which takes longer than many a
job. Java can keep them in an archive that is mapped into memory as it is (class data sharing, JEP 350). `make setup`
makes one of a rehearsal. It fits one build of Java and one list of jars; with any other Java starts without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from regatta.errors import RegattaError, Unreachable
from regatta.runtime.installation import java, s3a_jars, spark_home

ARCHIVE = Path(sys.prefix) / "spark-classes.jsa"
_INGREDIENTS = ARCHIVE.with_suffix(".txt")
_PROJECT = Path(__file__).resolve().parents[3]
_PROPERTIES = _PROJECT / "conf" / "spark-defaults.conf"


def is_made() -> bool:
    """Whether the archive is there, and fits the present Java and the pinned packages."""
    return ARCHIVE.is_file() and _INGREDIENTS.is_file() and _INGREDIENTS.read_text() == _ingredients()


def java_options() -> str:
    """What makes a JVM start from the archive, in silence also where it does not fit; empty before it is made."""
    # Java takes no archive of other jars, but it dies of one that was cut off.
    return f"-XX:SharedArchiveFile={ARCHIVE} -Xlog:cds*=off" if _INGREDIENTS.is_file() else ""


def make() -> None:
    """Bring S3A's jars and archive what a rehearsal of the jobs loads.

    Raises:
        Unreachable: the jars can be had nowhere, or the rehearsal fails.
    """
    for outdated in (_INGREDIENTS, ARCHIVE, *s3a_jars()):
        outdated.unlink(missing_ok=True)
    print("downloading S3A's jars", flush=True)
    for jar in _spark("s3a_jars.py", with_packages=True).split():
        shutil.copy(jar, spark_home() / "jars" / f"s3a_{Path(jar).name}")
    print("archiving Spark's classes", flush=True)
    draft = ARCHIVE.with_suffix(".draft")
    _spark("rehearsal.py", java_options=f"-XX:ArchiveClassesAtExit={draft} -Xlog:cds*=off")
    draft.replace(ARCHIVE)
    _INGREDIENTS.write_text(_ingredients())


def _ingredients() -> str:
    pins = [line for line in _PROPERTIES.read_text().splitlines() if line.startswith("spark.jars.")]
    return "\n".join([java().build, *pins])


def _spark(script: str, *, with_packages: bool = False, java_options: str = "") -> str:
    """Run a script of infra/ with the jobs' own settings; what it printed."""
    words = [
        *(str(spark_home() / "bin" / "spark-submit"), "--master", "local[*]", "--driver-memory", "1g"),
        *("--properties-file", str(_PROPERTIES)),
        *(() if with_packages else ("--conf", "spark.jars.packages=")),
        str(_PROJECT / "infra" / script),
    ]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_SUBMIT_OPTS": java_options,
    }
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Unreachable(
            f"infra/{script} ended with {done.returncode}",
            place="what it said stands above",
            way_out="where no Maven repository is in reach, spark.jars.ivySettings in conf/ names a mirror",
        )
    return done.stdout


if __name__ == "__main__":
    try:
        if not is_made():
            make()
    except RegattaError as fault:
        print(fault, file=sys.stderr)
        sys.exit(fault.exit_code)
