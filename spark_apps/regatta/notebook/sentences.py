"""What IPython is told once: a mistake of the user's is a sentence, a chart a picture, a table a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from types import TracebackType
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.logger import PySparkLogger
from rich.table import Table

from regatta.errors import InputError, RegattaError
from regatta.reporting.style import as_png
from regatta.reporting.tables import plain
from regatta.runtime.job import trouble

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def teach() -> None:
    """Tell the IPython that this runs in, if any. Harmless when done before."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:  # a plain Python, or one without notebooks
        return
    if (shell := get_ipython()) is None:
        return
    shell.display_formatter.formatters["image/png"].for_type(Figure, as_png)
    shell.display_formatter.mimebundle_formatter.for_type(Table, _as_html)
    for name in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True  # a page of JSON beside what IPython shows
    shell.set_custom_exc((RegattaError, Py4JJavaError, PySparkException), _show)


def sentence(error: BaseException) -> RegattaError | None:
    """What went wrong, where it is the user's to mend or the lake's; None for a bug."""
    if isinstance(error, RegattaError):
        return error
    message = str(error)
    if absent := re.search(r"\[PATH_NOT_FOUND\][^:]*: (s3a://\S+?)\.? SQLSTATE", message):
        return InputError("nothing is there yet", place=absent[1], way_out="see `regatta summary USE_CASE`")
    return trouble(message)


def _as_html(table: Table, **_: object) -> dict[str, str]:
    """A table of ours without the frame that a terminal needs."""
    told = plain(table)
    sides = ["right" if figures else "left" for figures in told["figures"]]

    def line(tag: str, cells: Sequence[str]) -> str:
        each = zip(cells, sides, strict=True)
        return "".join(f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>' for cell, side in each)

    rows = "\n".join(f"<tr>{line('td', row)}</tr>" for row in told["rows"])
    return {
        "text/plain": told["title"],
        "text/html": f"<table>\n<caption>{escape(told['title'])}</caption>\n"
        f"<tr>{line('th', told['headings'])}</tr>\n{rows}\n</table>",
    }


def _show(
    shell: InteractiveShell,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> list[str] | None:
    """IPython's handler of these exceptions (`InteractiveShell.set_custom_exc`)."""
    known = sentence(error)
    if known is None:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return None
    told: list[Any] = [str(known)]
    shell._showtraceback(type(known), known, told)
    return told
