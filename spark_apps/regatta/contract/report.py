"""What ingest tells the user: every delivery's rows and the commonest reasons why some were rejected."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from regatta.contract.verdicts import commonest_of
from regatta.lake import Ingested, Lake
from regatta.lake.deliveries import unrecorded
from regatta.runtime.progress import console, say

MOST_LINES = 40
AFTER_A_REFUSAL = (
    "land a corrected delivery with --replaces, or change the contract; under the same contract a refused"
    " delivery is not tried again"
)


def report(records: Sequence[Ingested]) -> None:
    """Show what became of deliveries; where there are many, those without a rejected row only as a sum."""
    shown = [record for record in records if record.refused or record.rejected or record.warnings]
    if len(records) <= MOST_LINES:
        shown = list(records)
    table = Table("delivery", title="Ingested", title_justify="left", show_footer=True)
    table.columns[0].footer = f"{len(records)} in all"
    for name, figure in (
        ("rows", sum(record.rows for record in records)),
        ("accepted", sum(record.accepted for record in records)),
        ("rejected", sum(record.rejected for record in records)),
    ):
        table.add_column(name, f"{figure:,}", justify="right")
    table.add_column("commonest reasons")
    for record in shown[:MOST_LINES]:
        table.add_row(
            record.delivery,
            f"{record.rows:,}",
            "refused" if record.refused else f"{record.accepted:,}",
            "" if record.refused else f"{record.rejected:,}",
            _said_of(record),
        )
    console.print(table, markup=False)
    if len(shown) > MOST_LINES:
        say(f"{len(shown) - MOST_LINES} more deliveries have rejected rows; their records have the reasons")
    if any(record.refused for record in records):
        say(f"to mend what was refused: {AFTER_A_REFUSAL}")


def warn_of_unrecorded(lake: Lake) -> None:
    """Name files that lie under raw/ and belong to no delivery, since nobody else will."""
    for source in lake.use_case.sources:
        if stray := unrecorded(lake.store, source):
            more = f" and {len(stray) - 3} more" if len(stray) > 3 else ""
            say(
                f"warning: {', '.join(stray[:3])}{more} belong to no delivery and are not read\n"
                f"  `regatta land` takes s3:// objects that are in the lake already"
            )


def _said_of(record: Ingested) -> str:
    if record.refused:
        return record.refused
    said = [f"{reason} ({count:,})" for reason, count in commonest_of(record.reasons)]
    said += [f"warning: {rule} ({count:,})" for rule, count in commonest_of(record.warnings)]
    return "\n".join(said)
