from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Barrier

import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

import promote
import score
import small_runs
import trainings
from regatta import config
from regatta.cli import group
from regatta.cli.readers import leaderboard, scores
from regatta.cli.rollback import rollback
from regatta.errors import InputError, Refused
from regatta.lake import ChampionEntry, Lake, LostRace, layout
from regatta.lake.leftovers import abort_superseded
from regatta.runtime.job import Flag, Job, run
from regatta.runtime.outcome import Outcome
from regatta.selection.splits import held_out
from small_runs import houses, land_listings, publish_accepted, publish_run

# pyspark leaves the sockets of what it collects to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

Verb = Callable[..., int]

LISTED: list[small_runs.Listing] = [
    ("z9", 1_000.0, 5, "A"),
    ("a1", 2_000.0, 5, "unseen"),
    ("m5", 1_500.0, None, "B"),
    ("b2", None, 5, None),
]


@pytest.fixture
def lake(in_the_lake: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake of a use case that no other test has."""
    for name in ("MLFLOW_TRACKING_URI", "REGATTA_MASTER"):  # set by commands while such servers are up
        monkeypatch.setenv(name, "")
    return Lake.of(small_runs.use_case(request.node.name.removeprefix("test_")[:60]))


@pytest.fixture
def file(lake: Lake, tmp_path: Path) -> Path:
    """The use case's file."""
    path = tmp_path / "houses.yaml"
    path.write_text(small_runs.yaml(lake.use_case.use_case))
    return path


@pytest.fixture
def verb(file: Path, monkeypatch: pytest.MonkeyPatch, lake_spark: SparkSession) -> Verb:
    """Calls promote or score as spark-submit does; gives back the exit code."""

    def call(job: Callable[[Job], Outcome], flags: tuple[Flag, ...], *given: str) -> int:
        monkeypatch.setattr("sys.argv", ["job.py", "--config", str(file), *given])
        with pytest.raises(SystemExit) as ended:
            run("verb", job, flags)
        return int(ended.value.code or 0)

    return call


@pytest.fixture
def promoted(verb: Verb) -> Callable[..., int]:
    return lambda *given: verb(promote.main, promote.FLAGS, *given)


@pytest.fixture
def scored(verb: Verb) -> Callable[..., int]:
    return lambda *given: verb(score.main, score.FLAGS, *given)


def enter(lake: Lake, run_id: str) -> ChampionEntry:
    """Into the log, whatever the gate says."""
    entries = lake.champions.entries()
    return lake.champions.append(after=entries, action="promote", run_id=run_id, metrics={}, reason="a test")


def text_of(command: str, file: Path, *given: str) -> str:
    return CliRunner().invoke(group.commands[command], [str(file), *given], catch_exceptions=False).stdout


# ---- promote ----


def test_the_first_run_above_the_floor_is_promoted(
    lake: Lake, lake_spark: SparkSession, promoted: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    record = publish_run(lake_spark, lake, "one")
    assert promoted() == 0
    (entry,) = lake.champions.entries()
    assert (entry.number, entry.action, entry.run_id, entry.previous) == (1, "promote", "one", None)
    assert entry.reason.startswith("first champion: rmse ")
    assert entry.metrics["rmse"] == pytest.approx(record.metrics["rmse"], rel=1e-12)
    out = capsys.readouterr().out
    assert "challenger" in out
    assert f"run one is champion 1: {entry.reason}" in out


def test_a_worse_run_is_refused_with_exit_code_3_and_nothing_is_appended(
    lake: Lake, lake_spark: SparkSession, promoted: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_run(lake_spark, lake, "good", day=1)
    enter(lake, "good")
    publish_run(lake_spark, lake, "worse", overpriced=20_000.0, day=2)
    assert promoted() == 3
    assert [entry.run_id for entry in lake.champions.entries()] == ["good"]
    told = capsys.readouterr().err
    assert "run worse: rmse 20," in told
    assert "% worse than the champion's " in told
    assert "--force REASON would overrule the gate" in told


def test_a_better_run_takes_over_and_the_newest_is_the_challenger(
    lake: Lake, lake_spark: SparkSession, promoted: Verb
) -> None:
    publish_run(lake_spark, lake, "b", overpriced=20_000.0, day=1)
    enter(lake, "b")
    publish_run(lake_spark, lake, "a", day=2)
    assert promoted() == 0
    first, second = lake.champions.entries()
    assert (second.run_id, second.previous) == ("a", first.number)
    assert "% better than the champion's " in second.reason


def test_a_run_below_the_floor_is_refused_unless_it_is_forced(
    lake: Lake, lake_spark: SparkSession, promoted: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_run(lake_spark, lake, "drifted", overpriced=500_000.0)
    assert promoted() == 3
    assert "on the holdout is below the floor of 0.7: possible drift" in capsys.readouterr().err
    assert lake.champions.reigning() is None
    assert promoted("--force", " ") == 2
    assert promoted("--force", "the market has moved") == 0
    (entry,) = lake.champions.entries()
    assert (entry.action, entry.reason) == ("force", "the market has moved")


def test_a_run_that_reigns_already_is_not_promoted_again(
    lake: Lake, lake_spark: SparkSession, promoted: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_run(lake_spark, lake, "one")
    enter(lake, "one")
    assert promoted() == 0
    assert "run one reigns already, as champion 1: nothing to do" in capsys.readouterr().out
    assert len(lake.champions.entries()) == 1


def test_without_a_run_there_is_nothing_to_promote(
    lake: Lake, lake_spark: SparkSession, promoted: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    name = lake.use_case.use_case
    assert promoted() == 2
    assert f"{name}: nothing has been trained yet\n  regatta train {name}" in capsys.readouterr().err
    publish_run(lake_spark, lake, "one")
    assert promoted("--run", "two") == 2
    assert f"{name}: there is no run two\n  the newest are one" in capsys.readouterr().err
    assert promoted("--as-of", "2015-04-30") == 2


def test_both_are_judged_on_the_rows_that_both_held_out(
    lake: Lake, lake_spark: SparkSession, promoted: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Lake(lake.store, small_runs.use_case(lake.use_case.use_case, salt="other"))
    publish_run(lake_spark, other, "champion", day=1)
    enter(lake, "champion")
    publish_run(lake_spark, lake, "challenger", day=2)
    both = houses(lake_spark).filter(held_out(lake.use_case)).filter(held_out(other.use_case)).count()
    assert 0 < both < 40
    assert promoted() == 3
    assert (
        f"too few rows that both held out to judge by: {both}, where the gate asks for 40"
        in capsys.readouterr().err
    )
    assert promoted("--force", "a new split") == 0
    assert lake.champions.entries()[-1].metrics["rows"] == both


def test_a_champion_that_cannot_read_the_rows_is_refused_by_name_of_the_column(
    lake: Lake, lake_spark: SparkSession, promoted: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    text = small_runs.yaml(lake.use_case.use_case)
    before = text.replace("size:  {type: number, unit: sqft,", "size:  {type: number, unit: m2,")
    publish_run(lake_spark, Lake(lake.store, config.parse(before, "before.yaml")), "champion", day=1)
    enter(lake, "champion")
    publish_run(lake_spark, lake, "challenger", day=2)
    assert promoted() == 3
    assert (
        "run challenger: champion 1 cannot predict the challenger's rows: size was in m2 and is in sqft"
        in capsys.readouterr().err
    )
    assert promoted("--force", "metres at last") == 0


def test_a_backfill_is_judged_by_who_reigned_then_and_leaves_todays_champion_alone(
    lake: Lake,
    lake_spark: SparkSession,
    promoted: Verb,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish_run(lake_spark, lake, "today", day=20)
    enter(lake, "today")
    publish_run(lake_spark, lake, "first", overpriced=10_000.0, day=1)
    publish_run(lake_spark, lake, "worse", overpriced=20_000.0, day=2)
    past = ("--kind", "backfill")

    assert promoted(*past) == 2
    assert "a backfill needs an instant\n  give --as-of" in capsys.readouterr().err
    assert promoted("--as-of", "2015-05-01", *past) == 0  # today's is better, and reigned later
    assert promoted("--as-of", "2015-05-01", *past) == 0
    assert "run first reigns already, as champion 2: nothing to do" in capsys.readouterr().out
    monkeypatch.setenv("REGATTA_OUTCOME", str(tmp_path / "outcome.json"))
    assert promoted("--as-of", "2015-05-02", *past) == 3
    told = Outcome.read(tmp_path / "outcome.json")
    assert told is not None
    assert told.exit_code == 3
    assert told.sentence.startswith("run worse: rmse ")
    assert "worse than the champion's" in told.sentence
    _, entry = lake.champions.entries()
    assert (entry.kind, entry.run_id, entry.effective.date()) == ("backfill", "first", date(2015, 5, 1))
    assert entry.previous is None
    reigning = lake.champions.reigning()
    assert reigning is not None
    assert reigning.run_id == "today"


def test_who_loses_the_race_is_judged_again_by_the_new_champion(lake: Lake, lake_spark: SparkSession) -> None:
    publish_run(lake_spark, lake, "good")
    publish_run(lake_spark, lake, "worse", overpriced=20_000.0)
    begin = Barrier(2)

    def challenge(run_id: str) -> bool:
        flags = argparse.Namespace(as_of=None, run=run_id, force=None, kind=None)
        begin.wait()
        try:
            promote.main(Job("promote", lake.use_case, flags))
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(("good", "worse"), pool.map(challenge, ("good", "worse")), strict=True))
    entries = lake.champions.entries()
    assert results["good"]
    assert [entry.run_id for entry in entries] == (["worse", "good"] if results["worse"] else ["good"])
    assert [entry.reason.startswith("first champion") for entry in entries] == [True, False][: len(entries)]


def test_a_copy_that_was_cut_off_is_read_through_the_attempt_and_finished(
    lake: Lake, lake_spark: SparkSession, promoted: Verb
) -> None:
    record = publish_run(lake_spark, lake, "one")
    whole = [layout.run("one") + part for part in ("model/", "holdout/", "leaderboard.json")]
    name = lake.use_case.use_case
    lost = [file.name for folder in whole for file in record.files if file.name.startswith(folder)][::2]
    lake.store.delete(f"{name}/{file}" for file in lost)

    paths = lake.runs.paths(record, whole[1])
    assert len(paths) == len([f for f in record.files if f.name.startswith(whole[1]) and "/_" not in f.name])
    assert lake_spark.read.parquet(*paths).count() == record.metrics["rows"]
    assert leaderboard(lake).run_id == "one"

    assert promoted() == 0
    assert all(lake.store.stat(f"{name}/{file}") for file in lost)


# ---- the champion log ----


def test_two_rollbacks_go_back_two(lake: Lake, file: Path) -> None:
    for run_id in ("one", "two", "three"):
        record = trainings.run(lake.use_case, run_id)
        lake.store.put_new(f"{lake.use_case.use_case}/{layout.run(run_id)}{layout.RECORD}", record.as_bytes())
        enter(lake, run_id)
    back = CliRunner().invoke(rollback, [str(file), "--reason", "odd prices"], catch_exceptions=False)
    assert back.stdout == "run two is champion 4: back to champion 2: odd prices\n"
    assert lake.champions.rollback("again").run_id == "one"
    with pytest.raises(InputError, match="champion 5 is the first one"):
        lake.champions.rollback("once more")
    assert lake.champions.rollback("after all", to=3).run_id == "three"
    assert [entry.run_id for entry in lake.champions.entries()] == [
        "one",
        "two",
        "three",
        "two",
        "one",
        "three",
    ]


def test_a_rollback_to_a_run_that_is_gone_is_refused(lake: Lake) -> None:
    enter(lake, "gone")
    enter(lake, "here")
    with pytest.raises(InputError) as error:
        lake.champions.rollback("odd prices")
    assert str(error.value) == (
        "run gone of champion 1 is no longer in the lake\n  return to another one: --to N"
    )
    assert len(lake.champions.entries()) == 2


def test_of_eight_that_append_at_once_each_number_has_one_winner_and_none_is_missing(lake: Lake) -> None:
    begin = Barrier(8)

    def append(writer: int) -> list[tuple[int, str]]:
        own: list[tuple[int, str]] = []
        begin.wait()
        while len(own) < 3:
            try:
                entry = enter(lake, f"{writer}-{len(own)}")
            except LostRace:
                continue
            own.append((entry.number, entry.run_id))
        return own

    with ThreadPoolExecutor(8) as pool:
        won = sorted(entry for own in pool.map(append, range(8)) for entry in own)
    entries = lake.champions.entries()
    assert [number for number, _ in won] == list(range(1, 25))
    assert [(entry.number, entry.run_id) for entry in entries] == won
    assert [entry.previous for entry in entries] == [None, *range(1, 24)]


# ---- score ----


@pytest.fixture
def champion(lake: Lake, lake_spark: SparkSession) -> Lake:
    """The lake, with a champion."""
    publish_run(lake_spark, lake, "one")
    enter(lake, "one")
    return lake


def deliver(
    spark: SparkSession, lake: Lake, folder: Path, delivery: str, listings: list[small_runs.Listing], day: int
) -> None:
    land_listings(lake, folder, delivery, listings, day=day)
    publish_accepted(spark, lake, delivery, listings, day=day)


def test_every_scorable_row_gets_a_prediction_and_the_others_are_counted(
    champion: Lake,
    lake_spark: SparkSession,
    tmp_path: Path,
    scored: Verb,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deliver(lake_spark, champion, tmp_path, "may", LISTED, day=4)
    assert scored("--delivery", "may") == 0
    folder = layout.batch(1, "delivery-may")
    batch = champion.batches.get(folder)
    assert batch is not None
    assert (batch.rows, batch.scored, batch.unscorable, batch.label_unit) == (4, 3, 1, "USD")
    (path,) = champion.batches.paths(batch, folder)
    rows = lake_spark.read.parquet(path).collect()
    assert set(rows[0].asDict()) == {"id", "prediction"}
    assert [row.id for row in rows] == ["a1", "b2", "z9"]
    assert rows[2].prediction == pytest.approx(125_000, rel=0.05)  # 100 x 1,000 + 5,000 x 5
    place = champion.uri(folder)
    assert f"delivery may: 3 rows scored, 1 without a prediction in {place}" in capsys.readouterr().out


def test_scoring_a_delivery_twice_writes_nothing_the_second_time(
    champion: Lake,
    lake_spark: SparkSession,
    tmp_path: Path,
    scored: Verb,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deliver(lake_spark, champion, tmp_path, "may", LISTED, day=4)
    assert scored() == 0
    before = list(champion.store.files(f"{champion.use_case.use_case}/"))
    assert scored("--delivery", "may") == 0
    assert "delivery may is already scored by champion 1: nothing to do" in capsys.readouterr().out
    assert scored() == 0
    assert "nothing to score" in capsys.readouterr().out
    assert list(champion.store.files(f"{champion.use_case.use_case}/")) == before


def test_a_new_champion_scores_the_newest_delivery_and_what_nobody_has_scored(
    champion: Lake, lake_spark: SparkSession, tmp_path: Path, scored: Verb, file: Path
) -> None:
    for day, delivery in enumerate(("april", "may"), 4):
        deliver(lake_spark, champion, tmp_path, delivery, LISTED[:2], day=day)
    assert scored() == 0
    publish_run(lake_spark, champion, "two", overpriced=10_000.0)
    enter(champion, "two")
    deliver(lake_spark, champion, tmp_path, "march", LISTED[3:], day=3)
    assert scored() == 0
    by_second = champion.batches.all("scores/champion=2/")
    assert sorted(batch.delivery for batch in by_second.values()) == ["march", "may"]

    rows = {row["id"]: row for row in json.loads(text_of("scores", file, "--json"))}
    assert {key: row["batch"] for key, row in rows.items()} == {
        "a1": "delivery-may", "z9": "delivery-may", "b2": "delivery-march"
    }  # fmt: skip
    assert {row["champion"] for row in rows.values()} == {2}
    assert len(scores(champion, head=1)) == 1
    assert "prediction (USD)" in text_of("scores", file)


def test_two_scorings_of_the_same_rows_have_the_same_content(
    champion: Lake, lake_spark: SparkSession, tmp_path: Path, scored: Verb
) -> None:
    deliver(lake_spark, champion, tmp_path, "may", LISTED, day=4)
    assert scored() == 0
    enter(champion, "one")
    assert scored() == 0
    contents = []
    for number in (1, 2):
        folder = layout.batch(number, "delivery-may")
        batch = champion.batches.get(folder)
        assert batch is not None
        (path,) = champion.batches.paths(batch, folder)
        contents.append(champion.store.get(path.removeprefix(champion.store.uri(""))))
    assert contents[0] == contents[1]


def test_a_delivery_that_cannot_be_scored_says_why(
    champion: Lake,
    lake_spark: SparkSession,
    tmp_path: Path,
    scored: Verb,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def told(delivery: str) -> str:
        assert scored("--delivery", delivery) == 2
        return capsys.readouterr().err

    name = champion.use_case.use_case
    assert (
        f"delivery may: is not in raw/{name}_listings/\n"
        f"  regatta land {name} FILE --role score --delivery may" in told("may")
    )  # fmt: skip
    land_listings(champion, tmp_path, "may", LISTED, day=4)
    assert f"delivery may: has not been ingested\n  regatta ingest {name}" in told("may")
    assert scored() == 0
    said = capsys.readouterr()
    assert "not ingested yet, and so not scored: may" in said.err
    assert "nothing to score" in said.out
    publish_accepted(lake_spark, champion, "may", LISTED, day=4, refused="its header has no size")
    assert (
        "delivery may: was refused whole when it was ingested: its header has no size\n"
        "  land a corrected one under another id, with --replaces may" in told("may")
    )
    land_listings(champion, tmp_path, "may-again", LISTED, day=5, replaces="may")
    assert "delivery may: was replaced by a later one" in told("may")


def test_a_delivery_without_a_single_accepted_row_is_scored_and_done_with(
    champion: Lake, lake_spark: SparkSession, tmp_path: Path, scored: Verb
) -> None:
    land_listings(champion, tmp_path, "may", LISTED, day=4)
    publish_accepted(lake_spark, champion, "may", [], day=4)
    assert scored() == 0
    batch = champion.batches.get(layout.batch(1, "delivery-may"))
    assert batch is not None
    assert (batch.rows, batch.scored, batch.unscorable) == (0, 0, 0)


def test_a_champion_of_the_past_scores_what_it_would_have_and_hides_no_score_that_was_made(
    champion: Lake,
    lake_spark: SparkSession,
    tmp_path: Path,
    file: Path,
    scored: Verb,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deliver(lake_spark, champion, tmp_path, "may", LISTED, day=4)
    deliver(lake_spark, champion, tmp_path, "june", [("j1", 1_100.0, 5, "A")], day=6)
    assert scored() == 0
    then = datetime(2015, 5, 3, tzinfo=UTC)
    past = champion.champions.append(
        after=champion.champions.entries(),
        action="promote",
        run_id="one",
        metrics={},
        reason="",
        backfill=then,
    )
    assert champion.champions.reigned(datetime(2015, 5, 5, tzinfo=UTC)) == past
    assert champion.champions.reigned(datetime(2015, 5, 2, tzinfo=UTC)) is None

    monkeypatch.setenv("REGATTA_OUTCOME", str(tmp_path / "outcome.json"))
    for batches in (("delivery-may",), ()):  # the second time there is nothing to do
        assert scored("--champion", "2", "--as-of", "2015-05-05") == 0
        assert Outcome.read(tmp_path / "outcome.json") == Outcome(champion=2, batches=batches)
    assert champion.batches.get(layout.batch(2, "delivery-may")) is not None
    assert {row["champion"] for row in scores(champion)} == {1}
    deliver(lake_spark, champion, tmp_path, "july", [("k1", 1_100.0, 5, "A")], day=8)
    assert scored("--champion", "2") == 0
    assert scored() == 0  # what a champion of the past has scored is as new to the one in service
    assert champion.batches.get(layout.batch(1, "delivery-july")) is not None
    assert scored("--champion", "3") == 2
    assert "champion 2 of" in text_of("champion", file, "--as-of", "2015-05-05")
    assert "champion 1 of" in text_of("champion", file)


def test_a_champion_that_knows_another_contract_does_not_predict(
    champion: Lake, lake_spark: SparkSession, tmp_path: Path, file: Path, scored: Verb,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    text = file.read_text().replace("zip:   {type: string,", "zip:   {type: integer,")
    file.write_text(text)
    now = Lake(champion.store, config.parse(text, "houses.yaml"))
    deliver(lake_spark, now, tmp_path, "may", LISTED[:1], day=4)
    assert scored() == 2
    assert (
        "champion 1: it cannot read rows of the present contract: zip was a string and is a integer"
        in capsys.readouterr().err
    )


# ---- an empty lake, and the readers ----


def test_an_empty_lake_says_what_to_do_first(
    lake: Lake, file: Path, scored: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    name = lake.use_case.use_case
    no_champion = f"{name}: there is no champion yet\n  regatta train {name}, then regatta promote {name}"
    assert scored() == 2
    assert no_champion in capsys.readouterr().err
    ways_out = {
        "leaderboard": f"{name}: nothing has been trained yet\n  regatta train {name}",
        "runs": f"{name}: nothing has been trained yet\n  regatta train {name}",
        "history": no_champion,
        "scores": f"{name}: nothing has been scored yet\n  regatta score {name}",
    }
    for command, said in ways_out.items():
        with pytest.raises(InputError) as told:
            text_of(command, file)
        assert str(told.value) == said


def test_readers_show_to_people_what_they_give_to_programs(
    champion: Lake, lake_spark: SparkSession, file: Path
) -> None:
    record = publish_run(lake_spark, champion, "two", overpriced=10_000.0, day=2)
    found = json.loads(text_of("runs", file, "--json"))
    assert [(run["run_id"], run["reigns"]) for run in found] == [("two", False), ("one", True)]
    assert found[0]["metrics"] == record.metrics
    assert found[0]["as_of"] == "2015-05-02T00:00:00Z"
    (entry,) = json.loads(text_of("history", file, "--json"))
    assert (entry["number"], entry["run_id"], entry["action"]) == (1, "one", "promote")
    board = json.loads(text_of("leaderboard", file, "--json", "--run", "one"))
    assert (board["run_id"], board["unit"], len(board["standings"])) == ("one", "USD", 1)
    assert "holdout rmse (USD)" in text_of("runs", file)
    assert "a test" in text_of("history", file)
    assert "linear_regression regParam=0.0" in text_of("leaderboard", file)


def test_a_report_has_the_figures_of_a_training_or_the_rows_of_batches(
    champion: Lake, lake_spark: SparkSession, file: Path, tmp_path: Path, scored: Verb
) -> None:
    deliver(lake_spark, champion, tmp_path, "may", LISTED, day=4)
    land_listings(champion, tmp_path, "june", LISTED, day=5)
    publish_accepted(lake_spark, champion, "june", LISTED, day=5, refused="its header has no size")
    assert scored("--delivery", "may") == 0

    assert "linear_regression regParam=0.0" in text_of("summary", file, "--run", "one")
    batch, deliveries = json.loads(text_of("summary", file, "--batch", "delivery-may", "--json"))
    assert batch["headings"] == ["batch", "champion", "rows", "scored", "without a prediction"]
    assert batch["rows"] == [["delivery-may", "1", "4", "3", "1"]]
    assert batch["figures"] == [False, True, True, True, True]
    assert [row[:1] + row[2:] for row in deliveries["rows"]] == [
        ["june", "4", "0", "all", "its header has no size"],
        ["may", "4", "4", "0", ""],
        ["all", "4", "4", "0", "1 refused whole"],
    ]
    nobody = CliRunner().invoke(group.commands["champion"], [str(file), "--as-of", "2015-05-01", "--json"])
    assert nobody.stdout == "null\n"


# ---- two of the same at once ----


def test_a_job_that_is_overtaken_amid_its_commit_looks_again_and_leaves_nothing_pending(
    lake: Lake, lake_spark: SparkSession, verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_run(lake_spark, lake, "earlier")  # what another needs seconds for
    slow, begun = lake.attempt(), []

    def write(job: Job) -> Outcome:
        begun.append(job)
        if len(begun) == 1:
            # One part is sent at once, the other a while later: what another job does falls between the two.
            waits = "if(id = 1, java_method('java.lang.Thread', 'sleep', 5000L), '') AS waited"
            lake_spark.range(0, 2, 1, 2).selectExpr("id", waits).write.parquet(slow.uri(layout.run("one")))
        return Outcome()

    def overtake() -> None:
        deadline = time.monotonic() + 60
        while not lake.store.uploads(lake.use_case.use_case) and time.monotonic() < deadline:
            time.sleep(0.05)
        abort_superseded(lake)  # of what nobody has published, nothing goes
        assert lake.store.uploads(lake.use_case.use_case)
        publish_run(lake_spark, lake, "one")
        abort_superseded(lake)

    with ThreadPoolExecutor(1) as pool:
        overtaking = pool.submit(overtake)
        assert verb(write, ()) == 0
        overtaking.result()

    assert len(begun) == 2
    assert "another job has published the same meanwhile: looking again" in capsys.readouterr().err
    assert lake.store.uploads("") == []
