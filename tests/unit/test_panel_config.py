"""Faults of a panel in a use-case file: what would read the future or contradict itself is refused with a reason."""

from __future__ import annotations

import pytest

from regatta.config import UseCase, parse
from regatta.errors import FaultyInput

SMALL = """\
use_case: tea
sources:
  till: {role: train}
columns:
  tea: {type: string, role: info, required: true}
  day: {type: date, role: time}
  cups: {type: number, role: info}
panel:
  entity: tea
  values: {sold: {sql: sum(cups), unit: cups}}
  label: sold
  features:
    today: {lag: 0}
candidates:
  linear_regression: {regParam: 0.1}
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(FaultyInput) as raised:
        parse(text, "tea.yaml")
    return [str(fault) for fault in raised.value.faults]


def test_models_see_a_panels_rows_as_a_table():
    modelled = parse(SMALL.replace("label: sold", "label: sold\n  horizon: 3"), "tea.yaml").modelled

    assert modelled.key == ("tea", "period", "step")
    assert modelled.time == "period"
    assert modelled.label == "sold"
    assert modelled.columns["sold"].unit == "cups"
    assert modelled.numbers == ("step", "today")
    assert modelled.baselines.columns == (
        "last value", "same weekday last week", "moving average 30", "same period last year",
    )  # fmt: skip
    assert modelled.modelled is modelled


def test_a_training_that_was_recorded_reads_back_as_the_same_panel():
    use_case = parse(SMALL, "tea.yaml")

    assert UseCase.model_validate_json(use_case.model_dump_json()) == use_case


def test_the_contract_of_lines_does_not_depend_on_the_features_of_their_panel():
    contract = parse(SMALL, "tea.yaml").contract

    assert parse(SMALL.replace("{lag: 0}", "{mean: 7}"), "tea.yaml").contract == contract


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{lag: 0}", "{lead: 1}", "tea.yaml:13: panel.features.today: lead reads the future: a row may read its own period and those before it; what is known in advance stands under panel.known"),
        ("{lag: 0}", "{lag: -1}", "tea.yaml:13: panel.features.today: lag: -1 reads the future: a row may read its own period and those before it"),
        ("{lag: 0}", "{seasonal: -1}", "tea.yaml:13: panel.features.today: seasonal: -1 reads the future: a row may read its own period and those before it"),
        ("{lag: 0}", "{mean: 0}", "tea.yaml:13: panel.features.today.mean: should be greater than or equal to 1, and not 0"),
        ("{lag: 0}", "{lag: 1, mean: 2}", "tea.yaml:13: panel.features.today: has lag and mean: give exactly one of lag, mean, median, deviation, minimum, maximum, trend, seasonal, seasonal_mean, since, calendar, known"),
        ("{lag: 0}", "{maen: 7}", "tea.yaml:13: panel.features.today.maen: no such key\n  did you mean mean?"),
        ("{lag: 0}", "{lag: 1, of: cup}", "tea.yaml:13: panel.features.today: there is no value cup\n  known are sold"),
        ("{lag: 0}", "{known: price}", "tea.yaml:13: panel.features.today: there is no value price"),
        ("{lag: 0}", "{calendar: holiday}", "tea.yaml:13: panel.features.today: of which country?\n  give panel.holidays.country"),
        ("{lag: 0}", "{lag: 1, season: 7}", "tea.yaml:13: panel.features.today: season belongs to seasonal and seasonal_mean, not to lag"),
        ("label: sold", "label: soled", "tea.yaml:11: panel.label: there is no value soled\n  did you mean sold?"),
        ("label: sold", "label: sold\n  horizon: 11", "tea.yaml:12: panel.horizon: step 11 never falls into a window of 10 periods, so nothing would judge it\n  make panel.window at least 11, or the horizon shorter"),
        ("label: sold", "label: sold\n  closed: {weekdays: [satursday]}", "tea.yaml:12: panel.closed.weekdays.0: 'satursday' is not one of monday, tuesday, wednesday, thursday, friday, saturday or sunday\n  did you mean saturday?"),
        ("label: sold", "label: sold\n  closed: {holidays: true}", "tea.yaml:12: panel.closed.holidays: of which country?\n  give panel.holidays.country"),
        ("label: sold", "label: sold\n  closed: {dates: [2011-01-03/2010-12-24]}", "tea.yaml:12: panel.closed: 2011-01-03/2010-12-24 ends before it begins"),
        ("label: sold", "label: sold\n  frequency: week\n  closed: {weekdays: [sunday]}", "tea.yaml:13: panel.closed: only days can be closed, and a period is a week"),
        ("label: sold", "label: sold\n  holidays: {country: XX}", "tea.yaml:12: panel.holidays.country: the holidays package knows no country XX\n  it takes codes of two letters, such as GB"),
        ("label: sold", "label: sold\n  time_zone: Europe/Lundon", "tea.yaml:12: panel.time_zone: no zone has the name Europe/Lundon\n  did you mean Europe/London?"),
        ("label: sold", "label: sold\n  known: {price: max(cups)}", "tea.yaml:12: panel.known: nothing delivers what is known of periods to come\n  add a source with the role score, for lines with their entity, time and these columns"),
        ("label: sold", "label: sold\n  known: {too_late: avg(cups)}", "tea.yaml:12: panel.known.too_late: reads all that sold is made of, which nobody knows before the period is over\n  name what is decided in advance, such as a price or an offer"),
        ("label: sold", "label: sold\n  known: {visits: count(*)}", "tea.yaml:12: panel.known.visits: counts lines, which nobody knows before the period is over"),
        ("sum(cups)", "cups", "tea.yaml:10: panel.values.sold: cups is of one line, and a period has many\n  write sum(...), count(*), max(...) or another aggregate"),
        ("sum(cups)", "sum(cups) / count(cups)", "tea.yaml:10: panel.values.sold: divides by COUNT(cups), and one row where that is 0 would end every job that uses the model\n  write try_divide(..., COUNT(cups)) or ... / nullif(COUNT(cups), 0)"),
        ("sum(cups)", "sum(cubs)", "tea.yaml:10: panel.values.sold: no such column: cubs\n  did you mean cups?"),
        ("entity: tea", "entity: [tea, shop]", "tea.yaml:9: panel.entity: there is no column shop\n  known are tea, day, cups"),
        (", required: true", "", "tea.yaml:5: columns.tea.required: a line without its entity belongs nowhere, and this column may be empty\n  add required: true, so that such lines are rejected and counted"),
        ("role: time", "role: info", "tea.yaml:8: panel: no column says when a line was\n  give the role time to a date or timestamp"),
        ("cups: {type: number, role: info}", "cups: {type: number, role: feature}", "tea.yaml:7: columns.cups.role: a line of a panel has no feature\n  models see periods: the label is panel.label, and inputs stand under panel.features"),
        ("today:", "Period:", "tea.yaml:13: panel.features.Period: a column of this name is regatta's own\n  choose another"),
        ("today:", "sold:", "tea.yaml:13: panel.features.sold: a column of this name is under panel.values\n  choose another"),
        ("candidates:", "split: {holdout: 0.2}\ncandidates:", "tea.yaml:14: split.holdout: is about tables: a panel is split along the calendar\n  the holdout is the last panel.window periods; split.folds and split.partitions hold for panels too"),
        ("candidates:", "label_minus: todai\ncandidates:", "tea.yaml:14: label_minus: there is no column todai\n  did you mean today?"),
        ("candidates:", "label_minus: sold\ncandidates:", "tea.yaml:14: label_minus: a prediction may not read the label of the row it is about"),
        ("candidates:", "features: {ratio: toady / 2}\ncandidates:", "tea.yaml:14: features.ratio: no such column: toady\n  did you mean today?"),
        ("candidates:", "features: {cheat: sold / 2}\ncandidates:", "tea.yaml:14: features.cheat: reads the label"),
    ],
)  # fmt: skip
def test_a_fault_of_a_panel_is_a_place_a_fact_and_a_way_out(old: str, new: str, fault: str):
    assert old in SMALL
    found = faults_of(SMALL.replace(old, new, 1))

    assert any(one.startswith(fault) for one in found), found
