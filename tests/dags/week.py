"""A real Airflow on a lake of its own, with a tiny use case and a mail server: what the tests of runs share."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email import message_from_bytes
from pathlib import Path
from random import Random
from typing import Any

from aiosmtpd.controller import Controller
from rest import Airflow

from machine import free_ports, of_the_tests
from regatta import config
from regatta.lake import Lake
from regatta.lake.landing import land
from regatta.runtime.identities import Identity
from regatta.runtime.local import embedded, ports
from regatta.runtime.local.airflow import passwords
from regatta.runtime.local.state import StateFolder

TEA = """\
use_case: tea
title: Tea prices
sources:
  tea_sales: {role: train}
  tea_offers: {role: score}
columns:
  id: {type: string, role: key}
  area: {type: number, role: feature, min: 0}
  town: {type: string, role: category}
  price: {type: number, unit: EUR, role: label, above: 0}
candidates:
  linear_regression: {regParam: 0.1}
split: {folds: 2, partitions: 1}
gate: {min_rows: 5}
schedule: {retrain: "@weekly", score: "@weekly"}
"""
FOREST = "  random_forest: {numTrees: 2, maxDepth: 2}\n"


@dataclass
class Mailbox:
    """Every mail that the server was given: its subject and its text."""

    mails: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content)
        pages = [part for part in mail.walk() if part.get_content_type() == "text/html"]
        text = "".join(part.get_payload(decode=True).decode() for part in pages)
        self.mails.append((" ".join(str(mail["subject"]).split()), text))
        return "250 OK"

    def about(self, subject: str) -> list[str]:
        return [text for said, text in self.mails if subject in said]


@dataclass(frozen=True)
class House:
    """A running Airflow and what is around it."""

    airflow: Airflow
    lake: Lake
    secrets: tuple[str, ...]
    mailbox: Mailbox
    home: Path
    conf: Path
    variables: dict[str, str]

    def land(self, delivery: str, day: datetime, *, role: str = "train", bad_rows: int = 0) -> None:
        """Land 60 sales, or 6 offers, whose price is 10 an area and 500 more in Bonn."""
        chance = Random(delivery)
        lines = ["id,area,town" + (",price" if role == "train" else "")]
        for number in range(60 if role == "train" else 6):
            area, town = chance.uniform(20, 200), chance.choice(["Ulm", "Bonn"])
            price = 10 * area + 500 * (town == "Bonn") + chance.uniform(0, 10)
            shown = "much" if number < bad_rows else f"{price:.2f}"
            lines.append(f"{delivery}-{number},{area:.1f},{town}" + (f",{shown}" if role == "train" else ""))
        file = self.home / f"{delivery}.csv"
        file.write_text("\n".join(lines) + "\n")
        land(self.lake.store, self.lake.use_case, [file], delivery=delivery, role=role, delivered_at=day)  # type: ignore[arg-type]

    def configure(self, **values: str) -> None:
        """Change values of conf/tea.yaml by their keys."""
        text = self.use_case_file.read_text()
        for key, value in values.items():
            text = re.sub(rf"\b{key}: [\w.]+", f"{key}: {value}", text)
        self.use_case_file.write_text(text)

    @property
    def use_case_file(self) -> Path:
        return self.conf / "tea.yaml"

    def up(self) -> None:
        """Start whatever of it does not run."""
        with of_the_tests(self.variables):
            embedded.up(mlflow=False, airflow=True, say=print)

    def kill(self, server: str) -> None:
        """As by `kill -9`: the process of that server alone."""
        process = StateFolder(self.home / "state").process(server)
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)

    def backfill(self, dag: str, first: date, last: date, **params: Any) -> None:
        """As `airflow backfill create` on the command line, which SQLite may refuse beside a busy scheduler."""
        words = [
            *("--dag-id", dag, "--from-date", f"{first}", "--to-date", f"{last}"),
            *("--max-active-runs", "1", "--dag-run-conf", json.dumps(params)),
        ]
        with of_the_tests(self.variables):
            for _ in range(40):  # what a refused one has begun stands in the way for two minutes
                if embedded.airflow_command_line(["backfill", "create", *words]) == 0:
                    return
                time.sleep(5)
        raise AssertionError(f"no backfill of {dag} could be made")

    def scores(self) -> dict[str, str]:
        """Every object under scores/ that a plain reader sees, with the hash of its content."""
        files = self.lake.store.files(f"{self.lake.use_case.use_case}/scores/")
        return {file.key: file.etag for file in files if file.key.endswith(".parquet")}


@contextmanager
def house(home: Path, *, master: str | None, candidates: str = "", min_rows: int = 5) -> Iterator[House]:
    """Bring all of it up, with two weeks of sales and some offers landed; end it all.

    Args:
        home: an empty folder.
        master: of Spark; None for a cluster of its own.
        candidates: lines to be added to those of the file.
        min_rows: what the gate asks for; some 25 rows are held out.
    """
    conf = home / "conf"
    conf.mkdir()
    (conf / "tea.yaml").write_text(
        TEA.replace("split:", f"{candidates}split:").replace("min_rows: 5", f"min_rows: {min_rows}")
    )
    mailbox = Mailbox()
    every = (ports.S3, ports.S3_CONSOLE, ports.SPARK, ports.SPARK_UI, ports.AIRFLOW)
    mail, *numbers = free_ports(len(every) + 1)
    bundle = {
        "name": "use_cases",
        "classpath": "use_case_bundle.UseCaseBundle",
        "kwargs": {"refresh_interval": 2, "conf": str(conf)},
    }
    smtp = {"from_email": "airflow@example.com", "disable_ssl": True, "disable_tls": True}
    variables = {
        "REGATTA_HOME": str(home / "state"),
        "REGATTA_DRIVER_MEMORY": "1g",
        "REGATTA_EXECUTOR_MEMORY": "1g",
        "REGATTA_MAIL_TO": "team@example.com",
        **({"REGATTA_MASTER": master} if master else {}),
        **{port.variable: str(number) for port, number in zip(every, numbers, strict=True)},
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(
            {"conn_type": "smtp", "host": "127.0.0.1", "port": mail, "extra": smtp}
        ),
    }
    server = Controller(mailbox, hostname="127.0.0.1", port=mail)
    server.start()
    try:
        with of_the_tests(variables):
            reached = embedded.up(mlflow=False, say=print)
        with of_the_tests({"REGATTA_HOME": variables["REGATTA_HOME"], **reached}):
            lake = Lake.of(config.load(conf / "tea.yaml"))
        state = StateFolder(home / "state")
        accounts = [state.credentials(), *map(state.identity, Identity)]
        secrets = tuple(account.secret_key for account in accounts)
        tea = House(Airflow("", ""), lake, secrets, mailbox, home, conf, variables)
        for day in (1, 2):
            tea.land(f"sales-{day}", datetime(2026, 1, day, tzinfo=UTC))
        tea.land("offers-1", datetime(2026, 1, 3, tzinfo=UTC), role="score")
        with of_the_tests(variables):
            embedded.up(mlflow=False, airflow=True, say=print)
            address, _ = embedded.airflow_address()
        airflow = Airflow.at(address, passwords(state))
        yield House(airflow, lake, tea.secrets, mailbox, home, conf, variables)
    finally:
        with of_the_tests(variables):
            embedded.down(say=print)
        server.stop()
