"""A run as one HTML page that needs nothing else: figures are inside as SVG, and no script runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from matplotlib.figure import Figure

from regatta.evaluation.figures import number, shown
from regatta.reporting.charts import race, residuals
from regatta.reporting.evidence import Evidence
from regatta.reporting.style import as_svg
from regatta.selection.leaderboard import Standing

METRICS = ("rmse", "mae", "mape", "wape", "r2")
WORST_COLUMNS = 9  # a wider table is read by nobody


@dataclass(frozen=True)
class Shown:
    """One chart under its question, with a sentence on how to read it."""

    title: str
    how: str
    svg: Markup


def page(evidence: Evidence) -> str:
    """The whole page; the same evidence gives the same text."""
    environment = Environment(
        loader=PackageLoader("regatta.reporting", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    run, use_case, board = evidence.run, evidence.use_case, evidence.board
    return environment.get_template("run.html.j2").render(
        title=use_case.title or use_case.use_case,
        run=run,
        board=board,
        metric=board.metric,
        headline=_headline(evidence),
        champion=_champion(evidence),
        facts=_facts(evidence),
        finalists=_finalists(evidence),
        metrics=[metric for metric in METRICS if metric != "wape" or board.metric == "wape"],
        charts=list(_charts(evidence)),
        worst=_worst(evidence),
    )


def _headline(evidence: Evidence) -> str:
    run, board = evidence.run, evidence.board
    own = shown(board.metric, run.metrics.get(board.metric), board.unit)
    best = board.best_baseline
    other = best.holdout.get(board.metric) if best and best.holdout else None
    against = (
        f"; the best baseline, {best.candidate}: {shown(board.metric, other, board.unit)}" if best else ""
    )
    return f"{run.winner}: {board.metric} {own} on {run.rows.get('held_out', 0):,} held-out rows{against}"


def _champion(evidence: Evidence) -> str:
    mine = [one for one in evidence.champions if one.run_id == evidence.run.run_id]
    reigning = [one for one in evidence.champions if one.kind == "service"][-1:]
    if mine:
        now = "in service" if mine[-1] in reigning else "no longer in service"
        return f"champion {mine[-1].number}, {now}: {mine[-1].reason}"
    if reigning:
        return f"not promoted; champion {reigning[0].number} is in service, run {reigning[0].run_id}"
    return "not promoted; there is no champion yet"


def _facts(evidence: Evidence) -> dict[str, str]:
    run = evidence.run
    told = {
        "knows what was delivered until": f"{run.as_of:%Y-%m-%d %H:%M} UTC",
        "deliveries": _listed(run.deliveries),
        "rows": ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in run.rows.items() if count),
        "trained in": f"{run.seconds:,.0f} s",
        "contract": run.contract,
        "fingerprint of the rows": run.fingerprint[:16],
        "code": run.code,
        "versions": ", ".join(f"{name} {version}" for name, version in run.versions.items()),
    }
    for family, choice in run.engines.items():
        told[f"trees of {family}"] = f"{choice.grown}: {choice.reason}"
    return told


def _finalists(evidence: Evidence) -> list[tuple[Standing, list[str]]]:
    """The best of each family and the baselines, with their figures on the holdout."""
    board = evidence.board
    lines = [*board.best_of_families().values(), *(one for one in board.standings if one.is_baseline)]
    return [
        (one, [shown(metric, (one.holdout or {}).get(metric), board.unit) for metric in METRICS
               if metric != "wape" or board.metric == "wape"])
        for one in lines
        if one.holdout
    ]  # fmt: skip


def _charts(evidence: Evidence) -> Iterator[Shown]:
    board, rows, label, unit = evidence.board, evidence.holdout, evidence.use_case.label, evidence.board.unit
    metric = board.metric
    yield _drawn(
        "Which candidate is best?",
        f"{metric} of each candidate: a stroke a fold, a dot their mean. The dashed line is the best baseline.",
        race.leaderboard(board),
    )
    if board.folds:
        yield _drawn(
            "Does that hold along the calendar?",
            f"{metric} at each origin: learnt from what was known until that day, judged on what came next.",
            race.by_origin(board),
        )
    yield _drawn(
        "What does the gain cost?",
        "A dot a candidate: higher is better, further left is cheaper, and at 0 it is no better than a baseline.",
        race.gain(board),
    )
    logarithmic = evidence.use_case.label_transform == "log"
    yield _drawn(
        "How good are single predictions?",
        "Held-out rows, which no model has learnt from. On the line across a prediction is right.",
        residuals.against_actual(rows, label, unit, logarithmic),
    )
    yield _drawn(
        "How far off are they?",
        "Right of zero it predicted too much, left of it too little.",
        residuals.histogram(rows, label, unit),
    )
    yield _drawn(
        "Is it off by more where it predicts more?",
        "The band should be level, and lie around zero.",
        residuals.by_prediction(rows, label, unit),
    )
    for group in evidence.groups[:3]:
        yield _drawn(
            f"Is it off for some {group}?",
            f"The largest of {rows[group].nunique():,} groups, the most underestimated first.",
            residuals.by_group(rows, label, unit, group),
        )
    for family in board.best_of_families():
        if evidence.weights.get(family):
            yield _drawn(
                f"What does {family.replace('_', ' ')} go by?",
                "The slots of the feature vector that are worth most to it.",
                race.weights(evidence.weights[family], family),
            )


def _drawn(title: str, how: str, figure: Figure) -> Shown:
    return Shown(title, how, Markup(as_svg(figure)))


def _worst(evidence: Evidence) -> dict[str, Any]:
    found = evidence.worst()
    columns = list(found.columns[:WORST_COLUMNS])
    rows = [[_cell(value) for value in row] for row in found[columns].itertuples(index=False)]
    return {"columns": columns, "rows": rows}


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    return number(float(value)) if isinstance(value, float) else str(value)


def _listed(names: Sequence[str], ends: int = 3) -> str:
    if len(names) <= 2 * ends:
        return ", ".join(names)
    return f"{', '.join(names[:ends])} ... {', '.join(names[-ends:])} ({len(names):,} in all)"
