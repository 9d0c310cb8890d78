"""A use-case file -> a `UseCase`, or every fault of the file at once, each with its line and a hint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from regatta.config.contradictions import Place, contradictions
from regatta.config.model import UseCase
from regatta.config.problem import nearest_or_all
from regatta.errors import Fault, FaultyInput, InputError


def load(path: Path) -> UseCase:
    """Read and check a use-case file.

    Raises:
        FaultyInput: with every fault that could be found, not the first alone.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError("no such use-case file", place=str(path), way_out=_files_beside(path)) from None
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", place=str(path), way_out=str(error)) from None
    return parse(text, name=str(path))


def parse(text: str, name: str) -> UseCase:
    """Check the text of a use-case file; `name` is what faults call it.

    Raises:
        FaultyInput: with every fault that could be found.
    """
    tree = _yaml(text, name)
    found: list[tuple[Place, str, str]] = []
    use_case = _as_use_case(_plain(tree), found)
    if use_case is not None:
        found += contradictions(use_case)
    if found or use_case is None:
        faults = {
            Fault(f"{name}:{_line(tree, where)}", ".".join(map(str, where)), fact, hint)
            for where, fact, hint in found
        }
        in_order = sorted(faults, key=lambda fault: (int(fault.place.rpartition(":")[2]), fault.subject))
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise FaultyInput(f"{name} has {count}:", in_order)
    return use_case


def _yaml(text: str, name: str) -> CommentedMap:
    reader = YAML(typ="rt")
    reader.allow_duplicate_keys = False
    try:
        tree = reader.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        fact = (error.problem or "is not YAML").splitlines()[0]
        raise FaultyInput(
            f"{name} is not YAML:", [Fault(f"{name}:{line}", "", fact, _yaml_hint(fact))]
        ) from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise FaultyInput(
            f"{name} is not YAML:", [Fault(f"{name}:1", "", str(error).splitlines()[0])]
        ) from None
    if not isinstance(tree, CommentedMap):
        raise FaultyInput(f"{name} has 1 fault:", [Fault(f"{name}:1", "", "must hold keys and values")])
    return tree


def _yaml_hint(fact: str) -> str:
    if "duplicate key" in fact:
        return "a key may stand once; remove or rename one of the two"
    if "\\t" in fact or "'\t'" in fact:
        return "indent with blanks, not with tabs"
    return ""


def _plain(node: Any, above: tuple[int, ...] = ()) -> Any:
    """The tree as plain dicts, lists and scalars; an anchor that holds itself is refused."""
    if id(node) in above:
        raise InputError("an alias refers to something that it is itself a part of")
    if isinstance(node, CommentedMap):
        return {key: _plain(value, (*above, id(node))) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value, (*above, id(node))) for value in node]
    for kind in (bool, int, float, str):  # ruamel's scalars remember how they were written
        if isinstance(node, kind):
            return kind(node)
    return node


def _line(tree: CommentedMap, where: Place) -> int:
    """The line of the key, or of the deepest of its parents that stands in the file."""
    node: Any = tree
    line = 1
    for step in where:
        if not isinstance(node, CommentedMap | CommentedSeq) or (
            isinstance(node, CommentedMap) and step not in node
        ):
            break
        position = node.lc.data.get(step) if node.lc.data else None
        line = position[0] + 1 if position else line
        node = node[step]
    return int(line)


def _as_use_case(raw: Any, found: list[tuple[Place, str, str]]) -> UseCase | None:
    """Validate; put what is wrong into `found` and go on without it, so that the rest is checked too."""
    for _ in range(20):  # each turn removes at least one faulty part; deeper faults can then appear
        try:
            return UseCase.model_validate(raw)
        except ValidationError as error:
            removed = False
            for detail in error.errors(include_url=False):
                where = _place(detail, raw)
                found.append((where, *_in_words(detail, where, raw)))
                removed |= _remove(raw, where)
            if not removed:
                return None
    return None


def _place(detail: ErrorDetails, raw: Any) -> Place:
    """Pydantic's location as a path in the file: steps that the file does not have are pydantic's own."""
    where: list[str | int] = []
    node = raw
    for step in detail["loc"]:
        if step == "[key]":
            break
        if step in (node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()):
            node = node[step]
        elif detail["type"] == "missing" and isinstance(node, dict):
            return (*where, step)
        else:
            continue
        where.append(step)
    return tuple(where)


def _remove(raw: Any, where: Place) -> bool:
    node = raw
    for step in where[:-1]:
        node = node[step]
    if where and isinstance(node, dict) and where[-1] in node:
        del node[where[-1]]
        return True
    if where and isinstance(node, list) and isinstance(where[-1], int) and where[-1] < len(node):
        del node[where[-1]]
        return True
    return False


def _in_words(detail: ErrorDetails, where: Place, raw: Any) -> tuple[str, str]:
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return "no such key", nearest_or_all(str(where[-1]), _keys_at(where[:-1]))
    if kind == "missing":
        return "must be given", ""
    if kind == "literal_error":
        allowed = detail["ctx"]["expected"].replace("'", "")
        if "[key]" in detail["loc"]:
            return "is not one of the names known here", f"known are {allowed}"
        choices = [choice.strip() for choice in allowed.replace(" or ", ", ").split(",")]
        return f"{given!r} is not one of {allowed}", nearest_or_all(str(given), choices)
    if kind == "value_error":
        return str(detail["ctx"]["error"]), ""
    said = detail["msg"][0].lower() + detail["msg"][1:].replace("Input ", "")
    return f"{said.removeprefix('input ')}, and not {given!r}", ""


def _keys_at(where: Place) -> list[str]:
    """The keys that the file may have at a place, by walking the models' own annotations."""
    model: Any = UseCase
    of_a_container = False
    for step in where:
        if of_a_container:  # a name or a number that the file chose: the model stays the same
            of_a_container = False
            continue
        field = model.model_fields.get(str(step))
        model = _model_in(field.annotation) if field else None
        if field is None or model is None:
            return []
        of_a_container = get_origin(field.annotation) in (Mapping, tuple)
    return list(model.model_fields)


def _model_in(annotation: Any) -> Any:
    """The model inside `Mapping[str, M]`, `tuple[M, ...]`, `M | None` or `M` itself."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _files_beside(path: Path) -> str:
    beside = sorted(file.stem for file in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    return nearest_or_all(path.stem, beside) if beside else ""
