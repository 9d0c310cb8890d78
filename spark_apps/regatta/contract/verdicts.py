"""What becomes of deliveries under the contract: accepted and rejected rows are written, counted and published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.contract import reading, rows
from regatta.contract.accepted import delivery_of, typed_rows
from regatta.contract.preflight import Broken, Sound
from regatta.contract.rules import REASON
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

    All deliveries are read once. Their rejected rows are first written beside the accepted ones, as a delivery of
    another name, and from there to their place.
    """
    if not sound:
        return []
    use_case = lake.use_case
    session = reading.text_session(spark)
    with step("trying the contract"):
        check_contract(session, use_case)
    names = [one.delivery.delivery for one in sound]
    with step(f"checking {sum(one.rows for one in sound):,} rows of {number_of(len(sound))}"):
        into = layout.accepted(use_case.contract)
        judged = rows.judged(spark, use_case, reading.parts(lake.store, sound))
        is_rejected = F.col(rows.REJECTED).isNotNull()
        place = F.concat("delivery", F.when(is_rejected, layout.ASIDE).otherwise(""))
        judged.withColumn("delivery", place).write.partitionBy("delivery").parquet(attempt.uri(into))
        written = _by_delivery(attempt, into)
        accepted = {name: attempt.rows(written.get(name, ())) for name in names}
        warnings = _warnings(session, use_case, _uris(attempt, written, names))
    aside = [name for name in names if layout.aside(name) in written]
    rejected: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}
    if aside:
        with step(f"keeping what is rejected of {number_of(len(aside))}"):
            into = layout.rejected(use_case.contract)
            taken = _aside(session, _uris(attempt, written, map(layout.aside, aside)))
            rows.rejected(taken).write.partitionBy("delivery").parquet(attempt.uri(into))
            written = _by_delivery(attempt, into)
            rejected = {name: attempt.rows(written[name]) for name in aside}
            reasons = _reasons(session, _uris(attempt, written, aside))
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
    accepted, rejected = (_by_delivery(attempt, of(contract)) for of in (layout.accepted, layout.rejected))

    def publish_one(verdict: Verdict) -> Ingested:
        delivery = verdict.delivery
        files = (*accepted.get(delivery.delivery, ()), *rejected.get(delivery.delivery, ()))
        record = Ingested(
            attempt=attempt.id,
            published_at=datetime.now(UTC),
            files=() if verdict.refused else files,
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


def _by_delivery(attempt: Attempt, folder: str) -> dict[str, list[PublishedFile]]:
    """What the attempt wrote of each delivery under a folder."""
    found: dict[str, list[PublishedFile]] = {}
    for file in attempt.files(folder):
        level, _, rest = file.name.removeprefix(folder).partition("/")
        if rest:
            found.setdefault(level.removeprefix("delivery="), []).append(file)
    return found


def _uris(
    attempt: Attempt, written: Mapping[str, Sequence[PublishedFile]], names: Iterable[str]
) -> list[str]:
    return [attempt.uri(file.name) for name in names for file in written.get(name, ())]


def _aside(session: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Place and `_rejected` of the rows that were written aside."""
    delivery = F.substring_index(delivery_of(), layout.ASIDE, 1).alias("delivery")
    return session.read.schema(rows.ASIDE).parquet(*paths).select(delivery, "*")


def _warnings(session: SparkSession, use_case: UseCase, paths: Sequence[str]) -> dict[str, dict[str, int]]:
    """By delivery, how many accepted rows break each rule of level warn."""
    warned = warning_checks(use_case)
    if not paths or not warned:
        return {}
    broken = [F.count_if(check.fails) for check in warned]
    counted = typed_rows(session, use_case, paths).groupBy("delivery").agg(*broken).collect()
    return {
        row[0]: {check.label: int(count) for check, count in zip(warned, row[1:], strict=True) if count}
        for row in counted
    }


def _reasons(session: SparkSession, paths: Sequence[str]) -> dict[str, dict[str, int]]:
    """By delivery, how many rejected rows each reason is about."""
    written = session.read.schema(f"reasons array<{REASON}>").parquet(*paths)
    of_each = written.select(delivery_of(), F.explode("reasons").alias("reason"))
    label = F.concat_ws(": ", "reason.column", "reason.rule").alias("label")
    found: dict[str, dict[str, int]] = {}
    for delivery, reason, count in of_each.groupBy("delivery", label).count().collect():
        found.setdefault(delivery, {})[reason] = int(count)
    return found
