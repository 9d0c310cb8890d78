"""The notebooks as they are committed: run from top to bottom, with their outputs, and nothing of a machine in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("explore_house_prices", "forecast_retail_sales", "validate_and_select")
LARGEST = 10**6  # bytes
OF_A_MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|work|Users|usr|opt|var)/|127\.0\.0\.1|localhost:\d|[A-Z]:\\"
)
SECRET = re.compile(r"AWS_SECRET|secret_key|token=|[A-Za-z0-9_-]{40}(?![A-Za-z0-9_/+=-])")


def cells(name: str, kind: str = "code") -> list[dict[str, Any]]:
    notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def texts(cell: dict[str, Any]) -> str:
    """Source and outputs, without the pictures."""
    found = ["".join(cell["source"])]
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        found += ["".join(output.get("text", ()))]
        found += ["".join(content) for kind, content in data.items() if not kind.startswith("image/")]
    return "\n".join(found)


def test_these_are_all() -> None:
    assert tuple(sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_enough_to_be_read_where_it_stands(name: str) -> None:
    assert (ROOT / "notebooks" / f"{name}.ipynb").stat().st_size < LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_it_was_run_once_from_top_to_bottom_and_nothing_failed(name: str) -> None:
    assert [cell["execution_count"] for cell in cells(name)] == [*range(1, len(cells(name)) + 1)]
    kinds = {output["output_type"] for cell in cells(name) for output in cell["outputs"]}
    assert kinds <= {"display_data", "execute_result", "stream"}


@pytest.mark.parametrize("name", NAMES)
def test_it_shows_charts_and_says_in_words_what_they_tell(name: str) -> None:
    pictures = [o for cell in cells(name) for o in cell["outputs"] if "image/png" in o.get("data", {})]
    assert len(pictures) >= 6
    assert len(cells(name, "markdown")) >= 8


@pytest.mark.parametrize("name", NAMES)
def test_no_path_or_address_of_a_machine_and_no_secret_is_in_it(name: str) -> None:
    for cell in cells(name) + cells(name, "markdown"):
        assert not OF_A_MACHINE.search(texts(cell)), texts(cell)
        assert not SECRET.search(texts(cell)), texts(cell)


@pytest.mark.parametrize("name", NAMES)
def test_its_first_cell_names_what_it_reads(name: str) -> None:
    first = "".join(cells(name)[0]["source"])
    assert 'os.environ.get("REGATTA_USE_CASE"' in first
    assert "session(), lake_of(USE_CASE)" in first
