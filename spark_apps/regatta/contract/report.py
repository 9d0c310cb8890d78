"""What ingest tells the user: every delivery's rows and the commonest reasons why some were rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from regatta.contract.verdicts import commonest_of, number_of
from regatta.lake import Ingested, Lake
from regatta.lake.deliveries import unrecorded
from regatta.runtime.progress import console, say

MOST = 40  # lines of a report
AFTER_A_REFUSAL = (
    "land a corrected delivery with --replaces, or change the contract; under the same contract a refused"
    " delivery is not tried again"
)


def report(records: Sequence[Ingested]) -> None:
    """Show what became of deliveries; where there are many, those without a word to be said only in the sums."""
    shown = [record for record in records if len(records) <= MOST or _said_of(record)]
    if console.is_terminal:
        console.print(_table(records, shown[:MOST]))
    else:
        for record in shown[:MOST]:
            fate = (
                "refused" if record.refused else f"{record.accepted:,} accepted, {record.rejected:,} rejected"
            )
            said = "; ".join(_said_of(record))
            say(f"{record.delivery}: {record.rows:,} rows, {fate}" + (f": {said}" if said else ""))
        sums = ", ".join(f"{figure:,} {name}" for name, figure in _sums(records).items())
        say(f"{number_of(len(records))}: {sums}")
    if len(of_reasons := _reasons(records)) > 1:
        _show_reasons(of_reasons)
    if len(shown) > MOST:
        say(f"{len(shown) - MOST:,} more have rejected rows; their records have the reasons")
    if any(record.refused for record in records):
        say(f"to mend what was refused: {AFTER_A_REFUSAL}")


def _reasons(records: Iterable[Ingested]) -> Counter[str]:
    """Rejected rows by reason, over all deliveries that were taken."""
    counted: Counter[str] = Counter()
    for record in records:
        if not record.refused:
            counted.update(record.reasons)
    return counted


def _show_reasons(counted: Counter[str]) -> None:
    table = Table("rejected for", title_justify="left")
    table.add_column("rows", justify="right")
    for reason, count in commonest_of(counted, MOST):
        table.add_row(Text(reason), f"{count:,}")
    console.print(table)


def remind_of_refused(records: Iterable[Ingested]) -> None:
    """Name the deliveries of which nothing was taken, and why."""
    refused = [record for record in records if record.refused]
    for record in refused[:MOST]:
        say(f"{record.delivery} stays refused: {record.refused}")
    if refused:
        say(f"to mend it: {AFTER_A_REFUSAL}")


def _table(records: Sequence[Ingested], shown: Sequence[Ingested]) -> Table:
    table = Table(show_footer=True)
    table.add_column("delivery", number_of(len(records)))
    for name, figure in _sums(records).items():
        table.add_column(name, f"{figure:,}", justify="right")
    table.add_column("commonest reasons")
    for record in shown:
        counts = ("refused", "") if record.refused else (f"{record.accepted:,}", f"{record.rejected:,}")
        said = Text("\n".join(_said_of(record)))
        table.add_row(record.delivery, f"{record.rows:,}", *counts, said)
    return table


def _sums(records: Sequence[Ingested]) -> dict[str, int]:
    return {
        "rows": sum(record.rows for record in records),
        "accepted": sum(record.accepted for record in records),
        "rejected": sum(record.rejected for record in records),
    }


def warn_of_unrecorded(lake: Lake) -> None:
    """Name files that lie under raw/ and belong to no delivery, since nobody else will."""
    for source in lake.use_case.sources:
        if stray := unrecorded(lake.store, source):
            more = f" and {len(stray) - 3} more" if len(stray) > 3 else ""
            say(
                f"warning: {', '.join(stray[:3])}{more} belong to no delivery and are not read\n"
                f"  `regatta land` takes s3:// objects that are in the lake already"
            )


def _said_of(record: Ingested) -> list[str]:
    if record.refused:
        return [record.refused]
    said = [f"{reason} ({count:,})" for reason, count in commonest_of(record.reasons)]
    return said + [f"warning: {rule} ({count:,})" for rule, count in commonest_of(record.warnings)]
