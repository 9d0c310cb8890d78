"""A run beside another training of the same: what is not as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isclose

from regatta.lake import Run
from regatta.selection.leaderboard import Figures, Leaderboard

CLOSE = 1e-9  # relative, of a figure: a sum of other order differs by less


def other_input(run: Run, read: Iterable[str], fingerprint: str) -> list[str]:
    """What of the input is not as the run had it, a sentence each; empty where all is.

    Args:
        run: as published.
        read: the deliveries that would be trained with now.
        fingerprint: of their content, and of what is known in advance.
    """
    then, now = {*run.deliveries}, {*read}
    found = [f"delivery {name} was read, and is not there any more" for name in sorted(then - now)]
    found += [f"delivery {name} was not there" for name in sorted(now - then)]
    if not found and fingerprint != run.fingerprint:
        found.append("a delivery has another content, of these or of what is known in advance")
    return found


def other_makers(run: Run, code: str, versions: Mapping[str, str]) -> list[str]:
    """What the figures depend on besides the input, where it is not what the run had."""
    found = [
        f"{what} is {versions.get(what, 'not there')} and was {then}"
        for what, then in run.versions.items()
        if versions.get(what) != then
    ]
    return found + ([] if code == run.code else [f"regatta's code is {code} and was {run.code}"])


def other_figures(then: Leaderboard, now: Leaderboard) -> Iterator[str]:
    """Where two leaderboards differ, a sentence each."""
    names = [[standing.candidate for standing in board.standings] for board in (then, now)]
    if names[0] != names[1]:
        yield f"the order was {', '.join(names[0])} and is {', '.join(names[1])}"
    again = {standing.candidate: standing for standing in now.standings}
    for standing in then.standings:
        if (other := again.get(standing.candidate)) is None:
            continue
        pairs = [(fold.metrics, new.metrics) for fold, new in zip(standing.folds, other.folds, strict=False)]
        if len(standing.folds) != len(other.folds):
            yield f"{standing.candidate} had {len(standing.folds)} folds and has {len(other.folds)}"
        for place, (old, new) in enumerate([*pairs, (standing.holdout or {}, other.holdout or {})]):
            where = f"fold {place + 1}" if place < len(pairs) else "the holdout"
            for metric in old.keys() | new.keys():
                if not _close(old, new, metric):
                    yield (
                        f"{standing.candidate}: {metric} on {where} was {old.get(metric)} and is {new.get(metric)}"
                    )


def _close(old: Figures, new: Figures, metric: str) -> bool:
    one, other = old.get(metric), new.get(metric)
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
