"""The rows that trees are grown on: bins and label of a row side by side in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regatta.selection.native.memory_access import CACHE_LINE, aligned

Bins = NDArray[np.uint8]
Floats = NDArray[np.float64]

MOST_BINS = 256  # a bin is a byte


@dataclass(frozen=True)
class Features:
    """What each feature is, once its values are bins.

    thresholds: of a continuous feature, ascending; bin b holds what is above threshold b - 1 and not above b.
    arities: the number of categories of a categorical feature, whose bins are its categories; else 0.
    """

    thresholds: tuple[Floats, ...]
    arities: NDArray[np.int32]

    @property
    def bin_counts(self) -> NDArray[np.int32]:
        """How many bins each has."""
        continuous = np.array([len(thresholds) + 1 for thresholds in self.thresholds], np.int32)
        return np.where(self.arities > 0, self.arities, continuous).astype(np.int32)


class Table(NamedTuple):
    """Binned rows and what they are to predict, in the order of their partitions, as compiled code takes them.

    bins: (rows, features), a view of records in which a row's label follows its bins.
    labels: (rows,), the other view.
    ends: for each partition, one past its last row.
    bin_counts: (features,) how many bins each has.
    arities: (features,) as in `Features`.
    """

    bins: Bins
    labels: Floats
    ends: NDArray[np.int64]
    bin_counts: NDArray[np.int32]
    arities: NDArray[np.int32]

    @classmethod
    def of(cls, bins: Bins, labels: Floats, ends: NDArray[np.int64], features: Features) -> Table:
        """Copy bins and labels into records of one cache line, or as few as they need."""
        own_bins, own_labels = _side_by_side(bins, labels)
        return cls(own_bins, own_labels, ends, features.bin_counts, features.arities)

    def with_labels_of_its_own(self) -> Table:
        """A copy whose labels may be overwritten."""
        bins, labels = _side_by_side(self.bins, self.labels)
        return self._replace(bins=bins, labels=labels)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.labels)


class Sizes(NamedTuple):
    """Of a table to learn from and one to be judged on, which have the same features."""

    rows: int
    features: int
    judged: int


@dataclass(frozen=True, eq=False)
class Binned:
    """Rows to learn from and to be judged on in the same bins: all that growing and judging look at."""

    training: Table
    judged: Table
    features: Features

    @classmethod
    def of(
        cls, bins: Bins, labels: Floats, ends: NDArray[np.int64], judged: Bins, features: Features
    ) -> Binned:
        """Of (rows, features), (rows,), the end of each partition, and (judged, features)."""
        unknown, one_partition = np.zeros(len(judged)), np.array([len(judged)])
        return cls(
            Table.of(bins, labels, ends, features),
            Table.of(judged, unknown, one_partition, features),
            features,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent without what a record of one cache line leaves unused, and laid out again where it arrives."""
        training = self.training
        bins, labels = np.ascontiguousarray(training.bins), np.ascontiguousarray(training.labels)
        return Binned.of, (bins, labels, training.ends, np.ascontiguousarray(self.judged.bins), self.features)

    @property
    def sizes(self) -> Sizes:
        """How many rows and features there are."""
        return Sizes(self.training.rows, self.training.bins.shape[1], self.judged.rows)

    def tables(self, parameters: object) -> Binned:
        """Itself: it was binned for the parameters of whoever asks."""
        return self


def _side_by_side(bins: Bins, labels: Floats) -> tuple[Bins, Floats]:
    """Copies of both, as views of the same records."""
    rows, width = bins.shape
    label_at = -(-width // 8)  # in words of eight bytes
    words = label_at + 1
    if words * 8 < CACHE_LINE:
        words = 1 << (words - 1).bit_length()
    records = aligned((rows, words), np.float64)
    of_bins, of_labels = records.view(np.uint8)[:, :width], records[:, label_at]
    of_bins[:], of_labels[:] = bins, labels
    return of_bins, of_labels
