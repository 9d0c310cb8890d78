"""One fit for all parameter maps of a grid that need no fit of their own.

`Estimator.fitMultiple` is MLlib's own place for this: `CrossValidator`, `TrainValidationSplit` and
`Estimator.fit(dataset, [maps])` all fit a grid through it, so an estimator that overrides it makes
them faster without their knowledge.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Any, Generic, Self, TypeVar

from pyspark.ml.base import Model
from pyspark.ml.param import Param
from pyspark.ml.wrapper import JavaEstimator
from pyspark.sql import DataFrame

T = TypeVar("T")
M = TypeVar("M", bound="SharesFits")

ParamMap = Mapping[Param, Any]


def grouped(param_maps: Sequence[ParamMap], *, except_for: Param) -> list[list[int]]:
    """Positions of the maps that differ in nothing but `except_for`, groups in order of appearance.

    A param that is set to its default differs from one that is not set: pass whole maps
    (`Params.extractParamMap`), not the grid's own.
    """
    groups: list[tuple[ParamMap, list[int]]] = []
    for position, param_map in enumerate(param_maps):
        rest = {param: value for param, value in param_map.items() if param != except_for}
        # Values may be lists, which no dict can be keyed by; a grid is small enough to search.
        for known, members in groups:
            if known == rest:
                members.append(position)
                break
        else:
            groups.append((rest, [position]))
    return [members for _, members in groups]


class SharedFits(Iterator[tuple[int, Model]], Generic[M]):
    """Every (position, model) of a grid once, for any number of threads that call `next`.

    A group's common work is done by the first thread that needs it, outside the iterator's own lock;
    only threads that want the same group wait for it. The first member of every group comes before
    the second of any, so that threads begin with different groups.

    Args:
        members: one estimator a position, with that position's parameters set.
        groups: positions that share their work, each position in one group.
        share: does the common work of a group's members and returns what makes one member's model.
    """

    def __init__(
        self,
        members: Sequence[M],
        groups: Sequence[Sequence[int]],
        share: Callable[[Sequence[M]], Callable[[M], Model]],
    ) -> None:
        work = [_Once(partial(share, [members[position] for position in group])) for group in groups]
        turns = sorted(
            (turn, order, position)
            for order, group in enumerate(groups)
            for turn, position in enumerate(group)
        )
        self._members = members
        self._waiting = deque((position, work[order]) for _, order, position in turns)
        self._lock = Lock()

    def __next__(self) -> tuple[int, Model]:
        with self._lock:
            if not self._waiting:
                raise StopIteration
            position, common = self._waiting.popleft()
        return position, common()(self._members[position])


class _Once(Generic[T]):
    """A value made by the first caller, while the others wait; a caller after a failure tries again."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._lock = Lock()

    def __call__(self) -> T:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


class SharesFits(JavaEstimator):  # type: ignore[misc]
    """To be mixed in before an MLlib estimator, whose stock `fit` stays as it is.

    Sharing is seen where the grid is this estimator's own. Inside a `Pipeline` the same numbers come
    out, but `Pipeline.fitMultiple` fits each map alone.
    """

    def fitMultiple(self, dataset: DataFrame, paramMaps: Sequence[ParamMap]) -> SharedFits[Self]:  # noqa: N802, N803
        """Fit each of the maps, sharing what can be shared; see `Estimator.fitMultiple`."""
        members = [self.copy(param_map) for param_map in paramMaps]

        def share(group: Sequence[Self]) -> Callable[[Self], Model]:
            if len(group) > 1 and group[0]._can_share():
                return self._share(dataset, group)
            return lambda member: member.fit(dataset)

        groups = grouped([member.extractParamMap() for member in members], except_for=self._shared_over())
        return SharedFits(members, groups, share)

    @abstractmethod
    def _shared_over(self) -> Param:
        """The param whose values one fit serves."""

    @abstractmethod
    def _can_share(self) -> bool:
        """Whether one fit gives exactly what stock MLlib would, for these params."""

    @abstractmethod
    def _share(self, dataset: DataFrame, group: Sequence[Self]) -> Callable[[Self], Model]:
        """Do the common work of two or more members; return what makes the model of one of them."""

    def _model_of(self, java_class: str, *parts: Any) -> Model:
        """The model this estimator's own `fit` would return, around parts that were fitted elsewhere.

        It is a stock model with this estimator's uid and params and with it as parent, as after
        `Predictor.fit`, so it is also saved as one.

        Args:
            java_class: the model's class in the JVM.
            parts: what its constructor takes after the uid.
        """
        self._transfer_params_to_java()
        java_estimator = self._java_obj
        java_model = self._new_java_obj(java_class, java_estimator.uid(), *parts)
        java_estimator.copyValues(java_model, self._empty_java_param_map())
        java_model.setParent(java_estimator)
        return self._copyValues(self._create_model(java_model))
