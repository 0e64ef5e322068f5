"""The program: its commands, and how it ends."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from hub._version import __version__
from hub.cli.commands import attach as attach_commands
from hub.cli.failure import Failed, Status
from hub.cli.server import attach as attach_server
from hub.cli.show import Screen


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and leave with its exit status."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run a command line; return its exit status."""
    try:
        status = program()(list(arguments), prog_name="hub", standalone_mode=False)
    except Failed as failed:
        _screen(arguments).failure(failed.cause, failed.details, failed.fix)
        return failed.status
    except typer.TyperException as error:
        return _misused(arguments, error)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return Status.DONE
    return status if isinstance(status, int) else Status.DONE


def program() -> typer.Typer:
    """Return the whole program, put together anew."""
    app = typer.Typer(
        name="hub",
        help="The Integration Hub's command line (also called im).",
        epilog="Example: hub connector list",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback(invoke_without_command=True)(_root)
    attach_server(app)
    attach_commands(app)
    app.command("help", epilog="Example: hub help connector test")(_help)
    return app


def _root(
    ctx: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"hub {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def _help(words: Annotated[list[str] | None, typer.Argument(help="A command.")] = None) -> None:
    """Show what a command does."""
    raise typer.Exit(run([*(words or []), "--help"]))


def _misused(arguments: Sequence[str], error: typer.TyperException) -> int:
    message = error.format_message().replace("\n", " ").rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "hub"
    _screen(arguments).failure(f"{message}.", fix=f"{path} --help shows how it is used.")
    return Status.USAGE


def _screen(arguments: Sequence[str]) -> Screen:
    return Screen(color="--no-color" not in arguments and sys.stderr.isatty())
