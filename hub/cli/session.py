"""What every command has in common: its options, the hub it speaks to, the screen.

`command` registers a function as a command: the common options are added to its own, and
its first parameter is the `Session`.
"""

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import clock
from hub.cli import times
from hub.cli.client import Client, is_same, segment
from hub.cli.failure import Failed
from hub.cli.show import Screen

DEFAULT_TENANT = "default"
DEFAULT_URL = "http://127.0.0.1:8400"

_GROUP = "Common options"

TenantOption = Annotated[
    str, typer.Option("--tenant", help="Tenant to work for [HUB_TENANT].", rich_help_panel=_GROUP)
]
UrlOption = Annotated[
    str, typer.Option("--url", help="Address of the hub [HUB_URL].", rich_help_panel=_GROUP)
]
TokenOption = Annotated[
    str,
    typer.Option(
        "--token",
        help="API token [HUB_TOKEN]; for the `hub serve` of the data folder none is needed.",
        rich_help_panel=_GROUP,
    ),
]
DataOption = Annotated[
    str,
    typer.Option(
        "--data", help="Data folder of the local hub [HUB_DATA_DIR].", rich_help_panel=_GROUP
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the API's answer.", rich_help_panel=_GROUP)
]
UtcOption = Annotated[
    bool, typer.Option("--utc", help="Show times in UTC.", rich_help_panel=_GROUP)
]
NoColorOption = Annotated[
    bool, typer.Option("--no-color", help="Print without colour.", rich_help_panel=_GROUP)
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", help="Print failures only.", rich_help_panel=_GROUP)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options that every command takes."""

    tenant: str = ""
    url: str = ""
    token: str = ""
    data: str = ""
    json: bool = False
    utc: bool = False
    no_color: bool = False
    quiet: bool = False


@dataclass(slots=True, kw_only=True)
class Session:
    """One command at work: the hub it speaks to and the screen it prints on."""

    hub: Client
    screen: Screen
    utc: bool = False
    _zone: tzinfo | None = field(default=None, repr=False)

    def show(self, answer: object, people: Callable[[], None]) -> None:
        """Print `answer` as JSON for a program, or call `people` to print it for them."""
        if self.screen.json:
            self.screen.data(answer)
        else:
            people()

    def moment(self, text: str | None) -> str:
        """Return a point in time in the tenant's time zone."""
        return times.moment(text, self.zone())

    def clock_time(self, text: str) -> str:
        """Return the time of day in the tenant's time zone."""
        return times.clock_time(text, self.zone())

    def ago(self, text: str | None) -> str:
        """Return how long ago that was."""
        return times.ago(text, clock.now())

    def zone(self) -> tzinfo:
        """Return the zone that times are shown in."""
        if self._zone is None:
            self._zone = UTC if self.utc else self._tenant_zone()
        return self._zone

    def _tenant_zone(self) -> tzinfo:
        try:
            tenant = self.hub.get(f"/tenants/{segment(self.hub.tenant)}")
        except Failed:  # a token that may not read the tenant still may read the rest
            return UTC
        return times.zone_named(tenant.get("time_zone") or "UTC")


def open_session(common: Common) -> Session:
    """Find the hub and the token: the options, then the environment, then the data folder."""
    from hub.settings import client_environment, local_token  # noqa: PLC0415 - --help is quick

    environment = client_environment()
    folder = Path(common.data or environment.get("HUB_DATA_DIR") or ".data")
    ours, named = local_url(folder), common.url or environment.get("HUB_URL")
    url = named or ours or DEFAULT_URL
    token = common.token or environment.get("HUB_TOKEN")
    if not token and ours and is_same(url, ours):  # the local token is for the local hub only
        token = local_token(folder)
    tenant = common.tenant or environment.get("HUB_TENANT") or DEFAULT_TENANT
    plain = common.no_color or "NO_COLOR" in environment or not sys.stdout.isatty()
    return Session(
        hub=Client(
            url=url.rstrip("/"), tenant=tenant, token=token, searched=None if named else folder
        ),
        screen=Screen(json=common.json, quiet=common.quiet, color=not plain),
        utc=common.utc,
    )


def local_url(folder: Path) -> str | None:
    """Return the address that a local `hub serve` left in its data folder."""
    file = folder / "serve.url"
    return file.read_text().strip() if file.is_file() else None


def command(
    app: typer.Typer, name: str, *, example: str, **kwargs: object
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function `(session, …)` as a command with the common options."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(**values: Any) -> None:  # noqa: ANN401 - whatever the command declares
            common = Common(**{one: values.pop(one) for one in _COMMON})
            session = open_session(common)
            try:
                function(session, **values)
            finally:
                session.hub.close()

        run.__signature__ = _with_common(function)  # type: ignore[attr-defined]  # read by typer
        run.__annotations__ = {}
        app.command(name, epilog=f"Example: {example}", **kwargs)(run)  # type: ignore[arg-type]  # typer's own
        return function

    return register


_COMMON: dict[str, tuple[Any, object]] = {
    "tenant": (TenantOption, ""),
    "url": (UrlOption, ""),
    "token": (TokenOption, ""),
    "data": (DataOption, ""),
    "json": (JsonOption, False),
    "utc": (UtcOption, False),
    "no_color": (NoColorOption, False),
    "quiet": (QuietOption, False),
}


def _with_common(function: Callable[..., None]) -> inspect.Signature:
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    common = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
        for name, (annotation, default) in _COMMON.items()
    ]
    as_keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    return inspect.Signature([*as_keywords, *common])
