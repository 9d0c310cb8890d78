"""Names that somebody makes up to write or read elsewhere, in every place where a name is given: handled or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from regatta.cli import group
from regatta.config import parse
from regatta.contract.report import warn_of_unrecorded
from regatta.errors import InputError
from regatta.evaluation.runs import chosen
from regatta.lake import Lake, layout
from regatta.lake.deliveries import deliveries, every_delivery, unrecorded
from regatta.lake.landing import land
from regatta.scoring.due import named
from s3_client import s3_client
from tea import SMALL

CONTENT = "id,area,town,price\n1,10,A,100\n"
NAMES = [
    "..",
    "../champion",
    "../../champion/00000001.json",
    "a/../../champion",
    "..%2fchampion",
    "%2e%2e%2fchampion",
    "a..b",
    "a b",
    " a",
    "_attempts",
    ".hidden",
    "-rf",
    "a/b",
    "a//b",
    "/etc/passwd",
    "a\\b",
    "a\nb",
    "a\x00b",
    "a?b",
    "a#b",
    "a=b",
    "a*",
    "é",
    "a\u202eb",
    "а",  # Cyrillic
    "a\ufeff",
    "x" * 129,
    "x" * 1024,
    "",
]
"""None of them can name a delivery or a file of one."""


@pytest.fixture
def lake(in_the_lake: None, request: pytest.FixtureRequest) -> Lake:
    """The lake of a use case that no other test has."""
    name = f"names_{abs(hash(request.node.name)) % 10**9}"
    own = SMALL.replace("use_case: tea", f"use_case: {name}").replace("sales:", f"{name}_sales:")
    return Lake.of(parse(own, "tea.yaml"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tea.csv"
    path.write_text(CONTENT)
    return path


def keys(lake: Lake) -> set[str]:
    return {stored.key for stored in lake.store.objects("")}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_delivery_is_called_that(lake: Lake, file: Path, name: str) -> None:
    before = keys(lake)

    with pytest.raises(InputError, match="cannot name a delivery"):
        land(lake.store, lake.use_case, [file], delivery=name)
    with pytest.raises(InputError):
        land(lake.store, lake.use_case, [file], delivery="fine", replaces=name)

    assert keys(lake) == before


@pytest.mark.parametrize(
    "name",
    [name for name in NAMES if "/" not in name and "\0" not in name and name not in ("", "..")],
    ids=ascii,
)
def test_no_file_of_a_delivery_is_called_that(lake: Lake, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    try:
        path.write_text(CONTENT)
    except OSError:
        path = tmp_path / name[:250]  # the disk would not have it
        path.write_text(CONTENT)
    before = keys(lake)

    with pytest.raises(InputError, match="cannot name a file of a delivery"):
        land(lake.store, lake.use_case, [path], delivery="fine")

    assert keys(lake) == before


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_run_batch_or_delivery_of_that_name_is_found_elsewhere(lake: Lake, file: Path, name: str) -> None:
    land(lake.store, lake.use_case, [file], delivery="fine")
    before = keys(lake)

    asked: list[Callable[[], object]] = [lambda: chosen(lake, name), lambda: named(lake, name)]
    for ask in asked:
        with pytest.raises(InputError):
            ask()

    assert keys(lake) == before


@pytest.mark.parametrize("name", [name for name in NAMES if "\0" not in name], ids=ascii)
def test_a_command_that_is_given_the_name_ends_with_a_sentence(lake: Lake, tmp_path: Path, name: str) -> None:
    config = tmp_path / "tea.yaml"
    use_case = lake.use_case.use_case
    config.write_text(
        SMALL.replace("use_case: tea", f"use_case: {use_case}").replace("sales:", f"{use_case}_sales:")
    )
    before = keys(lake)

    for words in (
        ["leaderboard", "--run"],
        ["report", "--run"],
        ["summary", "--run"],
        ["summary", "--batch"],
    ):
        verb, flag = words
        outcome = CliRunner().invoke(group, [verb, str(config), f"{flag}={name}"])
        assert isinstance(outcome.exception, InputError), (words, outcome.exception)

    assert keys(lake) == before


PLANTABLE = [
    name
    for name in NAMES
    if not {"..", "", "."} & {*name.split("/")} and "\0" not in name and len(name) < 900
]


@pytest.mark.parametrize("name", PLANTABLE, ids=ascii)
def test_what_somebody_put_under_raw_by_hand_is_named_and_read_by_nobody(
    lake: Lake, file: Path, name: str, capsys: pytest.CaptureFixture[str], lake_environment: dict[str, str]
) -> None:
    source = str(lake.use_case.source("train"))
    planted = f"{layout.raw(source)}{name}/tea.csv"
    s3_client(lake_environment).put_object(Bucket="regatta", Key=planted, Body=CONTENT.encode())
    land(lake.store, lake.use_case, [file], delivery="fine")

    warn_of_unrecorded(lake)

    assert [delivery.delivery for delivery in deliveries(lake.store, source)] == ["fine"]
    assert unrecorded(lake.store, source) == [lake.store.uri(planted)]
    assert "belong to no delivery and are not read" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in NAMES if "\0" not in name], ids=ascii)
@pytest.mark.parametrize("field", ["delivery", "files", "replaces", "source"])
def test_a_record_with_such_a_name_that_somebody_forged_decides_nothing(
    lake: Lake, file: Path, field: str, name: str
) -> None:
    record, _ = land(lake.store, lake.use_case, [file], delivery="honest")
    forged = record.model_dump(mode="json") | {"delivery": "forged"}
    forged |= {"files": [forged["files"][0] | {"name": name}]} if field == "files" else {field: name}
    key = layout.raw(record.source, "forged") + layout.DELIVERY_RECORD

    lake.store.put_new(key, json.dumps(forged).encode())

    if field == "replaces":
        assert [one.delivery for one in deliveries(lake.store, record.source)] == ["forged", "honest"]
        return
    with pytest.raises(InputError, match=r"(?s)_delivery\.json: .*not what `regatta land` wrote"):
        every_delivery(lake.store, record.source)
