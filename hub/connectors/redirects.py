"""The pages that a person sees before and after a set-up by redirect."""

from collections.abc import Sequence
from html import escape
from typing import Final

from hub.connectors.clients import OpenConnector
from hub.errors import HubError
from hub.sdk.errors import Cancelled

_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>'
    "body{{font:16px system-ui;margin:4rem auto;max-width:34rem;padding:0 1rem}}"
    ".button{{display:inline-block;padding:.6rem 1.2rem;border-radius:.3rem;color:#fff;"
    "background:#067a3f;text-decoration:none}}.off{{background:#8a8a8a}}</style>"
    "<h1>{title}</h1>{body}</html>"
)


def button_page(connector: OpenConnector, reason: str) -> str:
    """Return the button that begins the set-up; switched off with the reason, if there is one."""
    handshake = connector.working_type.handshake
    label = escape(handshake.label if handshake is not None else "")
    name = escape(connector.name)
    if reason:
        off = f'<p><span class="button off" aria-disabled="true">{label}</span></p>'
        return _page(label, f"{off}<p>{escape(reason)}</p>")
    # Relative to /t/{tenant}/connectors/{name}/connect/button.
    link = f'<p><a class="button" href="../connect">{label}</a></p>'
    return _page(label, f"{link}<p>For the connector {name}.</p>")


def connected_page(connector: OpenConnector, lines: Sequence[str]) -> str:
    """Return what is shown when the vendor's answer was taken, and how to try it."""
    told = "".join(f"<li>{escape(one)}</li>" for one in lines)
    listed = f"<ul>{told}</ul>" if told else ""
    brought = connector.type
    command = f"<code>hub connector send-test {escape(connector.name)}</code>"
    tries = brought is not None and brought.send_test is not None
    offer = f"<p>Send a test event: {command}</p>" if tries else ""
    return _page("Connected", f"{listed}{offer}<p>Connected. You can close this page.</p>")


def refused_page(error: HubError) -> str:
    """Return what is shown when nothing was taken."""
    title = "Cancelled" if is_cancelled(error) else "Not connected"
    return _page(title, f"<p>{escape(str(error))}</p>")


def is_cancelled(error: HubError) -> bool:
    """Say whether the person turned away at the vendor."""
    return isinstance(error.__cause__, Cancelled)


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=title, body=body)
