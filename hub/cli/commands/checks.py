"""A connector's checks, line by line as they end."""

from collections.abc import Sequence
from typing import Any

from hub.cli.client import segment
from hub.cli.failure import Failed
from hub.cli.session import Session


def run(session: Session, name: str) -> list[dict[str, Any]]:
    """Run the checks of a connector, print each as it ends, and return them."""
    results = []
    for line in session.hub.lines(f"connectors/{segment(name)}/checks"):
        if "name" in line:
            results.append(line)
            _show(session, line)
    return results


def failed(results: Sequence[dict[str, Any]]) -> int:
    """Return how many of the checks failed."""
    return sum(one["ok"] is False for one in results)


def demand(results: Sequence[dict[str, Any]]) -> None:
    """Raise Failed when a check failed."""
    if failed(results):
        first = next(one for one in results if one["ok"] is False)
        count = f"{failed(results)} of {len(results)} checks failed."
        raise Failed(count, first["fix"] or "Look at the lines marked ✗ above.")


def _show(session: Session, check: dict[str, Any]) -> None:
    if check["ok"] is None:
        session.screen.skipped(f"{check['label']}: {check['text']}")
    elif check["ok"]:
        session.screen.done(f"{check['text']}{_took(check)}")
    else:
        session.screen.failed(f"{check['label']}: {check['text']}", check["fix"])


def _took(check: dict[str, Any]) -> str:
    """Return how long the vendor took, unless nobody was asked or the text says it."""
    if not check["took_ms"] or check["text"].endswith("ms)"):
        return ""
    return f" ({check['took_ms']} ms)"
