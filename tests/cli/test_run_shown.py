"""What the commands print of runs."""

import pytest

from hub.cli.commands.run import result

RUN = "/api/v1/tenants/default/runs/run_7"


def run(**more: object) -> dict:
    return {
        "id": "run_7",
        "state": "done",
        "action": "pagerduty.create_incident",
        "connector": "pd",
        "event": "evt_1",
        "rule": {"name": "Pages"},
        "summary": "Created incident #1",
        "outcome": "done",
        "error": None,
        "attempts": 2,
        "params": {"title": "Disk full", "details": {"a": 1}, "note": "one\ntwo"},
        "attempts_made": [
            {
                "n": 1,
                "at": "2025-03-01T09:30:00Z",
                "method": "POST",
                "url": "https://api/incidents",
                "status": status,
                "took_ms": 5,
                "response": body,
            }
            for status, body in ((429, '{"error": "slowly"}'), (201, '{"id": "Q1"}'))
        ],
        **more,
    }


def test_a_run_is_shown_with_its_parameters_and_the_vendors_answers(hub, api) -> None:
    api.answer("GET", RUN, run())
    api.answer("GET", "/api/v1/tenants/default", {"time_zone": "UTC"})

    shown = hub("run", "show", "run_7").out

    assert "Parameters:\n  title: Disk full\n" in shown
    assert '  details: {"a": 1}\n' in shown
    assert "  note: one\n    two\n" in shown
    assert 'Answer 1: {"error": "slowly"}\n' in shown
    assert 'Answer 2: {"id": "Q1"}\n' in shown


def test_attempts_are_numbered_one_by_one(hub, api) -> None:
    api.answer("GET", RUN, run())
    api.answer("GET", "/api/v1/tenants/default", {"time_zone": "UTC"})

    lines = hub("run", "show", "run_7").out.splitlines()

    assert [line[0] for line in lines if "POST https://api/incidents" in line] == ["1", "2"]


@pytest.mark.parametrize(
    ("state", "error", "summary", "told"),
    [
        ("skipped", "503 Busy", "Already linked, or being created.", None),
        ("done", "503 Busy", "Created incident #1", None),
        ("dead", "401 Unauthorized", None, "401 Unauthorized"),
        ("waiting", "503 Busy", "Created incident #1", "503 Busy"),
        ("intent", None, None, "done"),
    ],
)
def test_an_error_is_told_only_while_it_is_in_the_way(state, error, summary, told) -> None:
    found = run(state=state, error=error, summary=summary)

    assert (told or summary) == result(found)
