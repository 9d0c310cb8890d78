"""The records of a use case: what each verb leaves for the next one, and for whoever asks later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from regatta.lake.layout import MODEL, checked_name
from regatta.lake.publication import Publication, Record


def _named(what: str) -> AfterValidator:
    return AfterValidator(lambda name: checked_name(name, what))


class DeliveredFile(Record):
    """One file of a delivery. `rows` is None where the file cannot be read as its source's CSV."""

    name: Annotated[str, _named("file of a delivery")]
    bytes: int
    sha256: str
    etag: str
    rows: int | None


class Delivery(Record):
    """A set of files landed together: raw/<source>/<delivery>/, whole once this record is there."""

    source: str
    delivery: Annotated[str, _named("delivery")]
    role: Literal["train", "score"]
    files: tuple[DeliveredFile, ...]
    dialect: str
    """Digest of the CSV settings that the rows were counted with."""
    delivered_at: datetime
    replaces: str | None = None

    @property
    def order(self) -> tuple[datetime, str]:
        """Of two deliveries the later one is right about a key that both have."""
        return self.delivered_at, self.delivery


class Ingested(Publication):
    """What became of one delivery under one contract: accepted + rejected = rows, unless refused whole."""

    delivery: str
    source: str
    role: Literal["train", "score"]
    contract: str
    delivered_at: datetime
    rows: int
    accepted: int
    rejected: int
    reasons: Mapping[str, int]
    """Rows by reason; a row with two reasons counts under both."""
    warnings: Mapping[str, int] = {}
    """Rows by rule of level warn."""
    refused: str | None = None
    """Why nothing of the delivery was taken."""
    sha256: Mapping[str, str]
    """File name -> SHA-256 of its content."""


class EngineChoice(Record):
    """Who grew the trees of one family of candidates, and why."""

    engine: Literal["native", "mllib"]
    reason: str
    canary_seconds: float | None = None
    """What comparing a small fit with MLlib's took, where one was compared: all its nodes were equal."""
    place: str = ""
    """Where native trees were grown: "on this machine" or "by 2 executors"."""

    @property
    def grown(self) -> str:
        """By which engine, and where."""
        return f"{self.engine} {self.place}".strip()


class Run(Publication):
    """One training: what went in, what came out, and where it stands."""

    run_id: str
    use_case: str
    as_of: datetime
    """The newest `delivered_at` of what was read."""
    fingerprint: str
    contract: str
    deliveries: tuple[str, ...]
    configuration: Mapping[str, Any]
    code: str
    versions: Mapping[str, str]
    rows: Mapping[str, int]
    """Rows that were read, superseded, without a label, outside of the filters, held out, trained on."""
    winner: str
    winner_family: str
    metrics: Mapping[str, float | None]
    """The winner's on the holdout, in the label's unit."""
    baselines: Mapping[str, Mapping[str, float | None]]
    seconds: float
    best_baseline: str | None = None
    """By the mean over the folds; its model is published where the use case may need it."""
    scale: float | None = None
    """What mase on the holdout is a share of, in the label's unit."""
    known_until: datetime | None = None
    """Of a panel that knows something in advance: the newest `delivered_at` of that, else None."""
    trained_until: date | None = None
    """Of a panel: the last period that was learnt from."""
    engines: Mapping[str, EngineChoice] = {}
    """By family of trees."""


class ChampionEntry(Record):
    """One entry of the champion log."""

    number: int
    kind: Literal["service", "backfill"] = "service"
    action: Literal["promote", "force", "rollback"]
    run_id: str
    effective: datetime
    previous: int | None
    """The entry that a rollback from here returns to."""
    metrics: Mapping[str, float | None]
    reason: str
    attempt: str
    model: str = MODEL
    """Where in the run the model stands."""


class Batch(Publication):
    """The scores of one delivery by one champion."""

    champion: int
    run_id: str
    batch: str
    delivery: str
    contract: str
    rows: int
    scored: int
    unscorable: int
    """Rows outside of the filters, or without a value in a column whose nulls are to be dropped."""
    label_unit: str | None = None
    as_of: date | None = None
    """Of a panel: the last period that the forecast knows; `delivery` is then the newest that was read."""
