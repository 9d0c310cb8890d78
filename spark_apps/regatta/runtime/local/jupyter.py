"""JupyterLab as one more server of the embedded environment, with a reader's access to the lake."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from regatta.errors import InputError
from regatta.runtime.identities import Identity
from regatta.runtime.job_variables import job_variables
from regatta.runtime.local import ports
from regatta.runtime.local.servers import HOST, MINIO, Server, get, inherited, lake_variables
from regatta.runtime.local.state import StateFolder
from regatta.runtime.local.waiting import Say

NOTEBOOKS = Path(__file__).resolve().parents[4] / "notebooks"
_OWN = ("AWS_", "MLFLOW_TRACKING_URI")


def environment(state: StateFolder) -> dict[str, str]:
    """Of the server and so of its kernels: the user's own lake, or a reader's account of the embedded one."""
    own = {name: value for name, value in os.environ.items() if name.startswith(_OWN)}
    if "AWS_ENDPOINT_URL" not in own and MINIO.running(state):
        own |= lake_variables(state, Identity.READER)
    return {
        **inherited(),
        **job_variables(),
        **own,
        "REGATTA_HOME": str(state.root),
        "JUPYTER_TOKEN": state.secret("jupyter"),  # not on the command line, which anybody may read
    }


def address(state: StateFolder) -> str:
    """The page, with the token that opens it."""
    return f"{JUPYTER.address(state)}/lab?token={state.secret('jupyter')}"


def _launch(state: StateFolder, _say: Say) -> tuple[list[str | Path], dict[str, str]]:
    if find_spec("jupyterlab") is None:
        raise InputError("JupyterLab is not installed", place=sys.prefix, way_out="make setup-notebook")
    number = ports.assign(state, ports.JUPYTER)
    words: list[str | Path] = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        *(f"--ServerApp.ip={HOST}", f"--ServerApp.port={number}", "--ServerApp.port_retries=0"),
        f"--ServerApp.root_dir={NOTEBOOKS}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",  # nothing is asked of the outside
        "--LabApp.news_url=None",
        "--LabApp.extension_manager=readonly",
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]
    return words, environment(state)


JUPYTER: Server = Server(
    name="jupyter",
    port=ports.JUPYTER,
    scheme="http",
    launch=_launch,
    is_ready=lambda state: get(f"{JUPYTER.address(state)}/api") is not None,
)
