"""An address is shown everywhere, so one that holds a secret is refused before anything shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from regatta.cli import main

CANARY = "canary-d2f7"
ROOT = Path(__file__).parents[2]
SALES = str(ROOT / "data" / "house_prices" / "train" / "2014-05.csv")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_ENDPOINT_URL", f"http://someone:{CANARY}@127.0.0.1:9"),
        ("AWS_ENDPOINT_URL", f"http://:{CANARY}@127.0.0.1:9"),
        ("AWS_ENDPOINT_URL", f"http://{CANARY}@127.0.0.1:9"),
        ("REGATTA_LAKE", f"s3a://someone:{CANARY}@bucket"),
        ("REGATTA_LAKE", f"s3a://someone:{CANARY}/with-a-slash@bucket/prefix"),
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        ["up"],
        ["doctor"],
        ["land", "house_prices", SALES, "--delivery", "one"],
        ["ingest", "house_prices"],
        ["score", "house_prices"],
        ["leaderboard", "house_prices"],
        ["gc", "house_prices"],
        ["demo", "house_prices"],
    ],
    ids=lambda words: words[0],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(
    variable: str,
    value: str,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REGATTA_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit) as ended:
        main(words)

    said = "".join(capfd.readouterr())
    if (variable, words[0]) != ("REGATTA_LAKE", "up"):  # a lake of the user's own: none is started for it
        assert ended.value.code == 2
        assert f"{variable}: holds credentials, which would end up in logs" in said
    assert CANARY not in said
