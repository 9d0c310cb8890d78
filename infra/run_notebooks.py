"""Run the notebooks from top to bottom on the lake that is up, and keep their outputs in them.

    regatta demo house_prices && regatta demo retail_sales && python infra/run_notebooks.py [NAME ...]

With REGATTA_DECIDE=yes the last cells of validate_and_select promote and roll back in that lake; without it they only
judge. A chart whose cell is marked `"picture": "docs/images/...png"` is kept there as well: the README shows it.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 600  # seconds a cell may take


def main(names: list[str]) -> None:
    """Execute each in its own kernel; what fails is not written."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        print(path.relative_to(ROOT), flush=True)
        notebook = nbformat.read(path, as_version=4)
        resources = {"metadata": {"path": str(path.parent)}}
        NotebookClient(notebook, timeout=PATIENCE, record_timing=False, resources=resources).execute()
        for cell in notebook.cells:
            keep_picture(cell)
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, path)


def keep_picture(cell: nbformat.NotebookNode) -> None:
    """Write the cell's chart to the file that it is marked with, if any."""
    if place := cell.metadata.get("picture"):
        (picture,) = [one.data["image/png"] for one in cell.outputs if "image/png" in one.get("data", {})]
        (ROOT / place).write_bytes(base64.b64decode(picture))


if __name__ == "__main__":
    main(sys.argv[1:])
