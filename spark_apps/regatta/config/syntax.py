"""What sqlglot makes of an expression: it knows how words fit together, and Spark is not yet there to ask."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from regatta.config.problem import Problem

# Functions (exp.Func) need no list of their own: `expressions` has judged their written names.
_NODES = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.DataType, exp.DataTypeParam),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Paren, exp.Func, exp.Distinct),
    *(exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not),
    *(exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.RegexpLike, exp.Escape),
    exp.Var,  # a unit such as MONTH: a text in the file, or added by sqlglot
)


def syntax_problems(sql: str, columns_read: set[str]) -> Iterator[Problem]:
    """Yield a problem unless the text is one expression of plain nodes that reads exactly `columns_read`."""
    try:
        trees = sqlglot.parse(sql, dialect="spark")
    except ParseError as error:
        near = str(error.errors[0].get("highlight") or "").strip() if error.errors else ""
        yield Problem(
            "is not an expression of Spark SQL" + (f": something is wrong near {near}" if near else "")
        )
        return
    except SqlglotError:
        yield Problem("is not an expression of Spark SQL")
        return
    except RecursionError:
        yield Problem("is nested too deeply", "make several features of it")
        return
    tree = trees[0]
    if tree is None or len(trees) > 1 or isinstance(tree, exp.Alias):
        yield Problem(
            "is not one expression", "is an operator missing, or backticks around a name with a blank?"
        )
        return
    for node in tree.walk():
        counts_rows = isinstance(node, exp.Star) and isinstance(node.parent, exp.Count)
        if not counts_rows and not isinstance(node, _NODES):
            yield Problem(
                f"{node.key} has no place in an expression", "are all names in `backticks` that need them?"
            )
            return
    if {column.name for column in tree.find_all(exp.Column)} != columns_read:
        yield Problem("can be read in two ways", "put the names of columns in `backticks`")


def division_problems(sql: str) -> Iterator[Problem]:
    """Yield a problem for each division of a sound expression that a row with a divisor of 0 would make fail.

    A published model runs in sessions of others, where Spark ends the whole job at such a row (ANSI mode, its
    default). A divisor that is a number other than 0, or `nullif(..., 0)`, cannot be 0.
    """
    for node in sqlglot.parse_one(sql, dialect="spark").find_all(exp.Div, exp.IntDiv, exp.Mod):
        divisor = node.expression.unnest()
        number = isinstance(divisor, exp.Literal) and not divisor.is_string and float(divisor.name) != 0
        if not number and not isinstance(divisor, exp.Nullif):
            written = divisor.sql(dialect="spark")
            yield Problem(
                f"divides by {written}, and one row where that is 0 would end every job that uses the model",
                f"write try_divide(..., {written}) or ... / nullif({written}, 0)",
            )


_GIVES_NO_TEXT = (
    *(exp.Length, exp.StrPosition, exp.Levenshtein, exp.Ascii, exp.Contains, exp.StartsWith, exp.EndsWith),
    *(exp.Predicate, exp.Connector, exp.Not),
)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg)
_FROM_TEXT = (exp.TsOrDsToDate, exp.StrToTime, exp.TsOrDsAdd, exp.MonthsBetween, exp.DateDiff)


def text_problems(sql: str, texts: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each place of a sound expression where one row's text would make it fail.

    As with a divisor of 0, Spark ends the whole job there: `cast` meets a text that is no number. `try_cast` gives
    the row no value instead.

    Args:
        sql: an expression that `syntax_problems` passes.
        texts: the columns that hold text.
    """
    for node in sqlglot.parse_one(sql, dialect="spark").walk():
        if isinstance(node, exp.Cast) and not node.args.get("safe") and not node.to.is_type("text"):
            if name := _text_in(node.this, texts):
                kind = node.to.sql(dialect="spark").lower()
                yield Problem(
                    f"casts {name} to {kind}, and one text that is none would end every job that uses the model",
                    f"write try_cast({node.this.sql(dialect='spark')} as {kind})",
                )
        elif isinstance(node, _ARITHMETIC):
            for name, written in _text_operands(node, texts):
                yield Problem(
                    f"calculates with {name}, which is a string",
                    f"write try_cast({written} as double), or give the column type: number",
                )
        elif isinstance(node, _FROM_TEXT):
            for name, written in _text_operands(node, texts):
                yield Problem(
                    f"takes {name}, which is a string, for a date",
                    f"give the column type: date, or write try_to_date({written}, 'yyyy-MM-dd')",
                )


def _text_operands(node: exp.Expression, texts: Collection[str]) -> Iterator[tuple[str, str]]:
    """The text columns that a node is applied to: name, and as it is written in SQL."""
    for side in (node.this, node.args.get("expression")):
        if isinstance(side, exp.Column) and side.name in texts:
            yield side.name, side.sql(dialect="spark")


def _text_in(node: exp.Expression, texts: Collection[str]) -> str:
    """A text column that the node's own value may come from; "" if there is none."""
    if isinstance(node, exp.Column):
        return node.name if node.name in texts else ""
    if isinstance(node, (exp.Cast, *_GIVES_NO_TEXT)):
        return ""
    return next((name for part in node.iter_expressions() if (name := _text_in(part, texts))), "")
