"""Rules as they are stored: read, written, upgraded, named by their content."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules import NewerFormat, Rule, Ruleset, content_digest, model, read_rule, rule_schema
from tests.unit.rules.random_world import Chance
from tests.unit.rules.world import rule, schema

SCHEMA = schema()


@given(st.integers(0, 10_000))
def test_a_rule_is_written_as_it_was_read(seed):
    written = Chance(seed, SCHEMA).rule(1)

    assert read_rule(written).as_json() == written
    assert read_rule(json.loads(json.dumps(written))).digest == Rule.model_validate(written).digest


def test_rules_of_other_content_have_other_digests():
    one, other = (Rule.model_validate(rule(name=name)) for name in ("a", "b"))

    assert one.digest != other.digest
    assert content_digest({"a": 1, "b": 2}) == content_digest({"b": 2, "a": 1})


def test_a_rule_from_the_future_is_refused():
    with pytest.raises(NewerFormat, match="written by a newer version"):
        read_rule(rule() | {"format": 7})


def test_older_formats_are_read_step_by_step(monkeypatch):
    steps = {
        -1: lambda old: old | {"format": 0, "name": old["title"]},
        0: lambda old: {k: v for k, v in old.items() if k != "title"} | {"format": 1},
    }
    monkeypatch.setattr(model, "UPGRADES", steps)
    old = rule(name=...) | {"format": -1, "title": "Old"}

    assert read_rule(old).name == "Old"
    assert old["format"] == -1


def test_a_rule_without_format_is_no_rule():
    with pytest.raises(ValueError, match="format"):
        read_rule(rule(format=...))


def test_a_ruleset_is_disabled_when_new_and_its_version_is_not_exported():
    made = Ruleset.model_validate({"id": "x", "name": "X", "version": 3})

    assert made.state == "disabled"
    assert "version" not in made.model_dump()


def test_the_schema_of_a_rule():
    made = rule_schema()

    assert made["$id"] == "urn:integration-hub:rule:1"
    assert set(made["required"]) == {"format", "name", "object", "on", "then"}
    assert made["properties"]["from"]["maxItems"] == 50
    json.dumps(made)
