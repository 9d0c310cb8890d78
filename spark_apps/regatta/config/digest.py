"""What names a value: equal for equal values, whatever machine works it out."""

from __future__ import annotations

import hashlib
import json


def digest(value: object) -> str:
    """SHA-256 of the value's canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
