"""What MLlib's tree estimators are told, and which of it this engine can do. Needs no numba."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import pyspark
from pyspark.ml.regression import GBTRegressor, RandomForestRegressor

PROVEN_ON = ("4.1.2",)
"""The versions of pyspark on which tests/exactness finds every node equal."""
MOST_BINS = 255


@dataclass(frozen=True)
class TreeParameters:
    """MLlib's parameters of a tree estimator, under its own names, but for the size and depth of the ensemble."""

    seed: int
    maxBins: int  # noqa: N815
    featureSubsetStrategy: str  # noqa: N815
    subsamplingRate: float  # noqa: N815
    bootstrap: bool
    minInstancesPerNode: int  # noqa: N815
    minInfoGain: float  # noqa: N815
    maxMemoryInMB: int  # noqa: N815
    stepSize: float  # noqa: N815

    @classmethod
    def of(cls, estimator: Any) -> TreeParameters:
        """Of a RandomForestRegressor (which has no stepSize) or a GBTRegressor (which has no bootstrap)."""

        def value(name: str, where_there_is_none: Any = None) -> Any:
            known = estimator.hasParam(name)
            return estimator.getOrDefault(name) if known else where_there_is_none

        return cls(
            seed=value("seed"),
            maxBins=value("maxBins"),
            featureSubsetStrategy=value("featureSubsetStrategy"),
            subsamplingRate=value("subsamplingRate"),
            bootstrap=value("bootstrap", False),
            minInstancesPerNode=value("minInstancesPerNode"),
            minInfoGain=value("minInfoGain"),
            maxMemoryInMB=value("maxMemoryInMB"),
            stepSize=value("stepSize", 1.0),
        )

    def features_per_node(self, trees: int, features: int) -> int:
        """How many features are drawn for a node (Spark 4.1.2, `ml/tree/impl/DecisionTreeMetadata.scala`)."""
        strategy = self.featureSubsetStrategy
        if strategy == "auto":
            strategy = "all" if trees == 1 else "onethird"
        match strategy:
            case "all":
                return features
            case "onethird":
                return math.ceil(features / 3.0)
            case "sqrt":
                return math.ceil(math.sqrt(features))
            case "log2":
                return max(1, math.ceil(math.log(features) / math.log(2)))
        if strategy.isdecimal():
            return min(int(strategy), features)
        return math.ceil(float(strategy) * features)


@dataclass(frozen=True)
class TreeFit:
    """One fit: an estimator's parameters, its number of trees (`numTrees` or `maxIter`) and their `maxDepth`."""

    parameters: TreeParameters
    trees: int
    depth: int
    boosted: bool

    @classmethod
    def of(cls, estimator: Any) -> TreeFit:
        """Of a RandomForestRegressor or a GBTRegressor."""
        boosted = isinstance(estimator, GBTRegressor)
        trees = estimator.getMaxIter() if boosted else estimator.getNumTrees()
        return cls(TreeParameters.of(estimator), trees, estimator.getMaxDepth(), boosted)

    def with_bins(self, least: int) -> TreeFit:
        """The same with no fewer bins than that."""
        if self.parameters.maxBins >= least:
            return self
        return replace(self, parameters=replace(self.parameters, maxBins=least))

    @property
    def obstacle(self) -> str:
        """Why it is beyond this engine, as the end of a sentence; empty if it is not."""
        if self.depth == 0:
            return "maxDepth is 0"
        if self.parameters.maxBins > MOST_BINS:
            return f"maxBins is {self.parameters.maxBins:,}, more than {MOST_BINS}"
        return ""


def obstacle_here() -> str:
    """Why no fit can be native in this environment, as the end of a sentence; empty if it can."""
    if pyspark.__version__ not in PROVEN_ON:
        return f"pyspark {pyspark.__version__} is not one of those it was proven on ({', '.join(PROVEN_ON)})"
    if find_spec("numba") is None:
        return "numba is not installed"
    return ""


def obstacle(estimator: Any) -> str:
    """Why the estimator's fit cannot be native whatever the data, as the end of a sentence; empty if it can."""
    if not isinstance(estimator, RandomForestRegressor | GBTRegressor):
        return f"{type(estimator).__name__} grows no trees"
    if estimator.isDefined("weightCol") and estimator.getWeightCol():
        return "weightCol is set"
    if estimator.getMinWeightFractionPerNode() > 0:
        return "minWeightFractionPerNode is set"
    if isinstance(estimator, GBTRegressor):
        if estimator.getLossType() != "squared":
            return f"lossType is {estimator.getLossType()}"
        if estimator.isDefined("validationIndicatorCol") and estimator.getValidationIndicatorCol():
            return "validationIndicatorCol is set"
    return TreeFit.of(estimator).obstacle
