"""`regatta demo` on a lake that has it all."""

from __future__ import annotations

from house import House
from shell import Shell


def test_where_nothing_is_left_to_do_it_shows_what_there_is(house: House) -> None:
    done = Shell(house.variables, house.config).regatta("demo")

    assert "there is nothing to do" in done.stderr
    for shown in ("linear_regression regParam=0.0", "champion 1: run ", "n17", "Where to look next"):
        assert shown in done.stdout
    assert f".venv/bin/regatta leaderboard {house.config} | runs" in done.stdout
