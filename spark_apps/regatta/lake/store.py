"""The S3 calls that the lake is made of: one bucket, one prefix, nothing beyond the S3 API.

Keys are relative to the lake's root (`REGATTA_LAKE`); no other module builds a full key or a URI.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlparse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from regatta.address import DEFAULT_LAKE, endpoint, lake_root
from regatta.errors import InputError
from regatta.lake.answers import answering, code_of
from regatta.lake.ranges import Ranges

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COPIES_AT_ONCE = 16
READ_AT_ONCE = 1024**2  # bytes of a request for a part of an object
ANSWER_WITHIN = 20  # seconds of silence after which a request is tried again, four times


@dataclass(frozen=True)
class Stored:
    """An object as a listing shows it: size in bytes, the entity tag that changes with its content, and its age."""

    key: str
    bytes: int
    etag: str
    modified: datetime


@dataclass(frozen=True)
class Upload:
    """Parts of an object that was neither completed nor given up: they take room, and no listing shows them."""

    key: str
    id: str
    begun: datetime


class Store:
    """The objects under one root."""

    def __init__(self, root: str, client: S3Client) -> None:
        parts = urlparse(root)
        if parts.scheme not in ("s3", "s3a") or not parts.netloc:
            raise InputError(
                f"{root!r} is no lake", place="REGATTA_LAKE", way_out=f"use a URI such as {DEFAULT_LAKE}"
            )
        self.bucket = parts.netloc
        self._prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        self._client = client

    @classmethod
    def from_environment(cls, instead: Mapping[str, str] | None = None) -> Store:
        """The lake that REGATTA_LAKE and the AWS_ variables name, or those that are given in their place."""
        instead = instead or {}
        endpoint(os.environ)  # one that must not be shown is refused before anything shows it
        client = boto3.client(
            "s3",
            endpoint_url=instead.get("AWS_ENDPOINT_URL"),
            aws_access_key_id=instead.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=instead.get("AWS_SECRET_ACCESS_KEY"),
            region_name=instead.get("AWS_REGION") or os.environ.get("AWS_REGION", "us-east-1"),
            config=Config(
                signature_version="s3v4",  # of links too, which would else be signed as S3 did before 2014
                s3={"addressing_style": "path"},
                retries={"mode": "standard", "max_attempts": 5},
                connect_timeout=5,
                read_timeout=ANSWER_WITHIN,
                max_pool_connections=2 * COPIES_AT_ONCE,
            ),
        )
        return cls(lake_root(), client)

    def uri(self, key: str) -> str:
        """The key as Spark reads it."""
        return f"s3a://{self.bucket}/{self._prefix}{key}"

    def link(self, key: str, days: int = 7) -> str:
        """An address by which whoever has it can read the object for so many days, without credentials.

        S3 grants seven at most (Signature Version 4).
        """
        wanted = {"Bucket": self.bucket, "Key": self._prefix + key}
        return str(self._client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=86_400 * days))

    def get(self, key: str) -> bytes | None:
        """An object's content, or None where there is no such object."""
        with self._answering(key):
            try:
                body = self._client.get_object(Bucket=self.bucket, Key=self._prefix + key)["Body"]
                return body.read()
            except ClientError as error:
                if code_of(error) in ("NoSuchKey", "404"):
                    return None
                raise

    def stream(self, key: str) -> Any:
        """An object's content as a readable stream of bytes (botocore's StreamingBody)."""
        with self._answering(key):
            return self._client.get_object(Bucket=self.bucket, Key=self._prefix + key)["Body"]

    def first_bytes(self, key: str, count: int) -> bytes:
        """At most the first `count` bytes of an object; none of an empty one."""
        with self._answering(key):
            try:
                answer = self._client.get_object(
                    Bucket=self.bucket, Key=self._prefix + key, Range=f"bytes=0-{count - 1}"
                )
            except ClientError as error:
                if code_of(error) == "InvalidRange":
                    return b""
                raise
            return answer["Body"].read()

    def at_any_place(self, key: str, size: int) -> BinaryIO:
        """An object of so many bytes as a file that can be read at any place: each read is one request."""
        return io.BufferedReader(Ranges(partial(self._between, key), size), READ_AT_ONCE)

    def _between(self, key: str, start: int, end: int) -> bytes:
        with self._answering(key):
            answer = self._client.get_object(
                Bucket=self.bucket, Key=self._prefix + key, Range=f"bytes={start}-{end - 1}"
            )
            return answer["Body"].read()

    def put_new(self, key: str, content: bytes) -> bool:
        """Write an object unless there is one already; say whether it was written.

        This one call decides every race in the lake: of any number of writers, exactly one gets True.
        A lost answer makes the client ask again and find its own object, so whoever gets False must look
        whether what stands there is its own.
        """
        with self._answering(key):
            try:
                self._client.put_object(
                    Bucket=self.bucket, Key=self._prefix + key, Body=content, IfNoneMatch="*"
                )
            except ClientError as error:
                if code_of(error) in ("PreconditionFailed", "ConditionalRequestConflict", "412", "409"):
                    return False
                raise
            return True

    def put(self, key: str, content: bytes, kind: str) -> None:
        """Write an object in place of what may be there: for what can be made again. `kind` is its MIME type."""
        with self._answering(key):
            self._client.put_object(
                Bucket=self.bucket, Key=self._prefix + key, Body=content, ContentType=kind
            )

    def upload(self, key: str, content: BinaryIO, progress: Any = None) -> None:
        """Write an object from a stream, in parts when it is large; `progress` is called with bytes sent."""
        with self._answering(key):
            self._client.upload_fileobj(content, self.bucket, self._prefix + key, Callback=progress)

    def stat(self, key: str) -> Stored | None:
        """Size and entity tag of an object, or None where there is no such object."""
        with self._answering(key):
            try:
                head = self._client.head_object(Bucket=self.bucket, Key=self._prefix + key)
            except ClientError as error:
                if code_of(error) in ("NoSuchKey", "404"):
                    return None
                raise
            return Stored(key, head["ContentLength"], head["ETag"].strip('"'), head["LastModified"])

    def files(self, prefix: str) -> Iterator[Stored]:
        """All objects whose key begins with the prefix, in the order of their keys.

        The empty objects by which S3A marks folders (their keys end in a slash) are none of them.
        """
        return (stored for stored in self.objects(prefix) if not stored.key.endswith("/"))

    def objects(self, prefix: str) -> Iterator[Stored]:
        """The same, and S3A's marks of folders."""
        with self._answering(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    key = entry["Key"].removeprefix(self._prefix)
                    yield Stored(key, entry["Size"], entry["ETag"].strip('"'), entry["LastModified"])

    def folders(self, prefix: str) -> list[str]:
        """The names one level under a prefix that ends in a slash, in order."""
        with self._answering(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self._prefix + prefix, Delimiter="/"
            )
            return [
                entry["Prefix"].removeprefix(self._prefix + prefix).rstrip("/")
                for page in pages
                for entry in page.get("CommonPrefixes", ())
            ]

    def get_all(self, keys: Iterable[str]) -> list[bytes | None]:
        """The contents of many small objects, in the order asked for."""
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            return list(pool.map(self.get, keys))

    def copy_all(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Copy objects inside the server, several at once; the bytes do not come here."""

        def copy(pair: tuple[str, str]) -> None:
            source, target = pair
            with self._answering(target):
                self._client.copy(
                    {"Bucket": self.bucket, "Key": self._prefix + source}, self.bucket, self._prefix + target
                )

        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            list(pool.map(copy, pairs))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there do no harm."""
        doomed = [{"Key": self._prefix + key} for key in keys]
        for start in range(0, len(doomed), 1000):
            batch: Any = {"Objects": doomed[start : start + 1000], "Quiet": True}
            with self._answering("delete"):
                self._client.delete_objects(Bucket=self.bucket, Delete=batch)

    def uploads(self, prefix: str) -> list[Upload]:
        """The uploads under a prefix that nobody completed or aborted.

        The whole bucket is asked and the prefix sought here: MinIO answers nothing to a prefix that is no key.
        """
        with self._answering(prefix):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
            return [
                Upload(entry["Key"].removeprefix(self._prefix), entry["UploadId"], entry["Initiated"])
                for page in pages
                for entry in page.get("Uploads", ())
                if entry["Key"].startswith(self._prefix + prefix)
            ]

    def abort(self, upload: Upload) -> None:
        """Give up an upload; harmless where it is gone already."""
        with self._answering(upload.key):
            try:
                self._client.abort_multipart_upload(
                    Bucket=self.bucket, Key=self._prefix + upload.key, UploadId=upload.id
                )
            except ClientError as error:
                if code_of(error) not in ("NoSuchUpload", "404"):
                    raise

    def digest(self, key: str, algorithm: str) -> str:
        """The hash of an object's content in hexadecimal digits, read piece by piece; by an algorithm of hashlib."""
        found = hashlib.new(algorithm, usedforsecurity=False)
        with closing(self.stream(key)) as content:
            for piece in content.iter_chunks(READ_AT_ONCE):
                found.update(piece)
        return found.hexdigest()

    def _answering(self, key: str) -> AbstractContextManager[None]:
        return answering(self.uri(key), self._client.meta.endpoint_url)
