from __future__ import annotations

import pytest

from regatta.errors import InputError
from regatta.runtime.instants import instant


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2015-04-30", "2015-04-30T23:59:59.999999+00:00"),
        ("2015-04-30T12:00", "2015-04-30T12:00:00+00:00"),
        ("2015-04-30T12:00:00-07:00", "2015-04-30T12:00:00-07:00"),
    ],
)
def test_a_date_is_the_whole_day_and_no_zone_is_utc(given: str, meant: str):
    assert instant(given, place="--as-of").isoformat() == meant


@pytest.mark.parametrize("given", ["2015-02-30", "yesterday", "30/04/2015"])
def test_what_is_no_instant_is_told_with_its_flag(given: str):
    with pytest.raises(InputError) as error:
        instant(given, place="--as-of")
    assert str(error.value) == f"--as-of: {given!r} is no ISO 8601 date or instant\n  such as 2015-04-30"
