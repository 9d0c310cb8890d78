"""What every job finds in its environment on this machine, whoever starts it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from regatta.runtime import cluster_secret
from regatta.runtime.class_archive import java_options
from regatta.runtime.installation import spark_home

_LOGGING = Path(__file__).resolve().parents[3] / "conf" / "log4j2.properties"


def job_variables() -> dict[str, str]:
    """This very Python and its Spark, on the loopback, with our logging, the archive of classes, a cluster's secret."""
    options = f"-Dlog4j2.configurationFile={_LOGGING} {java_options()}"
    return {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "AWS_REGION": "us-east-1",
        "SPARK_SUBMIT_OPTS": f"{os.environ.get('SPARK_SUBMIT_OPTS', '')} {options}".strip(),
        **cluster_secret.of_jobs(),
    }
