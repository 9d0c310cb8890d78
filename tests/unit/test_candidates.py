"""Which candidates run: all of the file's, or those of the families that were asked for."""

from __future__ import annotations

import pytest

from regatta.config import parse
from regatta.errors import InputError
from regatta.selection.candidates import candidates, only
from tea import SMALL

FOREST = "  random_forest: {numTrees: [2, 3]}\n"


def test_the_families_that_are_asked_for_run_alone_and_make_another_training() -> None:
    tea = parse(SMALL + FOREST, "tea.yaml")

    assert only(tea, None) == only(tea, "") == tea
    assert [one.name for one in candidates(only(tea, "random_forest"))] == [
        "random_forest numTrees=2",
        "random_forest numTrees=3",
    ]
    assert only(tea, " random_forest, linear_regression") == tea


def test_a_family_that_the_file_does_not_have_is_named_with_the_likeliest() -> None:
    tea = parse(SMALL, "tea.yaml")

    with pytest.raises(InputError) as told:
        only(tea, "linear_regresion")

    assert str(told.value) == (
        "--candidates: tea has no candidates of a family linear_regresion\n  did you mean linear_regression?"
    )
