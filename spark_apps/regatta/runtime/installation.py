"""What this environment brings along: Java, and the Spark that pip installed beside us."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from regatta.errors import InputError

SUPPORTED_JAVA = (17, 21)

_INSTALL_JAVA = (
    "Debian, Ubuntu: sudo apt install openjdk-17-jre-headless; macOS: brew install openjdk@17; "
    "one that is there already is named by JAVA_HOME"
)


@dataclass(frozen=True)
class Java:
    """A Java that starts: its `java`, its major version, and the line that names its very build."""

    path: Path
    version: int
    build: str


def java() -> Java:
    """The Java that Spark's own scripts would take: `JAVA_HOME`, else the first on `PATH`.

    Raises:
        InputError: there is none, or Spark does not run on it.
    """
    needed = " or ".join(map(str, SUPPORTED_JAVA))
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if found is None:
        where = f"JAVA_HOME ({home}) holds no bin/java" if home else "there is no java on PATH"
        raise InputError(f"Java {needed} is needed: {where}", way_out=_INSTALL_JAVA)
    banner = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    # macOS has a /usr/bin/java that only says where Java could be had.
    version = re.search(r'version "(\d+)', banner)
    if version is None or int(version[1]) not in SUPPORTED_JAVA:
        what = f"is Java {version[1]}" if version else "does not start"
        raise InputError(f"Java {needed} is needed: {found} {what}", way_out=_INSTALL_JAVA)
    return Java(Path(found), int(version[1]), banner.splitlines()[-1])


def spark_home() -> Path:
    """The folder of the pyspark in this environment, whatever `SPARK_HOME` says.

    Raises:
        InputError: pyspark is not installed here.
    """
    spec = importlib.util.find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("pyspark is not installed in this environment", way_out="make setup")
    return Path(spec.submodule_search_locations[0])


def s3a_jars() -> list[Path]:
    """The jars of `spark.jars.packages` that `make setup` put beside Spark's own; none where it did not."""
    return sorted((spark_home() / "jars").glob("s3a_*.jar"))


if __name__ == "__main__":
    try:
        java()
    except InputError as fault:
        print(fault, file=sys.stderr)
        sys.exit(fault.exit_code)
