"""The text of a use-case file -> a tree that knows the line of every key."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from regatta.config.problem import Place
from regatta.errors import Fault, FaultyInput


def tree_of(text: str, name: str) -> CommentedMap:
    """Read YAML; `name` is what faults call it.

    Raises:
        FaultyInput: it is not YAML, has a key twice, or does not hold keys and values.
    """
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
    if "&" in text and (line := _circle(text)) is not None:  # an alias needs an anchor
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


def plain(node: Any) -> Any:
    """The tree as plain dicts, lists and scalars."""
    if isinstance(node, CommentedMap):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [plain(value) for value in node]
    for kind in (bool, int, float, str):  # ruamel's scalars remember how they were written
        if isinstance(node, kind):
            return kind(node)
    return node


def line_of(tree: CommentedMap, where: Place) -> int:
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
