"""What a lake answers where it does not do as asked, and what that means for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from regatta.errors import InputError, Unreachable

_SHOWN = 200  # characters of a place


FULL = ("XMinioStorageFull", "IncompleteBody")
"""Codes of a full disk. MinIO says IncompleteBody where room ends in the midst of an object."""


def full(code: str, place: str = "") -> Unreachable:
    """There is no room in the lake."""
    return Unreachable(
        f"the lake's disk is full ({code})", place=place, way_out="free room there, then again"
    )


def code_of(error: ClientError) -> str:
    """S3's code for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def answering(place: str, address: str) -> Iterator[None]:
    """Turn what botocore raises into a sentence for the user.

    Args:
        place: what is asked for, as a URI.
        address: whom it is asked of.

    Raises:
        InputError: bucket, keys or name will not do.
        Unreachable: the lake is away, full, or fails.
    """
    place = place if len(place) <= _SHOWN else f"{place[:_SHOWN]}..."
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code == "NoSuchBucket":
            bucket = place.partition("://")[2].partition("/")[0]
            raise InputError(
                f"the lake has no bucket {bucket}",
                place=place,
                way_out="create it, or name another in REGATTA_LAKE",
            ) from None
        if code in ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403"):
            raise InputError(
                f"the lake refuses these credentials ({code})",
                place=place,
                way_out="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they may do; "
                "without them a verb has its own keys to the embedded lake, which `regatta up` makes",
            ) from None
        if code in ("XMinioInvalidObjectName", "XMinioInvalidResourceName", "KeyTooLongError", "InvalidURI"):
            raise InputError(
                "no object can have this name", place=place, way_out="use a shorter and plainer one"
            ) from None
        if code in FULL:
            raise full(code, place) from None
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise Unreachable(f"the lake fails ({code})", place=place, way_out="try again later") from None
        raise
    except BotoCoreError as error:
        raise Unreachable(
            f"the lake at {address} cannot be reached",
            place=place,
            way_out=f"start one with `regatta up`, or set AWS_ENDPOINT_URL ({type(error).__name__})",
        ) from None
