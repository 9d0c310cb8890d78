"""Values of features -> bins, by the thresholds that MLlib would choose.

Spark 4.1.2: mllib, `ml/tree/impl/RandomForest.scala` (`findSplits`, `findSplitsForContinuousFeature`) and
`ml/tree/impl/TreePoint.scala`; core, `rdd/PartitionwiseSampledRDD.scala` and `util/random/RandomSampler.scala`.

The thresholds come from a sample of about max(maxBins^2, 10,000) rows. MLlib walks over its distinct values in
strides that follow from the size the sample was meant to have. Two things come of that, and both must be kept: a
sample that turned out a little larger gives one threshold more than asked for (33 bins for a maxBins of 32, seen from
100,000 rows), and one that turned out smaller makes MLlib believe in zeros that are not there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regatta.selection.native.compiled import compiled
from regatta.selection.native.random_numbers import (
    java_long,
    java_seeded,
    xorshift_double,
    xorshift_int,
    xorshift_seeded,
)
from regatta.selection.native.table import MOST_BINS, Bins, Features, Floats
from regatta.selection.native.unsupported import Unsupported

LEAST_SAMPLE = 10_000
TOLERANCE = 100 * 2.220446049250313e-16  # a sample row's share in a difference of counts that counts as none
LARGEST_GAP_FRACTION = 0.4  # RandomSampler.defaultMaxGapSamplingFraction
LEAST_UNIFORM = 5e-11  # RandomSampler.rngEpsilon


def features_of(
    values: Floats, partition_ends: NDArray[np.int64], arities: NDArray[np.int32], max_bins: int, seed: int
) -> Features:
    """Choose the thresholds of continuous features.

    Args:
        values: (rows, features), finite.
        partition_ends: for each partition, one past its last row.
        arities: (features,) the number of categories of a categorical feature; else 0.
        max_bins: MLlib's `maxBins`.
        seed: the estimator's; it decides which rows are in the sample.

    Raises:
        Unsupported: a feature has more bins than a byte can tell apart.
    """
    rows = len(values)
    most_bins = min(max_bins, rows)
    if arities.max(initial=0) > most_bins:
        raise Unsupported(
            f"a feature has {arities.max():,} categories, more than the {most_bins:,} bins allowed"
        )
    wanted = max(most_bins * most_bins, LEAST_SAMPLE)
    fraction = wanted / rows if wanted < rows else 1.0
    sample = values if fraction == 1.0 else values[_sampled(partition_ends, fraction, seed)]
    none = np.empty(0)
    features = Features(
        tuple(
            none if arities[feature] else _thresholds(sample[:, feature], fraction * rows, most_bins - 1)
            for feature in range(values.shape[1])
        ),
        arities,
    )
    if features.bin_counts.max() > MOST_BINS:
        raise Unsupported(f"a feature has {features.bin_counts.max():,} bins, more than {MOST_BINS}")
    return features


def binned(values: Floats, features: Features) -> Bins:
    """The bin of every value: the number of thresholds below it, or the category.

    Args:
        values: (rows, features); categories are whole numbers from 0 to below their number.
        features: as `features_of` found them.
    """
    ends = np.cumsum([len(thresholds) for thresholds in features.thresholds])
    bins = np.empty(values.shape, np.uint8)
    _fill_bins(values, np.concatenate(features.thresholds), ends, features.arities, bins)
    return bins


def _thresholds(values: Floats, planned: float, most: int) -> Floats:
    """Where one feature may be split.

    Args:
        values: of the sample.
        planned: how many values the sample was meant to have.
        most: how many thresholds are asked for.
    """
    distinct, counts = np.unique(values[values != 0.0], return_counts=True)
    if not len(distinct):
        return np.empty(0)
    missing = planned - counts.sum()
    weights = counts.astype(np.float64)
    if missing > TOLERANCE * counts.sum():
        # MLlib counts no zeros, and takes what is missing from the plan for them.
        zero = np.searchsorted(distinct, 0.0)
        distinct, weights = np.insert(distinct, zero, 0.0), np.insert(weights, zero, missing)
    middles = (distinct[:-1] + distinct[1:]) / 2.0
    if len(middles) <= most:
        return middles
    return middles[_strides(weights, planned / (most + 1))]


@compiled
def _strides(weights, stride):
    """For each gap between values, whether the count on its left is the nearest to the next whole stride."""
    chosen = np.zeros(len(weights) - 1, np.bool_)
    count, target = weights[0], stride
    for index in range(1, len(weights)):
        before = count
        count += weights[index]
        if abs(before - target) < abs(count - target):
            chosen[index - 1] = True
            target += stride
    return chosen


def _sampled(partition_ends: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.int64]:
    """The rows of `RDD.sample(withReplacement = false, fraction, new XORShiftRandom(seed).nextInt())`."""
    chosen = np.zeros(int(partition_ends[-1]), np.bool_)
    _sample(np.int64(seed), fraction, partition_ends, chosen)
    return np.flatnonzero(chosen)


@compiled
def _sample(seed, fraction, partition_ends, chosen):
    """A seed for the whole, of it one for each partition, and of that the draws."""
    _, whole_seed = xorshift_int(xorshift_seeded(seed))
    state, start = java_seeded(np.int64(whole_seed)), 0
    for end in partition_ends:
        state, partition_seed = java_long(state)
        if fraction <= LARGEST_GAP_FRACTION:
            _sample_by_gaps(partition_seed, np.log1p(-fraction), chosen[start:end])
        else:
            _sample_each(partition_seed, fraction, chosen[start:end])
        start = end


@compiled
def _sample_each(seed, fraction, chosen):
    """`BernoulliSampler`: a draw a row."""
    state = xorshift_seeded(seed)
    for row in range(len(chosen)):
        state, number = xorshift_double(state)
        chosen[row] = number <= fraction


@compiled
def _sample_by_gaps(seed, log_of_rest, chosen):
    """`GapSampling`: a draw for each row that is taken, which says how many are left out before it."""
    state = xorshift_seeded(seed)
    row = -1
    while True:
        state, number = xorshift_double(state)
        row += 1 + int(np.log(max(number, LEAST_UNIFORM)) / log_of_rest)
        if row >= len(chosen):
            break
        chosen[row] = True


@compiled
def _fill_bins(values, thresholds, ends, arities, bins):
    for row in range(values.shape[0]):
        for feature in range(values.shape[1]):
            value = values[row, feature]
            if arities[feature] > 0:
                bins[row, feature] = np.uint8(value)
                continue
            first = ends[feature - 1] if feature > 0 else 0
            low, high = first, ends[feature]
            while low < high:
                middle = (low + high) >> 1
                if thresholds[middle] < value:
                    low = middle + 1
                else:
                    high = middle
            bins[row, feature] = low - first
