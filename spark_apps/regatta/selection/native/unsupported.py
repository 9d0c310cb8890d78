"""The one way in which the engine says that a fit is not for it."""

from __future__ import annotations


class Unsupported(Exception):
    """MLlib must do this fit itself; the message says why, as the end of a sentence."""
