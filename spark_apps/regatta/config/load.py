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
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from regatta.config.contradictions import Place, contradictions
from regatta.config.model import Misplaced, UseCase
from regatta.config.problem import did_you_mean, nearest_or_all
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
        if any(len(where) > 1 and where[0] == "candidates" for where, *_ in found):
            found = [
                fault for fault in found if fault[0] != ("candidates",)
            ]  # empty for want of what is faulty
    if found or use_case is None:
        faults = {
            Fault(
                f"{name}:{_line(tree, where)}",
                ".".join(map(str, where)),
                fact,
                hint or _hint_of_last_resort(where),
            )
            for where, fact, hint in found
        }
        in_order = sorted(faults, key=lambda fault: (_number(fault), fault.subject, fault.fact))
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise FaultyInput(f"{name} has {count}:", in_order)
    return use_case


def _number(fault: Fault) -> int:
    return int(fault.place.rpartition(":")[2])


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
            f"{name} is not YAML:",
            [Fault(f"{name}:1", "", str(error).splitlines()[0], _yaml_hint(str(error)))],
        ) from None
    if (line := _circle(text)) is not None:
        fact, hint = "an alias stands for something that it is a part of", "write the values out in its place"
        raise FaultyInput(f"{name} has 1 fault:", [Fault(f"{name}:{line}", "", fact, hint)])
    if not isinstance(tree, CommentedMap):
        raise FaultyInput(
            f"{name} has 1 fault:",
            [
                Fault(
                    f"{name}:1",
                    "",
                    "must hold keys and values",
                    "begin with use_case: NAME; `regatta init` writes a whole file",
                )
            ],
        )
    return tree


def _yaml_hint(fact: str) -> str:
    hints = {
        "duplicate key": "a key may stand once; remove or rename one of the two",
        "\\t": "indent with blanks, not with tabs",
        "'\t'": "indent with blanks, not with tabs",
        "mapping values are not allowed": "is a key indented too far, or a text with a colon not in quotes?",
        "undefined alias": "an alias *name needs an anchor &name above it",
        "expected ',' or": "close the bracket, or put signs such as - ? : into quotes",
        "while scanning a simple key": "is a colon missing behind a key?",
        "could not find expected ':'": "is a colon missing behind a key, or a quote not closed?",
        "unexpected end of stream": "close the quote",
        "block end": "is the line indented like its neighbours?",
        "special characters are not allowed": "remove the control character",
    }
    return next(
        (hint for sign, hint in hints.items() if sign in fact),
        "look at the brackets, quotes and indents of the line",
    )


def _circle(text: str) -> int | None:
    """The line of an alias that stands for something which holds it, if there is one: ruamel would make it null."""
    open_anchors: list[str | None] = []
    for event in YAML(typ="rt").parse(text):
        if isinstance(event, CollectionStartEvent):
            open_anchors.append(event.anchor)
        elif isinstance(event, CollectionEndEvent):
            open_anchors.pop()
        elif isinstance(event, AliasEvent) and event.anchor in open_anchors:
            return int(event.start_mark.line) + 1
    return None


def _plain(node: Any) -> Any:
    """The tree as plain dicts, lists and scalars."""
    if isinstance(node, CommentedMap):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
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
            details = error.errors(include_url=False)
            misspelt = [detail for detail in details if detail["type"] == "extra_forbidden"]
            for detail in misspelt:
                where = _place(detail, raw)
                found.append((where, *_in_words(detail, where, raw)))
                removed |= _remove(raw, where)
            details = [detail for detail in details if detail not in misspelt]
            known = {where for where, *_ in found}
            meant = {
                (*where[:-1], hint[13:-1]) for where, _, hint in found if hint.startswith("did you mean ")
            }
            for detail in details:
                where = _place(detail, raw)
                if detail["type"] != "missing" or where not in known | meant:
                    found.append((where, *_in_words(detail, where, raw)))
                removed |= _remove(raw, where)
            if not removed:
                return None
    return None


def _place(detail: ErrorDetails, raw: Any) -> Place:
    """Pydantic's location as a path in the file: steps that the file does not have are pydantic's own."""
    if detail["type"] == "value_error" and isinstance(error := detail["ctx"]["error"], Misplaced):
        return error.where
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


_MUST_BE = {
    "int_type": ("a whole number", "write digits alone, such as 3"),
    "int_from_float": ("a whole number", "write digits alone, such as 3"),
    "float_type": ("a number", "write digits, such as 0.5"),
    "bool_type": ("true or false", "write true or false"),
    "string_type": ("a text", "write a text in quotes"),
    "tuple_type": ("a list", "write [a, b], or a line - a for each item"),
}


def _in_words(detail: ErrorDetails, where: Place, raw: Any) -> tuple[str, str]:
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return "no such key", nearest_or_all(str(where[-1]), _keys_at(where[:-1]))
    if kind == "missing":
        return "must be given", _description_of(where)
    if kind == "literal_error":
        allowed = detail["ctx"]["expected"].replace("'", "")
        if "[key]" in detail["loc"]:
            return "is not one of the names known here", f"known are {allowed}"
        choices = [choice.strip() for choice in allowed.replace(" or ", ", ").split(",")]
        hint = did_you_mean(str(given), choices) or _description_of(where) or f"choose one of {allowed}"
        return f"{given!r} is not one of {allowed}", hint
    if kind == "value_error":
        error = detail["ctx"]["error"]
        return str(error), getattr(error, "hint", "")
    if kind == "too_short":
        return "must not be an empty list", _description_of(where)
    if kind == "string_pattern_mismatch":
        return f"{given!r} cannot be a name here", "use small letters, digits and underscores, a letter first"
    if kind in _MUST_BE:
        due, hint = _MUST_BE[kind]
        return f"must be {due}, and not {given!r}", _as_due(kind, given) or hint
    if kind in ("dict_type", "model_type", "mapping_type"):
        return f"must hold keys and values, and not {given!r}", "indent them below it, or write {key: value}"
    said = detail["msg"][0].lower() + detail["msg"][1:].replace("Input ", "")
    return f"{said.removeprefix('input ')}, and not {given!r}", _description_of(where)


def _as_due(kind: str, given: Any) -> str:
    """How a value of the wrong type would be written rightly."""
    if kind == "string_type" and not isinstance(given, dict | list):
        written = (
            {True: "true", False: "false", None: "null"}.get(given, given)
            if given is None or given is True or given is False
            else given
        )
        return f'write it in quotes: "{written}"'
    if kind == "tuple_type" and not isinstance(given, dict):
        return f"write [{given}]"
    if isinstance(given, str) and kind != "tuple_type" and given.replace(".", "", 1).lstrip("+-").isdigit():
        return f"write it without quotes: {given}"
    return ""


def _description_of(where: Place) -> str:
    """What the models say of a key, in one line."""
    model = _model_at(where[:-1])
    field = model.model_fields.get(str(where[-1])) if model is not None and where else None
    said = " ".join((field.description or "").split()) if field else ""
    return f"{where[-1]}: {said}" if said else ""


def _hint_of_last_resort(where: Place) -> str:
    section = str(where[0]) if where and str(where[0]) in UseCase.model_fields else ""
    return f"docs/use-case.md says what it may be{f', under {section}' if section else ''}"


def _keys_at(where: Place) -> list[str]:
    """The keys that the file may have at a place."""
    model = _model_at(where)
    return list(model.model_fields) if model is not None else []


def _model_at(where: Place) -> Any:
    """The model of a place, by walking the models' own annotations; None where there is none."""
    model: Any = UseCase
    of_a_container = False
    for step in where:
        if of_a_container:  # a name or a number that the file chose: the model stays the same
            of_a_container = False
            continue
        field = model.model_fields.get(str(step))
        model = _model_in(field.annotation) if field else None
        if field is None or model is None:
            return None
        of_a_container = get_origin(field.annotation) in (Mapping, tuple)
    return model


def _model_in(annotation: Any) -> Any:
    """The model inside `Mapping[str, M]`, `tuple[M, ...]`, `M | None` or `M` itself."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _files_beside(path: Path) -> str:
    beside = sorted(file.stem for file in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    return nearest_or_all(path.stem, beside) if beside else ""
