"""What people get wrong in a use-case file: every fault with its line and a way out, all of a file at once."""

from __future__ import annotations

import re

import pytest

from regatta.config import parse
from regatta.errors import FaultyInput
from tea import SMALL

TEN_THOUSAND = "  gbt: {maxIter: {0}, stepSize: {1}}".replace("{0}", str([*range(1, 101)])).replace(
    "{1}", str([number / 100 for number in range(1, 101)])
)

CHANGES: list[tuple[str, str, list[str]]] = [
    # unknown keys, at every level
    ('use_case:', 'usecase:', ['tea.yaml:1: usecase: no such key\n  did you mean use_case?']),
    ('', 'fature: {}', ['tea.yaml:11: fature: no such key\n  did you mean features?']),
    ('role: train', 'rol: train', ['tea.yaml:3: sources.sales.rol: no such key\n  did you mean role?']),
    ('role: train', "role: train, csv: {seperator: ';'}", ['tea.yaml:3: sources.sales.csv.seperator: no such key\n  did you mean separator?']),
    ('string, role: key', 'string, role: key, uniqe: true', ['tea.yaml:5: columns.id.uniqe: no such key\n  did you mean unique?']),
    ('', 'rules: [{name: a, sql: area > 1, levl: warn}]', ['tea.yaml:11: rules.0.levl: no such key\n  did you mean level?']),
    ('', 'outliers: {columns: [area], facter: 2}', ['tea.yaml:11: outliers.facter: no such key\n  did you mean factor?']),
    ('', 'features: {double: {sql: area * 2, typ: number}}', ['tea.yaml:11: features.double.typ: no such key\n  did you mean type?']),
    ('', 'split: {fold: 3}', ['tea.yaml:11: split.fold: no such key\n  did you mean folds?']),
    ('', 'baselines: {median: town}', ['tea.yaml:11: baselines.median: no such key\n  did you mean median_by?']),
    ('', 'gate: {flor: {r2: 0.5}}', ['tea.yaml:11: gate.flor: no such key\n  did you mean floor?']),
    ('', "schedule: {train: '@daily'}", ['tea.yaml:11: schedule.train: no such key\n  did you mean retrain?']),
    ('', "schedule: {retrain: '@weakly'}", ["tea.yaml:11: schedule.retrain: '@weakly' is no name of a schedule\n  did you mean @weekly?"]),
    ('', "schedule: {retrain: '0 24 * * mon'}", ["tea.yaml:11: schedule.retrain: '24' is no hour of a cron expression\n  from 0 to 23, *, a-b or */n"]),
    ('', "schedule: {score: '0 4 * *'}", ["tea.yaml:11: schedule.score: '0 4 * *' has 4 fields, and a cron expression has five\n  minute, hour, day of the month, month, day of the week: \"0 4 * * 1\" is Mondays at 4"]),
    # wrong types and values
    ('use_case: tea', 'use_case: Tea House', ["tea.yaml:1: use_case: 'Tea House' cannot be a name here\n  use small letters, digits and underscores, a letter first"]),
    ('use_case: tea', 'use_case: 7', ['tea.yaml:1: use_case: must be a text, and not 7\n  write it in quotes: "7"']),
    ('role: train', 'role: trian', ["tea.yaml:3: sources.sales.role: 'trian' is not one of train or score\n  did you mean train?"]),
    ('role: train}', "role: train, csv: {separator: ';;'}}", ['tea.yaml:3: sources.sales.csv.separator: must be exactly one character, and not \';;\'\n  a tab is "\\t"']),
    ('role: train}', 'role: train, csv: {encoding: utf-16}}', ["tea.yaml:3: sources.sales.csv.encoding: 'utf-16' is not one of utf-8, latin-1, windows-1252, iso-8859-2, iso-8859-15, windows-1250 or windows-1251\n  did you mean utf-8?"]),
    ('role: train}', 'role: train, csv: {missing: NA}}', ["tea.yaml:3: sources.sales.csv.missing: must be a list, and not 'NA'\n  write [NA]"]),
    ('role: train}', 'role: train, csv: {missing: [-999]}}', ['tea.yaml:3: sources.sales.csv.missing.0: must be a text, and not -999\n  write it in quotes: "-999"']),
    ('role: train}', "role: train, csv: {decimal: ';'}}", ["tea.yaml:3: sources.sales.csv.decimal: ';' is not one of . or ,\n  decimal: The character before the fraction of a number."]),
    ('role: train}', 'role: train, format: xlsx}', ["tea.yaml:3: sources.sales.format: 'xlsx' is not one of csv or parquet\n  format: What its files are."]),
    ('number, role: feature', 'numbr, role: feature', ["tea.yaml:6: columns.area.type: 'numbr' is not one of string, integer, number, boolean, date or timestamp\n  did you mean number?"]),
    ('number, role: feature', 'number, role: featur', ["tea.yaml:6: columns.area.role: 'featur' is not one of key, time, label, feature, category or info\n  did you mean feature?"]),
    ('number, role: feature', 'number, role: feature, required: maybe', ["tea.yaml:6: columns.area.required: must be true or false, and not 'maybe'\n  write true or false"]),
    ('number, role: feature', 'number, role: feature, min: zero', ["tea.yaml:6: columns.area.min: 'zero' is not a number\n  write a number without quotes"]),
    ('number, role: feature', 'number, role: feature, max_length: -1', ['tea.yaml:6: columns.area.max_length: should be greater than 0, and not -1\n  max_length: How many characters a string may have.']),
    ('town: {type: string, role: category}', 'town: string', ["tea.yaml:7: columns.town: must hold keys and values, and not 'string'\n  indent them below it, or write {key: value}"]),
    ('columns:', 'columns: [id, area]\nothers:', ["tea.yaml:4: columns: must hold keys and values, and not ['id', 'area']\n  indent them below it, or write {key: value}", 'tea.yaml:5: others: no such key\n  did you mean outliers?']),
    ('', 'seed: many', ["tea.yaml:11: seed: must be a whole number, and not 'many'\n  write digits alone, such as 3"]),
    ('', 'seed: 4.5', ['tea.yaml:11: seed: must be a whole number, and not 4.5\n  write digits alone, such as 3']),
    ('', 'split: {folds: -3}', ['tea.yaml:11: split.folds: should be greater than or equal to 2, and not -3\n  folds: How many times each candidate is trained.']),
    ('', "split: {folds: '3'}", ["tea.yaml:11: split.folds: must be a whole number, and not '3'\n  write it without quotes: 3"]),
    ('', 'split: {holdout: 2}', ['tea.yaml:11: split.holdout: should be less than 1, and not 2\n  holdout: The share of groups that is held out.']),
    ('', 'max_rejected: 50', ['tea.yaml:11: max_rejected: should be less than or equal to 1, and not 50\n  max_rejected: The share of rejected rows above which a delivery is refused whole.']),
    ('', 'metric: rsme', ["tea.yaml:11: metric: 'rsme' is not one of rmse, mse, mae, mape, r2, wape, smape or mase\n  did you mean rmse?"]),
    ('', 'scaling: min-max', ["tea.yaml:11: scaling: 'min-max' is not one of minmax, standard or none\n  did you mean minmax?"]),
    ('', 'gate: {floor: {r3: 0.5}}', ['tea.yaml:11: gate.floor.r3: is not one of the names known here\n  known are rmse, mse, mae, mape, r2, wape, smape or mase']),
    ('', 'gate: {improvement: -0.1}', ["tea.yaml:11: gate.improvement: should be greater than or equal to 0, and not -0.1\n  improvement: By which share of the champion's metric the challenger must be better."]),
    ('', 'rules: area > 1', ["tea.yaml:11: rules: must be a list, and not 'area > 1'\n  write [area > 1]"]),
    ('', 'rules: [{name: a}]', ['tea.yaml:11: rules.0.sql: must be given\n  sql: What a row must meet.']),
    ('', 'outliers: {columns: []}', ['tea.yaml:11: outliers.columns: must not be an empty list\n  columns: Numeric columns.']),
    ('', 'features: [area * 2]', ["tea.yaml:11: features: must hold keys and values, and not ['area * 2']\n  indent them below it, or write {key: value}"]),
    ('', 'features: {bands: {sql: area, buckets: 1}}', ['tea.yaml:11: features.bands.buckets: should be greater than or equal to 2, and not 1\n  buckets: The number becomes a category: which of so many buckets, equally full in the training part, it is in.']),
    # what must be there
    ('sources:\n  sales: {role: train}\n', '', ['tea.yaml:1: sources: must be given\n  sources: Folders under raw/ in the lake, and how their files are written.']),
    ('role: train', 'role: score', ['tea.yaml:2: sources: exactly one must have the role train\n  a use case learns from one source (role: train) and scores at most one (role: score)']),
    ('number, role: label', 'number, role: info', ['tea.yaml:4: columns: exactly one column must have the role label, and here it is none\n  it is the column to predict: {role: label}']),
    ('number, role: feature', 'number, role: label', ['tea.yaml:4: columns: exactly one column must have the role label, and here it is area, price\n  it is the column to predict: {role: label}']),
    ('  linear_regression: {regParam: [0.1, 1.0]}', '  {}', ['tea.yaml:9: candidates: no family is in the race\n  name at least one, such as linear_regression']),
    # parts that contradict each other
    ('number, role: label}', 'number, role: [label, feature]}', ['tea.yaml:8: columns.price.role: the label cannot also be feature\n  it is what is to be predicted: role: label']),
    ('number, role: feature', 'string, role: feature', ['tea.yaml:6: columns.area.type: a string cannot be a feature\n  use role category, or a feature computed from it']),
    ('number, role: feature', 'number, role: [feature, category]', ['tea.yaml:6: columns.area.role: a column is a feature (a number) or a category, not both\n  choose one; a feature of type: category can be computed from the other']),
    ('number, role: feature', 'number, role: feature, min: 5, max: 2', ['tea.yaml:6: columns.area: no value is both at least 5 and at most 2\n  are the two bounds exchanged?']),
    ('number, role: feature', "number, role: feature, pattern: '[0-9]+'", ['tea.yaml:6: columns.area.pattern: a number has no pattern\n  it belongs to strings']),
    ('string, role: category', 'string, role: category, above: 0', ['tea.yaml:7: columns.town.above: a string has no above\n  it belongs to numbers and dates; a string has pattern, max_length and allowed']),
    ('string, role: category', 'string, role: category, nulls: median', ['tea.yaml:7: columns.town.nulls: a string has no median\n  use most_frequent or constant']),
    ('string, role: category', 'string, role: category, nulls: constant', ['tea.yaml:7: columns.town.fill: fill and nulls: constant go together\n  give both or neither']),
    ('string, role: category', 'string, role: category, allowed: [1, 2]', ['tea.yaml:7: columns.town.allowed: 1 is not a string\n  write it in quotes: "1"', 'tea.yaml:7: columns.town.allowed: 2 is not a string\n  write it in quotes: "2"']),
    ('number, role: feature', 'number, role: feature, allowed: [one]', ["tea.yaml:6: columns.area.allowed: 'one' is not a number\n  a column of names is type: string"]),
    ('number, role: feature', 'number, role: feature, format: yyyy', ['tea.yaml:6: columns.area.format: a number has no format\n  it belongs to dates and timestamps']),
    ('  price:', '  sold: {type: date, format: dd/mm/aaaa}\n  price:', ['tea.yaml:8: columns.sold.format: dd/mm/aaaa: is not a pattern as Spark reads it (y year, M month, d day, m minute)\n  write dd/MM/yyyy']),
    ('  price:', "  sold: {type: date, format: '%d/%m/%Y'}\n  price:", ["tea.yaml:8: columns.sold.format: %d/%m/%Y: is Python's way to write a pattern, and Spark's is another\n  write dd/MM/yyyy"]),
    ('  price:', '  sold: {type: date, min: yesterday}\n  price:', ["tea.yaml:8: columns.sold.min: 'yesterday' is no day or moment\n  write it like 2015-01-31"]),
    ('  town:', '  Row:', ["tea.yaml:7: columns.Row: regatta has a column of this name of its own\n  choose another, and map the file's to it under csv.header"]),
    ('  town:', '  AREA:', ['tea.yaml:7: columns.AREA: differs from area in capitals alone, which Spark does not tell apart\n  rename one of the two']),
    ('  town:', '  _town:', ["tea.yaml:7: columns._town: names that begin with an underscore are kept for regatta's own columns\n  choose another, and map the file's name to it under csv.header"]),
    ('  town:', '  to.wn:', ["tea.yaml:7: columns.to.wn: a column name may not be blank nor hold a dot, a backtick, a tab or a line break\n  choose another, and map the file's name to it under csv.header"]),
    ('role: train}', 'role: train, csv: {header: {Town: twon}}}', ['tea.yaml:3: sources.sales.csv.header.Town: there is no column twon\n  did you mean town?']),
    ('role: train}', 'role: train, csv: {separator: \'"\'}}', ['tea.yaml:3: sources.sales.csv: separator, quote, comment, decimal and thousands must all differ\n  set those that the file has otherwise']),
    ('role: train}', 'role: train, csv: {names: [id, area, price]}}', ['tea.yaml:3: sources.sales.csv.names: column town is not among them\n  known are id, area, price']),
    ('role: train}', "role: train, format: parquet, csv: {separator: ';'}}", ['tea.yaml:3: sources.sales.csv.separator: a parquet file has no separator\n  only header, ignore and missing matter']),
    ('', 'outliers: {columns: [town]}', ['tea.yaml:11: outliers.columns: town is a string, not a number\n  name numeric columns alone']),
    ('', 'outliers: {columns: [prise]}', ['tea.yaml:11: outliers.columns: there is no column prise\n  did you mean price?']),
    ('', 'split: {group: price}', ['tea.yaml:11: split.group: the label may not decide where a row stands\n  group by what rows share, such as a house or a shop']),
    ('', 'split: {holdout_from: 2015-01-01}', ['tea.yaml:11: split.holdout_from: no column says when\n  give one the role time']),
    ('', 'baselines: {median_by: twon}', ['tea.yaml:11: baselines.median_by: there is no column twon\n  did you mean town?']),
    ('', 'baselines: {median_by: price}', ['tea.yaml:11: baselines.median_by: a baseline may not read the label of the row it predicts\n  name a category']),
    # expressions
    ('', 'features: {ratio: are * 2}', ['tea.yaml:11: features.ratio: no such column: are\n  did you mean area?']),
    ('', 'features: {cheat: price / 2}', ['tea.yaml:11: features.cheat: reads the label price\n  it is what is to be predicted: rows to be scored do not have it']),
    ('', 'features: {area: area * 2}', ['tea.yaml:11: features.area: a column has this name already\n  give the feature a name of its own']),
    ('', 'features: {ratio: 1 / area}', ['tea.yaml:11: features.ratio: divides by area, and one row where that is 0 would end every job that uses the model\n  write try_divide(..., area) or ... / nullif(area, 0)']),
    ('', 'features: {size: cast(town as double)}', ['tea.yaml:11: features.size: casts town to double, and one text that is none would end every job that uses the model\n  write try_cast(town as double)']),
    ('', 'features: {size: town * 2}', ['tea.yaml:11: features.size: calculates with town, which is a string\n  write try_cast(town as double), or give the column type: number']),
    ('', 'features: {ratio: area *}', ['tea.yaml:11: features.ratio: is not an expression of Spark SQL: something is wrong near *\n  docs/use-case.md says under Expressions what may stand in one']),
    ('', 'features: {day: now()}', ['tea.yaml:11: features.day: now gives another answer on another run\n  docs/use-case.md says under Expressions what may stand in one']),
    ('', 'features: {total: sum(area)}', ['tea.yaml:11: features.total: sum is about many rows, and this expression about one\n  docs/use-case.md says under Expressions what may stand in one']),
    ('', 'features: {hack: "java_method(\'java.lang.System\', \'exit\', \'1\')"}', ["tea.yaml:11: features.hack: java_method runs code that is not Spark's\n  docs/use-case.md says under Expressions what may stand in one"]),
    ('', 'features: {other: (select 1)}', ['tea.yaml:11: features.other: select asks for a query, and an expression is about one row\n  docs/use-case.md says under Expressions what may stand in one']),
    ('', 'features: {bands: {sql: area, type: category, buckets: 4}}', ['tea.yaml:11: features.bands.buckets: buckets are made of numbers\n  leave type out']),
    ('', 'rules: [{name: a, sql: area ~ 1}]', ['tea.yaml:11: rules.0.sql: ~ is no operator here\n  docs/use-case.md says under Expressions what may stand in one']),
    ('', 'filters: [pric > 10]', ['tea.yaml:11: filters.0: no such column: pric\n  did you mean price?']),
    ('number, role: feature', 'number, role: feature, sql: "price / 2"', ['tea.yaml:6: columns.area.sql: makes an input of the label, or the label of inputs\n  the label is made of its own text alone, and nothing else reads that']),
    ('role: label', 'role: label, sql: "area * 2"', ['tea.yaml:8: columns.price.sql: makes an input of the label, or the label of inputs\n  the label is made of its own text alone, and nothing else reads that']),
    ('number, role: feature', 'number, role: feature, sql: "arae / 2"', ['tea.yaml:6: columns.area.sql: no such column: arae\n  did you mean area?']),
    ('number, role: feature}', 'number, role: feature, sql: id}\n  size: {sql: area}', ['tea.yaml:7: columns.size.sql: reads area, which no file has\n  read what columns.area.sql reads']),
    ('role: train}\ncolumns:\n  id: {type: string, role: key}\n  area: {', 'role: train, csv: {header: {Area: area}}}\ncolumns:\n  id: {type: string, role: key}\n  area: {sql: id, ', ['tea.yaml:3: sources.sales.csv.header.Area: area is computed of other columns, and no file has it\n  let columns.area.sql read area, or put Area under ignore']),
    # candidates
    ('linear_regression:', 'lightgbm:', ['tea.yaml:10: candidates.lightgbm: is not one of the names known here\n  known are random_forest, gbt or linear_regression']),
    ('regParam: [0.1, 1.0]', 'regParm: 0.1', ["tea.yaml:10: candidates.linear_regression.regParm: MLlib's LinearRegression has no such parameter\n  did you mean regParam?"]),
    ('regParam: [0.1, 1.0]', 'regParam: -1', ['tea.yaml:10: candidates.linear_regression.regParam: must be at least 0, and not -1\n  regParam: Weight of the penalty.']),
    ('regParam: [0.1, 1.0]', "regParam: '0.1'", ["tea.yaml:10: candidates.linear_regression.regParam: must be a number, and not '0.1'\n  regParam: Weight of the penalty."]),
    ('regParam: [0.1, 1.0]', 'regParam: []', ['tea.yaml:10: candidates.linear_regression.regParam: an empty list leaves nothing to try\n  write a value, or leave the parameter out']),
    ('regParam: [0.1, 1.0]', 'regParam: [0.1, 0.1]', ['tea.yaml:10: candidates.linear_regression.regParam: a value stands twice in the list\n  name each value once']),
    ('regParam: [0.1, 1.0]', 'seed: 3', ["tea.yaml:10: candidates.linear_regression.seed: MLlib's LinearRegression has no such parameter\n  it has maxIter, regParam, elasticNetParam, tol, fitIntercept, standardization, solver, loss, epsilon, aggregationDepth, maxBlockSizeInMB"]),
    ('regParam: [0.1, 1.0]', 'encoding: onehot', ["tea.yaml:10: candidates.linear_regression.encoding: 'onehot' is not one of index, one_hot or target\n  did you mean one_hot?"]),
    ('  linear_regression: {regParam: [0.1, 1.0]}', TEN_THOUSAND, ['tea.yaml:9: candidates: 10,000 candidates in 3 folds are 30,000 fits: 8.3 hours at 1 second each, and more on a large table\n  shorten a list, or confirm it with max_candidates: 10000']),
    # what is not YAML
    ('', 'use_case: coffee', ['tea.yaml:11: found duplicate key "use_case" with value "coffee" (original value: "tea")\n  a key may stand once; remove or rename one of the two']),
    ('', 'split:\n\tfolds: 3', ["tea.yaml:12: found character '\\t' that cannot start any token\n  indent with blanks, not with tabs"]),
    ('', 'gate: {floor: {r2: 0.5}', ["tea.yaml:12: expected ',' or '}', but got '<stream end>'\n  close the bracket, or put signs such as - ? : into quotes"]),
    ('', 'title: Tea: green', ['tea.yaml:11: mapping values are not allowed here\n  is a key indented too far, or a text with a colon not in quotes?']),
    ('', 'title: "Tea', ['tea.yaml:12: found unexpected end of stream\n  close the quote']),
    ('', 'features: &it {a: *it}', ['tea.yaml:11: an alias stands for something that it is a part of\n  write the values out in its place']),
    ('', 'title: *name', ["tea.yaml:11: found undefined alias 'name'\n  an alias *name needs an anchor &name above it"]),
    ('', '  title: Tea', ["tea.yaml:9: candidates: must hold keys and values, and not 'Tea'\n  indent them below it, or write {key: value}", 'tea.yaml:11: candidates.title: is not one of the names known here\n  known are random_forest, gbt or linear_regression']),
]  # fmt: skip
"""What is changed in the small file (nothing: a line is added at its end), to what, and all that is then said."""


def changed(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new, 1) if old else f"{SMALL}{new}\n"


@pytest.mark.parametrize(("old", "new", "faults"), CHANGES, ids=[f"{new[:40]}" for _, new, _ in CHANGES])
def test_a_fault_is_a_line_a_fact_and_a_way_out(old: str, new: str, faults: list[str]) -> None:
    with pytest.raises(FaultyInput) as raised:
        parse(changed(old, new), "tea.yaml")
    assert [str(fault) for fault in raised.value.faults] == faults
    for fault in faults:
        assert re.match(r"tea\.yaml:[0-9]+: .+\n  .+", fault)


def test_the_small_file_itself_has_none() -> None:
    assert parse(SMALL, "tea.yaml").use_case == "tea"


def test_there_are_sixty_and_more() -> None:
    assert len(CHANGES) > 60
