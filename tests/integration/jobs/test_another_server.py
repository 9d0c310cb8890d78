"""Every verb on an S3 server that is not MinIO: the jobs ask no more of a lake than S3 gives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from house import build
from regatta.lake.audit import audit
from regatta.scoring.batches import batches
from versitygw import versitygw

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="a server is built: make test-faults"),
]


def test_a_house_goes_from_csv_to_scores_on_versitygw(tmp_path: Path) -> None:
    with versitygw(tmp_path) as variables:
        house = build("elsewhere", tmp_path, {**variables, "REGATTA_HOME": str(tmp_path / "state")})
        (batch,) = batches(house.lake)

        assert (batch.rows, batch.scored) == (50, 50)
        assert audit(house.lake).findings == ()
        assert house.lake.store.uploads("") == []
