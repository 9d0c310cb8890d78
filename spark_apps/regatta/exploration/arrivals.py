"""What was delivered, and what became of it; told by the records, so no row is read."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from regatta.config.table import Role
from regatta.contract.accepted import ingested
from regatta.errors import InputError
from regatta.lake import Ingested, Lake


def arrivals(lake: Lake, role: Role = "train") -> pd.DataFrame:
    """Grain: a delivery, in their order. `delivery`, `delivered_at`, `rows` = `accepted` + `rejected`, `refused` (why).

    Of a delivery that was refused whole no row counts as accepted or rejected.

    Raises:
        InputError: nothing is ingested.
    """
    return pd.DataFrame(
        [
            (one.delivery, one.delivered_at, one.rows, one.accepted, one.rejected, one.refused or "")
            for one in _verdicts(lake, role)
        ],
        columns=["delivery", "delivered_at", "rows", "accepted", "rejected", "refused"],
    )


def reasons(lake: Lake, role: Role = "train") -> pd.DataFrame:
    """Grain: a reason, the most frequent first. `reason`, `level` (rejected or warned of) and `rows`.

    A row with two reasons counts under both. Raises as `arrivals`.
    """
    found: Counter[tuple[str, str]] = Counter()
    for one in _verdicts(lake, role):
        found.update({(reason, "rejected"): rows for reason, rows in one.reasons.items()})
        found.update({(reason, "warned of"): rows for reason, rows in one.warnings.items()})
    return pd.DataFrame(
        [(*kind, rows) for kind, rows in found.most_common()], columns=["reason", "level", "rows"]
    )


def _verdicts(lake: Lake, role: Role) -> list[Ingested]:
    found = ingested(lake, role)
    if not found:
        name = lake.use_case.use_case
        raise InputError("nothing is ingested yet", place=name, way_out=f"regatta ingest {name}")
    return found
