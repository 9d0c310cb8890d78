"""The order in which `regatta demo` runs the verbs, and where it ends; its jobs are not started here."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from regatta.cli.use_case import UseCaseFile
from tea import SMALL

demo = import_module("regatta.cli.demo")  # regatta.cli.demo is the command of that name


@pytest.mark.parametrize(
    ("codes", "reigning", "ran", "ends"),
    [
        ({}, None, "ingest train promote score", 0),
        ({"promote": 3}, None, "ingest train promote", 3),  # no champion, so nobody scores
        ({"promote": 3}, "the one before", "ingest train promote score", 0),
        ({"train": 4}, None, "ingest train", 4),
    ],
)
def test_it_ends_with_the_first_verb_that_fails_and_goes_on_with_the_champion_there_is(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    codes: dict[str, int],
    reigning: str | None,
    ran: str,
    ends: int,
) -> None:
    verbs: list[str] = []

    def run(verb: str, file: UseCaseFile) -> int:
        verbs.append(verb)
        return codes.get(verb, 0)

    lake = SimpleNamespace(champions=SimpleNamespace(reigning=lambda: reigning))
    monkeypatch.setattr(UseCaseFile, "lake", lambda self, verb: lake)
    monkeypatch.setattr(demo, "embedded", SimpleNamespace(up=lambda **_: {}, await_mlflow=lambda **_: None))
    monkeypatch.setattr(demo, "run", run)
    for name in ("_land_examples", "_all_done", "_show"):
        monkeypatch.setattr(demo, name, lambda file: False)
    (tmp_path / "tea.yaml").write_text(SMALL)

    ended = demo.demo.main([str(tmp_path / "tea.yaml")], standalone_mode=False)

    assert (" ".join(verbs), ended) == (ran, ends)
