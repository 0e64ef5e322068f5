"""Settings models taken apart: secrets, faults, merging."""

from pydantic import BaseModel, Field, SecretStr

from hub.connectors import shapes
from tests.toy import ToySettings


class Inner(BaseModel):
    token: SecretStr | None = None
    region: str = "eu"


class Nested(BaseModel):
    name: str = Field(min_length=2)
    inner: Inner | None = None
    keys: list[SecretStr] = []


def test_secrets_are_found_at_any_depth() -> None:
    assert shapes.secret_paths(Nested) == {"inner.token", "keys"}
    assert shapes.secret_paths(ToySettings) == {"api_key", "webhook_secret"}


def test_split_and_join_are_inverse() -> None:
    values = {
        "name": "x",
        "inner": {"token": '["looks", "like JSON"]', "region": "us"},
        "keys": ["a", "b"],
    }

    plain, secrets = shapes.split(values, shapes.secret_paths(Nested))

    assert plain == {"name": "x", "inner": {"region": "us"}}
    assert shapes.join(plain, secrets) == values


def test_an_empty_secret_is_none() -> None:
    assert shapes.split({"api_key": "", "x": 1}, {"api_key"}) == ({"x": 1}, {})


def test_every_fault_has_its_pointer() -> None:
    found = shapes.check(
        ToySettings, {"api_key": "a b", "retries": 9, "base_uri": "http://x", "service_id": 3}
    )

    assert isinstance(found, list)
    assert {one.pointer for one in found} == {
        "/api_key",
        "/base_url",
        "/retries",
        "/base_uri",
        "/service_id",
    }


def test_a_misspelt_setting_is_not_dropped_in_silence() -> None:
    found = shapes.check(Nested, {"name": "ok", "inner": {"regional": "us"}})

    assert isinstance(found, list)
    assert [(one.pointer, one.detail) for one in found] == [
        ("/inner/regional", "There is no setting 'regional'. Did you mean 'region'?")
    ]


def test_a_merge_changes_what_it_names_and_null_removes() -> None:
    old = {"a": 1, "b": {"c": 2, "d": 3}, "e": 4}

    assert shapes.merged(old, {"a": None, "b": {"c": 5}}) == {"b": {"c": 5, "d": 3}, "e": 4}
