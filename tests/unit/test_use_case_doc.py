"""docs/use-case.md and the models say the same: every key, its default, its choices and bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from regatta.config import UseCase, parse
from regatta.config.functions import FUNCTIONS, Kind
from regatta.errors import FaultyInput

DOC = (Path(__file__).parents[2] / "docs" / "use-case.md").read_text(encoding="utf-8")

SHORTHANDS = {"candidates.FAMILY.grid": "candidates.FAMILY.PARAMETER"}
"""Fields that the file spells in another way."""
PLACEHOLDERS = {"candidates": "FAMILY"}


@dataclass(frozen=True)
class Key:
    """One row of the document's tables."""

    section: str
    default: str
    effect: str


def documented() -> dict[str, Key]:
    keys = {}
    for section in re.split(r"^## ", DOC, flags=re.MULTILINE)[1:]:
        for name, default, effect in re.findall(r"^\| `([^`]+)` \|(.*?)\| (.*) \|$", section, re.MULTILINE):
            assert name not in keys, f"{name} stands twice"
            keys[name] = Key(section.partition("\n")[0], default.strip(), effect)
    return keys


def fields(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field with its dotted name; a mapping or list of models is a field itself if it can be left out."""
    for name, field in model.model_fields.items():
        path = f"{above}{name}"
        inner = model_in(field.annotation)
        if inner is None or not field.is_required():
            yield SHORTHANDS.get(path, path), field
        if inner is not None:
            step = {Mapping: f".{PLACEHOLDERS.get(name, 'NAME')}", tuple: "[]"}
            origin = next((kind for kind in step if holds(field.annotation, kind)), None)
            yield from fields(inner, f"{path}{step[origin] if origin else ''}.")


def model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part))), None)


def holds(annotation: Any, kind: type) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, kind)


def choices(annotation: Any) -> set[str]:
    """What the literals in an annotation allow, those of inner models aside."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return set()
    if get_origin(annotation) is Literal:
        return {str(value) for value in get_args(annotation)}
    return {value for part in get_args(annotation) for value in choices(part)}


def bounds(field: FieldInfo) -> set[float]:
    found = [getattr(rule, name, None) for rule in field.metadata for name in ("ge", "gt", "le", "lt")]
    return {float(bound) for bound in found if bound is not None}


KEYS = documented()
FIELDS = dict(fields(UseCase))


def plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        assert value == type(value)(), "a default that is a model is that model's own default"
        return {}
    return list(value) if isinstance(value, tuple) else value


def test_every_field_is_documented_and_nothing_else_is() -> None:
    assert sorted(KEYS) == sorted(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_the_default_is_the_documented_one(name: str) -> None:
    field, said = FIELDS[name], KEYS[name].default
    if field.is_required():
        assert said == ""
    else:
        assert YAML(typ="safe").load(said.strip("`")) == plain(field.default)
        assert said.startswith("`")


@pytest.mark.parametrize("name", FIELDS)
def test_every_choice_and_every_bound_is_named(name: str) -> None:
    section = DOC[DOC.index(f"\n## {KEYS[name].section}\n") :].partition("\n| key ")[0]
    effect = KEYS[name].effect
    unnamed = {choice for choice in choices(FIELDS[name].annotation) if choice not in effect + section}
    assert not unnamed
    numbers = {float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", effect)}
    assert bounds(FIELDS[name]) <= numbers


def test_every_top_level_key_has_a_section_and_its_keys_stand_there() -> None:
    assert {re.split(r"[.\[]", name)[0] for name in KEYS} == set(UseCase.model_fields)
    assert all(re.split(r"[.\[]", name)[0] == key.section for name, key in KEYS.items())


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC, flags=re.MULTILINE | re.DOTALL)


COMPLETE, *FRAGMENTS = blocks("yaml")


def test_the_complete_example_has_no_fault() -> None:
    assert parse(COMPLETE, name="example").use_case == "used_cars"


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_every_other_example_has_no_fault_when_put_into_the_complete_one(fragment: str) -> None:
    yaml = YAML()
    tree, part = yaml.load(COMPLETE), yaml.load(fragment)
    for key, value in part.items():
        if key == "columns":
            tree[key].update(value)
        else:
            tree[key] = value
    text = StringIO()
    yaml.dump(tree, text)
    parse(text.getvalue(), name="example")


def test_the_faults_shown_are_those_that_are_found() -> None:
    faulty = COMPLETE.replace("{role: label", "{tpye: number, role: label").replace("maxDepth", "maxDeth")
    with pytest.raises(FaultyInput) as caught:
        parse(faulty, name="conf/used_cars.yaml")
    assert str(caught.value) == blocks("text")[0].strip()


def test_the_functions_listed_are_those_that_rules_and_features_may_call() -> None:
    allowed = [name for name, function in FUNCTIONS.items() if function.kind is not Kind.AGGREGATE]
    assert blocks("functions")[0].split() == sorted(allowed)
