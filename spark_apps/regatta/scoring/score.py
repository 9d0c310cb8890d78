"""The champion's predictions for one delivery, as one batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.contract.accepted import typed_rows
from regatta.errors import InputError
from regatta.features.inputs import changes, columns_read, trained_as
from regatta.features.pipeline import scorable
from regatta.features.scope import in_scope
from regatta.lake import Batch, ChampionEntry, Ingested, Lake, Run, layout
from regatta.scoring.batches import batch_id

ROWS_A_FILE = 1_000_000  # by the size of the delivery and never by the number of cores


@dataclass(frozen=True)
class Champion:
    """The model in service, its run, and the use case as it was when it was trained."""

    entry: ChampionEntry
    run: Run
    use_case: UseCase
    model: PipelineModel

    @property
    def name(self) -> str:
        """As the leaderboard shows it."""
        return self.run.winner if self.entry.model == layout.MODEL else str(self.run.best_baseline)

    @classmethod
    def load(cls, lake: Lake, entry: ChampionEntry) -> Champion:
        """Read it from the lake.

        Raises:
            InputError: if its run is gone, or rows under the present contract are not what it was trained on.
        """
        name, place = lake.use_case.use_case, f"champion {entry.number}"
        run = lake.run(entry.run_id)
        if run is None:
            raise InputError(
                f"its run {entry.run_id} is no longer in the lake",
                place=place,
                way_out=f"regatta rollback {name}, or regatta promote {name} --run RUN",
            )
        then = trained_as(run)
        if changed := changes(then, lake.use_case, columns_read(then)):
            raise InputError(
                f"it cannot read rows of the present contract: {', '.join(changed)}",
                place=place,
                way_out=f"regatta train {name}, then regatta promote {name}",
            )
        model = PipelineModel.load(lake.runs.trusted(run, f"{layout.run(run.run_id)}{entry.model}/"))
        return cls(entry, run, then, model)


def score(spark: SparkSession, lake: Lake, champion: Champion, delivery: Ingested) -> tuple[Batch, bool]:
    """Predict the delivery's accepted rows and publish them.

    Grain: one row a scorable row: its identity and `prediction`, sorted by identity. Equal work gives equal
    content, so what differs between two scorings (when, by which attempt) stands in the record.

    Returns:
        The batch that stands, and whether it is this one and not another job's.
    """
    use_case, number = lake.use_case, champion.entry.number
    folder = layout.batch(number, batch_id(delivery.delivery))
    attempt = lake.attempt()
    paths = lake.ingested.paths(delivery, layout.accepted(use_case.contract, delivery.delivery))
    can_be_told = scorable(champion.use_case) & in_scope(champion.use_case, to_score=True)
    rows = typed_rows(spark, use_case, paths).filter(can_be_told)
    identity = [F.col(f"`{name}`") for name in use_case.identity]
    (
        champion.model.transform(rows)
        .select(*identity, "prediction")
        .repartition(max(math.ceil(delivery.accepted / ROWS_A_FILE), 1), *identity)
        .sortWithinPartitions(*identity)
        .write.parquet(attempt.uri(folder))
    )
    files = attempt.files(folder)
    scored = attempt.rows(files)  # counted by Spark they would have been read twice
    return lake.batches.publish(
        folder,
        Batch(
            attempt=attempt.id,
            published_at=datetime.now(UTC),
            files=files,
            champion=number,
            run_id=champion.entry.run_id,
            batch=batch_id(delivery.delivery),
            delivery=delivery.delivery,
            contract=use_case.contract,
            rows=delivery.accepted,
            scored=scored,
            unscorable=delivery.accepted - scored,
            label_unit=champion.use_case.columns[champion.use_case.label].unit,
        ),
    )
