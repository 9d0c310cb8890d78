"""What a job loses to its publication, and to verifying a model before it scores; on the embedded lake, without Spark.

    make bench-publication                             or benchmarks/publication.py [--megabytes 1024]

A run as house prices leaves it (many small files), and one large batch of scores. Publishing is: hash what somebody
will load, put the record, copy every file inside the server to where readers look.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from regatta import config
from regatta.lake import Attempt, Batch, Lake, Run, layout
from regatta.lake.publication import PublishedFile
from regatta.runtime.identities import Identity
from regatta.runtime.local import embedded
from regatta.runtime.progress import result, say
from regatta.runtime.submit import job_environment, project_root

LARGE_FILES = 8
SMALL_FILES, SMALL_BYTES = 100, 20_000
MODEL_FILES, MODEL_MEGABYTES = 2, 64
NOW = datetime.now(UTC)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1024, help="of the batch (default 1024)")
    flags = parser.parse_args()
    os.environ.update(embedded.up(mlflow=False, say=say))
    os.environ.update(job_environment(Identity.ADMIN))
    whole = config.load(project_root() / "conf" / "house_prices.yaml")
    lake = Lake.of(whole.model_copy(update={"use_case": f"publication_{int(time.time())}"}))

    folder, attempt = layout.run("one"), lake.attempt()
    for number in range(SMALL_FILES):
        attempt.write(f"{folder}features/part-{number:05d}.parquet", os.urandom(SMALL_BYTES))
    for number in range(MODEL_FILES):
        attempt.write(f"{folder}model/data/part-{number:05d}.parquet", os.urandom(MODEL_MEGABYTES << 20))
    began = time.monotonic()
    run, _ = lake.runs.publish(folder, run_of(attempt, lake))
    seconds, size = time.monotonic() - began, megabytes(run.files)
    result(
        f"a run of {len(run.files)} files, {size:,.0f} MB, hashed and published in {seconds:.2f} s"
        f" ({size / seconds:,.0f} MB/s)"
    )
    began = time.monotonic()
    lake.runs.trusted(run, f"{folder}model/")
    seconds, size = time.monotonic() - began, MODEL_FILES * MODEL_MEGABYTES
    result(f"its model of {size} MB verified in {seconds:.2f} s ({size / seconds:,.0f} MB/s)")

    folder, attempt, size = layout.batch(1, "one"), lake.attempt(), flags.megabytes
    for number in range(LARGE_FILES):
        attempt.write(f"{folder}part-{number:05d}.parquet", os.urandom((size << 20) // LARGE_FILES))
    batch = batch_of(attempt, folder, lake)
    began = time.monotonic()
    lake.batches.publish(folder, batch)
    seconds = time.monotonic() - began
    result(
        f"a batch of {LARGE_FILES} files, {size:,} MB, published in {seconds:.2f} s ({size / seconds:,.0f} MB/s)"
    )

    folder, attempt = layout.batch(2, "one"), lake.attempt()
    attempt.write(f"{folder}part-00000.parquet", b"next to nothing")
    small = batch_of(attempt, folder, lake)
    began = time.monotonic()
    lake.batches.publish(folder, small)
    result(f"a batch of next to nothing published in {time.monotonic() - began:.2f} s")
    lake.store.delete(one.key for one in lake.store.objects(f"{lake.use_case.use_case}/"))


def megabytes(files: Sequence[PublishedFile]) -> float:
    return sum(file.bytes for file in files) / 2**20


def run_of(attempt: Attempt, lake: Lake) -> Run:
    return Run(
        attempt=attempt.id, published_at=NOW, files=attempt.files(hashed=layout.loaded("one")), run_id="one",
        use_case=lake.use_case.use_case, as_of=NOW, fingerprint="", contract="", deliveries=(), configuration={},
        code="", versions={}, rows={}, winner="", winner_family="", metrics={}, baselines={}, seconds=0.0,
    )  # fmt: skip


def batch_of(attempt: Attempt, folder: str, lake: Lake) -> Batch:
    return Batch(
        attempt=attempt.id, published_at=NOW, files=attempt.files(folder), champion=1, run_id="one", batch="one",
        delivery="one", contract="", rows=0, scored=0, unscorable=0, label_unit="",
    )  # fmt: skip


if __name__ == "__main__":
    main()
