"""Who may do what in the embedded lake: each identity against each thing that can be done there, on the real MinIO."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from minio import MinioAdmin
from minio.credentials import StaticProvider
from minio.error import MinioAdminException

from machine import of_the_tests
from regatta.runtime.identities import Identity
from regatta.runtime.local import embedded
from s3_client import s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "regatta"
DELIVERY = "raw/oolong/2024-01/tea.csv"
VERDICT = "oolong/accepted/contract=1/delivery=2024-01/_record.json"
MODEL = "oolong/runs/one/model/data"
CHAMPION = "oolong/champion/00000001.json"
SCORES = "oolong/scores/champion=1/batch=delivery-2024-01/part-0.parquet"
PENDING_RUN = "oolong/_attempts/1/runs/one/model/data"
PENDING_SCORES = "oolong/_attempts/2/scores/champion=1/batch=delivery-2024-01/part-0.parquet"
REPORT = "oolong/reports/one.html"
ARTIFACT = "mlflow/oolong/plot.png"
PLANTED = (DELIVERY, VERDICT, MODEL, CHAMPION, SCORES, PENDING_RUN, PENDING_SCORES, REPORT, ARTIFACT)
PLACES = ("raw/oolong/", "oolong/", "mlflow/oolong/", "elsewhere/")

Action = Callable[["S3Client"], object]


def get(key: str) -> Action:
    return lambda s3: s3.get_object(Bucket=BUCKET, Key=key)


def put(key: str) -> Action:
    return lambda s3: s3.put_object(Bucket=BUCKET, Key=key, Body=b"written")


def put_in_parts(key: str) -> Action:
    def begin_and_give_up(s3: S3Client) -> None:
        begun = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        s3.upload_part(Bucket=BUCKET, Key=key, UploadId=begun, PartNumber=1, Body=b"part")
        s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=begun)

    return begin_and_give_up


def delete(key: str) -> Action:
    return lambda s3: s3.delete_object(Bucket=BUCKET, Key=key)


def copy(source: str, target: str) -> Action:
    return lambda s3: s3.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": source})


def listing(prefix: str) -> Action:
    return lambda s3: s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)


def make_and_remove_a_bucket(s3: S3Client) -> None:
    s3.create_bucket(Bucket="made-by-a-test")
    s3.delete_bucket(Bucket="made-by-a-test")


ACTIONS: dict[str, Action] = {
    "deliver": put("raw/oolong/2024-02/tea.csv"),
    "deliver a large file": put_in_parts("raw/oolong/2024-03/tea.csv"),
    "read a delivery": get(DELIVERY),
    "list deliveries": listing("raw/oolong/"),
    "remove a delivery": delete(DELIVERY),
    "list everything": listing(""),
    "read a model": get(MODEL),
    "read scores": get(SCORES),
    "read an attempt": get(PENDING_RUN),
    "publish a verdict": put(VERDICT),
    "write a run": put_in_parts(PENDING_RUN),
    "publish a run": copy(PENDING_RUN, MODEL),
    "remove a model": delete(MODEL),
    "enter a champion": put("oolong/champion/00000002.json"),
    "remove a champion": delete(CHAMPION),
    "write a report": put(REPORT),
    "write scores": put(PENDING_SCORES),
    "publish scores": copy(PENDING_SCORES, SCORES),
    "remove scores": delete(SCORES),
    "tidy up a run": delete(PENDING_RUN),
    "tidy up scores": delete(PENDING_SCORES),
    "list uploads": lambda s3: s3.list_multipart_uploads(Bucket=BUCKET),
    "read an artifact": get(ARTIFACT),
    "write an artifact": put(ARTIFACT),
    "list artifacts": listing("mlflow/oolong/"),
    "write beside it all": put("elsewhere/x"),
    "make and remove a bucket": make_and_remove_a_bucket,
}

TABLE = """
                      landing  training  scoring  reader  admin  tracking
deliver               yes      -         -        -       yes    -
deliver a large file  yes      -         -        -       yes    -
read a delivery       yes      yes       yes      yes     yes    -
list deliveries       yes      yes       yes      yes     yes    -
remove a delivery     -        -         -        -       yes    -
list everything       -        yes       yes      yes     yes    -
read a model          -        yes       yes      yes     yes    -
read scores           -        yes       yes      yes     yes    -
read an attempt       -        yes       yes      yes     yes    -
publish a verdict     -        yes       -        -       yes    -
write a run           -        yes       -        -       yes    -
publish a run         -        yes       -        -       yes    -
remove a model        -        -         -        -       yes    -
enter a champion      -        yes       -        -       yes    -
remove a champion     -        -         -        -       yes    -
write a report        -        yes       -        -       yes    -
write scores          -        -         yes      -       yes    -
publish scores        -        -         yes      -       yes    -
remove scores         -        -         -        -       yes    -
tidy up a run         -        yes       -        -       yes    -
tidy up scores        -        -         yes      -       yes    -
list uploads          -        yes       yes      -       yes    -
read an artifact      -        -         -        -       yes    yes
write an artifact     -        -         -        -       yes    yes
list artifacts        -        yes       yes      yes     yes    yes
write beside it all   -        -         -        -       yes    -
make and remove a bucket  -    -         -        -       yes    -
"""


def rights() -> Iterator[tuple[Identity, str, bool]]:
    head, *lines = TABLE.strip("\n").splitlines()
    for line in lines:
        *words, last = line.split()
        cells = [*words[-5:], last]
        for identity, cell in zip(head.split(), cells, strict=True):
            yield Identity(identity), " ".join(words[:-5]), cell == "yes"


@pytest.fixture
def lake(lake_environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The lake with an object at each place, as the admin reaches it."""
    admin = s3_client(lake_environment)
    for key in PLANTED:
        admin.put_object(Bucket=BUCKET, Key=key, Body=b"planted")
    yield lake_environment
    for place in PLACES:
        for stored in admin.list_objects_v2(Bucket=BUCKET, Prefix=place).get("Contents", ()):
            admin.delete_object(Bucket=BUCKET, Key=stored["Key"])


def as_one(identity: Identity, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables by which a process of this identity reaches the tests' lake."""
    with of_the_tests({"REGATTA_HOME": environment["REGATTA_HOME"]}):
        return embedded.environment(identity)


@pytest.mark.parametrize(("identity", "action", "allowed"), list(rights()))
def test_each_identity_can_do_its_work_and_is_denied_the_rest(
    lake: dict[str, str], identity: Identity, action: str, allowed: bool
) -> None:
    s3 = s3_client(as_one(identity, lake))
    if allowed:
        ACTIONS[action](s3)
        return
    with pytest.raises(ClientError) as refusal:
        ACTIONS[action](s3)
    assert refusal.value.response["Error"]["Code"] == "AccessDenied"


def test_the_table_has_every_identity_and_action() -> None:
    assert {(identity, action) for identity, action, _ in rights()} == {
        (identity, action) for identity in Identity for action in ACTIONS
    }


@pytest.mark.parametrize("identity", Identity)
def test_no_identity_can_make_accounts(lake_environment: dict[str, str], identity: Identity) -> None:
    variables = as_one(identity, lake_environment)
    keys = StaticProvider(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    admin = MinioAdmin(
        endpoint=urlsplit(variables["AWS_ENDPOINT_URL"]).netloc, credentials=keys, secure=False
    )
    for attempt in (admin.user_list, lambda: admin.user_add("mallory", "mallory-mallory")):
        with pytest.raises(MinioAdminException, match="AccessDenied"):
            attempt()


def test_the_secrets_are_read_by_their_owner_alone(lake_environment: dict[str, str]) -> None:
    kept = Path(lake_environment["REGATTA_HOME"]) / "identities.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    found = json.loads(kept.read_text())
    assert sorted(found) == sorted(Identity)
    assert len(set(found.values())) == len(Identity)
