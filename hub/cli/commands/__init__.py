"""Commands that ask a running hub, over HTTP."""

import typer

from hub.cli.commands import (
    activity,
    audit,
    check,
    connector,
    connector_set_up,
    connector_sync,
    delivery,
    hold,
    inbox,
    mapping,
    plugins,
    rule,
    ruleset,
    run,
    template,
    tenant,
    token,
    valuemap,
    webhook,
)
from hub.cli.server import plugin

_MODULES = (
    tenant,
    token,
    plugins,
    connector,
    mapping,
    valuemap,
    ruleset,
    rule,
    template,
    delivery,
    run,
    hold,
    activity,
    audit,
    check,
)


def attach(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for module in _MODULES:
        group = typer.Typer(rich_markup_mode=None, help=module.HELP)
        module.attach(group)
        name = module.__name__.rpartition(".")[2]
        example = getattr(module, "EXAMPLE", f"hub {name} list")
        app.add_typer(group, name=name, epilog=f"Example: {example}")
        if module is plugins:
            plugin.attach(group)
            app.add_typer(group, name="plugin", epilog=f"Example: {example}", hidden=True)
        if module is connector:
            webhook.attach(group)
            connector_sync.attach(group)
            connector_set_up.attach(group)
    inbox.attach(app)
