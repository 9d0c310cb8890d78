"""Every file in conf/ as a DAG file of its own, made by the dag-processor and by whoever runs a task.

Airflow parses DAG files again and again, each in a fresh process, and keeps one import error a file. So a use-case
file is read and checked here, when it changes, and what its DAGs need of it is written down as one call of the
factory: parsing that takes milliseconds and imports nothing of ours but the factory, and a faulty file breaks its
own DAGs alone.

    AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST=[{"name": "use_cases",
        "classpath": "use_case_bundle.UseCaseBundle", "kwargs": {"refresh_interval": 30}}]
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from airflow.dag_processing.bundles.base import BaseDagBundle

PROJECT = Path(__file__).resolve().parents[2]
READERS = ("airflow/dags", "spark_apps/regatta/config")
"""What decides how a use-case file is read."""


class UseCaseBundle(BaseDagBundle):
    """A folder of DAG files, one a use-case file with a schedule.

    Args:
        conf: the folder of use-case files; by default the project's.
        **kwargs: as every bundle has.
    """

    supports_versioning = False

    def __init__(self, *, conf: str | None = None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._conf = Path(conf) if conf else PROJECT / "conf"

    @property
    def path(self) -> Path:
        """Where the DAG files stand."""
        return self.base_dir / "dags"

    def get_current_version(self) -> None:
        """None: what counts is the present content of conf/."""

    def initialize(self) -> None:
        """Write what is not there yet."""
        self.refresh()
        super().initialize()

    def refresh(self) -> None:
        """Write the DAG files of new and changed use-case files, and remove those of files that are gone."""
        with self.lock():
            self.path.mkdir(parents=True, exist_ok=True)
            readers = _digest(
                source for folder in READERS for source in sorted((PROJECT / folder).glob("*.py"))
            )
            sources = sorted(self._conf.glob("*.yaml"))
            for source in sources:
                _write(self.path / f"{source.stem}.py", source, readers)
            for left_over in {*self.path.glob("*.py")} - {self.path / f"{one.stem}.py" for one in sources}:
                left_over.unlink()


def _write(target: Path, source: Path, readers: str) -> None:
    mark = f"# {readers} {_digest([source])}\n"
    if not (target.is_file() and target.read_text(encoding="utf-8").startswith(mark)):
        draft = target.with_suffix(".draft")
        draft.write_text(mark + _dag_file(source), encoding="utf-8")
        draft.replace(target)  # whoever parses reads the old file or the new one


def _dag_file(source: Path) -> str:
    """The text of a DAG file; Airflow looks at files alone that name it and DAGs."""
    from regatta import config  # a second, which is due only where a file has changed
    from regatta.errors import RegattaError
    from use_case_facts import facts_of

    name = shown(source)
    try:
        use_case = config.load(source)
    except RegattaError as fault:
        text = str(fault).replace(str(source), name)
        return (
            f'"""The Airflow DAGs of {name}, which cannot be read."""\n\n'
            f"from use_case_facts import FaultyUseCase\n\nraise FaultyUseCase({text!r})\n"
        )
    if use_case.schedule is None:
        return f'"""No Airflow DAG: {name} has no schedule."""\n'
    return (
        f'"""The Airflow DAGs of {name}, as it stands."""\n\n'
        f"from use_case_dags import dags\nfrom use_case_facts import Facts\n\n"
        f"retrain, score = dags({facts_of(use_case, name)!r})\n"
    )


def shown(path: Path) -> str:
    """As `regatta ... --dry-run` shows it: relative to the project where it lies in it."""
    path = path.resolve()
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(path)


def _digest(files: Iterator[Path] | list[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()[:16]
