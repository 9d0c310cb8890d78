"""Where everything stands in the lake, as keys relative to its root. See docs/architecture.md for the tree.

Names that begin with an underscore are invisible to Spark: records and attempts never show up in a read.
"""

from __future__ import annotations

import re

from regatta.errors import InputError

RECORD = "_record.json"
MODEL, BASELINE = "model", "models/baseline"
"""Within a run: the winner, and the best baseline where a use case may need it."""
ASIDE = "~rejected"
DELIVERY_RECORD = "_delivery.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def checked_name(name: str, what: str) -> str:
    """The name of a delivery or a file, if it can stand in a key and in a partition's value as it is.

    Raises:
        InputError: for anything but 1 to 128 of letters, digits, dot, dash and underscore, the first a letter
            or digit, or with two dots in a row.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(
            f"{name!r} cannot name a {what}",
            way_out="use letters, digits, dots, dashes and underscores, beginning with a letter or digit",
        )
    return name


def is_data(key: str) -> bool:
    """Whether a plain reader takes the object for data."""
    return not any(part.startswith(("_", ".")) for part in key.split("/"))


def raw(source: str, delivery: str = "") -> str:
    """The folder of a source, or of one of its deliveries."""
    return f"raw/{source}/{delivery}/" if delivery else f"raw/{source}/"


def attempt(use_case: str, attempt_id: str) -> str:
    """Where one attempt writes before anything of it is visible."""
    return f"{use_case}/_attempts/{attempt_id}/"


def attempts(use_case: str) -> str:
    """The folder of all attempts of a use case."""
    return f"{use_case}/_attempts/"


def accepted(contract: str, delivery: str = "") -> str:
    """Typed rows, relative to the use case."""
    return f"accepted/contract={contract}/" + (f"delivery={delivery}/" if delivery else "")


def rejected(contract: str, delivery: str = "") -> str:
    """Original rows with reasons, relative to the use case."""
    return f"rejected/contract={contract}/" + (f"delivery={delivery}/" if delivery else "")


def aside(delivery: str) -> str:
    """What an attempt takes the rejected rows of a delivery for when it writes them, at once with the accepted ones.

    No delivery has such a name (`checked_name`), and nothing under it ever is visible.
    """
    return f"{delivery}{ASIDE}"


def run(run_id: str) -> str:
    """One training, relative to the use case."""
    return f"runs/{run_id}/"


def loaded(run_id: str) -> tuple[str, ...]:
    """The folders of a run that hold what somebody loads as it is, relative to the use case."""
    return tuple(f"{run(run_id)}{folder}/" for folder in (MODEL, "models", "feature_pipeline"))


def champion_entry(number: int) -> str:
    """One entry of the champion log, relative to the use case; the names sort as the numbers do."""
    return f"champion/{number:08d}.json"


def report(run_id: str) -> str:
    """The page of a run, relative to the use case."""
    return f"reports/{run_id}.html"


def batch(champion: int, batch_id: str) -> str:
    """The scores of one batch by one champion, relative to the use case."""
    return f"scores/champion={champion}/batch={batch_id}/"
