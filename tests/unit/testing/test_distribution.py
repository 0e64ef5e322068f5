"""The checks of a plugin's files, and of settings that were saved, see planted faults."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.testing import distribution
from hub.testing.compatibility import breaking_changes
from hub.testing.subject import Subject
from tests.unit.testing import hub_acme

SETTINGS = {"token": "t0ken-value", "webhook_secret": "s3cret-value"}
ACME = Subject(plugin=hub_acme, settings=SETTINGS)
PAGE = "\n".join(f"## {one}\n" for one in distribution.HEADINGS)


def test_a_page_with_the_headings_passes(tmp_path):
    (tmp_path / "README.md").write_text(PAGE)

    assert distribution.page_faults(tmp_path) == []


def test_a_missing_heading_is_named(tmp_path):
    (tmp_path / "README.md").write_text(PAGE.replace("Limits", "limits"))

    assert distribution.page_faults(tmp_path) == ["README.md has no heading 'Limits'"]


def test_a_missing_page_is_a_fault(tmp_path):
    assert len(distribution.page_faults(tmp_path)) == 1
    assert len(distribution.page_faults(None)) == 1


def test_the_distribution_is_the_nearest_folder_with_a_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    inner = tmp_path / "tests" / "unit"
    inner.mkdir(parents=True)

    assert distribution.distribution_folder(inner) == tmp_path


def test_a_secret_in_a_payload_is_seen(tmp_path):
    (tmp_path / "bad.json").write_text('{"headers": {"authorization": "t0ken-value"}}')
    (tmp_path / "good.json").write_text("{}")

    assert distribution.leak_faults(ACME, tmp_path) == ["bad.json holds a secret of the settings"]


def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    (tmp_path / "hub_planted.py").write_text(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return distribution.import_faults(ModuleType("hub_planted"), tries=1)


def test_a_quiet_import_passes(tmp_path, monkeypatch):
    assert imported(tmp_path, monkeypatch, "import hub\n") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sum(n * n for n in range(30_000_000))", "importing it takes"),
        ("import starlette", "importing it loads starlette"),
        ("open('written.txt', 'w').close()", "open 'written.txt' for writing"),
        ("import socket; socket.socket().connect_ex(('127.0.0.1', 9))", "socket.connect"),
    ],
)
def test_a_busy_import_is_seen(tmp_path, monkeypatch, text, fault):
    monkeypatch.chdir(tmp_path)

    assert fault in " ".join(imported(tmp_path, monkeypatch, text))


def test_a_plugin_that_is_not_installed_is_seen():
    faults = distribution.import_faults(ModuleType("hub_nowhere"))

    assert faults == ["hub_nowhere can't be imported by its name"]


def test_saved_settings_that_are_refused_now_are_seen(tmp_path):
    old = hub_acme.Settings.model_json_schema()
    old["properties"]["region"] = {"type": "string"}
    file = tmp_path / "settings.schema.json"

    file.write_text(json.dumps(old))
    assert distribution.settings_faults(ACME, tmp_path) == ["/region: is gone"]
    file.write_text(json.dumps({"acme": hub_acme.Settings.model_json_schema()}))
    assert distribution.settings_faults(ACME, tmp_path) == []
    file.unlink()
    assert distribution.settings_faults(ACME, tmp_path) == []


def schema(member: object, *, required: bool = False, **more: object) -> dict[str, object]:
    return {"properties": {"a": member}, "required": ["a"] if required else []} | more


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (schema({"type": "string"}), schema({"type": "string"}, required=True), "now required"),
        (schema({"type": "string"}), {"additionalProperties": False}, "unknown members"),
        (schema({"type": "string"}), schema({"type": "integer"}), "no longer accepts string"),
        (
            schema({"anyOf": [{"type": "string"}, {"type": "null"}]}),
            schema({"type": "string"}),
            "no longer accepts null",
        ),
        (schema({"enum": ["x", "y"]}), schema({"enum": ["x"]}), "fewer values (['y'] are gone)"),
        (schema({"type": "string"}), schema({"type": "string", "enum": ["x"]}), "fewer values"),
        (schema({}), schema({"pattern": "a+"}), "another pattern"),
        (schema({"minimum": 1}), schema({"minimum": 2}), "minimum is now 2"),
        (schema({}), schema({"maxLength": 5}), "maxLength is now 5"),
        (schema({"maximum": 9}), schema({"maximum": 5}), "maximum is now 5"),
        (schema({"writeOnly": True}), schema({}), "no longer a secret"),
        (
            schema({"properties": {"b": {"type": "string"}}}),
            schema({"properties": {"b": {"type": "integer"}}}),
            "/a/b: no longer accepts string",
        ),
        (
            schema({"$ref": "#/$defs/K", "type": "string"}, **{"$defs": {"K": {"enum": ["x"]}}}),
            schema({"$ref": "#/$defs/K", "type": "string"}, **{"$defs": {"K": {"enum": ["z"]}}}),
            "['x'] are gone",
        ),
    ],
)
def test_a_breaking_change_is_named(old, new, expected):
    found = breaking_changes(old, new)

    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (schema({"type": "integer"}), schema({"type": "number"})),
        (schema({"enum": ["x"]}), schema({"enum": ["x", "y"]})),
        (schema({"maximum": 5}), schema({"maximum": 9})),
        (schema({"type": "string"}, required=True), schema({"type": "string"})),
        ({}, schema({"type": "string"})),
        (schema({"pattern": "a"}), schema({})),
    ],
)
def test_a_widening_change_is_none(old, new):
    assert breaking_changes(old, new) == []


@given(
    st.dictionaries(
        st.sampled_from("abc"), st.sampled_from([{"type": "string"}, {"enum": ["x"]}, {}])
    )
)
def test_nothing_changed_breaks_nothing(members):
    same = {"properties": members, "required": list(members)}

    assert breaking_changes(same, same) == []
