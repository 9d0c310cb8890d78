"""Jobs start from the archive of Spark's classes, and without it where it does not fit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from regatta.runtime import class_archive
from regatta.runtime.identities import Identity
from regatta.runtime.installation import java, s3a_jars, spark_home
from regatta.runtime.submit import command, job_environment

ROOT = Path(__file__).parents[2]


def test_a_job_loads_sparks_classes_from_the_archive(tmp_path: Path):
    assert class_archive.is_made(), "`make setup` makes it"
    loaded = tmp_path / "loaded"
    environment = job_environment(Identity.TRAINING)
    environment["SPARK_SUBMIT_OPTS"] += f" -Xlog:class+load:file={loaded}"

    subprocess.run([spark_home() / "bin" / "spark-submit", "--version"], env=environment, check=True)

    sources = dict(line.split("] ")[-1].split(" source: ") for line in loaded.read_text().splitlines())
    assert sources["org.apache.spark.deploy.SparkSubmit"].startswith("shared objects file")


def test_a_job_on_this_machine_resolves_no_packages_and_one_on_a_cluster_does(
    monkeypatch: pytest.MonkeyPatch,
):
    assert s3a_jars()
    config = ROOT / "conf" / "house_prices.yaml"
    monkeypatch.setenv("REGATTA_MASTER", "local[1]")
    assert "spark.jars.packages=" in command("train", config)

    monkeypatch.setenv("REGATTA_MASTER", "spark://elsewhere:7077")

    assert "spark.jars.packages=" not in command("train", config)


def test_an_archive_of_another_java_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made_of = tmp_path / "spark-classes.txt"
    made_of.write_text(class_archive._INGREDIENTS.read_text().replace(java().build, "another build"))
    monkeypatch.setattr(class_archive, "_INGREDIENTS", made_of)

    assert not class_archive.is_made()


def test_java_starts_in_silence_with_an_archive_that_does_not_fit(tmp_path: Path):
    words = [java().path, *class_archive.java_options().split(), "-cp", str(tmp_path), "-version"]
    said = subprocess.run(words, capture_output=True, text=True, check=True)

    assert "archive" not in said.stdout + said.stderr


def test_an_archive_that_was_not_finished_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(class_archive, "_INGREDIENTS", tmp_path / "not written yet")

    assert class_archive.java_options() == ""
