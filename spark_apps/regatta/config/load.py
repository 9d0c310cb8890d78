"""A use-case file -> a `UseCase`, or every fault of the file at once, each with its line and a hint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from regatta.config.contradictions import contradictions
from regatta.config.model import Misplaced, UseCase
from regatta.config.problem import Place, nearest_or_all
from regatta.config.wording import hint_of_last_resort, in_words
from regatta.config.yaml_tree import line_of, plain, tree_of
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
    tree = tree_of(text, name)
    found: list[tuple[Place, str, str]] = []
    use_case = _as_use_case(plain(tree), found)
    if use_case is not None:
        found += contradictions(use_case)
        if any(len(where) > 1 and where[0] == "candidates" for where, *_ in found):
            found = [
                fault for fault in found if fault[0] != ("candidates",)
            ]  # empty for want of what is faulty
    if found or use_case is None:
        faults = {
            Fault(
                f"{name}:{line_of(tree, where)}",
                ".".join(map(str, where)),
                fact,
                hint or hint_of_last_resort(where),
            )
            for where, fact, hint in found
        }
        in_order = sorted(faults, key=lambda fault: (_number(fault), fault.subject, fault.fact))
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise FaultyInput(f"{name} has {count}:", in_order)
    return use_case


def _number(fault: Fault) -> int:
    return int(fault.place.rpartition(":")[2])


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
                found.append((where, *in_words(detail, where)))
                removed |= _remove(raw, where)
            details = [detail for detail in details if detail not in misspelt]
            known = {where for where, *_ in found}
            meant = {
                (*where[:-1], hint[13:-1]) for where, _, hint in found if hint.startswith("did you mean ")
            }
            for detail in details:
                where = _place(detail, raw)
                if detail["type"] != "missing" or where not in known | meant:
                    found.append((where, *in_words(detail, where)))
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


def _files_beside(path: Path) -> str:
    beside = sorted(file.stem for file in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    return nearest_or_all(path.stem, beside) if beside else ""
