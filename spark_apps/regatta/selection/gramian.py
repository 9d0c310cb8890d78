"""Ridge regression from sums over the rows, with the figures of MLlib's `WeightedLeastSquares`.

The sums are uncentred and added in MLlib's order by MLlib's routine, and the equations are scaled in its
order and solved by its own Cholesky. That is on purpose: where a column's mean is far above its spread (a
latitude, a year) uncentred sums lose digits, and a better conditioned computation would not lose the same
ones. Measured: rows in sparse form give stock's coefficients to the bit; in dense form the sums of feature
x label differ in the last bit, because MLlib fuses multiplying and adding there and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark import SparkContext
from pyspark.errors import IllegalArgumentException
from pyspark.ml.common import _java2py, _py2java
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.linalg import DenseVector, Vectors
from pyspark.mllib.linalg.distributed import RowMatrix
from pyspark.mllib.util import MLUtils
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

Floats = NDArray[np.float64]

MAX_FEATURES = 4096  # WeightedLeastSquares.MAX_NUM_FEATURES

# The least share of a column that the columns before it may leave unexplained. A share s turns the last
# bit of a sum, 1e-16, into 1e-16 / s of a coefficient. King County's columns leave 8e-8, because a
# latitude is nearly a constant; a column that is the sum of two others leaves 4e-15.
NEARLY_SINGULAR = 1e-8


def feature_count(dataset: DataFrame, features: str) -> int:
    """The length of the vectors in column `features`: by its metadata, else by the first row; 0 if empty."""
    known = dataset.schema[features].metadata.get("ml_attr", {}).get("num_attrs")
    if known is not None:
        return int(known)
    first = dataset.select(features).first()
    return 0 if first is None or first[0] is None else int(first[0].size)


@dataclass(frozen=True)
class Line:
    """What a linear model predicts by, in the units of features and label."""

    coefficients: DenseVector
    intercept: float


@dataclass(frozen=True)
class Moments:
    """Sums over the rows of k features x and a label y: all that least squares asks of the data."""

    rows: float
    x: Floats  # (k,)
    y: float
    xx: Floats  # (k, k)
    xy: Floats  # (k,)
    yy: float

    @classmethod
    def of(cls, dataset: DataFrame, features: str, label: str, count: int) -> Moments:
        """Add up the rows in one pass in the JVM; only (count + 2) squared sums come to the driver.

        Args:
            dataset: with a vector column `features` of length `count` and a numeric column `label`.
            features: its name.
            label: its name.
            count: the vectors' length.
        """
        columns = dataset.select(
            F.col(features).alias("features"), F.col(label).alias("label"), F.lit(1.0).alias("one")
        )
        assembled = VectorAssembler(inputCols=columns.columns, outputCol="row").transform(columns)
        rows = MLUtils.convertVectorColumnsFromML(assembled.select("row"), "row")
        gramian = RowMatrix(rows, numCols=count + 2).computeGramianMatrix().toArray()
        return cls(
            rows=float(gramian[-1, -1]),
            x=gramian[:count, -1],
            y=float(gramian[count, -1]),
            xx=gramian[:count, :count],
            xy=gramian[:count, count],
            yy=float(gramian[count, count]),
        )

    def ridge(self, reg_param: float, *, fit_intercept: bool, standardization: bool) -> Line | None:
        """Minimise squared error / 2 rows + `reg_param` / 2 x the squares of the coefficients.

        As in MLlib the label is divided by its population standard deviation before the penalty is
        added, and with `standardization` so is each feature. Columns that do not vary get 0.

        Returns:
            None where the label hardly varies, the equations have no solution or nearly none, or the sums
            are not finite: MLlib has other ways there, or an error to raise.
        """
        y_mean = self.y / self.rows
        y_variance = self.yy / self.rows - y_mean * y_mean
        y_varies = y_variance > 1e-12 * self.yy / self.rows  # less is what rounding leaves of a constant
        if not (y_varies and np.isfinite(self.xx).all()):
            return None
        y_std = np.sqrt(y_variance)

        means = self.x / self.rows
        std = np.sqrt(np.maximum(self.xx.diagonal() / self.rows - means * means, 0.0))
        varies = std != 0.0
        mean_share = 1.0 / self.rows  # MLlib multiplies by it; dividing would differ in the last bit

        def scaled(sums: Floats, scale: Floats) -> Floats:
            return np.divide(sums * mean_share, scale, out=np.zeros_like(sums), where=scale != 0.0)

        left = scaled(self.xx, np.outer(std, std))
        penalty = np.full_like(std, reg_param / y_std)
        if not standardization:
            penalty = np.divide(penalty, std * std, out=np.zeros_like(std), where=varies)
        left[np.diag_indices_from(left)] += penalty

        packed = left[np.tril_indices_from(left)]
        right = scaled(self.xy, std * y_std)
        if fit_intercept:
            packed = np.concatenate([packed, scaled(self.x, std), [1.0]])
            right = np.append(right, y_mean / y_std)
        solution = _cholesky(packed, right)
        if solution is None:
            return None

        slopes, intercept = (solution[:-1], solution[-1] * y_std) if fit_intercept else (solution, 0.0)
        slopes = slopes * np.divide(y_std, std, out=np.zeros_like(std), where=varies)
        return Line(Vectors.dense(slopes), float(intercept))


def _cholesky(packed: Floats, right: Floats) -> Floats | None:
    """Solve by MLlib's own LAPACK `dppsv`; None where the matrix is singular, or nearly.

    Args:
        packed: the upper triangle of a symmetric matrix, column by column.
        right: the right-hand side.
    """
    context = SparkContext._active_spark_context
    matrix, vector = (_py2java(context, Vectors.dense(values)) for values in (packed, right))
    try:
        # Both arrays are overwritten: the matrix by its factor, the vector by the solution.
        context._jvm.org.apache.spark.mllib.linalg.CholeskyDecomposition.solve(
            matrix.values(), vector.values()
        )
    except IllegalArgumentException:  # a SingularMatrixException; a fault of ours is an IllegalStateException
        return None
    factor, solution = (np.asarray(_java2py(context, array).toArray()) for array in (matrix, vector))
    diagonal = np.cumsum(np.arange(1, len(right) + 1)) - 1
    if np.any(factor[diagonal] ** 2 < NEARLY_SINGULAR * packed[diagonal]):
        return None
    return solution
