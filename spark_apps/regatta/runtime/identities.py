"""Who may do what in a MinIO that is the lake's alone: an account for each kind of work, and which verb uses which.

What an account may do is its policy, infra/minio/<identity>.json. Not even training can change what was delivered,
take an entry out of the champion log, or remove anything that was published: that takes the admin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

POLICIES = Path(__file__).resolve().parents[3] / "infra" / "minio"
REGION = "us-east-1"


class Identity(StrEnum):
    """An account, whose access key is its name."""

    LANDING = "landing"
    """Puts and gets in raw/, and nowhere else."""
    TRAINING = "training"
    """Reads the lake; publishes verdicts, runs, champions and reports."""
    SCORING = "scoring"
    """Reads the lake; publishes scores."""
    READER = "reader"
    """Reads the lake."""
    ADMIN = "admin"
    """Does whatever S3 knows, in every bucket; accounts and policies are beyond it as well."""
    TRACKING = "tracking"
    """MLflow's server: its artifacts, and nothing of ours."""


_OF_VERB = {
    "land": Identity.LANDING,
    "ingest": Identity.TRAINING,
    "train": Identity.TRAINING,
    "promote": Identity.TRAINING,
    "reproduce": Identity.TRAINING,  # it publishes nothing, and Spark needs a place to write
    "rollback": Identity.TRAINING,
    "report": Identity.TRAINING,  # its page stands beside the runs, where a reader must put nothing
    "score": Identity.SCORING,
    "gc": Identity.ADMIN,
}


def identity_of(verb: str) -> Identity:
    """The one that can do the verb's work and the least besides: who is not named above only reads."""
    return _OF_VERB.get(verb, Identity.READER)


def policy(identity: Identity, lake: str) -> dict[str, Any]:
    """What an identity may do in a lake (`s3a://bucket/prefix`), as MinIO takes it.

    The files say it for `s3a://regatta`; here bucket and prefix are put in their place.
    """
    parts = urlsplit(lake)
    bucket, prefix = f"arn:aws:s3:::{parts.netloc}", parts.path.strip("/")
    root = f"{prefix}/" if prefix else ""
    found: dict[str, Any] = json.loads((POLICIES / f"{identity}.json").read_text(encoding="utf-8"))
    for statement in found["Statement"]:
        statement["Resource"] = [_moved(one, bucket, root) for one in statement["Resource"]]
        if like := statement.get("Condition", {}).get("StringLike"):
            like["s3:prefix"] = [root + one for one in like["s3:prefix"]]
    return found


def _moved(resource: str, bucket: str, root: str) -> str:
    usual = "arn:aws:s3:::regatta"
    if resource == usual:
        return bucket
    return resource.replace(f"{usual}/", f"{bucket}/{root}", 1)


def establish(
    endpoint: str, root: tuple[str, str], lake: str, secrets: Mapping[Identity, str], *, anew: bool = False
) -> None:
    """Make a lake's bucket, and the accounts that may work in it; harmless where all is there.

    An account that works in another lake of the same MinIO may go on there.

    Args:
        endpoint: MinIO's address.
        root: access key and secret key of the one who may make accounts.
        lake: its URI.
        secrets: the secret key of each identity.
        anew: also give accounts that are there these secrets.
    """
    from minio import Minio, MinioAdmin  # half a second, and every command imports this module
    from minio.credentials import StaticProvider

    parts = urlsplit(endpoint)
    secure = parts.scheme == "https"
    client = Minio(parts.netloc, access_key=root[0], secret_key=root[1], region=REGION, secure=secure)
    bucket = urlsplit(lake).netloc
    if not client.bucket_exists(bucket_name=bucket):
        client.make_bucket(bucket_name=bucket)
    admin = MinioAdmin(endpoint=parts.netloc, credentials=StaticProvider(*root), region=REGION, secure=secure)
    known = json.loads(admin.user_list())
    for identity, secret in secrets.items():
        name = re.sub(r"[^\w-]+", ".", f"{identity}@{lake.removeprefix('s3a://')}")
        admin.policy_add(name, policy=policy(identity, lake))
        if anew or identity not in known:
            admin.user_add(identity, secret)
        if name not in known.get(identity, {}).get("policyName", "").split(","):
            admin.attach_policy([name], user=identity)
