"""MLlib's estimators with faster grids: the same models as stock, to the bit where trees are concerned.

Each is stock but for `fitMultiple` or a default, and returns stock models that load where this package is not
installed. As with stock, set the seed: pyspark's default is a randomised hash. `NativeForestRegressor` and
`NativeGBTRegressor` grow their trees in our own engine (`native/`); the others share fits that MLlib makes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from pyspark.ml.base import Model
from pyspark.ml.param import Param
from pyspark.ml.regression import GBTRegressor, LinearRegression, RandomForestRegressor
from pyspark.sql import DataFrame

from regatta.selection.gramian import MAX_FEATURES, Moments, feature_count
from regatta.selection.grows_natively import GrowsNatively
from regatta.selection.shared_fits import SharesFits

_REGRESSION = "org.apache.spark.ml.regression"


class SharedForestRegressor(RandomForestRegressor):  # type: ignore[misc]
    """A forest that keeps each row's node between levels: the same trees, deep ones sooner.

    Only the default of `cacheNodeIds` differs from stock. Forests share no fit: MLlib draws its
    feature subsets across all trees of a forest, so fewer trees are not the first of more.
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._setDefault(cacheNodeIds=True)


class PrefixGBTRegressor(SharesFits, GBTRegressor):  # type: ignore[misc]
    """Boosted trees of which one fit serves every `maxIter`.

    Boosting adds trees and never changes one, and tree m's seed is `seed + m`: the first trees of a
    long fit are the short fit. Not so with `validationIndicatorCol`, where the number of trees follows
    from the data; such maps are fitted one by one.
    """

    def _shared_over(self) -> Param:
        return self.maxIter

    def _can_share(self) -> bool:
        return not self.isDefined(self.validationIndicatorCol)

    def _share(self, dataset: DataFrame, group: Sequence[Self]) -> Callable[[Self], Model]:
        longest = max(group, key=lambda member: member.getMaxIter()).fit(dataset)

        def first_trees(member: Self) -> Model:
            size, whole = member.getMaxIter(), longest._java_obj
            trees, weights = whole.trees()[:size], whole.treeWeights()[:size]  # slices are Java arrays
            return member._model_of(f"{_REGRESSION}.GBTRegressionModel", trees, weights, whole.numFeatures())

        return first_trees


class NativeForestRegressor(GrowsNatively, SharedForestRegressor):
    """A forest whose trees are grown here, node for node as stock; by MLlib where that cannot be."""


class NativeGBTRegressor(GrowsNatively, PrefixGBTRegressor):
    """Boosted trees that are grown here, node for node as stock; by MLlib where that cannot be."""


class GramianLinearRegression(SharesFits, LinearRegression):  # type: ignore[misc]
    """Least squares of which one pass over the rows serves every `regParam`.

    A model from a shared pass has no training summary (`hasSummary` is false); stock `fit` gives one.
    Fitted one by one as stock: with `elasticNetParam`, `weightCol`, a loss or solver other than least
    squares by normal equations, more than 4,096 features, or a label that hardly varies; and each
    `regParam` at which the equations have no solution (0 with collinear columns), where MLlib
    iterates instead.
    """

    def _shared_over(self) -> Param:
        return self.regParam

    def _can_share(self) -> bool:
        weighted = self.isDefined(self.weightCol) and self.getWeightCol()
        return (
            self.getLoss() == "squaredError"
            and self.getSolver() in ("auto", "normal")
            and self.getElasticNetParam() == 0.0
            and not weighted
        )

    def _share(self, dataset: DataFrame, group: Sequence[Self]) -> Callable[[Self], Model]:
        features, label = self.getFeaturesCol(), self.getLabelCol()
        count = feature_count(dataset, features)
        moments = Moments.of(dataset, features, label, count) if 0 < count <= MAX_FEATURES else None

        def ridge(member: Self) -> Model:
            if moments is None:
                return member.fit(dataset)
            line = moments.ridge(
                member.getRegParam(),
                fit_intercept=member.getFitIntercept(),
                standardization=member.getStandardization(),
            )
            if line is None:
                return member.fit(dataset)
            return member._model_of(f"{_REGRESSION}.LinearRegressionModel", line.coefficients, line.intercept)

        return ridge
