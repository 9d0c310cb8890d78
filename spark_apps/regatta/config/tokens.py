r"""The text of an SQL expression -> its tokens, if it keeps to a part of Spark's own (SqlBaseLexer.g4).

A quoted text that ends elsewhere for Spark than for the check would hide what follows, as in
`r'\' || uuid() || '\''`. So only what is surely one token for Spark is one here; all else is refused, with
what to write instead.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from regatta.config.problem import Problem

MAX_LENGTH = 4_000  # Spark's parser and code generator recurse, and so does sqlglot


class Token(NamedTuple):
    """A piece of the text; `kind` is text, name (in backticks), number, word, operator or mark."""

    kind: str
    text: str


class Unreadable(Exception):
    """The text is not made of the tokens that an expression may have."""

    def __init__(self, fact: str, hint: str = "") -> None:
        self.problem = Problem(fact, hint)
        super().__init__(fact)


# Possessive (*+): a lexer does not take a character back, so 'a'' is a text without an end, not 'a' and '.
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
      | (?P<text>'(?:[^'\\]|\\.|'')*+')
      | (?P<name>`[^`]+`(?!`))
      | (?P<number>(?<![\w`'.)])(?:[0-9]+[lLsSyY]|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?
                   (?:[bB][dD]|[fFdD])?)(?![\w.]))
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<operator>[-+*/%<>=!&|^~:?@]+)
      | (?P<mark>[(),])""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = frozenset(("+", "-", "*", "/", "%", "<", "<=", ">", ">=", "=", "==", "<>", "!=", "<=>", "!"))

# Replaced before anything is parsed, in quoted texts too: by Spark's VariableSubstitution (${env:HOME} is the
# driver's variable) and by MLlib's SQLTransformer.
_REPLACED = re.compile(r"\$\{|__THIS__")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def tokens_of(sql: str) -> list[Token]:
    """Cut the text.

    Raises:
        Unreadable: at the first place that is no token, or holds what must not stand anywhere.
    """
    if not sql.strip():
        raise Unreadable("is empty")
    if len(sql) > MAX_LENGTH:
        raise Unreadable(f"is longer than {MAX_LENGTH} characters", "make several features of it")
    if control := _CONTROL.search(sql):
        raise Unreadable(f"holds the control character {_code(control[0])}")
    if replaced := _REPLACED.search(sql):
        raise Unreadable(
            f"holds {replaced[0]}, which is replaced by something else before Spark reads the rest"
        )
    tokens: list[Token] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None:
            raise _no_token(sql[at])
        kind = str(match.lastgroup)
        if kind == "operator" and not _is_operator(match[0]):
            raise _no_operator(match[0])
        if kind != "blank":
            tokens.append(Token(kind, match[0]))
        at = match.end()
    return tokens


def _is_operator(run: str) -> bool:
    return run in _OPERATORS or (run[-1] == "-" and run[:-1] in _OPERATORS - {"-"})  # a*-1


def _no_token(character: str) -> Unreadable:
    match character:
        case "'":
            return Unreadable(
                "a text has no end", "close it with '; an apostrophe in a text is written twice"
            )
        case '"':
            return Unreadable(
                'holds a double quote (")', "a text stands in 'single quotes', a column's name in `backticks`"
            )
        case "`":
            return Unreadable("a name in backticks has no end, is empty or holds a backtick")
        case ".":
            return Unreadable("holds a dot outside of a number", "name a column alone, without a table")
        case ";":
            return Unreadable("holds a semicolon", "write one expression and no statement")
        case "[" | "]" | "{" | "}":
            return Unreadable(f"holds {character}", "lists, structures and templates have no place here")
    if character in "0123456789":
        return Unreadable(
            "a number is misspelt, or a name begins with a digit", "put a column's name in `backticks`"
        )
    if not character.isascii():
        return Unreadable(
            f"holds {character} ({_code(character)}) outside of quotes", "put a column's name in `backticks`"
        )
    return Unreadable(f"holds {character} outside of quotes")


def _no_operator(run: str) -> Unreadable:
    if "--" in run or "/*" in run:
        return Unreadable(
            "holds a comment, or a sign twice", "comment behind a # of the file; write a - -b apart"
        )
    instead = {
        "^": "for a power write pow(a, b)",
        "**": "for a power write pow(a, b)",
        "||": "write concat(a, b)",
        "&&": "write and",
        "::": "write cast(a as int)",
    }
    return Unreadable(f"{run} is no operator here", instead.get(run, ""))


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
