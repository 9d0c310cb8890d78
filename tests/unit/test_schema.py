"""The JSON Schema says of use-case files what the models say, and the shipped one is what `regatta schema` prints."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from regatta.config import UseCase
from regatta.config.mllib import FAMILIES
from regatta.config.schema import json_schema

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"
DOC = (ROOT / "docs" / "use-case.md").read_text(encoding="utf-8")
SCHEMA = json.loads(json_schema())
VALIDATOR = Draft202012Validator(SCHEMA)
COMPLETE, *FRAGMENTS = re.findall(r"^```yaml\n(.*?)^```$", DOC, flags=re.MULTILINE | re.DOTALL)


def as_json(text: str) -> Any:
    """A YAML file as an editor's checker sees it: dates are texts."""
    return json.loads(json.dumps(YAML(typ="safe").load(StringIO(text)), default=str))


def test_the_shipped_schema_is_the_one_that_is_printed() -> None:
    assert (CONF / "use-case.schema.json").read_text(encoding="utf-8") == json_schema() + "\n"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_file_names_it_and_fits_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=use-case.schema.json\n")
    assert [*VALIDATOR.iter_errors(as_json(text))] == []


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_every_example_of_the_document_fits_it(fragment: str) -> None:
    tree = as_json(COMPLETE)
    for key, value in as_json(fragment).items():
        tree[key] = {**tree[key], **value} if key == "columns" else value
    assert [*VALIDATOR.iter_errors(tree)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("use_case:", "usecase:"),
        ("role: train", "role: trian"),
        ("role: label", "rol: label"),
        ("role: category", "role: [category, kategory]"),
        ("numTrees: [10, 20]", "numTree: [10, 20]"),
        ("numTrees: [10, 20]", "numTrees: many"),
        ("regParam: [0.01, 0.1]", "regParam: [-1]"),
        ("min: 0", "min: [0]"),
    ],
)
def test_a_fault_that_it_can_know_is_one_for_it_too(old: str, new: str) -> None:
    assert VALIDATOR.is_valid(as_json(COMPLETE))
    assert not VALIDATOR.is_valid(as_json(COMPLETE.replace(old, new, 1)))


def test_every_key_has_a_description_of_its_own_or_of_its_model() -> None:
    models = SCHEMA["$defs"]
    plain = {name: model for name, model in models.items() if "properties" in model}
    unsaid = [
        f"{name}.{key}"
        for name, model in plain.items()
        for key, entry in model["properties"].items()
        if "description" not in entry
    ]
    assert unsaid == []
    assert [key for key in UseCase.model_fields if "description" not in SCHEMA["properties"][key]] == []


def test_families_take_the_parameters_that_mllib_takes() -> None:
    families = SCHEMA["properties"]["candidates"]["properties"]
    assert {name: set(family["properties"]) - {"encoding"} for name, family in families.items()} == {
        name: set(family.parameters) for name, family in FAMILIES.items()
    }
