"""The lake: the only room that knows keys, buckets and boto3. No Spark is needed here.

`Lake` is one use case's view of it; jobs and readers start from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regatta.config import UseCase
from regatta.errors import InputError
from regatta.lake import layout
from regatta.lake.champion import ChampionLog, LostRace
from regatta.lake.publication import Attempt, Publication, Published, missing
from regatta.lake.records import Batch, ChampionEntry, Delivery, Ingested, Run
from regatta.lake.store import Store

__all__ = ["Attempt", "Batch", "ChampionEntry", "Delivery", "Ingested", "Lake", "LostRace", "Run", "Store"]


class Lake:
    """What a use case has in the lake."""

    def __init__(self, store: Store, use_case: UseCase) -> None:
        name = use_case.use_case
        self.store = store
        self.use_case = use_case
        self.ingested = Published(store, name, Ingested)
        self.runs = Published(store, name, Run)
        self.batches = Published(store, name, Batch)
        self.champions = ChampionLog(store, name)

    @classmethod
    def of(cls, use_case: UseCase, instead: Mapping[str, str] | None = None) -> Lake:
        """The lake of the environment, or of variables given in its place, as the use case sees it."""
        return cls(Store.from_environment(instead), use_case)

    def attempt(self) -> Attempt:
        """A new try at a result, invisible until published."""
        return Attempt(self.store, self.use_case.use_case)

    def uri(self, name: str) -> str:
        """The visible place of something, relative to the use case, as Spark reads it."""
        return self.store.uri(f"{self.use_case.use_case}/{name}")

    def publications(self) -> dict[str, Publication]:
        """Every record that made files visible, by its folder relative to the use case."""
        found: dict[str, Publication] = {}
        accepted, runs, scores = "accepted/", "runs/", "scores/"
        for contract in self._folders(accepted):
            found |= self._under(f"{accepted}{contract}/", self.ingested)
        found |= self._under(runs, self.runs)
        for champion in self._folders(scores):
            found |= self._under(f"{scores}{champion}/", self.batches)
        return found

    def is_visible(self, record: Publication) -> bool:
        """Whether all files of a record are in the visible tree."""
        return not missing(self.store, self.use_case.use_case, record)

    def _folders(self, parent: str) -> list[str]:
        return self.store.folders(f"{self.use_case.use_case}/{parent}")

    def _under(self, parent: str, of: Published[Any]) -> dict[str, Publication]:
        return {f"{parent}{name}/": record for name, record in of.all(parent).items()}

    def content(self, uri: str) -> bytes:
        """A file that a record names, by the URI that `Published.paths` gives.

        Raises:
            InputError: it is gone.
        """
        content = self.store.get(uri.removeprefix(self.store.uri("")))
        if content is None:
            raise InputError(
                "a record names this file, and it is gone",
                place=uri,
                way_out=f"regatta verify {self.use_case.use_case} shows what else is",
            )
        return content

    def run(self, run_id: str) -> Run | None:
        """The record of a run."""
        return self.runs.get(layout.run(run_id))
