"""A task reaches the lake with the keys of its verb's identity, where there is a connection that holds them."""

from __future__ import annotations

import json

import pytest

from conftest import Ask

USERS, TRAINING = "AIRFLOW_CONN_REGATTA_LAKE", "AIRFLOW_CONN_REGATTA_LAKE_TRAINING"
SCORING, READER = "AIRFLOW_CONN_REGATTA_LAKE_SCORING", "AIRFLOW_CONN_REGATTA_LAKE_READER"


@pytest.mark.parametrize(
    ("connections", "keys"),
    [
        ([], [None, None, None, None, None, None]),
        ([USERS], ["LAKE", "LAKE", "LAKE", "LAKE", "LAKE", "LAKE"]),
        ([TRAINING, SCORING, READER], ["TRAINING", "TRAINING", "TRAINING", "SCORING", "READER", "READER"]),
        ([USERS, SCORING], ["LAKE", "LAKE", "LAKE", "SCORING", "LAKE", "LAKE"]),
    ],
)
def test_a_verbs_own_connection_comes_before_the_one_for_all(
    ask: Ask, connections: list[str], keys: list[str | None]
) -> None:
    variables = {
        name: json.dumps({"conn_type": "aws", "login": name.rpartition("_")[2], "password": "a secret"})
        for name in connections
    }
    assert list(ask("keys.py", variables=variables).values()) == keys
