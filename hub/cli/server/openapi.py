"""`hub openapi`: the API's description, without a running hub."""

import json

import typer

from hub.cli.server.starting import refusing, settings_of


def attach(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("openapi", epilog="Example: hub openapi > openapi.json")(openapi)


def openapi() -> None:
    """Print the API's OpenAPI description as JSON."""
    from hub.app import create_app  # noqa: PLC0415 - so that --help is quick

    with refusing():
        app = create_app(settings_of())
    typer.echo(json.dumps(app.openapi(), indent=2, ensure_ascii=False))
