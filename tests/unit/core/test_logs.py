"""Log lines: complete, in context, without secrets."""

import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hub import logs
from hub.logs import HIDDEN, Redactor, is_secret_key
from hub.settings import LoggingSettings


def test_a_plugins_plain_logger_comes_out_complete(written) -> None:
    with logs.context(tenant="acme", connector=None):
        logging.getLogger("some_plugin").warning("odd %s", "thing")

    (line,) = written()
    assert (line["event"], line["level"], line["logger"], line["tenant"]) == (
        "odd thing",
        "warning",
        "some_plugin",
        "acme",
    )
    assert "connector" not in line


def test_facts_are_fields_and_secrets_are_hidden_by_key_and_by_value(written) -> None:
    logs.redactor.add(["sesame-open-1"])
    logs.get_logger("hub.test").info(
        "run settled", took=3, api_key="k", facts={"password": "p", "say": "sesame-open-1!"}
    )
    try:
        raise ValueError("bad sesame-open-1")  # noqa: TRY301 - a traceback is what is tested
    except ValueError:
        logs.get_logger("hub.test").exception("it failed")
    logs.redactor.remove(["sesame-open-1"])

    first, second = written()
    assert (first["took"], first["api_key"]) == (3, HIDDEN)
    assert first["facts"] == {"password": HIDDEN, "say": f"{HIDDEN}!"}
    assert "sesame" not in json.dumps(second)
    assert "ValueError" in second["exception"]


def test_a_console_is_written_without_secrets_too() -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(LoggingSettings(format="console", level="warning"), stream=stream)
    logging.getLogger("x").warning("call failed", extra={"authorization": "Bearer abc"})
    logging.getLogger("x").info("not written")
    root.handlers[:], root.level = before
    structlog.reset_defaults()

    assert "call failed" in stream.getvalue()
    assert "abc" not in stream.getvalue()
    assert "not written" not in stream.getvalue()


@given(
    st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=20)),
    st.text(max_size=20),
)
def test_no_secret_in_use_survives(secrets: list[str], between: str) -> None:
    redactor = Redactor()
    redactor.add(secrets)

    text = redactor.text(between.join(secrets))

    assert not [one for one in secrets if one in text and one not in HIDDEN]


def test_what_two_openers_hide_stays_hidden_until_both_let_go() -> None:
    redactor = Redactor()
    redactor.add(["secret-one"])
    redactor.add(["secret-one"])
    redactor.remove(["secret-one"])

    assert redactor.text("secret-one") == HIDDEN
    redactor.remove(["secret-one"])
    assert redactor.text("secret-one") == "secret-one"


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("Authorization", True),
        ("client_secret", True),
        ("X-PagerDuty-Signature", True),
        ("routing_key", True),
        ("incident_key", False),
        ("connector_id", False),
        ("token_type", False),
    ],
)
def test_keys_tell_what_is_secret(key: str, secret) -> None:
    assert is_secret_key(key) == secret


def test_the_copy_for_terminals_is_left_out(written) -> None:
    told = {"color_message": "Started server process [\x1b[36m%d\x1b[0m]"}
    logger = logging.getLogger("uvicorn.error")
    logger.setLevel(logging.NOTSET)  # a server of another test may have made it silent
    logger.info("Started server process [%d]", 7, extra=told)

    (line,) = written()
    assert line["event"] == "Started server process [7]"
    assert "color_message" not in line
