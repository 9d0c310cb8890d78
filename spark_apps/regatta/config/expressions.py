"""Checks the SQL expressions of a use-case file before Spark starts.

Spark runs the text in the file and not another parser's idea of it, so the text itself is judged: it is cut
into tokens that are Spark's too; every name in it must be a known column, a function of the allow-list or a
word of the grammar below; and sqlglot, which knows how words fit together, must find one expression, of plain
nodes only, that reads the very same columns.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, auto

from regatta.config.functions import FUNCTIONS, INSTEAD, MANY, REFUSED, TYPES, Function, Kind
from regatta.config.problem import Problem, did_you_mean
from regatta.config.syntax import division_problems, syntax_problems, text_problems
from regatta.config.tokens import Token, Unreadable, tokens_of

__all__ = ["GRAMMAR", "Problem", "Purpose", "columns_of", "problems"]


class Purpose(Enum):
    """What an expression is for, and so what it may read."""

    FEATURE = auto()  # no label, no aggregate
    FILTER = auto()  # may read the label, no aggregate
    RULE = auto()  # the same, and a row that makes it fail is rejected and ends no job
    PANEL_VALUE = auto()  # one value of many rows: may read the label, may aggregate


def problems(
    sql: str,
    *,
    columns: Collection[str],
    purpose: Purpose,
    label: str | None = None,
    texts: Collection[str] = (),
) -> list[Problem]:
    """All that is wrong with an expression; empty if Spark may run it.

    Types are not known here, so Spark can still refuse an expression that passes (`year(price)`); but none
    that passes reads, runs or leaks what it should not.

    Args:
        sql: the expression as written in the file.
        columns: the names it may read.
        purpose: what it is for.
        label: the column that a feature may not read.
        texts: those of the columns that hold text.
    """
    try:
        reading = _Reading(tokens_of(sql), columns, purpose, label)
    except Unreadable as error:
        return [error.problem]
    found = reading.problems or list(syntax_problems(sql, reading.columns_read))
    if not found and purpose in (Purpose.FEATURE, Purpose.FILTER):
        found = [*division_problems(sql), *text_problems(sql, texts)]
    return list(dict.fromkeys(found))


def columns_of(sql: str) -> frozenset[str]:
    """The names of the columns that an expression reads, without backticks.

    Raises:
        ValueError: `problems` would pass the text for no purpose.
    """
    try:
        reading = _Reading(tokens_of(sql), None, Purpose.PANEL_VALUE, None)
    except Unreadable as error:
        raise ValueError(f"{sql!r} {error}") from None
    if found := reading.problems or list(syntax_problems(sql, reading.columns_read)):
        raise ValueError(f"{sql!r}: {found[0].fact}")
    return frozenset(reading.columns_read)


_WORDS = """
    and or not in is null true false between div like ilike rlike regexp escape case when then else end
"""
GRAMMAR = frozenset(_WORDS.split())
"""Words that a column should not be named by: in an expression they would be read as what they are."""
_PATTERN_FOLLOWS = frozenset(("like", "ilike", "rlike", "regexp"))
_PATTERN_ENDS = frozenset(("and", "or", "escape", "when", "then", "else", "end"))
_TYPED = {"date": date.fromisoformat, "timestamp": datetime.fromisoformat}  # date '2015-01-31'

# Where Spark expects a date, and where it compares a text with one, these are the day of the run
# (SpecialDatetimeValues). The texts must be foldable, that is made without a column: hence Kind.TEXT.
_DAY_OF_THE_RUN = re.compile(r"\W*(now|today|tomorrow|yesterday)(\W.*)?", re.IGNORECASE | re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NO_TOKEN = Token("", "")


@dataclass
class _Parenthesis:
    """One that is open: of a call, of a cast, or of neither (name "")."""

    name: str = ""
    function: Function | None = None
    commas: int = 0
    empty: bool = True
    reads_a_column: bool = False

    @property
    def aggregates(self) -> bool:
        return self.function is not None and self.function.kind is Kind.AGGREGATE


@dataclass
class _Reading:
    """One pass over the tokens, which collects what is wrong with each and the columns that are read."""

    tokens: list[Token]
    columns: Collection[str] | None  # None: any
    purpose: Purpose
    label: str | None
    problems: list[Problem] = field(default_factory=list)
    columns_read: set[str] = field(default_factory=set)
    open: list[_Parenthesis] = field(default_factory=list)

    def __post_init__(self) -> None:
        judges = {"word": self._word, "name": self._name, "text": self._text, "number": self._number}
        for at, token in enumerate(self.tokens):
            if self.open and token.text != ")":
                self.open[-1].empty = False
            if judge := judges.get(token.kind):
                judge(at)
            elif token.kind == "mark":
                self._mark(at)
        if self.open:
            self._say("a parenthesis is never closed")
        self.problems = list(dict.fromkeys(self.problems))

    def _say(self, fact: str, hint: str = "") -> None:
        self.problems.append(Problem(fact, hint))

    def _word_at(self, at: int) -> str:
        """The word in lower case; "" if something else, or nothing, stands there."""
        if 0 <= at < len(self.tokens) and self.tokens[at].kind == "word":
            return self.tokens[at].text.lower()
        return ""

    def _next(self, at: int) -> Token:
        return self.tokens[at + 1] if at + 1 < len(self.tokens) else _NO_TOKEN

    def _word(self, at: int) -> None:
        word = self._word_at(at)
        inside = self.open[-1] if self.open else _Parenthesis()
        in_cast = inside.name in ("cast", "try_cast")
        is_distinct = word == "distinct" and inside.aggregates and self.tokens[at - 1].text == "("
        if word in GRAMMAR or is_distinct:
            self._grammar(at, word)
            return
        if (word == "as" and in_cast) or (word in _TYPED and self._next(at).kind == "text"):
            return
        if in_cast and self._word_at(at - 1) == "as":
            if word not in TYPES:
                self._say(f"cannot cast to {word}", INSTEAD.get(word) or did_you_mean(word, TYPES))
        elif self._next(at).text == "(":
            self._function(word)
        else:
            self._column(self.tokens[at].text)

    def _grammar(self, at: int, word: str) -> None:
        """A word of the grammar; where one is out of place, Spark takes most of them for a column's name."""
        known = {*(self.columns or ()), self.label or ""}
        if word in {name.lower() for name in known}:
            self._say(f"{word} is a column and a word of the grammar too", "give the column another name")
        if word == "in" and self._next(at).text != "(":
            self._say("in is not followed by values in parentheses", "write column in ('a', 'b')")
        before = self._word_at(at - 1)
        after_operator = at > 0 and self.tokens[at - 1].kind == "operator"
        after_operator |= before in _PATTERN_FOLLOWS or before in ("div", "escape")
        if after_operator and word not in ("case", "null", "true", "false"):
            self._say(
                f"{self.tokens[at - 1].text} is followed by {word}", "put parentheses around a condition"
            )

    def _name(self, at: int) -> None:
        if self._next(at).text == "(":
            self._say("calls a function by a name in backticks", "write its name without them")
        else:
            self._column(self.tokens[at].text[1:-1])

    def _column(self, name: str) -> None:
        self.columns_read.add(name)
        for parenthesis in self.open:
            parenthesis.reads_a_column = True
        if self.label and self.purpose is Purpose.FEATURE and name.lower() == self.label.lower():
            self._say(
                f"reads the label {self.label}",
                "it is what is to be predicted: rows to be scored do not have it",
            )
        elif self.columns is not None and name not in self.columns:
            if reason := REFUSED.get(name.lower()):
                self._say(f"{name} {reason}", INSTEAD.get(name.lower(), ""))
            else:
                self._say(f"no such column: {name}", INSTEAD.get(name.lower()) or _near(name, self.columns))

    def _function(self, name: str) -> None:
        function = FUNCTIONS.get(name)
        if name in ("cast", "try_cast"):
            return
        if function is None and name in REFUSED:
            self._say(f"{name} {REFUSED[name]}", INSTEAD.get(name, ""))
        elif function is None:
            self._say(
                f"no function of this name may be called: {name}",
                INSTEAD.get(name) or did_you_mean(name, FUNCTIONS),
            )
        elif function.kind is Kind.AGGREGATE:
            if self.purpose is not Purpose.PANEL_VALUE:
                self._say(f"{name} is about many rows, and this expression about one", INSTEAD.get(name, ""))
            elif any(parenthesis.aggregates for parenthesis in self.open):
                self._say(f"{name} stands inside of another aggregate")

    def _text(self, at: int) -> None:
        before, word = self.tokens[at - 1] if at else _NO_TOKEN, self._word_at(at - 1)
        if before.kind in ("text", "name", "number") or (word and word not in GRAMMAR | _TYPED.keys()):
            self._say(f"{before.text} is followed by a text, and nothing joins the two")
        body = self.tokens[at].text[1:-1].replace("''", "'")
        for escaped in _ESCAPE.findall(body):
            if escaped not in "\\'\"nrt%_":
                self._say(
                    f"holds \\{escaped} in a text, of which Spark makes another character",
                    f"in a pattern write \\\\{escaped}",
                )
        plain = _ESCAPE.sub(lambda escape: " " if escape[1] in "nrt" else escape[1], body)
        if word in _TYPED:
            try:
                _TYPED[word](plain)
            except ValueError:
                self._say(
                    f"'{plain}' is no {word}", "write date '2015-01-31' or timestamp '2015-01-31 12:30:00'"
                )
        elif _DAY_OF_THE_RUN.fullmatch(plain) and not self._is_pattern(at):
            self._say(
                f"'{plain}' is the time of the run where Spark expects a date",
                "write the date; if it is a text like any other, compare it with like",
            )

    def _is_pattern(self, at: int) -> bool:
        """Whether the text is all of a pattern: in `a like 'x' < day` Spark compares 'x' with the day first."""
        ends = self._next(at).text in ("", ")", ",") or self._word_at(at + 1) in _PATTERN_ENDS
        return self._word_at(at - 1) in _PATTERN_FOLLOWS and ends

    def _number(self, at: int) -> None:
        text = self.tokens[at].text
        digits = text.rstrip("bBdDlLsSyYfF")
        if len(re.sub(r"[eE].*|\.", "", digits)) > 38 or float(digits) == float("inf"):
            self._say(f"{text} is a number that Spark cannot hold")

    def _mark(self, at: int) -> None:
        mark = self.tokens[at].text
        if mark == "(":
            name = self._word_at(at - 1)
            is_call = name not in GRAMMAR and self._word_at(at - 2) != "as"  # cast(a as decimal(10, 2))
            self.open.append(_Parenthesis(name, FUNCTIONS.get(name)) if is_call else _Parenthesis())
            self._argument(at)
        elif mark == "," and self.open:
            if self._next(at).text in (",", ")"):  # sqlglot lets it pass
                self._say("a comma is followed by nothing")
            self.open[-1].commas += 1
            self._argument(at)
        elif mark == ")" and self.open:
            self._call(self.open.pop())
        elif mark == ")":
            self._say("a parenthesis is closed that was never opened")

    def _argument(self, at: int) -> None:
        """Formats and units decide what a date is: they stand in the file and are not computed."""
        call = self.open[-1]
        is_written = [token.kind for token in self.tokens[at + 1 : at + 3]] == ["text", "mark"]
        if call.function and call.function.written == call.commas and not is_written:
            which = ("first", "second")[call.commas]
            self._say(f"{call.name} must be given its {which} argument as a text in single quotes")

    def _call(self, call: _Parenthesis) -> None:
        if call.function is None:
            return
        given = 0 if call.empty else call.commas + 1
        least, most = call.function.least, call.function.most
        several_distinct = call.name == "count" and given > 1
        if not least <= given <= most and not several_distinct:
            takes = str(least) if least == most else f"{least} {'or more' if most == MANY else f'to {most}'}"
            self._say(f"{call.name} takes {takes} argument{'' if takes == '1' else 's'}, and not {given}")
        if call.function.kind is Kind.TEXT and given and not call.reads_a_column:
            self._say(f"{call.name} reads no column", "write its result in its place")


def _near(given: str, columns: Collection[str]) -> str:
    """A hint that names the likeliest column as it must be written."""
    quoted = {name if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else f"`{name}`" for name in columns}
    if hint := did_you_mean(given, quoted):
        return hint
    part_of = sorted(name for name in quoted if given.lower() in name.strip("`").lower().split())
    return f"did you mean {part_of[0]}?" if part_of else ""
