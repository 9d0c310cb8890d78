"""What is loaded is data: nothing here unpickles, evaluates or lets YAML make objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from regatta.config import parse
from regatta.errors import FaultyInput
from tea import SMALL

ROOT = Path(__file__).parents[2]
SOURCES = [
    source
    for folder in ("spark_apps", "airflow", "infra", "benchmarks")
    for source in sorted((ROOT / folder).rglob("*.py"))
]
MODULES = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "yaml"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "read_pickle", "to_pickle"}
COMPILES_PATTERNS = "re.compile"


def runs_data(source: str) -> Iterator[str]:
    """What in a program could turn data into code, with its line."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        if loads := {name.partition(".")[0] for name in names} & MODULES:
            yield f"{node.lineno}: imports {', '.join(loads)}"  # type: ignore[attr-defined]
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called != COMPILES_PATTERNS and {called, called.rpartition(".")[2]} & CALLS:
                yield f"{node.lineno}: calls {called}"
            for keyword in node.keywords:
                value = ast.unparse(keyword.value)
                if (keyword.arg, value) in (("shell", "True"), ("allow_pickle", "True"), ("typ", "'unsafe'")):
                    yield f"{node.lineno}: {keyword.arg}={value}"


@pytest.mark.parametrize(
    "planted",
    [
        "import pickle",
        "from cloudpickle import loads",
        "import yaml\nyaml.load(text)",
        "eval(text)",
        "subprocess.run(text, shell=True)",
        "np.load(file, allow_pickle=True)",
        "pandas.read_pickle(file)",
        "YAML(typ='unsafe')",
    ],
)
def test_the_search_finds_what_is_planted(planted: str) -> None:
    assert list(runs_data(planted))


def test_no_program_of_ours_turns_data_into_code() -> None:
    assert len(SOURCES) > 150
    found = {str(source.relative_to(ROOT)): list(runs_data(source.read_text())) for source in SOURCES}
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['touch {mark}']",
        "!!python/object/new:os.system ['touch {mark}']",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/object/apply:subprocess.Popen [[touch, '{mark}']]",
        "!!javax.script.ScriptEngineManager [x]",
        "!include /etc/passwd",
        "!env HOME",
    ],
)
def test_a_tag_of_yaml_makes_no_object(value: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    with pytest.raises(FaultyInput):
        parse(SMALL.replace("use_case: tea", "use_case: " + value.format(mark=mark)), "tea.yaml")
    with pytest.raises(FaultyInput):
        parse(f"{SMALL}title: {value.format(mark=mark)}\n", "tea.yaml")

    assert not mark.exists()
