"""Which verb works as whom, and what a policy says of another lake than the one it was written for."""

from __future__ import annotations

import json

import pytest

from regatta.cli import group
from regatta.runtime.identities import _OF_VERB, POLICIES, Identity, identity_of, policy


def test_each_verb_works_as_the_one_with_the_least_rights_that_can_do_it() -> None:
    assert {verb: identity_of(verb) for verb in group.commands if identity_of(verb) != Identity.READER} == {
        "land": Identity.LANDING,
        "ingest": Identity.TRAINING,
        "train": Identity.TRAINING,
        "promote": Identity.TRAINING,
        "reproduce": Identity.TRAINING,
        "rollback": Identity.TRAINING,
        "report": Identity.TRAINING,
        "score": Identity.SCORING,
        "gc": Identity.ADMIN,
    }
    assert set(_OF_VERB) <= set(group.commands)


def test_every_identity_has_its_policy_and_every_policy_its_identity() -> None:
    assert sorted(path.stem for path in POLICIES.glob("*.json")) == sorted(Identity)


@pytest.mark.parametrize("identity", Identity)
def test_for_the_usual_lake_a_policy_is_the_file(identity: Identity) -> None:
    assert policy(identity, "s3a://regatta") == json.loads((POLICIES / f"{identity}.json").read_text())


def test_for_another_lake_bucket_and_prefix_take_the_place_of_the_usual_ones() -> None:
    objects, listing = policy(Identity.LANDING, "s3a://sea/deep/down")["Statement"]

    assert objects["Resource"] == ["arn:aws:s3:::sea/deep/down/raw/*"]
    assert listing["Resource"] == ["arn:aws:s3:::sea"]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["deep/down/raw/*"]}}


@pytest.mark.parametrize("identity", sorted(set(Identity) - {Identity.ADMIN}))
def test_nobody_but_the_admin_has_rights_in_another_lake(identity: Identity) -> None:
    text = json.dumps(policy(identity, "s3a://sea/deep"))

    assert "regatta" not in text
    assert "s3:*" not in text
