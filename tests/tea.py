"""The smallest use-case file that has all there must be."""

from __future__ import annotations

SMALL = """\
use_case: tea
sources:
  sales: {role: train}
columns:
  id: {type: string, role: key}
  area: {type: number, role: feature}
  town: {type: string, role: category}
  price: {type: number, role: label}
candidates:
  linear_regression: {regParam: [0.1, 1.0]}
"""
