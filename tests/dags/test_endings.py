"""What the end of a job's process means to Airflow, by real processes."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Ask

STAND_IN = """\
#!/bin/sh
[ -z "$LEFT" ] || printf '%s' "$LEFT" > "$REGATTA_OUTCOME"
[ "$CODE" != sleep ] || { sh -c 'sleep 600; true' & wait; }
exit "$CODE"
"""


@pytest.fixture(scope="module")
def endings(ask: Ask, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "spark-submit"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    return ask("endings.py", variables={"PATH": f"{folder}:/usr/bin:/bin"})


def test_a_job_that_is_done_gives_its_id_and_announces_the_champion(endings: Any) -> None:
    assert endings["0"]["given"] == 7
    assert endings["0"]["raised"] is None
    assert endings["0"]["events"] == [{"asset": "tea_champion", "champion": 7, "run": "2026-11-21-0a1b2c3d"}]


@pytest.mark.parametrize(
    ("code", "exception", "sentence"),
    [
        ("1", "AirflowFailException", "a bug: ValueError: x"),
        ("2", "AirflowFailException", "conf/tea.yaml has 1 fault"),
        ("3", "AirflowSkipException", "run x: worse than the champion's"),
        ("4", "AirflowException", "the lake is away"),
        ("137", "AirflowException", "spark-submit ended with 137 before the job could say why"),
    ],
)
def test_an_exit_code_is_a_failure_for_good_a_skip_or_a_retry_with_the_jobs_own_sentence(
    endings: Any, code: str, exception: str, sentence: str
) -> None:
    seen = endings[code]
    assert seen["raised"] == exception
    assert seen["said"].startswith(sentence)
    assert seen["events"] == []
    assert seen["pushed"] == ({"reason": sentence} if code == "3" else {})


def test_a_champion_that_was_there_is_announced_only_where_a_try_before_may_have_died(endings: Any) -> None:
    assert endings["unchanged"]["events"] == []
    assert len(endings["unchanged, tried before"]["events"]) == 1


def test_a_job_that_is_killed_leaves_no_process_behind(endings: Any) -> None:
    assert endings["killed"] == {"began": 3, "left": 0, "raised": ["AirflowException"]}
