"""Which column is to be predicted, which names a row, which says when: guesses, and how sure they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regatta.config.problem import nearest_or_all
from regatta.errors import InputError
from regatta.proposal.columns import Guess
from regatta.proposal.sample import Sample

LEAK = 0.98
"""A correlation with the label above which a column is suspected to be the label under another name."""
_LABELS = (
    r"target|label|y",
    r"(sale_?)?prices?|preco|valor|precio|prix|preis|medv|median_house_value|mpg|charges|salary|wage",
    r".*(price|preco|precio|preis|target|label|charges|salary|revenue|amount|valor|cost).*",
    r"sales|cnt|count|quality|rings|strength|score|progression|fare|tips?|consumption|demand|duration|weight",
)
_KEYS = re.compile(
    r"(.*_)?(id|key|no|nr|number|uuid|guid|pid|index|order|codigo|row)|id.*|column_1", re.IGNORECASE
)


@dataclass(frozen=True)
class Label:
    """The column to predict, and whether it was told or is evident; else somebody should look at it."""

    guess: Guess
    is_sure: bool


def label_of(guesses: Sequence[Guess], told: str | None) -> Label:
    """The column that was told, or the likeliest.

    Raises:
        InputError: there is no such column, or none that could be learnt.
    """
    if told is not None:
        return Label(_told(guesses, told), True)
    possible = [guess for guess in guesses if guess.is_number and guess.distinct > 1]
    if not possible:
        raise InputError("no column holds numbers that could be predicted")
    for pattern in _LABELS:
        named = [guess for guess in possible if re.fullmatch(pattern, guess.name, re.IGNORECASE)]
        if len(named) == 1:
            return Label(named[0], True)
        if named:
            return Label(named[-1], False)
    return Label(possible[-1], False)


def _told(guesses: Sequence[Guess], told: str) -> Guess:
    found = next((guess for guess in guesses if told in (guess.header, guess.name)), None)
    if found is None:
        names = [guess.name for guess in guesses]
        raise InputError(f"there is no column {told}", place="--label", way_out=nearest_or_all(told, names))
    if not found.is_number:
        raise InputError(
            f"{found.name} is a {found.type}, and what is predicted must be a number",
            place="--label",
            way_out="numbers are in " + ", ".join(guess.name for guess in guesses if guess.is_number),
        )
    return found


def give_roles(guesses: Sequence[Guess], label: Guess, table: Sample) -> None:
    """Decide which columns are label, key and time, and which only look like inputs."""
    rows = len(table.rows)
    label.role = "label"
    for guess in guesses:
        if guess is label:
            continue
        complete = guess.filled == 1 and guess.distinct == rows > 1
        named = re.fullmatch(_KEYS, guess.name)
        if (
            complete
            and named
            and guess.type in ("integer", "string")
            and not any(g.role == "key" for g in guesses)
        ):
            guess.role, guess.type = "key", "string"
            guess.numbers = None
            guess.remarks.clear()
        elif complete and guess.type == "integer" and _counts_up(guess):
            guess.role = "info"
            guess.remarks.append("counts the rows")
        elif guess.is_moment and guess.filled == 1 and not any(g.role == "time" for g in guesses):
            guess.role = "time"
        elif guess.role == "feature" and (r := correlation(guess, label)) is not None and abs(r) > LEAK:
            guess.role = "info"
            guess.remarks.append(f"almost the label (correlation {r:.3f}): is it known when predicting?")
    if not any(guess.role == "key" for guess in guesses):
        _key_of_two(guesses, table)


def _key_of_two(guesses: Sequence[Guess], table: Sample) -> None:
    """A name that comes back at other times, as a house that is sold again."""
    times = [(at, guess) for at, guess in enumerate(guesses) if guess.role == "time"]
    for at, guess in enumerate(guesses):
        if guess.filled == 1 and re.fullmatch(_KEYS, guess.name) and guess.type in ("integer", "string"):
            for when, time in times:
                pairs = {(row[at], row[when]) for row in table.rows}
                if len(pairs) == len(table.rows):
                    guess.role, guess.type, guess.numbers = "key", "string", None
                    guess.remarks[:] = [f"with {time.name}"]
                    time.role = "[key, time]"
                    return


def _counts_up(guess: Guess) -> bool:
    return guess.numbers is not None and bool((np.diff(guess.numbers) == 1).all())


def correlation(one: Guess, other: Guess) -> float | None:
    """Pearson's, over the rows that have both; None where it is undefined."""
    if one.numbers is None or other.numbers is None:
        return None
    both = ~(np.isnan(one.numbers) | np.isnan(other.numbers))
    a, b = one.numbers[both], other.numbers[both]
    if len(a) < 10 or a.std() == 0 or b.std() == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])
