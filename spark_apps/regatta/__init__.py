"""Regatta: models race on your data lake."""

__version__ = "0.1.0"
