"""What a column of an unknown table seems to be, by its name and its texts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from regatta.config.contradictions import OWN_COLUMNS
from regatta.config.dialect import Csv
from regatta.config.expressions import GRAMMAR
from regatta.config.table import ColumnType
from regatta.proposal.moments import moments_in
from regatta.proposal.sample import Sample

MOSTLY = 0.95
"""The share of values that must be of a type; the others will be rejected, and said so."""
_NAMES_ROWS = 0.7
"""The share of values that differ above which a text is no category."""
_CODES = re.compile(r"zip|zip_?code|postal|post_?code|cep|plz|.*_?phone|ibge.*", re.IGNORECASE)


@dataclass
class Guess:
    """One column.

    Attributes:
        header: its name in the file.
        name: its name in the use case.
        type: of its values.
        role: as the file will say.
        settings: further keys of the file, in order.
        remarks: what a person should know of it.
        distinct: how many different values were seen.
        filled: the share of rows that have a value.
        numbers: for numeric columns, a value a row; NaN where there is none.
        calendar: for moments, the SQL functions of the calendar and the clock that do not give the same for all.
    """

    header: str
    name: str
    type: ColumnType
    role: str = "info"
    settings: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    distinct: int = 0
    filled: float = 1.0
    numbers: np.ndarray | None = None
    calendar: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether models may read it as a number, or learn it."""
        return self.type in ("integer", "number")

    @property
    def is_moment(self) -> bool:
        """Whether it says when."""
        return self.type in ("date", "timestamp")


def guesses(table: Sample) -> list[Guess]:
    """One for each column, in order; none is label or key yet."""
    names = clean_names(table.header)
    return [
        _guess(header, name, table.column(index), [row[index] for row in table.rows], table)
        for index, (header, name) in enumerate(zip(table.header, names, strict=True))
    ]


def clean_names(headers: Sequence[str]) -> list[str]:
    """Names that need no quotes in SQL: small letters, digits and underscores, each different.

    A name that is made of these letters in any case stays as it is.
    """
    taken: set[str] = {*OWN_COLUMNS}
    found = []
    for position, header in enumerate(headers, start=1):
        name = header if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", header) else _plain(header)
        name = name or f"column_{position}"
        name = f"{name}_" if name.lower() in GRAMMAR else name
        choice, number = name, 2
        while choice.lower() in taken:
            choice, number = f"{name}_{number}", number + 1
        taken.add(choice.lower())
        found.append(choice)
    return found


def _plain(header: str) -> str:
    letters = unicodedata.normalize("NFKD", header).encode("ascii", "ignore").decode()
    letters = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", letters)
    words = re.sub(r"[^a-z0-9]+", "_", letters.lower()).strip("_")
    return f"n_{words}" if words[:1].isdigit() else words


def _guess(header: str, name: str, values: list[str], every: list[str], table: Sample) -> Guess:
    counts = Counter(values)
    guess = Guess(header, name, "string", distinct=len(counts), filled=len(values) / max(len(every), 1))
    if not values:
        guess.remarks.append("empty")
        return guess
    if guess.filled < 0.5:
        guess.remarks.append(f"{1 - guess.filled:.0%} of it is empty")
    if len(counts) == 1:
        guess.remarks.append("always the same")
    if {value.lower() for value in counts} <= {"true", "false", "yes", "no"}:
        guess.type, guess.role = "boolean", "feature"
    elif not (
        _as_number(guess, counts, every, table.csv)
        or _as_moment(guess, counts)
        or _with_unit(guess, counts, every, table.csv)
        or _as_range(guess, counts, every, table.csv)
    ):
        _as_text(guess, counts, len(values))
    if len(counts) == 1 and guess.role != "info":
        guess.role = "info"
    return guess


def _as_number(guess: Guess, counts: Counter[str], every: Sequence[str], csv: Csv) -> bool:
    whole, number = (re.compile(csv.number(whole=whole)) for whole in (True, False))
    total = counts.total()
    fitting = sum(count for text, count in counts.items() if number.fullmatch(text))
    if fitting < MOSTLY * total:
        return False
    if _CODES.fullmatch(guess.header) or any(re.fullmatch("0[0-9]+", text) for text in counts):
        return False
    if {len(text) for text in counts} == {8} and _as_moment(guess, counts):
        return True
    fits_whole = sum(count for text, count in counts.items() if whole.fullmatch(text))
    guess.type = "integer" if fits_whole == fitting else "number"
    guess.role = "feature"
    guess.numbers = np.array([_value(text, number, csv) for text in every])
    if fitting < total:
        odd = next(text for text in counts if not number.fullmatch(text))
        guess.remarks.append(
            f"{total - fitting:,} of {total:,} are no numbers, as {odd[:20]!r}, and will be rejected"
        )
    return True


def _value(text: str, number: re.Pattern[str], csv: Csv) -> float:
    if not number.fullmatch(text):
        return np.nan
    if csv.thousands:
        text = text.replace(csv.thousands, "")
    return float(text.replace(csv.decimal, "."))


def _as_moment(guess: Guess, counts: Counter[str]) -> bool:
    found = moments_in(counts, MOSTLY)
    if found is None:
        return False
    guess.type, guess.calendar = found.type, found.calendar
    if found.format is not None:
        guess.settings["format"] = f'"{found.format}"'
    guess.remarks += found.remarks
    return True


_CURRENCY = re.compile(r"(?:[A-Z]{0,3}[$€£¥₹]|~|USD|EUR|GBP|CHF|BRL|INR|Rs\.?)?\s?")
_AROUND = re.compile(r"([^0-9+.,-]{0,6}?)([+-]?[0-9][0-9.,\u00a0]*)(\s?[^0-9]{0,15})")


def _with_unit(guess: Guess, counts: Counter[str], every: Sequence[str], csv: Csv) -> bool:
    """A number with always the same text before or behind it."""
    found = {text: match for text in counts if (match := _AROUND.fullmatch(text))}
    if sum(counts[text] for text in found) < MOSTLY * counts.total():
        return False
    before, behind = (Counter(match[part] for match in found.values()) for part in (1, 3))
    (prefix, _), (suffix, _) = before.most_common(1)[0], behind.most_common(1)[0]
    if not (prefix or suffix) or not _CURRENCY.fullmatch(prefix):
        return False
    dialect = (
        csv
        if csv.thousands or not any("," in match[2] for match in found.values())
        else csv.model_copy(update={"thousands": ","})
    )
    number = re.compile(dialect.number(whole=False))
    sure = [
        text
        for text, match in found.items()
        if (match[1], match[3]) == (prefix, suffix) and number.fullmatch(match[2])
    ]
    if sum(counts[text] for text in sure) < MOSTLY * counts.total():
        return False
    sql = f"replace({guess.name}, {_in_sql(prefix)}, '')" if prefix else guess.name
    sql = f"replace({sql}, {_in_sql(suffix)}, '')" if suffix else sql
    if dialect is not csv:
        sql = f"replace({sql}, ',', '')"
    guess.type, guess.role = "number", "feature"
    guess.settings |= {"unit": _quoted((prefix or suffix).strip()), "sql": _quoted(sql)}
    known = {text: _value(found[text][2], number, dialect) for text in sure}
    guess.numbers = np.array([known.get(text, np.nan) for text in every])
    return True


def _as_range(guess: Guess, counts: Counter[str], every: Sequence[str], csv: Csv) -> bool:
    """Numbers of which some are given as from - to: their middle."""
    number = re.compile(csv.number(whole=False))
    ends = {text: text.split(" - ") for text in counts}
    sure = {
        text: [_value(end, number, csv) for end in found]
        for text, found in ends.items()
        if len(found) <= 2 and all(number.fullmatch(end) for end in found)
    }
    if csv.decimal != "." or csv.thousands or sum(counts[text] for text in sure) < MOSTLY * counts.total():
        return False
    first, last = (f"try_cast(split_part({guess.name}, ' - ', {end}) as double)" for end in (1, -1))
    guess.type, guess.role = "number", "feature"
    guess.settings["sql"] = _quoted(f"({first} + {last}) / 2")
    guess.remarks.append("from - to becomes its middle")
    guess.numbers = np.array([float(np.mean(sure[text])) if text in sure else np.nan for text in every])
    return True


def _in_sql(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _as_text(guess: Guess, counts: Counter[str], total: int) -> None:
    guess.type = "string"
    if len(counts) > 50 and len(counts) > _NAMES_ROWS * total:
        guess.remarks.append(f"{len(counts):,} values in {total:,} rows: it names rows, and not kinds")
        return
    guess.role = "category"
    if max(map(len, counts)) > 200:
        guess.role = "info"
        guess.remarks.append("long texts")
