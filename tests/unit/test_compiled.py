"""Compiled code is found again: from a zip, from another process, and never after a change of the sources."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from regatta.runtime.submit import package

SPARK_APPS = Path(__file__).parents[2] / "spark_apps"
CALL = """
import numpy as np
from regatta.selection.native import compiled, random_numbers
random_numbers.xorshift_seeded(np.int64(1))
stats = random_numbers.xorshift_seeded.stats
print(random_numbers.__file__, compiled.cache_folder(), sum(stats.cache_hits.values()), sep="|")
"""


def called(path: Path, **environment: str) -> tuple[str, str, int]:
    """Call one compiled function in a process of its own: its file, the cache's folder, and how often it served."""
    done = subprocess.run(
        [sys.executable, "-c", CALL],
        env=os.environ | {"PYTHONPATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    file, folder, hits = done.stdout.strip().split("|")
    return file, folder, int(hits)


def test_a_package_in_a_zip_finds_what_its_folder_compiled(tmp_path: Path):
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    archive = package(tmp_path / "build" / "regatta.zip")

    _, folder, hits = called(SPARK_APPS, **cache)
    assert folder.startswith(str(tmp_path))
    assert hits == 0
    file, _, hits = called(archive, **cache)
    assert file.startswith(str(archive))
    assert hits > 0


def test_a_changed_file_compiles_all_of_them_again(tmp_path: Path):
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(SPARK_APPS), str(copy)], check=True)

    _, before, _ = called(copy, **cache)
    with (copy / "regatta" / "selection" / "native" / "scala_order.py").open("a") as file:
        file.write("# another file than the function's own\n")
    _, after, hits = called(copy, **cache)

    assert after != before
    assert hits == 0


def test_a_folder_of_choice_holds_the_cache(tmp_path: Path):
    assert called(SPARK_APPS, NUMBA_CACHE_DIR=str(tmp_path))[1].startswith(str(tmp_path))


def test_where_nothing_can_be_written_each_process_compiles_for_itself(tmp_path: Path):
    file = tmp_path / "a file"
    file.write_text("no folder")

    _, folder, hits = called(SPARK_APPS, NUMBA_CACHE_DIR=str(file))

    assert (folder, hits) == ("None", 0)


@pytest.mark.parametrize(
    "module", ["regatta.selection.engine", "regatta.selection.estimators", "regatta.cli"]
)
def test_numba_is_not_imported_before_trees_are_to_be_grown(module: str):
    code = f"import sys, {module}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
