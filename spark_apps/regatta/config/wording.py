"""What pydantic finds wrong in a use-case file, in the words of who writes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from regatta.config.model import UseCase
from regatta.config.problem import Place, did_you_mean, nearest_or_all

_AS_YAML = {"True": "true", "False": "false", "None": "null"}
_MUST_BE = {
    "int_type": ("a whole number", "write digits alone, such as 3"),
    "int_from_float": ("a whole number", "write digits alone, such as 3"),
    "float_type": ("a number", "write digits, such as 0.5"),
    "bool_type": ("true or false", "write true or false"),
    "string_type": ("a text", "write a text in quotes"),
    "tuple_type": ("a list", "write [a, b], or a line - a for each item"),
}


def in_words(detail: ErrorDetails, where: Place) -> tuple[str, str]:
    """What pydantic found at a place, as a fact and a way out; the way out may be empty."""
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
        return f'write it in quotes: "{_AS_YAML.get(repr(given), given)}"'
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


def hint_of_last_resort(where: Place) -> str:
    """Where the document speaks of a place."""
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
