"""How JupyterLab is started: for this machine alone, and for nobody without its token."""

from __future__ import annotations

from pathlib import Path

import pytest

from machine import of_the_tests
from regatta.errors import InputError
from regatta.runtime.local import jupyter
from regatta.runtime.local.jupyter import JUPYTER, NOTEBOOKS, address, environment
from regatta.runtime.local.state import StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path)
    folder.make()
    return folder


def test_it_listens_on_the_loopback_and_its_token_is_on_no_command_line(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jupyter, "find_spec", lambda name: name)
    words, variables = JUPYTER.launch(state, print)
    line = " ".join(map(str, words))
    assert "--ServerApp.ip=127.0.0.1" in line
    assert f"--ServerApp.root_dir={NOTEBOOKS}" in line
    assert len(variables["JUPYTER_TOKEN"]) >= 64
    assert variables["JUPYTER_TOKEN"] not in line
    assert address(state) == f"{JUPYTER.address(state)}/lab?token={variables['JUPYTER_TOKEN']}"


def test_kernels_reach_the_lake_that_the_user_has_set(state: StateFolder) -> None:
    mine = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "x",
        "REGATTA_LAKE": "s3a://mine",
    }
    with of_the_tests(mine):
        variables = environment(state)
    assert {name: variables[name] for name in mine} == mine
    assert variables["REGATTA_HOME"] == str(state.root)


def test_that_it_is_not_installed_is_told_with_what_installs_it(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jupyter, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="make setup-notebook"):
        JUPYTER.launch(state, print)
