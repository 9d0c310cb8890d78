"""The last week of the retail sales: what was forecast the day before, and what happened; docs/retail_forecast.svg.

    regatta demo retail_sales && python benchmarks/retail_forecast.py

The figures are those of the newest run in the lake: its holdout, which no model has learnt from.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd

from regatta import config
from regatta.config.panel import PERIOD
from regatta.evaluation.figures import number
from regatta.evaluation.runs import chosen
from regatta.lake import Lake
from regatta.reporting.evidence import Evidence
from regatta.runtime.identities import Identity
from regatta.runtime.local.embedded import environment

mpl.use("svg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).parents[1]
DAYS = 6  # open ones: a week without its Saturday
PRODUCTS = 2  # shown alone, the largest


def main() -> None:
    lake = Lake.of(config.load(ROOT / "conf" / "retail_sales.yaml"), environment(Identity.READER))
    run = chosen(lake)
    label, (entity, *_) = lake.use_case.label, lake.use_case.panel.entity  # type: ignore[union-attr]
    rows = Evidence.of(lake, run).holdout
    last = sorted(rows[PERIOD].unique())[-DAYS:]
    week = rows[rows[PERIOD].isin(last)]
    baseline = f"prediction {run.best_baseline}"
    columns = {
        label: "happened",
        "prediction": f"forecast by {run.winner_family}",
        baseline: f"{run.best_baseline}",
    }

    largest = week.groupby(entity)[label].sum().nlargest(PRODUCTS).index
    panes = [("all products", week), *((f"product {one}", week[week[entity] == one]) for one in largest)]
    figure, axes = plt.subplots(1, len(panes), figsize=(11, 3.2))
    for axis, (title, part) in zip(axes, panes, strict=True):
        by_day = part.groupby(PERIOD)[list(columns)].sum().rename(columns=columns)
        by_day.index = [f"{day:%a}" for day in pd.to_datetime(by_day.index)]
        by_day.plot(
            ax=axis, marker="o", color=["black", "tab:red", "tab:gray"], style=["-", "-", "--"], legend=False
        )
        axis.set_title(title, fontsize=10)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("revenue a day, GBP")
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(ROOT / "docs" / "retail_forecast.svg", metadata={"Date": None})
    for name in ("prediction", baseline):
        error = (week[label] - week[name]).abs().sum() / week[label].abs().sum()
        total = week[name].sum() / week[label].sum() - 1
        print(
            f"{columns[name]}: wape of the week {number(100 * error, 3)} %, of its total {100 * total:+.1f} %"
        )


if __name__ == "__main__":
    main()
