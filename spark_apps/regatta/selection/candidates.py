"""Candidates: an MLlib estimator of a family with one parameter map each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from pyspark.ml import Estimator
from pyspark.ml.param import Param

from regatta.config import UseCase
from regatta.config.problem import nearest_or_all
from regatta.config.race import Encoding, Family
from regatta.errors import InputError
from regatta.features.pipeline import FEATURES, LABEL, PREDICTION
from regatta.selection.estimators import GramianLinearRegression, PrefixGBTRegressor, SharedForestRegressor

ESTIMATORS: Mapping[Family, type[Any]] = {
    "random_forest": SharedForestRegressor,
    "gbt": PrefixGBTRegressor,
    "linear_regression": GramianLinearRegression,
}
DEFAULT_BINS = 32  # MLlib's own


@dataclass(frozen=True)
class Candidate:
    """One entry in the race."""

    family: Family
    parameters: Mapping[str, Any]
    encoding: Encoding

    @property
    def name(self) -> str:
        """As the leaderboard shows it: `gbt maxIter=10 maxDepth=5`."""
        return " ".join([self.family, *(f"{name}={value}" for name, value in self.parameters.items())])


def candidates(use_case: UseCase) -> list[Candidate]:
    """Every combination of every family's grid, in the file's order."""
    return [
        Candidate(family, dict(zip(entry.grid, values, strict=True)), use_case.encoding(family))
        for family, entry in use_case.candidates.items()
        for values in product(*entry.grid.values())
    ]


def only(use_case: UseCase, families: str | None) -> UseCase:
    """The use case with these families of its candidates alone, which makes it another training.

    Args:
        use_case: as its file says.
        families: names with commas between them; None or empty for all.

    Raises:
        InputError: if the file has no candidates of such a family.
    """
    wanted = [name.strip() for name in (families or "").split(",") if name.strip()]
    if not wanted:
        return use_case
    for name in wanted:
        if name not in use_case.candidates:
            raise InputError(
                f"{use_case.use_case} has no candidates of a family {name}",
                place="--candidates",
                way_out=nearest_or_all(name, use_case.candidates),
            )
    kept = {family: grid for family, grid in use_case.candidates.items() if family in wanted}
    return use_case.model_copy(update={"candidates": kept})


def estimator(family: Family, seed: int) -> Estimator:
    """The family's estimator over `_features` and `_label`.

    The seed is explicit, because pyspark's default is Python's randomised hash.
    """
    columns = {"featuresCol": FEATURES, "labelCol": LABEL, "predictionCol": PREDICTION}
    seeded = {} if family == "linear_regression" else {"seed": seed}
    return ESTIMATORS[family](**columns, **seeded)


def param_map(estimator: Estimator, candidate: Candidate, largest_category: int) -> dict[Param[Any], Any]:
    """The candidate's parameters as MLlib takes them.

    Trees need as many bins as their largest indexed category has values, so `maxBins` is raised to that.
    """
    values = dict(candidate.parameters)
    if estimator.hasParam("maxBins"):
        values["maxBins"] = max(values.get("maxBins", DEFAULT_BINS), largest_category)
    return {estimator.getParam(name): value for name, value in values.items()}


def configured(candidate: Candidate, seed: int, largest_category: int = 0) -> Any:
    """The candidate as an estimator of its own."""
    of_family = estimator(candidate.family, seed)
    return of_family.copy(param_map(of_family, candidate, largest_category))
