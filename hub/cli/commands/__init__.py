"""Commands that ask a running hub, over HTTP."""

from types import ModuleType

import typer

_MODULES: tuple[ModuleType, ...] = ()


def attach(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for module in _MODULES:
        module.attach(app)
