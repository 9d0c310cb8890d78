"""What becomes of deliveries under the contract: accepted and rejected rows are written, counted and published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.contract import reading, rows
from regatta.contract.accepted import delivery_of, typed_rows
from regatta.contract.preflight import Broken, Sound
from regatta.contract.rules import warnings as warning_checks
from regatta.contract.trial import check_contract
from regatta.errors import InputError
from regatta.lake import Attempt, Delivery, Ingested, Lake, layout
from regatta.lake.deliveries import deliveries
from regatta.lake.publication import PublishedFile
from regatta.runtime.progress import step

AT_ONCE = 4  # deliveries that are published side by side; each copies several files at once


@dataclass(frozen=True)
class Verdict:
    """One delivery's fate: accepted + rejected = rows, unless it is refused whole."""

    delivery: Delivery
    rows: int
    accepted: int = 0
    rejected: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    refused: str | None = None


def landed(lake: Lake, as_of: datetime | None) -> list[Delivery]:
    """The deliveries of all of the use case's sources, without those that were replaced.

    Raises:
        InputError: two sources have a delivery of the same name, which would meet in one place.
    """
    by_name: dict[str, Delivery] = {}
    for source in lake.use_case.sources:
        for delivery in deliveries(lake.store, source, as_of):
            if (other := by_name.get(delivery.delivery)) is not None:
                raise InputError(
                    f"{other.source} and {source} both have a delivery {delivery.delivery}",
                    way_out="ids are unique in a use case: land one of them again under another id",
                )
            by_name[delivery.delivery] = delivery
    return list(by_name.values())


def standing(lake: Lake) -> dict[str, Ingested]:
    """The verdicts under the present contract, by delivery; what a job left half visible of one is mended."""
    known = {
        record.delivery: record
        for record in lake.ingested.all(layout.accepted(lake.use_case.contract)).values()
    }
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lake.ingested.settle, known.values()))
    return known


def number_of(deliveries: int) -> str:
    """So many deliveries, in words."""
    return f"{deliveries:,} {'delivery' if deliveries == 1 else 'deliveries'}"


def judge(spark: SparkSession, lake: Lake, attempt: Attempt, sound: Sequence[Sound]) -> list[Verdict]:
    """Write the accepted and the rejected rows of deliveries into the attempt, and account for every row.

    All deliveries are read and written in one pass. Those that lack rows afterwards are read once more, and the rows
    that are not among the accepted ones are judged again, for why.
    """
    if not sound:
        return []
    use_case = lake.use_case
    session = reading.text_session(spark)
    with step("trying the contract"):
        check_contract(session, use_case)
    with step(f"checking {sum(one.rows for one in sound):,} rows of {number_of(len(sound))}"):
        delivered = rows.delivered(session, use_case, reading.parts(lake.store, sound))
        into = layout.accepted(use_case.contract)
        rows.accepted(delivered, use_case).write.partitionBy("delivery").parquet(attempt.uri(into))
        written = _data(attempt, into)
        accepted, warnings = _accepted(session, use_case, written)
    lacking = [one for one in sound if accepted.get(one.delivery.delivery, 0) != one.rows]
    rejected: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}
    if lacking:
        with step(f"keeping what is rejected of {number_of(len(lacking))}"):
            names = {f"/delivery={one.delivery.delivery}/" for one in lacking}
            theirs = [path for path in written if any(name in path for name in names)]
            besides = typed_rows(session, use_case, theirs)
            delivered = rows.delivered(session, use_case, reading.parts(lake.store, lacking), besides)
            into = layout.rejected(use_case.contract)
            rows.rejected(delivered, use_case, besides).write.partitionBy("delivery").parquet(
                attempt.uri(into)
            )
            rejected, reasons = _rejected(session, _data(attempt, into))
    return [
        accounted(
            Verdict(
                one.delivery,
                one.rows,
                accepted.get(name, 0),
                rejected.get(name, 0),
                reasons.get(name, {}),
                warnings.get(name, {}),
            ),
            use_case.max_rejected,
        )
        for one in sound
        for name in (one.delivery.delivery,)
    ]


def accounted(verdict: Verdict, max_rejected: float) -> Verdict:
    """The verdict, or a refusal of the whole delivery: rows that are unaccounted for, or too many rejected."""
    found = verdict.accepted + verdict.rejected
    if found != verdict.rows:
        return _refused(
            verdict,
            f"its files have {verdict.rows:,} rows by Python's csv module, and Spark found {found:,}"
            f" ({verdict.accepted:,} accepted, {verdict.rejected:,} rejected)",
        )
    if verdict.rejected > max_rejected * verdict.rows:
        commonest = ", ".join(f"{reason} ({count:,})" for reason, count in commonest_of(verdict.reasons))
        return _refused(
            verdict,
            f"{verdict.rejected:,} of {verdict.rows:,} rows are rejected, more than max_rejected"
            f" ({max_rejected:.0%}) allows: {commonest}",
        )
    return verdict


def commonest_of(reasons: Mapping[str, int], count: int = 3) -> list[tuple[str, int]]:
    """The reasons that reject most rows, the commonest first."""
    return sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:count]


def publish(lake: Lake, attempt: Attempt, verdicts: Iterable[Verdict]) -> list[Ingested]:
    """Make verdicts stand, one record each, and with it the delivery's rows.

    Returns:
        The records that stand: another job's where it was first, with the same content.
    """
    contract = lake.use_case.contract
    by_delivery: dict[str, list[PublishedFile]] = {}
    for folder in (layout.accepted(contract), layout.rejected(contract)):
        for file in attempt.files(folder):
            by_delivery.setdefault(file.name.removeprefix(folder).partition("/")[0], []).append(file)

    def publish_one(verdict: Verdict) -> Ingested:
        delivery = verdict.delivery
        files = by_delivery.get(f"delivery={delivery.delivery}", [])
        record = Ingested(
            attempt=attempt.id,
            published_at=datetime.now(UTC),
            files=() if verdict.refused else tuple(files),
            delivery=delivery.delivery,
            source=delivery.source,
            role=delivery.role,
            contract=contract,
            delivered_at=delivery.delivered_at,
            rows=verdict.rows,
            accepted=verdict.accepted,
            rejected=verdict.rejected,
            reasons=verdict.reasons,
            warnings=verdict.warnings,
            refused=verdict.refused,
            sha256={file.name: file.sha256 for file in delivery.files},
        )
        return lake.ingested.publish(layout.accepted(contract, delivery.delivery), record)[0]

    with step("publishing"), ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(publish_one, verdicts))


def refused(broken: Broken) -> Verdict:
    """The verdict on a delivery that the preflight found broken."""
    return Verdict(broken.delivery, broken.rows, refused=broken.reason)


def _refused(verdict: Verdict, reason: str) -> Verdict:
    return Verdict(verdict.delivery, verdict.rows, reasons=verdict.reasons, refused=reason)


def _data(attempt: Attempt, folder: str) -> list[str]:
    return [attempt.uri(file.name) for file in attempt.files(folder) if file.name.endswith(".parquet")]


def _accepted(
    session: SparkSession, use_case: UseCase, paths: Sequence[str]
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """By delivery: the accepted rows, and how many of them break each rule of level warn."""
    if not paths:
        return {}, {}
    warning = warning_checks(use_case)
    counted = (
        typed_rows(session, use_case, paths)
        .groupBy("delivery")
        .agg(F.count("*"), *(F.count_if(check.fails) for check in warning))
        .collect()
    )
    accepted = {row[0]: int(row[1]) for row in counted}
    warnings = {
        row[0]: {check.label: int(count) for check, count in zip(warning, row[2:], strict=True) if count}
        for row in counted
    }
    return accepted, warnings


def _rejected(
    session: SparkSession, paths: Sequence[str]
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """By delivery: the rejected rows, and how many of them each reason is about."""
    if not paths:
        return {}, {}
    written = session.read.schema(rows.REJECTED).parquet(*paths).select(delivery_of(), "reasons")
    of_each = written.select("delivery", F.explode("reasons").alias("reason"))
    label = F.concat_ws(": ", "reason.column", "reason.rule").alias("label")
    rejected = {row[0]: int(row[1]) for row in written.groupBy("delivery").count().collect()}
    reasons: dict[str, dict[str, int]] = {}
    for delivery, reason, count in of_each.groupBy("delivery", label).count().collect():
        reasons.setdefault(delivery, {})[reason] = int(count)
    return rejected, reasons
