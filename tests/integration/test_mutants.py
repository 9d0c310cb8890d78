"""Files spoilt at random: no crash, no row unaccounted for, no value other than the one that Python reads.

make test                 the short form, in every run
make fuzz                 the long form: REGATTA_MUTANTS=600, another seed by REGATTA_SEED
"""

from __future__ import annotations

import csv
import io
import os
from argparse import Namespace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import ingest
from mutants import COLUMNS, CONTRACT, judged, mutants
from regatta.config import parse
from regatta.contract.accepted import typed_rows
from regatta.lake import Ingested, Lake, layout
from regatta.lake.landing import land
from regatta.runtime.job import Job

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

COUNT = int(os.environ.get("REGATTA_MUTANTS", "40"))
SEED = int(os.environ.get("REGATTA_SEED", "42"))


@pytest.mark.timeout(3600)
def test_every_mutant_is_judged_as_python_judges_it(
    in_the_lake: None,
    lake_spark: SparkSession,
    tmp_path: Path,
) -> None:
    lake = Lake.of(parse(CONTRACT.format(name="mutants"), "mutants.yaml"))
    made = {f"m{number:04}": content for number, content in enumerate(mutants(COUNT, SEED))}
    for delivery, content in made.items():
        (tmp_path / "a.csv").write_bytes(content)
        land(lake.store, lake.use_case, [tmp_path / "a.csv"], delivery=delivery)

    ingest.main(Job("ingest", lake.use_case, Namespace(as_of=None)))

    records = {
        one.delivery: one for one in lake.ingested.all(layout.accepted(lake.use_case.contract)).values()
    }
    assert records.keys() == made.keys()
    taken = [record for record in records.values() if not record.refused]
    paths = [
        path
        for record in taken
        for path in lake.ingested.paths(record, layout.accepted(lake.use_case.contract, record.delivery))
    ]
    found: dict[str, dict[int, dict[str, object]]] = {name: {} for name in made}
    for row in typed_rows(lake_spark, lake.use_case, paths).collect():
        found[row["delivery"]][row["row"]] = {name: row[name] for name in COLUMNS}
    for delivery, record in records.items():
        _hold(record, made[delivery], found[delivery])
    rows, kept = sum(one.rows for one in taken), sum(one.accepted for one in taken)
    print(
        f"{len(made)} mutants: {len(made) - len(taken)} refused, {rows:,} rows, {kept:,} accepted, 0 unaccounted for"
    )
    assert COUNT // 4 < len(taken) < COUNT  # of either kind there are enough to mean something


def _hold(record: Ingested, content: bytes, accepted: dict[int, dict[str, object]]) -> None:
    """Python's own reading, beside what stands in the lake."""
    alone = judged(content)
    if record.refused:
        assert record.accepted == 0
        assert "\n" not in record.refused
        assert "rows by Python's csv module" not in record.refused, (record.refused, content)
        return
    assert alone is not None, content
    strict = [row for row in csv.reader(io.StringIO(content.decode(), newline=""), strict=True) if row]
    assert record.rows == record.accepted + record.rejected == len(strict) - 1 == alone.rows, content
    assert accepted == alone.accepted, content
