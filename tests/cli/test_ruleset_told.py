"""What the commands say of rulesets: what changes, what is active, what stands in the way."""

import json

import pytest

ROOT = "/api/v1/tenants/default"
RULESET = {"id": "r1", "name": "Pages", "description": "", "state": "enabled", "active_version": 2}
FILE = {"format": 1, "name": "Pages", "rules": []}
CHANGED = '~ Urgent pages\n    /then/0/with/urgency: "high" → "low"'


@pytest.fixture
def known(api):
    for name in ("Pages", "r1"):
        api.answer("GET", f"{ROOT}/rulesets/{name}", RULESET)
    api.answer("GET", f"{ROOT}/rulesets/r1/draft", {"rules": []}, etag='"1"')
    api.answer("PUT", f"{ROOT}/rulesets/r1/draft", {"rules": []})
    api.answer("POST", f"{ROOT}/rulesets/r1/draft:check", {"lint": [], "problems": []})
    api.answer("GET", f"{ROOT}/rulesets/r1/draft/diff", {"is_empty": False})
    api.answer("GET", ROOT, {"time_zone": "UTC"})
    return api


def planning(api, *words: str) -> None:
    step = {"name": "Pages", "action": "change" if words else "unchanged", "words": list(words)}
    for publish in ("true", "false"):
        query = f"?plan=true&publish={publish}"
        api.answer("POST", f"{ROOT}/rulesets/import{query}", {"rulesets": [step]})


@pytest.fixture
def file(tmp_path):
    written = tmp_path / "pages.json"
    written.write_text(json.dumps(FILE))
    return str(written)


def test_what_a_file_changes_is_told_member_by_member(hub, known, file) -> None:
    planning(known, CHANGED)

    lines = hub("ruleset", "apply", file).out.splitlines()

    assert lines[:3] == [
        "Pages: change",
        "  ~ Urgent pages",
        '      /then/0/with/urgency: "high" → "low"',
    ]
    assert "✓ Ruleset Pages: 0 rules in the draft" in lines


def test_a_file_that_changes_nothing_says_so(hub, known, file) -> None:
    planning(known)

    assert "✓ Ruleset Pages: nothing changes" in hub("ruleset", "apply", file).out


def test_a_file_without_rulesets_says_so(hub, known, tmp_path) -> None:
    (tmp_path / "empty.json").write_text("[]")

    ended = hub("ruleset", "apply", str(tmp_path / "empty.json"))

    assert ended.status == 1
    assert "it lists no rulesets" in ended.err


def test_the_active_version_is_marked(hub, known) -> None:
    told = {"published_at": "2025-03-01T09:30:00Z", "published_by": "ann", "note": ""}
    listed = [{"version": number, **told} for number in (3, 2, 1)]
    page = {"items": listed, "next": None}
    known.answer("GET", f"{ROOT}/rulesets/r1/versions?limit=100", page)

    lines = hub("ruleset", "versions", "Pages").out.splitlines()

    assert [line.split()[0] for line in lines if "active" in line] == ["2"]


def test_publishing_that_warnings_block_names_the_option(hub, known) -> None:
    problem = {"detail": "The linter warns (findings: 1); publish with accept_warnings to do so."}
    known.answer("POST", f"{ROOT}/rulesets/r1/draft:publish", problem, 409)

    ended = hub("ruleset", "publish", "Pages")

    assert ended.status == 1
    assert "hub ruleset publish Pages --accept-warnings" in ended.err
