"""A job of spark_apps/ as an Airflow task: the line that `regatta VERB --dry-run` prints, and what its end means.

Exit code 2 fails at once, since trying again will not help; 3, the gate's no, is no failure and skips; 4 is tried
again. The job's own sentence is the exception's, and so stands in the UI and in mails.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from command_line import PROJECT, lake_variables

if TYPE_CHECKING:
    from airflow.sdk import Asset, AssetAlias, Context

POOL = "spark"
BUG, INPUT, REFUSED = 1, 2, 3  # regatta.errors.ExitCode
REASON = "reason"
"""The XCom of a job that was refused; all others are ids."""
MERCY = 5.0  # seconds that a driver has to leave its cluster


class SparkJobHook(SparkSubmitHook):
    """spark-submit from the project's folder, heard without Ivy's account of what it resolved."""

    def submit(self, application: str = "", **kwargs: Any) -> str | None:
        """As ever, with paths that are relative to the project, and never silent while the first JVM starts."""
        self._heard = threading.Event()
        waiting = threading.Thread(target=self._tick, daemon=True)
        waiting.start()
        try:
            return super().submit(application, cwd=PROJECT, **kwargs)
        finally:
            self._heard.set()
            waiting.join()

    def _process_spark_submit_log(self, itr: Iterator[str]) -> None:
        from regatta.runtime.relay import worth_telling

        def told() -> Iterator[str]:
            for line in itr:
                if worth_telling(line):
                    self._heard.set()
                    yield line

        super()._process_spark_submit_log(told())

    def _tick(self) -> None:
        from regatta.runtime.progress import SILENCE

        started = time.monotonic()
        while not self._heard.wait(SILENCE):
            self.log.info("spark-submit is starting ... %.0f s", time.monotonic() - started)

    @property
    def exit_code(self) -> int | None:
        """Of spark-submit, which is the job's own; None where it was not begun."""
        return self._submit_sp.returncode if self._submit_sp else None

    def on_kill(self) -> None:
        """End spark-submit, its JVM, and the driver's Python, which would go on growing trees without it."""
        submit = self._submit_sp
        if submit is None or submit.poll() is not None:
            return
        family = psutil.Process(submit.pid).children(recursive=True)
        submit.terminate()
        for process in family:
            _send(process, "terminate")
        for process in psutil.wait_procs(family, timeout=MERCY)[1]:
            _send(process, "kill")
        if submit.poll() is None:  # by Popen alone: who waits for it in another way takes its exit code
            submit.kill()


class SparkJob(SparkSubmitOperator):
    """Runs one verb of one use case.

    Args:
        verb: the script in spark_apps/.
        config: the use-case file, as the line names it.
        flags: the job's own, by name; those that render to nothing are left out.
        gives: what of the job's outcome is the task's return value: run, champion or batches.
        announces: a changed champion is an event of the asset, by way of the alias.
        **kwargs: as every operator has.
    """

    template_fields = (*SparkSubmitOperator.template_fields, "flags")
    ui_color = "#e8f1f8"

    def __init__(
        self,
        *,
        verb: str,
        config: str,
        flags: Mapping[str, str],
        gives: str | None = None,
        announces: tuple[AssetAlias, Asset] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            application=f"spark_apps/{verb}.py",
            properties_file="conf/spark-defaults.conf",
            py_files="build/regatta.zip",
            name=f"regatta {verb} {Path(config).stem}",
            pool=POOL,
            outlets=[announces[0]] if announces else None,
            **kwargs,
        )
        self.verb = verb
        self.config = config
        self.flags = dict(flags)
        self.gives = gives
        self.announces = announces

    def execute(self, context: Context) -> Any:
        """Run the job; give back the id that it left.

        Raises:
            AirflowFailException: the input is wrong, or the job has a bug.
            AirflowSkipException: the gate refused.
            AirflowException: the lake or the cluster is away, or somebody ended the job.
        """
        from regatta.runtime.outcome import FILE, Outcome
        from regatta.runtime.submit import package

        package(PROJECT / "build" / "regatta.zip")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "outcome.json"
            self._hook = self.job_hook({**lake_variables(self.verb), FILE: str(file)})
            try:
                super().execute(context)
            except AirflowException:
                if self._hook.exit_code in (None, 0):
                    raise
            outcome = Outcome.read(file)
        if code := self._hook.exit_code:
            self._fail(context, code, outcome.sentence if outcome else "")
        if outcome is None:
            return None
        # A try before this one may have changed the champion and died before it said so.
        if self.announces and outcome.champion and (outcome.changed or self._is_repeated(context)):
            alias, asset = self.announces
            told = {"champion": outcome.champion, "run": outcome.run}
            context["outlet_events"][alias].add(asset, extra=told)
        given = getattr(outcome, self.gives) if self.gives else None
        return list(given) if isinstance(given, tuple) else given

    def job_hook(self, environment: Mapping[str, str]) -> SparkJobHook:
        """A hook that runs the line with these variables on top of our own."""
        from regatta.runtime.memory import driver_memory, executor_memory

        words = ["--config", self.config]
        for name, value in self.flags.items():
            words += [f"--{name}", value] if value else []
        hook = SparkJobHook(
            conn_id=self._conn_id,
            conf=dict(self.conf or {}),
            properties_file=self.properties_file,
            py_files=self.py_files,
            driver_memory=driver_memory(),
            name=self.name,
            application_args=words,
            env_vars=dict(environment),
        )
        if not hook._connection["master"].startswith("local"):
            hook._executor_memory = executor_memory()
        elif any(Path(os.environ.get("SPARK_HOME", ".")).glob("jars/s3a_*.jar")):
            hook._conf["spark.jars.packages"] = ""  # they lie beside Spark's own
        return hook

    def on_kill(self) -> None:
        """Leave no driver behind."""
        if self._hook is not None:
            self._hook.on_kill()

    def _fail(self, context: Context, code: int, sentence: str) -> None:
        said = sentence or f"spark-submit ended with {code} before the job could say why: see the log above"
        if code == REFUSED:
            context["ti"].xcom_push(REASON, said)
            raise AirflowSkipException(said)
        raise (AirflowFailException if code in (BUG, INPUT) else AirflowException)(said)

    def _is_repeated(self, context: Context) -> bool:
        return context["ti"].try_number > 1 and not self.flags.get("kind")


def _send(process: psutil.Process, order: str) -> None:
    with suppress(psutil.NoSuchProcess):
        getattr(process, order)()
