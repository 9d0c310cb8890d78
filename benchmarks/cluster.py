"""Forests on a standalone cluster of one, two and three workers, natively and by stock MLlib, beside this machine.

    make bench-cluster                                 or benchmarks/cluster.py [--rows 50000]

A real master and three workers of one core, as processes of this machine; an application takes one, two or three of
them. All learn from the same rows on six partitions. Equal trees have equal text: every split, threshold and
prediction to the last digit.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.ml.functions import array_to_vector
from pyspark.ml.regression import GBTRegressor, RandomForestRegressor
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.runtime.installation import spark_home
from regatta.runtime.job_variables import job_variables
from regatta.runtime.progress import result, say
from regatta.runtime.submit import package
from regatta.selection.estimators import NativeForestRegressor, NativeGBTRegressor

HOST, WORKERS, FEATURES, PARTITIONS, SEED = "127.0.0.1", 3, 12, 6, 7
GRIDS: dict[str, list[dict[str, int]]] = {
    "forest": [{"numTrees": trees, "maxDepth": depth} for trees in (10, 20, 30) for depth in (5, 10)],
    "boosted": [{"maxIter": 10, "maxDepth": depth} for depth in (5, 8)],
}
ESTIMATORS: dict[str, dict[str, Any]] = {
    "native": {"forest": NativeForestRegressor, "boosted": NativeGBTRegressor},
    "stock": {"forest": RandomForestRegressor, "boosted": GBTRegressor},
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--master", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.master:
        print(json.dumps(measured(options.master, options.workers, options.rows)))
        return

    with cluster() as master:
        places: list[tuple[str, str, int]] = [("this machine", "local[2]", 0)]
        places += [(f"{n} worker{'s' * (n > 1)}", master, n) for n in range(1, WORKERS + 1)]
        found = {}
        for name, where, workers in places:
            say(f"{name} ...")
            found[name] = alone(where, workers, options.rows)
    reference = found["this machine"]
    result(f"{options.rows:,} rows of {FEATURES} features on {PARTITIONS} partitions\n")
    result("| | by | seconds | trees | RMSE against this machine's |")
    result("|---|---|---:|---|---:|")
    for name, by_engine in found.items():
        for engine, models in by_engine.items():
            own = reference[engine]
            equal = sum(models["trees"][model] == own["trees"][model] for model in own["trees"])
            off = max(abs(models["rmse"][model] / own["rmse"][model] - 1) for model in own["rmse"])
            result(
                f"| {name} | {engine} | {models['seconds']:.1f} | {equal} of {len(own['trees'])} ensembles equal "
                f"| {off:.2%} |"
            )


def alone(master: str, workers: int, rows: int) -> dict[str, Any]:
    """`measured` in a process of its own."""
    words = [sys.executable, __file__, "--master", master, "--workers", str(workers), "--rows", str(rows)]
    ended = subprocess.run(words, env={**os.environ, **job_variables()}, capture_output=True, check=False)
    if ended.returncode:
        sys.exit(ended.stderr.decode())
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def measured(master: str, workers: int, rows: int) -> dict[str, Any]:
    """Both engines' seconds, trees and errors for all models of the grids."""
    settings = SparkSession.builder.master(master).config("spark.ui.enabled", "false")
    if workers:
        settings = settings.config("spark.cores.max", workers).config("spark.executor.memory", "1g")
    settings = settings.config("spark.ui.showConsoleProgress", "false")
    session = settings.config("spark.sql.shuffle.partitions", PARTITIONS).getOrCreate()
    session.sparkContext.addPyFile(str(package(Path(tempfile.mkdtemp()) / "regatta.zip")))
    frame = rows_of(session, rows)
    found: dict[str, Any] = {}
    for engine, estimators in ESTIMATORS.items():
        began, models = time.monotonic(), {}
        for family, grid in GRIDS.items():
            estimator = estimators[family](seed=SEED)
            if engine == "native":
                estimator.engine, estimator.scratch = "native", Path(tempfile.mkdtemp()).as_uri()
            maps = [{getattr(estimator, name): told for name, told in told.items()} for told in grid]
            models.update(
                {f"{family} {grid[place]}": model for place, model in estimator.fitMultiple(frame, maps)}
            )
        seconds = time.monotonic() - began
        found[engine] = {
            "seconds": seconds,
            "trees": {name: text_of(model) for name, model in models.items()},
            "rmse": {name: rmse(model, frame) for name, model in models.items()},
        }
    return found


def rows_of(session: SparkSession, rows: int) -> DataFrame:
    """The same on the same partitions, whoever computes them."""
    chance = np.random.default_rng(SEED)
    values = chance.normal(size=(rows, FEATURES))
    label = 1e5 * np.exp(
        0.3 * values[:, 0] + 0.2 * values[:, 1] * values[:, 2] + 0.3 * chance.normal(size=rows)
    )
    offsets = pa.array(np.arange(0, values.size + 1, FEATURES, dtype=np.int32))
    vectors = pa.ListArray.from_arrays(offsets, pa.array(values.ravel()))
    table = pa.table({"row": np.arange(rows), "values": vectors, "label": label})
    laid_out = session.createDataFrame(table).repartition(PARTITIONS, "row").sortWithinPartitions("row")
    return laid_out.select(array_to_vector("values").alias("features"), "label").localCheckpoint()


def text_of(model: Any) -> str:
    """Of all trees: their number, splits, thresholds and predictions, without the model's own name."""
    text = model._java_obj.toDebugString().partition("\n")[2]
    return sha256(text.encode()).hexdigest()


def rmse(model: Any, frame: DataFrame) -> float:
    error = F.col("label") - F.col("prediction")
    return float(model.transform(frame).select(F.sqrt(F.avg(error * error))).first()[0])


@contextmanager
def cluster() -> Iterator[str]:
    """A master and its workers, as the master's address."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    address, folder = f"spark://{HOST}:{port}", Path(tempfile.mkdtemp())
    spark_class, deploy = spark_home() / "bin" / "spark-class", "org.apache.spark.deploy"
    master = [f"{deploy}.master.Master", "--host", HOST, "--port", str(port), "--webui-port", "0"]
    worker = [
        f"{deploy}.worker.Worker",
        "--host",
        HOST,
        "--webui-port",
        "0",
        "--cores",
        "1",
        "--memory",
        "1g",
    ]
    environment = {**os.environ, **job_variables(), "SPARK_WORKER_DIR": str(folder)}
    with (folder / "log").open("wb") as log:
        servers = [
            subprocess.Popen([spark_class, *words], env=environment, stdout=log, stderr=log)
            for words in (master, *[[*worker, address]] * WORKERS)
        ]
    try:
        time.sleep(10)  # workers ask again until the master answers
        yield address
    finally:
        for server in reversed(servers):
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
