"""`regatta init`: what is made of tables of which nothing is known."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regatta.cli import proposing
from regatta.config import UseCase, load, parse
from regatta.errors import InputError
from regatta.proposal.columns import clean_names
from regatta.proposal.proposal import Proposal, propose

RANDOM = np.random.default_rng(7)


def proposed(path: Path, content: str | bytes, label: str | None = None) -> tuple[UseCase, Proposal]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = propose("trial", path, label)
    return parse(found.text, "trial.yaml"), found


def brazilian(rows: int = 200) -> str:
    lines = ["Código;Preço (R$);Área Útil;Quartos;Bairro;CEP;Vendido em;Condomínio"]
    for row in range(rows):
        area = RANDOM.uniform(30, 4000)
        price = f"{area * 1000:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
        size = f"{area:.1f}".replace(".", ",")
        rooms = "-" if row % 10 == 0 else row % 5
        town = ("Sé", "Água Branca", "Móoca")[row % 3]
        day = f"{1 + row % 28:02}/{1 + row % 12:02}/2015"
        fee = f"R$ {row % 7 + 1}.{row % 900 + 100:03},50"
        lines.append(f"{row};{price};{size};{rooms};{town};0{1000 + row % 40}000;{day};{fee}")
    return "\r\n".join(lines)


def test_a_brazilian_file_is_read_with_its_own_signs(tmp_path: Path) -> None:
    use_case, found = proposed(tmp_path / "imoveis.csv", brazilian().encode("latin-1"))
    for source in use_case.sources.values():
        csv = source.csv
        assert (csv.separator, csv.encoding, csv.decimal, csv.thousands) == (";", "windows-1252", ",", ".")
        assert csv.missing == ("", "-")
        assert csv.header["Área Útil"] == "area_util"
    assert use_case.label == "preco_r"
    assert found.label.is_sure
    assert use_case.key == ("codigo",)
    assert use_case.time == "vendido_em"
    columns = use_case.columns
    assert columns["vendido_em"].format == ("d/M/yyyy",)
    assert (columns["CEP"].type, columns["CEP"].role) == ("string", ("category",))
    assert columns["Quartos"].type == "integer"
    assert columns["condominio"].sql == "replace(condominio, 'R$ ', '')"
    assert "condominio" not in use_case.features


def test_a_table_as_pandas_writes_it_has_its_row_numbers_for_a_key(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"size": np.arange(100) * 1.5, "made": pd.Timestamp("2015-01-01"), "price": RANDOM.gamma(1, 9, 100)}
    )
    use_case, _ = proposed(tmp_path / "a.csv", frame.to_csv())
    assert use_case.sources["trial_known"].csv.header == {"": "column_1"}
    assert use_case.key == ("column_1",)
    assert use_case.columns["made"].type == "date"


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"town": ["Alki", "Leschi"] * 50, "rooms": [1.0, np.nan] * 50, "price": RANDOM.normal(size=100),
         "sold": pd.date_range("2015-01-01", periods=100)}
    )  # fmt: skip
    frame.to_parquet(tmp_path / "a.parquet")
    found = parse(propose("trial", tmp_path / "a.parquet").text, "trial.yaml")
    assert {source.format for source in found.sources.values()} == {"parquet"}
    assert {name: column.type for name, column in found.columns.items()} == {
        "town": "string", "rooms": "integer", "price": "number", "sold": "date"
    }  # fmt: skip


def test_a_file_without_a_header_gets_names(tmp_path: Path) -> None:
    rows = "".join(f"{row},{row * 2.5},x{row % 3}\n" for row in range(50))
    use_case, _ = proposed(tmp_path / "a.data", rows)
    assert use_case.sources["trial_known"].csv.names == ("column_1", "column_2", "column_3")


def test_tabs_gzip_and_comments_are_found(tmp_path: Path) -> None:
    rows = "# exported\na\tb\tprice\n" + "".join(f"{row}\tt{row % 4}\t{row * 3}.5\n" for row in range(50))
    use_case, _ = proposed(tmp_path / "a.tsv.gz", gzip.compress(rows.encode()))
    assert (use_case.sources["trial_known"].csv.separator, use_case.sources["trial_known"].csv.comment) == (
        "\t",
        "#",
    )


def test_a_house_that_is_sold_again_is_named_by_id_and_date(tmp_path: Path) -> None:
    rows = "".join(f"{row % 90},2015-{1 + row // 90:02}-01,{row}.5\n" for row in range(180))
    use_case, _ = proposed(tmp_path / "a.csv", "id,date,price\n" + rows)
    assert use_case.key == ("id", "date")
    assert use_case.time == "date"


def test_of_a_moment_that_is_proposed_which_differs_between_rows(tmp_path: Path) -> None:
    rows = "".join(
        f"2019-03-{1 + row // 24:02} {row % 24:02}:10:00,2019-03-{1 + row % 20:02},{row}.5\n"
        for row in range(400)
    )
    use_case, _ = proposed(tmp_path / "a.csv", "picked,paid,price\n" + rows)
    assert {name: feature.sql for name, feature in use_case.features.items()} == {
        "picked_dayofweek": "dayofweek(picked)",
        "picked_hour": "hour(picked)",
        "paid_dayofweek": "dayofweek(paid)",
    }


def test_what_is_almost_the_label_empty_or_always_the_same_is_no_input(tmp_path: Path) -> None:
    rows = "".join(f"{row % 7},{row * 2 + row % 2},,9,{row}.5\n" for row in range(100))
    use_case, found = proposed(tmp_path / "a.csv", "kind,tax,nothing,same,price\n" + rows)
    assert use_case.numbers == ("kind",)
    assert found.remarks == [
        "tax: almost the label (correlation 1.000): is it known when predicting?",
        "nothing: empty",
        "same: always the same",
    ]


def test_a_label_is_asked_for_where_no_name_tells_it(tmp_path: Path) -> None:
    rows = "a,b\n" + "".join(f"{row % 7},{row % 11}\n" for row in range(50))
    use_case, found = proposed(tmp_path / "a.csv", rows)
    assert (use_case.label, found.label.is_sure) == ("b", False)
    assert "A GUESS, is it right?" in found.text
    use_case, found = proposed(tmp_path / "a.csv", rows, label="a")
    assert (use_case.label, found.label.is_sure) == ("a", True)
    with pytest.raises(InputError) as error:
        proposed(tmp_path / "a.csv", rows, label="c")
    assert str(error.value) == "--label: there is no column c\n  known are a, b"


def test_a_category_of_many_values_is_encoded_by_the_label_and_one_that_names_rows_is_left_out(
    tmp_path: Path,
) -> None:
    rows = "".join(f"Street {row % 400},owner {row},{row % 13}\n" for row in range(2000))
    use_case, _ = proposed(tmp_path / "a.csv", "street,owner,price\n" + rows)
    assert use_case.categories == ("street",)
    assert {use_case.encoding(family) for family in use_case.candidates} == {"target"}


def test_init_writes_a_file_that_loads_says_what_to_do_next_and_writes_over_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "conf").mkdir()
    table = tmp_path / "tea.csv"
    table.write_text("size,y\n" + "".join(f"{row % 7},{row % 11}\n" for row in range(50)))
    monkeypatch.setattr("regatta.runtime.submit.project_root", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    proposing.init.main(["tea", str(table)], standalone_mode=False)
    assert load(tmp_path / "conf" / "tea.yaml").label == "y"
    assert capsys.readouterr().out == (
        "wrote conf/tea.yaml: 2 columns, 1 of them inputs; label y, key none\n"
        f"next: regatta land tea {table} --delivery first; regatta doctor tea; make demo USE_CASE=tea\n"
    )
    with pytest.raises(InputError) as error:
        proposing.init.main(["tea", str(table)], standalone_mode=False)
    assert (error.value.fact, error.value.way_out) == (
        "is there already",
        "choose another name, or add --force",
    )


def test_init_takes_a_path_as_every_verb_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, file = tmp_path / "green tea.csv", tmp_path / "tea.yaml"
    table.write_text("size,y\n" + "".join(f"{row % 7},{row % 11}\n" for row in range(50)))
    proposing.init.main([str(file), str(table)], standalone_mode=False)
    assert load(file).use_case == "tea"
    assert f"next: regatta land {file} '{table}' --delivery first; " in capsys.readouterr().out
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        proposing.init.main([str(tmp_path / "nowhere" / "tea.yaml"), str(table)], standalone_mode=False)


@pytest.mark.parametrize(
    ("name", "content", "fact"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"%PDF-1.7", "is PDF and not a table"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), "is UTF-16, which Spark cannot read line by line"),
        ("a.csv.gz", b"a,b\n1,2\n", "is not gzip, although its name ends in .gz"),
        ("a.csv", b"name,town\nx,y\nz,w\n", "no column holds numbers that could be predicted"),
    ],
)
def test_what_is_no_table_is_a_sentence(tmp_path: Path, name: str, content: bytes, fact: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        propose("trial", tmp_path / name)
    assert error.value.fact == fact


def test_names_become_such_as_need_no_quotes_and_differ() -> None:
    assert clean_names(["Área Útil", "Sepal.Length", "1stFlrSF", "SalePrice", "", "row", "a-b", "a b", "_x", "東京", "end"]) == [
        "area_util", "sepal_length", "n_1st_flr_sf", "SalePrice", "column_5", "row_2", "a_b", "a_b_2", "x", "column_10", "end_"
    ]  # fmt: skip
