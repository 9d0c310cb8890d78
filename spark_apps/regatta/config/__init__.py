"""Use-case files: what they may say, and how they are read and checked. No Spark is needed here."""

from regatta.config.load import load, parse
from regatta.config.model import UseCase

__all__ = ["UseCase", "load", "parse"]
