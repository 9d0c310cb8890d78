"""The forests' and the boosted trees' grids at several sizes, by us, by stock MLlib, by scikit-learn and by LightGBM.

    make bench                                         or benchmarks/bench.py [--rows ...] [--limit SECONDS] [--again]

The grids of conf/house_prices.yaml on three folds of King County, drawn to size with noise on the areas (selection.py).
Each entrant runs in a process of its own, on two cores, and is given the same features, ready and in memory: vectors in
Spark, or a matrix. The native engine's seconds have all that it does with them: bringing them over, the small fit that
it is compared with, growing and judging. What features cost a training, whoever grows, and the winner's final model are
timed beside it. Who would take longer than the limit, by its time at the size before, is left out, and who does, ended.

What was measured is kept in benchmarks/results.json: a run that was cut off goes on. From it come results.md and
docs/images/selection.png.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from lightgbm import LGBMRegressor
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.model_selection import GridSearchCV, PredefinedSplit

from regatta import config
from regatta.config import UseCase
from regatta.config.race import Family
from regatta.config.table import quoted
from regatta.evaluation.metrics import Metrics
from regatta.features.pipeline import FEATURES, LABEL, given_back
from regatta.reporting.style import BLUE, GREEN, GREY, ORANGE, PURPLE, as_png, panes
from regatta.runtime.progress import result, say
from regatta.selection.candidates import candidates, configured
from regatta.selection.engine import Engine
from regatta.selection.fits import fits
from regatta.selection.native.fitting import fitted
from regatta.selection.parts import Parts
from regatta.selection.prepared import Ground, Prepared, prepared_for
from regatta.selection.splits import FOLD
from regatta.selection.training import parts
from selection import best, cross_validated, king_county, largest_difference, local_session

ROOT = Path(__file__).resolve().parents[1]
MEASURED, TABLE, PLOT = (
    ROOT / "benchmarks" / "results.json", ROOT / "benchmarks" / "results.md", ROOT / "docs" / "images" / "selection.png"
)  # fmt: skip
SIZES = (21_613, 100_000, 500_000, 2_000_000)
CORES = 2
OURS = {"native": "native", "shared": "mllib"}  # entrant, engine
NAMES = {
    "stock": "MLlib, CrossValidator",
    "shared": "MLlib's fits, shared",
    "native": "native",
    "sklearn": "scikit-learn",
    "lightgbm": "LightGBM",
}
COLOURS = {"stock": GREY, "shared": ORANGE, "native": BLUE, "sklearn": GREEN, "lightgbm": PURPLE}
TITLES = {"random_forest": "random forests", "gbt": "boosted trees"}
ENTRANTS = {
    "random_forest": ("native", "sklearn", "shared", "stock"),
    "gbt": ("native", "lightgbm", "sklearn", "shared", "stock"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES))
    parser.add_argument(
        "--limit", type=int, default=3600, help="seconds that an entrant may take (default 3600)"
    )
    parser.add_argument("--again", action="store_true", help="forget what was measured before")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        family, entrant, rows = options.measure
        print(json.dumps(measured(family, entrant, int(rows))))
        return
    known = {} if options.again or not MEASURED.exists() else json.loads(MEASURED.read_text())
    for rows in options.rows:
        for family, entrants in ENTRANTS.items():
            for entrant in entrants:
                key = f"{family} {entrant} {rows}"
                if "seconds" not in known.get(key, {}):
                    known[key] = tried(family, entrant, rows, known, options.limit)
                    MEASURED.write_text(json.dumps(known, indent=1) + "\n")
    write(known)


def tried(family: str, entrant: str, rows: int, known: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """What was measured in a process of its own, or why nothing was."""
    smaller = [
        size for size in SIZES if size < rows and "seconds" in known.get(f"{family} {entrant} {size}", {})
    ]
    if smaller:
        due = known[f"{family} {entrant} {smaller[-1]}"]["seconds"] * rows / smaller[-1]
        if due > limit:
            return {"left out": f"would take some {due:,.0f} s"}
    elif any(size < rows for size in SIZES if f"{family} {entrant} {size}" in known):
        return {"left out": "took too long at the size before"}
    say(f"{rows:,} rows, {TITLES[family]}, {NAMES[entrant]} ...")
    words = [sys.executable, __file__, "--measure", family, entrant, str(rows)]
    try:
        ended = subprocess.run(words, capture_output=True, check=False, timeout=limit + 300)
    except subprocess.TimeoutExpired:
        return {"left out": f"took more than {limit:,} s"}
    if ended.returncode:
        sys.exit(ended.stderr.decode())
    answer: dict[str, Any] = json.loads(ended.stdout.decode().splitlines()[-1])
    say(f"  {answer['seconds']:,.1f} s, {answer['gigabytes']:.1f} GB")
    return answer


def measured(family: Family, entrant: str, rows: int) -> dict[str, Any]:
    """Seconds of the grid, memory at the peak, figures by candidate where MLlib's are comparable."""
    spark = local_session()
    loaded = config.load(ROOT / "conf" / "house_prices.yaml")
    use_case = loaded.model_copy(update={"outliers": None, "candidates": {family: loaded.candidates[family]}})
    split = parts(king_county(spark, use_case, rows), use_case)
    encoding = use_case.encoding(family)
    whole = prepared_for([encoding], split.training, split.training, use_case)[encoding]
    if entrant in OURS:
        found = _ours(split, whole, use_case.model_copy(update={"engine": OURS[entrant]}))
    else:
        columns = FEATURES, LABEL, quoted(use_case.label), *given_back(use_case), FOLD
        vectors = whole.features.transform(split.training).select(*columns).persist()
        vectors.count()
        if entrant == "stock":
            figures, seconds = cross_validated(vectors, use_case, family, [], whole.slots.largest)
            found = {"seconds": seconds, "figures": figures}
        else:
            found = {"seconds": OTHERS[family, entrant](vectors, use_case)}
    found["gigabytes"] = _peak() / 2**20
    spark.stop()
    return found


def _ours(split: Parts, whole: Prepared, use_case: UseCase) -> dict[str, Any]:
    """The grid; for the native engine also what comes before it and after it in a training."""
    field, engine = candidates(use_case), Engine(use_case)
    (encoding,) = {one.encoding for one in field}
    native = use_case.engine == "native"
    folds = [
        Prepared(
            Ground(fold.training, fold.judging, whole.ground.features, use_case), whole.encoder, whole.slots
        )
        for fold in split.folds
    ]
    for fold in folds:
        _rows = fold.ground.learnt_from, fold.ground.judged_on, native or fold.training
    figures: dict[str, list[Metrics]] = {}
    started = time.monotonic()
    engine.consider(field)
    for fold in folds:
        for candidate, judged in fits(field, {encoding: fold}, use_case, engine):
            figures.setdefault(candidate.name, []).append(judged.metrics)
    found: dict[str, Any] = {"seconds": time.monotonic() - started, "figures": figures}
    if native:
        found |= _beside(split, whole, use_case, engine, best(figures))
    return found


def _beside(split: Parts, whole: Prepared, use_case: UseCase, engine: Engine, best: str) -> dict[str, float]:
    """Seconds of all folds' features, and of the best candidate's model, learnt from all and given to Spark."""
    field = candidates(use_case)
    started = time.monotonic()
    for fold in split.folds:
        for made in prepared_for([field[0].encoding], fold.training, fold.judging, use_case).values():
            _rows = made.ground.learnt_from, made.ground.judged_on
    features = time.monotonic() - started
    estimator = next(configured(one, use_case.seed, whole.slots.largest) for one in field if one.name == best)
    rows = whole.rows
    started = time.monotonic()
    with TemporaryDirectory() as folder:
        fitted(estimator, rows, Path(folder, "model").as_uri(), engine.place)
    return {"features": features, "final model": time.monotonic() - started}


def _search(estimator: Any, grid: Mapping[str, list[Any]], frame: DataFrame, jobs: int) -> float:
    """GridSearchCV over the folds, on the same features as numbers."""
    vectors = frame.select(vector_to_array(FEATURES), LABEL, FOLD).toPandas()
    matrix, label, fold = np.vstack(vectors.iloc[:, 0]), vectors[LABEL].to_numpy(), vectors[FOLD].to_numpy()
    search = GridSearchCV(
        estimator, dict(grid), cv=PredefinedSplit(fold), scoring="neg_root_mean_squared_error", n_jobs=jobs,
        refit=False,
    )  # fmt: skip
    started = time.monotonic()
    search.fit(matrix, label)
    return time.monotonic() - started


def _grid(use_case: UseCase, family: str, **names: str) -> dict[str, list[Any]]:
    grid = use_case.candidates[family].grid  # type: ignore[index]
    return {theirs: list(grid[ours]) for ours, theirs in names.items()}


def _forests(frame: DataFrame, use_case: UseCase) -> float:
    forest = RandomForestRegressor(
        max_features=1 / 3, random_state=use_case.seed
    )  # MLlib: a third, by default
    grid = _grid(use_case, "random_forest", numTrees="n_estimators", maxDepth="max_depth")
    return _search(forest, grid, frame, CORES)


def _histograms(frame: DataFrame, use_case: UseCase) -> float:
    boosted = HistGradientBoostingRegressor(
        max_bins=32, max_leaf_nodes=None, min_samples_leaf=1, early_stopping=False, random_state=use_case.seed
    )
    grid = _grid(use_case, "gbt", maxIter="max_iter", maxDepth="max_depth")
    return _search(boosted, grid, frame, 1)


def _lightgbm(frame: DataFrame, use_case: UseCase) -> float:
    grid = _grid(use_case, "gbt", maxIter="n_estimators", maxDepth="max_depth")
    boosted = LGBMRegressor(
        max_bin=32, num_leaves=2 ** max(grid["max_depth"]), min_child_samples=1, n_jobs=CORES, verbose=-1,
        random_state=use_case.seed,
    )  # fmt: skip
    return _search(boosted, grid, frame, 1)


OTHERS: dict[tuple[str, str], Callable[[DataFrame, UseCase], float]] = {
    ("random_forest", "sklearn"): _forests,
    ("gbt", "sklearn"): _histograms,
    ("gbt", "lightgbm"): _lightgbm,
}


def _peak() -> int:
    """Kilobytes of this process and all that it started, each at its own peak."""
    family, found = {os.getpid()}, 0
    children = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
            except OSError:
                continue
            children[int(folder.name)] = (int(fields["PPid"]), int(fields.get("VmHWM", "0 kB").split()[0]))
    for pid in sorted(children):
        parent, peak = children[pid]
        if parent in family or pid in family:
            family.add(pid)
            found += peak
    return found


def write(known: Mapping[str, Any]) -> None:
    """The tables and the picture."""
    lines = [
        "# The grids of house prices, at several sizes", "",
        "Written by `make bench`; what was compared, and how, stands in [bench.py](bench.py). Times of one machine"
        " with two cores; ratios say more.", "",
    ]  # fmt: skip
    for family, entrants in ENTRANTS.items():
        lines += [
            f"## {TITLES[family].capitalize()}", "",
            "| rows | by | seconds | native is | µs a row | peak, GB | largest relative difference | winner |",
            "|---:|---|---:|---:|---:|---:|---:|---|",
        ]  # fmt: skip
        for rows in SIZES:
            native = known.get(f"{family} native {rows}", {})
            for entrant in entrants:
                one = known.get(f"{family} {entrant} {rows}")
                if one is None:
                    continue
                if "left out" in one:
                    lines.append(f"| {rows:,} | {NAMES[entrant]} | {one['left out']} | | | | | |")
                    continue
                ratio = off = same = ""
                if entrant != "native" and "seconds" in native:
                    ratio = f"{one['seconds'] / native['seconds']:.1f} times as fast"
                if entrant in ("stock", "shared") and native.get("figures"):
                    off = f"{largest_difference(native['figures'], one['figures']):.1e}"
                    same = "the same" if _winner(one) == _winner(native) else "another"
                lines.append(
                    f"| {rows:,} | {NAMES[entrant]} | {one['seconds']:,.1f} | {ratio} "
                    f"| {one['seconds'] * 1e6 / rows:,.0f} | {one['gigabytes']:.1f} | {off} | {same} |"
                )
        lines += ["", *_beside_it(known, family), ""]
    TABLE.write_text("\n".join(lines))
    with panes(len(ENTRANTS), 2, 3.2) as (figure, axes):
        for pane, (family, entrants) in zip(axes, ENTRANTS.items(), strict=True):
            for entrant in entrants:
                points = [
                    (rows, known[key]["seconds"])
                    for rows in SIZES
                    if "seconds" in known.get(key := f"{family} {entrant} {rows}", {})
                ]
                if points:
                    pane.plot(*zip(*points, strict=True), "o-", color=COLOURS[entrant], label=NAMES[entrant])
            pane.set(xscale="log", yscale="log", ylim=(1, None), title=TITLES[family], xlabel="rows")
            pane.minorticks_off()
            pane.set_xticks(
                SIZES, [f"{rows / 1e6:.2g} M" if rows >= 1e6 else f"{rows / 1e3:.0f} k" for rows in SIZES]
            )
            pane.yaxis.set_major_formatter("{x:,.0f}")
        axes[0].set_ylabel("seconds for the grid on three folds")
        drawn = {str(line.get_label()): line for pane in axes for line in pane.get_lines()}
        figure.legend(drawn.values(), drawn.keys(), loc="outside lower center", ncols=len(drawn))
        PLOT.write_bytes(as_png(figure))
    result(f"{TABLE.relative_to(ROOT)}, {PLOT.relative_to(ROOT)}")


def _beside_it(known: Mapping[str, Any], family: str) -> Iterator[str]:
    """What a training has besides the grid."""
    yield "| rows | features of all folds, seconds | final model, written for Spark, seconds | of all three, the grid |"
    yield "|---:|---:|---:|---:|"
    for rows in SIZES:
        one = known.get(f"{family} native {rows}", {})
        if "features" in one:
            whole = one["seconds"] + one["features"] + one["final model"]
            shares = f"{one['features']:.1f} | {one['final model']:.1f} | {one['seconds'] / whole:.0%}"
            yield f"| {rows:,} | {shares} |"


def _winner(one: Mapping[str, Any]) -> str:
    candidates = {name: folds for name, folds in one["figures"].items() if "=" in name}
    return best(candidates) if candidates else ""


if __name__ == "__main__":
    main()
