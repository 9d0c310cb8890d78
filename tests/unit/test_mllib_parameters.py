from __future__ import annotations

import math

import pytest
from pyspark.errors import IllegalArgumentException
from pyspark.ml import regression
from pyspark.ml.base import Estimator
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

from regatta.config.mllib import FAMILIES, Between, Family, OneOf, Parameter, Value, problems
from regatta.config.problem import Problem

EVERY = [
    pytest.param(family, parameter, id=f"{family.name}.{parameter.name}")
    for family in FAMILIES.values()
    for parameter in family.parameters.values()
]
# MLlib's own bound is 0, and then it fails for want of a first tree.
FAILS_LATER = {("gbt", "maxIter", 0)}


def estimator(family: Family, **parameters: Value) -> Estimator:
    return getattr(regression, family.estimator)(**parameters)


def mllib_takes(family: Family, name: str, value: Value) -> bool:
    """Whether the JVM's own validator takes the value, which is asked when a fit hands it over."""
    try:
        estimator(family, **{name: value})._transfer_params_to_java()
    except IllegalArgumentException:
        return False
    return True


def inside(parameter: Parameter) -> list[Value]:
    match parameter.allowed:
        case OneOf(values, number):
            return [*values, *(["1", "12", "0.5", ".25", "1.0"] if number else [])]
        case Between() as bounds:
            return [_edge(parameter, bounds, side, outwards=False) for side in _sides(bounds)]
        case None:
            return [True, False]


def outside(parameter: Parameter) -> list[Value]:
    match parameter.allowed:
        case OneOf(_, number):
            return ["", "no such thing", *(["0", "0.0", "1.5", "-1", "1e400"] if number else [])]
        case Between() as bounds:
            return [_edge(parameter, bounds, side, outwards=True) for side in _sides(bounds)]
        case None:
            return []


def _sides(bounds: Between) -> list[str]:
    return ["least"] if math.isinf(bounds.most) else ["least", "most"]


def _edge(parameter: Parameter, bounds: Between, side: str, *, outwards: bool) -> Value:
    bound, closed = getattr(bounds, side), getattr(bounds, f"{side}_closed")
    if closed is not outwards:
        return parameter.type(bound)
    step = 1 if parameter.type is int else 1e-9
    away_from_within = -step if side == "least" else step
    return parameter.type(bound + (away_from_within if outwards else -away_from_within))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_table_names_every_parameter_that_mllib_has_and_no_other(
    spark: SparkSession, family: Family
) -> None:
    assert not family.parameters.keys() & family.owned.keys()
    assert {*family.parameters, *family.owned} == {param.name for param in estimator(family).params}


@pytest.mark.parametrize(("family", "parameter"), EVERY)
def test_what_the_table_allows_mllib_takes_as_it_is(
    spark: SparkSession, family: Family, parameter: Parameter
) -> None:
    for value in inside(parameter):
        assert problems(family.name, parameter.name, value) == []
        assert mllib_takes(family, parameter.name, value)
        given = estimator(family, **{parameter.name: value})
        assert type(given.getOrDefault(parameter.name)) is parameter.type


@pytest.mark.parametrize(("family", "parameter"), EVERY)
def test_what_lies_just_outside_mllib_refuses_too(
    spark: SparkSession, family: Family, parameter: Parameter
) -> None:
    for value in outside(parameter):
        assert problems(family.name, parameter.name, value)
        if (family.name, parameter.name, value) not in FAILS_LATER:
            assert not mllib_takes(family, parameter.name, value)


@pytest.mark.parametrize(("family", "name", "value"), FAILS_LATER)
def test_what_mllib_takes_and_the_table_refuses_cannot_be_fitted(
    spark: SparkSession, family: str, name: str, value: Value
) -> None:
    rows = spark.createDataFrame(
        [(Vectors.dense([float(x)]), 2.0 * x) for x in range(4)], ["features", "label"]
    )
    with pytest.raises(Exception, match="Index 0 out of bounds"):
        estimator(FAMILIES[family], **{name: value}).fit(rows)


@pytest.mark.parametrize(
    ("family", "name", "value", "fact", "hint"),
    [
        ("gbt", "maxDeth", 5, "MLlib's GBTRegressor has no such parameter", "did you mean maxDepth?"),
        ("gbt", "numTrees", 5, "MLlib's GBTRegressor has no such parameter", ""),
        ("gbt", "maxDepth", 31, "must be at least 0 and at most 30, and not 31", ""),
        ("gbt", "stepSize", 0, "must be more than 0 and at most 1, and not 0", ""),
        ("gbt", "maxIter", 2**31, "must be less than 2147483648, and not 2147483648", ""),
        ("gbt", "maxDepth", True, "must be a whole number, and not True", ""),
        ("gbt", "maxDepth", 5.0, "must be a whole number, and not 5.0", ""),
        ("gbt", "maxDepth", None, "must be a whole number, and not None", ""),
        ("random_forest", "bootstrap", 1, "must be true or false, and not 1", ""),
        (
            "random_forest",
            "featureSubsetStrategy",
            0.5,
            "must be a text, and not 0.5",
            "write it in quotes: '0.5'",
        ),
        ("linear_regression", "regParam", math.nan, "must be at least 0, and not nan", ""),
        ("linear_regression", "regParam", math.inf, "must be at least 0, and not inf", ""),
        (
            "linear_regression",
            "solver",
            "l_bfgs",
            "must be one of auto, normal, l-bfgs, and not 'l_bfgs'",
            "did you mean l-bfgs?",
        ),
        (
            "random_forest",
            "seed",
            1,
            "seed is not for a candidate to set",
            "set seed at the top of the file: it holds for all that is drawn",
        ),
    ],
)
def test_a_wrong_value_is_told_what_it_should_be(
    family: str, name: str, value: object, fact: str, hint: str
) -> None:
    assert problems(family, name, value) == [Problem(fact, hint)]


def test_a_number_may_be_written_without_its_point() -> None:
    assert problems("linear_regression", "regParam", 1) == []
