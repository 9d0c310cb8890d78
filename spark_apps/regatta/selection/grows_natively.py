"""What lets an MLlib tree estimator grow its trees in our own engine, in `fit` and in the grids of a CrossValidator."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pyspark.errors import IllegalArgumentException
from pyspark.ml.base import Model
from pyspark.ml.param import Param
from pyspark.ml.wrapper import JavaEstimator
from pyspark.sql import DataFrame

from regatta.runtime.progress import say
from regatta.selection.native import parameters
from regatta.selection.native.parameters import TreeFit
from regatta.selection.native.unsupported import Unsupported
from regatta.selection.shared_fits import SharedFits


class GrowsNatively(JavaEstimator):  # type: ignore[misc]
    """To be mixed in before an MLlib RandomForestRegressor or GBTRegressor.

    A model comes without a parent, as one that was loaded.

    Attributes:
        engine: `auto` leaves a fit to MLlib, and says why, where it cannot be native; `native` makes that an
            IllegalArgumentException; `mllib` leaves all to MLlib.
        scratch: the URI of a folder that Spark can write and every executor can read, where models pass through.
            On a cluster there is no native fit without one; on one machine a temporary folder does.
    """

    engine: Literal["auto", "native", "mllib"] = "auto"
    scratch: str | None = None

    _proven: ClassVar[set[tuple[str, type]]] = set()
    """Spark applications and classes for which a small fit by MLlib was met."""

    def fitMultiple(  # noqa: N802
        self,
        dataset: DataFrame,
        paramMaps: Sequence[Mapping[Param, Any]],  # noqa: N803
    ) -> Any:
        """Fit each of the maps, sharing what can be shared; see `Estimator.fitMultiple`."""
        members = [self.copy(param_map) for param_map in paramMaps]
        try:
            return self._grown(dataset, members)
        except Unsupported as reason:
            self._give_way(str(reason))
        left_to_mllib = self.copy()
        left_to_mllib.engine = "mllib"
        return super(GrowsNatively, left_to_mllib).fitMultiple(dataset, paramMaps)

    def _fit(self, dataset: DataFrame) -> Model:
        try:
            _, model = next(self._grown(dataset, [self]))
            return model
        except Unsupported as reason:
            self._give_way(str(reason))
        return super()._fit(dataset)

    def _grown(self, dataset: DataFrame, members: Sequence[Self]) -> SharedFits[Self]:
        """The members' models, each grown when it is asked for.

        Raises:
            Unsupported: MLlib is to do it.
        """
        if self.engine == "mllib":
            raise Unsupported("")
        scratch = self._scratch(dataset)
        for obstacle in (parameters.obstacle_here(), *map(parameters.obstacle, members)):
            if obstacle:
                raise Unsupported(obstacle)
        from regatta.selection.native.fitting import model_of
        from regatta.selection.native.places import place_of
        from regatta.selection.native.proof import prove
        from regatta.selection.native.rows import collected
        from regatta.selection.native.search import Split, units

        features, label = self.getFeaturesCol(), self.getLabelCol()
        rows, _ = collected(dataset.select(features, label).localCheckpoint(), features, label)
        rows.check()
        split = Split(rows, rows.values[:0])
        where = place_of(dataset.sparkSession)
        work = units(split, [TreeFit.of(member) for member in members])
        for unit in work:
            split.tables(unit.parameters)  # what the bins cannot hold is known now, and not in the middle
        application = dataset.sparkSession.sparkContext.applicationId, type(self)
        if application not in self._proven:
            prove(members[0], work, rows, where)
            self._proven.add(application)

        place = {id(member): number for number, member in enumerate(members)}
        groups = [[number for some in unit.positions.values() for number in some] for unit in work]
        unit_of = {number: unit for unit, group in zip(work, groups, strict=True) for number in group}

        def share(group: Sequence[Self]) -> Callable[[Self], Model]:
            fitted = where.ensembles(unit_of[place[id(group[0])]])
            grown = {number: ensemble for some, ensemble in fitted for number in some}

            def model(member: Self) -> Model:
                return model_of(member, grown[place[id(member)]], f"{scratch}/{uuid.uuid4().hex}")

            return model

        return SharedFits(members, groups, share)

    def _scratch(self, dataset: DataFrame) -> str:
        if self.scratch is not None:
            return self.scratch.rstrip("/")
        if dataset.sparkSession.sparkContext.master.startswith("local"):
            return Path(tempfile.gettempdir()).as_uri()
        raise Unsupported(
            "on a cluster the estimator's `scratch` must name a folder that all executors can read"
        )

    def _give_way(self, reason: str) -> None:
        if self.engine == "native":
            raise IllegalArgumentException(f"{type(self).__name__} cannot fit natively: {reason}")
        if self.engine == "auto":
            say(f"{type(self).__name__}: MLlib grows the trees itself, because {reason}")
