"""What MLlib's regressors may be told, so that a candidate is checked without Spark.

Names, types and bounds are those of MLlib in Spark 4.1 (`explainParams`); a test holds them equal to the
installed one. Where MLlib takes a value and fails later, the bound is the one with which it fits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from regatta.config.problem import Problem, did_you_mean

Value = int | float | bool | str


@dataclass(frozen=True)
class Between:
    """From `least` to `most`; a bound that is not `closed` is not itself allowed."""

    least: float
    most: float = math.inf
    least_closed: bool = True
    most_closed: bool = True

    def holds(self, value: Value) -> bool:
        """Whether a number lies within; infinity and NaN never do."""
        if isinstance(value, str) or not math.isfinite(value):
            return False
        above = value >= self.least if self.least_closed else value > self.least
        return above and (value <= self.most if self.most_closed else value < self.most)

    def __str__(self) -> str:
        low = f"{'at least' if self.least_closed else 'more than'} {self.least:g}"
        if math.isinf(self.most):
            return low
        return f"{low} and {'at most' if self.most_closed else 'less than'} {self.most:g}"


@dataclass(frozen=True)
class OneOf:
    """One of a few texts, or a text that says a `number` by the pattern."""

    values: tuple[str, ...]
    number: str = ""
    number_means: str = ""

    def holds(self, value: Value) -> bool:
        """Whether the text is one of them, in lower and upper case as here."""
        return value in self.values or bool(
            self.number and isinstance(value, str) and re.fullmatch(self.number, value, re.ASCII)
        )

    def __str__(self) -> str:
        return f"one of {', '.join(self.values)}" + (f" or {self.number_means}" if self.number else "")


@dataclass(frozen=True)
class Parameter:
    """One parameter that a use case may set; `allowed` is None where every value of the type is."""

    name: str
    type: type[int] | type[float] | type[bool] | type[str]
    allowed: Between | OneOf | None
    doc: str


@dataclass(frozen=True)
class Family:
    """One kind of estimator: what it may be told, and what Regatta tells it itself, with the reason."""

    name: str
    estimator: str
    parameters: Mapping[str, Parameter]
    owned: Mapping[str, str]


def problems(family: str, name: str, value: object) -> list[Problem]:
    """What is wrong with one value of one parameter of a candidate; empty if MLlib takes it."""
    if family not in FAMILIES:
        return [Problem(f"no family has the name {family}", did_you_mean(family, FAMILIES))]
    known = FAMILIES[family]
    if name in known.owned:
        return [Problem(f"{name} is not for a candidate to set", known.owned[name])]
    parameter = known.parameters.get(name)
    if parameter is None:
        return [
            Problem(f"MLlib's {known.estimator} has no such parameter", did_you_mean(name, known.parameters))
        ]
    return _judge(parameter, value)


def _judge(parameter: Parameter, value: object) -> list[Problem]:
    if not _is_a(value, parameter.type):
        unquoted = parameter.type is str and isinstance(value, int | float)
        hint = f"write it in quotes: '{value}'" if unquoted else ""
        return [Problem(f"must be {_IN_WORDS[parameter.type]}, and not {value!r}", hint)]
    if isinstance(value, int) and value >= 2**31:
        return [Problem(f"must be less than 2147483648, and not {value}")]  # Java's int
    if parameter.allowed is None or parameter.allowed.holds(value):
        return []
    choices = parameter.allowed.values if isinstance(parameter.allowed, OneOf) else ()
    return [Problem(f"must be {parameter.allowed}, and not {value!r}", did_you_mean(str(value), choices))]


_IN_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _is_a(value: object, kind: type) -> TypeGuard[Value]:
    """A number may be written without its point, but true is not 1."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


_COLUMNS = {
    "featuresCol": "Regatta puts the features together from columns and features",
    "labelCol": "it is the column with the role label",
    "predictionCol": "every model names its prediction alike, whichever family wins",
    "weightCol": "all rows count alike",
}
_TREE_OWNED = {
    **_COLUMNS,
    "seed": "set seed at the top of the file: it holds for all that is drawn",
    "leafCol": "the published model gives the prediction alone",
    "cacheNodeIds": "it is always on: it saves time and does not change a tree",
    "checkpointInterval": "it does nothing without a checkpoint directory, and there is none",
}


def _named(*parameters: Parameter) -> dict[str, Parameter]:
    return {parameter.name: parameter for parameter in parameters}


_TREE = (
    Parameter("maxDepth", int, Between(0, 30), "Levels below the root of each tree."),
    Parameter("maxBins", int, Between(2), "Bins of a feature; raised to the largest category count."),
    Parameter("minInstancesPerNode", int, Between(1), "The fewest rows on each side of a split."),
    Parameter(
        "minWeightFractionPerNode",
        float,
        Between(0, 0.5, most_closed=False),
        "The least share of all rows on each side of a split.",
    ),
    Parameter("minInfoGain", float, Between(0), "The least gain for which a node is split."),
    Parameter("maxMemoryInMB", int, Between(0), "Memory for the histograms of one pass."),
    Parameter("impurity", str, OneOf(("variance",)), "What a split must lower."),
    Parameter(
        "subsamplingRate", float, Between(0, 1, least_closed=False), "The share of rows that each tree sees."
    ),
    Parameter(
        "featureSubsetStrategy",
        str,
        OneOf(
            ("auto", "all", "onethird", "sqrt", "log2"),
            number=r"[1-9][0-9]{0,8}|0?\.[0-9]*[1-9][0-9]*|1\.0+",
            number_means="a number of features such as '5', or a share of them such as '0.5'",
        ),
        "The features that are tried at each split.",
    ),
)

FAMILIES: Mapping[str, Family] = {
    "random_forest": Family(
        "random_forest",
        "RandomForestRegressor",
        _named(
            Parameter("numTrees", int, Between(1), "Trees, whose mean is the prediction."),
            Parameter("bootstrap", bool, None, "Whether each tree draws its rows with replacement."),
            *_TREE,
        ),
        _TREE_OWNED,
    ),
    "gbt": Family(
        "gbt",
        "GBTRegressor",
        _named(
            Parameter("maxIter", int, Between(1), "Trees, each fitted to what the last ones left."),
            Parameter(
                "stepSize", float, Between(0, 1, least_closed=False), "The share of each tree that is added."
            ),
            Parameter("lossType", str, OneOf(("squared", "absolute")), "What a tree must lower."),
            *_TREE,
        ),
        {
            **_TREE_OWNED,
            "validationIndicatorCol": "the split says which rows are for validation",
            "validationTol": "it does nothing without validationIndicatorCol, which Regatta does not set",
        },
    ),
    "linear_regression": Family(
        "linear_regression",
        "LinearRegression",
        _named(
            Parameter("maxIter", int, Between(0), "Steps of the solver, at most."),
            Parameter("regParam", float, Between(0), "Weight of the penalty."),
            Parameter("elasticNetParam", float, Between(0, 1), "Share of L1 in the penalty; the rest is L2."),
            Parameter("tol", float, Between(0), "Change at which the solver stops."),
            Parameter("fitIntercept", bool, None, "Whether there is an intercept."),
            Parameter("standardization", bool, None, "Whether the penalty sees standardised features."),
            Parameter("solver", str, OneOf(("auto", "normal", "l-bfgs")), "How the coefficients are found."),
            Parameter("loss", str, OneOf(("squaredError", "huber")), "What the fit must lower."),
            Parameter("epsilon", float, Between(1, least_closed=False), "Where huber's loss becomes linear."),
            Parameter("aggregationDepth", int, Between(2), "Depth of the sum over partitions."),
            Parameter(
                "maxBlockSizeInMB", float, Between(0), "Memory for a block of rows; 0 lets MLlib choose."
            ),
        ),
        _COLUMNS,
    ),
}
