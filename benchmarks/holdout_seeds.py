"""How far a family's figures depend on which houses happen to be held out: the whole race under several salts.

    python benchmarks/holdout_seeds.py [--salts 5]

Each salt of `split.salt` holds out another 20 % of King County, by hash of the house's id, and deals the rest into
other folds. The best of each family, chosen on the folds alone, is refitted and judged on the holdout. Writes
benchmarks/holdout_seeds.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from tempfile import TemporaryDirectory

from regatta import config
from regatta.config import UseCase
from regatta.selection.engine import Engine
from regatta.selection.finalists import finals, on_holdout, with_holdout
from regatta.selection.leaderboard import Leaderboard, Standing, ranked
from regatta.selection.race import race
from regatta.selection.training import parts
from selection import KING_COUNTY, Silent, king_county, local_session

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Race under every salt, and write a line a family."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--salts", type=int, default=5)
    options = parser.parse_args()

    whole = config.load(ROOT / "conf" / "house_prices.yaml")
    by_family: dict[str, list[Standing]] = {}
    for number in range(options.salts):
        salted = whole.split.model_copy(update={"salt": f"{whole.split.salt}-{number}"})
        board = judged(whole.model_copy(update={"split": salted}))
        for family, standing in board.best_of_families().items():
            by_family.setdefault(family, []).append(standing)
            figures = standing.holdout or {}
            print(
                f"salt {number}: {standing.candidate}: r2 {figures['r2']:.4f}, rmse {figures['rmse']:,.0f}",
                flush=True,
            )
    heading = "| family | R2 on the holdout | spread | RMSE, USD | spread | chosen |"
    lines = [heading, "|---|---|---|---|---|---|", *(line(*entry) for entry in by_family.items())]
    (ROOT / "benchmarks" / "holdout_seeds.md").write_text("\n".join([*lines, ""]))


def judged(use_case: UseCase) -> Leaderboard:
    """The leaderboard of one training, with the holdout's figures; nothing is written."""
    rows = parts(king_county(local_session(), use_case, KING_COUNTY), use_case)
    engine = Engine(use_case)
    board = Leaderboard(
        use_case=use_case.use_case,
        run_id="benchmark",
        metric=use_case.metric,
        label=use_case.label,
        unit=use_case.columns[use_case.label].unit,
        standings=ranked(race(rows.folds, use_case, Silent(), engine), use_case.metric),
    )
    with TemporaryDirectory() as scratch:
        best = finals(rows.training, rows.holdout, board, use_case, engine, f"file://{scratch}/")
        return with_holdout(board, on_holdout(best, rows.holdout), use_case)


def line(family: str, standings: Sequence[Standing]) -> str:
    """Means and standard deviations (n - 1) over the salts."""
    r2, rmse = ([float((one.holdout or {})[metric] or 0) for one in standings] for metric in ("r2", "rmse"))
    chosen = ", ".join(sorted({one.candidate.removeprefix(f"{family} ") for one in standings}))
    return f"| {family} | {fmean(r2):.4f} | {stdev(r2):.4f} | {fmean(rmse):,.0f} | {stdev(rmse):,.0f} | {chosen} |"


if __name__ == "__main__":
    main()
