"""Where a lake is: its root and its server, as the environment names them.

Both are shown to people and stand in logs, so neither may hold a secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from regatta.errors import InputError

DEFAULT_LAKE = "s3a://regatta"
LAKE, ENDPOINT = "REGATTA_LAKE", "AWS_ENDPOINT_URL"


def lake_root(environment: Mapping[str, str] | None = None) -> str:
    """The lake's URI, without a slash at its end.

    Raises:
        InputError: it names no bucket, or holds credentials.
    """
    root = ((os.environ if environment is None else environment).get(LAKE) or DEFAULT_LAKE).rstrip("/")
    _without_credentials(root, LAKE)
    if not root.startswith("s3a://") or not urlsplit(root).netloc:
        raise InputError(f"{root!r} is no lake", place=LAKE, way_out="write it like s3a://bucket")
    return root


def endpoint(environment: Mapping[str, str] | None = None) -> str | None:
    """The address of the lake's server; None where that is S3 itself.

    Raises:
        InputError: it holds credentials.
    """
    found = (os.environ if environment is None else environment).get(ENDPOINT) or None
    if found:
        _without_credentials(found, ENDPOINT)
    return found


def _without_credentials(uri: str, variable: str) -> None:
    if "@" in uri.partition("://")[2]:
        raise InputError(
            "holds credentials, which would end up in logs",
            place=variable,
            way_out="put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
