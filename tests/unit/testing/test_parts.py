"""The kit's own parts: payload files, samples, transports, the network guard."""

import asyncio
import json
import socket
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import hub
from hub import testing
from hub.testing.network import ConnectionOpened, refused_network
from hub.testing.payloads import (
    PayloadFile,
    UnreadablePayload,
    event_json,
    load_payloads,
    normal,
    value_json,
    write_payload,
)
from hub.testing.samples import sample
from hub.testing.transports import FAULTS, Failing, Recorded, mapped


def test_a_payload_file_comes_back_as_it_was_written(tmp_path):
    write_payload(
        tmp_path / "a.json",
        PayloadFile(
            note="By hand.", headers={"X-Sig": "1"}, body="{}\n", events=[], signed="secret"
        ),
    )

    (found,) = load_payloads(tmp_path)

    assert (found.name, found.request.body, found.signs_body) == ("a", b"{}\n", False)
    assert found.request.headers == {"x-sig": "1"}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"note": "x"}', '{"note": "", "body": "", "events": []}',
             '{"note": "x", "body": "", "events": [], "typo": 1}'],
)  # fmt: skip
def test_a_payload_file_of_another_form_is_named(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)

    with pytest.raises(UnreadablePayload, match=r"bad\.json"):
        load_payloads(tmp_path)


def test_no_folder_means_no_payloads(tmp_path):
    assert load_payloads(tmp_path / "none") == ()


def test_an_event_is_shown_as_files_write_it():
    event = hub.Event(
        trigger="acme.ticket.created",
        record=hub.Record(
            source_object="acme.ticket", id="1", url="https://acme.example/1",
            values={"due": datetime(2025, 3, 1, 10, tzinfo=UTC), "tags": ("a", "b"), "none": None},
        ),
        occurred_at=datetime(2025, 3, 1, 9, 30, tzinfo=UTC),
        key="k", before={}, note="n1",
    )  # fmt: skip

    assert event_json(event) == {
        "trigger": "acme.ticket.created",
        "record": {
            "source_object": "acme.ticket", "id": "1", "url": "https://acme.example/1",
            "values": {"due": "2025-03-01T10:00:00Z", "tags": ["a", "b"], "none": None},
        },
        "occurred_at": "2025-03-01T09:30:00Z",
        "key": "k", "before": {}, "note": "n1",
    }  # fmt: skip
    assert normal(event_json(event)) == event_json(event)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (date(2025, 3, 1), "2025-03-01"),
        (timedelta(minutes=1), 60.0),
        (Decimal("1.50"), "1.50"),
        (datetime(2025, 3, 1, 10, tzinfo=UTC), "2025-03-01T10:00:00Z"),
        (True, True),
    ],
)
def test_values_as_json(value, shown):
    assert value_json(value) == shown


def test_times_are_compared_as_moments():
    assert normal({"occurred_at": "2025-03-01T10:30:00+01:00"})["occurred_at"] == (
        "2025-03-01T09:30:00Z"
    )
    assert normal({"occurred_at": "soon"})["occurred_at"] == "soon"


class Colour(StrEnum):
    RED = "red"


class Inner(BaseModel):
    deep: int = Field(ge=5)


class Outer(BaseModel):
    text: str = Field(min_length=6)
    colour: Colour
    inner: Inner
    maybe: int | None
    many: list[str]
    at: datetime
    yes: bool
    given: str = Field(examples=["PXYZ"])
    short: str = Field(max_length=2)
    left_out: str = "default"


def test_a_sample_is_accepted_by_its_model():
    found = sample(Outer)

    assert Outer.model_validate(found).inner.deep == 5
    assert found["given"] == "PXYZ"
    assert "left_out" not in found


async def call(fault, method="GET", nth=1):
    done = []

    async def app(scope, receive, send):
        done.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    transport = Failing(httpx.ASGITransport(app=app), fault, nth=nth)
    async with httpx.AsyncClient(transport=transport, base_url="http://acme.test") as http:
        try:
            answers = [await mapped(http.request(method, f"/{n}")) for n in range(nth)]
        except hub.ConnectorError as error:
            return type(error), done
    return answers[-1].status_code, done


FAULT = {one.name: one for one in FAULTS}


@pytest.mark.parametrize("name", [one.name for one in FAULTS if one.status])
async def test_a_planted_answer_is_given_without_any_work(name):
    assert await call(FAULT[name]) == (FAULT[name].status, [])


@pytest.mark.parametrize(
    ("name", "method", "expected", "done"),
    [
        ("no-connection", "POST", hub.Unavailable, []),
        ("timeout-before", "POST", hub.Unavailable, []),
        ("timeout-after", "POST", hub.OutcomeUnknown, ["/0"]),
        ("timeout-after", "GET", hub.Unavailable, ["/0"]),
        ("cut-after", "PATCH", hub.OutcomeUnknown, ["/0"]),
    ],
)
async def test_a_broken_connection_is_mapped_as_the_hub_does(name, method, expected, done):
    assert await call(FAULT[name], method) == (expected, done)


async def test_requests_before_the_nth_pass():
    assert await call(FAULT["500"], nth=3) == (500, ["/0", "/1"])


async def test_requests_are_remembered():
    transport = Recorded(None)
    async with httpx.AsyncClient(transport=transport, base_url="http://acme.test") as http:
        answer = await http.post("/a", json={"b": 1})

    assert (answer.json(), json.loads(transport.requests[0].content)) == ({}, {"b": 1})


def test_the_guard_refuses_connections_and_lets_go_again():
    before = socket.socket.connect

    with refused_network(), socket.socket() as one, pytest.raises(ConnectionOpened):
        one.connect(("127.0.0.1", 9))

    assert socket.socket.connect is before


def test_an_event_loop_runs_behind_the_guard():
    with refused_network():
        asyncio.run(asyncio.sleep(0))


@given(st.text(max_size=30), st.integers(-1000, 1000))
def test_text_and_whole_numbers_are_themselves(text, number):
    assert (value_json(text), value_json(number)) == (text, number)


def test_pytest_itself_loads_nothing_of_the_kit():
    """The kit's pytest plugin is loaded in every run where the hub is installed."""
    asked = "import hub.testing.pytest_plugin, sys; print(*sorted(sys.modules))"

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    heavy = {"hypothesis", "httpx", "hub.testing.contract", "hub.catalog", "hub.rules"}
    assert set(done.stdout.split()) & heavy == set()


def test_an_unknown_name_of_the_kit_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        getattr(testing, "Nothing")  # noqa: B009 - a name that the type checker knows is missing


def test_the_kit_needs_no_database_and_no_server():
    asked = "import hub.testing.contract, sys; print(*sorted(sys.modules))"

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert set(done.stdout.split()) & {"sqlalchemy", "fastapi", "uvicorn", "hub.db.base"} == set()
