"""What is not as it was, is told; what saving alone draws anew, is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regatta.lake import Run
from regatta.lake.saved import content_of
from regatta.selection.leaderboard import Judged, Leaderboard, Standing
from regatta.selection.reproduction import other_figures, other_input, other_makers

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = [{"id": "a", "value": 0.1}, {"id": "b", "value": 0.2}]


def parquet(rows: list[dict[str, object]]) -> bytes:
    content = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), content)
    return content.getvalue()


def saved(
    drawn: str = "4c2f0a1b3d5e",
    *,
    at: int = 1,
    depth: int = 5,
    parts: tuple[list[dict[str, object]], ...] = (ROWS,),
) -> str:
    """A model of one stage, as MLlib saves it, with what it draws as it does so."""
    stage = f"stages/0_Forest_{drawn}"
    metadata = {"class": "Forest", "uid": f"Forest_{drawn}", "timestamp": at, "paramMap": {"maxDepth": depth}}
    files: dict[str, bytes] = {
        "metadata/part-00000": json.dumps({"stageUids": [f"Forest_{drawn}"], "timestamp": at}).encode(),
        "metadata/_SUCCESS": f"{at}".encode(),
        f"{stage}/metadata/part-00000": json.dumps(metadata).encode(),
        f"{stage}/treesMetadata/part-{drawn}.snappy.parquet": parquet(
            [{"treeID": 0, "metadata": json.dumps(metadata), "weights": 1.0}]
        ),
        **{
            f"{stage}/data/part-{number}-{drawn}.snappy.parquet": parquet(rows)
            for number, rows in enumerate(parts)
        },
    }
    readers: Mapping[str, Callable[[], bytes]] = {
        name: (lambda c=content: c) for name, content in files.items()
    }
    return content_of(readers)


@pytest.mark.parametrize(
    "other",
    [
        {"drawn": "00112233aabb"},
        {"at": 2},
        {"parts": (ROWS[::-1],)},
        {"parts": (ROWS[1:], ROWS[:1])},
    ],
    ids=str,
)
def test_what_saving_draws_is_no_content(other: dict[str, object]) -> None:
    assert saved(**other) == saved()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        {"depth": 6},
        {"parts": (ROWS[:1],)},
        {"parts": ([*ROWS, ROWS[0]],)},
        {"parts": ([{"id": "a", "value": 0.1}, {"id": "b", "value": 0.2000000000000001}],)},
    ],
    ids=str,
)
def test_anything_else_is(other: dict[str, object]) -> None:
    assert saved(**other) != saved()  # type: ignore[arg-type]


def run(**other: object) -> Run:
    told: dict[str, object] = {
        "attempt": "1", "published_at": NOW, "files": (), "run_id": "one", "use_case": "tea", "as_of": NOW,
        "fingerprint": "f", "contract": "c", "deliveries": ("april", "may"), "configuration": {}, "code": "code",
        "versions": {"python": "3.12.1", "pyspark": "4.1.2"}, "rows": {}, "winner": "w", "winner_family": "w",
        "metrics": {}, "baselines": {}, "seconds": 1.0,
    }  # fmt: skip
    return Run.model_validate(told | other)


@pytest.mark.parametrize(
    ("names", "fingerprint", "facts"),
    [
        (("april", "may"), "f", []),
        (("april",), "g", ["delivery may was read, and is not there any more"]),
        (("april", "june", "may"), "g", ["delivery june was not there"]),
        (("april", "may"), "g", ["a delivery has another content, of these or of what is known in advance"]),
    ],
)
def test_an_input_that_is_not_what_it_was_is_told_by_its_deliveries(
    names: tuple[str, ...], fingerprint: str, facts: list[str]
) -> None:
    assert other_input(run(), names, fingerprint) == facts


def test_another_version_of_what_decides_the_figures_is_named() -> None:
    assert other_makers(run(), "code", {"python": "3.12.1", "pyspark": "4.1.2"}) == []
    assert other_makers(run(), "newer", {"python": "3.12.1", "pyspark": "4.2.0"}) == [
        "pyspark is 4.2.0 and was 4.1.2",
        "regatta's code is newer and was code",
    ]


def board(**rmse: float | None) -> Leaderboard:
    return Leaderboard(
        use_case="tea",
        run_id="one",
        metric="rmse",
        label="price",
        unit=None,
        standings=tuple(
            Standing(
                candidate=name,
                family=name,
                parameters={},
                folds=(Judged(metrics={"rmse": value}, seconds=1.0),),
                holdout={"rmse": value},
            )
            for name, value in rmse.items()
        ),
    )


@pytest.mark.parametrize(
    ("again", "facts"),
    [
        (board(forest=1.0, linear=2.0), []),
        (board(forest=1.0 + 1e-12, linear=2.0), []),
        (
            board(forest=1.0 + 1e-6, linear=2.0),
            [
                "forest: rmse on fold 1 was 1.0 and is 1.000001",
                "forest: rmse on the holdout was 1.0 and is 1.000001",
            ],
        ),
        (
            board(forest=None, linear=2.0),
            ["forest: rmse on fold 1 was 1.0 and is None", "forest: rmse on the holdout was 1.0 and is None"],
        ),
        (board(linear=2.0, forest=1.0), ["the order was forest, linear and is linear, forest"]),
        (board(forest=1.0), ["the order was forest, linear and is forest"]),
    ],
)
def test_figures_that_are_not_what_they_were_are_told(again: Leaderboard, facts: list[str]) -> None:
    assert list(other_figures(board(forest=1.0, linear=2.0), again)) == facts
