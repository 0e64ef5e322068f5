"""The reference pages that are made from the code."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.main import get_command

from hub import builtins, errors
from hub.catalog import load_plugins
from hub.catalog.pages import reference
from hub.cli.server import permissions_page
from hub.settings import HubSettings

_NOTE = "<!-- Made by `hub docs write`; change the code instead. -->"
COMMON = ("tenant", "url", "token", "data", "json", "utc", "no_color", "quiet")


def pages() -> dict[str, str]:
    """Return each page's text by its file name."""
    makers: dict[str, Callable[[], Iterator[str]]] = {
        "cli.md": _cli,
        "settings.md": _settings,
        "problems.md": _problems,
        "permissions.md": permissions_page.page,
    }
    own = {name: "\n".join([_NOTE, "", *make()]).rstrip() + "\n" for name, make in makers.items()}
    return own | reference(load_plugins(builtins.modules()).catalog)


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command of the program: its words, and the command."""
    from hub.cli.main import program  # noqa: PLC0415 - main imports this package

    root = get_command(program())
    yield from _below("hub", root)


def _below(path: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer keeps its classes private
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name in sorted(one for one in inner if not inner[one].hidden):
        yield from _below(f"{path} {name}", inner[name])


def _cli() -> Iterator[str]:
    listed = list(commands())
    yield "# Command line"
    yield ""
    yield "One program, two names: `hub` and `im`. Commands that ask a running hub speak HTTP to"
    yield "it; beside a local `hub serve` they need no set-up. Secrets are asked for without echo"
    yield "when they are left out or given as `-`."
    yield ""
    yield from _common(next(one for path, one in listed if path == "hub connector list"))
    yield "## Exit status"
    yield ""
    yield "| status | meaning |"
    yield "|---|---|"
    yield "| 0 | done |"
    yield "| 1 | the thing asked for failed: a check, a run, a change |"
    yield "| 2 | the command line can't be understood |"
    yield "| 3 | there is no such thing |"
    yield "| 4 | not allowed |"
    yield "| 5 | the hub can't be reached |"
    yield ""
    yield "Errors go to standard error: one line of cause, one line that begins with `Fix:`."
    yield ""
    for path, command in listed:
        yield from _command(path, command)


def _common(command: Any) -> Iterator[str]:  # noqa: ANN401 - typer keeps its classes private
    yield "## Common options"
    yield ""
    yield from _options(one for one in command.params if one.name in COMMON)


def _command(path: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer keeps its classes private
    context = typer.Context(command, info_name=path)
    yield f"## {path}"
    yield ""
    yield (command.help or "").strip()
    yield ""
    yield "```"
    yield " ".join([path, *command.collect_usage_pieces(context)])
    yield "```"
    yield ""
    own = [one for one in command.params if one.name not in (*COMMON, "help")]
    yield from _options(one for one in own if one.param_type_name == "option")
    yield f"`{(command.epilog or '').removeprefix('Example: ')}`"
    yield ""


def _options(params: Any) -> Iterator[str]:  # noqa: ANN401 - typer keeps its classes private
    rows = [f"| `{', '.join([*one.opts, *one.secondary_opts])}` | {one.help} |" for one in params]
    if rows:
        yield "| option | meaning |"
        yield "|---|---|"
        yield from rows
        yield ""


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Settings of a hub process are environment variables; groups are nested by two"
    yield "underscores. What an administrator sets per tenant or connector is not here."
    yield ""
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, field in HubSettings.model_fields.items():
        yield from _setting(f"HUB_{name.upper()}", field)
    yield ""


def _setting(name: str, field: FieldInfo) -> Iterator[str]:
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for inner, one in kind.model_fields.items():
            yield from _setting(f"{name}__{inner.upper()}", one)
        return
    choices = [one for one in get_args(kind) if isinstance(one, str)]
    offered = f" One of: {', '.join(choices)}." if choices else ""
    default = _default(field.get_default(call_default_factory=True))
    yield f"| `{name}` | {default} | {field.description}{offered} |"


def _default(value: object) -> str:
    if value is None or value in ("", frozenset(), {}, ()):
        return "-"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _problems() -> Iterator[str]:
    yield "# Problems"
    yield ""
    yield "What the API answers when it can't do what was asked, as `application/problem+json`"
    yield "(RFC 9457). `type` is stable; `detail` says what was found and what was expected."
    yield ""
    yield "| type | status | title |"
    yield "|---|---|---|"
    found = sorted(_children(errors.HubError), key=lambda one: (one.status, one.slug()))
    for one in found:
        yield f"| `/problems/{one.slug()}` | {one.status} | {one.title()} |"
    yield ""


def _children(kind: type[errors.HubError]) -> Iterator[type[errors.HubError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _children(one)
