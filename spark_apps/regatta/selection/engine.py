"""Who grows the trees: our own engine, where that is known to give MLlib's own answer, else MLlib itself.

`engine: auto` of the use case takes the native one where nothing stands in its way, and says what does; `native`
makes that an error. The answer is the same, so the choice changes no figure and no run id; it stands in the run's
record and in MLflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from regatta.config import UseCase
from regatta.config.race import Family
from regatta.errors import InputError
from regatta.lake.records import EngineChoice
from regatta.runtime.progress import say
from regatta.selection.candidates import Candidate, configured
from regatta.selection.native import parameters
from regatta.selection.native.parameters import TreeFit
from regatta.selection.native.unsupported import Unsupported

if TYPE_CHECKING:  # numba takes a second to import, and may not be there
    from regatta.selection.native.places import Place
    from regatta.selection.native.search import Unit
    from regatta.selection.prepared import Prepared


@dataclass
class Engine:
    """The choice for each family of trees in one training, as far as it is made.

    use_case: asks for an engine.
    choices: by family; who grew its trees, and why.
    estimators: by the candidate's name, of trees alone.
    """

    use_case: UseCase
    choices: dict[str, EngineChoice] = field(default_factory=dict)
    estimators: dict[str, Any] = field(default_factory=dict)
    _place: Place | None = None
    _lock: Lock = field(default_factory=Lock)

    @property
    def place(self) -> Place:
        """Where trees are grown natively, once there are units of them."""
        assert self._place is not None
        return self._place

    def make_ready(self) -> None:
        """Compile the tree grower, if that is still to be done, before anything is shown of the race."""
        trees = {"random_forest", "gbt"} & set(self.use_case.candidates)
        if trees and self.use_case.engine != "mllib" and not parameters.obstacle_here():
            from regatta.selection.native.compiling import make_ready

            make_ready()

    def consider(self, field: Sequence[Candidate]) -> None:
        """Choose by what candidates are told, before any data is seen; there is no choice without trees.

        Raises:
            InputError: the use case asks for the native engine, and it cannot be had.
        """
        trees = [candidate for candidate in field if candidate.family != "linear_regression"]
        self.estimators = {one.name: configured(one, self.use_case.seed) for one in trees}
        obstacles = {one.name: parameters.obstacle(self.estimators[one.name]) for one in trees}
        here = parameters.obstacle_here()
        for family in dict.fromkeys(one.family for one in trees):
            if self.use_case.engine == "mllib":
                self.choices[family] = EngineChoice(engine="mllib", reason="the use case asks for it")
                continue
            self.choices[family] = EngineChoice(engine="native", reason="nothing stands in its way")
            own = (obstacles[one.name] for one in trees if one.family == family)
            if reason := here or next(filter(None, own), ""):
                self.fall_back(family, reason)

    def is_native(self, family: Family) -> bool:
        """Whether the family's trees are grown here, as far as is known by now."""
        choice = self.choices.get(family)
        return choice is not None and choice.engine == "native"

    def units(self, members: Sequence[Candidate], data: Prepared) -> list[Unit]:
        """Candidates of one family as the native engine's work, whose positions are theirs in the sequence.

        The rows come to the driver here. The first time in a training that any are there for a family, it is made
        sure that there is memory for them, and that this Spark's MLlib grows the same trees.

        Returns:
            Nothing where MLlib is to do it, by now or from the start.

        Raises:
            InputError: the use case asks for the native engine, and it cannot be had.
        """
        family = members[0].family
        if not self.is_native(family):
            return []
        from regatta.selection.native.places import place_of
        from regatta.selection.native.proof import prove
        from regatta.selection.native.search import units

        with self._lock:
            if self._place is None:
                self._place = place_of(data.ground.inliers.sparkSession)
        try:
            split, _, _ = data.collected
            split.training.check()
            found = units(split, [self._fit(candidate, data) for candidate in members])
            if self.choices[family].canary_seconds is None:
                seconds = prove(self.estimators[members[0].name], found, split.training, self.place)
                self._proven(family, seconds)
        except Unsupported as reason:
            self.fall_back(family, str(reason))
            return []
        return found

    def _fit(self, candidate: Candidate, data: Prepared) -> TreeFit:
        return TreeFit.of(self.estimators[candidate.name]).with_bins(data.slots.largest)

    def _proven(self, family: Family, seconds: float) -> None:
        with self._lock:
            self.choices[family] = EngineChoice(
                engine="native",
                reason="every node of a small fit by this Spark's MLlib was met",
                canary_seconds=round(seconds, 2),
                place=self.place.name,
            )
        say(
            f"{family}: trees are grown natively {self.place.name}; all nodes of a small fit by MLlib were met "
            f"({seconds:.1f} s)"
        )

    def fall_back(self, family: Family, reason: str) -> None:
        """Leave a family to MLlib from here on.

        Raises:
            InputError: the use case asks for the native engine.
        """
        if self.use_case.engine == "native":
            raise InputError(
                f"{family} cannot be grown natively: {reason}",
                place=f"{self.use_case.use_case}: engine",
                way_out="use engine: auto, which leaves such a family to MLlib",
            )
        with self._lock:
            if self.is_native(family):
                self.choices[family] = EngineChoice(engine="mllib", reason=reason)
                say(f"{family}: MLlib grows the trees itself, because {reason}")
